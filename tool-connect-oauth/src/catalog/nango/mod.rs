//! Providers from a `providers.yaml` in the format that Nango publishes. The file is the host's: none comes with the crate.
//!
//! Each provider becomes what this library has for it, a [`ProviderEntry`], an [`AuthScheme`], facts about its API, and a list
//! of [`Finding`]s that says, key by key, what was expressed, what was loosened and what could not be expressed, and why.

mod address;
mod exchange;
mod file;
mod oauth;
mod parameter;
mod proxy;
mod report;
mod secret;
mod template;
mod work;
mod yaml;

use std::collections::BTreeMap;

use tool_connect_core::AuthScheme;

pub use self::file::{MAX_BYTES, NangoFile};
pub use self::proxy::{ApiFacts, OffsetStep, PageWalk, Pages, RetryHints, Verification};
pub use self::report::{Finding, Outcome, Reason, Report, ReportEntry, Verdict};

use super::entry::{Parameter, ProviderEntry};

/// A provider of such a file, as far as it could be expressed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NangoProvider {
    /// Its name in the file.
    pub name: String,
    /// Its id here: the name with `_` for `-`, after `p_` where it begins with a digit.
    pub id: String,
    /// What people call it.
    pub display_name: String,
    /// `auth_mode` as the file has it, the aliased provider's where it has none.
    pub auth_mode: String,
    /// How requests are authenticated; `None` where that could not be expressed.
    pub scheme: Option<AuthScheme>,
    /// The catalog entry that `scheme` names, for OAuth 2.
    pub entry: Option<ProviderEntry>,
    /// What addresses and headers need of a connection's configuration, under the names that templates here have: `account_id`
    /// for `accountId`.
    pub parameters: BTreeMap<String, Parameter>,
    /// What the file says of the provider's API.
    pub api: ApiFacts,
    /// What became of each key.
    pub findings: Vec<Finding>,
}

impl NangoProvider {
    /// Whether it can be used, and whether anything of it was lost.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if self.scheme.is_none() {
            Verdict::Not
        } else if self.findings.iter().all(|finding| finding.outcome == Outcome::Expressed) {
            Verdict::Fully
        } else {
            Verdict::Partly
        }
    }
}
