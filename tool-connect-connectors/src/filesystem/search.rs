//! `search`: lines of text files that hold a text or match a regular expression.

mod file;

use regex::bytes::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Error, Result, Run, Tool, ToolContext};

use self::file::Scan;
use super::entry::EntryKind;
use super::errors::refused;
use super::pattern::Filter;
use super::place::Place;
use super::root::{Root, go_on};
use super::walk::{Walk, below};

/// Matches that a call returns unless it says otherwise.
const MATCHES: u32 = 100;
/// Levels of directories that a search descends.
const DEPTH: u32 = 64;
/// Memory of a compiled expression, in bytes; a longer expression is refused.
const REGEX_BYTES: usize = 4 * 1024 * 1024;

/// Searches the text files below a directory, or one file, line by line: for a text as it is, or for
/// a regular expression. Binary files are passed over; symbolic links are not followed. The answer
/// says how many files were looked into, and whether and why the search stopped early.
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(state = Root, read_only, open_world = false)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// What to look for within a line.
    #[schemars(length(min = 1, max = 1000))]
    pub query: String,
    /// Whether `query` is a regular expression (Rust's syntax, linear time, no look-around).
    #[serde(default)]
    pub regex: bool,
    /// Whether upper and lower case count as the same.
    #[serde(default)]
    pub ignore_case: bool,
    /// Directory or file to search, relative to the root; the root itself if left out.
    #[serde(default)]
    #[schemars(length(max = 4096))]
    pub path: String,
    /// Only files that match this glob, `*.rs` by name at any depth or `docs/**/*.md` by the path
    /// below the searched directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub glob: Option<String>,
    /// Globs of files and directories to leave out: `[".git", "target"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 256)))]
    pub exclude: Vec<String>,
    /// How many lines to show before and after each match.
    #[serde(default)]
    #[schemars(range(max = 10))]
    pub context: u32,
    /// How many matching lines to return at most; 100 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_matches: Option<u32>,
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SearchResult {
    /// Matching lines, by path and line.
    pub matches: Vec<LineMatch>,
    /// How many files were looked into.
    pub files_searched: u64,
    /// What was passed over.
    pub skipped: Skipped,
    /// Why the search stopped before it had seen everything; missing if it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<StoppedBy>,
}

/// A matching line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LineMatch {
    /// Path of the file, from the root.
    pub path: String,
    /// Number of the line, counted from 1.
    pub line: u64,
    /// Where in the line the first match begins, in characters counted from 1.
    pub column: u64,
    /// The line without its end; a part around the match where the line is very long.
    pub text: String,
    /// Whether `text` is only a part of the line.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// The lines before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// The lines after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// The name is not UTF-8, so that `path` only resembles it and no tool can open it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unaddressable: bool,
}

/// How many files and directories a search passed over, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// Files that are not text.
    pub binary: u64,
    /// Files that are larger than a search looks into.
    pub too_large: u64,
    /// Files and directories that the host may not read.
    pub unreadable: u64,
}

/// The cap that ended a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StoppedBy {
    /// `max_matches` lines were found; ask for more, or narrow the search.
    Matches,
    /// So many files and directories were passed; narrow `path`, or leave out what is of no use.
    Entries,
    /// So much was read; narrow `path` or `glob`.
    Bytes,
}

impl Run<Root> for Search {
    type Output = SearchResult;

    async fn run(self, cx: &ToolContext<Root>) -> Result<SearchResult> {
        let root = cx.state()?.clone();
        let call = cx.clone();
        cx.blocking(move || self.search(&root, &call)).await
    }
}

impl Search {
    fn search(&self, root: &Root, cx: &ToolContext<Root>) -> Result<SearchResult> {
        let place = Place::new(&self.path, "/path")?;
        let filter = Filter::new(self.glob.as_deref(), &self.exclude)?;
        let mut scan = Scan::new(self.compile()?, self, root.limits(), cx);
        let start = place.clean();

        let metadata = root.dir().metadata(place.path()).map_err(|e| refused(e, &place))?;
        if !metadata.is_dir() {
            let (file, metadata) = root.open_regular(root.dir(), place.path(), &place)?;
            scan.file(file, &metadata, &start, true)?;
            return Ok(scan.finish(0));
        }

        let dir = root.dir().open_dir(place.path()).map_err(|e| refused(e, &place))?;
        let wanted = || go_on(cx);
        let mut walk = Walk::new(dir, DEPTH, &filter, &wanted);
        let mut passed = 0;
        while scan.wants_more() {
            let Some(found) = walk.next(&place)? else { break };
            if passed == root.limits().entries {
                scan.stop(StoppedBy::Entries);
                break;
            }
            passed += 1;
            if found.kind != EntryKind::File || !filter.wants(&found.path) {
                continue;
            }
            let Some(dir) = walk.dir() else { break };
            match root.open_found(dir, &found.name) {
                Some((file, metadata)) => {
                    scan.file(file, &metadata, &below(&start, &found.path), found.exact)?
                }
                None => scan.unreadable(),
            }
        }
        Ok(scan.finish(walk.unreadable))
    }

    fn compile(&self) -> Result<Regex> {
        let source = if self.regex { self.query.clone() } else { regex::escape(&self.query) };
        RegexBuilder::new(&source)
            .case_insensitive(self.ignore_case)
            .size_limit(REGEX_BYTES)
            .dfa_size_limit(REGEX_BYTES)
            .nest_limit(50)
            .build()
            .map_err(|e| Error::invalid_argument("/query", why(&e)))
    }
}

/// Why an expression was refused, without the expression: the engine's message draws it, and says
/// why in its last line.
fn why(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => {
            "the expression is too large once compiled; use smaller repetitions".to_owned()
        }
        regex::Error::Syntax(message) => {
            let reason = message.rsplit("error: ").next().filter(|reason| !reason.contains('\n'));
            format!("is not a regular expression: {}", reason.unwrap_or("its syntax is wrong"))
        }
        _ => "is not a regular expression".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_expression_is_explained_without_it() {
        for (query, word) in [
            ("(canary", "unclosed group"),
            ("a{1000}{1000}{1000}", "too large"),
            (r"\w{150}", "too large"),
            ("(?=x)", "look-around"),
        ] {
            let search = Search { query: query.to_owned(), regex: true, ..Search::default() };
            let error = search.compile().unwrap_err();
            let problem = &error.problems()[0];
            assert_eq!(problem.pointer, "/query");
            assert!(problem.message.contains(word), "{}", problem.message);
            assert!(!problem.message.contains("canary"));
        }
        let literal = Search { query: "(canary".to_owned(), ..Search::default() };
        assert!(literal.compile().unwrap().is_match(b"a (canary b"));
    }
}
