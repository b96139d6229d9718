//! A file that appears whole, or not at all.

use std::ffi::OsStr;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, Write as _};

use cap_std::fs::{Dir, File, OpenOptions, Permissions};

use super::rename::rename_new;

/// A file under a name of its own, beside the one that it will have. Dropped before it is published,
/// it is removed.
pub(super) struct Staged {
    dir: Dir,
    name: String,
    file: Option<File>,
    permissions: Option<Permissions>,
    bytes: u64,
}

impl Staged {
    /// Begins a file in a directory, with the permissions of the one that it replaces.
    pub(super) fn begin(dir: Dir, permissions: Option<Permissions>) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        if let Some(permissions) = &permissions {
            // From the first byte on nobody reads it who may not read the file that it replaces.
            use cap_std::fs::{OpenOptionsExt as _, PermissionsExt as _};
            options.mode(permissions.mode() & 0o700);
        }
        let mut tries = 0;
        loop {
            let name = format!(".tool-connect-{:016x}.tmp", RandomState::new().build_hasher().finish());
            match dir.open_with(&name, &options) {
                Ok(file) => return Ok(Self { dir, name, file: Some(file), permissions, bytes: 0 }),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists && tries < 8 => tries += 1,
                Err(e) => return Err(e),
            }
        }
    }

    /// Appends to it.
    pub(super) fn write(&mut self, data: &[u8]) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Err(io::ErrorKind::NotConnected.into()) };
        file.write_all(data)?;
        self.bytes = self.bytes.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// How much was written.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives it its name, on the disk before it is seen: in place of what had it, or only if the name
    /// is free. Returns whether the name was free.
    pub(super) fn publish(mut self, name: &OsStr, replace: bool) -> io::Result<bool> {
        let Some(file) = self.file.take() else { return Err(io::ErrorKind::NotConnected.into()) };
        if let Some(permissions) = self.permissions.take() {
            file.set_permissions(permissions)?;
        }
        file.sync_all()?;
        // Windows renames no open file.
        drop(file);
        let own = OsStr::new(&self.name);
        let created = match rename_new(&self.dir, own, &self.dir, name) {
            Ok(()) => true,
            Err(e) if replace && e.kind() == io::ErrorKind::AlreadyExists => {
                self.dir.rename(own, &self.dir, name)?;
                false
            }
            Err(e) => return Err(e),
        };
        self.name.clear();
        Ok(created)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        drop(self.file.take());
        if !self.name.is_empty() {
            // Nothing more can be done where this fails, too.
            drop(self.dir.remove_file(&self.name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> (tempfile::TempDir, Dir) {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(temp.path(), cap_std::ambient_authority()).unwrap();
        (temp, dir)
    }

    #[test]
    fn an_unpublished_file_leaves_nothing() {
        let (temp, dir) = root();
        let mut staged = Staged::begin(dir, None).unwrap();
        staged.write(b"half").unwrap();
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 1);
        drop(staged);
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_name_taken_meanwhile_is_kept() {
        let (temp, dir) = root();
        let mut staged = Staged::begin(dir.try_clone().unwrap(), None).unwrap();
        staged.write(b"mine").unwrap();
        dir.write("a", "theirs").unwrap();
        let error = staged.publish(OsStr::new("a"), false).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(dir.read_to_string("a").unwrap(), "theirs");
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 1);
    }

    #[test]
    #[cfg(unix)]
    fn a_replacement_keeps_the_permissions() {
        use cap_std::fs::PermissionsExt as _;
        let (_temp, dir) = root();
        dir.write("a", "old").unwrap();
        dir.set_permissions("a", Permissions::from_mode(0o640)).unwrap();
        let mut staged =
            Staged::begin(dir.try_clone().unwrap(), Some(dir.metadata("a").unwrap().permissions())).unwrap();
        staged.write(b"new").unwrap();
        staged.publish(OsStr::new("a"), true).unwrap();
        assert_eq!(dir.metadata("a").unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(dir.read_to_string("a").unwrap(), "new");
    }
}
