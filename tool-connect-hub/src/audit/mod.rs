//! The audit trail: who called what, on whose behalf, and how it ended.
//!
//! Each tenant has one chain of segments, which are the records that were written together; each
//! segment's hash covers its records and the segment before, so that an
//! edit, a removal, an insertion or another order shows. Signed checkpoints, kept elsewhere, show
//! that the end was cut off. [`Audit`] reads, verifies and tends the trail.
//!
//! # Format
//!
//! A record's payload is the version, a byte 2; its kind, a byte (1 `intent`, 2 `outcome`,
//! 3 `approval`, 4 `erasure`, 5 `gap`, 6 `secret`); then fields by rising tag, each at most once: the tag, a byte;
//! the length of the value, seven bits a byte, the low ones first, the highest bit set on all but the
//! last; the value. Numbers are big endian without zeros in front. What has no meaning for a record
//! is left out.
//!
//! | tag | field | value |
//! | --- | --- | --- |
//! | 1 | the call's id | its prefix, eight bytes, and its number |
//! | 2 | the agent that acted for the user | text |
//! | 3, 4 | the tool's id, SHA-256 of its definition | text, 32 bytes |
//! | 5, 6 | connection, approval | text |
//! | 7 | outcome | text: `ok`, `input_required`, `task`, or the error's kind |
//! | 8 | effect | a byte: 0 none, 1 not executed, 2 unknown |
//! | 9 | served | a byte: 1 replay, 2 cache |
//! | 10 | how long the call took, in nanoseconds | number |
//! | 11 | trace id | text |
//! | 12, 13 | of a gap: how many records were lost, and the first one's time in milliseconds | numbers |
//! | 14 | [keyed hash](Audit::arguments_hash) of the arguments | 32 bytes; a byte 0: the person was erased; a byte 1: they could not be written |
//! | 15 to 19 | of a secret: whose it is, record, field, key id, purpose | texts |
//!
//! The user, the time (Unix milliseconds) and the payload of each record stand in the bytes of the
//! [`SealedSegment`](tool_connect_core::store::SealedSegment), whose documentation says how; the tenant and the numbers stand
//! beside them. The segment's hash is BLAKE3 over: a byte 3, the previous segment's hash, the first and the last record's
//! number in eight bytes each, the BLAKE3 hash of the segment's bytes; numbers are big endian. Before the first segment stands
//! the SHA-256 of the text `tc-audit-genesis-1` and the tenant.
//!
//! # Earlier formats
//!
//! Such records are in the same chains, each a segment of its own that begins with a byte 2. The hash of a record of
//! format 2, whose payload is the same as now, is SHA-256 over:
//! a byte 2, the previous record's hash, the number in eight bytes, the time in eight bytes, the
//! length of the user in two bytes, the user, the payload; numbers are big endian.
//!
//! Format 1 was JSON. With `len` for a length in eight bytes, big endian, its
//! hash is SHA-256 over: the text `tc-audit-1`, the previous record's hash, the number in eight
//! bytes, `len` and bytes of the user, the time in eight bytes, `len` and bytes of the payload.
//!
//! A checkpoint's signature covers the text `tc-audit-checkpoint-1`, then `len` and bytes of each:
//! the tenant, the last record's number, its hash, the time, the key's id; numbers in eight bytes.

mod chain;
mod checkpoint;
mod decode;
mod encode;
mod entry;
mod handle;
mod json;
mod keys;
mod queue;
mod seal;
mod secret;
mod settings;
#[cfg(test)]
mod tests;
mod trail;
mod verify;
mod wait;
mod writer;

pub use checkpoint::{
    CheckpointLine, CheckpointSigner, CheckpointVerifier, Ed25519Keys, Ed25519Signer, SignatureCheck,
};
pub use decode::{ArgumentsHash, AuditRecord, OpenedSecret, SYSTEM_USER};
pub(crate) use entry::{AuditEntry, AuditedTool};
pub use entry::{EntryKind, Outcome};
pub use handle::Audit;
pub use secret::SecretLog;
pub use settings::{AuditMode, AuditSettings};
pub(crate) use trail::{AuditTrail, QueueFull};
pub use verify::{Finding, Verification, verify_chain};
