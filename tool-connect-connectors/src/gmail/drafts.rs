//! Drafts: messages that a person may look at before they go out.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolContext};

use super::compose::mail;
use super::deliver::{Place, Sent, unreadable};
use super::labels::Deleted;
use super::message::{Message, wire};
use crate::google::page;
use crate::provider::{FileInput, paged};

paged! { ListDrafts => DraftRef }

/// A draft in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DraftRef {
    /// Id of the draft.
    pub id: String,
    /// The message in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Sent>,
}

/// A draft with its message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Draft {
    /// Id of the draft.
    pub id: String,
    /// The message in it.
    pub message: Message,
}

/// A draft that was saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SavedDraft {
    /// Id of the draft; it stays when the draft is changed.
    pub id: String,
    /// The message in it, which has a new id each time that the draft is saved.
    pub message: Sent,
}

/// Lists drafts, newest first, a page at a time: the ids of drafts and of their messages.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.drafts/list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes(
        "https://www.googleapis.com/auth/gmail.readonly|https://www.googleapis.com/auth/gmail.compose|https://www.googleapis.com/auth/gmail.modify"
    )
)]
#[serde(deny_unknown_fields)]
pub struct ListDrafts {
    /// Gmail's search, as in `list_messages`: `subject:budget`.
    #[serde(default)]
    pub query: Option<String>,
    /// How many a page holds; 50 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 500))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListDrafts {
    type Output = Page<DraftRef>;

    async fn run(self, cx: &ToolContext) -> Result<Page<DraftRef>> {
        let request = cx
            .http()
            .get("gmail/v1/users/me/drafts")
            .query("maxResults", self.page_size.unwrap_or(50))
            .query_opt("q", self.query.as_deref());
        page(request, self.cursor.as_deref()).await
    }
}

/// Gets a draft by its id, with its text and a list of its attachments.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.drafts/get>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes(
        "https://www.googleapis.com/auth/gmail.readonly|https://www.googleapis.com/auth/gmail.compose|https://www.googleapis.com/auth/gmail.modify"
    )
)]
#[serde(deny_unknown_fields)]
pub struct GetDraft {
    /// Id of the draft.
    pub id: String,
    /// Whether to return its HTML as well, where it has some.
    #[serde(default)]
    pub html: bool,
    /// Whether to return all that Gmail sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetDraft {
    type Output = Detail<Draft>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Draft>> {
        let mut answer: Map<String, Value> = cx
            .http()
            .get("gmail/v1/users/me/drafts/{id}")
            .path("id", &self.id)
            .query("format", "full")
            .json()
            .await?;
        let whole = self.whole.then(|| answer.clone());
        let message = answer.remove("message").ok_or_else(unreadable)?;
        let message = Message::read(wire(message)?, self.html, cx).await?;
        Ok(Detail { fields: Draft { id: self.id, message }, whole })
    }
}

mail!(CreateDraft);

/// Saves a message as a draft, for a person to look at or for `send_draft`. Returns the id of the draft.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.drafts/create>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    scopes("https://www.googleapis.com/auth/gmail.compose|https://www.googleapis.com/auth/gmail.modify")
)]
#[serde(deny_unknown_fields)]
pub struct CreateDraft {
    /// Id of the conversation that it shall belong to; its subject must be the conversation's.
    #[serde(default)]
    pub thread_id: Option<String>,
    /// Whom it is for: `ada@example.com` or `Ada Lovelace <ada@example.com>`.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub to: Vec<String>,
    /// Who gets a copy.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub cc: Vec<String>,
    /// Who gets a copy without the others knowing.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub bcc: Vec<String>,
    /// Address to send as, where the account has several; its own if left out.
    #[serde(default)]
    pub from: Option<String>,
    /// Subject, one line.
    #[schemars(length(max = 2000))]
    pub subject: String,
    /// Its text, plain.
    #[serde(default)]
    pub text: Option<String>,
    /// Its text in HTML; give `text` as well for who reads plain text.
    #[serde(default)]
    pub html: Option<String>,
    /// Files to attach, 25 MB in all.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub attachments: Vec<FileInput>,
}

