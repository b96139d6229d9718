//! The people of the workspace, and their groups.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolContext};

use super::Profile;
use super::call::get;
use crate::provider::paged;

paged! { ListUsers => User }

/// A person or a bot of the workspace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Id, to mention them with: `<@U012AB3CD>`.
    pub id: String,
    /// Handle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Full name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub real_name: Option<String>,
    /// Whether the account was deactivated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<bool>,
    /// Whether it is a bot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_bot: Option<bool>,
    /// Whether they administer the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_admin: Option<bool>,
    /// Whether they are a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_restricted: Option<bool>,
    /// Time zone, such as `Europe/Berlin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tz: Option<String>,
    /// Time zone's distance from UTC, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tz_offset: Option<i64>,
    /// Id of the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// Names, title, status; the e-mail address too where `users:read.email` was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
}

/// Lists the people and bots of the workspace, deactivated ones too, a page at a time.
///
/// <https://docs.slack.dev/reference/methods/users.list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("users:read"))]
#[serde(deny_unknown_fields)]
pub struct ListUsers {
    /// How many a page holds at most; 100 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 999))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListUsers {
    type Output = Page<User>;

    async fn run(self, cx: &ToolContext) -> Result<Page<User>> {
        get(cx, "users.list", &self).await?.page("members")
    }
}

/// Gets a user by their id: names, time zone, title, status.
///
/// <https://docs.slack.dev/reference/methods/users.info>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("users:read"))]
#[serde(deny_unknown_fields)]
pub struct GetUser {
    /// Id of the user, such as `U012AB3CD`.
    pub user: String,
    /// Whether to return all that Slack sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetUser {
    type Output = Detail<User>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<User>> {
        get(cx, "users.info", &self).await?.detail("user", self.whole)
    }
}

/// Finds the user with an e-mail address.
///
/// <https://docs.slack.dev/reference/methods/users.lookupByEmail>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("users:read.email"))]
#[serde(deny_unknown_fields)]
pub struct FindUserByEmail {
    /// The address.
    #[schemars(length(min = 3))]
    pub email: String,
    /// Whether to return all that Slack sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for FindUserByEmail {
    type Output = Detail<User>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<User>> {
        get(cx, "users.lookupByEmail", &self).await?.detail("user", self.whole)
    }
}

/// A group of users that can be mentioned: `<!subteam^S012AB3CD>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Usergroup {
    /// Id.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Name to mention it by, without `@`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How many are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_count: Option<u64>,
    /// When it was switched off, in Unix seconds; 0 where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_delete: Option<i64>,
}

/// Lists the groups of users of the workspace, all at once.
///
/// <https://docs.slack.dev/reference/methods/usergroups.list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("usergroups:read"))]
#[serde(deny_unknown_fields)]
pub struct ListUsergroups {
    /// Whether to count their users.
    #[serde(default)]
    pub include_count: Option<bool>,
    /// Whether those that were switched off are among them.
    #[serde(default)]
    pub include_disabled: Option<bool>,
}

impl Run for ListUsergroups {
    type Output = Vec<Usergroup>;

    async fn run(self, cx: &ToolContext) -> Result<Vec<Usergroup>> {
        get(cx, "usergroups.list", &self).await?.member("usergroups")
    }
}

/// Lists the ids of the users in a group of users, all at once.
///
/// <https://docs.slack.dev/reference/methods/usergroups.users.list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("usergroups:read"))]
#[serde(deny_unknown_fields)]
pub struct ListUsergroupMembers {
    /// Id of the group, such as `S012AB3CD`.
    pub usergroup: String,
}

impl Run for ListUsergroupMembers {
    type Output = Vec<String>;

    async fn run(self, cx: &ToolContext) -> Result<Vec<String>> {
        get(cx, "usergroups.users.list", &self).await?.member("users")
    }
}
