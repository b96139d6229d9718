//! What `new-connector` writes compiles and passes its own tests: both forms are written below the target folder and tried.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{write_inside, write_outside};
use crate::process::{self, Outcome};
use crate::workspace::Workspace;

/// `cargo xtask kit`: writes a connector in each form and tries it.
pub(crate) fn prove() -> Outcome {
    let workspace = Workspace::load()?;
    let folder = workspace.target.join("kit");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    alone(&workspace, &folder.join("alone"))?;
    within(&workspace, &folder.join("within"))
}

/// A crate of its own, with the lock file of ours so that nothing new is fetched.
fn alone(workspace: &Workspace, folder: &Path) -> Outcome {
    write_outside(&workspace.root, "city_library", folder, true)?;
    fs::copy(workspace.root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    process::run(&mut cargo(folder, "fmt", workspace))?;
    process::run(cargo(folder, "clippy", workspace).args([
        "--quiet",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ]))?;
    process::run(cargo(folder, "test", workspace).arg("--quiet"))
}

/// A copy of what git knows of the workspace, with the connector in it.
fn within(workspace: &Workspace, folder: &Path) -> Outcome {
    let mut list = Command::new("git");
    list.current_dir(&workspace.root).args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    for name in process::capture(&mut list)?.lines() {
        let (from, to) = (workspace.root.join(name), folder.join(name));
        if from.is_file() {
            if let Some(parent) = to.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::copy(from, to)?;
        }
    }
    write_inside(folder, "city_library")?;
    process::run(cargo(folder, "fmt", workspace).args(["--package", "tool-connect-connectors"]))?;
    let mut check = cargo(folder, "check", workspace);
    process::run(check.args([
        "--quiet",
        "--package",
        "tool-connect-connectors",
        "--all-features",
        "--tests",
    ]))?;
    let mut facade = cargo(folder, "check", workspace);
    process::run(facade.args([
        "--quiet",
        "--package",
        "tool-connect",
        "--no-default-features",
        "--features",
        "city_library",
    ]))
}

/// Cargo in a folder, with our target folder so that dependencies are compiled once.
fn cargo(folder: &Path, subcommand: &str, workspace: &Workspace) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(folder).env("CARGO_TARGET_DIR", &workspace.target).arg(subcommand);
    if subcommand != "fmt" {
        // The lock file is ours, plus one package.
        command.arg("--offline");
    }
    command
}