impl Run for CreateDraft {
    type Output = SavedDraft;

    async fn run(mut self, cx: &ToolContext) -> Result<SavedDraft> {
        let mut mail = self.mail()?;
        mail.thread = self.thread_id;
        let place = Place { method: Method::POST, path: "drafts", values: &[], draft: true };
        save(place, mail.write(cx).await?, cx).await
    }
}

mail!(UpdateDraft);

/// Replaces the message in a draft by another; what is left out is gone. Returns the id of the draft, which stays.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.drafts/update>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    idempotent,
    scopes("https://www.googleapis.com/auth/gmail.compose|https://www.googleapis.com/auth/gmail.modify")
)]
#[serde(deny_unknown_fields)]
pub struct UpdateDraft {
    /// Id of the draft.
    pub id: String,
    /// Id of the conversation that it shall belong to; its subject must be the conversation's.
    #[serde(default)]
    pub thread_id: Option<String>,
    /// Whom it is for: `ada@example.com` or `Ada Lovelace <ada@example.com>`.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub to: Vec<String>,
    /// Who gets a copy.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub cc: Vec<String>,
    /// Who gets a copy without the others knowing.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub bcc: Vec<String>,
    /// Address to send as, where the account has several; its own if left out.
    #[serde(default)]
    pub from: Option<String>,
    /// Subject, one line.
    #[schemars(length(max = 2000))]
    pub subject: String,
    /// Its text, plain.
    #[serde(default)]
    pub text: Option<String>,
    /// Its text in HTML; give `text` as well for who reads plain text.
    #[serde(default)]
    pub html: Option<String>,
    /// Files to attach, 25 MB in all.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub attachments: Vec<FileInput>,
}

impl Run for UpdateDraft {
    type Output = SavedDraft;

    async fn run(mut self, cx: &ToolContext) -> Result<SavedDraft> {
        let mut mail = self.mail()?;
        mail.thread = self.thread_id;
        let values = [("id", self.id.as_str())];
        let place = Place { method: Method::PUT, path: "drafts/{id}", values: &values, draft: true };
        save(place, mail.write(cx).await?, cx).await
    }
}

async fn save(place: Place<'_>, message: super::compose::Written, cx: &ToolContext) -> Result<SavedDraft> {
    let answer = place.put(&message, cx).await?;
    let mut saved: SavedDraft = serde_json::from_value(answer).map_err(|_| unreadable())?;
    saved.message.message_id = Some(message.message_id);
    Ok(saved)
}

/// Sends a draft and removes it from the drafts. Returns the id of the message. Once it is sent, another try finds no draft and
/// sends nothing.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.drafts/send>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    scopes("https://www.googleapis.com/auth/gmail.compose|https://www.googleapis.com/auth/gmail.modify")
)]
#[serde(deny_unknown_fields)]
pub struct SendDraft {
    /// Id of the draft.
    pub id: String,
}

impl Run for SendDraft {
    type Output = Sent;

    async fn run(self, cx: &ToolContext) -> Result<Sent> {
        cx.http().post("gmail/v1/users/me/drafts/send").json_body(&json!({"id": self.id})).json().await
    }
}

/// Deletes a draft for good.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.drafts/delete>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    idempotent,
    scopes("https://www.googleapis.com/auth/gmail.compose|https://www.googleapis.com/auth/gmail.modify")
)]
#[serde(deny_unknown_fields)]
pub struct DeleteDraft {
    /// Id of the draft.
    pub id: String,
}

impl Run for DeleteDraft {
    type Output = Deleted;

    async fn run(self, cx: &ToolContext) -> Result<Deleted> {
        cx.http().delete("gmail/v1/users/me/drafts/{id}").path("id", &self.id).send().await?;
        Ok(Deleted { id: self.id })
    }
}
