//! The source texts: providers named where none is known, a public signature that shows a fast-moving crate, a crate
//! that leaves the workspace's lints, a file that has grown into two.

use std::fs;
use std::path::{Path, PathBuf};

use super::ROOMS;
use crate::process::Outcome;
use crate::workspace::{Package, Workspace};

/// Names that only a connector may know. Those that are plain English as well are found by their domain.
const PROVIDERS: &[&str] = &[
    "airtable",
    "anthropic",
    "asana",
    "bitbucket",
    "confluence",
    "discord",
    "dropbox",
    "gcal",
    "gdrive",
    "github",
    "gitlab",
    "gmail",
    "google",
    "hubspot",
    "jira",
    "microsoft",
    "openai",
    "salesforce",
    "sharepoint",
    "shopify",
    "trello",
    "twilio",
    "zendesk",
];
const DOMAINS: &[&str] =
    &["linear.app", "notion.com", "notion.so", "outlook.office", "slack.com", "stripe.com"];

/// Crates whose types may stand in a public signature only behind a feature that has their name.
const FAST_MOVING: &[&str] =
    &["oauth2", "reqwest", "rmcp", "sqlx", "redis", "rig", "rusqlite", "tokio_postgres", "tokio_rustls"];

/// The rules of the model vendors' APIs for tool schemas: data, which has no better word for a vendor than its name.
const DIALECTS: &str = "tool-connect-core/src/schema/dialect/";

/// Where the connectors are, each of which has a snapshot of its tools.
const CONNECTORS: &str = "tool-connect-connectors";
const CONNECTOR: &str = "\nimpl Connector for ";
/// Those whose tools are what somebody else's document says.
const IMPORTERS: &[&str] = &["declarative", "discovery", "openapi"];

/// Where a file is two rooms, whatever it says. The aim is 400.
const LINES: usize = 600;

/// Every breach, one sentence each.
pub(super) fn breaches(workspace: &Workspace) -> Outcome<Vec<String>> {
    let mut found = Vec::new();
    for package in workspace.published() {
        found.extend(unlinted(package)?);
        let knows_providers = ROOMS.iter().any(|room| room.name == package.name && room.knows_providers);
        for path in sources(&package.folder.join("src"))? {
            let text = fs::read_to_string(&path)?;
            let shown = path.strip_prefix(&workspace.root).unwrap_or(&path).display().to_string();
            if !knows_providers && !shown.replace('\\', "/").starts_with(DIALECTS) {
                found.extend(provider_names(&shown, &text));
            }
            found.extend(leaks(&shown, &text, &package.features));
            let lines = text.lines().count();
            if text.contains(CONNECTOR) && package.name == CONNECTORS && !has_snapshot(package, &path) {
                found.push(format!(
                    "{shown} has a connector without a snapshot: `lint::assert_stable` with a file in tests/it holds its tools to what was released"
                ));
            }
            if lines > LINES {
                found.push(format!("{shown} has {lines} lines: above {LINES} a file is two, split it"));
            }
        }
    }
    Ok(found)
}

/// Whether the folder or file of a connector has a snapshot of its tools beside the tests, `tests/it/<name>.json`.
fn has_snapshot(package: &Package, source: &Path) -> bool {
    let name = source.strip_prefix(package.folder.join("src")).ok().and_then(|path| path.components().next());
    name.is_some_and(|name| {
        let file = Path::new(name.as_os_str()).with_extension("json");
        IMPORTERS.iter().any(|importer| name.as_os_str() == *importer)
            || package.folder.join("tests").join("it").join(file).is_file()
    })
}

/// A published crate takes the workspace's lints: no unsafe code, no undocumented item.
fn unlinted(package: &Package) -> Outcome<Option<String>> {
    let manifest = fs::read_to_string(package.folder.join("Cargo.toml"))?;
    let mut lines = manifest.lines().map(str::trim).skip_while(|line| *line != "[lints]").skip(1);
    let inherits = lines.next() == Some("workspace = true");
    Ok((!inherits).then(|| format!("{}: its manifest lacks `[lints]` with `workspace = true`", package.name)))
}

/// All `.rs` files under a folder but those of unit tests, in a fixed order.
fn sources(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.file_stem().is_some_and(|stem| stem == "tests") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Provider names in code; comments and documentation may use one as an example.
fn provider_names(shown: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, code) in code_lines(text) {
        let lower = code.to_lowercase();
        let words = lower.split(|c: char| !c.is_ascii_alphabetic());
        let named = words.filter(|word| PROVIDERS.iter().any(|provider| word.starts_with(provider)));
        let domains = DOMAINS.iter().copied().filter(|domain| lower.contains(domain));
        found.extend(named.chain(domains).map(|name| format!("{shown}:{number} names a provider: {name}")));
    }
    found
}

/// Public items whose line shows a type of a fast-moving crate without a feature of that name.
fn leaks(shown: &str, text: &str, features: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for (number, code) in code_lines(text).filter(|(_, code)| code.trim_start().starts_with("pub ")) {
        for name in FAST_MOVING {
            let path = format!("{name}::");
            let shows = code.match_indices(&path).any(|(at, _)| starts_word(code, at));
            if shows && !features.iter().any(|feature| feature == name) {
                found.push(format!("{shown}:{number} shows a type of {name} in public"));
            }
        }
    }
    found
}

fn starts_word(code: &str, at: usize) -> bool {
    let before = code.get(..at).and_then(|text| text.chars().next_back());
    before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
}

/// Lines of code with their number: without comment lines and without the unit tests.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    // By custom the unit tests close a file; they may name what they like.
    let tests = text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len());
    let code = text.get(..tests).unwrap_or(text);
    code.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_in_code_is_found_and_one_in_a_comment_is_not() {
        let found = provider_names(
            "a.rs",
            "// as GitHub does\n/// Jira\nlet url = \"https://api.github.com\";\nstruct JiraTool;",
        );
        assert_eq!(found, ["a.rs:3 names a provider: github", "a.rs:4 names a provider: jiratool"]);
    }

    #[test]
    fn unit_tests_may_name_a_provider() {
        let text = "fn f() {}\n#[cfg(test)]\nmod tests {\n    const ID: &str = \"github\";\n}\n";
        assert!(provider_names("a.rs", text).is_empty());
    }

    #[test]
    fn plain_english_is_no_provider() {
        assert!(provider_names("a.rs", "fn linear_scan(notion: Slack) -> Outlook {}").is_empty());
        assert_eq!(provider_names("a.rs", "let url = \"https://linear.app/x\";").len(), 1);
    }

    #[test]
    fn a_foreign_type_in_public_needs_a_feature_of_its_name() {
        let line = "pub fn client(self, client: reqwest::Client) -> Self {";
        assert_eq!(leaks("a.rs", line, &[]), ["a.rs:1 shows a type of reqwest in public"]);
        assert!(leaks("a.rs", line, &["reqwest".to_owned()]).is_empty());
        assert!(leaks("a.rs", "fn client(client: reqwest::Client) {", &[]).is_empty());
        assert!(leaks("a.rs", "pub fn f() -> my_redis::Pool {", &[]).is_empty());
    }
}
