//! Puts everything that a store holds under the current key, while others read and write.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use serde::Deserialize;
use tool_connect_core::store::{CredentialCursor, CredentialFilter, CredentialStore, StoredCredential};
use tool_connect_core::{ErrorKind, Result, Rewrapped, TenantId, Vault};

use super::place::place_of;
use super::subject::is_tombstone;

/// Other writers can come between so many times before a row is left to the next pass.
const TRIES: usize = 8;
/// Failures that are kept in words.
const KEPT: usize = 100;

/// How a rotation goes about it. Every field has a default; unknown fields are refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RotationSettings {
    /// Only what is sealed with this key; unset, everything that is not under its tenant's current key.
    pub from: Option<String>,
    /// Only this tenant's.
    pub tenant: Option<TenantId>,
    /// Rows that are read at once.
    pub page: usize,
    /// Rows that are rewrapped at the same time.
    pub in_flight: usize,
    /// Rows a second at most; 0 for no bound.
    pub per_second: u32,
    /// How often it goes over the store again, for rows that others wrote meanwhile.
    pub passes: u32,
}

impl Default for RotationSettings {
    fn default() -> Self {
        Self { from: None, tenant: None, page: 256, in_flight: 16, per_second: 0, passes: 10 }
    }
}

/// What a rotation did so far, or did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RotationReport {
    /// Rows that were looked at, those of later passes again.
    pub seen: u64,
    /// Rows that were put under the current key.
    pub rewrapped: u64,
    /// Times that somebody else wrote a row in between; it was read again.
    pub conflicts: u64,
    /// Rows that are still not under the current key after the last pass.
    pub left: u64,
    /// Rows that cannot be rewrapped, in the last pass.
    pub failed: u64,
    /// The first of those: the row's name and why.
    pub failures: Vec<String>,
    /// Passes over the store.
    pub passes: u32,
}

impl RotationReport {
    /// Whether everything is under the current key, so that the old one is no longer needed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.left == 0 && self.failed == 0
    }
}

impl fmt::Display for RotationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} rewrapped, {} left, {} failed ({} looked at in {} passes, {} conflicts)",
            self.rewrapped, self.left, self.failed, self.seen, self.passes, self.conflicts
        )
    }
}

/// A rotation with somebody who watches.
pub struct Rotation<'a> {
    store: &'a dyn CredentialStore,
    vault: &'a dyn Vault,
    settings: RotationSettings,
    progress: Box<dyn FnMut(&RotationReport) + Send + 'a>,
}

impl fmt::Debug for Rotation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotation").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Puts everything in a store under the current key: the data keys are wrapped anew, the secrets stay sealed as they are and
/// are never decrypted. Reads and writes go on meanwhile; a row that somebody else writes in between is read again. It keeps no
/// state of its own: killed and begun again, it goes on with what is left. Several may run at once.
///
/// The vault's provider must have the old and the new key, and the new one must be current in every process that seals:
/// otherwise others go on sealing with the old one, and [`RotationReport::left`] tells.
///
/// ```
/// use std::sync::Arc;
///
/// use tool_connect_core::store::CredentialStore;
/// use tool_connect_core::{Result, Vault};
/// use tool_connect_oauth::vault::{RotationSettings, rotate};
///
/// async fn rotate_all(store: Arc<dyn CredentialStore>, vault: Arc<dyn Vault>) -> Result<()> {
///     let report = rotate(&*store, &*vault, RotationSettings::default()).await?;
///     assert!(report.is_complete(), "{report}");
///     Ok(())
/// }
/// ```
///
/// # Errors
/// Those of the store and of the key provider; a row that cannot be rewrapped is no error, it is counted and named in the
/// report. After an error it can be called again.
pub async fn rotate(
    store: &dyn CredentialStore,
    vault: &dyn Vault,
    settings: RotationSettings,
) -> Result<RotationReport> {
    Rotation::new(store, vault, settings).run().await
}

/// What became of one row.
enum Row {
    Current,
    Rewrapped,
    Left,
    Failed(String),
}

impl<'a> Rotation<'a> {
    /// A rotation of what a store holds.
    #[must_use]
    pub fn new(store: &'a dyn CredentialStore, vault: &'a dyn Vault, settings: RotationSettings) -> Self {
        Self { store, vault, settings, progress: Box::new(|_| ()) }
    }

    /// Is called after each page with what was done so far.
    #[must_use]
    pub fn on_progress(mut self, progress: impl FnMut(&RotationReport) + Send + 'a) -> Self {
        self.progress = Box::new(progress);
        self
    }

