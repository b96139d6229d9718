//! `cargo xtask test`: all that a change must pass. Nothing here needs a server or a network of its own: SQLite is
//! bundled, and what talks HTTP talks to itself on loopback.

use std::time::Instant;

use crate::examples;
use crate::process::{self, Failure, Outcome};
use crate::workspace::Workspace;

/// The examples as a user would run them, then every test and doctest, and one line that adds them up.
pub(crate) fn run() -> Outcome {
    let begun = Instant::now();
    let workspace = Workspace::load()?;
    let examples = examples::run(&workspace)?;

    let mut tally = Tally::default();
    let mut command = workspace.cargo("test");
    command.args(["--workspace", "--all-features", "--no-fail-fast"]);
    let succeeded = process::stream(&mut command, |line| {
        println!("{line}");
        tally.note(line);
    })?;
    if !succeeded {
        return Err(Failure::new(format!("`cargo test` failed: {} of its tests did not pass", tally.failed)));
    }
    if tally.passed == 0 {
        return Err(Failure::new("`cargo test` ran no test at all"));
    }
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

/// The sum of libtest's closing lines.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Tally {
    suites: u32,
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    ignored: u32,
}

impl Tally {
    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; ..`; others change nothing.
    pub(crate) fn note(&mut self, line: &str) {
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
        assert_eq!(tally, Tally { suites: 2, passed: 4, failed: 2, ignored: 1 });
    }
}
