//! Searches: <https://developers.google.com/workspace/drive/api/guides/ref-search-terms>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::ToolArgs;

/// In which order files are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum FileOrder {
    /// By name, folders first.
    Name,
    /// What changed last comes first.
    Modified,
    /// What was made last comes first.
    Created,
    /// What the account looked at last comes first.
    Viewed,
    /// What is largest comes first.
    Size,
}

impl FileOrder {
    pub(super) fn wire(self) -> &'static str {
        match self {
            Self::Name => "folder,name_natural",
            Self::Modified => "modifiedTime desc",
            Self::Created => "createdTime desc",
            Self::Viewed => "viewedByMeTime desc",
            Self::Size => "quotaBytesUsed desc",
        }
    }
}

/// A search, term by term.
#[derive(Default)]
pub(super) struct Query(Vec<String>);

impl Query {
    /// Adds a term with a text in it, where there is one: `{}` stands for the text.
    pub(super) fn text(mut self, term: &str, text: Option<&str>) -> Self {
        if let Some(text) = text {
            self.0.push(term.replace("{}", &quoted(text)));
        }
        self
    }

    /// Adds a term as it is.
    pub(super) fn term(mut self, term: impl Into<String>) -> Self {
        self.0.push(term.into());
        self
    }

    pub(super) fn when(self, holds: bool, term: &str) -> Self {
        if holds { self.term(term) } else { self }
    }

    /// Adds a search of the caller's own, which stays one term.
    pub(super) fn own(self, query: Option<&str>) -> Self {
        match query {
            Some(query) => self.term(format!("({query})")),
            None => self,
        }
    }

    pub(super) fn finish(self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.join(" and "))
    }
}

/// A text between quotes, which it cannot leave.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_between_its_quotes() {
        let query = Query::default()
            .text("name contains {}", Some("it's' or trashed = true or name contains '\\"))
            .text("{} in parents", None)
            .own(Some("a or b"))
            .when(false, "starred = true")
            .term("trashed = false");
        assert_eq!(
            query.finish().as_deref(),
            Some(
                "name contains 'it\\'s\\' or trashed = true or name contains \\'\\\\' and (a or b) and trashed = false"
            )
        );
        assert_eq!(Query::default().finish(), None);
    }
}
