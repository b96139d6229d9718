//! What a repository is about, and what it takes from the one that it was forked from.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Result, Run, Tool, ToolContext, ToolSet};

use super::page::{Members, on};

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<ListTopics>().add::<ReplaceTopics>().add::<SyncFork>();
}

/// A repository's topics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Topics {
    /// Topics, in lower case.
    #[serde(default, deserialize_with = "super::brief::list", skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

/// Lists all topics of a repository.
///
/// <https://docs.github.com/en/rest/repos/repos#get-all-repository-topics>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListTopics {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
}

impl Run for ListTopics {
    type Output = Topics;

    async fn run(self, cx: &ToolContext) -> Result<Topics> {
        on(cx, Method::GET, "/topics", &self.owner, &self.repo).json().await
    }
}

/// Replaces all topics of a repository: those that are not named are removed. Returns the topics there are then.
///
/// <https://docs.github.com/en/rest/repos/repos#replace-all-repository-topics>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct ReplaceTopics {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// All topics it shall have: lower case, digits and hyphens.
    #[serde(default)]
    #[schemars(length(max = 20), inner(length(min = 1, max = 50), regex(pattern = "^[a-z0-9][a-z0-9-]*$")))]
    pub names: Vec<String>,
}

impl Run for ReplaceTopics {
    type Output = Topics;

    async fn run(self, cx: &ToolContext) -> Result<Topics> {
        let request = on(cx, Method::PUT, "/topics", &self.owner, &self.repo);
        request.json_body(&Members::default().with("names", &self.names)).json().await
    }
}

/// Brings a branch of a fork up to date with the repository that it was forked from. Conflicts are refused.
///
/// <https://docs.github.com/en/rest/branches/branches#sync-a-fork-branch-with-the-upstream-repository>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct SyncFork {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Branch of the fork.
    #[schemars(length(min = 1))]
    pub branch: String,
}

impl Run for SyncFork {
    type Output = Synced;

    async fn run(self, cx: &ToolContext) -> Result<Synced> {
        on(cx, Method::POST, "/merge-upstream", &self.owner, &self.repo)
            .json_body(&Members::default().with("branch", &self.branch))
            .json()
            .await
    }
}

/// What came of bringing a fork up to date.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Synced {
    /// GitHub's word on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// `merge`, `fast-forward` or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge_type: Option<String>,
    /// Branch that it was taken from, `owner:branch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_branch: Option<String>,
}
