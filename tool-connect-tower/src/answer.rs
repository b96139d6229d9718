//! The future that all layers share: the inner service's, or an answer that was made instead.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tower_service::Service;

pin_project_lite::pin_project! {
    /// Runs the inner future, or gives the answer once and then stays pending.
    #[project = AnswerProjection]
    #[derive(Debug)]
    pub(crate) enum Answer<F, Out> {
        Inner { #[pin] future: F },
        Instead { answer: Option<Out> },
    }
}

/// The answer of a layer around the service `S`.
pub(crate) type AnswerOf<S, R> =
    Answer<<S as Service<R>>::Future, Result<<S as Service<R>>::Response, <S as Service<R>>::Error>>;

impl<F, Out> Answer<F, Out> {
    pub(crate) fn inner(future: F) -> Self {
        Self::Inner { future }
    }

    pub(crate) fn instead(answer: Out) -> Self {
        Self::Instead { answer: Some(answer) }
    }
}

impl<F: Future> Future for Answer<F, F::Output> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project() {
            AnswerProjection::Inner { future } => future.poll(cx),
            AnswerProjection::Instead { answer } => answer.take().map_or(Poll::Pending, Poll::Ready),
        }
    }
}
