//! The canonical record: JSON with a fixed order of fields, written by hand so that it is the same
//! bytes for ever. The format is described in the room's documentation.

use std::fmt::Write as _;
use std::sync::Arc;

use aws_lc_rs::hmac;
use tool_connect_core::{AgentId, Effect, Served};

use super::entry::{AuditedTool, EntryKind};
use super::queue::{INLINE_ARGUMENTS, Queued, QueuedArguments, Texts};

/// The format's version, the record's first field.
pub(super) const VERSION: u64 = 1;
/// Stands in place of the hash where the person was erased.
pub(super) const ERASED: &str = "erased";
/// Stands in place of the hash where typed arguments could not be written.
pub(super) const UNREADABLE: &str = "unreadable";

/// The key of a person's arguments.
#[derive(Clone)]
pub(super) enum Key {
    /// Not asked for: nothing of theirs is to be hashed.
    Unasked,
    Known(Arc<hmac::Key>),
    Erased,
}

/// What is hashed of arguments.
pub(super) enum Hashed<'a> {
    Text(&'a [u8]),
    Digest(&'a [u8]),
}

impl<'a> Hashed<'a> {
    /// Short arguments are hashed as they are, longer ones by their digest.
    pub(super) fn text(text: &'a [u8], digest: &'a mut [u8; 32]) -> Self {
        if text.len() <= INLINE_ARGUMENTS {
            return Self::Text(text);
        }
        *digest = super::chain::sha256(text);
        Self::Digest(digest)
    }

    pub(super) fn tag(&self, key: &hmac::Key) -> hmac::Tag {
        match self {
            Self::Text(text) => hmac::sign(key, text),
            Self::Digest(digest) => {
                // JSON text never begins with this byte, so that no text passes for a digest.
                let mut context = hmac::Context::with_key(key);
                context.update(&[0]);
                context.update(digest);
                context.sign()
            }
        }
    }
}

/// Appends a record of a call. `tool` is the fragment that was made once for many.
pub(super) fn entry(
    out: &mut Vec<u8>,
    queued: &Queued,
    texts: &Texts<'_>,
    key: &Key,
    agent: Option<&AgentId>,
    tool: &str,
) {
    head(out, queued.kind);
    out.extend_from_slice(b",\"call\":\"");
    let _ = write!(Text(out), "{}", queued.call);
    out.push(b'"');
    if let Some(agent) = agent {
        field(out, ",\"agent\":", agent.as_str());
    }
    out.extend_from_slice(tool.as_bytes());
    arguments(out, queued, texts, key);
    for (name, text) in [(",\"connection\":", texts.connection), (",\"approval\":", texts.approval)] {
        if !text.is_empty() {
            field(out, name, text);
        }
    }
    if let Some(outcome) = queued.outcome {
        plain(out, ",\"outcome\":\"", outcome.as_str());
    }
    match queued.effect {
        None => {}
        Some(Effect::None) => plain(out, ",\"effect\":\"", "none"),
        Some(Effect::NotExecuted) => plain(out, ",\"effect\":\"", "not_executed"),
        Some(Effect::Unknown) => plain(out, ",\"effect\":\"", "unknown"),
    }
    match queued.served {
        Served::Fresh => {}
        Served::Replay => plain(out, ",\"served\":\"", "replay"),
        Served::Cache => plain(out, ",\"served\":\"", "cache"),
    }
    if queued.took > 0 {
        number(out, ",\"took_ns\":", queued.took);
    }
    if !texts.trace.is_empty() {
        field(out, ",\"trace\":", texts.trace);
    }
    out.push(b'}');
}

/// Appends a record of lost records.
pub(super) fn gap(out: &mut Vec<u8>, lost: u64, since: u64) {
    head(out, EntryKind::Gap);
    number(out, ",\"lost\":", lost);
    number(out, ",\"since\":", since);
    out.push(b'}');
}

/// The fragment for a tool.
pub(super) fn tool(tool: &AuditedTool) -> String {
    let mut out = Vec::new();
    field(&mut out, ",\"tool\":", tool.id.as_str());
    out.extend_from_slice(b",\"definition\":\"");
    hex(&mut out, &tool.definition);
    out.push(b'"');
    String::from_utf8(out).unwrap_or_default()
}

fn head(out: &mut Vec<u8>, kind: EntryKind) {
    number(out, "{\"v\":", VERSION);
    plain(out, ",\"kind\":\"", kind.as_str());
}

fn arguments(out: &mut Vec<u8>, queued: &Queued, texts: &Texts<'_>, key: &Key) {
    const NAME: &str = ",\"arguments\":\"";
    if matches!(queued.arguments, QueuedArguments::None) {
        return;
    }
    let key = match key {
        Key::Unasked => return,
        Key::Erased => return plain(out, NAME, ERASED),
        Key::Known(key) => key,
    };
    let mut digest = [0; 32];
    let tag = match &queued.arguments {
        QueuedArguments::None => return,
        QueuedArguments::Text(_) => Hashed::Text(texts.arguments).tag(key),
        QueuedArguments::Digest => Hashed::Digest(texts.arguments).tag(key),
        QueuedArguments::Typed(value) => {
            // The author's `Serialize` runs here; its panic must not take the writer along.
            let written = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| value.to_json()));
            match written {
                Ok(Ok(text)) => Hashed::text(&text, &mut digest).tag(key),
                Ok(Err(_)) | Err(_) => return plain(out, NAME, UNREADABLE),
            }
        }
    };
    out.extend_from_slice(NAME.as_bytes());
    hex(out, tag.as_ref());
    out.push(b'"');
}

/// A field whose value needs no escapes; the name ends with the opening quote.
fn plain(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(value.as_bytes());
    out.push(b'"');
}

fn field(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    out.push(b'"');
    let mut rest = value.as_bytes();
    // Without a way out of the loop it runs over many bytes at a time.
    let mut special = rest.iter().fold(false, |seen, b| seen | needs_escape(*b));
    while special {
        let Some(at) = rest.iter().position(|b| needs_escape(*b)) else { break };
        let (safe, from) = rest.split_at(at);
        out.extend_from_slice(safe);
        let Some((byte, left)) = from.split_first() else { break };
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            control => _ = write!(Text(out), "\\u{control:04x}"),
        }
        rest = left;
        special = !rest.is_empty();
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn needs_escape(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\') | (byte < 0x20)
}

fn number(out: &mut Vec<u8>, name: &str, mut value: u64) {
    out.extend_from_slice(name.as_bytes());
    let mut digits = [0_u8; 20];
    let mut start = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8; // Below ten.
        value /= 10;
        start -= 1;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(start..).unwrap_or_default());
}

/// Appends lowercase hex.
pub(super) fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [[0; 2]; 32];
    for part in bytes.chunks(text.len()) {
        for ([high, low], byte) in text.iter_mut().zip(part) {
            *high = DIGITS[usize::from(byte >> 4)];
            *low = DIGITS[usize::from(byte & 15)];
        }
        out.extend_from_slice(text.as_flattened().get(..part.len() * 2).unwrap_or_default());
    }
}

/// Formats into a byte buffer.
struct Text<'a>(&'a mut Vec<u8>);

impl std::fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
