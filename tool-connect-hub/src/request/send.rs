//! Repeats failed attempts, as far as it is safe, helps, and the budget allows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode, header};
use tool_connect_core::http::{OutboundRequest, RequestBody, RequestOptions, Response};
use tool_connect_core::{Effect, Error, ErrorKind, Result, Retry};
use tool_connect_tower::retry;
use url::Url;

use super::cache::{Entry, HttpCache, Kept};
use super::hosts::Host;
use super::{RequestScope, RequestStack};

/// Headers that the transport writes; a tool that sets them could smuggle a second request.
const OF_THE_TRANSPORT: [header::HeaderName; 8] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::TE,
    header::TRAILER,
    header::PROXY_AUTHORIZATION,
];

/// A request as it was asked for, its body apart.
pub(super) struct Asked<'a> {
    /// Whose it is, and how much time it has.
    pub(super) cx: RequestScope<'a>,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) options: RequestOptions,
    /// Whether its answer may be kept, and what is kept of an earlier one.
    pub(super) may_be_kept: bool,
    pub(super) kept: Option<Arc<Kept>>,
    /// Whether its body is a stream, whose sending takes as long as it takes.
    pub(super) streams: bool,
    /// When it began, and how long it has waited since, in nanoseconds.
    began: u64,
    waited: AtomicU64,
}

impl Asked<'_> {
    /// Whether the request can change nothing (RFC 9110 §9.2.1).
    pub(super) fn reads(&self) -> bool {
        self.method.is_safe()
    }

    /// What may have happened by it once bytes were sent.
    pub(super) fn effect(&self) -> Effect {
        if self.reads() { Effect::None } else { Effect::Unknown }
    }

    /// When it began, in monotonic nanoseconds.
    pub(super) fn began(&self) -> u64 {
        self.began
    }

    /// Takes off what asks whether a kept answer has changed.
    pub(super) fn unconditional(&self, headers: &mut HeaderMap) {
        if self.kept.is_some() {
            headers.remove(header::IF_NONE_MATCH);
            headers.remove(header::IF_MODIFIED_SINCE);
        }
    }

    /// Waits, and remembers that it did.
    pub(super) async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await;
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.waited.fetch_add(nanos, Ordering::Relaxed);
    }

    /// The time that a reading of the clock stands for, counting what was waited for even where the Hub's clock is one that a test moves.
    pub(super) fn at(&self, now: u64) -> u64 {
        now.max(self.began.saturating_add(self.waited.load(Ordering::Relaxed)))
    }
}

/// What a request sends: bytes as often as is needed, a stream once.
pub(super) struct Sent(Option<RequestBody>);

impl Sent {
    pub(super) fn empty() -> Self {
        Self(Some(RequestBody::Empty))
    }

    /// Whether it can be sent, or sent again.
    pub(super) fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// What a signature is made over, where it is known.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        match &self.0 {
            Some(RequestBody::Empty) => Some(&[]),
            Some(RequestBody::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// The body, to be sent now.
    pub(super) fn take(&mut self) -> RequestBody {
        match self.0.as_ref().and_then(RequestBody::try_clone) {
            Some(copy) => copy,
            None => self.0.take().unwrap_or(RequestBody::Empty),
        }
    }
}

/// A failed attempt.
pub(super) struct Failed {
    pub(super) error: Error,
    /// The provider's answer, kept for a tool that wants any.
    pub(super) answer: Option<Box<Response>>,
    /// Whether it was refused here: asking again at once would be refused again.
    pub(super) refused_here: bool,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, answer: None, refused_here: false }
    }
}

impl Failed {
    pub(super) fn here(error: Error) -> Self {
        Self { error, answer: None, refused_here: true }
    }
}

