//! What is said of one file, directory or link.

use std::ffi::OsStr;

use cap_std::fs::{FileType, Metadata};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::rfc3339;

/// What kind of thing a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A device, pipe or socket.
    Other,
}

impl EntryKind {
    pub(super) fn of(kind: FileType) -> Self {
        if kind.is_file() {
            Self::File
        } else if kind.is_dir() {
            Self::Directory
        } else if kind.is_symlink() {
            Self::Symlink
        } else {
            Self::Other
        }
    }
}

/// One entry of a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Path from the root, as the other tools take it.
    pub path: String,
    /// What it is; links are not followed.
    pub kind: EntryKind,
    /// Size in bytes, of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// When its content changed last, RFC 3339 in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    /// The name is not UTF-8, so that `path` only resembles it and no tool can open it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unaddressable: bool,
}

/// When the content changed last, where the file system knows.
pub(super) fn modified(metadata: &Metadata) -> Option<String> {
    metadata.modified().ok().map(|time| rfc3339(time.into_std()))
}

/// A name for people, and whether it is the name itself.
pub(super) fn shown(name: &OsStr) -> (String, bool) {
    name.to_str().map_or_else(|| (name.to_string_lossy().into_owned(), false), |name| (name.to_owned(), true))
}
