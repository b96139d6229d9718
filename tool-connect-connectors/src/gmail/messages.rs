//! Messages: found and read.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, ErrorKind, Page, Result, Run, Tool, ToolContext};

use super::message::{Message, MessageSummary, Wire};
use crate::google::page;
use crate::provider::paged;

paged! { ListMessages => MessageSummary }

/// Of so many messages the heads are asked for at once.
const AT_ONCE: usize = 5;

/// Lists or searches messages, newest first, a page at a time: id, thread, date, from, to, subject and how each begins.
/// `get_message` has the text.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes("https://www.googleapis.com/auth/gmail.readonly|https://www.googleapis.com/auth/gmail.modify")
)]
#[serde(deny_unknown_fields)]
pub struct ListMessages {
    /// Gmail's search: words, `from:ada@example.com`, `to:`, `subject:"budget 2026"`, `is:unread`, `is:starred`,
    /// `has:attachment`, `filename:pdf`, `label:work`, `in:sent`, `in:anywhere`, `after:2026/11/01`, `before:2026/12/01`,
    /// `newer_than:7d`, `larger:5M`, `rfc822msgid:..`; `-` excludes, `OR` offers a choice, words
    /// side by side must all fit.
    #[serde(default)]
    pub query: Option<String>,
    /// Only messages that have all of these labels, by id: `INBOX`, `UNREAD`, `SENT`.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub label_ids: Vec<String>,
    /// Whether to look in spam and trash, too.
    #[serde(default)]
    pub include_spam_trash: bool,
    /// Whether the ids of messages and threads are enough: one request for a page instead of one more for each message.
    #[serde(default)]
    pub ids_only: bool,
    /// How many a page holds; 20 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListMessages {
    type Output = Page<MessageSummary>;

    async fn run(self, cx: &ToolContext) -> Result<Page<MessageSummary>> {
        let mut request = cx
            .http()
            .get("gmail/v1/users/me/messages")
            .query("maxResults", self.page_size.unwrap_or(20))
            .query_opt("q", self.query.as_deref())
            .query_opt("includeSpamTrash", self.include_spam_trash.then_some(true));
        for label in &self.label_ids {
            request = request.query("labelIds", label);
        }
        let page: Page<Wire> = page(request, self.cursor.as_deref()).await?;
        let found = page.items.into_iter().map(MessageSummary::of);
        let items = if self.ids_only {
            found.collect()
        } else {
            stream::iter(found.map(|message| head(message, cx))).buffered(AT_ONCE).try_collect().await?
        };
        Ok(Page::new(items, page.next_cursor))
    }
}

/// Headers of which a list shows the values.
pub(super) const HEADS: [&str; 3] = ["From", "To", "Subject"];

/// A message's head; one that was deleted since it was listed keeps its id alone.
async fn head(listed: MessageSummary, cx: &ToolContext) -> Result<MessageSummary> {
    match metadata(cx, &listed.id, &HEADS).await {
        Ok(wire) => Ok(MessageSummary::of(wire)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(listed),
        Err(error) => Err(error),
    }
}

/// Gets a message without its body.
pub(super) async fn metadata(cx: &ToolContext, id: &str, headers: &[&str]) -> Result<Wire> {
    let mut request =
        cx.http().get("gmail/v1/users/me/messages/{id}").path("id", id).query("format", "metadata");
    for name in headers {
        request = request.query("metadataHeaders", name);
    }
    request.json().await
}

/// Gets a message by its id: headers, text, and a list of its attachments.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/get>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes("https://www.googleapis.com/auth/gmail.readonly|https://www.googleapis.com/auth/gmail.modify")
)]
#[serde(deny_unknown_fields)]
pub struct GetMessage {
    /// Id of the message.
    pub id: String,
    /// Whether to return its HTML as well, where it has some.
    #[serde(default)]
    pub html: bool,
    /// Whether to return all that Gmail sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetMessage {
    type Output = Detail<Message>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Message>> {
        let answer = cx
            .http()
            .get("gmail/v1/users/me/messages/{id}")
            .path("id", &self.id)
            .query("format", "full")
            .json()
            .await?;
        Message::detail(answer, self.html, self.whole, cx).await
    }
}