impl RequestStack {
    /// Sends a request through the stack.
    // Not an async function: such a one would hold the request twice, as it came and as it is asked.
    pub(crate) fn send<'a>(
        &'a self,
        cx: RequestScope<'a>,
        request: OutboundRequest,
    ) -> impl Future<Output = Result<Response>> + Send + use<'a> {
        let OutboundRequest { method, url, headers, body, options, .. } = request;
        let (began, waited) = (self.clock.monotonic(), AtomicU64::new(0));
        let streams = matches!(body, RequestBody::Stream(..));
        let asked = Asked {
            cx,
            method,
            url,
            headers,
            options,
            may_be_kept: false,
            kept: None,
            streams,
            began,
            waited,
        };
        // Boxed: a future is moved before it is polled, all of it, and one of more than a kilobyte is none that an allocator has at
        // hand. For the same reason what few requests need is boxed in what follows.
        let mut held = Box::new((asked, Sent(Some(body))));
        async move {
            let (asked, body) = &mut *held;
            self.repeat(asked, body).await
        }
    }

    async fn repeat(&self, asked: &mut Asked<'_>, body: &mut Sent) -> Result<Response> {
        // Requests have few headers, and to compare names is cheaper than to look each of these up.
        if let Some(name) = asked.headers.keys().find(|name| OF_THE_TRANSPORT.contains(name)) {
            return Err(Error::new(
                ErrorKind::InvalidArguments,
                format!("the header `{name}` is written by the transport; leave it out"),
            ));
        }
        // Before the host is remembered: a refused one shall leave no trace.
        self.guard.check_url(&asked.url, &asked.cx.endpoint.allowed)?;
        let host = self.hosts.get(asked.cx.endpoint, &asked.url)?;
        let _writing = match &self.cache {
            Some(cache) if !asked.reads() => Some(cache.writing(&asked.cx, &*self.clock)),
            Some(_) if !matches!(body.0, Some(RequestBody::Empty)) => None,
            Some(_) => match self.served(asked, &host).await {
                Some(response) => return Ok(response),
                None => None,
            },
            None => None,
        };
        host.budget.on_call();
        let (mut attempts, mut unknown) = (1, false);
        loop {
            let failed = match self.attempt(asked, &host, body).await {
                // Not changed, but what is kept is another account's or another state: ask for all of it.
                Ok(response) if response.status() == StatusCode::NOT_MODIFIED && asked.kept.is_some() => {
                    let mut headers = std::mem::take(&mut asked.headers);
                    asked.unconditional(&mut headers);
                    (asked.headers, asked.kept) = (headers, None);
                    if let Some(cache) = &self.cache {
                        cache.forget(asked);
                    }
                    continue;
                }
                Ok(response) => return Ok(response),
                Err(failed) => failed,
            };
            let facts = self.facts(asked, &failed, body.is_there());
            match self.policy.decide(attempts, &facts, &host.budget, &self.random) {
                Ok(wait) if body.is_there() => {
                    unknown |= failed.error.effect_on_provider() == Effect::Unknown && !asked.reads();
                    tracing::debug!(
                        target: "tool_connect::http",
                        instance = asked.cx.endpoint.instance.as_str(), host = host.name(), attempts,
                        wait_ms = wait.as_millis(), error = %failed.error.kind().as_str(),
                        "a request is repeated"
                    );
                    asked.wait(wait).await;
                    attempts += 1;
                }
                _ if failed.answer.is_some() => {
                    return failed.answer.map(|answer| *answer).ok_or(failed.error);
                }
                _ if attempts > 1 => {
                    let error = failed.error.with("attempts", attempts);
                    // What the last attempt has not executed says nothing of those before it.
                    let doubtful = unknown && error.effect_on_provider() == Effect::NotExecuted;
                    return Err(if doubtful { error.effect(Effect::Unknown) } else { error });
                }
                _ => return Err(failed.error),
            }
        }
    }

    /// A kept answer that need not be asked for; else the request is made conditional where one is kept.
    async fn served(&self, asked: &mut Asked<'_>, host: &Host) -> Option<Response> {
        let cache = self.cache.as_ref()?;
        asked.may_be_kept = HttpCache::takes(asked);
        if !asked.may_be_kept {
            return None;
        }
        let now = asked.began();
        let kept = match cache.get(asked)? {
            Entry::Answer(kept) => kept,
            Entry::Ignored { until, .. } => {
                asked.may_be_kept = now >= until;
                return None;
            }
        };
        if cache.is_fresh(asked, &kept, now)
            && let Ok(version) = Box::pin(self.version(asked, host)).await
            && let Some(response) = cache.serve(&kept, version, now, self.cap(asked))
        {
            return Some(response);
        }
        if kept.validators(&mut asked.headers) {
            asked.kept = Some(kept);
        }
        None
    }

    /// The largest body that the request takes, in bytes.
    pub(super) fn cap(&self, asked: &Asked<'_>) -> u64 {
        let settings = &self.settings;
        asked.options.max_bytes.unwrap_or(settings.max_response_bytes).min(settings.max_response_bytes_hard)
    }

    fn facts(&self, asked: &Asked<'_>, failed: &Failed, body_is_there: bool) -> retry::Facts {
        let advice = failed.error.retry_advice();
        let ended = matches!(failed.error.kind(), ErrorKind::DeadlineExceeded | ErrorKind::Canceled);
        retry::Facts {
            transient: advice != Retry::Never && !failed.refused_here && !ended && body_is_there,
            repeatable: asked.options.repeatable.unwrap_or_else(|| asked.method.is_idempotent()),
            effect: match failed.error.effect_on_provider() {
                Effect::None | Effect::NotExecuted => retry::Effect::NotExecuted,
                Effect::Unknown => retry::Effect::Unknown,
            },
            retry_after: match advice {
                Retry::After(wait) => Some(wait),
                _ => None,
            },
            time_left: asked.cx.time_left(self.clock.monotonic()),
        }
    }
}
