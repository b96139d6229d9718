//! Conversations: public and private channels, direct messages alone and in a group.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolArgs, ToolContext};

use super::call::{Done, get, post};
use crate::provider::paged;

paged! { ListConversations => Conversation, ListUserConversations => Conversation, ListMembers => String }

/// A kind of conversation. Each has a family of scopes of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum ConversationType {
    /// A channel that everybody in the workspace may join (`channels:read`).
    PublicChannel,
    /// A channel for invited members (`groups:read`).
    PrivateChannel,
    /// A direct message among several (`mpim:read`).
    Mpim,
    /// A direct message with one person (`im:read`).
    Im,
}

/// A topic or a purpose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Caption {
    /// The text; empty where none is set.
    #[serde(default)]
    pub value: String,
    /// Id of the user who set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
}

/// A channel or a direct message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Conversation {
    /// Id; it stays where the name changes.
    pub id: String,
    /// Name, without `#`; direct messages have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether only its members see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_private: Option<bool>,
    /// Whether it is a direct message with one person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_im: Option<bool>,
    /// Whether it is a direct message among several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_mpim: Option<bool>,
    /// Whether it was archived; nobody can write there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_archived: Option<bool>,
    /// Whether the connected account is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_member: Option<bool>,
    /// Whether people of other workspaces are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_ext_shared: Option<bool>,
    /// Id of the other person in a direct message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What is being talked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<Caption>,
    /// What the channel is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Caption>,
    /// How many are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_members: Option<u64>,
    /// When it was made, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<i64>,
    /// Id of the user who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
}

/// Lists channels of the workspace, and where asked for direct messages, a page at a time: id, name, topic, purpose, number of
/// members. A page may hold fewer than asked for, even none, while `next_cursor` leads on.
///
/// <https://docs.slack.dev/reference/methods/conversations.list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("channels:read|groups:read|im:read|mpim:read"))]
#[serde(deny_unknown_fields)]
pub struct ListConversations {
    /// Which kinds; public channels if left out. Each needs the scope of its kind.
    #[serde(default)]
    pub types: Option<Vec<ConversationType>>,
    /// Whether to leave archived ones out; they are among them if left out.
    #[serde(default)]
    pub exclude_archived: Option<bool>,
    /// How many a page holds at most; 100 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 999))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListConversations {
    type Output = Page<Conversation>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Conversation>> {
        get(cx, "conversations.list", &self).await?.page("channels")
    }
}

/// Lists the conversations that a user is in, or the connected account itself, a page at a time.
///
/// <https://docs.slack.dev/reference/methods/users.conversations>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("channels:read|groups:read|im:read|mpim:read"))]
#[serde(deny_unknown_fields)]
pub struct ListUserConversations {
    /// Id of the user, such as `U012AB3CD`; the connected account if left out. Of others only those are listed that the account
    /// is in as well, unless they are public.
    #[serde(default)]
    pub user: Option<String>,
    /// Which kinds; public channels if left out. Each needs the scope of its kind.
    #[serde(default)]
    pub types: Option<Vec<ConversationType>>,
    /// Whether to leave archived ones out; they are among them if left out.
    #[serde(default)]
    pub exclude_archived: Option<bool>,
    /// How many a page holds at most; 100 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 999))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListUserConversations {
    type Output = Page<Conversation>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Conversation>> {
        get(cx, "users.conversations", &self).await?.page("channels")
    }
}

/// Gets a channel or direct message by its id: name, topic, purpose, whether it is archived and whether the account is in it.
///
/// <https://docs.slack.dev/reference/methods/conversations.info>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("channels:read|groups:read|im:read|mpim:read"))]
#[serde(deny_unknown_fields)]
pub struct GetConversation {
    /// Id of the conversation, such as `C012AB3CD`; not its name.
    pub channel: String,
    /// Whether to count its members.
    #[serde(default)]
    pub include_num_members: Option<bool>,
    /// Whether to return all that Slack sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetConversation {
    type Output = Detail<Conversation>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Conversation>> {
        get(cx, "conversations.info", &self).await?.detail("channel", self.whole)
    }
}

/// Lists the ids of the users in a conversation, a page at a time; get_user tells who they are.
///
/// <https://docs.slack.dev/reference/methods/conversations.members>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("channels:read|groups:read|im:read|mpim:read"))]
#[serde(deny_unknown_fields)]
pub struct ListMembers {
    /// Id of the conversation, such as `C012AB3CD`.
    pub channel: String,
    /// How many a page holds at most; 100 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 999))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListMembers {
    type Output = Page<String>;

    async fn run(self, cx: &ToolContext) -> Result<Page<String>> {
        get(cx, "conversations.members", &self).await?.page("members")
    }
}

/// Opens a direct message with one person or a group of up to eight, or finds the one that there is. Returns its id, to send
/// messages to.
///
/// <https://docs.slack.dev/reference/methods/conversations.open>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("im:write|mpim:write"))]
#[serde(deny_unknown_fields)]
pub struct OpenConversation {
    /// Ids of the users, such as `U012AB3CD`, without the account itself. Several need the scope `mpim:write`.
    #[schemars(length(min = 1, max = 8))]
    pub users: Vec<String>,
}

impl Run for OpenConversation {
    type Output = Conversation;

    async fn run(self, cx: &ToolContext) -> Result<Conversation> {
        let arguments = json!({"users": self.users.join(","), "return_im": true});
        post(cx, "conversations.open", &arguments).await?.member("channel")
    }
}

/// Closes a direct message: it leaves the account's list and loses no message.
///
/// <https://docs.slack.dev/reference/methods/conversations.close>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("im:write|mpim:write"))]
#[serde(deny_unknown_fields)]
pub struct CloseConversation {
    /// Id of the direct message, such as `D012AB3CD`.
    pub channel: String,
}

impl Run for CloseConversation {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        post(cx, "conversations.close", &self).await?.done()
    }
}

/// Marks a conversation as read up to a message, for the user whose account is connected.
///
/// <https://docs.slack.dev/reference/methods/conversations.mark>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("channels:write|groups:write|im:write|mpim:write"))]
#[serde(deny_unknown_fields)]
pub struct MarkRead {
    /// Id of the conversation, such as `C012AB3CD`.
    pub channel: String,
    /// `ts` of the last message that was read, such as `1512085950.000216`.
    #[schemars(regex(pattern = r"^[0-9]{1,12}\.[0-9]{1,9}$"))]
    pub ts: String,
}

impl Run for MarkRead {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        post(cx, "conversations.mark", &self).await?.done()
    }
}
