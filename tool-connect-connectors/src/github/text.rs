//! Answers that are text or files: short text in the result, the rest by handle.

use tool_connect_core::http::{ByteStream, Response};
use tool_connect_core::{FileRef, Result, ToolContext};

use crate::spill::{Begun, Spill};

/// Text up to this size stands in the result, in bytes.
pub(super) const INLINE: usize = 256 << 10;
/// No file at GitHub is larger, in bytes. The host's own cap is lower unless it raises it.
pub(super) const LARGEST: u64 = 2 << 30;

/// A text, or where it lies.
pub(super) enum Text {
    Inline(String),
    Stored(FileRef),
}

/// Reads an answer: text if it is UTF-8 and short, else stored under this name.
pub(super) async fn of_text(cx: &ToolContext, response: Response, name: String) -> Result<Text> {
    of_begun(cx, Begun::read(response, INLINE).await?, name).await
}

/// Bytes that are there: text if they are UTF-8 and short, else stored under this name.
pub(super) async fn of_bytes(cx: &ToolContext, bytes: Vec<u8>, name: String) -> Result<Text> {
    of_begun(cx, Begun::of(bytes.into(), INLINE), name).await
}

async fn of_begun(cx: &ToolContext, begun: Begun, name: String) -> Result<Text> {
    let text = match std::str::from_utf8(&begun.bytes) {
        Ok(text) => Some(text),
        // Reading may have stopped within a character.
        Err(error) if !begun.is_whole() && error.error_len().is_none() => {
            let whole = begun.bytes.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(whole).ok()
        }
        Err(_) => None,
    };
    let text = text.filter(|text| !text.contains('\0'));
    if let Some(text) = text.filter(|_| begun.is_whole()) {
        return Ok(Text::Inline(text.to_owned()));
    }
    let media_type = if text.is_some() { "text/plain; charset=utf-8" } else { "application/octet-stream" };
    store(cx, begun.into_stream(), media_type, name).await.map(Text::Stored)
}

async fn store(cx: &ToolContext, data: ByteStream, media_type: &str, name: String) -> Result<FileRef> {
    let spill = Spill::for_an_hour(media_type.to_owned(), Some(name));
    spill.store(cx, data).await
}
