//! `cargo xtask test`: all that a change must pass. Most of it needs neither server nor network: SQLite is bundled, and what
//! talks HTTP talks to itself on loopback. The rest is held against programs of others, which are brought first.

use std::process::Command;
use std::time::Instant;

use crate::bring::{self, Counterparties};
use crate::examples;
use crate::process::{self, Failure, Outcome};
use crate::workspace::Workspace;

/// The examples as a user would run them, then every test and doctest, and one line that adds them up.
pub(crate) fn run() -> Outcome {
    let begun = Instant::now();
    let workspace = Workspace::load()?;
    let examples = examples::run(&workspace)?;

    let mut alone = workspace.cargo("test");
    alone.args(["--workspace", "--all-features", "--no-fail-fast"]);
    let mut tally = ran(&mut alone)?;

    let counterparties = Counterparties::bring(&workspace)?;
    let mut against = bring::tests(&workspace, None);
    against.arg(bring::PREFIX);
    let held = ran(counterparties.tell(&mut against))?;
    tally.take_waiting(&held)?;
    println!(
        "\ntest result: ok. {} passed; {} failed; {} ignored; {} suites and {examples} examples in {:.0} s",
        tally.passed,
        tally.failed,
        tally.ignored,
        tally.suites,
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Runs tests to the end, shows what they print and adds them up. None at all is a failure: a filter that fits nothing would
/// otherwise look like success.
fn ran(command: &mut Command) -> Outcome<Tally> {
    let mut tally = Tally::default();
    let succeeded = process::stream(command, |line| {
        println!("{line}");
        tally.note(line);
    })?;
    if !succeeded {
        return Err(Failure::new(format!("`cargo test` failed: {} of its tests did not pass", tally.failed)));
    }
    if tally.passed == 0 {
        return Err(Failure::new("`cargo test` ran no test at all"));
    }
    Ok(tally)
}

/// The sum of libtest's closing lines.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Tally {
    suites: u32,
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    ignored: u32,
    /// Of these, the ones that need a counterparty.
    waiting: u32,
}

impl Tally {
    /// Adds a second run that made up for the tests that wait for a counterparty. One that nobody ran would rot unseen.
    fn take_waiting(&mut self, made_up: &Self) -> Outcome {
        if self.waiting != made_up.passed {
            return Err(Failure::new(format!(
                "{} tests wait for a counterparty and {} were run with one: a test has `{}` in its name if, and only if, it \
                 is ignored because it needs one",
                self.waiting,
                made_up.passed,
                bring::PREFIX
            )));
        }
        self.passed += made_up.passed;
        self.suites += made_up.suites;
        self.ignored -= self.waiting;
        self.waiting = 0;
        Ok(())
    }

    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; ..`; others change nothing.
    pub(crate) fn note(&mut self, line: &str) {
        if let Some((name, _)) = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ignored")) {
            self.waiting += u32::from(name.contains(bring::PREFIX));
        }
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        self.suites += 1;
        for count in counts.split("; ") {
            match count.split_once(' ').and_then(|(number, what)| Some((number.parse::<u32>().ok()?, what))) {
                Some((number, "passed")) => self.passed += number,
                Some((number, "failed")) => self.failed += number,
                Some((number, "ignored")) => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_waits_for_a_counterparty_and_is_not_run_is_a_failure() {
        let mut all = Tally::default();
        for line in [
            "test flow::counterparty_code_flow ... ignored, needs a counterparty",
            "test processes::child ... ignored, run by other tests",
            "test result: ok. 9 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        ] {
            all.note(line);
        }
        let failure = all.take_waiting(&Tally::default()).unwrap_err().to_string();
        assert!(failure.contains("1 tests wait for a counterparty and 0 were run"), "{failure}");
        all.take_waiting(&Tally { suites: 1, passed: 1, ..Tally::default() }).unwrap();
        assert_eq!(all, Tally { suites: 2, passed: 10, failed: 0, ignored: 1, waiting: 0 });
    }

    #[test]
    fn closing_lines_are_added_up_and_nothing_else_is() {
        let mut tally = Tally::default();
        for line in [
            "running 4 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test a::b ... ok",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 7 filtered out; finished in 0.00s",
        ] {
            tally.note(line);
        }
        assert_eq!(tally, Tally { suites: 2, passed: 4, failed: 2, ignored: 1, waiting: 0 });
    }
}
