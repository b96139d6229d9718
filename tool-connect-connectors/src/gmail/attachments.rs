//! Files in messages, and messages as files; both go to the result store.

use bytes::Bytes;
use futures_util::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tool_connect_core::{Error, ErrorKind, FileRef, Result, Run, Tool, ToolContext};

use super::body::decode;
use super::message::{Part, PartBody, Wire};
use crate::spill::Spill;

/// The largest answer with a file, in bytes: what Gmail takes in a message, in Base64.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Gets a file out of a message, as a handle.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages.attachments/get>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes("https://www.googleapis.com/auth/gmail.readonly|https://www.googleapis.com/auth/gmail.modify")
)]
#[serde(deny_unknown_fields)]
pub struct GetAttachment {
    /// Id of the message.
    pub message_id: String,
    /// `part_id` of the attachment, as `get_message` lists it.
    pub part_id: String,
}

impl Run for GetAttachment {
    type Output = FileRef;

    async fn run(self, cx: &ToolContext) -> Result<FileRef> {
        let message: Wire = cx
            .http()
            .get("gmail/v1/users/me/messages/{message_id}")
            .path("message_id", &self.message_id)
            .query("format", "full")
            .json()
            .await?;
        let parts = message.payload.as_ref().map(Part::attachments).unwrap_or_default();
        let part = parts.into_iter().find(|part| part.part_id == self.part_id).ok_or_else(|| {
            Error::invalid_argument(
                "/part_id",
                "is none of the message's attachments; `get_message` lists them",
            )
        })?;
        let bytes = content(&message.id, part, cx).await?;
        let name = (!part.filename.is_empty()).then(|| part.filename.clone());
        store(bytes, part.mime_type.clone(), name, cx).await
    }
}

/// The bytes of an attachment. Its id is another one each time that the message is got.
pub(super) async fn content(message: &str, part: &Part, cx: &ToolContext) -> Result<Bytes> {
    let body = part.body.as_ref();
    if let Some(data) = body.and_then(|body| body.data.as_deref()) {
        return decode(data).map(Bytes::from);
    }
    let Some(id) = body.and_then(|body| body.attachment_id.as_deref()) else { return Ok(Bytes::new()) };
    let got: PartBody = cx
        .http()
        .get("gmail/v1/users/me/messages/{message}/attachments/{id}")
        .path("message", message)
        .path("id", id)
        .max_bytes(LARGEST)
        .json()
        .await?;
    decode(got.data.as_deref().unwrap_or_default()).map(Bytes::from)
}

async fn store(bytes: Bytes, media_type: String, name: Option<String>, cx: &ToolContext) -> Result<FileRef> {
    let spill = Spill { media_type, name, keep: Duration::from_secs(60 * 60), max_bytes: LARGEST };
    spill.store(cx, Box::pin(stream::iter([Ok(bytes)]))).await
}

/// Gets a message as a file in the form that mail travels in (RFC 5322, `.eml`), as a handle.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/get>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes("https://www.googleapis.com/auth/gmail.readonly|https://www.googleapis.com/auth/gmail.modify")
)]
#[serde(deny_unknown_fields)]
pub struct DownloadMessage {
    /// Id of the message.
    pub id: String,
}

impl Run for DownloadMessage {
    type Output = FileRef;

    async fn run(self, cx: &ToolContext) -> Result<FileRef> {
        let message: Wire = cx
            .http()
            .get("gmail/v1/users/me/messages/{id}")
            .path("id", &self.id)
            .query("format", "raw")
            .max_bytes(LARGEST)
            .json()
            .await?;
        let raw = message
            .raw
            .as_deref()
            .ok_or_else(|| Error::new(ErrorKind::Provider, "Gmail sent no raw message"))?;
        let bytes = Bytes::from(decode(raw)?);
        store(bytes, "message/rfc822".to_owned(), Some(format!("{}.eml", message.id)), cx).await
    }
}
