//! What the call stack hands over.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tool_connect_core::{
    ApprovalId, Arguments, CallId, ConnectionId, Effect, ErrorKind, Principal, SecretOpened, Served, ToolId,
};

/// What the trail writes of a tool: its id and the hash of its definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuditedTool {
    /// The full id.
    pub(crate) id: ToolId,
    /// SHA-256 of the definition, as the registry computes it.
    pub(crate) definition: [u8; 32],
}

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EntryKind {
    /// A write is about to run.
    Intent,
    /// A call ended.
    Outcome,
    /// A person decided an approval: outcome `ok` means that it was given.
    Approval,
    /// A person's key was destroyed, so that the hashes of their arguments mean nothing any more.
    Erasure,
    /// Records were lost because the queue was full; the record says how many.
    Gap,
    /// A sealed secret was opened.
    Secret,
}

impl EntryKind {
    /// The kind's stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Outcome => "outcome",
            Self::Approval => "approval",
            Self::Erasure => "erasure",
            Self::Gap => "gap",
            Self::Secret => "secret",
        }
    }

    /// The kind's number in a record.
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Intent => 1,
            Self::Outcome => 2,
            Self::Approval => 3,
            Self::Erasure => 4,
            Self::Gap => 5,
            Self::Secret => 6,
        }
    }

    pub(super) fn of_code(code: u8) -> Option<Self> {
        [Self::Intent, Self::Outcome, Self::Approval, Self::Erasure, Self::Gap, Self::Secret]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Outcome {
    /// It is done.
    Ok,
    /// Somebody must act first.
    InputRequired,
    /// It goes on as a durable job.
    Task,
    /// It failed.
    Error(ErrorKind),
}

impl Outcome {
    /// The stable name: `ok`, `input_required`, `task` or the error's kind.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::InputRequired => ErrorKind::InputRequired.as_str(),
            Self::Task => ErrorKind::Task.as_str(),
            Self::Error(kind) => kind.as_str(),
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        [Self::Ok, Self::InputRequired, Self::Task]
            .into_iter()
            .chain(ErrorKind::ALL.iter().map(|kind| Self::Error(*kind)))
            .find(|outcome| outcome.as_str() == name)
    }
}

impl From<Outcome> for String {
    fn from(outcome: Outcome) -> Self {
        outcome.as_str().to_owned()
    }
}

impl TryFrom<String> for Outcome {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        Self::parse(&name).ok_or_else(|| format!("`{name}` is not an outcome"))
    }
}

/// One entry, lent by the call stack; the queue copies what it needs. The principal, which threads
/// share, is lent as the pointer that it is: the queue clones it once per batch and not once per
/// call, so that two threads do not fight for its count.
#[derive(Clone, Debug)]
pub(crate) struct AuditEntry<'a> {
    pub(crate) kind: EntryKind,
    pub(crate) call: CallId,
    pub(crate) principal: &'a Arc<Principal>,
    /// `None` where the call names no known tool.
    pub(crate) tool: Option<&'a Arc<AuditedTool>>,
    /// Hashed off the path. Give it once per call: with the intent of a write, else the outcome.
    pub(crate) arguments: Option<&'a Arguments>,
    pub(crate) connection: Option<&'a ConnectionId>,
    pub(crate) approval: Option<&'a ApprovalId>,
    /// `None` for an intent, whose end is not known yet.
    pub(crate) outcome: Option<Outcome>,
    pub(crate) effect: Option<Effect>,
    pub(crate) served: Served,
    /// When, by the trail's monotonic clock, in nanoseconds.
    pub(crate) at: u64,
    /// How long the call took, in nanoseconds.
    pub(crate) took: u64,
    /// Trace id or `traceparent`; cut after 256 bytes.
    pub(crate) trace: Option<&'a str>,
    /// The secret that was opened.
    pub(crate) secret: Option<&'a SecretOpened<'a>>,
}

impl<'a> AuditEntry<'a> {
    /// An entry with nothing but what every entry has.
    pub(crate) fn new(kind: EntryKind, call: CallId, principal: &'a Arc<Principal>, at: u64) -> Self {
        Self {
            kind,
            call,
            principal,
            tool: None,
            arguments: None,
            connection: None,
            approval: None,
            outcome: None,
            effect: None,
            served: Served::Fresh,
            at,
            took: 0,
            trace: None,
            secret: None,
        }
    }
}
