//! All checks in order of cost, the tests last, and a table of what each took.

use std::time::{Duration, Instant};

use crate::process::{Failure, Outcome};
use crate::{cargo_deny, checks, kit, suite, walls};

type Step = (&'static str, fn() -> Outcome);

const STEPS: &[Step] = &[
    ("format", checks::format),
    ("clippy", checks::clippy),
    ("docs", checks::docs),
    ("features", checks::features),
    ("walls", walls::run),
    ("deny", cargo_deny::run),
    ("package", checks::package),
    ("benches compile", checks::benches_compile),
    ("connector kit", kit::prove),
    ("test", suite::run),
];

/// Stops at the first step that fails: the later ones cost more and say less.
pub(crate) fn run() -> Outcome {
    let mut times = Vec::with_capacity(STEPS.len());
    for (number, (name, step)) in STEPS.iter().enumerate() {
        eprintln!("\n=== {}/{} {name}", number + 1, STEPS.len());
        let begun = Instant::now();
        let outcome = step();
        times.push((*name, begun.elapsed()));
        if let Err(failure) = outcome {
            eprintln!("\n{}", table(&times, "failed"));
            return Err(Failure::new(format!("{name}: {failure}")));
        }
    }
    eprintln!("\n{}", table(&times, "ok"));
    Ok(())
}

/// One line a step; `last` is how the last one ended, those before it went well.
fn table(times: &[(&str, Duration)], last: &str) -> String {
    let mut text = String::new();
    let mut total = Duration::ZERO;
    for (index, (name, time)) in times.iter().enumerate() {
        total += *time;
        let end = if index + 1 == times.len() { last } else { "ok" };
        text.push_str(&format!("{name:<16} {} {end}\n", clock(*time)));
    }
    text.push_str(&format!("{:<16} {}", "all", clock(total)));
    text
}

fn clock(time: Duration) -> String {
    format!("{:>3}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_which_step_failed_and_what_all_took() {
        let times = [("format", Duration::from_secs(2)), ("clippy", Duration::from_secs(79))];
        let expected = "format             0:02 ok\nclippy             1:19 failed\nall                1:21";
        assert_eq!(table(&times, "failed"), expected);
    }
}
