//! A caller that goes away, wherever the call has come to: what it held is settled, and the trail
//! says so.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use serde_json::json;
use tool_connect_core::store::{ApprovalStatus, Decision};
use tool_connect_core::{
    AuthScheme, Connection, ConnectionId, ConnectorLimits, ConnectorManifest, Effect, ErrorKind, Owner,
    ToolCall,
};
use tool_connect_hub::audit::{AuditMode, Outcome};
use tool_connect_hub::{Hub, Quota, QuotaOf, RolePolicy, Session};
use tool_connect_testkit::ManualClock;

use super::faults::Faults;
use super::support::{
    Kit, Runs, acme, ada, approval, audited, bot, counting, error, grant, instance, kind, number, records,
    required, write,
};

struct House {
    faults: Faults,
    runs: Runs,
    hub: Hub,
    session: Session,
}

/// A Hub with everything on, where an agent may call `github.put` and the tool `github.hang`.
async fn house() -> House {
    let (clock, faults, runs) = (Arc::new(ManualClock::new()), Faults::default(), Runs::default());
    let manifest = ConnectorManifest::new("github", semver::Version::new(1, 0, 0), "GitHub")
        .auth(AuthScheme::Bearer)
        .limits(ConnectorLimits::default().concurrency(1));
    let hub = audited(&clock, AuditMode::FailClosed)
        .stores(faults.stores(Arc::clone(&clock) as _))
        .connector(
            Kit::of(manifest).dynamic(counting(&runs)).dynamic(write("hang", |_, _| std::future::pending())),
        )
        .configure(|s| {
            s.policy = RolePolicy::new().always_approve("*").unwrap();
            s.limits.quotas = vec![Quota { of: QuotaOf::User, limit: 100, window: Duration::from_secs(60) }];
        })
        .build()
        .unwrap();
    hub.grant(grant("*")).await.unwrap();
    let id = ConnectionId::new("c1").unwrap();
    let account = Connection::new(id, acme(), Owner::User(ada().user), instance("github"));
    hub.put_connection(account).await.unwrap();
    let session = hub.session(bot());
    House { faults, runs, hub, session }
}

impl House {
    /// A call that was approved.
    async fn call(&self, tool: &'static str) -> ToolCall {
        let call = ToolCall::new(tool, json!({"n": 1})).idempotency_key("k");
        let asked = required(self.session.execute(call).await);
        self.hub.session(ada()).decide(&approval(&asked), Decision::Approve).await.unwrap();
        // What this call remembered is of no use to the next one.
        self.hub.grant(grant("*")).await.unwrap();
        self.hub.audit().records(&acme(), 1, 1).await.unwrap();
        *asked.call.unwrap()
    }

    /// Goes as far as it can in this call, and leaves.
    async fn leave(&self, call: &ToolCall) {
        let mut running = Box::pin(self.session.execute(call.clone()));
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..50 {
            assert!(matches!(running.as_mut().poll(&mut cx), Poll::Pending), "the call ended");
            tokio::task::yield_now().await;
        }
        drop(running);
        self.hub.shutdown().await.unwrap();
    }

    async fn status(&self, call: &ToolCall) -> ApprovalStatus {
        let approval = call.options.approval.as_ref().unwrap();
        self.hub.stores().approvals.get(&acme(), approval).await.unwrap().unwrap().status
    }

    /// The last outcome in the trail.
    async fn last(&self) -> (Option<Outcome>, Option<Effect>) {
        let records = records(&self.hub).await;
        records.last().map(|r| (r.outcome, r.effect)).unwrap()
    }
}

const CANCELED: Option<Outcome> = Some(Outcome::Error(ErrorKind::Canceled));

#[tokio::test]
async fn before_the_tool_ran_everything_is_given_back() {
    for step in [
        "grants.list",
        "connections.list",
        "idempotency.begin",
        "approvals.reserve",
        "quotas.acquire",
        "audit.append",
        "approvals.commit",
    ] {
        let house = house().await;
        let call = house.call("github.put").await;
        house.faults.hang(step);
        house.leave(&call).await;
        assert_eq!(house.runs.count(), 0, "{step}");
        assert_eq!(house.status(&call).await, ApprovalStatus::Approved, "{step}");
        assert_eq!(house.last().await, (CANCELED, Some(Effect::NotExecuted)), "{step}");
        // Key, approval and place are free.
        assert_eq!(number(house.session.execute(call).await), 1, "{step}");
    }
}

