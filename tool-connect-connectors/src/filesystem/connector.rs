//! The connector: its manifest, its options and which tools an instance offers.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use semver::Version;
use tool_connect_core::{Connector, ConnectorManifest, Error, ErrorKind, Result, ToolSet};

use super::root::{Limits, Root};
use super::{Delete, List, Move, Read, Search, Stat, Write};

/// Tools for the files below one directory.
///
/// The directory is opened here, once; if it is renamed later, the instance stays with it. For
/// several directories, register several instances. A read-only instance does not offer the tools
/// that change something.
///
/// ```
/// use tool_connect_connectors::filesystem::Filesystem;
/// use tool_connect_core::{Connector, ToolSet};
///
/// # let root = tempfile::tempdir().unwrap();
/// # let root = root.path();
/// let files = Filesystem::new(root)?.read_only(true).max_read_bytes(64 * 1024);
/// let mut set = ToolSet::default();
/// files.tools(&mut set);
/// let names: Vec<_> = set.tools().iter().map(|tool| tool.definition().name.to_string()).collect();
/// assert_eq!(names, ["list", "read", "search", "stat"]);
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Filesystem {
    manifest: ConnectorManifest,
    dir: Arc<Dir>,
    limits: Limits,
    read_only: bool,
}

impl Filesystem {
    /// The files below a directory, which must exist.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where the directory cannot be opened.
    pub fn new(root: impl AsRef<Path>) -> Result<Self> {
        let dir = Dir::open_ambient_dir(root, ambient_authority()).map_err(|e| {
            Error::new(ErrorKind::Config, "the root directory of a filesystem instance cannot be opened")
                .with("reason", e.kind())
                .caused_by(e)
        })?;
        let manifest = ConnectorManifest::new("filesystem", Version::new(1, 0, 0), "Files")
            .description("Lists, reads, writes and searches the files below one directory.")
            .category("files");
        Ok(Self { manifest, dir: Arc::new(dir), limits: Limits::default(), read_only: false })
    }

    /// Whether the tools that change something are left out; they are offered by default.
    #[must_use]
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// Longest text that `read` returns in place, in bytes; 256 KiB by default. Longer files come
    /// by handle.
    #[must_use]
    pub fn max_read_bytes(mut self, bytes: u64) -> Self {
        self.limits.read_bytes = bytes.max(4);
        self
    }

    /// Largest file that `read` hands out by handle, in bytes; 64 MiB by default.
    #[must_use]
    pub fn max_handle_bytes(mut self, bytes: u64) -> Self {
        self.limits.handle_bytes = bytes;
        self
    }

    /// How long a handle stays good; one hour by default.
    #[must_use]
    pub fn keep_handles(mut self, keep: Duration) -> Self {
        self.limits.keep = keep;
        self
    }

    /// Largest file that `write` leaves behind, in bytes; 64 MiB by default.
    #[must_use]
    pub fn max_write_bytes(mut self, bytes: u64) -> Self {
        self.limits.write_bytes = bytes;
        self
    }

    /// Largest file that `search` looks into, in bytes; 8 MiB by default. A search holds one file in
    /// memory at a time.
    #[must_use]
    pub fn max_search_file_bytes(mut self, bytes: u64) -> Self {
        self.limits.search_file_bytes = bytes;
        self
    }

    /// What one call of `search` reads in all, in bytes; 256 MiB by default.
    #[must_use]
    pub fn max_search_bytes(mut self, bytes: u64) -> Self {
        self.limits.search_bytes = bytes;
        self
    }

    /// How many files and directories one call of `list` or `search` passes; 100,000 by default.
    #[must_use]
    pub fn max_entries(mut self, entries: u64) -> Self {
        self.limits.entries = entries.max(1);
        self
    }

    /// Whether files with more than one name may be read; they may by default.
    ///
    /// A hard link is the file itself, so nobody can tell whether its other name lies outside the
    /// root. The tools cannot make one, and never write through one. Say `false` where others could
    /// place hard links into the root to files that they themselves may not read.
    #[must_use]
    pub fn allow_hard_links(mut self, allow: bool) -> Self {
        self.limits.hard_links = allow;
        self
    }
}

impl Connector for Filesystem {
    fn manifest(&self) -> &ConnectorManifest {
        &self.manifest
    }

    fn tools(&self, set: &mut ToolSet) {
        let root = Root::new(Arc::clone(&self.dir), self.limits.clone());
        let mut tools = set.with(root);
        tools.add::<List>().add::<Read>().add::<Search>().add::<Stat>();
        if !self.read_only {
            tools.add::<Write>().add::<Move>().add::<Delete>();
        }
    }
}
