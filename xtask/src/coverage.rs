//! Line coverage by cargo-tarpaulin: one run over the tests of the crates that carry the rest, and a floor for each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::process::{self, Failure, Outcome};
use crate::workspace::{Workspace, list};

/// Crates with a floor, in percent of their lines.
const FLOORS: &[(&str, f64)] =
    &[("tool-connect-core", 80.0), ("tool-connect-tower", 80.0), ("tool-connect-hub", 80.0)];

/// Crates whose tests are run.
const MEASURED: &[&str] = &[
    "tool-connect-core",
    "tool-connect-macros",
    "tool-connect-tower",
    "tool-connect-hub",
    "tool-connect-testkit",
];

/// Runs the tests once with instrumentation, prints a line a crate and fails where one is under its floor.
///
/// cargo-tarpaulin has to be installed. Its reports (JSON, Cobertura XML) and `summary.md` are left in `coverage/` of the
/// target folder.
pub(crate) fn run() -> Outcome {
    let workspace = Workspace::load()?;
    let reports = workspace.target.join("coverage");
    std::fs::create_dir_all(&reports)?;
    let mut command = workspace.cargo("tarpaulin");
    command.args(["--all-features", "--engine", "llvm", "--skip-clean"]);
    // Not the whole workspace: tests of the stores and the connectors kill processes or fill a disk in the middle of a
    // write, and tarpaulin gives up over the half-written profiles that these leave.
    for package in MEASURED {
        command.args(["--packages", package]);
    }
    command.args(["--exclude-files", "examples/*", "--exclude-files", "*/tests/*"]);
    command.args(["--out", "Json", "--out", "Xml", "--output-dir"]).arg(&reports);
    command.arg("--target-dir").arg(workspace.target.join("tarpaulin"));
    process::run(&mut command)?;

    let report = std::fs::read_to_string(reports.join("tarpaulin-report.json"))?;
    let lines = lines_by_crate(&serde_json::from_str(&report)?, &workspace);
    let mut summary = String::from("| crate | lines covered | of | floor |\n| --- | ---: | ---: | ---: |\n");
    let mut below = Vec::new();
    for (name, lines) in lines.iter().filter(|(name, _)| MEASURED.contains(name)) {
        let floor = FLOORS.iter().find(|(crate_name, _)| crate_name == name).map(|(_, floor)| *floor);
        let floor_shown = floor.map_or_else(String::new, |floor| format!("{floor} %"));
        summary.push_str(&format!(
            "| {name} | {:.1} % | {} | {floor_shown} |\n",
            lines.percent(),
            lines.coverable
        ));
        if floor.is_some_and(|floor| lines.percent() < floor) {
            below.push(*name);
        }
    }
    std::fs::write(reports.join("summary.md"), &summary)?;
    eprintln!("\n{summary}");
    let unmeasured = FLOORS.iter().map(|(name, _)| *name).filter(|name| !lines.contains_key(name));
    below.extend(unmeasured);
    if below.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(format!("under the floor: {}", below.join(", "))))
    }
}

#[derive(Default, Clone, Copy)]
struct Lines {
    covered: u64,
    coverable: u64,
}

impl Lines {
    fn percent(self) -> f64 {
        if self.coverable == 0 { 0.0 } else { 100.0 * self.covered as f64 / self.coverable as f64 }
    }
}

/// Adds up tarpaulin's files per published crate, tests left out.
fn lines_by_crate<'a>(report: &Value, workspace: &'a Workspace) -> BTreeMap<&'a str, Lines> {
    let mut found = BTreeMap::<&str, Lines>::new();
    for file in list(report, "files") {
        // Tarpaulin splits a path into its components.
        let path: PathBuf = list(file, "path").iter().filter_map(Value::as_str).collect();
        let number = |field: &str| file.get(field).and_then(Value::as_u64).unwrap_or(0);
        if let Some(name) = owner(&path, workspace) {
            let lines = found.entry(name).or_default();
            lines.covered += number("covered");
            lines.coverable += number("coverable");
        }
    }
    found
}

fn owner<'a>(path: &Path, workspace: &'a Workspace) -> Option<&'a str> {
    workspace
        .published()
        .find(|package| path.starts_with(package.folder.join("src")))
        .map(|package| package.name.as_str())
}
