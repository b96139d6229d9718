//! Opened secrets in the trail.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use tool_connect_core::{
    CallId, Error, ErrorKind, Principal, Result, SecretAccessLog, SecretActor, SecretOpened,
};

use super::decode::SYSTEM_USER;
use super::entry::{AuditEntry, EntryKind};
use super::trail::AuditTrail;

/// Writes every opened secret into the audit trail of a Hub.
///
/// A vault needs it before there is a Hub: make one, give a clone to the vault and another to
/// [`HubBuilder::secret_log`](crate::HubBuilder::secret_log). Until the Hub is built nothing can be written, so nothing
/// opens.
///
/// With [`AuditMode::FailClosed`](super::AuditMode::FailClosed) the record is durable before the secret is handed out.
///
/// ```
/// use tool_connect_hub::Hub;
/// use tool_connect_hub::audit::SecretLog;
///
/// let log = SecretLog::new();
/// // .. a vault with `access_log(Arc::new(log.clone()))`, connections with that vault ..
/// let hub = Hub::builder().secret_log(&log).build()?;
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct SecretLog(Arc<OnceLock<Arc<AuditTrail>>>);

impl std::fmt::Debug for SecretLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretLog").field("bound", &self.0.get().is_some()).finish()
    }
}

impl SecretLog {
    /// A log that belongs to no Hub yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Belongs to this trail from now on.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where it belongs to another Hub already.
    pub(crate) fn bind(&self, trail: &Arc<AuditTrail>) -> Result<()> {
        self.0.set(Arc::clone(trail)).map_err(|_| {
            Error::new(ErrorKind::Config, "a log of opened secrets belongs to one Hub; make another one")
        })
    }
}

#[async_trait]
impl SecretAccessLog for SecretLog {
    async fn opened(&self, opened: &SecretOpened<'_>) -> Result<()> {
        let Some(trail) = self.0.get() else {
            return Err(Error::new(
                ErrorKind::AuditUnavailable,
                "the log of opened secrets belongs to no Hub yet; give it to `HubBuilder::secret_log`",
            ));
        };
        let principal = match &opened.access.actor {
            SecretActor::Principal(principal) if principal.tenant == *opened.tenant => {
                Arc::new(Principal::clone(principal))
            }
            SecretActor::Principal(_) => {
                return Err(Error::new(
                    ErrorKind::Denied,
                    "a principal of another tenant cannot open this tenant's secrets",
                ));
            }
            _ => Arc::new(Principal::user(opened.tenant, SYSTEM_USER)?),
        };
        let now = trail.shared().clock.monotonic();
        let mut entry = AuditEntry::new(EntryKind::Secret, CallId::new(0, 0), &principal, now);
        entry.secret = Some(opened);
        trail.commit(&entry).await
    }
}
