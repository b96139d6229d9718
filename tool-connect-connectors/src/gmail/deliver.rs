//! How a message goes out. It is never sent twice: Gmail has no key by which it would know a repetition, so the request is not
//! repeated. Each message has a `Message-ID` made of the call's idempotency key, by which it can be looked for.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tool_connect_core::{Effect, Error, Result, Run, Tool, ToolContext};

use super::compose::{Written, mail};
use crate::google::Upload;
use crate::provider::{File, FileInput};
use crate::resumable::SIMPLE;

/// What became of a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sent {
    /// Id of the message.
    pub id: String,
    /// Id of the conversation that it belongs to.
    #[serde(alias = "threadId")]
    pub thread_id: String,
    /// Ids of its labels.
    #[serde(default, alias = "labelIds", skip_serializing_if = "Vec::is_empty")]
    pub label_ids: Vec<String>,
    /// The `Message-ID` that it was sent with, for the query `rfc822msgid:..`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
}

/// Where a message goes, and how Gmail wants it there.
pub(super) struct Place<'a> {
    pub(super) method: Method,
    /// Path below `gmail/v1/users/me/`.
    pub(super) path: &'a str,
    pub(super) values: &'a [(&'a str, &'a str)],
    /// Whether it stands within a draft.
    pub(super) draft: bool,
}

impl Place<'_> {
    /// Sends a message there and returns Gmail's answer. A large one goes through the endpoint for uploads.
    pub(super) async fn put(self, message: &Written, cx: &ToolContext) -> Result<Value> {
        let inner = message.thread.as_ref().map_or_else(|| json!({}), |thread| json!({"threadId": thread}));
        let within = |inner: Value| if self.draft { json!({"message": inner}) } else { inner };
        let size = u64::try_from(message.bytes.len()).unwrap_or(u64::MAX);
        if size <= SIMPLE {
            let mut inner = inner;
            inner["raw"] = message.raw().into();
            let path = format!("gmail/v1/users/me/{}", self.path);
            let mut request = cx.http().request(self.method, &path).json_body(&within(inner));
            for (name, value) in self.values {
                request = request.path(name, value);
            }
            return request.repeatable(false).json().await;
        }
        let path = format!("upload/gmail/v1/users/me/{}", self.path);
        let upload = Upload {
            cx,
            method: self.method,
            path: &path,
            values: self.values,
            query: &[],
            metadata: &within(inner),
            file: &File::made(message.bytes.clone(), "message/rfc822"),
            repeatable: Some(false),
        };
        upload.send().await?.json().await
    }
}

/// Sends a message.
pub(super) async fn deliver(message: Written, cx: &ToolContext) -> Result<Sent> {
    let place = Place { method: Method::POST, path: "messages/send", values: &[], draft: false };
    let answer = place.put(&message, cx).await.map_err(|error| doubtful(error, &message.message_id))?;
    let mut sent: Sent =
        serde_json::from_value(answer).map_err(|_| doubtful(unreadable(), &message.message_id))?;
    sent.message_id = Some(message.message_id);
    Ok(sent)
}

pub(super) fn unreadable() -> Error {
    Error::new(tool_connect_core::ErrorKind::Provider, "Gmail's answer does not have the expected form")
        .effect(Effect::Unknown)
}

/// Where nobody knows whether it was sent, its sender can look.
fn doubtful(error: Error, message_id: &str) -> Error {
    if error.effect_on_provider() != Effect::Unknown {
        return error;
    }
    error.public(format!(
        "It is not known whether the message was sent. Do not send it again before looking for it: `list_messages` with the query \
         `in:sent rfc822msgid:{message_id}`."
    ))
}

mail!(SendMessage);

/// Sends a message at once, with files where wanted. Returns its id and its thread. To answer one use `reply_to_message`; to
/// let a person look first, `create_draft`.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/send>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    scopes(
        "https://www.googleapis.com/auth/gmail.send|https://www.googleapis.com/auth/gmail.compose|https://www.googleapis.com/auth/gmail.modify"
    )
)]
#[serde(deny_unknown_fields)]
pub struct SendMessage {
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

impl Run for SendMessage {
    type Output = Sent;

    async fn run(mut self, cx: &ToolContext) -> Result<Sent> {
        let mail = self.mail()?;
        mail.has_recipient()?;
        deliver(mail.write(cx).await?, cx).await
    }
}
