//! A range of lines.

use std::io::{BufRead as _, BufReader};

use cap_std::fs::File;
use tool_connect_core::{Result, ToolContext};

use super::{FileContent, len, not_text};
use crate::filesystem::errors::refused;
use crate::filesystem::place::Place;
use crate::filesystem::root::{Root, go_on};
use crate::filesystem::text::{cut, piece};

/// How a line ended.
enum Line {
    Whole,
    /// It is longer than there was room for.
    Cut,
    End,
}

/// Reads `count` lines from `start`, counted from 1, as far as they fit under the cap: whole lines,
/// unless the first alone is larger than the cap.
pub(super) fn read(
    file: File,
    mut content: FileContent,
    start: u64,
    count: u32,
    cap: u64,
    place: &Place<'_>,
    cx: &ToolContext<Root>,
) -> Result<FileContent> {
    let mut lines = Lines { file: BufReader::with_capacity(64 * 1024, file), at: 0, place, cx };
    for _ in 1..start {
        if matches!(lines.next(None)?, Line::End) {
            break;
        }
    }
    content.offset = lines.at;
    content.line = Some(start);
    let mut buffer = Vec::new();
    let mut taken = 0;
    let mut whole = 0;
    while taken < count {
        let room = cap.saturating_sub(len(&buffer));
        match lines.next(Some((&mut buffer, room)))? {
            Line::Whole => {
                taken += 1;
                whole = buffer.len();
            }
            Line::End => break,
            Line::Cut if taken == 0 => {
                let (_, text) = piece(&buffer, false, true).ok_or_else(|| not_text(place))?;
                let text = cut(text, usize::try_from(cap).unwrap_or(usize::MAX));
                content.next_offset = Some(content.offset.saturating_add(len(text.as_bytes())));
                content.text = Some(text.to_owned());
                return Ok(content);
            }
            Line::Cut => {
                content.next_line = Some(start.saturating_add(u64::from(taken)));
                break;
            }
        }
    }
    if content.next_line.is_none() && taken == count && !lines.at_end()? {
        content.next_line = Some(start.saturating_add(u64::from(taken)));
    }
    buffer.truncate(whole);
    let (_, text) = piece(&buffer, false, false).ok_or_else(|| not_text(place))?;
    content.text = Some(text.to_owned());
    Ok(content)
}

struct Lines<'a> {
    file: BufReader<File>,
    /// Bytes passed so far.
    at: u64,
    place: &'a Place<'a>,
    cx: &'a ToolContext<Root>,
}

impl Lines<'_> {
    /// Passes a line with its end. It goes into the buffer, if there is one, as far as there is room.
    fn next(&mut self, mut into: Option<(&mut Vec<u8>, u64)>) -> Result<Line> {
        let mut begun = false;
        loop {
            go_on(self.cx)?;
            let bytes = self.file.fill_buf().map_err(|e| refused(e, self.place))?;
            if bytes.is_empty() {
                return Ok(if begun { Line::Whole } else { Line::End });
            }
            begun = true;
            let end = bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
            let used = end.unwrap_or(bytes.len());
            if let Some((buffer, room)) = &mut into {
                let fits = used.min(usize::try_from(*room).unwrap_or(usize::MAX));
                buffer.extend(bytes.iter().take(fits));
                *room = room.saturating_sub(u64::try_from(fits).unwrap_or(u64::MAX));
                if fits < used {
                    return Ok(Line::Cut);
                }
            }
            self.file.consume(used);
            self.at = self.at.saturating_add(u64::try_from(used).unwrap_or(0));
            if end.is_some() {
                return Ok(Line::Whole);
            }
        }
    }

    fn at_end(&mut self) -> Result<bool> {
        Ok(self.file.fill_buf().map_err(|e| refused(e, self.place))?.is_empty())
    }
}
