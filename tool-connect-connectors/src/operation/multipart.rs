//! Bodies of several parts: `multipart/form-data` (RFC 7578) and `multipart/related` (RFC 2387).

use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};
use http::HeaderValue;
use serde_json::Value;
use tool_connect_core::http::ByteStream;
use tool_connect_core::{Error, ErrorKind, Result, ToolContext, pointer_token};

use super::body::open;
use super::{Part, style};
use crate::provider::{Content, File, IN_MEMORY};

/// A body up to this size is held in memory; of a larger one the files that are left are streamed, once.
const AT_ONCE: u64 = IN_MEMORY * 8;

/// One part, its boundary apart.
pub(super) struct Piece {
    head: String,
    data: Data,
}

enum Data {
    Bytes(Bytes),
    File(File),
}

/// The parts of a form, a part for each member and for each item of an array.
pub(super) async fn form(
    members: &[(String, String, Value)],
    parts: &[Part],
    cx: &ToolContext,
) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    for (pointer, name, value) in members {
        let part = parts.iter().find(|part| part.name == *name);
        match value {
            Value::Null => {}
            Value::Array(items) if part.is_none_or(|part| part.media_type.is_none() || part.file) => {
                for (at, item) in items.iter().enumerate().filter(|(_, item)| !item.is_null()) {
                    pieces.push(piece(&format!("{pointer}/{at}"), name, item, part, cx).await?);
                }
            }
            value => pieces.push(piece(pointer, name, value, part, cx).await?),
        }
    }
    Ok(pieces)
}

async fn piece(
    pointer: &str,
    name: &str,
    value: &Value,
    part: Option<&Part>,
    cx: &ToolContext,
) -> Result<Piece> {
    let mut head = format!("Content-Disposition: form-data; name=\"{}\"", escaped(name));
    let declared = part.and_then(|part| part.media_type.clone());
    if part.is_some_and(|part| part.file) {
        let file = open(value, pointer, cx).await?;
        // A part without a file name is not taken for a file.
        head.push_str(&format!("; filename=\"{}\"", escaped(file.name.as_deref().unwrap_or("file"))));
        let media_type = match declared {
            Some(declared) if !declared.contains(['*', ',']) => declared,
            _ => file.media_type.clone().unwrap_or_else(|| "application/octet-stream".to_owned()),
        };
        head.push_str(&content_type(&media_type, pointer)?);
        return Ok(Piece { head, data: Data::File(file) });
    }
    let structured = matches!(value, Value::Object(_) | Value::Array(_));
    let media_type = declared.or_else(|| structured.then(|| "application/json".to_owned()));
    let json = media_type.as_deref().is_some_and(|media_type| media_type.contains("json"));
    let text = if json { value.to_string() } else { style::text(value) };
    if let Some(media_type) = media_type {
        head.push_str(&content_type(&media_type, pointer)?);
    }
    Ok(Piece { head, data: Data::Bytes(text.into()) })
}

/// A part of JSON and one with a file.
pub(super) fn related(metadata: &Value, file: File, pointer: &str) -> Result<Vec<Piece>> {
    let media_type = file.media_type.clone().unwrap_or_else(|| "application/octet-stream".to_owned());
    let head = |media_type: &str| Ok::<_, Error>(content_type(media_type, pointer)?.trim_start().to_owned());
    Ok(vec![
        Piece { head: head("application/json")?, data: Data::Bytes(metadata.to_string().into()) },
        Piece { head: head(&media_type)?, data: Data::File(file) },
    ])
}

pub(super) fn content_type(media_type: &str, pointer: &str) -> Result<String> {
    match HeaderValue::try_from(media_type) {
        Ok(_) if !media_type.is_empty() => Ok(format!("\r\nContent-Type: {media_type}")),
        _ => Err(Error::invalid_argument(
            format!("{}/media_type", pointer.trim_end_matches('/')),
            "is not a media type",
        )),
    }
}

/// A name between quotes: what would end it, or the line, is percent-encoded, as browsers do it.
fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '"' => out.push_str("%22"),
            control if control.is_ascii_control() => out.push_str(&format!("%{:02X}", u32::from(control))),
            other => out.push(other),
        }
    }
    out
}

/// The pointer of a member that is an argument of its own, or stands in one.
pub(super) fn pointer(argument: &str, member: Option<&str>) -> String {
    match member {
        Some(member) => format!("/{}/{}", pointer_token(argument), pointer_token(member)),
        None => format!("/{}", pointer_token(argument)),
    }
}

