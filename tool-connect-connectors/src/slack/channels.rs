//! What is done to channels: made, named, archived, joined, left, and who is in them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tool_connect_core::{Result, Run, Tool, ToolContext};

use super::Conversation;
use super::call::{Done, post};

/// Creates a channel. Returns it with its id.
///
/// <https://docs.slack.dev/reference/methods/conversations.create>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("channels:manage|groups:write"))]
#[serde(deny_unknown_fields)]
pub struct CreateConversation {
    /// Name: lower case letters, digits, `-` and `_`, without `#`.
    #[schemars(length(min = 1, max = 80), regex(pattern = r"^[^A-Z\s.#]+$"))]
    pub name: String,
    /// Whether only invited members see it; needs the scope `groups:write`.
    #[serde(default)]
    pub is_private: Option<bool>,
}

impl Run for CreateConversation {
    type Output = Conversation;

    async fn run(self, cx: &ToolContext) -> Result<Conversation> {
        post(cx, "conversations.create", &self).await?.member("channel")
    }
}

/// Archives a channel: everybody leaves it and nobody can write there; its messages stay.
///
/// <https://docs.slack.dev/reference/methods/conversations.archive>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("channels:manage|groups:write"))]
#[serde(deny_unknown_fields)]
pub struct ArchiveConversation {
    /// Id of the channel, such as `C012AB3CD`.
    pub channel: String,
}

impl Run for ArchiveConversation {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        post(cx, "conversations.archive", &self).await?.done()
    }
}

/// Makes an archived channel usable again. Slack may refuse this to bots; a member can do it.
///
/// <https://docs.slack.dev/reference/methods/conversations.unarchive>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("channels:manage|groups:write"))]
#[serde(deny_unknown_fields)]
pub struct UnarchiveConversation {
    /// Id of the channel, such as `C012AB3CD`.
    pub channel: String,
}

impl Run for UnarchiveConversation {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        post(cx, "conversations.unarchive", &self).await?.done()
    }
}

/// Renames a channel. Returns it with the name that Slack made of the new one.
///
/// <https://docs.slack.dev/reference/methods/conversations.rename>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("channels:manage|groups:write"))]
#[serde(deny_unknown_fields)]
pub struct RenameConversation {
    /// Id of the channel, such as `C012AB3CD`.
    pub channel: String,
    /// New name: lower case letters, digits, `-` and `_`, without `#`.
    #[schemars(length(min = 1, max = 80), regex(pattern = r"^[^A-Z\s.#]+$"))]
    pub name: String,
}

impl Run for RenameConversation {
    type Output = Conversation;

    async fn run(self, cx: &ToolContext) -> Result<Conversation> {
        post(cx, "conversations.rename", &self).await?.member("channel")
    }
}

/// Invites users into a channel that the account is in. Returns the channel.
///
/// <https://docs.slack.dev/reference/methods/conversations.invite>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    scopes("channels:write.invites|channels:manage|channels:write|groups:write.invites|groups:write")
)]
#[serde(deny_unknown_fields)]
pub struct InviteToConversation {
    /// Id of the channel, such as `C012AB3CD`. A private one needs the scope `groups:write.invites`.
    pub channel: String,
    /// Ids of the users, such as `U012AB3CD`.
    #[schemars(length(min = 1, max = 100))]
    pub users: Vec<String>,
    /// Whether to invite those who can be where some cannot; otherwise all or none.
    #[serde(default)]
    pub force: Option<bool>,
}

impl Run for InviteToConversation {
    type Output = Conversation;

    async fn run(self, cx: &ToolContext) -> Result<Conversation> {
        let arguments = json!({"channel": self.channel, "users": self.users.join(","), "force": self.force});
        post(cx, "conversations.invite", &arguments).await?.member("channel")
    }
}

/// Removes a user from a channel.
///
/// <https://docs.slack.dev/reference/methods/conversations.kick>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("channels:manage|groups:write"))]
#[serde(deny_unknown_fields)]
pub struct RemoveFromConversation {
    /// Id of the channel, such as `C012AB3CD`.
    pub channel: String,
    /// Id of the user, such as `U012AB3CD`.
    pub user: String,
}

impl Run for RemoveFromConversation {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        post(cx, "conversations.kick", &self).await?.done()
    }
}

/// Joins a public channel, so that the account can read and write there. Returns the channel.
///
/// <https://docs.slack.dev/reference/methods/conversations.join>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("channels:join"))]
#[serde(deny_unknown_fields)]
pub struct JoinConversation {
    /// Id of the channel, such as `C012AB3CD`.
    pub channel: String,
}

impl Run for JoinConversation {
    type Output = Conversation;

    async fn run(self, cx: &ToolContext) -> Result<Conversation> {
        post(cx, "conversations.join", &self).await?.member("channel")
    }
}

/// Leaves a channel. Into a private one only a member can invite the account again.
///
/// <https://docs.slack.dev/reference/methods/conversations.leave>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("channels:manage|groups:write"))]
#[serde(deny_unknown_fields)]
pub struct LeaveConversation {
    /// Id of the channel, such as `C012AB3CD`.
    pub channel: String,
}

impl Run for LeaveConversation {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        post(cx, "conversations.leave", &self).await?.done()
    }
}

/// Sets what is being talked about in a channel; the text before it is replaced, and an empty one clears it.
///
/// <https://docs.slack.dev/reference/methods/conversations.setTopic>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    idempotent,
    scopes("channels:write.topic|channels:manage|channels:write|groups:write.topic|groups:write")
)]
#[serde(deny_unknown_fields)]
pub struct SetTopic {
    /// Id of the channel, such as `C012AB3CD`. A private one needs the scope `groups:write.topic`.
    pub channel: String,
    /// The topic, plain text.
    #[schemars(length(max = 250))]
    pub topic: String,
}

impl Run for SetTopic {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        post(cx, "conversations.setTopic", &self).await?.done()
    }
}

/// Sets what a channel is for; the text before it is replaced, and an empty one clears it.
///
/// <https://docs.slack.dev/reference/methods/conversations.setPurpose>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    idempotent,
    scopes("channels:write.topic|channels:manage|channels:write|groups:write.topic|groups:write")
)]
#[serde(deny_unknown_fields)]
pub struct SetPurpose {
    /// Id of the channel, such as `C012AB3CD`. A private one needs the scope `groups:write.topic`.
    pub channel: String,
    /// The purpose, plain text.
    #[schemars(length(max = 250))]
    pub purpose: String,
}

impl Run for SetPurpose {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        post(cx, "conversations.setPurpose", &self).await?.done()
    }
}
