//! Who works on an issue or pull request, and who may speak in it.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Page, Result, Run, Tool, ToolArgs, ToolContext, ToolSet};

use super::page::{Done, Members, done, on, page, paged};
use super::{Account, Issue};
use crate::provider::paged;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<AddAssignees>()
        .add::<RemoveAssignees>()
        .add::<ListAssignees>()
        .add::<LockIssue>()
        .add::<UnlockIssue>();
}

paged! { ListAssignees => Account }

/// Why a conversation is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum LockReason {
    /// It left its subject.
    #[serde(rename = "off-topic")]
    OffTopic,
    /// It became too heated.
    #[serde(rename = "too heated")]
    TooHeated,
    /// It is resolved.
    Resolved,
    /// It was spam.
    Spam,
}

/// Adds people to those who work on an issue or pull request. Returns it; who may not be assigned is left out silently.
///
/// <https://docs.github.com/en/rest/issues/assignees#add-assignees-to-an-issue>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct AddAssignees {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the issue.
    pub number: u64,
    /// Logins.
    #[serde(default)]
    #[schemars(length(min = 1, max = 10))]
    pub assignees: Vec<String>,
}

impl Run for AddAssignees {
    type Output = Issue;

    async fn run(self, cx: &ToolContext) -> Result<Issue> {
        on(cx, Method::POST, "/issues/{number}/assignees", &self.owner, &self.repo)
            .path("number", self.number)
            .json_body(&Members::default().list("assignees", &self.assignees))
            .json()
            .await
    }
}

/// Takes people out of those who work on an issue or pull request. Returns it.
///
/// <https://docs.github.com/en/rest/reference/issues#remove-assignees-from-an-issue>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct RemoveAssignees {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the issue.
    pub number: u64,
    /// Logins.
    #[serde(default)]
    #[schemars(length(min = 1, max = 10))]
    pub assignees: Vec<String>,
}

impl Run for RemoveAssignees {
    type Output = Issue;

    async fn run(self, cx: &ToolContext) -> Result<Issue> {
        on(cx, Method::DELETE, "/issues/{number}/assignees", &self.owner, &self.repo)
            .path("number", self.number)
            .json_body(&Members::default().list("assignees", &self.assignees))
            .json()
            .await
    }
}

/// Lists who may be assigned to issues of a repository, a page at a time.
///
/// <https://docs.github.com/en/rest/issues/assignees#list-assignees>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListAssignees {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListAssignees {
    type Output = Page<Account>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Account>> {
        let request = on(cx, Method::GET, "/assignees", &self.owner, &self.repo);
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}

/// Locks the conversation of an issue or pull request: only those with push access may comment.
///
/// <https://docs.github.com/en/rest/issues/issues#lock-an-issue>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct LockIssue {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the issue.
    pub number: u64,
    /// Why.
    #[serde(default)]
    pub reason: Option<LockReason>,
}

impl Run for LockIssue {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        done(
            on(cx, Method::PUT, "/issues/{number}/lock", &self.owner, &self.repo)
                .path("number", self.number)
                .json_body(&Members::default().maybe("lock_reason", self.reason.as_ref())),
        )
        .await
    }
}

/// Unlocks the conversation of an issue or pull request.
///
/// <https://docs.github.com/en/rest/issues/issues#unlock-an-issue>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct UnlockIssue {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the issue.
    pub number: u64,
}

impl Run for UnlockIssue {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        done(
            on(cx, Method::DELETE, "/issues/{number}/lock", &self.owner, &self.repo)
                .path("number", self.number),
        )
        .await
    }
}