#[tokio::test]
async fn while_the_tool_runs_the_key_is_indeterminate_and_the_approval_used() {
    let house = house().await;
    let call = house.call("github.hang").await;
    house.leave(&call).await;
    assert_eq!(house.status(&call).await, ApprovalStatus::Used);
    assert_eq!(house.last().await, (CANCELED, Some(Effect::Unknown)));
    let refused = error(house.session.execute(call).await);
    assert_eq!((refused.kind(), refused.effect_on_provider()), (ErrorKind::Idempotency, Effect::Unknown));
    // The place is free: another call gets it.
    let call = house.call("github.put").await;
    assert_eq!(number(house.session.execute(call).await), 1);
}

#[tokio::test]
async fn while_the_result_is_kept_it_is_kept_all_the_same() {
    for after in [false, true] {
        let house = house().await;
        let call = house.call("github.put").await;
        if after {
            house.faults.hang_after("idempotency.complete");
        } else {
            house.faults.hang("idempotency.complete");
        }
        house.leave(&call).await;
        assert_eq!(house.last().await.0, CANCELED);
        assert_eq!(number(house.session.execute(call).await), 1);
        assert_eq!(house.runs.count(), 1);
    }
}

#[tokio::test]
async fn while_it_waits_for_a_place_everything_is_given_back() {
    let house = house().await;
    let (holds, waits) = (house.call("github.hang").await, house.call("github.put").await);
    let mut holding = Box::pin(house.session.execute(holds));
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..50 {
        assert!(matches!(holding.as_mut().poll(&mut cx), Poll::Pending));
        tokio::task::yield_now().await;
    }
    house.leave(&waits).await;
    assert_eq!(house.status(&waits).await, ApprovalStatus::Approved);
    assert_eq!(house.last().await, (CANCELED, Some(Effect::NotExecuted)));
    drop(holding);
    house.hub.shutdown().await.unwrap();
    assert_eq!(number(house.session.execute(waits).await), 1);
}

#[tokio::test]
async fn a_call_that_was_never_awaited_leaves_nothing() {
    let house = house().await;
    let call = house.call("github.put").await;
    let before = records(&house.hub).await.len();
    drop(house.session.execute(call.clone()));
    house.hub.shutdown().await.unwrap();
    assert_eq!(records(&house.hub).await.len(), before);
    assert_eq!(house.status(&call).await, ApprovalStatus::Approved);
    assert_ne!(kind(house.session.execute(ToolCall::new("github.none", "{}")).await), ErrorKind::Canceled);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_ends_the_call_in_time_and_everything_is_given_back() {
    for (step, kind) in [
        ("grants.list", ErrorKind::Storage),
        ("connections.list", ErrorKind::Storage),
        ("idempotency.begin", ErrorKind::Storage),
        ("approvals.reserve", ErrorKind::Storage),
        ("quotas.acquire", ErrorKind::Storage),
        ("audit.append", ErrorKind::AuditUnavailable),
        ("approvals.commit", ErrorKind::Storage),
    ] {
        let house = house().await;
        let call = house.call("github.put").await;
        house.faults.hang(step);
        let began = tokio::time::Instant::now();
        let failed = error(house.session.execute(call.clone()).await);
        assert_eq!((failed.kind(), failed.effect_on_provider()), (kind, Effect::NotExecuted), "{step}");
        assert!(began.elapsed() <= Duration::from_secs(11), "{step}: {:?}", began.elapsed());
        assert_eq!((house.runs.count(), house.status(&call).await), (0, ApprovalStatus::Approved), "{step}");
        assert_eq!(number(house.session.execute(call).await), 1, "{step}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_does_not_hold_up_the_shutdown() {
    let house = house().await;
    let call = house.call("github.hang").await;
    house.faults.hang("idempotency.abandon");
    house.leave(&call).await;
    assert_eq!(house.last().await, (CANCELED, Some(Effect::Unknown)));
}
