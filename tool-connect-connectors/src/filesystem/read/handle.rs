//! A file, or a part of one, into the result store, chunk by chunk.

use std::io::Read as _;
use std::path::Path;

use bytes::Bytes;
use cap_std::fs::File;
use futures_util::stream;
use tool_connect_core::http::ByteStream;
use tool_connect_core::{Effect, Error, ErrorKind, FileRef, Result, ToolContext};

use crate::filesystem::root::{Root, go_on};
use crate::filesystem::text::media_type;
use crate::spill::Spill;

/// Bytes that are in memory at a time.
const CHUNK: u64 = 256 * 1024;

/// Stores at most `length` bytes from where the file stands, of which about `expected` are there.
pub(super) async fn store(
    cx: &ToolContext<Root>,
    root: &Root,
    path: &str,
    file: File,
    (length, expected): (u64, u64),
    text: bool,
) -> Result<FileRef> {
    let cap = root.limits().handle_bytes;
    if length.min(expected) > cap {
        return Err(too_large(cap));
    }
    let path = Path::new(path);
    let spill = Spill {
        media_type: media_type(path, text).to_owned(),
        name: path.file_name().and_then(|name| name.to_str()).map(str::to_owned),
        keep: root.limits().keep,
        max_bytes: cap,
    };
    let stored = spill.store(cx, chunks(cx.clone(), file, length)).await;
    stored.map_err(|error| if error.kind() == ErrorKind::TooLarge { too_large(cap) } else { error })
}

fn too_large(cap: u64) -> Error {
    let message = format!(
        "the file is larger than the {cap} bytes that may be handed out; read a part of it with `offset` and `length`"
    );
    Error::new(ErrorKind::TooLarge, message.clone()).public(message).effect(Effect::None)
}

fn chunks(cx: ToolContext<Root>, file: File, length: u64) -> ByteStream {
    Box::pin(stream::try_unfold((file, length), move |(file, left)| {
        let cx = cx.clone();
        async move {
            let call = cx.clone();
            cx.blocking(move || {
                go_on(&call)?;
                let mut buffer = Vec::new();
                let read = (&file).take(left.min(CHUNK)).read_to_end(&mut buffer).map_err(|e| {
                    Error::new(ErrorKind::Storage, "reading the file failed half way").caused_by(e)
                })?;
                if read == 0 {
                    return Ok(None);
                }
                let left = left.saturating_sub(u64::try_from(read).unwrap_or(u64::MAX));
                Ok(Some((Bytes::from(buffer), (file, left))))
            })
            .await
        }
    }))
}
