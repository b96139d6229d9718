//! One search over many files.

use std::collections::VecDeque;
use std::io::Read as _;

use cap_std::fs::{File, Metadata};
use regex::bytes::Regex;
use tool_connect_core::{Result, ToolContext};

use super::{LineMatch, MATCHES, Search, SearchResult, StoppedBy};
use crate::filesystem::root::{Limits, Root, go_on};

/// Longest piece of a line that is returned, in bytes.
const SHOWN: usize = 500;
/// How much of a line is shown before a match, where it has to be cut, in bytes.
const LEAD: usize = 100;
/// Bytes that are looked through to tell text from binary.
const PROBE: usize = 8 * 1024;
/// Lines between two looks at whether the call is still wanted.
const PULSE: u64 = 4096;

pub(super) struct Scan<'a> {
    regex: Regex,
    literal: bool,
    context: usize,
    max_matches: usize,
    limits: &'a Limits,
    cx: &'a ToolContext<Root>,
    read: u64,
    buffer: Vec<u8>,
    result: SearchResult,
}

impl<'a> Scan<'a> {
    pub(super) fn new(regex: Regex, search: &Search, limits: &'a Limits, cx: &'a ToolContext<Root>) -> Self {
        Self {
            regex,
            literal: !search.regex,
            context: usize::try_from(search.context).unwrap_or(0),
            max_matches: usize::try_from(search.max_matches.unwrap_or(MATCHES)).unwrap_or(usize::MAX),
            limits,
            cx,
            read: 0,
            buffer: Vec::new(),
            result: SearchResult::default(),
        }
    }

    pub(super) fn wants_more(&self) -> bool {
        self.result.stopped_by.is_none()
    }

    pub(super) fn stop(&mut self, cap: StoppedBy) {
        self.result.stopped_by.get_or_insert(cap);
    }

    pub(super) fn unreadable(&mut self) {
        self.result.skipped.unreadable += 1;
    }

    pub(super) fn finish(mut self, unreadable_directories: u64) -> SearchResult {
        self.result.skipped.unreadable += unreadable_directories;
        self.result
    }

    /// Looks through one file.
    pub(super) fn file(&mut self, file: File, metadata: &Metadata, path: &str, exact: bool) -> Result<()> {
        go_on(self.cx)?;
        if metadata.len() > self.limits.search_file_bytes {
            self.result.skipped.too_large += 1;
            return Ok(());
        }
        if self.read.saturating_add(metadata.len()) > self.limits.search_bytes {
            self.stop(StoppedBy::Bytes);
            return Ok(());
        }
        let mut bytes = std::mem::take(&mut self.buffer);
        bytes.clear();
        // It may have grown since it was looked at.
        let read = file.take(self.limits.search_file_bytes).read_to_end(&mut bytes);
        self.read = self.read.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let end = match read {
            Err(_) => {
                self.unreadable();
                Ok(())
            }
            Ok(_) if bytes.iter().take(PROBE).any(|byte| *byte == 0) => {
                self.result.skipped.binary += 1;
                Ok(())
            }
            Ok(_) => {
                self.result.files_searched += 1;
                // A text that is nowhere in the file is in no line; an expression's anchors may see
                // the two differently.
                if self.literal && !self.regex.is_match(&bytes) {
                    Ok(())
                } else {
                    self.lines(&bytes, path, exact)
                }
            }
        };
        self.buffer = bytes;
        end
    }

    fn lines(&mut self, bytes: &[u8], path: &str, exact: bool) -> Result<()> {
        let mut before: VecDeque<&[u8]> = VecDeque::with_capacity(self.context);
        // Matches whose following lines are still to come.
        let first = self.result.matches.len();
        for (line, number) in lines_of(bytes).zip(1_u64..) {
            if number % PULSE == 0 {
                go_on(self.cx)?;
            }
            for found in self.result.matches.iter_mut().skip(first).rev().take(self.context) {
                if found.after.len() < self.context && found.line < number {
                    found.after.push(shown(line, 0).0);
                }
            }
            if self.result.stopped_by.is_some() {
                if self.owes_context(first) {
                    continue;
                }
                return Ok(());
            }
            if let Some(found) = self.regex.find(line) {
                let (text, cut) = shown(line, found.start());
                self.result.matches.push(LineMatch {
                    path: path.to_owned(),
                    line: number,
                    column: column(line, found.start()),
                    text,
                    cut,
                    before: before.iter().map(|line| shown(line, 0).0).collect(),
                    after: Vec::new(),
                    unaddressable: !exact,
                });
                if self.result.matches.len() >= self.max_matches {
                    self.stop(StoppedBy::Matches);
                }
            }
            if self.context > 0 {
                if before.len() == self.context {
                    before.pop_front();
                }
                before.push_back(line);
            }
        }
        Ok(())
    }

    /// Whether the last match of this file still lacks lines after it.
    fn owes_context(&self, first: usize) -> bool {
        self.result
            .matches
            .get(first..)
            .and_then(<[_]>::last)
            .is_some_and(|found| found.after.len() < self.context)
    }
}

/// Lines without their ends, `\n` or `\r\n`; a text that ends in a line's end has no empty last line.
fn lines_of(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(|line| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.strip_suffix(b"\r").unwrap_or(line)
    })
}

/// A line for the answer, and whether it is only the part around `at`.
fn shown(line: &[u8], at: usize) -> (String, bool) {
    if line.len() <= SHOWN {
        return (String::from_utf8_lossy(line).into_owned(), false);
    }
    let start = if at > LEAD { char_start(line, at - LEAD) } else { 0 };
    let end = char_start(line, start.saturating_add(SHOWN).min(line.len()));
    (String::from_utf8_lossy(line.get(start..end).unwrap_or_default()).into_owned(), true)
}

/// The nearest place at or before `at` where a character begins.
fn char_start(line: &[u8], at: usize) -> usize {
    (at.saturating_sub(3)..=at)
        .rev()
        .find(|place| line.get(*place).is_none_or(|byte| byte & 0xC0 != 0x80))
        .unwrap_or(at)
}

/// Counts characters, from 1.
fn column(line: &[u8], at: usize) -> u64 {
    let before = String::from_utf8_lossy(line.get(..at).unwrap_or_default());
    u64::try_from(before.chars().count()).unwrap_or(u64::MAX).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_both_ways() {
        let lines: Vec<_> = lines_of(b"a\r\nb\n\nc").collect();
        assert_eq!(lines, [&b"a"[..], b"b", b"", b"c"]);
        assert_eq!(lines_of(b"a\n").count(), 1);
        assert_eq!(lines_of(b"").count(), 0);
    }

    #[test]
    fn a_long_line_is_cut_around_the_match_between_characters() {
        let line = format!("{}needle{}", "é".repeat(1000), "€".repeat(1000));
        let at = line.find("needle").unwrap();
        let (text, cut) = shown(line.as_bytes(), at);
        assert!(cut && text.contains("needle") && text.len() <= SHOWN + 3);
        assert!(!text.contains('\u{FFFD}'), "{text}");
        assert_eq!(column(line.as_bytes(), at), 1001);
    }
}
