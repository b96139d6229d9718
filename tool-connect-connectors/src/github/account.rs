//! Accounts: whose is connected, and other users.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Result, Run, Tool, ToolContext, ToolSet};

use super::page::request;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<GetAuthenticatedUser>().add::<GetUser>();
}

/// A user or an organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// Login, unique on GitHub.
    pub login: String,
    /// Numeric id, which stays where the login changes.
    pub id: u64,
    /// `User`, `Organization` or `Bot`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Public e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// What they say of themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bio: Option<String>,
    /// How many public repositories they own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_repos: Option<u64>,
    /// How many follow them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followers: Option<u64>,
    /// Page on GitHub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html_url: Option<String>,
    /// When the account was made, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
}

/// Says whose account is connected: login, id, name.
///
/// <https://docs.github.com/en/rest/users/users#get-the-authenticated-user>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetAuthenticatedUser {
    /// Whether to return all that GitHub sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetAuthenticatedUser {
    type Output = Detail<Account>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Account>> {
        request(cx, Method::GET, "/user").detail(self.whole).await
    }
}

/// Gets a user by login: name, company, location, what they say of themselves.
///
/// <https://docs.github.com/en/rest/users/users#get-a-user>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetUser {
    /// Login.
    #[schemars(length(min = 1))]
    pub username: String,
    /// Whether to return all that GitHub sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetUser {
    type Output = Detail<Account>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Account>> {
        request(cx, Method::GET, "/users/{username}")
            .path("username", &self.username)
            .detail(self.whole)
            .await
    }
}
