//! Messages as Gmail sends them, and as a reader wants them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tool_connect_core::{Detail, Error, ErrorKind, Result, ToolContext};

use super::body::Texts;
use crate::google::number;

/// A message as Gmail sends it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wire {
    pub(super) id: String,
    #[serde(default)]
    pub(super) thread_id: String,
    #[serde(default)]
    pub(super) label_ids: Vec<String>,
    #[serde(default)]
    snippet: Option<String>,
    #[serde(default, deserialize_with = "number")]
    internal_date: Option<u64>,
    #[serde(default)]
    pub(super) payload: Option<Part>,
    #[serde(default)]
    size_estimate: Option<u64>,
    #[serde(default)]
    pub(super) raw: Option<String>,
}

/// A part of a message (RFC 2045), or all of it.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Part {
    pub(super) part_id: String,
    pub(super) mime_type: String,
    pub(super) filename: String,
    pub(super) headers: Vec<Header>,
    pub(super) body: Option<PartBody>,
    pub(super) parts: Vec<Part>,
}

#[derive(Deserialize)]
pub(super) struct Header {
    name: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PartBody {
    #[serde(default)]
    pub(super) attachment_id: Option<String>,
    #[serde(default)]
    pub(super) size: u64,
    #[serde(default)]
    pub(super) data: Option<String>,
}

impl Part {
    /// A header's value; the first one where there are several.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| &*header.value)
    }

    /// Whether it is a file rather than text of the message.
    pub(super) fn is_attachment(&self) -> bool {
        !self.filename.is_empty()
            || self.mime_type.starts_with("message/")
            || self.body.as_ref().is_some_and(|body| body.attachment_id.is_some())
    }

    /// The files in it.
    pub(super) fn attachments(&self) -> Vec<&Part> {
        if self.is_attachment() {
            return vec![self];
        }
        self.parts.iter().flat_map(Part::attachments).collect()
    }
}

impl Wire {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.payload.as_ref().and_then(|part| part.header(name))
    }

    fn text_of(&self, name: &str) -> Option<String> {
        self.header(name).filter(|value| !value.is_empty()).map(str::to_owned)
    }

    fn date(&self) -> Option<String> {
        let millis = self.internal_date?;
        // As far as RFC 3339 goes.
        (millis < 253_402_300_800_000).then(|| {
            let at = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(millis);
            humantime::format_rfc3339_seconds(at).to_string()
        })
    }
}

/// A message in a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MessageSummary {
    /// Id of the message.
    pub id: String,
    /// Id of the conversation that it belongs to.
    pub thread_id: String,
    /// When Gmail received it, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Who wrote it: `Ada <ada@example.com>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// To whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// How it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snippet: Option<String>,
    /// Ids of its labels: `INBOX`, `UNREAD`, `STARRED`, or of the user's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub label_ids: Vec<String>,
}

impl MessageSummary {
    pub(super) fn of(wire: Wire) -> Self {
        Self {
            date: wire.date(),
            from: wire.text_of("from"),
            to: wire.text_of("to"),
            subject: wire.text_of("subject"),
            id: wire.id,
            thread_id: wire.thread_id,
            snippet: wire.snippet,
            label_ids: wire.label_ids,
        }
    }
}

/// A file in a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attachment {
    /// Its place in the message, for `get_attachment`.
    pub part_id: String,
    /// File name; empty where it has none.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Size in bytes.
    pub size: u64,
}

/// A message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// Id of the message.
    pub id: String,
    /// Id of the conversation that it belongs to.
    pub thread_id: String,
    /// When Gmail received it, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Who wrote it: `Ada <ada@example.com>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Where answers shall go, if elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// To whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Who has a copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cc: Option<String>,
    /// Who has a copy without the others knowing; only in what the account sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bcc: Option<String>,
    /// Subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The `Message-ID` header, the same in every mailbox; found again by the query `rfc822msgid:..`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Its text; made of the HTML where the message has no plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its HTML, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// Its files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Ids of its labels: `INBOX`, `UNREAD`, `STARRED`, or of the user's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub label_ids: Vec<String>,
    /// Size in bytes, about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

impl Message {
    /// Reads a message, where that may take its time: turning HTML into text is work.
    pub(super) async fn read(wire: Wire, html: bool, cx: &ToolContext) -> Result<Self> {
        cx.blocking(move || Ok(Self::of(wire, html))).await
    }

    fn of(wire: Wire, html: bool) -> Self {
        let texts = wire.payload.as_ref().map(Texts::of).unwrap_or_default();
        let files = wire.payload.as_ref().map(Part::attachments).unwrap_or_default();
        Self {
            date: wire.date(),
            from: wire.text_of("from"),
            reply_to: wire.text_of("reply-to"),
            to: wire.text_of("to"),
            cc: wire.text_of("cc"),
            bcc: wire.text_of("bcc"),
            subject: wire.text_of("subject"),
            message_id: wire.text_of("message-id"),
            text: texts.text(),
            html: html.then(|| texts.html()).flatten(),
            attachments: files
                .into_iter()
                .map(|part| Attachment {
                    part_id: part.part_id.clone(),
                    name: part.filename.clone(),
                    media_type: part.mime_type.clone(),
                    size: part.body.as_ref().map_or(0, |body| body.size),
                })
                .collect(),
            size: wire.size_estimate,
            id: wire.id,
            thread_id: wire.thread_id,
            label_ids: wire.label_ids,
        }
    }

    /// Reads a message out of an answer, and keeps all of it where `whole` says so.
    pub(super) async fn detail(
        answer: Map<String, Value>,
        html: bool,
        whole: bool,
        cx: &ToolContext,
    ) -> Result<Detail<Self>> {
        let kept = whole.then(|| answer.clone());
        let fields = Self::read(wire(Value::Object(answer))?, html, cx).await?;
        Ok(Detail { fields, whole: kept })
    }
}

/// A message out of JSON.
pub(super) fn wire(value: Value) -> Result<Wire> {
    serde_json::from_value(value)
        .map_err(|_| Error::new(ErrorKind::Provider, "a message from Gmail does not have the expected form"))
}
