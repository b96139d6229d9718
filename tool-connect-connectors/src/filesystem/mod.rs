//! The filesystem connector: tools for the files below one directory, which no path, link or race
//! can leave. Every access goes through a directory handle that was opened once (cap-std: `openat2`
//! with `RESOLVE_BENEATH` on Linux, one component at a time elsewhere); no path is compared as text.

mod atomic;
mod connector;
mod cursor;
mod delete;
mod entry;
mod errors;
mod list;
mod pattern;
mod place;
mod read;
mod relocate;
mod rename;
mod root;
mod search;
mod stat;
mod text;
mod walk;
mod write;

pub use connector::Filesystem;
pub use delete::{Delete, Deleted};
pub use entry::{Entry, EntryKind};
pub use list::{List, Listing};
pub use read::{FileContent, Read};
pub use relocate::{Move, Moved};
pub use root::Root;
pub use search::{LineMatch, Search, SearchResult, Skipped, StoppedBy};
pub use stat::{Stat, StatResult};
pub use write::{Encoding, Write, WriteMode, Written};