    /// Does it, see [`rotate`].
    ///
    /// # Errors
    /// As [`rotate`].
    pub async fn run(mut self) -> Result<RotationReport> {
        let mut report = RotationReport::default();
        for _ in 0..self.settings.passes.max(1) {
            report.passes += 1;
            (report.left, report.failed) = (0, 0);
            report.failures.clear();
            let before = report.rewrapped;
            self.pass(&mut report).await?;
            // Done where a whole pass found nothing to do; what failed is no better in the next pass.
            if report.rewrapped == before && report.left == 0 {
                break;
            }
        }
        Ok(report)
    }

    async fn pass(&mut self, report: &mut RotationReport) -> Result<()> {
        let filter = CredentialFilter {
            tenant: self.settings.tenant.clone(),
            key_id: self.settings.from.clone(),
            ..CredentialFilter::default()
        };
        let mut current: BTreeMap<TenantId, String> = BTreeMap::new();
        let mut after: Option<CredentialCursor> = None;
        let mut pace = Pace::new(self.settings.per_second);
        loop {
            let rows = self.store.scan(&filter, after.as_ref(), self.settings.page.max(1)).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some((last.tenant.clone(), last.key.clone()));
            report.seen += rows.len() as u64;
            let mut stale = Vec::new();
            for row in rows {
                if !current.contains_key(&row.tenant) {
                    // Asked once a page: many tenants do not pile up.
                    let id = self.vault.current_key_id(&row.tenant).await?;
                    current.insert(row.tenant.clone(), id);
                }
                // The sealed bytes say it, not the column beside them, which a writer may have got wrong.
                let is_current = self
                    .vault
                    .key_id(&row.sealed)
                    .is_ok_and(|id| id == row.key_id && current.get(&row.tenant) == Some(&id));
                if !is_current && !is_tombstone(&row) {
                    stale.push(row);
                }
            }
            current.clear();
            for part in stale.chunks(self.settings.in_flight.max(1)) {
                pace.wait(part.len()).await;
                let (store, vault) = (self.store, self.vault);
                let done: Vec<Result<(Row, u64)>> = stream::iter(part.to_vec())
                    .map(|row| one(store, vault, row))
                    .buffer_unordered(self.settings.in_flight.max(1))
                    .collect()
                    .await;
                for row in done {
                    let (row, conflicts) = row?;
                    report.conflicts += conflicts;
                    match row {
                        Row::Current => {}
                        Row::Rewrapped => report.rewrapped += 1,
                        Row::Left => report.left += 1,
                        Row::Failed(why) => {
                            report.failed += 1;
                            if report.failures.len() < KEPT {
                                report.failures.push(why);
                            }
                        }
                    }
                }
            }
            (self.progress)(report);
        }
    }
}

/// One row, and how often somebody came between.
async fn one(
    store: &dyn CredentialStore,
    vault: &dyn Vault,
    mut row: StoredCredential,
) -> Result<(Row, u64)> {
    let mut conflicts = 0;
    for _ in 0..TRIES {
        let name = (row.tenant.clone(), row.key.clone());
        match vault.rewrap(&place_of(&row), &row.sealed).await {
            // What the row says of its key can only be wrong if a writer was: put it right.
            Ok(Rewrapped::Current) => {
                let key_id = vault.key_id(&row.sealed)?;
                if row.key_id == key_id {
                    return Ok((Row::Current, conflicts));
                }
                row.key_id = key_id;
            }
            Ok(Rewrapped::Changed(sealed)) => {
                row.key_id = vault.key_id(&sealed)?;
                row.sealed = sealed;
            }
            Ok(_) => return Ok((Row::Left, conflicts)),
            Err(error) if error.kind() == ErrorKind::Vault => {
                return Ok((Row::Failed(format!("{}/{}: {error}", name.0, name.1)), conflicts));
            }
            Err(error) => return Err(error),
        }
        match store.put(row).await {
            Ok(_) => return Ok((Row::Rewrapped, conflicts)),
            Err(error) if error.kind() == ErrorKind::Conflict => conflicts += 1,
            Err(error) => return Err(error),
        }
        match store.get(&name.0, &name.1).await? {
            Some(again) if !is_tombstone(&again) => row = again,
            _ => return Ok((Row::Current, conflicts)),
        }
    }
    Ok((Row::Left, conflicts))
}

/// Holds a rate: so many rows a second, no burst.
struct Pace {
    each: Duration,
    next: Option<tokio::time::Instant>,
}

impl Pace {
    fn new(per_second: u32) -> Self {
        let each = Duration::from_secs(1).checked_div(per_second).unwrap_or_default();
        Self { each, next: None }
    }

    async fn wait(&mut self, rows: usize) {
        if self.each.is_zero() {
            return;
        }
        let now = tokio::time::Instant::now();
        let begin = self.next.map_or(now, |next| next.max(now));
        tokio::time::sleep_until(begin).await;
        self.next = Some(begin + self.each * u32::try_from(rows).unwrap_or(u32::MAX));
    }
}
