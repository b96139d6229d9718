//! `read`: a file's text, whole or a range of it; anything else by handle.

mod handle;
mod lines;

use std::io::{self, Read as _, Seek as _, SeekFrom};

use cap_std::fs::File;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Error, ErrorKind, FileRef, Problem, Result, Run, Tool, ToolContext};

use super::entry::modified;
use super::errors::refused;
use super::place::Place;
use super::root::{Root, go_on};
use super::text::{cut, piece};

/// Reads a file. UTF-8 text comes in place, whole or the range that was asked for; a text that is
/// larger than the cap, and anything that is not text, comes by handle. Read a large text in pieces:
/// by lines with `start_line` and `max_lines`, or by bytes with `offset` and `length`.
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(state = Root, read_only, open_world = false)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// File to read, relative to the root.
    #[schemars(length(max = 4096))]
    pub path: String,
    /// First line to return, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub start_line: Option<u64>,
    /// How many lines to return at most; 2000 if only `start_line` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub max_lines: Option<u32>,
    /// First byte to return, counted from 0; moved forward to the next whole character of a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// How many bytes to return at most; as many as the cap allows if only `offset` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub length: Option<u64>,
}

/// What was read: `text`, or `file` where it is not text or too large.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileContent {
    /// Path from the root.
    pub path: String,
    /// Size of the whole file in bytes.
    pub size: u64,
    /// When its content changed last, RFC 3339 in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The bytes by handle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileRef>,
    /// Where in the file the returned part begins, in bytes.
    pub offset: u64,
    /// Number of the first returned line, where lines were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The next `start_line`, if lines were asked for and there are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_line: Option<u64>,
    /// The next `offset`, if there is more and bytes were asked for, or one line is larger than the
    /// cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_offset: Option<u64>,
}

/// Which part of the file is wanted.
#[derive(Clone, Copy)]
enum Part {
    Whole,
    Lines { start: u64, count: u32 },
    Bytes { offset: u64, length: Option<u64> },
}

/// Text in place, or a part of an open file that has to go by handle.
enum Found {
    Text(FileContent),
    ByHandle { content: FileContent, file: File, length: u64, text: bool },
}

impl Run<Root> for Read {
    type Output = FileContent;

    async fn run(self, cx: &ToolContext<Root>) -> Result<FileContent> {
        let root = cx.state()?.clone();
        let (state, call) = (root.clone(), cx.clone());
        let path = self.path.clone();
        match cx.blocking(move || self.read(&state, &call)).await? {
            Found::Text(content) => Ok(content),
            Found::ByHandle { mut content, file, length, text } => {
                let expected = content.size.saturating_sub(content.offset);
                content.file = Some(handle::store(cx, &root, &path, file, (length, expected), text).await?);
                Ok(content)
            }
        }
    }
}

impl Read {
    fn part(&self) -> Result<Part> {
        let lines = self.start_line.is_some() || self.max_lines.is_some();
        let bytes = self.offset.is_some() || self.length.is_some();
        match (lines, bytes) {
            (true, true) => {
                let pointer = if self.offset.is_some() { "/offset" } else { "/length" };
                let message =
                    "cannot be given together with `start_line` or `max_lines`; ask for lines or for bytes";
                Err(Error::invalid_arguments(vec![Problem::new(pointer, "invalid", message)]))
            }
            (true, false) => {
                Ok(Part::Lines { start: self.start_line.unwrap_or(1), count: self.max_lines.unwrap_or(2000) })
            }
            (false, true) => Ok(Part::Bytes { offset: self.offset.unwrap_or(0), length: self.length }),
            (false, false) => Ok(Part::Whole),
        }
    }

    fn read(&self, root: &Root, cx: &ToolContext<Root>) -> Result<Found> {
        let part = self.part()?;
        let place = Place::new(&self.path, "/path")?;
        let (file, metadata) = root.open_regular(root.dir(), place.path(), &place)?;
        let content = FileContent {
            path: place.clean(),
            size: metadata.len(),
            modified: modified(&metadata),
            ..FileContent::default()
        };
        let cap = root.limits().read_bytes;
        match part {
            Part::Whole => whole(file, content, cap, &place, cx),
            Part::Bytes { offset, length } => bytes(file, content, offset, length, cap, &place, cx),
            Part::Lines { start, count } => {
                lines::read(file, content, start, count, cap, &place, cx).map(Found::Text)
            }
        }
    }
}

fn whole(
    mut file: File,
    mut content: FileContent,
    cap: u64,
    place: &Place<'_>,
    cx: &ToolContext<Root>,
) -> Result<Found> {
    // One byte more than the cap tells whether there is more; the size in the metadata may be out of
    // date, and is 0 for what the kernel makes up as it is read.
    let buffer = fill(&mut file, cap.saturating_add(1), place, cx)?;
    let read = len(&buffer);
    let text = piece(&buffer, false, read > cap).map(|(_, text)| text);
    match text {
        Some(text) if read <= cap => {
            content.text = Some(text.to_owned());
            content.size = read;
            Ok(Found::Text(content))
        }
        text => {
            let text = text.is_some();
            file.seek(SeekFrom::Start(0)).map_err(|e| refused(e, place))?;
            Ok(Found::ByHandle { content, file, length: u64::MAX, text })
        }
    }
}

fn bytes(
    mut file: File,
    mut content: FileContent,
    offset: u64,
    length: Option<u64>,
    cap: u64,
    place: &Place<'_>,
    cx: &ToolContext<Root>,
) -> Result<Found> {
    let wanted = length.unwrap_or(cap).min(cap);
    content.offset = offset;
    match file.seek(SeekFrom::Start(offset)) {
        // Beyond what a file can have is beyond the end of this one, too.
        Err(e) if e.kind() == io::ErrorKind::InvalidInput => {
            content.text = Some(String::new());
            return Ok(Found::Text(content));
        }
        sought => sought.map_err(|e| refused(e, place))?,
    };
    // Six bytes more: up to three that are skipped at the front, and the rest of a character that
    // the end would cut.
    let ask = wanted.saturating_add(6);
    let buffer = fill(&mut file, ask, place, cx)?;
    let at_end = len(&buffer) < ask;
    let Some((skip, text)) = piece(&buffer, offset > 0, !at_end) else {
        file.seek(SeekFrom::Start(offset)).map_err(|e| refused(e, place))?;
        return Ok(Found::ByHandle { content, file, length: length.unwrap_or(cap), text: false });
    };
    let taken = cut(text, usize::try_from(wanted).unwrap_or(usize::MAX));
    content.offset = offset.saturating_add(u64::try_from(skip).unwrap_or(0));
    if !at_end || taken.len() < text.len() {
        content.next_offset = Some(content.offset.saturating_add(len(taken.as_bytes())));
    }
    content.text = Some(taken.to_owned());
    Ok(Found::Text(content))
}

/// Reads at most `max` bytes, in steps between which the call may be given up.
fn fill(file: &mut File, max: u64, place: &Place<'_>, cx: &ToolContext<Root>) -> Result<Vec<u8>> {
    const STEP: u64 = 1024 * 1024;
    let mut buffer = Vec::new();
    loop {
        go_on(cx)?;
        let left = max.saturating_sub(len(&buffer));
        let read =
            file.by_ref().take(left.min(STEP)).read_to_end(&mut buffer).map_err(|e| refused(e, place))?;
        if read == 0 {
            return Ok(buffer);
        }
    }
}

fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn not_text(place: &Place<'_>) -> Error {
    place.error(
        ErrorKind::Unsupported,
        "is not UTF-8 text and has no lines; read it without `start_line` and `max_lines`",
    )
}
