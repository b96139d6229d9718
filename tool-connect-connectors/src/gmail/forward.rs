//! Messages that are sent on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Error, Result, Run, Tool, ToolContext};

use super::address::Address;
use super::attachments::content;
use super::compose::Mail;
use super::deliver::{Sent, deliver};
use super::message::{Message, Part, Wire};
use super::reply::subject;
use crate::provider::File;

/// Sends a message on to others: its text below yours, and its files. Returns the id of what was sent.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/send>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    scopes(
        "https://www.googleapis.com/auth/gmail.readonly|https://www.googleapis.com/auth/gmail.modify",
        "https://www.googleapis.com/auth/gmail.send|https://www.googleapis.com/auth/gmail.compose|https://www.googleapis.com/auth/gmail.modify"
    )
)]
#[serde(deny_unknown_fields)]
pub struct ForwardMessage {
    /// Id of the message that is sent on.
    pub id: String,
    /// To whom: `ada@example.com` or `Ada Lovelace <ada@example.com>`.
    #[schemars(length(min = 1, max = 500))]
    pub to: Vec<String>,
    /// Who gets a copy.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub cc: Vec<String>,
    /// Who gets a copy without the others knowing.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub bcc: Vec<String>,
    /// What you say to it, above it.
    #[serde(default)]
    pub text: Option<String>,
    /// Whether its files stay behind.
    #[serde(default)]
    pub without_attachments: bool,
}

impl Run for ForwardMessage {
    type Output = Sent;

    async fn run(self, cx: &ToolContext) -> Result<Sent> {
        let (to, cc, bcc) = (
            Address::parse_all("/to", &self.to)?,
            Address::parse_all("/cc", &self.cc)?,
            Address::parse_all("/bcc", &self.bcc)?,
        );
        if to.is_empty() {
            return Err(Error::invalid_argument("/to", "must name somebody"));
        }
        let original: Wire = cx
            .http()
            .get("gmail/v1/users/me/messages/{id}")
            .path("id", &self.id)
            .query("format", "full")
            .json()
            .await?;
        let mut files = Vec::new();
        if !self.without_attachments {
            let parts = original.payload.as_ref().map(Part::attachments).unwrap_or_default();
            for part in parts {
                let name: String = part.filename.chars().filter(|c| !c.is_control()).collect();
                let name = if name.is_empty() { "attachment".to_owned() } else { name };
                let bytes = content(&original.id, part, cx).await?;
                files.push((File::made(bytes, part.mime_type.clone()), name));
            }
        }
        let original = Message::read(original, false, cx).await?;
        let mail = Mail {
            to,
            cc,
            bcc,
            subject: subject("Fwd: ", original.subject.as_deref()),
            text: Some(quoted(self.text.as_deref(), &original)),
            files,
            ..Mail::default()
        };
        deliver(mail.write(cx).await?, cx).await
    }
}

/// A note, and below it the message as it was.
fn quoted(note: Option<&str>, original: &Message) -> String {
    let mut text = note.map(|note| format!("{note}\n\n")).unwrap_or_default();
    text.push_str("---------- Forwarded message ----------\n");
    let heads = [
        ("From", &original.from),
        ("Date", &original.date),
        ("Subject", &original.subject),
        ("To", &original.to),
        ("Cc", &original.cc),
    ];
    for (name, value) in heads {
        if let Some(value) = value {
            text.push_str(&format!("{name}: {value}\n"));
        }
    }
    text.push('\n');
    text.push_str(original.text.as_deref().unwrap_or_default());
    text
}
