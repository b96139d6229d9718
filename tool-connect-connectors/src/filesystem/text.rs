//! Which bytes are text, where a piece of a text may end, and what a file is by its name.

use std::path::Path;

/// The text of a piece that was cut out of a longer one: how many bytes of an incomplete character
/// it begins with, and its text up to the first incomplete character at its end.
///
/// `None` where it is no text: invalid UTF-8, or a NUL character.
pub(super) fn piece(bytes: &[u8], cut_before: bool, cut_after: bool) -> Option<(usize, &str)> {
    // A character's later bytes are 10xxxxxx, and there are at most three.
    let skip =
        if cut_before { bytes.iter().take(3).take_while(|byte| **byte & 0xC0 == 0x80).count() } else { 0 };
    let body = bytes.get(skip..)?;
    let text = match std::str::from_utf8(body) {
        Ok(text) => text,
        Err(e) if e.error_len().is_none() && cut_after => {
            std::str::from_utf8(body.get(..e.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    if text.contains('\0') { None } else { Some((skip, text)) }
}

/// The longest beginning of a text that has at most `max` bytes and ends between characters, but at
/// least one character.
pub(super) fn cut(text: &str, max: usize) -> &str {
    let fitting = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= max).last();
    let end = fitting.or_else(|| text.chars().next().map(char::len_utf8)).unwrap_or(0);
    text.get(..end).unwrap_or(text)
}

/// The media type that a file's name suggests.
pub(super) fn media_type(path: &Path, text: bool) -> &'static str {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    match extension.as_str() {
        "avif" => "image/avif",
        "bmp" => "image/bmp",
        "csv" => "text/csv",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "gif" => "image/gif",
        "gz" | "tgz" => "application/gzip",
        "htm" | "html" => "text/html",
        "jpeg" | "jpg" => "image/jpeg",
        "json" => "application/json",
        "md" => "text/markdown",
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        "ogg" => "audio/ogg",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "ppt" => "application/vnd.ms-powerpoint",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "svg" => "image/svg+xml",
        "tar" => "application/x-tar",
        "wasm" => "application/wasm",
        "wav" => "audio/wav",
        "webm" => "video/webm",
        "webp" => "image/webp",
        "xls" => "application/vnd.ms-excel",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xml" => "application/xml",
        "zip" => "application/zip",
        _ if text => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_trimmed_to_whole_characters() {
        let text = "aé€😀z".as_bytes();
        // From the middle of the euro sign to the middle of the face.
        assert_eq!(piece(&text[4..8], true, true), Some((2, "")));
        assert_eq!(piece(&text[1..7], true, true), Some((0, "é€")));
        assert_eq!(piece(&text[1..7], true, false), None);
        assert_eq!(piece(text, false, false), Some((0, "aé€😀z")));
        assert_eq!(piece(b"\x80a", false, false), None);
        assert_eq!(piece(b"a\xff b", true, true), None);
        assert_eq!(piece(b"a\0b", false, false), None);
    }

    #[test]
    fn a_cut_makes_progress() {
        assert_eq!(cut("aé€", 2), "a");
        assert_eq!(cut("aé€", 3), "aé");
        assert_eq!(cut("😀", 1), "😀");
        assert_eq!(cut("abc", 9), "abc");
        assert_eq!(cut("", 9), "");
    }
}
