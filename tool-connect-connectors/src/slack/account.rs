//! Whose account is connected, and the workspace.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Result, Run, Tool, ToolContext};

use super::call::get;

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// Id of the user that the token acts as; a bot's own user for a bot token.
    pub user_id: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Id of the workspace.
    pub team_id: String,
    /// Name of the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Address of the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Id of the bot, for a bot token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot_id: Option<String>,
    /// Id of the organization, where the workspace belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enterprise_id: Option<String>,
}

/// Says whose account is connected: id and name of the user or bot, and of the workspace.
///
/// <https://docs.slack.dev/reference/methods/auth.test>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetIdentity {
    /// Whether to return all that Slack sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetIdentity {
    type Output = Detail<Identity>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Identity>> {
        get(cx, "auth.test", &self).await?.itself(self.whole)
    }
}

/// A workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Workspace {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// What stands before `.slack.com` in its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Domains of e-mail addresses whose owners may join, separated by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_domain: Option<String>,
    /// Name of the organization that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enterprise_name: Option<String>,
}

/// Gets the workspace of the connected account: id, name, domain.
///
/// <https://docs.slack.dev/reference/methods/team.info>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("team:read"))]
#[serde(deny_unknown_fields)]
pub struct GetWorkspace {
    /// Whether to return all that Slack sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetWorkspace {
    type Output = Detail<Workspace>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Workspace>> {
        get(cx, "team.info", &self).await?.detail("team", self.whole)
    }
}

/// The workspace's own emoji.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CustomEmoji {
    /// By name: the address of an image, or `alias:` and the name of another emoji.
    pub emoji: BTreeMap<String, String>,
}

/// Lists the workspace's own emoji by name, each with its image or the emoji that it is an alias of. The standard ones are not
/// among them.
///
/// <https://docs.slack.dev/reference/methods/emoji.list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("emoji:read"), cache = "5m")]
#[serde(deny_unknown_fields)]
pub struct ListEmoji {}

impl Run for ListEmoji {
    type Output = CustomEmoji;

    async fn run(self, cx: &ToolContext) -> Result<CustomEmoji> {
        Ok(CustomEmoji { emoji: get(cx, "emoji.list", &self).await?.member("emoji")? })
    }
}

/// A bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bot {
    /// Id, as `bot_id` of a message has it.
    pub id: String,
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Id of the app that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// Id of its user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Whether it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<bool>,
}

/// Gets a bot by its id, the `bot_id` of a message: name, app, user.
///
/// <https://docs.slack.dev/reference/methods/bots.info>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("users:read"))]
#[serde(deny_unknown_fields)]
pub struct GetBot {
    /// Id of the bot, such as `B012AB3CD`.
    pub bot: String,
    /// Whether to return all that Slack sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetBot {
    type Output = Detail<Bot>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Bot>> {
        get(cx, "bots.info", &self).await?.detail("bot", self.whole)
    }
}
