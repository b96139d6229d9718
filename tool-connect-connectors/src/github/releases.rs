//! Releases; their files are in `assets.rs`.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolContext, ToolSet};

use super::Asset;
use super::brief::Login;
use super::page::{Done, Members, done, on, page, paged};
use crate::provider::paged;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<ListReleases>()
        .add::<GetRelease>()
        .add::<GetReleaseByTag>()
        .add::<GetLatestRelease>()
        .add::<CreateRelease>()
        .add::<UpdateRelease>()
        .add::<DeleteRelease>();
}

paged! { ListReleases => Release }

/// A release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Release {
    /// Numeric id.
    pub id: u64,
    /// Tag.
    pub tag_name: String,
    /// Title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Notes in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Whether it is a draft, which only those with push access see.
    pub draft: bool,
    /// Whether it is marked as not ready for production.
    pub prerelease: bool,
    /// Branch or commit that the tag is made from where there is none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_commitish: Option<String>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Login>,
    /// Page on GitHub.
    pub html_url: String,
    /// When its commit was made, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it was published, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<String>,
    /// Files that belong to it.
    #[serde(default, deserialize_with = "super::brief::list", skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<Asset>,
}

/// Lists the releases of a repository, newest first, a page at a time. Drafts are among them for those with push
/// access.
///
/// <https://docs.github.com/en/rest/releases/releases#list-releases>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListReleases {
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

impl Run for ListReleases {
    type Output = Page<Release>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Release>> {
        let request = on(cx, Method::GET, "/releases", &self.owner, &self.repo);
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}

/// Gets a release by its numeric id, with its files.
///
/// <https://docs.github.com/en/rest/releases/releases#get-a-release>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetRelease {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Numeric id of the release.
    pub release_id: u64,
    /// Whether to return all that GitHub sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetRelease {
    type Output = Detail<Release>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Release>> {
        on(cx, Method::GET, "/releases/{release_id}", &self.owner, &self.repo)
            .path("release_id", self.release_id)
            .detail(self.whole)
            .await
    }
}

/// Gets the published release of a tag, with its files.
///
/// <https://docs.github.com/en/rest/releases/releases#get-a-release-by-tag-name>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetReleaseByTag {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Tag.
    #[schemars(length(min = 1))]
    pub tag: String,
    /// Whether to return all that GitHub sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetReleaseByTag {
    type Output = Detail<Release>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Release>> {
        on(cx, Method::GET, "/releases/tags/{tag}", &self.owner, &self.repo)
            .path("tag", &self.tag)
            .detail(self.whole)
            .await
    }
}

/// Gets the latest published release that is neither a draft nor a prerelease, with its files.
///
/// <https://docs.github.com/en/rest/releases/releases#get-the-latest-release>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetLatestRelease {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Whether to return all that GitHub sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetLatestRelease {
    type Output = Detail<Release>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Release>> {
        on(cx, Method::GET, "/releases/latest", &self.owner, &self.repo).detail(self.whole).await
    }
}

/// Creates a release, and its tag where there is none yet. Returns it; files are added with `upload_release_asset`.
///
/// <https://docs.github.com/en/rest/releases/releases#create-a-release>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct CreateRelease {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Tag.
    #[schemars(length(min = 1))]
    pub tag_name: String,
    /// Branch or commit SHA to make the tag from where there is none yet; the default branch if left out.
    #[serde(default)]
    pub target_commitish: Option<String>,
    /// Title.
    #[serde(default)]
    pub name: Option<String>,
    /// Notes in Markdown.
    #[serde(default)]
    #[schemars(length(max = 125000))]
    pub body: Option<String>,
    /// Whether to leave it unpublished.
    #[serde(default)]
    pub draft: Option<bool>,
    /// Whether to mark it as not ready for production.
    #[serde(default)]
    pub prerelease: Option<bool>,
    /// Whether GitHub shall write title and notes from the merged pull requests; `body` is put before them.
    #[serde(default)]
    pub generate_release_notes: Option<bool>,
}

impl Run for CreateRelease {
    type Output = Release;

    async fn run(self, cx: &ToolContext) -> Result<Release> {
        on(cx, Method::POST, "/releases", &self.owner, &self.repo)
            .json_body(
                &Members::default()
                    .with("tag_name", &self.tag_name)
                    .maybe("target_commitish", self.target_commitish.as_ref())
                    .maybe("name", self.name.as_ref())
                    .maybe("body", self.body.as_ref())
                    .maybe("draft", self.draft.as_ref())
                    .maybe("prerelease", self.prerelease.as_ref())
                    .maybe("generate_release_notes", self.generate_release_notes.as_ref()),
            )
            .json()
            .await
    }
}

/// Changes a release; what is left out stays. Publishes a draft with `draft` of `false`.
///
/// <https://docs.github.com/en/rest/releases/releases#update-a-release>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct UpdateRelease {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Numeric id of the release.
    pub release_id: u64,
    /// Tag.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub tag_name: Option<String>,
    /// Branch or commit SHA to make the tag from where there is none yet.
    #[serde(default)]
    pub target_commitish: Option<String>,
    /// Title.
    #[serde(default)]
    pub name: Option<String>,
    /// Notes in Markdown.
    #[serde(default)]
    #[schemars(length(max = 125000))]
    pub body: Option<String>,
    /// Whether it is unpublished.
    #[serde(default)]
    pub draft: Option<bool>,
    /// Whether it is marked as not ready for production.
    #[serde(default)]
    pub prerelease: Option<bool>,
}

impl Run for UpdateRelease {
    type Output = Release;

    async fn run(self, cx: &ToolContext) -> Result<Release> {
        on(cx, Method::PATCH, "/releases/{release_id}", &self.owner, &self.repo)
            .path("release_id", self.release_id)
            .json_body(
                &Members::default()
                    .maybe("tag_name", self.tag_name.as_ref())
                    .maybe("target_commitish", self.target_commitish.as_ref())
                    .maybe("name", self.name.as_ref())
                    .maybe("body", self.body.as_ref())
                    .maybe("draft", self.draft.as_ref())
                    .maybe("prerelease", self.prerelease.as_ref()),
            )
            .json()
            .await
    }
}

/// Deletes a release and its files. The tag stays.
///
/// <https://docs.github.com/en/rest/releases/releases#delete-a-release>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct DeleteRelease {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Numeric id of the release.
    pub release_id: u64,
}

impl Run for DeleteRelease {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        done(
            on(cx, Method::DELETE, "/releases/{release_id}", &self.owner, &self.repo)
                .path("release_id", self.release_id),
        )
        .await
    }
}
