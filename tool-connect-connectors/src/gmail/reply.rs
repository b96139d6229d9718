//! Answers.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Error, Result, Run, Tool, ToolContext};

use super::account::Profile;
use super::address::Address;
use super::compose::{Mail, ids};
use super::deliver::{Sent, deliver};
use super::message::Wire;
use super::messages::metadata;
use crate::provider::FileInput;

/// Headers that an answer needs of what it answers.
const HEADS: [&str; 7] = ["From", "Reply-To", "To", "Cc", "Subject", "Message-ID", "References"];
/// So many ids of earlier messages an answer names; long conversations name some and the newest.
const MOST_REFERENCES: usize = 20;

/// Answers a message, in its thread and to whom wrote it, or to everybody. Returns the id of the answer.
///
/// <https://developers.google.com/workspace/gmail/api/guides/threads>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    scopes(
        "https://www.googleapis.com/auth/gmail.readonly|https://www.googleapis.com/auth/gmail.modify",
        "https://www.googleapis.com/auth/gmail.send|https://www.googleapis.com/auth/gmail.compose|https://www.googleapis.com/auth/gmail.modify"
    )
)]
#[serde(deny_unknown_fields)]
pub struct ReplyToMessage {
    /// Id of the message that is answered.
    pub id: String,
    /// Whether everybody that it went to gets the answer.
    #[serde(default)]
    pub reply_all: bool,
    /// Who gets a copy beside them: `ada@example.com` or `Ada Lovelace <ada@example.com>`.
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
    /// The answer's text, plain. What is answered is not quoted.
    #[serde(default)]
    pub text: Option<String>,
    /// The answer's text in HTML; give `text` as well for who reads plain text.
    #[serde(default)]
    pub html: Option<String>,
    /// Files to attach, 25 MB in all.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub attachments: Vec<FileInput>,
}

impl Run for ReplyToMessage {
    type Output = Sent;

    async fn run(self, cx: &ToolContext) -> Result<Sent> {
        let mut cc = Address::parse_all("/cc", &self.cc)?;
        let bcc = Address::parse_all("/bcc", &self.bcc)?;
        let original = metadata(cx, &self.id, &HEADS).await?;
        let mine = original.label_ids.iter().any(|label| label == "SENT");
        let addresses = |name: &str| original.header(name).map(Address::of_header).unwrap_or_default();
        // Who answers a message of their own goes on writing to those whom it went to.
        let mut to = if mine { addresses("to") } else { addresses("reply-to") };
        if to.is_empty() {
            to = addresses("from");
        }
        if self.reply_all {
            let me: Profile = cx.http().get("gmail/v1/users/me/profile").json().await?;
            let own = [
                Some(me.email_address),
                self.from.as_deref().and_then(Address::parse).map(|from| from.email),
            ];
            let is_own = |address: &Address| own.iter().flatten().any(|own| address.is(own));
            if !mine {
                to.extend(addresses("to"));
            }
            cc.extend(addresses("cc"));
            to.retain(|address| !is_own(address));
            cc.retain(|address| !is_own(address));
        }
        let mut seen = HashSet::new();
        for list in [&mut to, &mut cc] {
            list.retain(|address| seen.insert(address.email.to_ascii_lowercase()));
        }
        if to.is_empty() && cc.is_empty() {
            return Err(Error::invalid_argument(
                "/id",
                "names a message that has nobody to answer; use `send_message`",
            ));
        }
        let mail = Mail {
            from: self.from,
            to,
            cc,
            bcc,
            subject: subject("Re: ", original.header("subject")),
            text: self.text,
            html: self.html,
            attachments: self.attachments,
            in_reply_to: of_original(&original).pop(),
            references: references(&original),
            thread: Some(original.thread_id),
            ..Mail::default()
        };
        deliver(mail.write(cx).await?, cx).await
    }
}

fn of_original(original: &Wire) -> Vec<String> {
    original.header("message-id").map(ids).unwrap_or_default()
}

/// The conversation so far (RFC 5322 §3.6.4): its first message and the newest ones.
fn references(original: &Wire) -> Vec<String> {
    let mut all = original.header("references").map(ids).unwrap_or_default();
    all.extend(of_original(original));
    if all.len() > MOST_REFERENCES {
        all.drain(1..=all.len() - MOST_REFERENCES);
    }
    all
}

/// The subject of a message that follows another; the mark stands before it once.
pub(super) fn subject(mark: &str, original: Option<&str>) -> String {
    // What others sent may hold anything.
    let original: String =
        original.unwrap_or_default().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let has_it = original
        .get(..mark.trim_end().len())
        .is_some_and(|start| start.eq_ignore_ascii_case(mark.trim_end()));
    if has_it { original } else { format!("{mark}{original}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_stands_once() {
        assert_eq!(subject("Re: ", Some("Lunch")), "Re: Lunch");
        assert_eq!(subject("Re: ", Some("RE: Lunch")), "RE: Lunch");
        assert_eq!(subject("Re: ", Some("é")), "Re: é");
        assert_eq!(subject("Re: ", None), "Re: ");
        assert_eq!(subject("Re: ", Some("a\r\nBcc: b@c.d")), "Re: a  Bcc: b@c.d");
    }

    #[test]
    fn long_conversations_keep_their_first_message() {
        let names: Vec<String> = (0..40).map(|at| format!("<{at}@x>")).collect();
        let original: Wire = serde_json::from_value(serde_json::json!({"id": "1", "payload": {"headers": [
            {"name": "References", "value": names.join(" ")}, {"name": "Message-Id", "value": "<last@x>"},
        ]}}))
        .unwrap();
        let kept = references(&original);
        assert_eq!((kept.len(), &*kept[0], &*kept[1], &*kept[19]), (20, "0@x", "22@x", "last@x"));
    }
}
