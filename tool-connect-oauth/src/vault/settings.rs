//! Settings of the vault.

use std::time::Duration;

use serde::Deserialize;

/// What happens where the log of accesses cannot be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LogFailure {
    /// The secret is not handed out.
    #[default]
    Refuse,
    /// The secret is handed out; an event and a log line tell of the gap.
    Ignore,
}

/// Settings of a vault. Every field has a default; unknown fields are refused.
///
/// ```
/// use std::time::Duration;
/// use tool_connect_oauth::vault::VaultSettings;
///
/// let settings = VaultSettings::default();
/// assert_eq!(settings.remember, Duration::from_secs(30));
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct VaultSettings {
    /// How long a subject's key is remembered; a data key no longer than the subject's key that it was used with. An erasure that
    /// another process made is noticed after this time at the latest; one made through this vault at once.
    #[serde(with = "tool_connect_core::duration")]
    pub remember: Duration,
    /// How many subjects' keys are remembered at most; about 1,400 bytes each.
    pub subjects: usize,
    /// How many values' data keys are remembered at most, for values that are opened again and again; about 1,000 bytes each,
    /// 0 for none. A raised minimum version and an erasure through this vault hold for them at once.
    pub data_keys: usize,
    /// What happens where the log of accesses cannot be written.
    pub log_failure: LogFailure,
}

impl Default for VaultSettings {
    fn default() -> Self {
        Self {
            remember: Duration::from_secs(30),
            subjects: 10_000,
            data_keys: 1_024,
            log_failure: LogFailure::Refuse,
        }
    }
}
