//! Records of format 1, which were JSON: they are read and verified for ever, and never written.

use serde::Deserialize;
use tool_connect_core::store::SealedRecord;
use tool_connect_core::{AgentId, ApprovalId, ConnectionId, Effect, Served, ToolId};

use super::chain::length;
use super::decode::{ArgumentsHash, Fields, Unread, unhex};
use super::entry::{EntryKind, Outcome};

/// Stands in place of the hash where the person was erased.
pub(super) const ERASED: &str = "erased";
/// Stands in place of the hash where typed arguments could not be written.
pub(super) const UNREADABLE: &str = "unreadable";

const VERSION: u64 = 1;
const RECORD: &[u8] = b"tc-audit-1";

/// Whether a payload is of format 1; a later one begins with its version.
pub(super) fn is_one(payload: &[u8]) -> bool {
    payload.first() == Some(&b'{')
}

/// Appends what the hash of such a record covers.
pub(super) fn link(buffer: &mut Vec<u8>, previous: &[u8; 32], sequence: u64, record: &SealedRecord) {
    let user = record.user.as_str().as_bytes();
    buffer.extend_from_slice(RECORD);
    buffer.extend_from_slice(previous);
    buffer.extend_from_slice(&sequence.to_be_bytes());
    buffer.extend_from_slice(&length(user));
    buffer.extend_from_slice(user);
    buffer.extend_from_slice(&record.millis.to_be_bytes());
    buffer.extend_from_slice(&length(&record.payload));
    buffer.extend_from_slice(&record.payload);
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

/// Reads such a record.
pub(super) fn read(payload: &[u8]) -> Result<Fields, Unread> {
    let broken = |what: &str| Unread::Broken(what.to_owned());
    let Version { v } = serde_json::from_slice(payload).map_err(|e| place(&e))?;
    if v != VERSION {
        return Err(Unread::Newer(v));
    }
    let wire: Wire = serde_json::from_slice(payload).map_err(|e| place(&e))?;
    let arguments = match wire.arguments.as_deref() {
        None => None,
        Some(ERASED) => Some(ArgumentsHash::Erased),
        Some(UNREADABLE) => Some(ArgumentsHash::Unreadable),
        Some(hash) => Some(ArgumentsHash::Keyed(unhex(hash).ok_or_else(|| broken("arguments"))?)),
    };
    let definition = match wire.definition {
        None => None,
        Some(hash) => Some(unhex(&hash).ok_or_else(|| broken("definition"))?),
    };
    Ok(Fields {
        kind: wire.kind,
        call: wire.call,
        agent: wire.agent,
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
        secret: None,
    })
}

/// Where it failed, without the text that failed.
fn place(error: &serde_json::Error) -> Unread {
    Unread::Broken(format!("line {}, column {}", error.line(), error.column()))
}
