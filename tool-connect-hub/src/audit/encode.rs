//! The canonical record: a version, a kind and fields in a fixed order, so that it is the same
//! bytes for ever and few of them. The format is described in the room's documentation.

use hmac::Mac;
use tool_connect_core::{AgentId, Effect, Owner, SecretOpened, Served};

use super::entry::{AuditEntry, EntryKind};
use super::queue::{INLINE_ARGUMENTS, ToHash};

/// The format's version, the record's first byte.
pub(super) const VERSION: u8 = 2;
/// Stands in place of the hash where the person was erased.
pub(super) const ERASED: u8 = 0;
/// Stands in place of the hash where typed arguments could not be written.
pub(super) const UNREADABLE: u8 = 1;
/// Longer texts from outside (a trace id, a record's name) are cut.
const MAX_TEXT: usize = 256;

/// Names of fields, in the order in which they are written.
pub(super) mod tag {
    pub(crate) const CALL: u8 = 1;
    pub(crate) const AGENT: u8 = 2;
    pub(crate) const TOOL: u8 = 3;
    pub(crate) const DEFINITION: u8 = 4;
    pub(crate) const CONNECTION: u8 = 5;
    pub(crate) const APPROVAL: u8 = 6;
    pub(crate) const OUTCOME: u8 = 7;
    pub(crate) const EFFECT: u8 = 8;
    pub(crate) const SERVED: u8 = 9;
    pub(crate) const TOOK: u8 = 10;
    pub(crate) const TRACE: u8 = 11;
    pub(crate) const LOST: u8 = 12;
    pub(crate) const SINCE: u8 = 13;
    /// Written off the path, behind the others of a call.
    pub(crate) const ARGUMENTS: u8 = 14;
    pub(crate) const SUBJECT: u8 = 15;
    pub(crate) const RECORD: u8 = 16;
    pub(crate) const FIELD: u8 = 17;
    pub(crate) const KEY: u8 = 18;
    pub(crate) const PURPOSE: u8 = 19;
}

/// HMAC-SHA256 with its key worked in: signing copies it and pays for the message alone.
pub(super) type Signer = hmac::Hmac<sha2::Sha256>;

/// The key of a person's arguments.
#[derive(Clone)]
pub(super) enum Key {
    /// Not asked for: nothing of theirs is to be hashed.
    Unasked,
    Known(std::sync::Arc<Signer>),
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

    pub(super) fn tag(&self, key: &Signer) -> [u8; 32] {
        let mut signer = key.clone();
        match self {
            Self::Text(text) => signer.update(text),
            Self::Digest(digest) => {
                // JSON text never begins with this byte, so that no text passes for a digest.
                signer.update(&[0]);
                signer.update(digest);
            }
        }
        signer.finalize().into_bytes().into()
    }
}

/// Appends a record of a call, all but the field of the arguments.
pub(super) fn entry(out: &mut Vec<u8>, entry: &AuditEntry<'_>) {
    head(out, entry.kind);
    if let Some(secret) = entry.secret {
        return opened(out, entry, secret);
    }
    let (prefix, sequence) = entry.call.parts();
    let (sequence, from) = shortest(sequence);
    let sequence = sequence.get(from..).unwrap_or_default();
    out.extend_from_slice(&[tag::CALL, 8 + sequence.len() as u8]); // At most 16.
    out.extend_from_slice(&prefix.to_be_bytes());
    out.extend_from_slice(sequence);
    if let Some(agent) = &entry.principal.agent {
        field(out, tag::AGENT, AgentId::as_str(agent).as_bytes());
    }
    if let Some(tool) = entry.tool {
        field(out, tag::TOOL, tool.id.as_str().as_bytes());
        field(out, tag::DEFINITION, &tool.definition);
    }
    if let Some(connection) = entry.connection {
        field(out, tag::CONNECTION, connection.as_str().as_bytes());
    }
    if let Some(approval) = entry.approval {
        field(out, tag::APPROVAL, approval.as_str().as_bytes());
    }
    if let Some(outcome) = entry.outcome {
        field(out, tag::OUTCOME, outcome.as_str().as_bytes());
    }
    if let Some(effect) = entry.effect {
        let code = match effect {
            Effect::None => 0,
            Effect::NotExecuted => 1,
            Effect::Unknown => 2,
        };
        field(out, tag::EFFECT, &[code]);
    }
    match entry.served {
        Served::Fresh => {}
        Served::Replay => field(out, tag::SERVED, &[1]),
        Served::Cache => field(out, tag::SERVED, &[2]),
    }
    if entry.took > 0 {
        number(out, tag::TOOK, entry.took);
    }
    if let Some(trace) = entry.trace {
        field(out, tag::TRACE, cut(trace).as_bytes());
    }
}

