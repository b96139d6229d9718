//! Replaying.

use std::fmt::{self, Debug};
use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use http::StatusCode;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{Effect, Error, ErrorKind, Result};
use tracing::instrument::WithSubscriber;

use super::format::{Cassette, Exchange, Request, hash, header_map, stream, whole};
use super::redact::Redaction;
use crate::leak::LeakCheck;

/// So many recorded requests are named where none matches.
const NEAREST: usize = 3;

/// Answers from a cassette: each recorded exchange once, the first that fits.
///
/// A request fits if its method, its URL and its body are those that were recorded, after redaction.
pub struct Replayer {
    redaction: Redaction,
    exchanges: Mutex<Vec<(Exchange, bool)>>,
}

impl Debug for Replayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replayer").field("redaction", &self.redaction).finish_non_exhaustive()
    }
}

impl Replayer {
    /// Opens a cassette.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where it is missing or malformed.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let cassette = Cassette::read(path.as_ref())?;
        let exchanges = cassette.exchanges.into_iter().map(|exchange| (exchange, false)).collect();
        Ok(Self { redaction: Redaction::default(), exchanges: Mutex::new(exchanges) })
    }

    /// Redacts requests like this before they are compared; as when they were recorded.
    #[must_use]
    pub fn with(self, redaction: Redaction) -> Self {
        Self { redaction, ..self }
    }

    /// Recorded requests that nobody has made, as `METHOD url`.
    #[must_use]
    pub fn unused(&self) -> Vec<String> {
        let exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        exchanges.iter().filter(|(_, used)| !used).map(|(exchange, _)| exchange.request.line()).collect()
    }

    fn take(&self, request: &Request) -> Result<Exchange> {
        let mut exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        match exchanges.iter_mut().find(|(exchange, used)| !used && exchange.request.matches(request)) {
            Some((exchange, used)) => {
                *used = true;
                Ok(exchange.clone())
            }
            None => Err(not_recorded(request, &exchanges)),
        }
    }
}

fn not_recorded(request: &Request, exchanges: &[(Exchange, bool)]) -> Error {
    let wanted = request.line();
    let mut near: Vec<_> = exchanges
        .iter()
        .map(|(exchange, used)| {
            let line = exchange.request.line();
            let note = match (line == wanted, exchange.request.matches(request), *used) {
                (_, true, _) => " (used already)",
                (true, false, _) => " (its body differs)",
                (false, false, true) => " (used already)",
                _ => "",
            };
            (strsim::levenshtein(&line, &wanted), format!("`{line}`{note}"))
        })
        .collect();
    near.sort();
    near.dedup();
    let near: Vec<_> = near.into_iter().take(NEAREST).map(|(_, text)| text).collect();
    let nearest = if near.is_empty() { "nothing".to_owned() } else { near.join(", ") };
    Error::new(
        ErrorKind::Config,
        format!("the cassette has no answer left for `{wanted}`; recorded was {nearest}. Record it again if the request is right"),
    )
    .effect(Effect::NotExecuted)
}

#[async_trait]
impl Transport for Replayer {
    async fn send(
        &self,
        request: http::Request<RequestBody>,
        _limits: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        let (parts, body) = request.into_parts();
        let body = whole(body).await?;
        let exchange = self.take(&Request {
            method: parts.method.to_string(),
            url: self.redaction.url(&parts.uri.to_string()),
            headers: Vec::new(),
            body_sha256: hash(&self.redaction.bytes(body.to_vec())),
        })?;
        let mut response = http::Response::new(stream(exchange.response.body.bytes()?));
        *response.status_mut() = StatusCode::from_u16(exchange.response.status)
            .map_err(|_| Error::new(ErrorKind::Config, "the cassette has a status that is none"))?;
        *response.headers_mut() = header_map(&exchange.response.headers);
        Ok(response)
    }
}

/// Runs a test over a cassette, with the leak check listening: the logs of `work`, its output, its
/// error and the cassette itself must hold no registered secret, and every recorded request must be
/// made.
///
/// Returns what `work` returns. Logs are heard wherever `work` itself is polled; tasks that it
/// spawns elsewhere keep their own subscriber.
///
/// # Panics
/// Where a secret came out, a recorded request was not made, or the cassette cannot be read.
pub async fn replay<T, F>(
    cassette: impl AsRef<Path>,
    redaction: Redaction,
    leaks: &LeakCheck,
    work: impl FnOnce(Arc<Replayer>) -> F,
) -> Result<T>
where
    T: Debug,
    F: Future<Output = Result<T>>,
{
    let path = cassette.as_ref();
    let replayer = match Replayer::open(path) {
        Ok(replayer) => Arc::new(replayer.with(redaction)),
        Err(error) => panic!("{error}"),
    };
    leaks.path(path).expect("the cassette was just read");
    let subscriber = leaks.subscriber();
    let result = work(Arc::clone(&replayer)).with_subscriber(subscriber).await;
    match &result {
        Ok(output) => leaks.text("the output", format!("{output:?}\n{output:#?}")),
        Err(error) => leaks.error("the error", error),
    }
    leaks.assert_clean();
    if result.is_ok() {
        let unused = replayer.unused();
        assert!(unused.is_empty(), "recorded, but not asked for:\n  {}", unused.join("\n  "));
    }
    result
}
