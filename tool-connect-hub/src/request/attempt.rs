//! One attempt: a request and the redirects that it leads to, each hop guarded anew.

use std::sync::Arc;

use http::{HeaderMap, Method, StatusCode};
use tool_connect_core::http::Response;
use tool_connect_core::{Error, ErrorKind, Result};
use url::Url;

use super::exchange::{Answer, Hop};
use super::hosts::Host;
use super::send::{Asked, Failed, Sent};
use super::{RequestStack, answer, fresh, redirect};

/// Where a redirect led to.
struct Moved {
    method: Method,
    url: Url,
    headers: HeaderMap,
    host: Arc<Host>,
    /// What is sent there instead of the body, where that has been dropped.
    none: Option<Sent>,
}

impl RequestStack {
    pub(super) async fn attempt(
        &self,
        asked: &Asked<'_>,
        host: &Arc<Host>,
        body: &mut Sent,
    ) -> Result<Response, Failed> {
        // Where a redirect led to; most requests meet none.
        let mut moved: Option<Box<Moved>> = None;
        let mut redirects = 0;
        loop {
            let (hop, none) = match moved.as_deref_mut() {
                Some(Moved { method, url, headers, host, none }) => {
                    (Hop { method, url, headers, host }, none.as_mut())
                }
                None => (Hop::first(asked, host), None),
            };
            let with_body = none.is_none();
            let sent = self.exchange(asked, &hop, none.unwrap_or(body)).await;
            // What a failed hop has not executed says nothing of the hop before it.
            let answer = sent.map_err(|failed| if redirects == 0 { failed } else { later(asked, failed) })?;
            let head = &answer.response;
            let next = match redirect::next(hop.method, hop.url, head.status(), head.headers()) {
                // Who wants any answer gets this one.
                Err(error) if asked.options.any_status && error.kind() == ErrorKind::Provider => None,
                next => next.map_err(|error| unless_read(asked, error))?,
            };
            let Some(next) = next else {
                return match self.finish(asked, &hop, answer, redirects > 0)? {
                    Ok(response) => Ok(response),
                    // Boxed: no part of the future of the many that succeed.
                    Err(answer) => Err(Box::pin(self.refused(asked, &hop, answer)).await),
                };
            };
            if redirects == self.settings.max_redirects {
                let error = Error::new(
                    ErrorKind::Provider,
                    format!("the service redirects more than {redirects} times; ask for the final address"),
                );
                return Err(unless_read(asked, error.status(head.status().as_u16())).into());
            }
            redirects += 1;
            asked.options.check_redirect(&next.url).map_err(|error| unless_read(asked, error))?;
            // Once a redirect has dropped the body, later ones have none either.
            let with_body = next.with_body && with_body;
            if with_body && !body.is_there() {
                let error = Error::new(
                    ErrorKind::Provider,
                    "the service redirects, and the body is a stream that cannot be sent twice; ask for the new address",
                );
                return Err(unless_read(asked, error.status(head.status().as_u16())).into());
            }
            // A validator belongs to its address.
            let mut headers = hop.headers.clone();
            asked.unconditional(&mut headers);
            let same_origin = super::same_origin(&next.url, hop.url);
            redirect::carry_over(&mut headers, &asked.cx.endpoint.scheme, same_origin, next.with_body);
            let failed = |error| later(asked, Failed::from(error));
            self.guard.check_url(&next.url, &asked.cx.endpoint.allowed).map_err(failed)?;
            let host = self.hosts.get(asked.cx.endpoint, &next.url).map_err(failed)?;
            let none = (!with_body).then(Sent::empty);
            moved = Some(Box::new(Moved { method: next.method, url: next.url, headers, host, none }));
        }
    }

    /// Turns the last hop's answer into a response, or gives back one that is an error.
    fn finish(
        &self,
        asked: &Asked<'_>,
        hop: &Hop<'_>,
        answer: Answer,
        redirected: bool,
    ) -> Result<Result<Response, Answer>, Failed> {
        let cap = self.cap(asked);
        let (head, version) = (&answer.response, answer.version);
        if head.status() == StatusCode::NOT_MODIFIED && asked.kept.is_some() && !redirected {
            let (parts, body) = answer.response.into_parts();
            let renewed = self
                .cache
                .as_ref()
                .and_then(|cache| cache.renewed(asked, version, &parts, &*self.clock, cap));
            return Ok(Ok(renewed.unwrap_or_else(|| Response::new(parts, body, cap))));
        }
        if !head.status().is_success() || answer.verdict.is_some() {
            return Ok(Err(answer));
        }
        if *hop.method != Method::HEAD && fresh::length(head.headers()).is_some_and(|length| length > cap) {
            let error = Error::new(
                ErrorKind::TooLarge,
                format!(
                    "the service announces more than the cap of {cap} bytes; ask for less, or raise `max_bytes`"
                ),
            );
            return Err(unless_read(asked, error).into());
        }
        let (parts, mut body) = answer.response.into_parts();
        if let (Some(cache), false) = (&self.cache, redirected) {
            body = cache.keeping(asked, version, &parts, body, &*self.clock);
        }
        Ok(Ok(Response::new(parts, body, cap)))
    }

    /// What an answer that is an error means: the request's and the connector's word first, then the status code's.
    async fn refused(&self, asked: &Asked<'_>, hop: &Hop<'_>, answer: Answer) -> Failed {
        let Answer { response, version, limit, verdict } = answer;
        let signed = version.is_some();
        let (parts, mut body) = response.into_parts();
        let now = self.clock.now();
        let error = if let Some(error) = verdict {
            answer::completed(error, &parts, now)
        } else if asked.options.any_status {
            answer::by_status(&parts, asked.reads(), signed, now)
        } else {
            let beginning = answer::beginning(&mut body, self.limits.idle).await;
            let own = asked.options.read_error(&parts, &beginning);
            match own.or_else(|| asked.cx.endpoint.connector.classify(&parts, &beginning)) {
                Some(error) => answer::completed(error, &parts, now),
                None => answer::by_status(&parts, asked.reads(), signed, now),
            }
        };
        self.learn_refusal(asked, limit, &error);
        let error = error.with("host", hop.url.host_str().unwrap_or_default());
        let cap = self.cap(asked);
        let answer = asked.options.any_status.then(|| Box::new(Response::new(parts, body, cap)));
        Failed { error, answer, refused_here: false }
    }
}

/// A redirect was answered before: a write may have been executed by then (a 303 says so).
fn unless_read(asked: &Asked<'_>, error: Error) -> Error {
    error.effect(asked.effect())
}

fn later(asked: &Asked<'_>, failed: Failed) -> Failed {
    Failed { error: unless_read(asked, failed.error), ..failed }
}
