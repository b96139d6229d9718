//! Messages that are written, changed and taken back. Slack knows no idempotency key: what may have been sent is not sent again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tool_connect_core::{Result, Run, Tool, ToolContext};

use super::Message;
use super::call::{Done, get, post};
use super::text::Content;

/// A message that was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Posted {
    /// Id of the conversation that it stands in; a direct message's own where a user's id was given.
    pub channel: String,
    /// `ts` of the message: its id within the conversation, to reply, react or change it.
    pub ts: String,
    /// The message as Slack keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
}

impl Posted {
    fn read(answer: &super::call::Answer) -> Result<Self> {
        let ts: String = answer.member("ts")?;
        // `chat.update` leaves the message's own `ts` out; and what was done does not fail for its echo.
        let mut message: Option<Map<String, Value>> = answer.optional("message")?;
        if let Some(message) = &mut message {
            message.entry("ts").or_insert_with(|| ts.clone().into());
        }
        let message = message.and_then(|message| serde_json::from_value(Value::Object(message)).ok());
        Ok(Self { channel: answer.member("channel")?, ts, message })
    }
}

/// Sends a message to a channel, a person or a thread. Returns its channel and `ts`. It is sent once: where the connection breaks,
/// look into the conversation before you send it again.
///
/// <https://docs.slack.dev/reference/methods/chat.postMessage>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("chat:write"))]
#[serde(deny_unknown_fields)]
pub struct SendMessage {
    /// Id of the channel, such as `C012AB3CD`, of a direct message, or of a user (`U012AB3CD`), who then gets a direct message.
    pub channel: String,
    /// What it says, in Slack's mrkdwn: `*bold*`, `_italic_`, `<https://example.com|a link>`, `<@U012AB3CD>` for a mention. `&`,
    /// `<` and `>` that mean themselves are written `&amp;`, `&lt;` and `&gt;`; or set `plain_text`. Beside `blocks` it is
    /// what notifications show. 4,000 characters at most are good; Slack cuts after 40,000.
    #[serde(default)]
    #[schemars(length(max = 40000))]
    pub text: Option<String>,
    /// Whether `text` is plain text: `&`, `<` and `>` in it mean themselves, and nothing becomes bold or a mention. For words of others.
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
    /// `ts` of the message that it replies to, such as `1512085950.000216`: the first of a thread, never a reply.
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

impl Run for SendMessage {
    type Output = Posted;

    async fn run(self, cx: &ToolContext) -> Result<Posted> {
        let mut arguments = json!({
            "channel": self.channel, "thread_ts": self.thread_ts, "reply_broadcast": self.reply_broadcast,
            "unfurl_links": self.unfurl_links, "unfurl_media": self.unfurl_media,
            "mrkdwn": self.plain_text.then_some(false),
        });
        let Self { text, plain_text, markdown_text, blocks, .. } = self;
        Content { text, plain_text, markdown_text, blocks }.put_into(&mut arguments)?;
        Posted::read(&post(cx, "chat.postMessage", &arguments).await?)
    }
}

/// A message that one person sees until they reload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PostedEphemeral {
    /// Its `ts`; no method takes it.
    pub message_ts: String,
}

/// Shows a message to one person in a channel, who alone sees it until they reload. It cannot be changed, and Slack does not
/// promise that it arrives.
///
/// <https://docs.slack.dev/reference/methods/chat.postEphemeral>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("chat:write"))]
#[serde(deny_unknown_fields)]
pub struct SendEphemeralMessage {
    /// Id of the channel, such as `C012AB3CD`.
    pub channel: String,
    /// Id of the user who shall see it, such as `U012AB3CD`; they must be in the channel.
    pub user: String,
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
    /// `ts` of the message whose thread it is shown in; the thread must have a reply already.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9]{1,12}\.[0-9]{1,9}$"))]
    pub thread_ts: Option<String>,
}

