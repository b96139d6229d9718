//! One request on the wire: breaker, provider limit, attempt time-out, host layers, credential,
//! guard, transport. A 401 gets one more try with a fresh credential.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use tool_connect_core::http::{ByteStream, RequestBody, Response};
use tool_connect_core::{AuthScheme, CredentialVersion, Effect, Error, ErrorKind, EventKind, Result, Retry};
use tool_connect_tower::breaker::{Breaker, Open, Permit};
use tool_connect_tower::{Deadline, Verdict};
use url::Url;

use super::hosts::Host;
use super::layer::RequestEnd;
use super::provider::LimitKey;
use super::send::{Asked, Failed, Sent};
use super::{RequestScope, RequestStack, rate_headers};

/// How long an upload may take that is sent as it is read, where neither the request nor the call says.
const UPLOAD: Duration = Duration::from_secs(24 * 3600);

/// A request or a redirect's hop, before anything secret is in it. Its URL has been through the guard.
pub(super) struct Hop<'a> {
    pub(super) method: &'a Method,
    pub(super) url: &'a Url,
    pub(super) headers: &'a HeaderMap,
    pub(super) host: &'a Host,
}

impl<'a> Hop<'a> {
    pub(super) fn first(asked: &'a Asked<'a>, host: &'a Host) -> Self {
        Self { method: &asked.method, url: &asked.url, headers: &asked.headers, host }
    }
}

/// A provider's answer, its body unread.
pub(super) struct Answer {
    pub(super) response: http::Response<ByteStream>,
    /// Which state of the credential the request carried, if it did.
    pub(super) version: Option<CredentialVersion>,
    /// Which limit it counted against.
    pub(super) limit: Option<LimitKey>,
    /// What it was judged to be although its status is good.
    pub(super) verdict: Option<Error>,
}

impl Answer {
    /// Whether it says that the host is not well.
    fn blames_the_host(&self) -> bool {
        let judged =
            |error: &Error| error.kind() == ErrorKind::Provider && error.retry_advice() != Retry::Never;
        self.response.status().is_server_error() || self.verdict.as_ref().is_some_and(judged)
    }
}

