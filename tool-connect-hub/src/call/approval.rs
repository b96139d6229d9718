//! Approvals: asked for, reserved by the call that they were given for, committed at dispatch.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use serde_json::Value;
use tool_connect_core::store::{ApprovalStore, Fence, NewApproval, Reservation};
use tool_connect_core::{
    ApprovalId, Effect, Error, ErrorKind, EventKind, InputRequest, InputRequired, Problem, Result, TenantId,
};

use super::Call;
use crate::hub::HubInner;

/// How long a reservation stands for a call without a time-out.
const LEASE: Duration = Duration::from_secs(600);
/// What a reservation is given beyond its call's time-out.
const MARGIN: Duration = Duration::from_secs(30);

impl Call {
    /// Reserves the approval that the caller presents, or asks for one.
    pub(super) async fn reserve(&mut self, reason: String) -> Result<()> {
        let scope = Arc::clone(&self.scope);
        let tenant = &scope.session.caller.principal.tenant;
        let hash = self.hash()?;
        let Some(approval) = scope.options().approval.clone() else {
            return Err(self.request_approval(hash, reason).await?);
        };
        let refused = |kind, message: &'static str| {
            Err(Error::new(kind, message)
                .effect(Effect::NotExecuted)
                .public(message)
                .with("approval", &approval))
        };
        // Before dispatch a call waits at most for its limits, within its time-out.
        let lease = scope.timeout.unwrap_or(LEASE).saturating_add(MARGIN);
        let reserve = scope.hub().stores.approvals.reserve(tenant, &approval, &hash, lease);
        match scope.hub().patience.with("approvals", reserve).await? {
            Reservation::Reserved(fence) => {
                self.reserved = Some(Box::new(Reserved {
                    hub: Arc::clone(&scope.session.hub),
                    tenant: tenant.clone(),
                    approval,
                    fence,
                    settled: false,
                }));
                Ok(())
            }
            Reservation::Pending => Err(self.ask(InputRequest::Approve { approval, reason })),
            Reservation::Denied => refused(ErrorKind::Denied, "The approval was refused."),
            Reservation::Mismatch => refused(
                ErrorKind::Denied,
                "The approval was given for another call: arguments, account or key differ. Ask for a new one.",
            ),
            Reservation::Expired => {
                refused(ErrorKind::Denied, "The approval has expired. Ask for a new one.")
            }
            Reservation::Used => {
                refused(ErrorKind::Denied, "The approval was used already. Ask for a new one.")
            }
            Reservation::Unknown => refused(ErrorKind::NotFound, "There is no such approval."),
        }
    }

    /// Writes a pending approval; returns the error that asks for it.
    async fn request_approval(&self, hash: [u8; 32], reason: String) -> Result<Error> {
        let scope = &*self.scope;
        let hub = scope.hub();
        let principal = &scope.session.caller.principal;
        let approval = ApprovalId::new(format!("approval-{}", crate::hub::random_token()?))?;
        let expires = hub.clock.now() + hub.approval_ttl;
        let create = hub.stores.approvals.create(NewApproval {
            id: approval.clone(),
            tenant: principal.tenant.clone(),
            user: principal.user.clone(),
            agent: principal.agent.clone(),
            tool: scope.entry().id.clone(),
            reason: reason.clone(),
            hash,
            expires,
        });
        hub.patience.with("approvals", create).await?;
        hub.emit(Some(&principal.tenant), || EventKind::ApprovalRequested {
            approval: approval.clone(),
            tool: scope.entry().id.clone(),
            user: principal.user.clone(),
        });
        let mut call = scope.call(&self.arguments);
        call.options.approval = Some(approval.clone());
        let mut required = InputRequired::new(InputRequest::Approve { approval, reason });
        required.expires = Some(expires);
        required.call = Some(Box::new(call));
        Ok(Error::needs_input(required))
    }

    /// The exact call that an approval is bound to.
    fn hash(&self) -> Result<[u8; 32]> {
        let scope = &*self.scope;
        let arguments = self.arguments.to_json()?;
        let value: Value = if arguments.is_empty() {
            Value::Object(serde_json::Map::new())
        } else {
            serde_json::from_slice(&arguments).map_err(|_| {
                Error::invalid_arguments(vec![Problem::new("", "json", "the text is not valid JSON")])
            })?
        };
        let principal = &scope.session.caller.principal;
        Ok(canonical_hash(
            &[
                Some(scope.entry().id.as_str()),
                Some(principal.tenant.as_str()),
                Some(principal.user.as_str()),
                principal.agent.as_ref().map(|a| a.as_str()),
                scope.connection_id().map(|c| c.as_str()),
                scope.options().idempotency_key.as_deref(),
            ],
            scope.entry().definition_hash(),
            &value,
        ))
    }
}

