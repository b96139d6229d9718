//! Repositories.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolArgs, ToolContext, ToolSet};

use super::brief::{FullName, Login};
use super::page::{Members, on, page, paged, request, word};
use crate::provider::paged;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<ListRepositories>()
        .add::<ListUserRepositories>()
        .add::<ListOrganizationRepositories>()
        .add::<GetRepository>()
        .add::<CreateRepository>()
        .add::<UpdateRepository>()
        .add::<ForkRepository>();
}

paged! {
    ListRepositories => Repository,
    ListUserRepositories => Repository,
    ListOrganizationRepositories => Repository,
}

/// A repository.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Repository {
    /// Numeric id, which stays where the name changes.
    pub id: u64,
    /// `owner/name`.
    pub full_name: String,
    /// Name.
    pub name: String,
    /// Login of its owner.
    pub owner: Login,
    /// Whether only those who were let in may see it.
    pub private: bool,
    /// `public`, `private` or `internal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
    /// What it is, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Web site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// Page on GitHub.
    pub html_url: String,
    /// Branch that others start from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_branch: Option<String>,
    /// Whether it is a fork.
    #[serde(default)]
    pub fork: bool,
    /// Of a fork: what it was forked from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<FullName>,
    /// Whether it is archived, and so read-only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
    /// Main programming language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Topics.
    #[serde(default, deserialize_with = "super::brief::list", skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<String>,
    /// Licence, as far as GitHub recognised it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<License>,
    /// How many starred it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stargazers_count: Option<u64>,
    /// How many forked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forks_count: Option<u64>,
    /// Open issues and pull requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_issues_count: Option<u64>,
    /// What the connected account may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Permissions>,
    /// When it was made, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it was last changed, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// When somebody last pushed, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed_at: Option<String>,
}

/// A licence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct License {
    /// SPDX identifier; `NOASSERTION` where GitHub could not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spdx_id: Option<String>,
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What an account may do in a repository.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Permissions {
    /// Change settings.
    #[serde(default)]
    pub admin: bool,
    /// Push, and manage issues and pull requests.
    #[serde(default)]
    pub push: bool,
    /// Read.
    #[serde(default)]
    pub pull: bool,
}

/// Who may see a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Everybody.
    Public,
    /// Those who were let in.
    Private,
}

/// Which repositories to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum VisibilityFilter {
    /// All.
    All,
    /// Only public ones.
    Public,
    /// Only private ones.
    Private,
}

/// How repositories are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum RepositorySort {
    /// By when they were made.
    Created,
    /// By when they were changed.
    Updated,
    /// By the last push.
    Pushed,
    /// By name.
    FullName,
}

/// Which end comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Smallest or oldest first.
    Asc,
    /// Largest or newest first.
    Desc,
}

