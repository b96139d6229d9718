//! The audit trail: who called what, on whose behalf, and how it ended.
//!
//! Each tenant has one chain of records; each record's hash covers the one before, so that an
//! edit, a removal, an insertion or another order shows. Signed checkpoints, kept elsewhere, show
//! that the end was cut off. [`Audit`] reads, verifies and tends the trail.
//!
//! # Format
//!
//! A record's payload is JSON without spaces, with these fields in this order; those without a
//! meaning for the record are left out. Values are strings and unsigned integers.
//!
//! | field | value |
//! | --- | --- |
//! | `v` | the format's version, 1 |
//! | `kind` | `intent`, `outcome`, `approval`, `erasure`, `gap` |
//! | `call` | the call's id |
//! | `agent` | the agent that acted for the user |
//! | `tool`, `definition` | the tool's id, SHA-256 of its definition in hex |
//! | `arguments` | [keyed hash](Audit::arguments_hash) in hex, or `erased`, or `unreadable` |
//! | `connection`, `approval` | ids |
//! | `outcome` | `ok`, `input_required`, `task`, or the error's kind |
//! | `effect` | `none`, `not_executed`, `unknown` |
//! | `served` | `replay`, `cache` |
//! | `took_ns` | how long the call took, in nanoseconds |
//! | `trace` | trace id |
//! | `lost`, `since` | of a gap: how many records were lost, and the first one's time in milliseconds |
//!
//! The tenant, the user, the time (Unix milliseconds) and the number stand beside the payload in
//! the [`SealedRecord`](tool_connect_core::store::SealedRecord). With `u64` for eight bytes, big
//! endian, and `len` for a length as `u64`, the hash is SHA-256 over: the text `tc-audit-1`, the
//! previous record's hash, the number as `u64`, `len` and bytes of the user, the time as `u64`,
//! `len` and bytes of the payload. Before the first record stands the SHA-256 of the text
//! `tc-audit-genesis-1` and the tenant.
//!
//! A checkpoint's signature covers the text `tc-audit-checkpoint-1`, then `len` and bytes of each:
//! the tenant, the last record's number as `u64`, its hash, the time as `u64`, the key's id.

mod chain;
mod checkpoint;
mod decode;
mod encode;
mod entry;
mod handle;
mod keys;
mod queue;
mod seal;
mod settings;
#[cfg(test)]
mod tests;
mod trail;
mod verify;
mod writer;

pub use checkpoint::{
    CheckpointLine, CheckpointSigner, CheckpointVerifier, Ed25519Keys, Ed25519Signer, SignatureCheck,
};
pub use decode::{ArgumentsHash, AuditRecord, SYSTEM_USER};
pub(crate) use entry::{AuditEntry, AuditedTool};
pub use entry::{EntryKind, Outcome};
pub use handle::Audit;
pub use settings::{AuditMode, AuditSettings};
pub(crate) use trail::{AuditTrail, QueueFull};
pub use verify::{Finding, Verification, verify_chain};
