//! How the trail is kept.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What happens to calls when the trail cannot be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditMode {
    /// A write runs only after its intent is durable, and a result is given out only after its
    /// record found a place in the queue.
    #[default]
    FailClosed,
    /// Calls go on; records that find no place are counted, and the count is written later.
    FailOpen,
    /// Nothing is recorded.
    Off,
}

/// Settings of the audit trail.
///
/// ```
/// use tool_connect_hub::audit::{AuditMode, AuditSettings};
/// let settings: AuditSettings = serde_json::from_str(r#"{"mode":"fail_open","linger":"5ms"}"#)?;
/// assert_eq!(settings.mode, AuditMode::FailOpen);
/// assert_eq!(settings.batch, AuditSettings::default().batch);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditSettings {
    /// What happens to calls when the trail cannot be written.
    pub mode: AuditMode,
    /// How many records may wait to be written, at least one per thread; as many again may be held
    /// by the writer. A record takes about 100 bytes, its ids and up to 4 KiB of arguments.
    pub queue: usize,
    /// How many records go to the store at once, at least 1.
    pub batch: usize,
    /// How long a queued record may wait for company.
    #[serde(with = "tool_connect_core::duration")]
    pub linger: Duration,
    /// How long the store may take for one step before it counts as failed.
    #[serde(with = "tool_connect_core::duration")]
    pub timeout: Duration,
    /// After how many records of a tenant a checkpoint is signed; 0 means only at shutdown and on
    /// demand.
    pub checkpoint_every: u64,
    /// Whether the keyed hash of a call's arguments is recorded.
    pub hash_arguments: bool,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self {
            mode: AuditMode::default(),
            queue: 16_384,
            batch: 1_024,
            linger: Duration::from_millis(2),
            timeout: Duration::from_secs(5),
            checkpoint_every: 10_000,
            hash_arguments: true,
        }
    }
}
