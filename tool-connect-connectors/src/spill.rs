//! Large and binary values go to the result store; the caller gets a handle.

use std::time::Duration;

use tool_connect_core::http::ByteStream;
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