impl RequestStack {
    pub(super) async fn exchange(
        &self,
        asked: &Asked<'_>,
        hop: &Hop<'_>,
        body: &mut Sent,
    ) -> Result<Answer, Failed> {
        // Another origin has limits of its own, which nobody told us.
        let ours = asked.cx.endpoint.base_url.is_none() || asked.cx.endpoint.trusts(hop.url);
        let limit = ours.then(|| LimitKey::of(&asked.cx, asked.options.limited_as));
        let (permit, start) = self.permit(asked, hop.host, limit).await?;

        let (bound, call_ends) = bound(asked, start, self.settings.attempt_timeout)?;
        let work = Deadline::within(self.signed(asked, hop, body), bound);
        let outcome = match work.await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failed::from(timed_out(asked, hop.host, bound, call_ends))),
        };
        let now = self.clock.monotonic();
        match &outcome {
            Ok(answer) if answer.blames_the_host() => permit.record(Verdict::Failure, now),
            Ok(_) => permit.record(Verdict::Success, now),
            Err(failed) if of_the_host(&failed.error) => permit.record(Verdict::Failure, now),
            // Refused by ourselves, by a layer or for want of a credential: no word about the host.
            Err(_) => permit.record(Verdict::Ignore, now),
        }
        self.tell(asked, hop, &outcome, Duration::from_nanos(now.saturating_sub(start)));
        let mut answer = outcome?;
        answer.limit = limit;
        if let (Some(key), Some(window)) =
            (limit, rate_headers::window(answer.response.headers(), self.clock.recently()))
        {
            self.provider.learn(key, window, asked.at(now));
        }
        Ok(answer)
    }

    /// Waits for the provider's limit without holding a permit of the breaker, then takes both. Says when, too: a clock is
    /// not read for nothing.
    async fn permit<'h>(
        &self,
        asked: &Asked<'_>,
        host: &'h Host,
        limit: Option<LimitKey>,
    ) -> Result<(Permit<&'h Breaker>, u64), Failed> {
        let mut patience = self.settings.limit_wait;
        loop {
            let taken_at = self.clock.monotonic();
            let permit =
                host.breaker.try_acquire(taken_at).map_err(|open| circuit_open(&asked.cx, host, open))?;
            let Some(key) = limit else { return Ok((permit, taken_at)) };
            let now = asked.at(taken_at);
            // The rate that is known ahead counts all requests together, also those that the provider counts apart.
            let rate = match (asked.cx.endpoint.limits.requests, asked.options.limited_as) {
                (rate @ Some(_), Some(_)) => {
                    self.provider.take(LimitKey::of(&asked.cx, Some("")), rate, now)?
                }
                _ => Ok(()),
            };
            let own = asked.cx.endpoint.limits.requests.filter(|_| asked.options.limited_as.is_none());
            let taken = match rate {
                Ok(()) => self.provider.take(key, own, now)?,
                refused => refused,
            };
            let Err(wait) = taken else { return Ok((permit, taken_at)) };
            drop(permit);
            if wait > patience || asked.cx.time_left(taken_at).is_some_and(|left| wait >= left) {
                (self.events)(EventKind::LimitRefused {
                    tool: asked.cx.tool.clone(),
                    limit: "provider".to_owned(),
                });
                return Err(Failed::here(limit_used_up(wait)));
            }
            patience -= wait;
            // Others may have been faster, so ask again.
            asked.wait(wait).await;
        }
    }

    /// Sends the hop with its credential; once more, with a fresh one, where the first is refused, and once more where only
    /// the signature lacked something that the answer names.
    async fn signed(&self, asked: &Asked<'_>, hop: &Hop<'_>, body: &mut Sent) -> Result<Answer, Failed> {
        let (mut fresh, mut anew) = (false, false);
        loop {
            // Whatever goes wrong here, nothing has been sent; before it there was at most a 401.
            let prepared = self.prepare(asked, hop, body).await;
            let (sending, version, address) = {
                let (request, version) = prepared.map_err(|error| error.effect(Effect::NotExecuted))?;
                let address = version.map(|_| request.uri().clone());
                (self.transport.send(request, &self.limits), version, address)
            };
            let response = sending.await.map_err(|error| {
                if error.effect_on_provider() == Effect::Unknown && asked.reads() {
                    error.effect(Effect::None)
                } else {
                    error
                }
            })?;
            let (head, rest) = response.into_parts();
            let (rest, verdict) = if asked.options.judged && head.status.is_success() {
                Box::pin(self.judged(asked, &head, rest)).await?
            } else {
                (rest, None)
            };
            let refused = head.status == StatusCode::UNAUTHORIZED
                || verdict.as_ref().is_some_and(|error| error.kind() == ErrorKind::NeedsReauth);
            let (Some(version), Some(address), Some(connection)) = (version, address, asked.cx.connection)
            else {
                let response = http::Response::from_parts(head, rest);
                return Ok(Answer { version, response, limit: None, verdict });
            };
            let resigned = self.authenticator.answered(connection, &address, &head)?;
            let answer = Answer {
                version: Some(version),
                response: http::Response::from_parts(head, rest),
                limit: None,
                verdict,
            };
            // A refused credential proves that nothing was executed; no other answer is a reason to send again.
            if !refused {
                return Ok(answer);
            }
            let worth_it = if resigned && !anew {
                anew = true;
                true
            } else if fresh {
                false
            } else {
                fresh = true;
                let refused = self.authenticator.refused(connection, version).await;
                refused.map_err(|error| error.effect(Effect::NotExecuted))?
            };
            if !worth_it || !body.is_there() {
                return Ok(answer);
            }
            tracing::debug!(
                target: "tool_connect::http",
                instance = asked.cx.endpoint.instance.as_str(), host = hop.host.name(),
                "the credential was refused; trying once with a fresh one"
            );
        }
    }

    /// Reads an answer that may be an error in spite of its status whole, and asks what it is.
    async fn judged(
        &self,
        asked: &Asked<'_>,
        head: &http::response::Parts,
        body: ByteStream,
    ) -> Result<(ByteStream, Option<Error>)> {
        let whole = Response::new(head.clone(), body, self.cap(asked)).bytes().await;
        let whole = whole.map_err(|error| error.effect(asked.effect()))?;
        let verdict = asked.options.read_error(head, &whole);
        let verdict = verdict.or_else(|| asked.cx.endpoint.connector.classify(head, &whole));
        Ok((Box::pin(futures_util::stream::iter([Ok(whole)])), verdict))
    }

    /// Which state of the credential the request would carry.
    pub(super) async fn version(&self, asked: &Asked<'_>, host: &Host) -> Result<Option<CredentialVersion>> {
        Ok(self.prepare(asked, &Hop::first(asked, host), &mut Sent::empty()).await?.1)
    }

    /// Host layers, then the guard over what came of them, then the credential.
    async fn prepare(
        &self,
        asked: &Asked<'_>,
        hop: &Hop<'_>,
        body: &mut Sent,
    ) -> Result<(http::Request<RequestBody>, Option<u64>)> {
        let (mut parts, elsewhere) = self.unsigned(&asked.cx, hop)?;
        let url = elsewhere.as_deref().unwrap_or(hop.url);
        let wanted = !asked.options.anonymous && asked.cx.endpoint.scheme != AuthScheme::None;
        let version = match asked.cx.connection {
            Some(connection) if wanted && asked.cx.endpoint.trusts(url) => {
                let signing =
                    self.authenticator.sign(connection, &asked.cx.endpoint.scheme, &mut parts, body.bytes());
                let version = signing.await?;
                // A credential in the query is fine, another host is not.
                if !super::goes_to(&parts.uri, url) {
                    return Err(Error::new(
                        ErrorKind::Internal,
                        "the authenticator changed the request's address",
                    )
                    .effect(Effect::NotExecuted));
                }
                Some(version)
            }
            _ => None,
        };
        Ok((http::Request::from_parts(parts, body.take()), version))
    }

    /// The request as the host's layers leave it, and its URL where they may have changed it.
    // Apart from what waits, whose future would hold each step of it.
    fn unsigned(
        &self,
        cx: &RequestScope<'_>,
        hop: &Hop<'_>,
    ) -> Result<(http::request::Parts, Option<Box<Url>>)> {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        parts.method = hop.method.clone();
        parts.uri = hop.url.as_str().parse().map_err(|_| {
            Error::new(ErrorKind::InvalidArguments, "the URL cannot be sent in a request; it may be too long")
        })?;
        parts.headers = hop.headers.clone();
        if !cx.endpoint.allowed.allow.is_empty() {
            parts.extensions.insert(cx.endpoint.allowed.clone());
        }
        if self.layers.is_empty() {
            // The hop itself has been through the guard.
            return Ok((parts, None));
        }
        for layer in &self.layers {
            layer.before(&mut parts)?;
        }
        let url = url_of(&parts)?;
        self.guard.check_url(&url, &cx.endpoint.allowed)?;
        Ok((parts, Some(Box::new(url))))
    }

    /// A refusal that names a time closes the provider's limit until then, for all who share it.
    pub(super) fn learn_refusal(&self, asked: &Asked<'_>, limit: Option<LimitKey>, error: &Error) {
        if let (Some(key), ErrorKind::RateLimited, Retry::After(wait)) =
            (limit, error.kind(), error.retry_advice())
        {
            self.provider.close(key, wait.min(rate_headers::LONGEST), asked.at(self.clock.monotonic()));
        }
    }

    fn tell(&self, asked: &Asked<'_>, hop: &Hop<'_>, outcome: &Result<Answer, Failed>, took: Duration) {
        let end = RequestEnd {
            instance: &asked.cx.endpoint.instance,
            method: hop.method,
            host: hop.host.name(),
            template: asked.options.template.as_deref().filter(|template| template.starts_with('/')),
            status: outcome.as_ref().ok().map(|answer| answer.response.status()),
            error: outcome.as_ref().err().map(|failed| failed.error.kind()),
            took,
        };
        tracing::debug!(
            target: "tool_connect::http",
            instance = end.instance.as_str(), method = end.method.as_str(), host = end.host,
            status = end.status.map(|status| status.as_u16()), error = end.error.map(ErrorKind::as_str),
            took_ms = took.as_millis(),
            "request"
        );
        for layer in &self.layers {
            layer.after(&end);
        }
    }
}

