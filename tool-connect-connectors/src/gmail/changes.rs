//! What is done with messages: labels, archive, trash. All of these change nothing when they are repeated.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Error, Result, Run, Tool, ToolContext};

/// A message or thread after a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Changed {
    /// Its id.
    pub id: String,
    /// The labels that a message has now, by id; a thread's stand at its messages.
    #[serde(default, alias = "labelIds", skip_serializing_if = "Vec::is_empty")]
    pub label_ids: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Labels<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    ids: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    add_label_ids: &'a [&'a str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    remove_label_ids: &'a [&'a str],
}

/// Changes the labels of a message or a thread.
async fn relabel(path: &str, id: &str, add: &[&str], remove: &[&str], cx: &ToolContext) -> Result<Changed> {
    if add.is_empty() && remove.is_empty() {
        return Err(Error::invalid_argument("/add", "must name a label, unless `remove` does"));
    }
    cx.http()
        .post(path)
        .path("id", id)
        .json_body(&Labels { ids: &[], add_label_ids: add, remove_label_ids: remove })
        // The same labels once more change nothing.
        .repeatable(true)
        .json()
        .await
}

fn texts(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

const MESSAGE: &str = "gmail/v1/users/me/messages/{id}/modify";

/// Adds labels to a message and takes others off. Returns the labels that it has then.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/modify>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("https://www.googleapis.com/auth/gmail.modify"))]
#[serde(deny_unknown_fields)]
pub struct ModifyMessageLabels {
    /// Id of the message.
    pub id: String,
    /// Ids of labels to add: `STARRED`, `Label_7`.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub add: Vec<String>,
    /// Ids of labels to take off: `UNREAD`, `INBOX`.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub remove: Vec<String>,
}

impl Run for ModifyMessageLabels {
    type Output = Changed;

    async fn run(self, cx: &ToolContext) -> Result<Changed> {
        relabel(MESSAGE, &self.id, &texts(&self.add), &texts(&self.remove), cx).await
    }
}

/// Adds labels to all messages of a conversation and takes others off.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.threads/modify>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("https://www.googleapis.com/auth/gmail.modify"))]
#[serde(deny_unknown_fields)]
pub struct ModifyThreadLabels {
    /// Id of the thread.
    pub id: String,
    /// Ids of labels to add: `STARRED`, `Label_7`.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub add: Vec<String>,
    /// Ids of labels to take off: `UNREAD`; `INBOX` archives the conversation.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub remove: Vec<String>,
}

impl Run for ModifyThreadLabels {
    type Output = Changed;

    async fn run(self, cx: &ToolContext) -> Result<Changed> {
        let path = "gmail/v1/users/me/threads/{id}/modify";
        relabel(path, &self.id, &texts(&self.add), &texts(&self.remove), cx).await
    }
}

/// How many messages were changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BatchModified {
    /// How many messages were named.
    pub messages: usize,
}

/// Adds labels to many messages at once and takes others off. Gmail does not say which of them exist.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/batchModify>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("https://www.googleapis.com/auth/gmail.modify"))]
#[serde(deny_unknown_fields)]
pub struct BatchModifyMessages {
    /// Ids of the messages.
    #[schemars(length(min = 1, max = 1000))]
    pub ids: Vec<String>,
    /// Ids of labels to add: `STARRED`, `Label_7`.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub add: Vec<String>,
    /// Ids of labels to take off: `UNREAD`, `INBOX`.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub remove: Vec<String>,
}

impl Run for BatchModifyMessages {
    type Output = BatchModified;

    async fn run(self, cx: &ToolContext) -> Result<BatchModified> {
        if self.add.is_empty() && self.remove.is_empty() {
            return Err(Error::invalid_argument("/add", "must name a label, unless `remove` does"));
        }
        let body = Labels {
            ids: &self.ids,
            add_label_ids: &texts(&self.add),
            remove_label_ids: &texts(&self.remove),
        };
        cx.http()
            .post("gmail/v1/users/me/messages/batchModify")
            .json_body(&body)
            .repeatable(true)
            .send()
            .await?;
        Ok(BatchModified { messages: self.ids.len() })
    }
}

