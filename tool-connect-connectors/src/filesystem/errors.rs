//! What the operating system says, as errors that tell the caller what to change.

use std::io;

use tool_connect_core::{Error, ErrorKind, Retry};

use super::place::Place;

/// The path leads out of the root: by `..`, an absolute path or a link.
pub(super) fn escape(place: &Place<'_>) -> Error {
    place.error(
        ErrorKind::Denied,
        "leads out of the root directory; name a path below it, without a leading `/`, and no link that leads out",
    )
}

/// A device, pipe or socket.
pub(super) fn special(place: &Place<'_>) -> Error {
    place.error(ErrorKind::Unsupported, "is a device, pipe or socket; only regular files can be opened")
}

/// A failed operation on a path.
pub(super) fn refused(error: io::Error, place: &Place<'_>) -> Error {
    use io::ErrorKind as Io;
    if is_escape(&error) {
        return escape(place);
    }
    if is_link_loop(&error) {
        let message = "goes through too many symbolic links, or ends in one where none may be";
        return place.error(ErrorKind::Unsupported, message).caused_by(error);
    }
    let (kind, message) = match error.kind() {
        Io::NotFound => (ErrorKind::NotFound, "does not exist; `list` shows what is there"),
        Io::NotADirectory => (ErrorKind::NotFound, "a part of the path is a file, not a directory"),
        Io::AlreadyExists => {
            (ErrorKind::Conflict, "exists already; choose another name or allow to overwrite it")
        }
        Io::DirectoryNotEmpty => (ErrorKind::Conflict, "is a directory that is not empty"),
        Io::IsADirectory => return place.invalid("is a directory; name a file"),
        Io::InvalidFilename => {
            return place.invalid("has a name that is too long, or not allowed by the file system");
        }
        Io::InvalidInput => return place.invalid("is not a path that the file system can follow here"),
        Io::PermissionDenied => (
            ErrorKind::Forbidden,
            "may not be accessed; the account that the host runs as lacks the permission",
        ),
        Io::ReadOnlyFilesystem => (ErrorKind::Forbidden, "is on a file system that is mounted read-only"),
        Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge => {
            let message =
                "there is no room left on the file system, and nothing was changed; delete something first";
            return place.error(ErrorKind::Storage, message).retry(Retry::Never).caused_by(error);
        }
        Io::CrossesDevices => {
            (ErrorKind::Unsupported, "is on another file system; write a copy there and delete the original")
        }
        Io::ResourceBusy | Io::ExecutableFileBusy => (ErrorKind::Conflict, "is in use"),
        Io::Unsupported => (ErrorKind::Unsupported, "the file system cannot do this"),
        _ => (ErrorKind::Storage, "the file system reported an error"),
    };
    place.error(kind, message).caused_by(error)
}

/// cap-std reports an escape as a permission error that no system call made.
fn is_escape(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none()
}

fn is_link_loop(error: &io::Error) -> bool {
    #[cfg(unix)]
    return error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
    #[cfg(not(unix))]
    {
        let _ = error;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn system_errors_get_kinds() {
        use rustix::io::Errno;
        let place = Place::new("a", "/path").unwrap();
        for (errno, kind) in [
            (Errno::NOENT, ErrorKind::NotFound),
            (Errno::EXIST, ErrorKind::Conflict),
            (Errno::ACCESS, ErrorKind::Forbidden),
            (Errno::NOSPC, ErrorKind::Storage),
            (Errno::DQUOT, ErrorKind::Storage),
            (Errno::FBIG, ErrorKind::Storage),
            (Errno::IO, ErrorKind::Storage),
            (Errno::NAMETOOLONG, ErrorKind::InvalidArguments),
            (Errno::LOOP, ErrorKind::Unsupported),
            (Errno::XDEV, ErrorKind::Unsupported),
        ] {
            let error = refused(io::Error::from_raw_os_error(errno.raw_os_error()), &place);
            assert_eq!(error.kind(), kind, "{errno:?}");
        }
        let escaped = io::Error::new(io::ErrorKind::PermissionDenied, "a path led outside of the filesystem");
        assert_eq!(refused(escaped, &place).kind(), ErrorKind::Denied);
    }
}
