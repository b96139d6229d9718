//! gzip bodies, decompressed by ourselves so that the ratio can be bounded: the HTTP client's own
//! decompression hides how many bytes came over the wire.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_compression::tokio::bufread::GzipDecoder;
use bytes::{Buf, Bytes, BytesMut};
use futures_core::Stream;
use http::{HeaderMap, HeaderValue, header};
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};
use tool_connect_core::http::ByteStream;
use tool_connect_core::{Effect, Error, ErrorKind, Result};

/// Decompressed bytes per piece; a bomb is noticed after at most one more of these.
const PIECE: usize = 16 << 10;
/// Below this the ratio does not matter: short texts compress very well.
const GRACE: u64 = 1 << 20;

/// Asks for gzip where the request does not say what it takes. Returns whether it was asked for
/// here, so that it must be decoded here.
pub(super) fn ask(headers: &mut HeaderMap) -> bool {
    if headers.contains_key(header::ACCEPT_ENCODING) || headers.contains_key(header::RANGE) {
        return false;
    }
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    true
}

/// Takes the coding off an answer's head, if it is gzip.
pub(super) fn take_gzip(headers: &mut HeaderMap) -> bool {
    let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
    let gzip = match (codings.next(), codings.next()) {
        (Some(only), None) => {
            let coding = only.as_bytes().trim_ascii();
            coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip")
        }
        _ => false,
    };
    if gzip {
        headers.remove(header::CONTENT_ENCODING);
        headers.remove(header::CONTENT_LENGTH);
    }
    gzip
}

/// Decompresses a body; fails where it grows beyond `ratio` times its compressed size.
pub(super) fn gunzip(body: ByteStream, ratio: u32) -> ByteStream {
    let mut decoder = GzipDecoder::new(Compressed { body, chunk: Bytes::new(), read: 0, failed: None });
    decoder.multiple_members(true);
    Box::pin(Gunzip { decoder: Some(decoder), ratio: u64::from(ratio.max(1)), written: 0 })
}

struct Gunzip {
    /// Gone once it has ended.
    decoder: Option<GzipDecoder<Compressed>>,
    ratio: u64,
    written: u64,
}

impl Stream for Gunzip {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let this = &mut *self;
        let Some(decoder) = this.decoder.as_mut() else { return Poll::Ready(None) };
        let mut piece = BytesMut::zeroed(PIECE);
        let mut buffer = ReadBuf::new(&mut piece);
        let outcome = ready!(Pin::new(&mut *decoder).poll_read(cx, &mut buffer));
        let length = buffer.filled().len();
        let compressed = decoder.get_mut();
        let item = match outcome {
            Err(error) => Some(Err(compressed.failed.take().unwrap_or_else(|| corrupt(error)))),
            Ok(()) if length == 0 => None,
            Ok(()) => {
                this.written += u64::try_from(length).unwrap_or(u64::MAX);
                if this.written > GRACE && this.written / this.ratio > compressed.read {
                    Some(Err(bomb(this.ratio)))
                } else {
                    piece.truncate(length);
                    Some(Ok(piece.freeze()))
                }
            }
        };
        if !matches!(item, Some(Ok(_))) {
            this.decoder = None;
        }
        Poll::Ready(item)
    }
}

fn bomb(ratio: u64) -> Error {
    Error::new(
        ErrorKind::TooLarge,
        format!("the answer is more than {ratio} times larger than its compressed form; raise `max_decompression_ratio` if the service is trusted"),
    )
    .effect(Effect::Unknown)
}

fn corrupt(error: io::Error) -> Error {
    Error::new(ErrorKind::Transport, "the answer's compressed body is damaged or broke off before its end")
        .effect(Effect::Unknown)
        .caused_by(error)
}

/// A stream of chunks, read through a buffer as decoders want it.
struct Compressed {
    body: ByteStream,
    chunk: Bytes,
    /// How many bytes came over the wire.
    read: u64,
    /// Our own error, kept while an [`io::Error`] stands for it.
    failed: Option<Error>,
}

impl AsyncBufRead for Compressed {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        while this.chunk.is_empty() {
            match ready!(this.body.as_mut().poll_next(cx)) {
                None => return Poll::Ready(Ok(&[])),
                Some(Ok(chunk)) => {
                    this.read += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
                    this.chunk = chunk;
                }
                Some(Err(error)) => {
                    this.failed = Some(error);
                    return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
                }
            }
        }
        Poll::Ready(Ok(&this.chunk))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        let amount = amount.min(self.chunk.len());
        self.chunk.advance(amount);
    }
}

impl AsyncRead for Compressed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let available = ready!(self.as_mut().poll_fill_buf(cx))?;
        let length = available.len().min(into.remaining());
        if let Some(part) = available.get(..length) {
            into.put_slice(part);
        }
        self.consume(length);
        Poll::Ready(Ok(()))
    }
}
