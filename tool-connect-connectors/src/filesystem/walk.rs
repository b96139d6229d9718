//! Passes the entries below a directory in a stable order, in bounded memory.
//!
//! Order: by the bytes of the names, each directory before what is in it. A directory is read in
//! batches of the smallest names that are still ahead, so that one with a million entries costs no
//! more memory than the batch. Links are never followed downwards; each directory is opened by its
//! name in its parent's handle, so that a swapped directory cannot lead the walk away.

use std::collections::{BinaryHeap, VecDeque};
use std::io;

use cap_fs_ext::DirExt as _;
use cap_std::fs::Dir;
use tool_connect_core::Result;

use super::cursor::{Name, to_os};
use super::entry::{EntryKind, shown};
use super::errors::refused;
use super::pattern::Filter;
use super::place::Place;

/// Names held per directory.
const BATCH: usize = 4096;
/// Entries between two looks at whether the call is still wanted.
const PULSE: u32 = 256;

/// A walk below one directory.
pub(super) struct Walk<'a> {
    frames: Vec<Frame>,
    filter: &'a Filter,
    depth: usize,
    /// Directories that could not be read.
    pub(super) unreadable: u64,
    go_on: &'a dyn Fn() -> Result<()>,
    /// The entry passed last, if it is a directory to enter next.
    enter: Option<(Name, String, bool)>,
}

struct Frame {
    dir: Dir,
    /// Path below the walk's start; empty for the start itself.
    path: String,
    /// Whether `path` is its true name.
    exact: bool,
    /// The name last passed.
    last: Option<Name>,
    batch: VecDeque<(Name, EntryKind)>,
    /// Whether names beyond the batch are left.
    more: bool,
}

/// An entry that was passed.
pub(super) struct Passed {
    /// Path below the walk's start.
    pub(super) path: String,
    /// Name in its directory.
    pub(super) name: std::ffi::OsString,
    pub(super) kind: EntryKind,
    /// Whether `path` is its true name.
    pub(super) exact: bool,
}

impl<'a> Walk<'a> {
    /// A walk that is `depth` levels deep; 1 passes the entries of the directory alone.
    pub(super) fn new(dir: Dir, depth: u32, filter: &'a Filter, go_on: &'a dyn Fn() -> Result<()>) -> Self {
        let start = Frame::new(dir, String::new(), true, None);
        let depth = usize::try_from(depth).unwrap_or(usize::MAX);
        Self { frames: vec![start], filter, depth, unreadable: 0, go_on, enter: None }
    }

    /// Goes on after the entry that these names lead to, whether or not it is still there.
    pub(super) fn resume(&mut self, names: &[Name]) {
        for name in names {
            let Some(frame) = self.frames.last_mut() else { return };
            frame.last = Some(name.clone());
            let (text, exact) = shown(&to_os(name));
            let (path, exact) = (below(&frame.path, &text), exact && frame.exact);
            if self.frames.len() >= self.depth || self.filter.excludes(&path) {
                return;
            }
            // Gone, or no directory: the walk goes on beside it.
            let Some(frame) = self.frames.last() else { return };
            let Ok(dir) = frame.dir.open_dir_nofollow(to_os(name)) else { return };
            self.frames.push(Frame::new(dir, path, exact, None));
        }
    }

    /// The names that lead to the entry that was passed last.
    pub(super) fn position(&self) -> Vec<Name> {
        self.frames.iter().filter_map(|frame| frame.last.clone()).collect()
    }

    /// The directory of the entry that was passed last.
    pub(super) fn dir(&self) -> Option<&Dir> {
        self.frames.last().map(|frame| &frame.dir)
    }

    /// Passes the next entry; `None` at the end. `start` is what the walk began at, for messages.
    pub(super) fn next(&mut self, start: &Place<'_>) -> Result<Option<Passed>> {
        self.enter();
        loop {
            let Some(frame) = self.frames.last_mut() else { return Ok(None) };
            if frame.batch.is_empty() && frame.more {
                match frame.fill(self.go_on)? {
                    Ok(()) => {}
                    Err(error) if self.frames.len() == 1 => return Err(refused(error, start)),
                    Err(_) => {
                        // Below the start, one unreadable directory does not end the walk.
                        self.unreadable += 1;
                        self.frames.pop();
                    }
                }
                continue;
            }
            let Some((name, kind)) = frame.batch.pop_front() else {
                self.frames.pop();
                continue;
            };
            let os = to_os(&name);
            let (text, exact) = shown(&os);
            let (path, exact) = (below(&frame.path, &text), exact && frame.exact);
            frame.last = Some(name.clone());
            if self.filter.excludes(&path) {
                continue;
            }
            if kind == EntryKind::Directory && self.frames.len() < self.depth {
                self.enter = Some((name, path.clone(), exact));
            }
            return Ok(Some(Passed { path, name: os, kind, exact }));
        }
    }

    fn enter(&mut self) {
        let Some((name, path, exact)) = self.enter.take() else { return };
        let Some(frame) = self.frames.last() else { return };
        match frame.dir.open_dir_nofollow(to_os(&name)) {
            Ok(dir) => self.frames.push(Frame::new(dir, path, exact, None)),
            // It was removed or replaced since: nothing is below it any more.
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(_) => self.unreadable += 1,
        }
    }
}

impl Frame {
    fn new(dir: Dir, path: String, exact: bool, last: Option<Name>) -> Self {
        Self { dir, path, exact, last, batch: VecDeque::new(), more: true }
    }

    /// Reads the smallest names after the last one. The outer error ends the walk.
    fn fill(&mut self, go_on: &dyn Fn() -> Result<()>) -> Result<io::Result<()>> {
        let entries = match self.dir.entries() {
            Ok(entries) => entries,
            Err(e) => return Ok(Err(e)),
        };
        let mut smallest: BinaryHeap<(Name, Kept)> = BinaryHeap::new();
        let mut passed = 0;
        self.more = false;
        for entry in entries {
            passed += 1;
            if passed % PULSE == 0 {
                go_on()?;
            }
            let entry = match entry {
                Ok(entry) => entry,
                Err(e) => return Ok(Err(e)),
            };
            let name = entry.file_name();
            let bytes = name.as_encoded_bytes();
            if self.last.as_deref().is_some_and(|last| bytes <= last) {
                continue;
            }
            if smallest.len() == BATCH {
                self.more = true;
                if smallest.peek().is_some_and(|(largest, _)| bytes >= &**largest) {
                    continue;
                }
                smallest.pop();
            }
            // Some file systems do not say the kind in the directory.
            let kind = entry.file_type().map_or(EntryKind::Other, EntryKind::of);
            let kind = match kind {
                EntryKind::Other => {
                    entry.metadata().map_or(kind, |metadata| EntryKind::of(metadata.file_type()))
                }
                known => known,
            };
            smallest.push((Name::from(bytes), Kept(kind)));
        }
        self.batch = smallest.into_sorted_vec().into_iter().map(|(name, kept)| (name, kept.0)).collect();
        Ok(Ok(()))
    }
}

/// Rides along with a name in the heap; names in a directory are unique, so it never decides.
struct Kept(EntryKind);

impl PartialEq for Kept {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Kept {}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kept {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

/// Joins a path below the start with a name.
pub(super) fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }
}