/// How long the attempt may take from now on, and whether the call's end is what bounds it.
fn bound(asked: &Asked<'_>, now: u64, attempt_timeout: Duration) -> Result<(Duration, bool), Failed> {
    let shortest = [asked.options.attempt_timeout, asked.cx.endpoint.limits.attempt_timeout]
        .into_iter()
        .flatten()
        .fold(if asked.streams { UPLOAD } else { attempt_timeout }, Duration::min);
    match asked.cx.time_left(now) {
        Some(left) if left.is_zero() => Err(Failed::here(
            Error::new(
                ErrorKind::DeadlineExceeded,
                "the call's time was over before the request could be sent",
            )
            .effect(Effect::NotExecuted),
        )),
        Some(left) if left < shortest => Ok((left, true)),
        _ => Ok((shortest, false)),
    }
}

fn url_of(parts: &http::request::Parts) -> Result<Url> {
    Url::parse(&parts.uri.to_string())
        .map_err(|_| Error::new(ErrorKind::Config, "a host layer made the request's URL malformed"))
}

/// Whether a failure says something about the host that was asked. One that left a request unread, and may be asked right
/// away again, is well.
fn of_the_host(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Transport | ErrorKind::DeadlineExceeded)
        && !matches!(error.retry_advice(), Retry::After(_))
}

fn timed_out(asked: &Asked<'_>, host: &Host, bound: Duration, call_ends: bool) -> Error {
    let seconds = bound.as_secs_f64();
    let error = if call_ends {
        Error::new(
            ErrorKind::DeadlineExceeded,
            format!("`{}` had not answered when the call's time was over", host.name()),
        )
    } else {
        Error::new(ErrorKind::Transport, format!("`{}` did not answer within {seconds:.1} s", host.name()))
    };
    error.effect(asked.effect())
}

fn circuit_open(cx: &RequestScope<'_>, host: &Host, open: Open) -> Failed {
    let error = Error::new(
        ErrorKind::CircuitOpen,
        format!("`{}` failed too often lately and is being left alone", host.name()),
    )
    .with("instance", &cx.endpoint.instance)
    .with("breaker", open.state.as_str());
    Failed::here(match open.retry_after {
        Some(wait) => error.retry(Retry::After(wait)),
        None => error,
    })
}

fn limit_used_up(wait: Duration) -> Error {
    let error =
        Error::new(ErrorKind::RateLimited, "the provider's rate limit for this connection is used up");
    if wait == Duration::MAX {
        return error.retry(Retry::Never).public("The connector's rate limit lets no request pass.");
    }
    let seconds = wait.as_secs_f64().ceil().max(1.0);
    error
        .retry(Retry::After(wait))
        .public(format!("The service's rate limit is used up; try again in {seconds:.0} s."))
}
