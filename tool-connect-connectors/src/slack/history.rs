//! What was said: messages of a conversation and of a thread.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tool_connect_core::{Detail, Error, ErrorKind, Page, Result, Run, Tool, ToolContext};

use super::call::get;
use super::{File, Reaction};
use crate::provider::paged;

paged! { ListMessages => Message, ListReplies => Message }

/// A message. Its `ts` is its id within the conversation: a text, not a number to reckon with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// Id, such as `1512085950.000216`; the part before the point is when it was sent, in Unix seconds.
    pub ts: String,
    /// Id of the user who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Id of the bot that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot_id: Option<String>,
    /// Name that the bot went by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// What it says, in mrkdwn: `<@U012AB3CD>` is a mention, and `&`, `<` and `>` stand as entities.
    #[serde(default)]
    pub text: String,
    /// What kind of message it is where it is no ordinary one, such as `channel_join`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtype: Option<String>,
    /// `ts` of the first message of its thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_ts: Option<String>,
    /// How many replies it has, where it begins a thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_count: Option<u64>,
    /// `ts` of the last reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_reply: Option<String>,
    /// Who changed it last, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited: Option<Edited>,
    /// Reactions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
    /// Files that hang on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<File>,
    /// Previews and the like; some bots say all that they say here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
}

/// That a message was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Edited {
    /// Id of the user who did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// When, in Unix seconds with a fraction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ts: Option<String>,
}

/// Something attached to a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attachment {
    /// Title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What stands for all of it where it cannot be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// Address that it is a preview of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_url: Option<String>,
}

/// Lists messages of a conversation, newest first, a page at a time; replies within threads are not among them (list_replies).
/// The account must be in the conversation.
///
/// <https://docs.slack.dev/reference/methods/conversations.history>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("channels:history|groups:history|im:history|mpim:history"))]
#[serde(deny_unknown_fields)]
pub struct ListMessages {
    /// Id of the conversation, such as `C012AB3CD`. A private channel needs the scope `groups:history`, a direct message
    /// `im:history` or `mpim:history`.
    pub channel: String,
    /// Only messages after this time, in Unix seconds, or after the message with this `ts`.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9]{1,12}(\.[0-9]{1,9})?$"))]
    pub oldest: Option<String>,
    /// Only messages before this time, in Unix seconds, or before the message with this `ts`.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9]{1,12}(\.[0-9]{1,9})?$"))]
    pub latest: Option<String>,
    /// Whether messages at exactly `oldest` and `latest` are among them; not if left out.
    #[serde(default)]
    pub inclusive: Option<bool>,
    /// How many a page holds at most; 100 if left out. Slack sends 15 at most to some apps.
    #[serde(default)]
    #[schemars(range(min = 1, max = 999))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListMessages {
    type Output = Page<Message>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Message>> {
        get(cx, "conversations.history", &self).await?.page("messages")
    }
}

/// Lists a thread, a page at a time: first the message that it began with, then the replies, oldest first.
///
/// <https://docs.slack.dev/reference/methods/conversations.replies>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("channels:history|groups:history|im:history|mpim:history"))]
#[serde(deny_unknown_fields)]
pub struct ListReplies {
    /// Id of the conversation, such as `C012AB3CD`.
    pub channel: String,
    /// `ts` of the message that the thread began with, such as `1512085950.000216`.
    #[schemars(regex(pattern = r"^[0-9]{1,12}\.[0-9]{1,9}$"))]
    pub ts: String,
    /// Only replies after this time, in Unix seconds, or after the message with this `ts`.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9]{1,12}(\.[0-9]{1,9})?$"))]
    pub oldest: Option<String>,
    /// Only replies before this time, in Unix seconds, or before the message with this `ts`.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9]{1,12}(\.[0-9]{1,9})?$"))]
    pub latest: Option<String>,
    /// Whether messages at exactly `oldest` and `latest` are among them; not if left out.
    #[serde(default)]
    pub inclusive: Option<bool>,
    /// How many a page holds at most; 100 if left out. Slack sends 15 at most to some apps.
    #[serde(default)]
    #[schemars(range(min = 1, max = 999))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListReplies {
    type Output = Page<Message>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Message>> {
        get(cx, "conversations.replies", &self).await?.page("messages")
    }
}

/// Gets one message by its `ts`, with reactions and files; with `whole` also its blocks.
///
/// <https://docs.slack.dev/messaging/retrieving-messages#individual_messages>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("channels:history|groups:history|im:history|mpim:history"))]
#[serde(deny_unknown_fields)]
pub struct GetMessage {
    /// Id of the conversation, such as `C012AB3CD`.
    pub channel: String,
    /// `ts` of the message, such as `1512085950.000216`.
    #[schemars(regex(pattern = r"^[0-9]{1,12}\.[0-9]{1,9}$"))]
    pub ts: String,
    /// `ts` of the message that the thread began with, where the message is a reply.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9]{1,12}\.[0-9]{1,9}$"))]
    pub thread_ts: Option<String>,
    /// Whether to return all that Slack sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetMessage {
    type Output = Detail<Message>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Message>> {
        // The newest message that is not after this one; in a thread the first message comes along.
        let method = if self.thread_ts.is_some() { "conversations.replies" } else { "conversations.history" };
        let (oldest, limit) = match self.thread_ts {
            Some(_) => (Some(&self.ts), 2),
            None => (None, 1),
        };
        let arguments = json!({
            "channel": self.channel, "ts": self.thread_ts, "oldest": oldest, "latest": self.ts, "inclusive": true,
            "limit": limit,
        });
        let found: Vec<Detail<Message>> =
            get(cx, method, &arguments).await?.details("messages", self.whole)?;
        found.into_iter().find(|message| message.ts == self.ts).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "no message with that ts").public(
                "There is no such message in that conversation; a reply is found by its `thread_ts` as well.",
            )
        })
    }
}
