//! Something that happened: one enum for the whole system.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::connection::{ConnectionStatus, Owner};
use crate::error::ErrorKind;
use crate::ids::{AgentId, ApprovalId, ConnectionId, InstanceId, TenantId, ToolId, UserId};

/// Something that happened, with when and where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub time: SystemTime,
    /// In which tenant; `None` for the host's own.
    pub tenant: Option<TenantId>,
    /// What.
    pub what: EventKind,
}

/// What happened. Never an argument, a result or a secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// A call ended.
    CallFinished {
        /// The call.
        call: String,
        /// Which tool.
        tool: ToolId,
        /// On whose behalf.
        user: UserId,
        /// Through which agent.
        agent: Option<AgentId>,
        /// How it ended: `ok`, `input_required`, `task` or the error's kind.
        outcome: String,
        /// How long it took.
        #[serde(with = "crate::duration")]
        took: Duration,
    },
    /// A person is asked to approve a call.
    ApprovalRequested {
        /// The approval.
        approval: ApprovalId,
        /// Which tool.
        tool: ToolId,
        /// Who asked.
        user: UserId,
    },
    /// An approval was decided.
    ApprovalDecided {
        /// The approval.
        approval: ApprovalId,
        /// Whether it was given.
        approved: bool,
        /// By whom.
        by: UserId,
    },
    /// A connection changed.
    ConnectionChanged {
        /// The connection.
        connection: ConnectionId,
        /// Where it stands now.
        status: ConnectionStatus,
    },
    /// An account was not connected: the user said no, the provider refused, or an answer was not to be trusted.
    ConnectFailed {
        /// The connector instance.
        instance: InstanceId,
        /// Who was to connect it.
        user: UserId,
        /// The kind of failure; `denied` where the user said no.
        kind: ErrorKind,
        /// What happened, in words that stay the same.
        reason: String,
    },
    /// A secret was renewed.
    CredentialRefreshed {
        /// The connection.
        connection: ConnectionId,
    },
    /// A secret could not be renewed.
    RefreshFailed {
        /// The connection.
        connection: ConnectionId,
        /// The kind of failure.
        kind: ErrorKind,
        /// What happened, and what to do; without secrets.
        reason: String,
    },
    /// A subject's key was destroyed: none of its secrets can be opened any more.
    SubjectErased {
        /// Whose.
        subject: Owner,
    },
    /// A circuit breaker changed its state.
    BreakerChanged {
        /// The connector instance.
        instance: InstanceId,
        /// The host that it stands before.
        host: String,
        /// `closed`, `open`, `half_open`, `forced_open` or `forced_closed`.
        state: String,
    },
    /// A limit refused a call or a request.
    LimitRefused {
        /// Which tool.
        tool: ToolId,
        /// Which limit.
        limit: String,
    },
    /// A tool was switched off because its definition is broken.
    ToolQuarantined {
        /// Which tool.
        tool: ToolId,
        /// Why.
        problems: Vec<String>,
    },
    /// Connectors were added, replaced or removed.
    RegistryChanged {
        /// The instance.
        instance: InstanceId,
        /// Whether it is there now.
        present: bool,
    },
    /// The audit trail could not be written.
    AuditFailed {
        /// The kind of failure.
        kind: ErrorKind,
        /// How many records are affected.
        records: u64,
    },
}

/// Hears of events; must not block.
pub trait EventSink: Send + Sync + 'static {
    /// Called on the thread where it happened.
    fn emit(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync + 'static> EventSink for F {
    fn emit(&self, event: &Event) {
        self(event);
    }
}

impl std::fmt::Debug for dyn EventSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EventSink")
    }
}

/// Sinks, called in order.
pub type EventSinks = Vec<Arc<dyn EventSink>>;