/// The parts as one body, and the boundary between them.
pub(super) async fn assemble(pieces: Vec<Piece>, cx: &ToolContext) -> Result<(String, Content)> {
    let mut parts = Vec::with_capacity(pieces.len());
    let mut whole = 0_u64;
    for Piece { head, data } in pieces {
        let content = match data {
            Data::Bytes(bytes) => Content::Bytes(bytes),
            // One file may be given many times: what is held counts together.
            Data::File(file) if whole.saturating_add(file.size) > AT_ONCE => file.streamed(cx),
            Data::File(file) => file.content(cx).await?,
        };
        whole = whole.saturating_add(match &content {
            Content::Bytes(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            Content::Stream(_, size) => *size,
        });
        parts.push((head, content));
    }
    let in_memory = parts.iter().filter_map(|(_, content)| match content {
        Content::Bytes(bytes) => Some(&bytes[..]),
        Content::Stream(..) => None,
    });
    let boundary = boundary(&in_memory.collect::<Vec<_>>(), random)?;
    let streamed = parts.iter().any(|(_, content)| matches!(content, Content::Stream(..)));
    if !streamed && whole <= AT_ONCE {
        let mut all = BytesMut::new();
        for (head, content) in parts {
            all.put_slice(before(&boundary, &head).as_bytes());
            if let Content::Bytes(bytes) = content {
                all.put_slice(&bytes);
            }
            all.put_slice(b"\r\n");
        }
        all.put_slice(after(&boundary).as_bytes());
        return Ok((boundary, Content::Bytes(all.freeze())));
    }
    let mut size = u64::try_from(after(&boundary).len()).unwrap_or(u64::MAX);
    let mut streams: Vec<ByteStream> = Vec::new();
    let one = |bytes: Bytes| -> ByteStream { Box::pin(stream::iter([Ok(bytes)])) };
    for (head, content) in parts {
        let head = before(&boundary, &head);
        size = size.saturating_add(u64::try_from(head.len() + 2).unwrap_or(u64::MAX));
        streams.push(one(head.into()));
        match content {
            Content::Bytes(bytes) => {
                size = size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                streams.push(one(bytes));
            }
            Content::Stream(stream, length) => {
                size = size.saturating_add(length);
                streams.push(stream);
            }
        }
        streams.push(one(Bytes::from_static(b"\r\n")));
    }
    streams.push(one(after(&boundary).into()));
    Ok((boundary, Content::Stream(Box::pin(stream::iter(streams).flatten()), size)))
}

fn before(boundary: &str, head: &str) -> String {
    format!("--{boundary}\r\n{head}\r\n\r\n")
}

fn after(boundary: &str) -> String {
    format!("--{boundary}--\r\n")
}

/// 144 random bits: no stream holds them by chance, and what is in memory is looked through.
fn boundary(data: &[&[u8]], mut random: impl FnMut() -> Result<[u8; 18]>) -> Result<String> {
    loop {
        let text: String = random()?.iter().map(|byte| format!("{byte:02x}")).collect();
        let holds = |data: &&[u8]| data.windows(text.len()).any(|window| window == text.as_bytes());
        if !data.iter().any(holds) {
            return Ok(text);
        }
    }
}

fn random() -> Result<[u8; 18]> {
    let mut bytes = [0; 18];
    getrandom::fill(&mut bytes)
        .map_err(|_| Error::new(ErrorKind::Internal, "the operating system gives no random bytes"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_that_occurs_in_the_data_is_thrown_away() {
        let mut tries = 0_u8;
        let data = format!("x{}y", "00".repeat(18));
        let found = boundary(&[data.as_bytes()], || {
            tries += 1;
            Ok([tries - 1; 18])
        });
        assert_eq!(found.unwrap(), "01".repeat(18));
    }

    #[test]
    fn names_cannot_leave_their_quotes() {
        assert_eq!(escaped("a\"; x=\"b\r\nEvil: c\0"), "a%22; x=%22b%0D%0AEvil: c%00");
        assert_eq!(escaped("Grüße.txt"), "Grüße.txt");
        for bad in ["a\r\nEvil: b", ""] {
            assert_eq!(content_type(bad, "/file").unwrap_err().problems()[0].pointer, "/file/media_type");
        }
    }
}
