//! How long a call waits for a store.

use std::future::Future;
use std::time::Duration;

use tool_connect_core::{Error, ErrorKind, Result};
use tool_connect_tower::Deadline;

/// A store that hangs must not hang its callers: each of a call's requests to a store has a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience(pub(crate) Duration);

impl Patience {
    /// Waits for a store's answer; the timer is armed only where it does not answer at once.
    pub(crate) async fn with<T>(
        self,
        store: &'static str,
        answer: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        match Deadline::within(answer, self.0).await {
            Ok(result) => result,
            Err(elapsed) => Err(Error::new(
                ErrorKind::Storage,
                format!(
                    "the store of {store} did not answer within {:?}; look after it, or raise `store_timeout`",
                    elapsed.limit
                ),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_store_that_hangs_is_an_error_that_names_it() {
        let error = Patience(Duration::from_secs(3))
            .with("approvals", std::future::pending::<Result<()>>())
            .await
            .expect_err("it never answers");
        assert_eq!(error.kind(), ErrorKind::Storage);
        assert!(error.message().contains("approvals") && error.message().contains("3s"), "{error}");
    }
}
