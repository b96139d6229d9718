//! Large and binary values go to the result store; the caller gets a handle.

use std::time::Duration;

use tool_connect_core::http::ByteStream;
#[cfg(any(feature = "http", feature = "provider"))]
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
    /// What is kept for an hour, and up to what its request's cap lets through.
    #[cfg(feature = "provider")]
    #[allow(dead_code, reason = "not every connector downloads")]
    pub(crate) fn for_an_hour(media_type: String, name: Option<String>) -> Self {
        Self { media_type, name, keep: Duration::from_secs(60 * 60), max_bytes: u64::MAX }
    }

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
#[cfg(any(feature = "http", feature = "provider"))]
#[allow(dead_code, reason = "not every connector reads ahead")]
pub(crate) struct Begun {
    /// What was read.
    pub(crate) bytes: bytes::Bytes,
    /// What is still to come; `None` where `bytes` are all.
    rest: Option<ByteStream>,
}

#[cfg(any(feature = "http", feature = "provider"))]
#[allow(dead_code, reason = "not every connector reads ahead")]
impl Begun {
    /// Bytes that are all; as if read, where they are longer than `inline`.
    #[cfg(feature = "provider")]
    pub(crate) fn of(bytes: bytes::Bytes, inline: usize) -> Self {
        let rest: Option<ByteStream> =
            (bytes.len() > inline).then(|| Box::pin(futures_util::stream::empty()) as ByteStream);
        Self { bytes, rest }
    }

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

/// Stores the body of an answer as a file for the caller, an hour and up to what the request's cap lets through.
#[cfg(feature = "provider")]
#[allow(dead_code, reason = "not every connector downloads")]
pub(crate) async fn download(cx: &ToolContext, response: Response, name: Option<String>) -> Result<FileRef> {
    let media_type = response.header("content-type").unwrap_or("application/octet-stream").to_owned();
    Spill::for_an_hour(media_type, name).store(cx, response.into_stream()).await
}