impl Run for SendEphemeralMessage {
    type Output = PostedEphemeral;

    async fn run(self, cx: &ToolContext) -> Result<PostedEphemeral> {
        let mut arguments = json!({"channel": self.channel, "user": self.user, "thread_ts": self.thread_ts});
        let Self { text, plain_text, markdown_text, blocks, .. } = self;
        Content { text, plain_text, markdown_text, blocks }.put_into(&mut arguments)?;
        let message_ts = post(cx, "chat.postEphemeral", &arguments).await?.member("message_ts")?;
        Ok(PostedEphemeral { message_ts })
    }
}

/// Changes what a message of the account says; what it said before is gone. Returns its channel and `ts`.
///
/// <https://docs.slack.dev/reference/methods/chat.update>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("chat:write"))]
#[serde(deny_unknown_fields)]
pub struct UpdateMessage {
    /// Id of the conversation, such as `C012AB3CD`.
    pub channel: String,
    /// `ts` of the message, such as `1512085950.000216`.
    #[schemars(regex(pattern = r"^[0-9]{1,12}\.[0-9]{1,9}$"))]
    pub ts: String,
    /// What it shall say, in Slack's mrkdwn, as in send_message. Blocks that it had and that are not given again go.
    #[serde(default)]
    #[schemars(length(max = 40000))]
    pub text: Option<String>,
    /// Whether `text` is plain text: `&`, `<` and `>` in it mean themselves, and nothing becomes a mention.
    #[serde(default)]
    pub plain_text: bool,
    /// What it shall say, in ordinary Markdown, instead of `text` and `blocks`.
    #[serde(default)]
    #[schemars(length(max = 12000))]
    pub markdown_text: Option<String>,
    /// Layout: blocks of Block Kit (<https://docs.slack.dev/reference/block-kit/blocks>).
    #[serde(default)]
    #[schemars(length(min = 1, max = 50))]
    pub blocks: Option<Vec<Map<String, Value>>>,
}

impl Run for UpdateMessage {
    type Output = Posted;

    async fn run(self, cx: &ToolContext) -> Result<Posted> {
        let mut arguments = json!({"channel": self.channel, "ts": self.ts});
        let Self { text, plain_text, markdown_text, blocks, .. } = self;
        Content { text, plain_text, markdown_text, blocks }.put_into(&mut arguments)?;
        Posted::read(&post(cx, "chat.update", &arguments).await?)
    }
}

/// Deletes a message of the account, for everybody and for good.
///
/// <https://docs.slack.dev/reference/methods/chat.delete>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("chat:write"))]
#[serde(deny_unknown_fields)]
pub struct DeleteMessage {
    /// Id of the conversation, such as `C012AB3CD`.
    pub channel: String,
    /// `ts` of the message, such as `1512085950.000216`.
    #[schemars(regex(pattern = r"^[0-9]{1,12}\.[0-9]{1,9}$"))]
    pub ts: String,
}

impl Run for DeleteMessage {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        post(cx, "chat.delete", &self).await?.done()
    }
}

/// A message's address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Permalink {
    /// Address that opens it in Slack, for those who may see it.
    pub permalink: String,
}

/// Gets the address of a message, for people to open.
///
/// <https://docs.slack.dev/reference/methods/chat.getPermalink>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetPermalink {
    /// Id of the conversation, such as `C012AB3CD`.
    pub channel: String,
    /// `ts` of the message, such as `1512085950.000216`.
    #[schemars(regex(pattern = r"^[0-9]{1,12}\.[0-9]{1,9}$"))]
    pub ts: String,
}

impl Run for GetPermalink {
    type Output = Permalink;

    async fn run(self, cx: &ToolContext) -> Result<Permalink> {
        let arguments = json!({"channel": self.channel, "message_ts": self.ts});
        Ok(Permalink { permalink: get(cx, "chat.getPermalink", &arguments).await?.member("permalink")? })
    }
}
