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
            "`-- --live github`",
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
        example: "tool_search",
        prints: &[
            "The agent sees 6 definitions",
            "chat.send_message",
            "\"send message\"",
            "forge.list_reviews",
            "not granted",
            "till.create_refund (not connected)",
            "the call waits: Connect an account",
        ],
    },
    Run {
        example: "connect",
        prints: &[
            "The provider is",
            "Connect an account for `account` first.",
            "Eve opens it: This link is not yours",
            "Ada opens it, consents, and comes back: A server on this machine is connected",
            "Ada opens it again: This link no longer works",
            "Connected: con_",
            "The call goes on:",
            "the next call asks again: true",
        ],
    },
    Run {
        example: "declarative",
        prints: &[
            "\"rust-lang/rust\"",
            "#1 \"Issue 1 of rust-lang/rust\"",
            "next: \"2\"",
            "#3",
            "refused: GitHub does not accept one of the values",
            "notes has 1 tool of its own",
            "another tenant: There is no such tool",
            "a mistake: line 4",
        ],
    },
    Run {
        example: "device_login",
        prints: &["enter", "Connected as ada, with the scopes read.", "the tokens were given back"],
    },
    Run {
        example: "byo_provider",
        prints: &[
            "unknown field `endpionts`",
            "https://acme.depot.example/token",
            "site `evil.example/`: The value `site` does not fit.",
            "Connected for the whole tenant: acme-integration",
            "asked for a token 1 time(s)",
            "Bob: the principal may not connect",
        ],
    },
    Run {
        example: "import_openapi",
        prints: &[
            "Depot has 5 operations",
            "4 of 5 operations are tools",
            "`#/components/parameters/Gone` leads nowhere (at /paths/~1broken/get/parameters/0)",
            "depot.give_parcel (may destroy)",
            "\"next\":\"2\"",
            "books, 2nd half",
            "/owner",
            "The service saw 4 requests",
        ],
    },
    Run {
        example: "notion_export",
        prints: &[
            "a small workspace on this machine",
            "Team home → team-home.md",
            "  Style guide → style-guide.md",
            "  Tasks → tasks.md",
            "    Write the report → write-the-report.md",
            "    Test it → test-it.md",
            "5 files",
            "title: \"Team home\"",
            "We write **short** sentences; see the [Style guide](style-guide.md).",
            "  - [x] plan",
            "> [!WARNING]",
            "[Tasks](tasks.md \"child_database\")",
        ],
    },
    Run {
        example: "slack_bot",
        prints: &[
            "I am helper in Acme.",
            "U0ADA: help",
            "answered in the thread",
            "scheduled a message, Q0LATER",
            "! There is no such user in this workspace",
            "You are Ada Lovelace, in Europe/London.",
            "In an hour I will remind everybody here: R&amp;D meets",
            "    helper: &lt;!channel&gt; everybody awake?",
            "1 of them turned away by its limit, and keeps 1 message for later.",
        ],
    },
    Run {
        example: "github_issues",
        prints: &[
            "a stand-in for GitHub on this machine answers",
            "The account is ada.",
            "issue #5 \"Paint the fence\"",
            "issue #1",
            "repo:acme/garden is:issue is:open: 3 on the first page",
            "opened #6",
            "labels: bug",
            "#6 is closed",
            "read twice, the same: true",
            "check owner, repository and number",
            "/title",
            "`next_cursor`",
            "1 of them with 304 Not Modified",
        ],
    },
    Run {
        example: "host_storage",
        prints: &["the call runs as ada@acme.example", "renews in May", "kept: tenants do not meet"],
    },
    Run {
        example: "rotate_keys",
        prints: &[
            "in the database file? No.",
            "ada through triage_bot opened connection:c-000000, for `call`, key k1",
            "the record is damaged or not at its place",
            "1004 values rewrapped",
            "0 left",
            "reads that failed meanwhile: 0",
            "k2: 1004 values",
            "key `k1` is below the keyring's minimum version 2",
            "key `k2` is missing, 1004 values need it",
            "the subject was erased",
            "Bob's open as before.",
        ],
    },
    Run {
        example: "refresh_storm",
        prints: &[
            "5000 calls in one process: 1 token request(s), 0 failed",
            "in 3 processes: 1 token request(s), 0 double spend(s), 0 failed",
            "stops of the holder beyond its lease",
            "0 double spends",
            "deaths before storing (Strict)",
            "without the fence",
        ],
    },
];

/// Tokens that would make an example call a real service: a test does not.
const TOKENS: &[&str] = &["GITHUB_TOKEN", "NOTION_TOKEN", "SLACK_BOT_TOKEN", "TOOL_CONNECT_GITHUB_TOKEN"];

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
