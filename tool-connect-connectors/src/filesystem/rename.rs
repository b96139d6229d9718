//! Giving a thing a name that must be free.

use std::ffi::OsStr;
use std::io;

use cap_std::fs::Dir;

/// Renames, unless the new name is taken: then it fails with `AlreadyExists` and changes nothing.
pub(super) fn rename_new(from: &Dir, name: &OsStr, to: &Dir, new: &OsStr) -> io::Result<()> {
    match in_one_step(from, name, to, new) {
        Err(e) if e.kind() == io::ErrorKind::Unsupported => in_two_steps(from, name, to, new),
        done => done,
    }
}

/// The kernel looks and renames in one step.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn in_one_step(from: &Dir, name: &OsStr, to: &Dir, new: &OsStr) -> io::Result<()> {
    use rustix::fs::{RenameFlags, renameat_with};
    use rustix::io::Errno;
    renameat_with(from, name, to, new, RenameFlags::NOREPLACE).map_err(|errno| match errno {
        // Not every file system knows the flag. A directory into itself says INVAL as well, and
        // says it again in the second way.
        Errno::INVAL | Errno::NOSYS | Errno::NOTSUP => io::ErrorKind::Unsupported.into(),
        other => other.into(),
    })
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn in_one_step(_: &Dir, _: &OsStr, _: &Dir, _: &OsStr) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A second name is only given if it is free; then the first is taken away. Directories and file
/// systems without second names are left with looking first.
fn in_two_steps(from: &Dir, name: &OsStr, to: &Dir, new: &OsStr) -> io::Result<()> {
    if to.symlink_metadata(new).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    if from.symlink_metadata(name)?.is_file() {
        match from.hard_link(name, to, new) {
            Ok(()) => return from.remove_file(name),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Err(e),
            Err(_) => {}
        }
    }
    from.rename(name, to, new)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Way = fn(&Dir, &OsStr, &Dir, &OsStr) -> io::Result<()>;

    #[test]
    fn a_taken_name_is_left_alone_either_way() {
        for rename in [rename_new as Way, in_two_steps as Way] {
            let temp = tempfile::tempdir().unwrap();
            let dir = Dir::open_ambient_dir(temp.path(), cap_std::ambient_authority()).unwrap();
            dir.write("a", "a").unwrap();
            dir.write("b", "b").unwrap();
            let rename = |name: &str, new: &str| rename(&dir, OsStr::new(name), &dir, OsStr::new(new));
            assert_eq!(rename("a", "b").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(dir.read_to_string("b").unwrap(), "b");
            rename("a", "c").unwrap();
            assert_eq!(dir.read_to_string("c").unwrap(), "a");
            assert!(!dir.exists("a"));
            dir.create_dir("d").unwrap();
            rename("d", "e").unwrap();
            assert!(dir.is_dir("e"));
            assert!(rename("e", "e/f").is_err());
        }
    }
}
