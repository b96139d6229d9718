//! Large and binary values go to the result store; the caller gets a handle.

use std::time::Duration;

use tool_connect_core::http::ByteStream;
#[cfg(any(feature = "http", feature = "operation"))]
use tool_connect_core::http::Response;
use tool_connect_core::store::NewResult;
use tool_connect_core::{FileRef, Result, ToolContext};

/// What the entry in the result store shall be.
pub(crate) struct Spill {
    pub(crate) media_type: String,
    pub(crate) name: Option<String>,
    pub(crate) keep: Duration,
    pub(crate) max_bytes: u64,
}

impl Spill {
    /// Stores a stream for the caller of this call alone.
    pub(crate) async fn store<S>(self, cx: &ToolContext<S>, data: ByteStream) -> Result<FileRef> {
        let principal = cx.principal();
        let new = NewResult {
            tenant: principal.tenant.clone(),
            user: principal.user.clone(),
            media_type: self.media_type,
            name: self.name,
            keep: self.keep,
            max_bytes: self.max_bytes,
        };
        let meta = cx.results().put(new, data).await?;
        Ok(FileRef { handle: meta.handle, media_type: meta.media_type, size: meta.size, name: meta.name })
    }
}

/// A body that was begun to be read.
#[cfg(any(feature = "http", feature = "operation"))]
pub(crate) struct Begun {
    /// What was read.
    pub(crate) bytes: bytes::Bytes,
    /// What is still to come; `None` where `bytes` are all.
    rest: Option<ByteStream>,
}

#[cfg(any(feature = "http", feature = "operation"))]
impl Begun {
    /// Reads until the body ends, or is longer than `inline` bytes.
    pub(crate) async fn read(mut response: Response, inline: usize) -> Result<Self> {
        let mut bytes = bytes::BytesMut::new();
        while let Some(chunk) = response.chunk().await? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > inline {
                return Ok(Self { bytes: bytes.freeze(), rest: Some(response.into_stream()) });
            }
        }
        Ok(Self { bytes: bytes.freeze(), rest: None })
    }

    /// Whether it was read to its end.
    pub(crate) fn is_whole(&self) -> bool {
        self.rest.is_none()
    }

    /// All of it as a stream.
    pub(crate) fn into_stream(self) -> ByteStream {
        use futures_util::{StreamExt as _, stream};
        Box::pin(stream::iter([Ok(self.bytes)]).chain(stream::iter(self.rest).flatten()))
    }
}
