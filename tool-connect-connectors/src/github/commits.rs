//! Commits, and what lies between two of them.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolContext, ToolSet};

use super::brief::{Login, Sha};
use super::page::{next_of, on, page, paged};
use crate::provider::paged;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<ListCommits>().add::<GetCommit>().add::<CompareCommits>();
}

paged! { ListCommits => Commit }

/// A commit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Commit {
    /// SHA.
    pub sha: String,
    /// Message, author and time.
    pub commit: CommitText,
    /// Login of the author's account, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Login>,
    /// Login of the committer's account, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committer: Option<Login>,
    /// SHAs of the commits before it.
    #[serde(default, deserialize_with = "super::brief::list", skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<Sha>,
    /// Page on GitHub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html_url: Option<String>,
    /// How much it changed; of a single commit only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stats: Option<CommitStats>,
    /// What it changed; of a single commit only.
    #[serde(default, deserialize_with = "super::brief::list", skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<ChangedFile>,
}

/// A commit's text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommitText {
    /// Message.
    pub message: String,
    /// Who wrote it, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Signature>,
    /// Who committed it, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committer: Option<Signature>,
}

/// Who, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Signature {
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// When, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
}

/// How much was changed, in lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommitStats {
    /// Lines added.
    pub additions: u64,
    /// Lines removed.
    pub deletions: u64,
}

/// A file that was changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedFile {
    /// Path.
    pub filename: String,
    /// Path before it was renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_filename: Option<String>,
    /// `added`, `removed`, `modified`, `renamed`, `copied`, `changed` or `unchanged`.
    pub status: String,
    /// Lines added.
    pub additions: u64,
    /// Lines removed.
    pub deletions: u64,
    /// The change as unified diff; absent for binary files and very long changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
}

/// Lists the commits that lead to a branch, tag or commit, newest first, a page at a time. Can be narrowed to a path,
/// an author, a time.
///
/// <https://docs.github.com/en/rest/commits/commits#list-commits>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListCommits {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Branch, tag or commit SHA to begin at; the default branch if left out.
    #[serde(default)]
    pub revision: Option<String>,
    /// Only commits that changed this path.
    #[serde(default)]
    pub path: Option<String>,
    /// Only commits of this login or e-mail address.
    #[serde(default)]
    pub author: Option<String>,
    /// Only commits after this time, ISO 8601: `2026-01-02T03:04:05Z`.
    #[serde(default)]
    pub since: Option<String>,
    /// Only commits before this time, ISO 8601.
    #[serde(default)]
    pub until: Option<String>,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListCommits {
    type Output = Page<Commit>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Commit>> {
        let request = on(cx, Method::GET, "/commits", &self.owner, &self.repo)
            .query_opt("sha", self.revision.as_deref())
            .query_opt("path", self.path.as_deref())
            .query_opt("author", self.author.as_deref())
            .query_opt("since", self.since.as_deref())
            .query_opt("until", self.until.as_deref());
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}

/// Gets a commit with its message and the files that it changed, as diffs. Of a very large one the first 300 files.
///
/// <https://docs.github.com/en/rest/commits/commits#get-a-commit>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetCommit {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Commit SHA, branch or tag.
    #[schemars(length(min = 1))]
    pub revision: String,
    /// Whether to return all that GitHub sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetCommit {
    type Output = Detail<Commit>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Commit>> {
        on(cx, Method::GET, "/commits/{revision}", &self.owner, &self.repo)
            .path("revision", &self.revision)
            .detail(self.whole)
            .await
    }
}

/// What lies between two commits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// `ahead`, `behind`, `diverged` or `identical`: how the head stands to the base.
    pub status: String,
    /// Commits that the head has and the base has not.
    pub ahead_by: u64,
    /// Commits that the base has and the head has not.
    pub behind_by: u64,
    /// Commits between them.
    pub total_commits: u64,
    /// SHA of the commit where they parted.
    pub merge_base_commit: Sha,
    /// The commits between them, oldest first, a page of them.
    #[serde(default, deserialize_with = "super::brief::list", skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<Commit>,
    /// What differs, up to 300 files; on the first page.
    #[serde(default, deserialize_with = "super::brief::list", skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<ChangedFile>,
    /// Page on GitHub.
    pub html_url: String,
    /// What to pass as `cursor` for the next page of commits; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Compares two branches, tags or commits: how many commits each is ahead, the commits between them, and the files that
/// differ as diffs.
///
/// <https://docs.github.com/en/rest/commits/commits#compare-two-commits>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct CompareCommits {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Branch, tag or commit SHA to compare with. In another repository of the same network: `owner:branch`.
    #[schemars(length(min = 1))]
    pub base: String,
    /// Branch, tag or commit SHA that is compared.
    #[schemars(length(min = 1))]
    pub head: String,
    /// How many commits a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for CompareCommits {
    type Output = Comparison;

    async fn run(self, cx: &ToolContext) -> Result<Comparison> {
        let request = on(cx, Method::GET, "/compare/{basehead}", &self.owner, &self.repo)
            .path("basehead", format!("{}...{}", self.base, self.head));
        let response = paged(request, self.page_size, self.cursor.as_deref())?.send().await?;
        let next = next_of(&response);
        let comparison: Comparison = response.json().await?;
        Ok(Comparison { next_cursor: next, ..comparison })
    }
}