/// Appends the fields of an opened secret: where it belongs, which key it needed, what for. Never the secret.
fn opened(out: &mut Vec<u8>, entry: &AuditEntry<'_>, secret: &SecretOpened<'_>) {
    if let Some(agent) = &entry.principal.agent {
        field(out, tag::AGENT, AgentId::as_str(agent).as_bytes());
    }
    let (kind, id) = match secret.subject {
        Owner::User(user) => ("user:", user.as_str()),
        Owner::Team(team) => ("team:", team.as_str()),
        Owner::Tenant => ("tenant", ""),
    };
    field(out, tag::SUBJECT, format!("{kind}{id}").as_bytes());
    let texts = [
        (tag::RECORD, secret.record),
        (tag::FIELD, secret.field),
        (tag::KEY, secret.key_id),
        (tag::PURPOSE, &secret.access.purpose),
    ];
    for (tag, text) in texts {
        field(out, tag, cut(text).as_bytes());
    }
}

/// Appends the field of the arguments; nothing where none are to be hashed.
pub(super) fn arguments(out: &mut Vec<u8>, arguments: ToHash<'_>, key: &Key) {
    if matches!(arguments, ToHash::Nothing) {
        return;
    }
    let key = match key {
        Key::Unasked => return,
        Key::Erased => return field(out, tag::ARGUMENTS, &[ERASED]),
        Key::Known(key) => key,
    };
    let mut digest = [0; 32];
    let hash = match arguments {
        ToHash::Nothing => return,
        ToHash::Text(text) => Hashed::Text(text).tag(key),
        ToHash::Digest(digest) => Hashed::Digest(digest).tag(key),
        ToHash::Typed(value) => {
            // The author's `Serialize` runs here; its panic must not take the writer along.
            let written = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| value.to_json()));
            match written {
                Ok(Ok(text)) => Hashed::text(&text, &mut digest).tag(key),
                Ok(Err(_)) | Err(_) => return field(out, tag::ARGUMENTS, &[UNREADABLE]),
            }
        }
    };
    field(out, tag::ARGUMENTS, &hash);
}

/// Appends a record of lost records.
pub(super) fn gap(out: &mut Vec<u8>, lost: u64, since: u64) {
    head(out, EntryKind::Gap);
    number(out, tag::LOST, lost);
    number(out, tag::SINCE, since);
}

fn head(out: &mut Vec<u8>, kind: EntryKind) {
    out.extend_from_slice(&[VERSION, kind.code()]);
}

fn field(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    // Seven bits of the length a byte, the low ones first; no value has 2^14 bytes.
    match value.len() {
        length @ 0..0x80 => out.extend_from_slice(&[tag, length as u8]),
        length => out.extend_from_slice(&[tag, 0x80 | (length & 0x7f) as u8, (length >> 7) as u8]),
    }
    out.extend_from_slice(value);
}

fn number(out: &mut Vec<u8>, tag: u8, value: u64) {
    let (bytes, from) = shortest(value);
    field(out, tag, bytes.get(from..).unwrap_or_default());
}

/// A number as big-endian bytes, and how many of them are zeros in front, which are not written.
fn shortest(value: u64) -> ([u8; 8], usize) {
    (value.to_be_bytes(), (value.leading_zeros() / 8) as usize)
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
