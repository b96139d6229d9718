//! Uploads: at once in two parts, or in pieces that can be resumed
//! (<https://developers.google.com/workspace/drive/api/guides/manage-uploads>).

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Method};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tool_connect_core::http::{RequestBuilder, Response};
use tool_connect_core::{Error, ErrorKind, Result, ToolContext};

use super::error;
use crate::provider::File;
use crate::resumable::{Resumable, SIMPLE};

/// A file on its way to Google, and what it belongs to.
pub(crate) struct Upload<'a> {
    pub(crate) cx: &'a ToolContext,
    pub(crate) method: Method,
    /// Path below the base URL, with placeholders.
    pub(crate) path: &'a str,
    pub(crate) values: &'a [(&'a str, &'a str)],
    pub(crate) query: &'a [(&'a str, &'a str)],
    /// The resource as far as it is not the file.
    pub(crate) metadata: &'a Value,
    pub(crate) file: &'a File,
    /// Whether sending it twice makes no second one.
    pub(crate) repeatable: Option<bool>,
}

impl Upload<'_> {
    /// Sends it, and returns the answer with the resource.
    pub(crate) async fn send(self) -> Result<Response> {
        let media_type = self.file.media_type.as_deref().unwrap_or("application/octet-stream");
        if media_type.is_empty() || HeaderValue::try_from(media_type).is_err() {
            return Err(Error::invalid_argument("/file/media_type", "is not a media type"));
        }
        if self.file.size <= SIMPLE {
            self.at_once(media_type).await
        } else {
            self.in_pieces(media_type).await
        }
    }

    fn request(&self, kind: &str) -> RequestBuilder<'_> {
        let mut request = self.cx.http().request(self.method.clone(), self.path).query("uploadType", kind);
        for (name, value) in self.values {
            request = request.path(name, value);
        }
        for (name, value) in self.query {
            request = request.query(name, value);
        }
        request
    }

    async fn at_once(&self, media_type: &str) -> Result<Response> {
        let content = self.file.piece(self.cx, 0..self.file.size).await?;
        let (boundary, body) = related(self.metadata, media_type, &content);
        let mut request = self
            .request("multipart")
            .header("content-type", format!("multipart/related; boundary={boundary}"))
            .body(body);
        if let Some(repeatable) = self.repeatable {
            request = request.repeatable(repeatable);
        }
        request.send().await
    }

    async fn in_pieces(&self, media_type: &str) -> Result<Response> {
        let Some(base) = self.cx.base_url() else {
            return Err(Error::new(ErrorKind::Config, "the instance has no base URL"));
        };
        let pieces = Resumable {
            cx: self.cx,
            template: self.path,
            origin: base.origin(),
            file: self.file,
            classify: &error::read,
        };
        pieces.send(self.request("resumable"), media_type, Some(self.metadata)).await
    }
}

/// A body of two parts (RFC 2387), and its boundary. That is made of the content, which therefore does not hold it.
fn related(metadata: &Value, media_type: &str, content: &[u8]) -> (String, Bytes) {
    let hash = Sha256::new().chain_update(metadata.to_string()).chain_update(content).finalize();
    let boundary: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let mut body = BytesMut::with_capacity(content.len() + 1024);
    let head = format!(
        "--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{metadata}\r\n--{boundary}\r\nContent-Type: \
         {media_type}\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(content);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    (boundary, body.freeze())
}
