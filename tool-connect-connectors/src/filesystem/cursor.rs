//! Where a listing goes on: the names that lead to the last entry that was passed.
//!
//! A cursor holds no state of the host; a listing that goes on opens the directories anew. Names in
//! it are bytes, so that those that are not UTF-8 survive.

use std::ffi::OsString;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tool_connect_core::{Error, Result};

/// Bytes of an operating system's name; they order as listings do.
pub(super) type Name = Box<[u8]>;

/// Writes a cursor.
pub(super) fn encode(names: &[Name]) -> String {
    URL_SAFE_NO_PAD.encode(names.join(&b'/'))
}

/// Reads a cursor.
pub(super) fn decode(cursor: &str) -> Result<Vec<Name>> {
    let wrong = || {
        Error::invalid_argument("/cursor", "is not a cursor; take `next_cursor` of the last page as it is")
    };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong())?;
    let names: Vec<Name> = bytes.split(|byte| *byte == b'/').map(Name::from).collect();
    // A cursor only ever names entries of a directory; anything else was made up.
    let made_up =
        names.iter().any(|name| name.is_empty() || **name == *b"." || **name == *b".." || name.contains(&0));
    if made_up { Err(wrong()) } else { Ok(names) }
}

/// The operating system's form of a name.
pub(super) fn to_os(name: &[u8]) -> OsString {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt as _;
        OsString::from_vec(name.to_vec())
    }
    #[cfg(not(unix))]
    {
        // Names that are not Unicode have no safe way back; they are not found, and passed over.
        OsString::from(String::from_utf8_lossy(name).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back() {
        let names: Vec<Name> = vec![Box::from(&b"a"[..]), Box::from(&b"\xff b"[..])];
        assert_eq!(decode(&encode(&names)).unwrap(), names);
    }

    #[test]
    fn made_up_cursors_are_refused() {
        for bad in ["", "%", "Li4", "YS8uLi9i", "Lw", "YQBi"] {
            assert!(decode(bad).is_err(), "{bad}");
        }
    }
}
