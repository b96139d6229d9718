//! The checks that are one or a few cargo calls.

use std::ffi::OsString;

use crate::bring;
use crate::process::{self, Failure, Outcome};
use crate::workspace::Workspace;

/// Formatting is rustfmt's, in the workspace and in the benches beside it.
pub(crate) fn format() -> Outcome {
    let workspace = Workspace::load()?;
    process::run(workspace.cargo("fmt").args(["--all", "--check"]))?;
    process::run(workspace.cargo("fmt").args(["--manifest-path", BENCHES, "--check"]))
}

/// Clippy over every target and feature, warnings denied.
pub(crate) fn clippy() -> Outcome {
    let workspace = Workspace::load()?;
    let mut command = workspace.cargo("clippy");
    process::run(command.args(["--workspace", "--all-targets", "--all-features", "--", "--deny", "warnings"]))
}

/// Documentation of every crate, warnings denied: a broken link is an error.
pub(crate) fn docs() -> Outcome {
    let workspace = Workspace::load()?;
    let mut flags = std::env::var_os("RUSTDOCFLAGS").unwrap_or_default();
    flags.push(OsString::from(" --deny warnings"));
    let mut command = workspace.cargo("doc");
    command.args(["--workspace", "--exclude", "xtask", "--no-deps", "--all-features"]);
    process::run(command.env("RUSTDOCFLAGS", flags))
}

/// Each feature of each published crate compiles alone, and each crate without any.
///
/// Through clippy rather than check: warnings are denied in our crates and what the dependencies were compiled to is
/// shared with the clippy step.
pub(crate) fn features() -> Outcome {
    let workspace = Workspace::load()?;
    for package in workspace.published() {
        let none = [String::new()];
        for feature in none.iter().chain(&package.features) {
            let mut command = workspace.cargo("clippy");
            command.args(["--quiet", "--package", &package.name, "--lib", "--no-default-features"]);
            if !feature.is_empty() {
                command.args(["--features", feature]);
            }
            process::run(command.args(["--", "--deny", "warnings"]))?;
        }
    }
    Ok(())
}

/// Every published crate packages: what its manifest promises is there, and the crates agree on each other's versions.
pub(crate) fn package() -> Outcome {
    let workspace = Workspace::load()?;
    let mut command = workspace.cargo("package");
    command.args(["--no-verify", "--allow-dirty"]);
    for package in workspace.published() {
        command.args(["--package", &package.name]);
    }
    process::run(&mut command)
}

/// Runs the table of `benches/`: ours and what a user would pick instead, side by side in one run.
pub(crate) fn bench() -> Outcome {
    let workspace = Workspace::load()?;
    let mut command = workspace.cargo("run");
    command.env("TOOL_CONNECT_BENCH_OPENAPI", bring::github(&workspace)?);
    process::run(command.args(["--release", "--manifest-path", BENCHES]))
}

/// The benches compile. They live outside the workspace, so that nothing else would notice.
pub(crate) fn benches_compile() -> Outcome {
    let workspace = Workspace::load()?;
    process::run(workspace.cargo("check").args(["--all-targets", "--manifest-path", BENCHES]))
}

/// Installs the hooks of `.githooks/` for this clone.
pub(crate) fn hooks() -> Outcome {
    let workspace = Workspace::load()?;
    let hook = workspace.root.join(".githooks").join("pre-commit");
    if !hook.is_file() {
        return Err(Failure::new(".githooks/pre-commit is missing"));
    }
    let mut command = std::process::Command::new("git");
    process::run(command.current_dir(&workspace.root).args(["config", "core.hooksPath", ".githooks"]))?;
    eprintln!("The pre-commit hook is on. `git config --unset core.hooksPath` takes it off again.");
    Ok(())
}

const BENCHES: &str = "benches/Cargo.toml";
