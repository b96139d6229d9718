//! `delete`: a file, a link, or a directory with or without what is in it.

use std::ffi::{OsStr, OsString};
use std::io;

use cap_fs_ext::DirExt as _;
use cap_std::fs::{Dir, ReadDir};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Effect, Error, ErrorKind, Result, Run, Tool, ToolContext};

use super::errors::refused;
use super::place::Place;
use super::root::{Root, go_on};

/// Levels of directories that one call deletes; each holds a file descriptor.
const DEPTH: usize = 128;

/// Deletes a file, a symbolic link (not what it leads to) or an empty directory; with `recursive`
/// also a directory with everything in it. Nothing can be restored.
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(state = Root, destructive, open_world = false)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// What to delete, relative to the root.
    #[schemars(length(min = 1, max = 4096))]
    pub path: String,
    /// Whether a directory is deleted with everything in it.
    #[serde(default)]
    pub recursive: bool,
}

/// What was deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deleted {
    /// Path from the root.
    pub path: String,
    /// How many files, links and directories are gone.
    pub deleted: u64,
}

impl Run<Root> for Delete {
    type Output = Deleted;

    async fn run(self, cx: &ToolContext<Root>) -> Result<Deleted> {
        let root = cx.state()?.clone();
        let call = cx.clone();
        cx.blocking(move || {
            go_on(&call)?;
            self.delete(&root, &call)
        })
        .await
    }
}

impl Delete {
    fn delete(&self, root: &Root, cx: &ToolContext<Root>) -> Result<Deleted> {
        let place = Place::new(&self.path, "/path")?;
        let (parent, name) = place.split()?;
        let parent = root.dir().open_dir(parent).map_err(|e| refused(e, &place))?;
        let metadata = parent.symlink_metadata(name).map_err(|e| refused(e, &place))?;
        let mut tree = Tree { deleted: 0, cx };
        let done = if !metadata.is_dir() {
            tree.remove(&parent, name)
        } else if self.recursive {
            tree.remove_all(&parent, name)
        } else {
            parent.remove_dir(name).map(|()| tree.deleted += 1).map_err(Stop::Failed)
        };
        done.map_err(|stop| self.stopped(stop, tree.deleted, &place))?;
        Ok(Deleted { path: place.clean(), deleted: tree.deleted })
    }

    fn stopped(&self, stop: Stop, deleted: u64, place: &Place<'_>) -> Error {
        let error = match stop {
            Stop::Canceled => Error::new(ErrorKind::Canceled, "the call was given up while it deleted"),
            Stop::TooDeep => place.error(
                ErrorKind::TooLarge,
                "is nested deeper than one call deletes; delete a directory further down first",
            ),
            Stop::Failed(e) if e.kind() == io::ErrorKind::DirectoryNotEmpty && !self.recursive => place
                .error(
                    ErrorKind::Conflict,
                    "is a directory that is not empty; set `recursive` to delete all of it",
                ),
            Stop::Failed(e) if e.kind() == io::ErrorKind::DirectoryNotEmpty => {
                place.error(ErrorKind::Conflict, "was written to while it was deleted; try again")
            }
            Stop::Failed(e) => refused(e, place),
        };
        // Whoever wants to go on must know that some of it is gone.
        if deleted > 0 {
            error.effect(Effect::Unknown).with("deleted", deleted)
        } else {
            error.effect(Effect::NotExecuted)
        }
    }
}

/// Why a deletion ended early.
enum Stop {
    Failed(io::Error),
    Canceled,
    TooDeep,
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// A deletion under way.
struct Tree<'a> {
    deleted: u64,
    cx: &'a ToolContext<Root>,
}

/// A directory that is being emptied.
struct Level {
    dir: Dir,
    /// Its name in the level above.
    name: OsString,
    entries: ReadDir,
    /// Whether something was removed since `entries` began.
    removed: bool,
}

impl Level {
    /// Opens a directory by its name; a link that took its place is not followed.
    fn open(parent: &Dir, name: &OsStr) -> io::Result<Self> {
        let dir = parent.open_dir_nofollow(name)?;
        let entries = dir.entries()?;
        Ok(Self { dir, name: name.to_owned(), entries, removed: false })
    }
}

impl Tree<'_> {
    fn remove(&mut self, dir: &Dir, name: &OsStr) -> Result<(), Stop> {
        dir.remove_file_or_symlink(name)?;
        self.deleted += 1;
        Ok(())
    }

    /// Deletes a directory from its leaves up, each by its name in an open directory, so that nothing
    /// swapped in meanwhile leads out of it.
    fn remove_all(&mut self, parent: &Dir, name: &OsStr) -> Result<(), Stop> {
        let mut levels = vec![Level::open(parent, name)?];
        while let Some(level) = levels.last_mut() {
            if self.cx.is_canceled() {
                return Err(Stop::Canceled);
            }
            if let Some(entry) = level.entries.next().transpose()? {
                let name = entry.file_name();
                level.removed = true;
                if entry.file_type()?.is_dir() {
                    if levels.len() == DEPTH {
                        return Err(Stop::TooDeep);
                    }
                    let below = match levels.last() {
                        Some(level) => Level::open(&level.dir, &name)?,
                        None => return Ok(()),
                    };
                    levels.push(below);
                } else {
                    self.remove(&level.dir, &name)?;
                }
                continue;
            }
            // Some file systems pass over entries of a directory that is changed while it is read.
            if std::mem::take(&mut level.removed) {
                level.entries = level.dir.entries()?;
                continue;
            }
            let Some(Level { dir, name, .. }) = levels.pop() else { return Ok(()) };
            // Windows removes no open directory.
            drop(dir);
            levels.last().map_or(parent, |above| &above.dir).remove_dir(&name)?;
            self.deleted += 1;
        }
        Ok(())
    }
}
