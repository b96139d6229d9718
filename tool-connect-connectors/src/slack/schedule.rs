//! Messages that are sent later.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tool_connect_core::{Page, Result, Run, Tool, ToolContext};

use super::call::{Done, get, post};
use super::text::Content;
use crate::provider::paged;

paged! { ListScheduledMessages => Scheduled }

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Scheduled {
    /// Id, such as `Q012AB3CD`, to take it back with.
    #[serde(alias = "id")]
    pub scheduled_message_id: String,
    /// Id of the conversation.
    #[serde(alias = "channel_id")]
    pub channel: String,
    /// When it will be sent, in Unix seconds.
    pub post_at: i64,
    /// What it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Schedules a message, to be sent within 120 days. Returns its id, to take it back with. Ask once: a repetition is a second one.
///
/// <https://docs.slack.dev/reference/methods/chat.scheduleMessage>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("chat:write"))]
#[serde(deny_unknown_fields)]
pub struct ScheduleMessage {
    /// Id of the conversation, such as `C012AB3CD`.
    pub channel: String,
    /// When, in Unix seconds: in the future, and at most 120 days from now.
    #[schemars(range(min = 1))]
    pub post_at: i64,
    /// What it says, in Slack's mrkdwn, as in send_message.
    #[serde(default)]
    #[schemars(length(max = 40000))]
    pub text: Option<String>,
    /// Whether `text` is plain text: `&`, `<` and `>` in it mean themselves, and nothing becomes a mention.
    #[serde(default)]
    pub plain_text: bool,
    /// What it says, in ordinary Markdown, instead of `text` and `blocks`.
    #[serde(default)]
    #[schemars(length(max = 12000))]
    pub markdown_text: Option<String>,
    /// Layout: blocks of Block Kit (<https://docs.slack.dev/reference/block-kit/blocks>).
    #[serde(default)]
    #[schemars(length(min = 1, max = 50))]
    pub blocks: Option<Vec<Map<String, Value>>>,
    /// `ts` of the message that it replies to: the first of a thread.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9]{1,12}\.[0-9]{1,9}$"))]
    pub thread_ts: Option<String>,
    /// Whether a reply is shown in the channel too.
    #[serde(default)]
    pub reply_broadcast: Option<bool>,
    /// Whether links to pages get a preview.
    #[serde(default)]
    pub unfurl_links: Option<bool>,
    /// Whether links to images and videos get a preview; they do if left out.
    #[serde(default)]
    pub unfurl_media: Option<bool>,
}

impl Run for ScheduleMessage {
    type Output = Scheduled;

    async fn run(self, cx: &ToolContext) -> Result<Scheduled> {
        let mut arguments = json!({
            "channel": self.channel, "post_at": self.post_at, "thread_ts": self.thread_ts,
            "reply_broadcast": self.reply_broadcast, "unfurl_links": self.unfurl_links,
            "unfurl_media": self.unfurl_media,
        });
        let Self { text, plain_text, markdown_text, blocks, .. } = self;
        Content { text, plain_text, markdown_text, blocks }.put_into(&mut arguments)?;
        let answer = post(cx, "chat.scheduleMessage", &arguments).await?;
        Ok(Scheduled {
            scheduled_message_id: answer.member("scheduled_message_id")?,
            channel: answer.member("channel")?,
            post_at: answer.member::<Seconds>("post_at")?.0,
            text: None,
        })
    }
}

/// Slack has written this number as a text, too.
struct Seconds(i64);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(i64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(seconds) => Ok(Self(seconds)),
            Written::Text(text) => text.parse().map(Self).map_err(serde::de::Error::custom),
        }
    }
}

/// Lists the messages that the app has scheduled, a page at a time.
///
/// <https://docs.slack.dev/reference/methods/chat.scheduledMessages.list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListScheduledMessages {
    /// Id of the conversation, such as `C012AB3CD`; all if left out.
    #[serde(default)]
    pub channel: Option<String>,
    /// Only what is due after this time, in Unix seconds.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9]{1,12}(\.[0-9]{1,9})?$"))]
    pub oldest: Option<String>,
    /// Only what is due before this time, in Unix seconds.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9]{1,12}(\.[0-9]{1,9})?$"))]
    pub latest: Option<String>,
    /// How many a page holds at most; 100 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 999))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListScheduledMessages {
    type Output = Page<Scheduled>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Scheduled>> {
        get(cx, "chat.scheduledMessages.list", &self).await?.page("scheduled_messages")
    }
}

/// Takes a scheduled message back. One that is due within a minute is sent all the same.
///
/// <https://docs.slack.dev/reference/methods/chat.deleteScheduledMessage>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("chat:write"))]
#[serde(deny_unknown_fields)]
pub struct DeleteScheduledMessage {
    /// Id of the conversation, such as `C012AB3CD`.
    pub channel: String,
    /// Id of the scheduled message, such as `Q012AB3CD`.
    pub scheduled_message_id: String,
}

impl Run for DeleteScheduledMessage {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        post(cx, "chat.deleteScheduledMessage", &self).await?.done()
    }
}
