//! Conversations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolContext};

use super::deliver::unreadable;
use super::message::{Message, Wire};
use crate::google::page;
use crate::provider::paged;

paged! { ListThreads => ThreadSummary }

/// A conversation in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThreadSummary {
    /// Id of the thread.
    pub id: String,
    /// How its newest message begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snippet: Option<String>,
}

/// A conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Thread {
    /// Id of the thread.
    pub id: String,
    /// Its messages, oldest first.
    pub messages: Vec<Message>,
}

/// Lists or searches conversations, newest first, a page at a time: id and how each begins.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.threads/list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes("https://www.googleapis.com/auth/gmail.readonly|https://www.googleapis.com/auth/gmail.modify")
)]
#[serde(deny_unknown_fields)]
pub struct ListThreads {
    /// Gmail's search, as in `list_messages`: `from:ada@example.com is:unread newer_than:7d`.
    #[serde(default)]
    pub query: Option<String>,
    /// Only conversations with a message that has all of these labels, by id.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub label_ids: Vec<String>,
    /// Whether to look in spam and trash, too.
    #[serde(default)]
    pub include_spam_trash: bool,
    /// How many a page holds; 50 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 500))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListThreads {
    type Output = Page<ThreadSummary>;

    async fn run(self, cx: &ToolContext) -> Result<Page<ThreadSummary>> {
        let mut request = cx
            .http()
            .get("gmail/v1/users/me/threads")
            .query("maxResults", self.page_size.unwrap_or(50))
            .query_opt("q", self.query.as_deref())
            .query_opt("includeSpamTrash", self.include_spam_trash.then_some(true));
        for label in &self.label_ids {
            request = request.query("labelIds", label);
        }
        page(request, self.cursor.as_deref()).await
    }
}

/// Gets a conversation by its id: all of its messages with headers, text and lists of attachments, oldest first.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.threads/get>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes("https://www.googleapis.com/auth/gmail.readonly|https://www.googleapis.com/auth/gmail.modify")
)]
#[serde(deny_unknown_fields)]
pub struct GetThread {
    /// Id of the thread: `thread_id` of a message.
    pub id: String,
    /// Whether to return all that Gmail sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetThread {
    type Output = Detail<Thread>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Thread>> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            messages: Vec<Wire>,
        }
        let answer: Map<String, Value> = cx
            .http()
            .get("gmail/v1/users/me/threads/{id}")
            .path("id", &self.id)
            .query("format", "full")
            .json()
            .await?;
        let whole = self.whole.then(|| answer.clone());
        let answer: Answer = serde_json::from_value(Value::Object(answer)).map_err(|_| unreadable())?;
        let mut messages = Vec::with_capacity(answer.messages.len());
        for message in answer.messages {
            messages.push(Message::read(message, false, cx).await?);
        }
        Ok(Detail { fields: Thread { id: self.id, messages }, whole })
    }
}
