//! Settings of a database file.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// When a write counts as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Synchronous {
    /// When the disk has it: what was acknowledged outlives a power cut.
    #[default]
    Full,
    /// When the operating system has it: faster; it outlives a crash of the process, but a power
    /// cut may take the last moments with it. The file stays whole either way.
    Normal,
}

/// Settings of a database file.
///
/// ```
/// use tool_connect_stores::{SqliteOptions, Synchronous};
///
/// let options = SqliteOptions { synchronous: Synchronous::Normal, ..SqliteOptions::default() };
/// assert_eq!(options.busy_timeout.as_secs(), 5);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SqliteOptions {
    /// When a write counts as written; `full` unless set.
    pub synchronous: Synchronous,
    /// How long to wait for another process that is writing; `5s` unless set.
    #[serde(with = "tool_connect_core::duration")]
    pub busy_timeout: Duration,
    /// How many threads read beside the one that writes; 2 unless set, at least 1.
    pub readers: usize,
    /// To how many bytes the write-ahead log is cut back once its content is in the file; 64 MiB
    /// unless set.
    pub journal_size_limit: u64,
    /// How many bytes the file may grow to, rounded down to whole pages; unlimited unless set. A
    /// write beyond fails as on a full disk. Space that a purge frees is used again.
    pub max_bytes: Option<u64>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            synchronous: Synchronous::Full,
            busy_timeout: Duration::from_secs(5),
            readers: 2,
            journal_size_limit: 64 << 20,
            max_bytes: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_from_text_and_unknown_ones_refused() {
        let options: SqliteOptions =
            toml::from_str("synchronous = 'normal'\nbusy_timeout = '250ms'").unwrap();
        let expected = SqliteOptions {
            synchronous: Synchronous::Normal,
            busy_timeout: Duration::from_millis(250),
            ..SqliteOptions::default()
        };
        assert_eq!(options, expected);
        assert!(toml::from_str::<SqliteOptions>("sync = 'normal'").is_err());
    }
}
