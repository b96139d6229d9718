//! A record, read back.

use serde::{Serialize, Serializer};
use tool_connect_core::store::SealedRecord;
use tool_connect_core::{
    AgentId, ApprovalId, CallId, ConnectionId, Effect, Error, ErrorKind, Result, Served, TenantId, ToolId,
    UserId,
};

use super::encode::{ERASED, UNREADABLE, VERSION, tag};
use super::entry::{EntryKind, Outcome};
use super::json;

/// The user in whose name the trail writes what no person did: [`EntryKind::Gap`], and secrets that a task of the library
/// opened.
pub const SYSTEM_USER: &str = "(tool-connect)";

/// What a record holds of a call's arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArgumentsHash {
    /// HMAC-SHA256 under the person's key, see [`Audit::arguments_hash`](super::Audit::arguments_hash).
    Keyed([u8; 32]),
    /// The person had been erased already.
    Erased,
    /// Typed arguments could not be written as JSON.
    Unreadable,
}

/// A record of the trail, decoded. It serialises to JSON for a person's export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditRecord {
    /// Whose chain.
    pub tenant: TenantId,
    /// Number in the chain; the first is 1.
    pub sequence: u64,
    /// When, in milliseconds since the Unix epoch.
    pub millis: u64,
    /// What it is about.
    pub kind: EntryKind,
    /// On whose behalf.
    pub user: UserId,
    /// The agent that acted for the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentId>,
    /// Which call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// Which tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<ToolId>,
    /// SHA-256 of the tool's definition as it was then.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "hex_option")]
    pub definition: Option<[u8; 32]>,
    /// The keyed hash of the arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<ArgumentsHash>,
    /// The connection that the call named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionId>,
    /// The approval that was asked for, used or decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalId>,
    /// How it ended; not in an intent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What may have been executed, where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// Whether the tool ran or an earlier result was served.
    pub served: Served,
    /// How long the call took, in nanoseconds; 0 where it is not known.
    pub took_ns: u64,
    /// Trace id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// How many records were lost; only in a gap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<u64>,
    /// When the first of them was made, in milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// The secret that was opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<OpenedSecret>,
}

/// A secret that was opened; never the secret. The record's user is who opened it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OpenedSecret {
    /// Whose it is: `user:ada`, `team:ops` or `tenant`.
    pub subject: String,
    /// The record that it stands in.
    pub record: String,
    /// The field of the record.
    pub field: String,
    /// The key that it was sealed with.
    pub key_id: String,
    /// What it was opened for.
    pub purpose: String,
}

impl AuditRecord {
    /// Reads a sealed record. This does not verify it.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for a record of a newer format, [`ErrorKind::Storage`] for one
    /// that is no record at all.
    pub fn decode(tenant: &TenantId, sealed: &SealedRecord) -> Result<Self> {
        let broken = |why: String| {
            Error::new(
                ErrorKind::Storage,
                "an audit record cannot be read; verify the chain, it may have been altered",
            )
            .with("sequence", sealed.sequence)
            .with("why", why)
        };
        let newer = |version: u64| {
            Error::new(
                ErrorKind::Unsupported,
                "an audit record is of a newer format; read it with a newer version of this library",
            )
            .with("sequence", sealed.sequence)
            .with("version", version)
        };
        let payload = &sealed.payload[..];
        let fields = if json::is_one(payload) { json::read(payload) } else { Fields::read(payload) };
        let fields = fields.map_err(|why| match why {
            Unread::Newer(version) => newer(version),
            Unread::Broken(why) => broken(why),
        })?;
        let Fields {
            kind,
            call,
            agent,
            tool,
            definition,
            arguments,
            connection,
            approval,
            outcome,
            effect,
            served,
            took_ns,
            trace,
            lost,
            since,
            secret,
        } = fields;
        Ok(Self {
            tenant: tenant.clone(),
            sequence: sealed.sequence,
            millis: sealed.millis,
            kind,
            user: sealed.user.clone(),
            agent,
            call,
            tool,
            definition,
            arguments,
            connection,
            approval,
            outcome,
            effect,
            served,
            took_ns,
            trace,
            lost,
            since,
            secret,
        })
    }
}

/// What a record holds.
pub(super) struct Fields {
    pub(super) kind: EntryKind,
    pub(super) call: Option<String>,
    pub(super) agent: Option<AgentId>,
    pub(super) tool: Option<ToolId>,
    pub(super) definition: Option<[u8; 32]>,
    pub(super) arguments: Option<ArgumentsHash>,
    pub(super) connection: Option<ConnectionId>,
    pub(super) approval: Option<ApprovalId>,
    pub(super) outcome: Option<Outcome>,
    pub(super) effect: Option<Effect>,
    pub(super) served: Served,
    pub(super) took_ns: u64,
    pub(super) trace: Option<String>,
    pub(super) lost: Option<u64>,
    pub(super) since: Option<u64>,
    pub(super) secret: Option<OpenedSecret>,
}

/// Why a record cannot be read.
pub(super) enum Unread {
    /// It is of this later version.
    Newer(u64),
    /// It is none; says where, and nothing of what stands there.
    Broken(String),
}

impl Unread {
    fn at(place: &str) -> Self {
        Self::Broken(place.to_owned())
    }
}

