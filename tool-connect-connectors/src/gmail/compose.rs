//! A message as it is written (RFC 5322, RFC 2045-2047), out of what a caller says.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use mail_builder::MessageBuilder;
use mail_builder::headers::address::{Address as Mailbox, EmailAddress};
use mail_builder::headers::message_id::MessageId;
use tool_connect_core::{Effect, Error, ErrorKind, Result, ToolContext};

use super::address::Address;
use crate::google::{check_text, unique};
use crate::provider::{File, FileInput};

/// The largest message that Gmail takes, in bytes, attachments and all
/// (<https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/send>).
const LARGEST: u64 = 36_700_160;

/// What a message is made of.
#[derive(Default)]
pub(super) struct Mail {
    pub(super) from: Option<String>,
    pub(super) to: Vec<Address>,
    pub(super) cc: Vec<Address>,
    pub(super) bcc: Vec<Address>,
    pub(super) subject: String,
    pub(super) text: Option<String>,
    pub(super) html: Option<String>,
    pub(super) attachments: Vec<FileInput>,
    /// Files that were got from Gmail, beside `attachments`.
    pub(super) files: Vec<(File, String)>,
    /// The thread that it belongs to.
    pub(super) thread: Option<String>,
    /// `Message-ID` of what it answers.
    pub(super) in_reply_to: Option<String>,
    /// `Message-ID`s of the conversation so far, oldest first.
    pub(super) references: Vec<String>,
}

/// A message as it travels.
pub(super) struct Written {
    pub(super) bytes: Bytes,
    /// Its `Message-ID`, without the angle brackets.
    pub(super) message_id: String,
    pub(super) thread: Option<String>,
}

impl Written {
    /// In the Base64 that Gmail wants.
    pub(super) fn raw(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.bytes)
    }
}

impl Mail {
    /// Refuses a message to nobody.
    pub(super) fn has_recipient(&self) -> Result<()> {
        if self.to.is_empty() && self.cc.is_empty() && self.bcc.is_empty() {
            return Err(Error::invalid_argument("/to", "must name somebody, unless `cc` or `bcc` does"));
        }
        Ok(())
    }

    /// Writes it. Whatever it holds, it has the headers that are set here and no other.
    pub(super) async fn write(self, cx: &ToolContext) -> Result<Written> {
        check_text("/subject", &self.subject)?;
        let message_id = format!("{}@tool-connect.invalid", unique(cx));
        let now = cx.clock().now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let mut message = MessageBuilder::new()
            .message_id(message_id.as_str())
            .date(i64::try_from(now.as_secs()).unwrap_or_default())
            .subject(self.subject);
        if let Some(from) = &self.from {
            let from = Address::parse(from).ok_or_else(|| {
                Error::invalid_argument("/from", "must be one address that the account may send as")
            })?;
            message = message.from(mailbox(from));
        }
        for (name, list) in [("To", self.to), ("Cc", self.cc), ("Bcc", self.bcc)] {
            if !list.is_empty() {
                message = message.header(name, Mailbox::List(list.into_iter().map(mailbox).collect()));
            }
        }
        if let Some(id) = self.in_reply_to.filter(|id| is_id(id)) {
            message = message.in_reply_to(id);
        }
        let references: Vec<String> = self.references.into_iter().filter(|id| is_id(id)).collect();
        if !references.is_empty() {
            message = message.references(MessageId::new_list(references.into_iter()));
        }

        let mut files = Vec::with_capacity(self.attachments.len());
        for (at, input) in self.attachments.into_iter().enumerate() {
            let pointer = format!("/attachments/{at}");
            let file = input.open(&pointer, cx).await?;
            let name = file.name.clone().unwrap_or_else(|| format!("attachment-{}", at + 1));
            check_text(&format!("{pointer}/name"), &name)?;
            if file.media_type.as_deref().is_some_and(|media_type| !is_media_type(media_type)) {
                return Err(Error::invalid_argument(
                    format!("{pointer}/media_type"),
                    "must be a media type such as `application/pdf`",
                ));
            }
            files.push((file, name));
        }
        files.extend(self.files);
        let texts = self.text.as_ref().map_or(0, String::len) + self.html.as_ref().map_or(0, String::len);
        // Base64 in lines (RFC 2045 §6.8) makes 57 bytes 78.
        let coming = files.iter().fold(u64::try_from(texts).unwrap_or(u64::MAX), |sum, (file, _)| {
            sum.saturating_add(file.size.div_ceil(57).saturating_mul(78))
        });
        within(coming)?;
        for (file, name) in files {
            let content = file.piece(cx, 0..file.size).await?;
            let media_type = file.media_type.filter(|media_type| is_media_type(media_type));
            let media_type = media_type.unwrap_or_else(|| "application/octet-stream".to_owned());
            message = message.attachment(media_type, name, content.to_vec());
        }
        if let Some(html) = self.html {
            message = message.html_body(html);
        }
        // A message that says nothing is one, too.
        if self.text.is_some() || message.html_body.is_none() {
            message = message.text_body(self.text.unwrap_or_default());
        }
        let bytes = message
            .write_to_vec()
            .map_err(|_| Error::new(ErrorKind::Internal, "a message could not be written to memory"))?;
        within(u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
        Ok(Written { bytes: bytes.into(), message_id, thread: self.thread })
    }
}

fn within(size: u64) -> Result<()> {
    if size > LARGEST {
        return Err(Error::new(ErrorKind::TooLarge, "a message is larger than Gmail takes")
            .effect(Effect::NotExecuted)
            .public(
                "The message would be larger than the 35 MB that Gmail takes, in which attachments count a third more than their \
                 size. Put large files into Google Drive and send a link.",
            ));
    }
    Ok(())
}

fn mailbox(address: Address) -> Mailbox<'static> {
    let Address { name, email } = address;
    Mailbox::Address(EmailAddress { name: name.map(Into::into), email: email.into() })
}

