//! The project's own commands. `cargo xtask` lists them; `cargo xtask test` is the one to remember.
//!
//! Everything is plain `cargo` underneath: a command here is a list of cargo calls plus what cargo cannot check by
//! itself, so that a laptop and CI run the same thing.

mod bring;
mod cargo_deny;
mod checks;
mod ci;
mod coverage;
mod examples;
mod kit;
mod mutants;
mod process;
mod suite;
mod walls;
mod workspace;

use std::path::Path;
use std::process::ExitCode;

use process::{Failure, Outcome};

/// One command: its name, what it is for, and what it does.
struct Task {
    name: &'static str,
    about: &'static str,
    run: fn() -> Outcome,
}

const TASKS: &[Task] = &[
    Task { name: "test", about: "every test, doctest and example; what a change must pass", run: suite::run },
    Task {
        name: "counterparty",
        about: "the tests against programs of others; `counterparty <crate> <filter>` for some",
        run: || bring::run(None, None),
    },
    Task { name: "ci", about: "all checks and then `test`, as .ci/run does", run: ci::run },
    Task { name: "fmt", about: "formatting is rustfmt's", run: checks::format },
    Task {
        name: "clippy",
        about: "clippy on all targets and features, warnings denied",
        run: checks::clippy,
    },
    Task { name: "docs", about: "documentation builds, warnings denied", run: checks::docs },
    Task {
        name: "features",
        about: "each feature of each published crate compiles alone",
        run: checks::features,
    },
    Task { name: "walls", about: "who may depend on whom, and what no source may name", run: walls::run },
    Task { name: "deny", about: "licences, bans and sources by cargo-deny", run: cargo_deny::run },
    Task { name: "package", about: "every published crate packages", run: checks::package },
    Task { name: "bench", about: "the table of benches/, in one run", run: checks::bench },
    Task { name: "coverage", about: "line coverage by cargo-tarpaulin, with its floor", run: coverage::run },
    Task {
        name: "mutants",
        about: "each guard of xtask/mutants, taken out, makes its test fail; `mutants <crate>` for one",
        run: || mutants::run(None),
    },
    Task {
        name: "new-connector",
        about: "`new-connector NAME` writes a connector; with `--crate FOLDER` as a crate of its own",
        run: || Err(Failure::new("name it: `cargo xtask new-connector NAME`")),
    },
    Task { name: "kit", about: "what `new-connector` writes compiles and passes its tests", run: kit::prove },
    Task { name: "hooks", about: "install the pre-commit hook of .githooks/", run: checks::hooks },
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (name, outcome) = match *words.as_slice() {
        ["counterparty", package] => ("counterparty", bring::run(Some(package), None)),
        ["counterparty", package, filter] => ("counterparty", bring::run(Some(package), Some(filter))),
        ["mutants", only] => ("mutants", mutants::run(Some(only))),
        ["new-connector", name] => ("new-connector", kit::inside(name)),
        ["new-connector", name, "--crate", folder] => {
            ("new-connector", kit::outside(name, Path::new(folder), false))
        }
        ["new-connector", name, "--crate", folder, "--local"] => {
            ("new-connector", kit::outside(name, Path::new(folder), true))
        }
        [name] => match TASKS.iter().find(|task| task.name == name) {
            Some(task) => (name, (task.run)()),
            None => return usage(),
        },
        _ => return usage(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\ncargo xtask {name}: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: cargo xtask <command>\n");
    for task in TASKS {
        eprintln!("  {:<15}{}", task.name, task.about);
    }
    ExitCode::from(2)
}