impl Fields {
    /// Reads a record of format 2.
    fn read(payload: &[u8]) -> Result<Self, Unread> {
        let (kind, mut rest) = match payload {
            [VERSION, kind, rest @ ..] => (*kind, rest),
            // No later format begins with a byte that is text.
            [version @ 3..=31, ..] => return Err(Unread::Newer(u64::from(*version))),
            _ => return Err(Unread::at("beginning")),
        };
        let kind = EntryKind::of_code(kind).ok_or_else(|| Unread::at("kind"))?;
        let mut fields = Self {
            kind,
            call: None,
            agent: None,
            tool: None,
            definition: None,
            arguments: None,
            connection: None,
            approval: None,
            outcome: None,
            effect: None,
            served: Served::Fresh,
            took_ns: 0,
            trace: None,
            lost: None,
            since: None,
            secret: None,
        };
        let mut last = 0;
        while !rest.is_empty() {
            let (tag, value, after) = split(rest).ok_or_else(|| Unread::at("length of a field"))?;
            if tag <= last {
                return Err(Unread::at("order of fields"));
            }
            fields.set(tag, value).ok_or_else(|| Unread::Broken(format!("field {tag}")))?;
            (last, rest) = (tag, after);
        }
        Ok(fields)
    }

    fn set(&mut self, tag: u8, value: &[u8]) -> Option<()> {
        match tag {
            tag::CALL => {
                let (prefix, sequence) = value.split_first_chunk()?;
                let call = CallId::new(u64::from_be_bytes(*prefix), number(sequence)?);
                self.call = Some(call.to_string());
            }
            tag::AGENT => self.agent = Some(AgentId::new(text(value)?).ok()?),
            tag::TOOL => self.tool = Some(ToolId::parse(text(value)?).ok()?),
            tag::DEFINITION => self.definition = Some(value.try_into().ok()?),
            tag::CONNECTION => self.connection = Some(ConnectionId::new(text(value)?).ok()?),
            tag::APPROVAL => self.approval = Some(ApprovalId::new(text(value)?).ok()?),
            tag::OUTCOME => self.outcome = Some(Outcome::parse(text(value)?)?),
            tag::EFFECT => {
                self.effect = Some(match value {
                    [0] => Effect::None,
                    [1] => Effect::NotExecuted,
                    [2] => Effect::Unknown,
                    _ => return None,
                });
            }
            tag::SERVED => {
                self.served = match value {
                    [1] => Served::Replay,
                    [2] => Served::Cache,
                    _ => return None,
                };
            }
            tag::TOOK => self.took_ns = number(value)?,
            tag::TRACE => self.trace = Some(text(value)?.to_owned()),
            tag::LOST => self.lost = Some(number(value)?),
            tag::SINCE => self.since = Some(number(value)?),
            tag::ARGUMENTS => {
                self.arguments = Some(match value {
                    [ERASED] => ArgumentsHash::Erased,
                    [UNREADABLE] => ArgumentsHash::Unreadable,
                    hash => ArgumentsHash::Keyed(hash.try_into().ok()?),
                });
            }
            tag::SUBJECT => self.opened().subject = text(value)?.to_owned(),
            tag::RECORD => self.opened().record = text(value)?.to_owned(),
            tag::FIELD => self.opened().field = text(value)?.to_owned(),
            tag::KEY => self.opened().key_id = text(value)?.to_owned(),
            tag::PURPOSE => self.opened().purpose = text(value)?.to_owned(),
            _ => return None,
        }
        Some(())
    }

    fn opened(&mut self) -> &mut OpenedSecret {
        self.secret.get_or_insert_default()
    }
}

/// The first field: its tag, its value, and what follows.
fn split(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (length, rest) = match bytes {
        [_, low @ 0..0x80, rest @ ..] => (usize::from(*low), rest),
        [_, low, high @ 0..0x80, rest @ ..] => (usize::from(*low & 0x7f) | usize::from(*high) << 7, rest),
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((*bytes.first()?, value, rest))
}

fn text(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value).ok()
}

/// A number of up to eight bytes, big endian.
fn number(value: &[u8]) -> Option<u64> {
    let mut bytes = [0; 8];
    bytes.get_mut(8_usize.checked_sub(value.len())?..)?.copy_from_slice(value);
    Some(u64::from_be_bytes(bytes))
}

/// Lowercase hex of a hash.
pub(super) fn hex_text(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// Bytes of a text of lowercase hex.
pub(super) fn unhex_bytes(text: &str) -> Option<Vec<u8>> {
    let nibble = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(nibble(*high)? << 4 | nibble(*low)?)).collect()
}

pub(super) fn unhex(text: &str) -> Option<[u8; 32]> {
    unhex_bytes(text)?.try_into().ok()
}

fn hex<S: Serializer>(hash: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex_text(hash))
}

fn hex_option<S: Serializer>(hash: &Option<[u8; 32]>, serializer: S) -> Result<S::Ok, S::Error> {
    match hash {
        Some(hash) => hex(hash, serializer),
        None => serializer.serialize_none(),
    }
}

impl Serialize for ArgumentsHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keyed(hash) => hex(hash, serializer),
            Self::Erased => serializer.serialize_str(json::ERASED),
            Self::Unreadable => serializer.serialize_str(json::UNREADABLE),
        }
    }
}
