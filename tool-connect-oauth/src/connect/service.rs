//! The two endpoints as services that any router can mount.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::request::Parts;
use http::{Method, Request, Response};
use tool_connect_core::BoxFuture;
use tower::Service;

use super::engine::Engine;
use super::page::PageBody;
use super::start;

/// The start endpoint: where a ticket's link leads, `<public_url>/start`.
///
/// Who opens it must be logged in at the host as the user whom the ticket was made for. The ticket is used up, the browser is
/// bound by a cookie, and goes on to the provider. Takes any request body and does not read it.
#[derive(Clone, Debug)]
pub struct StartService(pub(super) Arc<Engine>);

/// The callback endpoint: where providers send browsers back to, `<public_url>/callback/<provider>`.
///
/// Mount it at `<public_url>/callback/` with everything below: the last part of the path tells which provider's answer it is.
/// Before a single request goes to the provider, the same user must be logged in, the browser must be the one that went, and
/// the answer must be of the provider and issuer that were asked. Takes any request body and does not read it.
#[derive(Clone, Debug)]
pub struct CallbackService(pub(super) Arc<Engine>);

type Answered = Result<Response<PageBody>, Infallible>;

impl<B> Service<Request<B>> for StartService {
    type Response = Response<PageBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Answered>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let engine = Arc::clone(&self.0);
        let (parts, _) = request.into_parts();
        Box::pin(async move {
            if !is_get(&parts) {
                return Ok(start::get_only());
            }
            Ok(engine.start(&parts).await.unwrap_or_else(|stop| stop.page.response()))
        })
    }
}

impl<B> Service<Request<B>> for CallbackService {
    type Response = Response<PageBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Answered>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let engine = Arc::clone(&self.0);
        let (parts, _) = request.into_parts();
        Box::pin(async move {
            if !is_get(&parts) {
                return Ok(start::get_only());
            }
            Ok(engine.callback(&parts).await.unwrap_or_else(|stop| stop.page.response()))
        })
    }
}

fn is_get(request: &Parts) -> bool {
    request.method == Method::GET
}
