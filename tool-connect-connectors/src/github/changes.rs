//! What a pull request changes: files, commits, diff.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{FileRef, Page, Result, Run, Tool, ToolContext, ToolSet};

use super::page::{on, on_for, page, paged};
use super::text::{LARGEST, Text, of_text};
use super::{ChangedFile, Commit};
use crate::provider::paged;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<ListPullRequestFiles>().add::<ListPullRequestCommits>().add::<GetPullRequestDiff>();
}

paged! { ListPullRequestFiles => ChangedFile, ListPullRequestCommits => Commit }

/// The diff of a pull request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PullRequestDiff {
    /// Unified diff; where it is longer than 256 KiB it is in `file` instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// The diff by handle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileRef>,
}

/// Lists the files that a pull request changes, each with its diff, a page at a time; at most 3000.
///
/// <https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListPullRequestFiles {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the pull request.
    pub number: u64,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListPullRequestFiles {
    type Output = Page<ChangedFile>;

    async fn run(self, cx: &ToolContext) -> Result<Page<ChangedFile>> {
        let request =
            on(cx, Method::GET, "/pulls/{number}/files", &self.owner, &self.repo).path("number", self.number);
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}

/// Lists the commits of a pull request, oldest first, a page at a time; at most 250.
///
/// <https://docs.github.com/en/rest/pulls/pulls#list-commits-on-a-pull-request>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListPullRequestCommits {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the pull request.
    pub number: u64,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListPullRequestCommits {
    type Output = Page<Commit>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Commit>> {
        let request = on(cx, Method::GET, "/pulls/{number}/commits", &self.owner, &self.repo)
            .path("number", self.number);
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}

/// Gets all that a pull request changes as one unified diff: as text, or by handle where it is longer than 256 KiB.
///
/// <https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, timeout = "30m")]
#[serde(deny_unknown_fields)]
pub struct GetPullRequestDiff {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the pull request.
    pub number: u64,
}

impl Run for GetPullRequestDiff {
    type Output = PullRequestDiff;

    async fn run(self, cx: &ToolContext) -> Result<PullRequestDiff> {
        let accept = "application/vnd.github.diff";
        let request = on_for(cx, Method::GET, "/pulls/{number}", &self.owner, &self.repo, accept);
        let response = request.path("number", self.number).max_bytes(LARGEST).send().await?;
        let name = format!("{}-{}.diff", self.repo, self.number);
        Ok(match of_text(cx, response, name).await? {
            Text::Inline(diff) => PullRequestDiff { diff: Some(diff), file: None },
            Text::Stored(file) => PullRequestDiff { diff: None, file: Some(file) },
        })
    }
}
