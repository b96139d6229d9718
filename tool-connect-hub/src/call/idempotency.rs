//! Idempotency: a call with a key runs once, and its repetition gets the same result.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tool_connect_core::store::{Begin, Fence, Fingerprint, IdempotencyKey, IdempotencyStore, StoredOutcome};
use tool_connect_core::{
    Body, Content, Effect, Error, ErrorKind, Provenance, Result, Retry, Served, ToolOutput,
};

use super::{Call, Scope};

/// Longest idempotency key, in bytes.
const MAX_KEY: usize = 255;
/// How long a claim stands for a call without a time-out.
const LEASE: Duration = Duration::from_secs(600);
/// What a claim is given beyond its call's time-out, to settle.
const MARGIN: Duration = Duration::from_secs(30);

impl Call {
    /// Claims the key of a call that has one. `None` where an earlier call with it has ended: its
    /// result is this call's.
    pub(super) async fn claim(&mut self, name: Arc<str>) -> Result<Option<Claim>> {
        let scope = Arc::clone(&self.scope);
        let hub = &scope.session.hub;
        if name.is_empty() || name.len() > MAX_KEY {
            return Err(refusal("the idempotency key must have 1 to 255 bytes"));
        }
        let principal = &scope.session.caller.principal;
        let key = IdempotencyKey {
            tenant: principal.tenant.clone(),
            user: principal.user.clone(),
            tool: scope.entry().id.clone(),
            key: name,
        };
        let fingerprint = self.fingerprint()?;
        let lease = scope.timeout.map_or(LEASE, |t| t.saturating_add(MARGIN));
        let begin = hub.stores.idempotency.begin(&key, &fingerprint, lease, hub.idempotency_keep);
        match hub.patience.with("idempotency keys", begin).await? {
            Begin::Replay(stored) => {
                scope.replayed.store(true, Ordering::Relaxed);
                self.output = Some(replay(stored)?);
                Ok(None)
            }
            Begin::InFlight => {
                Err(refusal("a call with this idempotency key is running; ask again for its result")
                    .retry(Retry::After(Duration::from_secs(1))))
            }
            Begin::Mismatch => Err(refusal(
                "this idempotency key was used for other arguments; use a new key for a new call",
            )),
            Begin::Indeterminate => {
                let message = "a call with this idempotency key was begun and its end is not known; look whether it took effect before using a new key";
                Err(refusal(message).effect(Effect::Unknown))
            }
            Begin::Fresh(fence) => Ok(Some(Claim { scope, key, fence, end: None, settled: false })),
        }
    }

    /// The same bytes on the same connection are the same call.
    fn fingerprint(&self) -> Result<Fingerprint> {
        let arguments = self.arguments.to_json()?;
        let connection = self.scope.connection_id().map_or("", |c| c.as_str());
        let mut hash = Sha256::new();
        hash.update(u64::try_from(connection.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(connection.as_bytes());
        hash.update(&arguments);
        Ok(hash.finalize().into())
    }
}

fn refusal(message: &'static str) -> Error {
    Error::new(ErrorKind::Idempotency, message).effect(Effect::NotExecuted).public(message)
}

fn replay(stored: StoredOutcome) -> Result<ToolOutput> {
    let content: Vec<Content> = if stored.content.is_empty() {
        Vec::new()
    } else {
        serde_json::from_slice(&stored.content)
            .map_err(|e| Error::new(ErrorKind::Storage, "a stored result cannot be read").caused_by(e))?
    };
    let body = if stored.body.is_empty() { Body::Empty } else { Body::Json(stored.body) };
    let mut output = ToolOutput::new(body);
    output.content = content;
    output.provenance = if stored.trusted { Provenance::Trusted } else { Provenance::Untrusted };
    output.served = Served::Replay;
    Ok(output)
}

fn stored(output: &ToolOutput) -> Result<StoredOutcome> {
    let content = if output.content.is_empty() {
        bytes::Bytes::new()
    } else {
        serde_json::to_vec(&output.content)
            .map_err(|e| Error::new(ErrorKind::InvalidOutput, format!("the content cannot be written: {e}")))?
            .into()
    };
    let body = match output.body {
        Body::Empty => bytes::Bytes::new(),
        _ => output.to_json()?,
    };
    Ok(StoredOutcome { body, content, trusted: output.provenance == Provenance::Trusted })
}

/// How a claim ends.
#[derive(Clone)]
enum End {
    Complete(StoredOutcome),
    Release,
    Abandon,
}

async fn settle(store: &dyn IdempotencyStore, key: &IdempotencyKey, fence: Fence, end: End) -> Result<bool> {
    match end {
        End::Complete(outcome) => store.complete(key, fence, outcome).await,
        End::Release => store.release(key, fence).await,
        End::Abandon => store.abandon(key, fence).await,
    }
}

/// A key that this call holds. Settled in the Hub's tasks when the caller goes away.
pub(super) struct Claim {
    scope: Arc<Scope>,
    key: IdempotencyKey,
    fence: Fence,
    end: Option<End>,
    settled: bool,
}

impl Claim {
    /// Writes how the call ended.
    pub(super) async fn settle(mut self, ended: &Result<()>, output: Option<&ToolOutput>) {
        let reads = self.scope.entry().tool.definition().annotations.read_only;
        let end = match ended {
            Ok(()) => match output.map(stored) {
                Some(Ok(outcome)) => End::Complete(outcome),
                _ => End::Abandon,
            },
            Err(_) if reads => End::Release,
            Err(error) if error.kind() == ErrorKind::InputRequired => End::Release,
            Err(error) if error.effect_on_provider() != Effect::Unknown => End::Release,
            Err(_) => self.without_result(),
        };
        self.end = Some(end.clone());
        let hub = self.scope.hub();
        let settling = settle(&*hub.stores.idempotency, &self.key, self.fence, end);
        let result = hub.patience.with("idempotency keys", settling).await;
        self.settled = true;
        if let Err(error) = result {
            // The call itself is over; its claim ends as indeterminate with its lease.
            tracing::warn!(target: "tool_connect", %error, "an idempotency key could not be settled");
        }
    }

    /// Once the tool has begun nobody knows what it did; before, it did nothing.
    fn without_result(&self) -> End {
        if self.scope.dispatched.load(Ordering::Acquire) { End::Abandon } else { End::Release }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        let end = self.end.take().unwrap_or_else(|| self.without_result());
        let patience = self.scope.hub().patience;
        let store = Arc::clone(&self.scope.hub().stores.idempotency);
        let (key, fence) = (self.key.clone(), self.fence);
        self.scope.hub().settle(async move {
            if let Err(error) = patience.with("idempotency keys", settle(&*store, &key, fence, end)).await {
                tracing::warn!(target: "tool_connect", %error, "an idempotency key could not be settled");
            }
        });
    }
}
