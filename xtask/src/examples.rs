//! The examples as tests: each is run as its reader would run it, must end well and must print what it promises.

use std::path::Path;
use std::time::Duration;

use crate::process::{self, Failure, Outcome};
use crate::workspace::Workspace;

/// Longer than any example takes on a slow machine, its compilation not counted.
const LIMIT: Duration = Duration::from_secs(120);

/// What one run of an example must print, in this order.
struct Run {
    example: &'static str,
    prints: &'static [&'static str],
}

/// In order: the quickstart is run twice over one folder, because the second run must find what the first one left.
const RUNS: &[Run] = &[
    Run {
        example: "quickstart",
        prints: &[
            "first run",
            "did you mean `files.read`?",
            "200 after 3 requests, one call",
            "closed → open → half_open → closed",
            "refused: rate_limited",
            "waits for a person",
            "draft.txt is gone",
            "replayed: booking 2; 0 bookings made",
            "intact:",
            "What happened",
        ],
    },
    Run {
        example: "quickstart",
        prints: &[
            "what 1 earlier run left",
            "An earlier run connected Ada's account",
            "the first run's key",
            "intact:",
            "What happened",
        ],
    },
    Run {
        example: "custom_connector",
        prints: &["0 findings", "Moby-Dick (2 requests", "lent out until 2026-06-01", "came out nowhere"],
    },
    Run {
        example: "middleware_alone",
        prints: &[
            "429 Too Many Requests",
            "cleo, after",
            "the service ran 4 times; the breaker is open",
            "the breaker is closed",
        ],
    },
    Run {
        example: "host_storage",
        prints: &["the call runs as ada@acme.example", "renews in May", "kept: tenants do not meet"],
    },
];

/// Tokens that would make an example call a real service: a test does not.
const TOKENS: &[&str] = &["GITHUB_TOKEN", "TOOL_CONNECT_GITHUB_TOKEN"];

/// Runs them all and returns how many runs there were.
pub(crate) fn run(workspace: &Workspace) -> Outcome<usize> {
    let names: Vec<&str> =
        workspace.packages.iter().flat_map(|package| &package.examples).map(String::as_str).collect();
    if let Some(unknown) = names.iter().find(|name| !RUNS.iter().any(|run| run.example == **name)) {
        return Err(Failure::new(format!(
            "the example `{unknown}` is run by nobody: add it to RUNS in xtask/src/examples.rs"
        )));
    }
    let mut build = workspace.cargo("build");
    process::run(build.arg("--examples"))?;

    let folder = Scratch::new(&workspace.target)?;
    for run in RUNS {
        let mut command = workspace.cargo("run");
        command.args(["--quiet", "--example", run.example]).env("TOOL_CONNECT_HOME", &folder.0);
        for token in TOKENS {
            command.env_remove(token);
        }
        let printed = process::within(LIMIT, &mut command)?;
        if let Err(missing) = in_order(&printed, run.prints) {
            return Err(Failure::new(format!(
                "the example `{}` did not print {missing:?}; it printed:\n{printed}",
                run.example
            )));
        }
    }
    Ok(RUNS.len())
}

/// Looks for each text after the end of the one before, and names the first that is not there.
fn in_order<'a>(printed: &str, texts: &[&'a str]) -> Result<(), &'a str> {
    let mut rest = printed;
    for text in texts {
        let at = rest.find(text).ok_or(*text)?;
        rest = rest.get(at + text.len()..).unwrap_or_default();
    }
    Ok(())
}

/// A folder of our own that goes when we go.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new(target: &Path) -> Outcome<Self> {
        let folder = target.join("tmp").join(format!("examples-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_looked_for_in_order() {
        assert_eq!(in_order("opened, closed", &["opened", "closed"]), Ok(()));
        assert_eq!(in_order("closed, opened", &["opened", "closed"]), Err("closed"));
        assert_eq!(in_order("once", &["once", "once"]), Err("once"));
    }
}
