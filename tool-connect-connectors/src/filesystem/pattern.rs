//! Globs: which entries are wanted, and which are passed over with all that is below them.

use globset::{GlobBuilder, GlobMatcher};
use tool_connect_core::{Error, Result};

/// A glob. Without a `/` it is matched with the name alone, at any depth; with one, with the whole
/// path below the directory that the call names.
#[derive(Clone, Debug)]
struct Pattern {
    matcher: GlobMatcher,
    whole: bool,
}

impl Pattern {
    fn new(pattern: &str, pointer: &str) -> Result<Self> {
        let whole = pattern.contains('/');
        let plain = pattern.trim_start_matches("./").trim_start_matches('/').trim_end_matches('/');
        let glob =
            GlobBuilder::new(plain).literal_separator(true).backslash_escape(true).build().map_err(|e| {
                Error::invalid_argument(
                    pointer,
                    format!("is not a glob such as `*.rs` or `docs/**/*.md`: {}", e.kind()),
                )
            })?;
        Ok(Self { matcher: glob.compile_matcher(), whole })
    }

    fn matches(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.matcher.is_match(if self.whole { path } else { name })
    }
}

/// What a walk looks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    wanted: Option<Pattern>,
    excluded: Vec<Pattern>,
}

impl Filter {
    pub(super) fn new(glob: Option<&str>, exclude: &[String]) -> Result<Self> {
        Ok(Self {
            wanted: glob.map(|glob| Pattern::new(glob, "/glob")).transpose()?,
            excluded: exclude
                .iter()
                .enumerate()
                .map(|(index, glob)| Pattern::new(glob, &format!("/exclude/{index}")))
                .collect::<Result<_>>()?,
        })
    }

    /// Whether an entry is asked for; `path` is below the directory of the call.
    pub(super) fn wants(&self, path: &str) -> bool {
        self.wanted.as_ref().is_none_or(|pattern| pattern.matches(path))
    }

    /// Whether an entry, and all below it, is passed over.
    pub(super) fn excludes(&self, path: &str) -> bool {
        self.excluded.iter().any(|pattern| pattern.matches(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_with_a_slash_is_about_the_path() {
        let wants = |glob, path| Filter::new(Some(glob), &[]).unwrap().wants(path);
        assert!(wants("*.rs", "src/deep/lib.rs"));
        assert!(!wants("*.rs", "src/lib.rs.bak"));
        assert!(wants("src/*.rs", "src/lib.rs"));
        assert!(!wants("src/*.rs", "src/deep/lib.rs"));
        assert!(wants("src/**/*.rs", "src/deep/lib.rs"));
        assert!(wants("{a,b}.txt", "x/b.txt"));
    }

    #[test]
    fn a_broken_glob_is_placed() {
        let error = Filter::new(None, &["ok".to_owned(), "[".to_owned()]).unwrap_err();
        assert_eq!(error.problems()[0].pointer, "/exclude/1");
        assert!(Filter::new(Some("{a"), &[]).is_err());
    }
}
