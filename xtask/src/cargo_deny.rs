//! Licences, bans and sources by cargo-deny, which is installed under the target folder where the machine has none.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{self, Outcome};
use crate::workspace::Workspace;

/// The version that `deny.toml` is written for.
const VERSION: &str = "0.20.2";

/// Checks what `deny.toml` says, over all features and targets.
pub(crate) fn run() -> Outcome {
    let workspace = Workspace::load()?;
    let program = program(&workspace)?;
    let mut command = Command::new(program);
    command.current_dir(&workspace.root).args(["--all-features", "--workspace"]);
    if process::on_ci() {
        command.arg("--locked");
    }
    // Not `advisories`: deny.toml says why.
    process::run(command.args(["check", "licenses", "bans", "sources"]))
}

/// The program of our version: the machine's own, the one of an earlier run, or a fresh one.
fn program(workspace: &Workspace) -> Outcome<PathBuf> {
    let own = PathBuf::from("cargo-deny");
    if is_our_version(&own) {
        return Ok(own);
    }
    let folder = workspace.target.join("tools").join(format!("cargo-deny-{VERSION}"));
    let installed = folder.join("bin").join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
    if !is_our_version(&installed) {
        eprintln!(
            "cargo-deny {VERSION} is not here: installing it into {}, once.",
            shown(&folder, workspace)
        );
        // Unoptimised: it runs for a second and would compile for minutes.
        let mut install = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        install.args([
            "install",
            "--quiet",
            "--locked",
            "--debug",
            "--no-track",
            "cargo-deny",
            "--version",
            VERSION,
        ]);
        install.arg("--root").arg(&folder).current_dir(&workspace.root);
        // Built in a folder that goes again, whatever target folder this workspace uses.
        process::run(install.env_remove("CARGO_TARGET_DIR"))?;
    }
    Ok(installed)
}

fn is_our_version(program: &Path) -> bool {
    let answer = process::capture(Command::new(program).arg("--version"));
    answer.is_ok_and(|text| text.trim() == format!("cargo-deny {VERSION}"))
}

fn shown(folder: &Path, workspace: &Workspace) -> String {
    folder.strip_prefix(&workspace.root).unwrap_or(folder).display().to_string()
}
