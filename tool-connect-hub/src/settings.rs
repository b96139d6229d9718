//! Settings of a Hub, from code or from a file.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use tool_connect_core::{Error, ErrorKind, Result};

use crate::audit::AuditSettings;
use crate::cache::CacheSettings;
use crate::limits::LimitSettings;
use crate::policy::RolePolicy;
use crate::shape::ShapeSettings;
use crate::transport::HttpSettings;

/// Settings of a Hub. Every field has a default; unknown fields are refused.
///
/// ```
/// use tool_connect_hub::HubSettings;
/// let settings = HubSettings::from_toml(r#"
///     default_timeout = "20s"
///     metrics = true
///
///     [limits]
///     user = { permits = 60, period = "1m" }
///
///     [policy]
///     approve = "agent_writes"
///     roles.reader = ["files.read"]
///
///     [audit]
///     mode = "fail_open"
/// "#)?;
/// assert!(settings.metrics);
/// assert!(HubSettings::from_toml("defalt_timeout = '1s'").is_err());
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HubSettings {
    /// Time of a call whose tool sets none.
    #[serde(with = "tool_connect_core::duration::option")]
    pub default_timeout: Option<Duration>,
    /// Largest arguments of a call, in bytes.
    pub max_argument_bytes: usize,
    /// Largest structured result, in bytes; a larger one goes to the result store and the call
    /// returns its handle.
    pub max_result_bytes: usize,
    /// How long a result that went to the store is kept there.
    #[serde(with = "tool_connect_core::duration")]
    pub result_keep: Duration,
    /// How long an idempotency key is remembered.
    #[serde(with = "tool_connect_core::duration")]
    pub idempotency_keep: Duration,
    /// How long an approval can be decided and used.
    #[serde(with = "tool_connect_core::duration")]
    pub approval_ttl: Duration,
    /// How long grants and connections are remembered; a change made by another process is seen
    /// after this time at the latest, one made through this Hub at once.
    #[serde(with = "tool_connect_core::duration")]
    pub memory: Duration,
    /// How long a call waits for an answer of a store before it fails.
    #[serde(with = "tool_connect_core::duration")]
    pub store_timeout: Duration,
    /// How long a call waits for a place where an instance runs as many as it may.
    #[serde(with = "tool_connect_core::duration")]
    pub concurrency_wait: Duration,
    /// Whether metrics are written; install the recorder first.
    pub metrics: bool,
    /// Limits of calls.
    pub limits: LimitSettings,
    /// Roles and approvals.
    pub policy: RolePolicy,
    /// The audit trail.
    pub audit: AuditSettings,
    /// The request stack.
    pub http: HttpSettings,
    /// The cache of reads.
    pub cache: CacheSettings,
    /// How large results of calls by name may be before they are cut.
    pub shape: ShapeSettings,
}

impl Default for HubSettings {
    fn default() -> Self {
        let hours = |h: u64| Duration::from_secs(h * 3600);
        Self {
            default_timeout: Some(Duration::from_secs(60)),
            max_argument_bytes: 4 * 1024 * 1024,
            max_result_bytes: 1024 * 1024,
            result_keep: hours(24),
            idempotency_keep: hours(24),
            approval_ttl: hours(24),
            memory: Duration::from_secs(2),
            store_timeout: Duration::from_secs(10),
            concurrency_wait: Duration::from_secs(5),
            metrics: false,
            limits: LimitSettings::default(),
            policy: RolePolicy::default(),
            audit: AuditSettings::default(),
            http: HttpSettings::default(),
            cache: CacheSettings::default(),
            shape: ShapeSettings::default(),
        }
    }
}

impl HubSettings {
    /// Reads settings from TOML text.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] that names the line and what is wrong.
    pub fn from_toml(text: &str) -> Result<Self> {
        toml::from_str(text)
            .map_err(|e| Error::new(ErrorKind::Config, format!("the settings cannot be read: {e}")))
    }

    /// Reads settings from a TOML file.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] that names the file, the line and what is wrong.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|e| {
            Error::new(ErrorKind::Config, format!("the settings file {} cannot be read: {e}", path.display()))
        })?;
        Self::from_toml(&text).map_err(|e| e.with("file", path.display()))
    }
}