/// Whether it can stand between the angle brackets of a `Message-ID`.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() < 900 && id.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>'))
}

/// The ids in a header such as `References`.
pub(super) fn ids(value: &str) -> Vec<String> {
    value
        .split_whitespace()
        .map(|id| id.trim_start_matches('<').trim_end_matches('>'))
        .filter(|id| is_id(id))
        .map(str::to_owned)
        .collect()
}

/// `type/subtype`, perhaps with parameters, in one line.
fn is_media_type(text: &str) -> bool {
    let token = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "!#$&^_.+-".contains(c))
    };
    let (essence, rest) = text.split_once(';').unwrap_or((text, ""));
    let is_kind = essence.trim().split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype));
    is_kind && rest.chars().all(|c| c.is_ascii_graphic() || c == ' ')
}

/// Makes a message of a tool's arguments, whose names are the same in all.
macro_rules! mail {
    ($name:ident) => {
        impl $name {
            fn mail(&mut self) -> tool_connect_core::Result<super::compose::Mail> {
                use super::address::Address;
                Ok(super::compose::Mail {
                    from: self.from.take(),
                    to: Address::parse_all("/to", &self.to)?,
                    cc: Address::parse_all("/cc", &self.cc)?,
                    bcc: Address::parse_all("/bcc", &self.bcc)?,
                    subject: std::mem::take(&mut self.subject),
                    text: self.text.take(),
                    html: self.html.take(),
                    attachments: std::mem::take(&mut self.attachments),
                    ..super::compose::Mail::default()
                })
            }
        }
    };
}

pub(super) use mail;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_one_line() {
        for good in ["application/pdf", "text/plain; charset=utf-8", "image/svg+xml"] {
            assert!(is_media_type(good), "{good}");
        }
        for bad in ["", "pdf", "/", "text/", "text/plain\r\nBcc: a@b.c", "text/plain; a=\n", "a b/c"] {
            assert!(!is_media_type(bad), "{bad:?}");
        }
    }

    #[test]
    fn ids_out_of_headers() {
        assert_eq!(ids("<a@b>\r\n <c@d> <> <e f>"), ["a@b", "c@d", "e", "f"]);
    }
}
