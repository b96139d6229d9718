//! Branches and tags.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolContext, ToolSet};

use super::brief::Sha;
use super::page::{Done, Members, done, on, on_for, page, paged};
use crate::provider::paged;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<ListBranches>()
        .add::<GetBranch>()
        .add::<CreateBranch>()
        .add::<DeleteBranch>()
        .add::<ListTags>();
}

paged! { ListBranches => Branch, ListTags => Tag }

/// A branch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Branch {
    /// Name.
    pub name: String,
    /// SHA of its last commit.
    pub commit: Sha,
    /// Whether rules protect it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected: Option<bool>,
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tag {
    /// Name.
    pub name: String,
    /// SHA of the commit that it marks.
    pub commit: Sha,
}

/// A branch that was just made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NewBranch {
    /// Name.
    pub name: String,
    /// SHA of the commit that it begins with.
    pub sha: String,
}

/// Lists the branches of a repository, a page at a time.
///
/// <https://docs.github.com/en/rest/branches/branches#list-branches>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListBranches {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// With `true` only protected branches, with `false` only others.
    #[serde(default)]
    pub protected: Option<bool>,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListBranches {
    type Output = Page<Branch>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Branch>> {
        let request =
            on(cx, Method::GET, "/branches", &self.owner, &self.repo).query_opt("protected", self.protected);
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}

/// Gets a branch: its last commit, and whether rules protect it.
///
/// <https://docs.github.com/en/rest/branches/branches#get-a-branch>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetBranch {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Name of the branch.
    pub branch: String,
    /// Whether to return all that GitHub sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetBranch {
    type Output = Detail<Branch>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Branch>> {
        on(cx, Method::GET, "/branches/{branch}", &self.owner, &self.repo)
            .path("branch", &self.branch)
            .detail(self.whole)
            .await
    }
}

/// Creates a branch that begins at a commit: of another branch, of a tag, or by its SHA.
///
/// <https://docs.github.com/en/rest/git/refs#create-a-reference>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct CreateBranch {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Name of the new branch.
    #[schemars(length(min = 1, max = 244))]
    pub branch: String,
    /// Branch, tag or commit SHA to begin at; the default branch if left out.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub from: Option<String>,
}

impl Run for CreateBranch {
    type Output = NewBranch;

    async fn run(self, cx: &ToolContext) -> Result<NewBranch> {
        // The commit that a name stands for, as plain text.
        let from = self.from.as_deref().unwrap_or("HEAD");
        let sha =
            on_for(cx, Method::GET, "/commits/{ref}", &self.owner, &self.repo, "application/vnd.github.sha");
        let sha = sha.path("ref", from).text().await?;
        let sha = sha.trim();
        let body = Members::default().with("ref", format!("refs/heads/{}", self.branch)).with("sha", sha);
        let request = on(cx, Method::POST, "/git/refs", &self.owner, &self.repo).json_body(&body);
        let made: Made = request.json().await?;
        Ok(NewBranch { name: self.branch, sha: made.object.0 })
    }
}

/// A reference, of which the commit is of interest.
#[derive(Deserialize)]
struct Made {
    object: Sha,
}

/// Deletes a branch. Its commits stay reachable through pull requests and other branches only.
///
/// <https://docs.github.com/en/rest/git/refs#delete-a-reference>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct DeleteBranch {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Name of the branch.
    #[schemars(length(min = 1))]
    pub branch: String,
}

impl Run for DeleteBranch {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        let request = on(cx, Method::DELETE, "/git/refs/{ref}", &self.owner, &self.repo);
        done(request.path("ref", format!("heads/{}", self.branch))).await
    }
}

/// Lists the tags of a repository, a page at a time.
///
/// <https://docs.github.com/en/rest/repos/repos#list-repository-tags>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListTags {
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

impl Run for ListTags {
    type Output = Page<Tag>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Tag>> {
        let request = on(cx, Method::GET, "/tags", &self.owner, &self.repo);
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}
