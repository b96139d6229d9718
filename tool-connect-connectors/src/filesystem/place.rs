//! A path as the caller gave it.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::{Component, Path};

use tool_connect_core::{Effect, Error, ErrorKind, Result};

use super::errors::escape;

/// Longest path that is shown in a message, in characters.
const SHOWN: usize = 200;

/// A path from the arguments, and where in the arguments it stood.
///
/// The handle of the root decides what the path leads to; here only what can be no path at all is
/// refused, and names are prepared for messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    given: &'a str,
    pointer: &'static str,
}

impl<'a> Place<'a> {
    /// A path; an empty one is the root.
    pub(super) fn new(given: &'a str, pointer: &'static str) -> Result<Self> {
        let place = Self { given, pointer };
        if given.contains('\0') {
            return Err(place.invalid("must not hold a NUL character"));
        }
        let first = Path::new(given).components().next();
        // A drive or share without a root (`C:x`) counts as absolute, too.
        if given.starts_with('/') || matches!(first, Some(Component::Prefix(_) | Component::RootDir)) {
            return Err(escape(&place));
        }
        Ok(place)
    }

    /// The path to hand to the root's handle.
    pub(super) fn path(&self) -> &'a Path {
        Path::new(if self.given.is_empty() { "." } else { self.given })
    }

    /// The directory that holds the named thing, and its name there.
    ///
    /// Changes go by a name in an open directory, so that what happens to the path meanwhile cannot
    /// lead them elsewhere.
    pub(super) fn split(&self) -> Result<(&'a Path, &'a OsStr)> {
        let path = self.path();
        let Some(Component::Normal(name)) = path.components().next_back() else {
            return Err(self.invalid("must name something below the root; `.` and `..` cannot end it"));
        };
        // `components` forgets a final `.`: `a/.` is the inside of `a`.
        if self.given.ends_with("/.") {
            return Err(self.invalid("must not end in `/.`"));
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        Ok((parent.unwrap_or(Path::new(".")), name))
    }

    /// The path with `/` between its parts and without idle ones; empty for the root.
    pub(super) fn clean(&self) -> String {
        let mut out = String::with_capacity(self.given.len());
        for part in Path::new(self.given).components() {
            let part = match part {
                Component::Normal(name) => name.to_string_lossy(),
                Component::ParentDir => Cow::Borrowed(".."),
                _ => continue,
            };
            if !out.is_empty() {
                out.push('/');
            }
            out.push_str(&part);
        }
        out
    }

    /// An error about this path: the developer's message stays without it, since arguments never
    /// reach a log; the caller's message names it as it was given.
    pub(super) fn error(&self, kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Error {
        let message = message.into();
        let public = format!("`{}`: {message}.", self.shown());
        Error::new(kind, message).public(public).effect(Effect::NotExecuted)
    }

    /// A problem of the argument.
    pub(super) fn invalid(&self, message: &str) -> Error {
        Error::invalid_argument(self.pointer, message)
    }

    /// The path for a message: control characters escaped, cut where it is very long.
    pub(super) fn shown(&self) -> String {
        let mut shown: String = self.given.escape_debug().take(SHOWN).collect();
        if shown.is_empty() {
            shown.push('.');
        }
        if self.given.escape_debug().nth(SHOWN).is_some() {
            shown.push_str("..");
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_paths_and_nul_are_refused() {
        assert_eq!(Place::new("/etc/passwd", "/path").unwrap_err().kind(), ErrorKind::Denied);
        assert_eq!(Place::new("a\0b", "/path").unwrap_err().kind(), ErrorKind::InvalidArguments);
    }

    #[test]
    fn a_change_needs_a_name() {
        let split =
            |path| Place::new(path, "/path").unwrap().split().map(|(p, n)| (p.to_owned(), n.to_owned()));
        assert_eq!(split("a/b").unwrap(), ("a".into(), "b".into()));
        assert_eq!(split("b").unwrap(), (".".into(), "b".into()));
        assert_eq!(split("a/../b").unwrap(), ("a/..".into(), "b".into()));
        for bad in ["", ".", "..", "a/..", "./", "a/."] {
            assert_eq!(split(bad).unwrap_err().kind(), ErrorKind::InvalidArguments, "{bad}");
        }
    }

    #[test]
    fn messages_show_the_path_to_the_caller_alone() {
        let error = Place::new("secret\nplan", "/path").unwrap().error(ErrorKind::NotFound, "does not exist");
        assert_eq!(error.public_message(), "`secret\\nplan`: does not exist.");
        assert!(!format!("{error} {error:?}").contains("secret"));
        let long = "x".repeat(5000);
        let error = Place::new(&long, "/path").unwrap().error(ErrorKind::NotFound, "does not exist");
        assert!(error.public_message().len() < 300);
    }

    #[test]
    fn clean_drops_idle_parts() {
        assert_eq!(Place::new("./a//b/./c/", "/path").unwrap().clean(), "a/b/c");
        assert_eq!(Place::new("a/../b", "/path").unwrap().clean(), "a/../b");
        assert_eq!(Place::new(".", "/path").unwrap().clean(), "");
    }
}