/// Lists the repositories that the connected account owns, works on or sees through an organization, a page at a time.
///
/// <https://docs.github.com/en/rest/repos/repos#list-repositories-for-the-authenticated-user>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListRepositories {
    /// Which ones; all if left out.
    #[serde(default)]
    pub visibility: Option<VisibilityFilter>,
    /// Why the account sees them, separated by commas: `owner`, `collaborator`, `organization_member`; all if left out.
    #[serde(default)]
    #[schemars(regex(
        pattern = "^(owner|collaborator|organization_member)(,(owner|collaborator|organization_member)){0,2}$"
    ))]
    pub affiliation: Option<String>,
    /// Order; by name if left out.
    #[serde(default)]
    pub sort: Option<RepositorySort>,
    /// Which end first; `asc` for names, else `desc`, if left out.
    #[serde(default)]
    pub direction: Option<Direction>,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListRepositories {
    type Output = Page<Repository>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Repository>> {
        let request = request(cx, Method::GET, "/user/repos")
            .query_opt("visibility", self.visibility.map(word))
            .query_opt("affiliation", self.affiliation.as_deref())
            .query_opt("sort", self.sort.map(word))
            .query_opt("direction", self.direction.map(word));
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}

/// Lists the public repositories of a user, a page at a time.
///
/// <https://docs.github.com/en/rest/repos/repos#list-repositories-for-a-user>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListUserRepositories {
    /// Login of the user.
    pub username: String,
    /// Order; by name if left out.
    #[serde(default)]
    pub sort: Option<RepositorySort>,
    /// Which end first.
    #[serde(default)]
    pub direction: Option<Direction>,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListUserRepositories {
    type Output = Page<Repository>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Repository>> {
        let request = request(cx, Method::GET, "/users/{username}/repos")
            .path("username", &self.username)
            .query_opt("sort", self.sort.map(word))
            .query_opt("direction", self.direction.map(word));
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}

/// Lists the repositories of an organization that the connected account may see, a page at a time.
///
/// <https://docs.github.com/en/rest/repos/repos#list-organization-repositories>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListOrganizationRepositories {
    /// Login of the organization.
    pub organization: String,
    /// Order; by creation if left out.
    #[serde(default)]
    pub sort: Option<RepositorySort>,
    /// Which end first.
    #[serde(default)]
    pub direction: Option<Direction>,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListOrganizationRepositories {
    type Output = Page<Repository>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Repository>> {
        let request = request(cx, Method::GET, "/orgs/{organization}/repos")
            .path("organization", &self.organization)
            .query_opt("sort", self.sort.map(word))
            .query_opt("direction", self.direction.map(word));
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}

/// Gets a repository: description, default branch, licence, counts, and what the connected account may do there.
///
/// <https://docs.github.com/en/rest/repos/repos#get-a-repository>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetRepository {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Whether to return all that GitHub sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetRepository {
    type Output = Detail<Repository>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Repository>> {
        on(cx, Method::GET, "", &self.owner, &self.repo).detail(self.whole).await
    }
}

/// Creates a repository for the connected account, or in an organization. Returns it with its page.
///
/// <https://docs.github.com/en/rest/repos/repos#create-a-repository-for-the-authenticated-user>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct CreateRepository {
    /// Login of the organization that shall own it; the connected account if left out.
    #[serde(default)]
    pub organization: Option<String>,
    /// Name: letters, digits, `-`, `_` and `.`.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// What it is, in a sentence.
    #[serde(default)]
    #[schemars(length(max = 350))]
    pub description: Option<String>,
    /// Web site.
    #[serde(default)]
    pub homepage: Option<String>,
    /// Whether only those who are let in may see it. A private one needs the scope `repo`.
    #[serde(default)]
    pub private: bool,
    /// Whether to begin with a commit that holds a README, so that it has a default branch.
    #[serde(default)]
    pub auto_init: bool,
    /// Name of a template for `.gitignore`: `Rust`.
    #[serde(default)]
    pub gitignore_template: Option<String>,
    /// Key of a licence: `mit`, `apache-2.0`.
    #[serde(default)]
    pub license_template: Option<String>,
}

impl Run for CreateRepository {
    type Output = Repository;

    async fn run(self, cx: &ToolContext) -> Result<Repository> {
        let request = match &self.organization {
            Some(organization) => request(cx, Method::POST, "/orgs/{org}/repos").path("org", organization),
            None => request(cx, Method::POST, "/user/repos"),
        };
        let body = Members::default()
            .with("name", &self.name)
            .maybe("description", self.description.as_ref())
            .maybe("homepage", self.homepage.as_ref())
            .with("private", self.private)
            .with("auto_init", self.auto_init)
            .maybe("gitignore_template", self.gitignore_template.as_ref())
            .maybe("license_template", self.license_template.as_ref());
        request.json_body(&body).json().await
    }
}

/// Changes a repository's settings; what is left out stays. Can rename it, archive it and change who may see it.
///
/// <https://docs.github.com/en/rest/repos/repos#update-a-repository>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct UpdateRepository {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// New name; the old one leads to it from then on.
    #[serde(default)]
    #[schemars(length(min = 1, max = 100))]
    pub name: Option<String>,
    /// What it is, in a sentence.
    #[serde(default)]
    #[schemars(length(max = 350))]
    pub description: Option<String>,
    /// Web site.
    #[serde(default)]
    pub homepage: Option<String>,
    /// Who may see it. Making it private loses stars and watchers.
    #[serde(default)]
    pub visibility: Option<Visibility>,
    /// Branch that others start from.
    #[serde(default)]
    pub default_branch: Option<String>,
    /// Whether it is archived, and so read-only.
    #[serde(default)]
    pub archived: Option<bool>,
    /// Whether it has issues.
    #[serde(default)]
    pub has_issues: Option<bool>,
    /// Whether it has a wiki.
    #[serde(default)]
    pub has_wiki: Option<bool>,
    /// Whether pull requests may be squashed when they are merged.
    #[serde(default)]
    pub allow_squash_merge: Option<bool>,
    /// Whether pull requests may be merged with a merge commit.
    #[serde(default)]
    pub allow_merge_commit: Option<bool>,
    /// Whether pull requests may be rebased when they are merged.
    #[serde(default)]
    pub allow_rebase_merge: Option<bool>,
    /// Whether pull requests may be set to merge by themselves.
    #[serde(default)]
    pub allow_auto_merge: Option<bool>,
    /// Whether a merged pull request's branch is deleted.
    #[serde(default)]
    pub delete_branch_on_merge: Option<bool>,
}

impl Run for UpdateRepository {
    type Output = Repository;

    async fn run(self, cx: &ToolContext) -> Result<Repository> {
        on(cx, Method::PATCH, "", &self.owner, &self.repo)
            .json_body(
                &Members::default()
                    .maybe("name", self.name.as_ref())
                    .maybe("description", self.description.as_ref())
                    .maybe("homepage", self.homepage.as_ref())
                    .maybe("visibility", self.visibility.as_ref())
                    .maybe("default_branch", self.default_branch.as_ref())
                    .maybe("archived", self.archived.as_ref())
                    .maybe("has_issues", self.has_issues.as_ref())
                    .maybe("has_wiki", self.has_wiki.as_ref())
                    .maybe("allow_squash_merge", self.allow_squash_merge.as_ref())
                    .maybe("allow_merge_commit", self.allow_merge_commit.as_ref())
                    .maybe("allow_rebase_merge", self.allow_rebase_merge.as_ref())
                    .maybe("allow_auto_merge", self.allow_auto_merge.as_ref())
                    .maybe("delete_branch_on_merge", self.delete_branch_on_merge.as_ref()),
            )
            .json()
            .await
    }
}

/// Forks a repository for the connected account, or into an organization. The fork is returned at once and filled
/// within minutes.
///
/// <https://docs.github.com/en/rest/repos/forks#create-a-fork>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct ForkRepository {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Login of the organization to fork into; the connected account if left out.
    #[serde(default)]
    pub organization: Option<String>,
    /// Name of the fork; that of the repository if left out.
    #[serde(default)]
    #[schemars(length(min = 1, max = 100))]
    pub name: Option<String>,
    /// Whether to fork the default branch alone.
    #[serde(default)]
    pub default_branch_only: Option<bool>,
}

impl Run for ForkRepository {
    type Output = Repository;

    async fn run(self, cx: &ToolContext) -> Result<Repository> {
        on(cx, Method::POST, "/forks", &self.owner, &self.repo)
            .json_body(
                &Members::default()
                    .maybe("organization", self.organization.as_ref())
                    .maybe("name", self.name.as_ref())
                    .maybe("default_branch_only", self.default_branch_only.as_ref()),
            )
            .json()
            .await
    }
}
