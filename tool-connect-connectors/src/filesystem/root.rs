//! What the tools of one instance share: the directory handle and the caps.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt as _, OpenOptionsSyncExt as _};
use cap_std::fs::{Dir, File, Metadata, OpenOptions};
use tool_connect_core::{Effect, Error, ErrorKind, Result, ToolContext};

use super::errors::{refused, special};
use super::place::Place;

/// The directory of a [`Filesystem`](super::Filesystem) instance and its caps: the state of its
/// tools. A clone is one counter.
#[derive(Clone)]
pub struct Root(Arc<Inner>);

struct Inner {
    dir: Arc<Dir>,
    limits: Limits,
}

/// Caps of one instance; sizes in bytes.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// Largest text that a read returns in place.
    pub(super) read_bytes: u64,
    /// Largest file that is handed out by handle.
    pub(super) handle_bytes: u64,
    /// Largest file that a write leaves behind.
    pub(super) write_bytes: u64,
    /// Largest file that a search looks into.
    pub(super) search_file_bytes: u64,
    /// What one search reads in all.
    pub(super) search_bytes: u64,
    /// Files and directories that one listing or search passes.
    pub(super) entries: u64,
    /// How long a handle stays good.
    pub(super) keep: Duration,
    /// Whether files with more than one name may be read.
    pub(super) hard_links: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            read_bytes: 256 * 1024,
            handle_bytes: 64 * 1024 * 1024,
            write_bytes: 64 * 1024 * 1024,
            search_file_bytes: 8 * 1024 * 1024,
            search_bytes: 256 * 1024 * 1024,
            entries: 100_000,
            keep: Duration::from_secs(60 * 60),
            hard_links: true,
        }
    }
}

impl Root {
    pub(super) fn new(dir: Arc<Dir>, limits: Limits) -> Self {
        Self(Arc::new(Inner { dir, limits }))
    }

    pub(super) fn dir(&self) -> &Dir {
        &self.0.dir
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Opens a regular file for reading, links inside the root followed.
    ///
    /// The kind is looked up first, since opening a device or a pipe may have effects of its own,
    /// and again on the open file, since the name may lead elsewhere by then; a pipe that comes in
    /// between does not block the open.
    pub(super) fn open_regular(&self, dir: &Dir, path: &Path, place: &Place<'_>) -> Result<(File, Metadata)> {
        let before = dir.metadata(path).map_err(|e| refused(e, place))?;
        regular(&before, place)?;
        let mut options = OpenOptions::new();
        options.read(true).nonblock(true);
        let file = dir.open_with(path, &options).map_err(|e| refused(e, place))?;
        let metadata = file.metadata().map_err(|e| refused(e, place))?;
        regular(&metadata, place)?;
        if !self.limits().hard_links && links(&metadata) > 1 {
            return Err(place.error(
                ErrorKind::Denied,
                "the file has more than one name (hard links), and this instance does not open such files",
            ));
        }
        Ok((file, metadata))
    }

    /// Opens a file that a walk found, by its name in its directory; `None` where it cannot be read,
    /// or is no regular file any more.
    pub(super) fn open_found(&self, dir: &Dir, name: &OsStr) -> Option<(File, Metadata)> {
        let mut options = OpenOptions::new();
        options.read(true).nonblock(true).follow(FollowSymlinks::No);
        let file = dir.open_with(name, &options).ok()?;
        let metadata = file.metadata().ok()?;
        let wanted = metadata.is_file() && (self.limits().hard_links || links(&metadata) <= 1);
        wanted.then_some((file, metadata))
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Root").field("limits", &self.0.limits).finish_non_exhaustive()
    }
}

/// Refuses what is no regular file, and says what to do instead.
pub(super) fn regular(metadata: &Metadata, place: &Place<'_>) -> Result<()> {
    if metadata.is_file() {
        Ok(())
    } else if metadata.is_dir() {
        Err(place.invalid("is a directory; name a file, or use the `list` tool"))
    } else {
        Err(special(place))
    }
}

/// How many names a file has; 1 where the platform does not say.
pub(super) fn links(metadata: &Metadata) -> u64 {
    #[cfg(unix)]
    {
        use cap_std::fs::MetadataExt as _;
        metadata.nlink()
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        1
    }
}

/// Ends blocking work whose caller is gone or whose time is up; nothing has been changed so far.
pub(super) fn go_on<S>(cx: &ToolContext<S>) -> Result<()> {
    if cx.is_canceled() {
        return Err(Error::new(ErrorKind::Canceled, "the call was given up").effect(Effect::NotExecuted));
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A name may come to mean something else between a look at it and its opening.
    #[test]
    fn only_a_regular_file_is_opened_by_name() {
        let temp = tempfile::tempdir().unwrap();
        let path = |name: &str| temp.path().join(name);
        std::fs::write(path("file"), "x").unwrap();
        std::fs::hard_link(path("file"), path("second")).unwrap();
        std::fs::write(path("single"), "x").unwrap();
        symlink("single", path("link")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
        let open = |hard_links: bool, name: &str| {
            let dir = Arc::new(Dir::open_ambient_dir(temp.path(), cap_std::ambient_authority()).unwrap());
            let root = Root::new(Arc::clone(&dir), Limits { hard_links, ..Limits::default() });
            root.open_found(&dir, OsStr::new(name)).is_some()
        };
        assert!(open(true, "file") && open(true, "single") && open(false, "single"));
        for (hard_links, name) in
            [(false, "file"), (true, "link"), (true, "pipe"), (true, "none"), (true, ".")]
        {
            assert!(!open(hard_links, name), "{name}");
        }
    }
}
