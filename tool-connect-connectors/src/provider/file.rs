//! Files that a request carries: by handle of the result store, or in Base64.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::http::ByteStream;
use tool_connect_core::{Error, ErrorKind, Result, ResultHandle, ToolArgs, ToolContext};

/// A file up to this size is read into memory, so that its request can be repeated; a larger one is streamed, once.
pub(crate) const IN_MEMORY: u64 = 1024 * 1024;
/// So much is read from the store at once.
const PIECE: u64 = 256 * 1024;

/// A file to send: by the handle of a result of an earlier call, or with its bytes in Base64. One of the two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(deny_unknown_fields)]
pub struct FileInput {
    /// Handle of a file that an earlier call returned, or that the app stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// The file's bytes in Base64 (RFC 4648), for small ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// File name, where it shall differ from the stored one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Media type, where it shall differ from the stored one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
}

impl FileInput {
    /// A file of the result store.
    #[must_use]
    pub fn handle(handle: &ResultHandle) -> Self {
        Self { handle: Some(handle.as_str().to_owned()), ..Self::default() }
    }

    /// A file whose bytes go with the call.
    #[must_use]
    pub fn bytes(bytes: &[u8], name: impl Into<String>) -> Self {
        Self { base64: Some(STANDARD.encode(bytes)), name: Some(name.into()), ..Self::default() }
    }

    /// Finds the file; `pointer` is where the argument stands.
    pub(crate) async fn open(self, pointer: &str, cx: &ToolContext) -> Result<File> {
        let wrong =
            |within: &str, message: &str| Error::invalid_argument(format!("{pointer}{within}"), message);
        let Self { handle, base64, name, media_type } = self;
        match (handle, base64) {
            (Some(_), Some(_)) => Err(wrong("/base64", "cannot be given together with `handle`")),
            (Some(handle), None) => {
                let handle = ResultHandle::new(handle).map_err(|_| wrong("/handle", "is not a handle"))?;
                let of = cx.principal();
                let meta = cx.results().meta(&of.tenant, &of.user, &handle).await?;
                let meta = meta.ok_or_else(|| {
                    wrong(
                        "/handle",
                        "there is no such result, or it has expired; make it again and pass its new handle",
                    )
                })?;
                Ok(File {
                    name: name.or(meta.name),
                    media_type: media_type.or(Some(meta.media_type)),
                    size: meta.size,
                    data: Data::Stored(handle),
                })
            }
            (None, Some(encoded)) => {
                let engine = if encoded.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
                let bytes =
                    engine.decode(encoded).map_err(|_| wrong("/base64", "is not Base64 (RFC 4648)"))?;
                let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                Ok(File { name, media_type, size, data: Data::Bytes(bytes.into()) })
            }
            (None, None) => Err(wrong(
                "",
                "must be a file: `{\"handle\": ..}` of an earlier result, or `{\"base64\": ..}`",
            )),
        }
    }
}

/// A file on its way into a request.
pub(crate) struct File {
    pub(crate) name: Option<String>,
    pub(crate) media_type: Option<String>,
    pub(crate) size: u64,
    data: Data,
}

enum Data {
    Bytes(Bytes),
    Stored(ResultHandle),
}

/// Bytes of a request.
pub(crate) enum Content {
    Bytes(Bytes),
    Stream(ByteStream, u64),
}

impl File {
    /// A file that was made here.
    pub(crate) fn made(bytes: Bytes, media_type: impl Into<String>) -> Self {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self { name: None, media_type: Some(media_type.into()), size, data: Data::Bytes(bytes) }
    }

    /// Its bytes as they are read, however small it is; those that came with the call are there already.
    pub(crate) fn streamed(self, cx: &ToolContext) -> Content {
        match self.data {
            Data::Bytes(bytes) => Content::Bytes(bytes),
            Data::Stored(handle) => stream_of(cx, handle, self.size),
        }
    }

    /// A piece of it, cut at its end.
    pub(crate) async fn piece(&self, cx: &ToolContext, range: Range<u64>) -> Result<Bytes> {
        let range = range.start.min(self.size)..range.end.min(self.size);
        match &self.data {
            Data::Bytes(bytes) => {
                let place = |at| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                Ok(bytes.slice(place(range.start)..place(range.end)))
            }
            Data::Stored(handle) => {
                let of = cx.principal();
                cx.results().read(&of.tenant, &of.user, handle, range).await?.ok_or_else(expired)
            }
        }
    }

    /// Its bytes: at once if it is small, else as they are read.
    pub(crate) async fn content(self, cx: &ToolContext) -> Result<Content> {
        match self.data {
            Data::Bytes(bytes) => Ok(Content::Bytes(bytes)),
            Data::Stored(handle) => {
                if self.size > IN_MEMORY {
                    return Ok(stream_of(cx, handle, self.size));
                }
                let mut stream = stored(cx.clone(), handle, self.size);
                let mut all = BytesMut::new();
                while let Some(piece) = stream.next().await {
                    all.extend_from_slice(&piece?);
                }
                Ok(Content::Bytes(all.freeze()))
            }
        }
    }
}

fn stream_of(cx: &ToolContext, handle: ResultHandle, size: u64) -> Content {
    Content::Stream(stored(cx.clone(), handle, size), size)
}

/// An entry of the store, piece by piece.
fn stored(cx: ToolContext, handle: ResultHandle, size: u64) -> ByteStream {
    Box::pin(stream::try_unfold((cx, handle, 0_u64), move |(cx, handle, at)| async move {
        if at >= size {
            return Ok(None);
        }
        let of = cx.principal();
        let range = at..size.min(at.saturating_add(PIECE));
        let read = cx.results().read(&of.tenant, &of.user, &handle, range).await?;
        match read {
            Some(piece) if !piece.is_empty() => {
                let at = at.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
                Ok(Some((piece, (cx, handle, at))))
            }
            _ => Err(expired()),
        }
    }))
}

fn expired() -> Error {
    Error::new(ErrorKind::NotFound, "the file expired while it was being sent")
        .public("The file expired while it was being sent; make it again and pass its new handle.")
}
