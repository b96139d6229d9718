//! A look over all sealed values at start: which keys they need, and which of those are missing.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use tool_connect_core::store::{CredentialFilter, CredentialStore};
use tool_connect_core::{Error, ErrorKind, Result, TenantId};

use super::envelope::EnvelopeVault;
use super::format::Sealed;
use super::place::place_of;
use super::provider::KeyStanding;
use super::subject::is_tombstone;

/// Rows that are read at once.
const PAGE: usize = 512;
/// Problems that are named one by one.
const SHOWN: usize = 16;

/// Values of a tenant and a key that are tried before the key counts as the wrong one: a damaged row is no wrong key.
const TRIED: u32 = 8;

/// A tenant's key as far as it was looked at.
struct Seen {
    standing: KeyStanding,
    fits: bool,
    misfits: u32,
    why: Option<String>,
}

impl Seen {
    fn is_open(&self) -> bool {
        let usable = matches!(self.standing, KeyStanding::Current | KeyStanding::Accepted);
        usable && !self.fits && self.misfits < TRIED
    }
}

/// Which keys the sealed values of a store need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyUse {
    /// By key id and standing, in order.
    pub keys: Vec<KeyInUse>,
    /// Subjects that were erased.
    pub erased: u64,
}

/// A key and how many values need it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyInUse {
    /// The key's id.
    pub id: String,
    /// Where it stands. A tenant with keys of its own may have another current one than the others.
    pub standing: KeyStanding,
    /// Values that are sealed with it.
    pub values: u64,
}

impl EnvelopeVault {
    /// Looks at every row of a store: is each key there that one needs, and is it the key that sealed it? For the start of a
    /// process, so that a wrong key file is found before a user finds it. Opens nothing: of each tenant and key a data key is
    /// unwrapped and dropped.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] that names each key id that is missing, refused for its age, or not the key that sealed what it
    /// should open, with the number of values; and those of the store.
    pub async fn check(&self, store: &dyn CredentialStore) -> Result<KeyUse> {
        let mut use_ = KeyUse::default();
        let mut seen: BTreeMap<(TenantId, String), Seen> = BTreeMap::new();
        let mut counts: BTreeMap<(String, u8), (KeyStanding, u64)> = BTreeMap::new();
        let mut unreadable = 0_u64;
        let filter = CredentialFilter::default();
        let mut after = None;
        loop {
            let rows = store.scan(&filter, after.as_ref(), PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = Some((last.tenant.clone(), last.key.clone()));
            for row in &rows {
                if is_tombstone(row) {
                    use_.erased += 1;
                    continue;
                }
                let Ok(sealed) = Sealed::parse(&row.sealed) else {
                    unreadable += 1;
                    continue;
                };
                let name = (row.tenant.clone(), sealed.key_id.to_owned());
                let entry = match seen.entry(name) {
                    Entry::Occupied(entry) => entry.into_mut(),
                    Entry::Vacant(entry) => {
                        let standing = self.engine().provider.standing(&row.tenant, sealed.key_id).await?;
                        entry.insert(Seen { standing, fits: false, misfits: 0, why: None })
                    }
                };
                if entry.is_open() {
                    match self.engine().fits(&place_of(row), &sealed).await {
                        Ok(()) => entry.fits = true,
                        Err(error) => {
                            entry.misfits += 1;
                            entry.why = Some(error.to_string());
                        }
                    }
                }
                counts
                    .entry((sealed.key_id.to_owned(), entry.standing as u8))
                    .or_insert((entry.standing, 0))
                    .1 += 1;
            }
        }
        use_.keys = counts
            .into_iter()
            .map(|((id, _), (standing, values))| KeyInUse { id, standing, values })
            .collect();
        let mut wrong: BTreeMap<&str, &str> = BTreeMap::new();
        for ((_, id), entry) in &seen {
            if let (false, Some(why)) = (entry.fits, &entry.why) {
                wrong.insert(id, why);
            }
        }
        for tenant in seen.keys().map(|(tenant, _)| tenant).collect::<BTreeSet<_>>() {
            self.engine().provider.current(tenant).await?;
        }
        report(&use_, &wrong, unreadable).map_or(Ok(use_), Err)
    }
}

fn report(used: &KeyUse, wrong: &BTreeMap<&str, &str>, unreadable: u64) -> Option<Error> {
    let mut problems = Vec::new();
    for key in &used.keys {
        let (id, n) = (key.id.escape_debug(), key.values);
        match key.standing {
            KeyStanding::Missing => problems.push(format!("key `{id}` is missing, {n} values need it")),
            KeyStanding::Refused => problems.push(format!(
                "key `{id}` is below the minimum version, {n} values still need it: rotate before raising the minimum"
            )),
            KeyStanding::Current | KeyStanding::Accepted => {}
        }
    }
    for (id, error) in wrong {
        problems.push(format!("key `{}` is not the key that sealed its values ({error})", id.escape_debug()));
    }
    if unreadable > 0 {
        problems.push(format!("{unreadable} rows hold no sealed value"));
    }
    let more = problems.len().saturating_sub(SHOWN);
    problems.truncate(SHOWN);
    if problems.is_empty() {
        return None;
    }
    let mut message = format!("stored secrets cannot be opened: {}", problems.join("; "));
    if more > 0 {
        let _ = write!(message, "; and {more} more");
    }
    Some(Error::new(ErrorKind::Config, message))
}
