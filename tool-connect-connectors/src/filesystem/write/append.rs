//! Adding to the end of a file.

use std::ffi::OsStr;
use std::io::{self, Write as _};

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt as _, OpenOptionsSyncExt as _};
use cap_std::fs::{Dir, File, OpenOptions};
use tool_connect_core::{ErrorKind, Result};

use crate::filesystem::errors::refused;
use crate::filesystem::place::Place;
use crate::filesystem::root::{links, regular};

/// A file that is being added to. Dropped before it is finished, what was added is taken back.
pub(super) struct Appended {
    dir: Dir,
    name: Box<OsStr>,
    file: File,
    before: u64,
    added: u64,
    created: bool,
    finished: bool,
}

impl Appended {
    pub(super) fn begin(dir: &Dir, name: &OsStr, create: bool, place: &Place<'_>) -> Result<Self> {
        let mut options = OpenOptions::new();
        // A pipe put in the file's place meanwhile shall not block, nor a link lead elsewhere.
        options.append(true).create_new(create).nonblock(true).follow(FollowSymlinks::No);
        let dir = dir.try_clone().map_err(|e| refused(e, place))?;
        let file = dir.open_with(name, &options).map_err(|e| refused(e, place))?;
        let metadata = file.metadata().map_err(|e| refused(e, place))?;
        regular(&metadata, place)?;
        if links(&metadata) > 1 {
            // The other name may be outside of the root.
            return Err(place.error(
                ErrorKind::Conflict,
                "has more than one name (hard links), and appending would change it under all of them; \
                 write it whole with `mode: overwrite`, which gives this name a file of its own",
            ));
        }
        Ok(Self {
            dir,
            name: name.into(),
            file,
            before: metadata.len(),
            added: 0,
            created: create,
            finished: false,
        })
    }

    pub(super) fn write(&mut self, data: &[u8]) -> io::Result<()> {
        let mut rest = data;
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.added = self.added.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
                    rest = rest.get(written..).unwrap_or_default();
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Returns how much was added, the size now, and whether the file is new.
    pub(super) fn finish(mut self) -> io::Result<(u64, u64, bool)> {
        self.file.sync_all()?;
        self.finished = true;
        Ok((self.added, self.file.metadata()?.len(), self.created))
    }
}

impl Drop for Appended {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        // What somebody else appended meanwhile is not ours to cut off.
        let ours = self.file.metadata().is_ok_and(|m| m.len() == self.before.saturating_add(self.added));
        if self.created && ours {
            drop(self.dir.remove_file(&*self.name));
        } else if ours && self.added > 0 {
            drop(self.file.set_len(self.before));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(dir: &Dir, create: bool) -> Appended {
        Appended::begin(dir, OsStr::new("log"), create, &Place::new("log", "/path").unwrap()).unwrap()
    }

    #[test]
    fn what_was_given_up_is_taken_back() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(temp.path(), cap_std::ambient_authority()).unwrap();
        begin(&dir, true).write(b"half").unwrap();
        assert!(!dir.exists("log"));

        dir.write("log", "old").unwrap();
        begin(&dir, false).write(b"half").unwrap();
        assert_eq!(dir.read_to_string("log").unwrap(), "old");

        // Another writer's lines stay.
        let mut ours = begin(&dir, false);
        ours.write(b"half").unwrap();
        let mut theirs = begin(&dir, false);
        theirs.write(b" theirs").unwrap();
        theirs.finish().unwrap();
        drop(ours);
        assert_eq!(dir.read_to_string("log").unwrap(), "oldhalf theirs");
    }

    #[test]
    #[cfg(unix)]
    fn what_took_the_place_of_the_file_is_left_alone() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(temp.path(), cap_std::ambient_authority()).unwrap();
        dir.write("file", "old").unwrap();
        dir.symlink("file", "link").unwrap();
        dir.symlink("none", "dangling").unwrap();
        assert!(
            std::process::Command::new("mkfifo").arg(temp.path().join("pipe")).status().unwrap().success()
        );
        for (name, create) in [("link", false), ("dangling", true), ("pipe", false), ("file", true)] {
            let place = Place::new(name, "/path").unwrap();
            assert!(Appended::begin(&dir, OsStr::new(name), create, &place).is_err(), "{name}");
        }
        assert_eq!(dir.read_to_string("file").unwrap(), "old");
        assert!(!dir.exists("none"));
    }
}