/// SHA-256 over parts, each with its length, a definition's hash and a value in canonical form:
/// object keys sorted, no spaces.
fn canonical_hash(parts: &[Option<&str>], definition: &[u8; 32], value: &Value) -> [u8; 32] {
    let mut text = Vec::with_capacity(256);
    for part in parts {
        match part {
            Some(part) => {
                text.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
                text.extend_from_slice(part.as_bytes());
            }
            None => text.extend_from_slice(&u64::MAX.to_be_bytes()),
        }
    }
    text.extend_from_slice(definition);
    write_canonical(value, &mut text);
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, &text).as_ref());
    hash
}

fn write_canonical(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            out.push(b'{');
            for (n, key) in keys.into_iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(Value::String(key.clone()).to_string().as_bytes());
                out.push(b':');
                write_canonical(map.get(key).unwrap_or(&Value::Null), out);
            }
            out.push(b'}');
        }
        Value::Array(items) => {
            out.push(b'[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                write_canonical(item, out);
            }
            out.push(b']');
        }
        scalar => out.extend_from_slice(scalar.to_string().as_bytes()),
    }
}

/// An approval that this call holds; given back when dropped before it was used.
pub(super) struct Reserved {
    hub: Arc<HubInner>,
    tenant: TenantId,
    approval: ApprovalId,
    fence: Fence,
    settled: bool,
}

impl Reserved {
    /// Uses it up: from here on the tool runs. Where that fails the tool does not run, and what the
    /// store may still hold is given back.
    pub(super) async fn commit(&mut self) -> Result<()> {
        let commit = self.hub.stores.approvals.commit(&self.tenant, &self.approval, self.fence);
        let used = self.hub.patience.with("approvals", commit).await?;
        self.settled = true;
        if used {
            Ok(())
        } else {
            Err(Error::new(
                ErrorKind::Denied,
                "the reservation of the approval ran out before the tool could run",
            )
            .effect(Effect::NotExecuted))
        }
    }

    /// Gives it back unless it was used, before the caller hears why: they may try again at once.
    pub(super) async fn release(mut self: Box<Self>) {
        if self.settled {
            return;
        }
        let release = self.hub.stores.approvals.release(&self.tenant, &self.approval, self.fence);
        let released = self.hub.patience.with("approvals", release).await;
        self.settled = true;
        if let Err(error) = released {
            // It counts as used when its lease ends.
            tracing::warn!(target: "tool_connect", %error, "an approval could not be given back");
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        let patience = self.hub.patience;
        let store: Arc<dyn ApprovalStore> = Arc::clone(&self.hub.stores.approvals);
        let (tenant, approval, fence) = (self.tenant.clone(), self.approval.clone(), self.fence);
        self.hub.settle(async move {
            if let Err(error) = patience.with("approvals", store.release(&tenant, &approval, fence)).await {
                tracing::warn!(target: "tool_connect", %error, "an approval could not be given back");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_fields_does_not_matter_and_everything_else_does() {
        let hash = |parts: &[Option<&str>], value: &Value| canonical_hash(parts, &[0; 32], value);
        let base = hash(&[Some("a"), None], &json!({"x": 1, "y": {"b": [1, 2], "a": "t"}}));
        assert_eq!(base, hash(&[Some("a"), None], &json!({"y": {"a": "t", "b": [1, 2]}, "x": 1})));
        for (parts, value) in [
            (&[Some("a"), None], json!({"x": 2, "y": {"b": [1, 2], "a": "t"}})),
            (&[Some("a"), None], json!({"x": 1, "y": {"b": [2, 1], "a": "t"}})),
            (&[Some("a"), None], json!({"x": "1", "y": {"b": [1, 2], "a": "t"}})),
            (&[Some("b"), None], json!({"x": 1, "y": {"b": [1, 2], "a": "t"}})),
            (&[Some("a"), Some("")], json!({"x": 1, "y": {"b": [1, 2], "a": "t"}})),
        ] {
            assert_ne!(base, hash(parts, &value), "{value}");
        }
        // No two lists of parts run together.
        assert_ne!(hash(&[Some("ab"), Some("c")], &json!(1)), hash(&[Some("a"), Some("bc")], &json!(1)));
    }
}
