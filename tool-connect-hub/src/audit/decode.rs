//! A record, read back.

use serde::{Deserialize, Serialize, Serializer};
use tool_connect_core::store::SealedRecord;
use tool_connect_core::{
    AgentId, ApprovalId, ConnectionId, Effect, Error, ErrorKind, Result, Served, TenantId, ToolId, UserId,
};

use super::encode::{self, ERASED, UNREADABLE, VERSION};
use super::entry::{EntryKind, Outcome};

/// The user in whose name the trail writes what concerns no person: [`EntryKind::Gap`].
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
    /// The record's hash, which the next one builds on.
    #[serde(serialize_with = "hex")]
    pub hash: [u8; 32],
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
}

/// The fields as they are written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    #[serde(rename = "v")]
    _version: u64,
    kind: EntryKind,
    call: Option<String>,
    agent: Option<AgentId>,
    tool: Option<ToolId>,
    definition: Option<String>,
    arguments: Option<String>,
    connection: Option<ConnectionId>,
    approval: Option<ApprovalId>,
    outcome: Option<Outcome>,
    effect: Option<Effect>,
    #[serde(default)]
    served: Served,
    #[serde(default)]
    took_ns: u64,
    trace: Option<String>,
    lost: Option<u64>,
    since: Option<u64>,
}

#[derive(Deserialize)]
struct Version {
    v: u64,
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
        let Version { v } = serde_json::from_slice(&sealed.payload).map_err(|e| broken(place(&e)))?;
        if v != VERSION {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "an audit record is of a newer format; read it with a newer version of this library",
            )
            .with("sequence", sealed.sequence)
            .with("version", v));
        }
        let wire: Wire = serde_json::from_slice(&sealed.payload).map_err(|e| broken(place(&e)))?;
        let arguments = match wire.arguments.as_deref() {
            None => None,
            Some(ERASED) => Some(ArgumentsHash::Erased),
            Some(UNREADABLE) => Some(ArgumentsHash::Unreadable),
            Some(hash) => {
                Some(ArgumentsHash::Keyed(unhex(hash).ok_or_else(|| broken("arguments".to_owned()))?))
            }
        };
        let definition = match wire.definition {
            None => None,
            Some(hash) => Some(unhex(&hash).ok_or_else(|| broken("definition".to_owned()))?),
        };
        Ok(Self {
            tenant: tenant.clone(),
            sequence: sealed.sequence,
            hash: sealed.hash,
            millis: sealed.millis,
            kind: wire.kind,
            user: sealed.user.clone(),
            agent: wire.agent,
            call: wire.call,
            tool: wire.tool,
            definition,
            arguments,
            connection: wire.connection,
            approval: wire.approval,
            outcome: wire.outcome,
            effect: wire.effect,
            served: wire.served,
            took_ns: wire.took_ns,
            trace: wire.trace,
            lost: wire.lost,
            since: wire.since,
        })
    }
}

/// Where it failed, without the text that failed.
fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

/// Lowercase hex of a hash.
pub(super) fn hex_text(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len() * 2);
    encode::hex(&mut out, bytes);
    String::from_utf8(out).unwrap_or_default()
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
            Self::Erased => serializer.serialize_str(ERASED),
            Self::Unreadable => serializer.serialize_str(UNREADABLE),
        }
    }
}