/// Archives a message: takes it out of the inbox. It stays in the mailbox and is found by searching.
///
/// <https://developers.google.com/workspace/gmail/api/guides/labels>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("https://www.googleapis.com/auth/gmail.modify"))]
#[serde(deny_unknown_fields)]
pub struct ArchiveMessage {
    /// Id of the message.
    pub id: String,
}

impl Run for ArchiveMessage {
    type Output = Changed;

    async fn run(self, cx: &ToolContext) -> Result<Changed> {
        relabel(MESSAGE, &self.id, &[], &["INBOX"], cx).await
    }
}

/// Marks a message as read, or as unread.
///
/// <https://developers.google.com/workspace/gmail/api/guides/labels>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("https://www.googleapis.com/auth/gmail.modify"))]
#[serde(deny_unknown_fields)]
pub struct MarkMessageRead {
    /// Id of the message.
    pub id: String,
    /// Whether it shall be unread instead.
    #[serde(default)]
    pub unread: bool,
}

impl Run for MarkMessageRead {
    type Output = Changed;

    async fn run(self, cx: &ToolContext) -> Result<Changed> {
        let (none, unread): (&[&str], &[&str]) = (&[], &["UNREAD"]);
        let (add, remove) = if self.unread { (unread, none) } else { (none, unread) };
        relabel(MESSAGE, &self.id, add, remove, cx).await
    }
}

/// Gives a message a star, or takes it away.
///
/// <https://developers.google.com/workspace/gmail/api/guides/labels>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("https://www.googleapis.com/auth/gmail.modify"))]
#[serde(deny_unknown_fields)]
pub struct StarMessage {
    /// Id of the message.
    pub id: String,
    /// Whether the star shall be taken away instead.
    #[serde(default)]
    pub remove: bool,
}

impl Run for StarMessage {
    type Output = Changed;

    async fn run(self, cx: &ToolContext) -> Result<Changed> {
        let (none, star): (&[&str], &[&str]) = (&[], &["STARRED"]);
        let (add, remove) = if self.remove { (none, star) } else { (star, none) };
        relabel(MESSAGE, &self.id, add, remove, cx).await
    }
}

/// Moves a message or thread into the trash or out of it.
async fn act(path: &str, id: &str, cx: &ToolContext) -> Result<Changed> {
    cx.http().post(path).path("id", id).repeatable(true).json().await
}

/// Moves a message to the trash, where Gmail deletes it after 30 days; `untrash_message` brings it back.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/trash>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("https://www.googleapis.com/auth/gmail.modify"))]
#[serde(deny_unknown_fields)]
pub struct TrashMessage {
    /// Id of the message.
    pub id: String,
}

impl Run for TrashMessage {
    type Output = Changed;

    async fn run(self, cx: &ToolContext) -> Result<Changed> {
        act("gmail/v1/users/me/messages/{id}/trash", &self.id, cx).await
    }
}

/// Takes a message out of the trash.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/untrash>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("https://www.googleapis.com/auth/gmail.modify"))]
#[serde(deny_unknown_fields)]
pub struct UntrashMessage {
    /// Id of the message.
    pub id: String,
}

impl Run for UntrashMessage {
    type Output = Changed;

    async fn run(self, cx: &ToolContext) -> Result<Changed> {
        act("gmail/v1/users/me/messages/{id}/untrash", &self.id, cx).await
    }
}

/// Moves all messages of a conversation to the trash, where Gmail deletes them after 30 days; `untrash_thread` brings them back.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.threads/trash>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("https://www.googleapis.com/auth/gmail.modify"))]
#[serde(deny_unknown_fields)]
pub struct TrashThread {
    /// Id of the thread.
    pub id: String,
}

impl Run for TrashThread {
    type Output = Changed;

    async fn run(self, cx: &ToolContext) -> Result<Changed> {
        act("gmail/v1/users/me/threads/{id}/trash", &self.id, cx).await
    }
}

/// Takes all messages of a conversation out of the trash.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.threads/untrash>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("https://www.googleapis.com/auth/gmail.modify"))]
#[serde(deny_unknown_fields)]
pub struct UntrashThread {
    /// Id of the thread.
    pub id: String,
}

impl Run for UntrashThread {
    type Output = Changed;

    async fn run(self, cx: &ToolContext) -> Result<Changed> {
        act("gmail/v1/users/me/threads/{id}/untrash", &self.id, cx).await
    }
}
