//! Gists.

use std::collections::BTreeMap;

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tool_connect_core::{Detail, Error, Page, Result, Run, Tool, ToolContext, ToolSet};

use super::brief::Login;
use super::page::{Done, Members, done, page, paged, request};
use crate::provider::paged;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<ListGists>().add::<GetGist>().add::<CreateGist>().add::<UpdateGist>().add::<DeleteGist>();
}

paged! { ListGists => Gist }

/// A gist.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gist {
    /// Id.
    pub id: String,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it is listed; a secret one can be read by whoever has its address.
    pub public: bool,
    /// Who owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Login>,
    /// Its files by name.
    #[serde(default)]
    pub files: BTreeMap<String, GistFile>,
    /// How many comments it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comments: Option<u64>,
    /// Page on GitHub.
    pub html_url: String,
    /// When it was made, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it was last changed, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
}

/// A file of a gist.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GistFile {
    /// Language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Whether `content` is only the first MiB; all of it is at `raw_url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<bool>,
    /// Text; of a single gist only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Where the file itself is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_url: Option<String>,
}

/// Lists the gists of the connected account, or the public ones of a user, newest first, a page at a time, without
/// their content.
///
/// <https://docs.github.com/en/rest/gists/gists#list-gists-for-the-authenticated-user>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListGists {
    /// Login of the user; the connected account if left out. Its secret ones are listed with the scope `gist` only.
    #[serde(default)]
    pub username: Option<String>,
    /// Only those that were changed after this time, ISO 8601: `2026-01-02T03:04:05Z`.
    #[serde(default)]
    pub since: Option<String>,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListGists {
    type Output = Page<Gist>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Gist>> {
        let request = match &self.username {
            Some(username) => request(cx, Method::GET, "/users/{username}/gists").path("username", username),
            None => request(cx, Method::GET, "/gists"),
        };
        let request = request.query_opt("since", self.since.as_deref());
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}

/// Gets a gist with the content of its files.
///
/// <https://docs.github.com/en/rest/gists/gists#get-a-gist>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetGist {
    /// Id of the gist.
    #[schemars(length(min = 1))]
    pub gist_id: String,
    /// Whether to return all that GitHub sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetGist {
    type Output = Detail<Gist>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Gist>> {
        request(cx, Method::GET, "/gists/{gist_id}").path("gist_id", &self.gist_id).detail(self.whole).await
    }
}

/// Creates a gist for the connected account. Returns it with its id and page.
///
/// <https://docs.github.com/en/rest/gists/gists#create-a-gist>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("gist"))]
#[serde(deny_unknown_fields)]
pub struct CreateGist {
    /// Text of each file by its name.
    pub files: BTreeMap<String, String>,
    /// What it is.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether it is listed.
    #[serde(default)]
    pub public: bool,
}

impl Run for CreateGist {
    type Output = Gist;

    async fn run(self, cx: &ToolContext) -> Result<Gist> {
        let files: Map<String, Value> =
            self.files.iter().map(|(name, text)| (name.clone(), json!({ "content": text }))).collect();
        let body = Members::default()
            .with("files", files)
            .maybe("description", self.description.as_ref())
            .with("public", self.public);
        request(cx, Method::POST, "/gists").json_body(&body).json().await
    }
}

/// Changes a gist: writes files, removes files, changes the description. Files that are not named stay.
///
/// <https://docs.github.com/en/rest/reference/gists/#update-a-gist>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("gist"))]
#[serde(deny_unknown_fields)]
pub struct UpdateGist {
    /// Id of the gist.
    #[schemars(length(min = 1))]
    pub gist_id: String,
    /// Text of each file that shall be added or replaced, by its name.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Names of files to remove.
    #[serde(default)]
    pub remove_files: Vec<String>,
    /// What it is.
    #[serde(default)]
    pub description: Option<String>,
}

impl Run for UpdateGist {
    type Output = Gist;

    async fn run(self, cx: &ToolContext) -> Result<Gist> {
        if self.files.is_empty() && self.remove_files.is_empty() && self.description.is_none() {
            return Err(Error::invalid_argument("", "needs `files`, `remove_files` or `description`"));
        }
        let written = self.files.iter().map(|(name, text)| (name.clone(), json!({ "content": text })));
        let removed = self.remove_files.iter().map(|name| (name.clone(), Value::Null));
        let files: Map<String, Value> = written.chain(removed).collect();
        let mut body = Members::default().maybe("description", self.description.as_ref());
        if !files.is_empty() {
            body = body.with("files", files);
        }
        request(cx, Method::PATCH, "/gists/{gist_id}")
            .path("gist_id", &self.gist_id)
            .json_body(&body)
            .json()
            .await
    }
}

/// Deletes a gist.
///
/// <https://docs.github.com/en/rest/gists/gists#delete-a-gist>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("gist"))]
#[serde(deny_unknown_fields)]
pub struct DeleteGist {
    /// Id of the gist.
    #[schemars(length(min = 1))]
    pub gist_id: String,
}

impl Run for DeleteGist {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        done(request(cx, Method::DELETE, "/gists/{gist_id}").path("gist_id", &self.gist_id)).await
    }
}
