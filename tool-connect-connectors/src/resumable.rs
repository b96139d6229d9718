//! Uploads in pieces that can be resumed, by Google's protocol:
//! <https://developers.google.com/workspace/drive/api/guides/manage-uploads#resumable>.

use bytes::Bytes;
use http::StatusCode;
use http::response::Parts;
use serde_json::Value;
use tool_connect_core::http::{RedirectGuard, RequestBuilder, Response};
use tool_connect_core::{Effect, Error, ErrorKind, Result, ToolContext};
use url::{Origin, Url};

use crate::provider::File;

/// A file up to this size goes in one request, in bytes; a larger one in pieces. The limit is Google's.
pub(crate) const SIMPLE: u64 = 5 * 1024 * 1024;
/// A piece, in bytes; Google takes multiples of 256 KiB.
const CHUNK: u64 = 8 * 1024 * 1024;
/// So often in a row a piece may fail, or bring nothing forward.
const TRIES: u32 = 4;

/// A file that goes in pieces.
pub(crate) struct Resumable<'a> {
    pub(crate) cx: &'a ToolContext,
    /// What metrics call its requests.
    pub(crate) template: &'a str,
    /// Where the file may go: to the host that the upload is begun at.
    pub(crate) origin: Origin,
    pub(crate) file: &'a File,
    /// What an error answer means.
    pub(crate) classify: &'a (dyn Fn(&Parts, &[u8]) -> Option<Error> + Sync),
}

impl Resumable<'_> {
    /// Begins with the request, which says what the file belongs to; sends all pieces; returns the answer to the last one.
    pub(crate) async fn send(
        &self,
        begin: RequestBuilder<'_>,
        media_type: &str,
        metadata: Option<&Value>,
    ) -> Result<Response> {
        let size = self.file.size;
        let begin = begin
            .header("x-upload-content-type", media_type)
            .header("x-upload-content-length", size.to_string());
        let begin = match metadata {
            Some(metadata) => begin.json_body(metadata),
            None => begin.body(Bytes::new()),
        };
        // A session that nobody sends to leaves nothing behind.
        let begun = begin.repeatable(true).send().await?;
        let session = self.session(&begun)?;
        let mut at = 0_u64;
        let mut failed = 0_u32;
        loop {
            let end = size.min(at.saturating_add(CHUNK));
            let piece = self.file.piece(self.cx, at..end).await?;
            if u64::try_from(piece.len()).unwrap_or(u64::MAX) != end - at {
                return Err(Error::new(ErrorKind::NotFound, "the file expired while it was being sent")
                    .effect(Effect::NotExecuted)
                    .public(
                        "The file expired while it was being sent; make it again and pass its new handle.",
                    ));
            }
            let range = format!("bytes {at}-{}/{size}", end.saturating_sub(1));
            let (answer, broken) = match self.put(&session, range, piece, false).await {
                Ok(Some(answer)) => (answer, None),
                Err(error) if error.kind() != ErrorKind::Transport => return Err(error),
                // What arrived, nobody knows but the service; so it is asked instead of being sent the same again.
                unclear => {
                    let asked = self.put(&session, format!("bytes */{size}"), Bytes::new(), true).await;
                    // What was asked last says nothing of the last piece, which may have completed the upload.
                    let asked = asked.map_err(|error| if end < size { error } else { doubtful(error) })?;
                    (asked.ok_or_else(unfinished)?, unclear.err())
                }
            };
            if answer.status() != StatusCode::PERMANENT_REDIRECT {
                return Ok(answer);
            }
            let next = received(&answer).filter(|next| *next <= end).ok_or_else(|| {
                Error::new(ErrorKind::Provider, "an upload's range says that more arrived than was sent")
            })?;
            failed = if next > at { 0 } else { failed + 1 };
            // All of it arrived and nothing came of it: there is no piece left to send.
            if failed >= TRIES || next == size {
                return Err(broken.unwrap_or_else(unfinished));
            }
            at = next;
            #[expect(clippy::cast_precision_loss, reason = "a progress is no exact number")]
            self.cx.progress(at as f64, Some(size as f64), None::<String>);
        }
    }

    /// Sends a piece, or asks how far the upload is. `None` where the answer is that it did not work, and may later.
    async fn put(
        &self,
        session: &Url,
        range: String,
        piece: Bytes,
        repeatable: bool,
    ) -> Result<Option<Response>> {
        let origin = self.origin.clone();
        let guard = RedirectGuard::new(move |next| {
            if next.origin() == origin {
                return Ok(());
            }
            let message = "an upload is redirected to another host; the file is not sent there";
            Err(Error::new(ErrorKind::Blocked, message))
        });
        let answer = self
            .cx
            .http()
            .put(session.as_str())
            .redirect_guard(guard)
            // The address is a secret of the upload's: it gives access without more.
            .template(format!("{} (upload session)", self.template))
            .header("content-range", range)
            .body(piece)
            .repeatable(repeatable)
            .any_status()
            .send()
            .await?;
        let status = answer.status();
        match status.as_u16() {
            200 | 201 | 308 => Ok(Some(answer)),
            408 | 429 | 500.. => Ok(None),
            404 | 410 => Err(Error::of_status(status.as_u16(), "the upload session has ended")
                .effect(Effect::NotExecuted)
                .public("The upload was ended before it was complete. Nothing was stored; call again.")),
            other => {
                let head = answer.head().clone();
                let body = answer.bytes().await?;
                Err((self.classify)(&head, &body)
                    .unwrap_or_else(|| Error::of_status(other, "the service refused a piece of the upload")))
            }
        }
    }

    /// The session's address, which must lead where the request went.
    fn session(&self, begun: &Response) -> Result<Url> {
        let wrong =
            |message: &'static str| Error::new(ErrorKind::Provider, message).effect(Effect::NotExecuted);
        let location =
            begun.header("location").ok_or_else(|| wrong("an upload was begun without an address"))?;
        let session = Url::parse(location).map_err(|_| wrong("an upload's address is no URL"))?;
        if session.origin() != self.origin {
            return Err(Error::new(
                ErrorKind::Blocked,
                "an upload was begun with an address at another host; the file is not sent there",
            ));
        }
        Ok(session)
    }
}

fn doubtful(error: Error) -> Error {
    error.effect(Effect::Unknown).public(
        "It is not known whether the upload was completed. Look whether the file is there before sending it again.",
    )
}

fn unfinished() -> Error {
    Error::new(ErrorKind::Transport, "an upload broke off, and resuming it did not work").public(
        "The upload broke off, and resuming it did not work. Look whether the file is there before sending it again.",
    )
}

/// How much of the upload has arrived, in bytes: `Range: bytes=0-42`, or no such header for nothing.
fn received(answer: &Response) -> Option<u64> {
    let Some(range) = answer.header("range") else { return Some(0) };
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    (first == "0").then_some(())?;
    last.parse::<u64>().ok()?.checked_add(1)
}
