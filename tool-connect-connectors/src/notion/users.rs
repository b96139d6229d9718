//! People and bots.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolContext};

use super::request::{Needs, id, page, paged, request};
use crate::provider::paged as pages;

pages! { ListUsers => User }

/// A person or a bot of the workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Id.
    pub id: String,
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `person` or `bot`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What a person has beside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
    /// What a bot has beside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot: Option<Bot>,
}

/// What a person has beside a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Person {
    /// Address, where the connection may see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// What a bot has beside a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bot {
    /// Id of the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<String>,
    /// Name of the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_name: Option<String>,
    /// What the workspace takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_limits: Option<WorkspaceLimits>,
}

/// What a workspace takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorkspaceLimits {
    /// Largest file in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_file_upload_size_in_bytes: Option<u64>,
}

/// Says whose connection this is: the bot that stands for it, the workspace, and how large a file may be.
///
/// <https://developers.notion.com/reference/get-self>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetMe {
    /// Whether to return all that Notion sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetMe {
    type Output = Detail<User>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<User>> {
        request(cx, Method::GET, "/users/me", Needs::UserInformation).detail(self.whole).await
    }
}

/// Lists the people and bots of the workspace, a page at a time; guests are not among them.
///
/// <https://developers.notion.com/reference/get-users>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListUsers {
    /// How many on a page; 100 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListUsers {
    type Output = Page<User>;

    async fn run(self, cx: &ToolContext) -> Result<Page<User>> {
        let request = request(cx, Method::GET, "/users", Needs::UserInformation);
        page(paged(request, self.page_size, self.cursor.as_deref())).await
    }
}

/// Returns a person or a bot by id.
///
/// <https://developers.notion.com/reference/get-user>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetUser {
    /// Id of the user.
    pub user_id: String,
    /// Whether to return all that Notion sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetUser {
    type Output = Detail<User>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<User>> {
        let user = id("/user_id", &self.user_id)?;
        request(cx, Method::GET, "/users/{user_id}", Needs::UserInformation)
            .path("user_id", user)
            .detail(self.whole)
            .await
    }
}
