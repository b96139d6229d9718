//! Stores that fail in the middle of a call.

use std::sync::Arc;

use serde_json::json;
use tool_connect_core::store::Decision;
use tool_connect_core::{
    AuthScheme, Connection, ConnectionId, ConnectorManifest, Effect, ErrorKind, Owner, Retry, ToolCall,
};
use tool_connect_hub::audit::{ArgumentsHash, AuditMode, EntryKind};
use tool_connect_hub::{Hub, Quota, QuotaOf, RolePolicy};
use tool_connect_testkit::ManualClock;

use super::faults::Faults;
use super::support::{
    Kit, Runs, acme, ada, audited, bot, counting, counting_read, error, grant, instance, kind, number,
    required, trail,
};

struct House {
    faults: Faults,
    runs: Runs,
    hub: Hub,
}

fn house(mode: AuditMode) -> House {
    let (clock, faults, runs) = (Arc::new(ManualClock::new()), Faults::default(), Runs::default());
    let manifest =
        ConnectorManifest::new("github", semver::Version::new(1, 0, 0), "GitHub").auth(AuthScheme::Bearer);
    let hub = audited(&clock, mode)
        .stores(faults.stores(Arc::clone(&clock) as _))
        .connector(Kit::new("notes").dynamic(counting(&runs)).dynamic(counting_read(&runs)))
        .connector(Kit::of(manifest).dynamic(counting(&runs)))
        .configure(|s| s.policy = RolePolicy::new().approve(tool_connect_hub::ApproveWhen::Never))
        .build()
        .unwrap();
    House { faults, runs, hub }
}

fn put() -> ToolCall {
    ToolCall::new("notes.put", "{}").idempotency_key("k")
}

#[tokio::test]
async fn a_key_that_cannot_be_claimed_runs_nothing_and_can_be_tried_again() {
    let House { faults, runs, hub } = house(AuditMode::Off);
    let session = hub.session(ada());
    faults.fail("idempotency.begin", 1);
    let failed = error(session.execute(put()).await);
    assert_eq!((failed.kind(), failed.effect_on_provider()), (ErrorKind::Storage, Effect::NotExecuted));
    assert_eq!((failed.retry_advice(), runs.count()), (Retry::Backoff, 0));
    assert!(!failed.public_message().contains("disk"));
    assert_eq!(number(session.execute(put()).await), 1);
}

#[tokio::test]
async fn a_result_that_cannot_be_kept_reaches_its_caller_and_its_key_stays_taken() {
    let House { faults, runs, hub } = house(AuditMode::Off);
    let session = hub.session(ada());
    faults.fail("idempotency.complete", 1);
    assert_eq!(number(session.execute(put()).await), 1);
    assert_eq!(kind(session.execute(put()).await), ErrorKind::Idempotency);
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn accounts_that_cannot_be_read_are_not_accounts_that_are_missing() {
    let House { faults, runs, hub } = house(AuditMode::Off);
    let session = hub.session(ada());
    faults.fail("connections.list", 1);
    let failed = error(session.call("github.put", "{}").await);
    assert_eq!((failed.kind(), failed.effect_on_provider()), (ErrorKind::Storage, Effect::NotExecuted));
    // The failure is not remembered as an answer.
    required(session.call("github.put", "{}").await);
    let id = ConnectionId::new("c1").unwrap();
    let account = Connection::new(id, acme(), Owner::User(ada().user), instance("github"));
    hub.put_connection(account).await.unwrap();
    assert_eq!(number(session.call("github.put", "{}").await), 1);
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn grants_that_cannot_be_read_grant_nothing() {
    let House { faults, runs, hub } = house(AuditMode::Off);
    hub.grant(grant("*")).await.unwrap();
    let session = hub.session(bot());
    faults.fail("grants.list", 2);
    let failed = error(session.call("notes.put", "{}").await);
    assert_eq!((failed.kind(), failed.effect_on_provider()), (ErrorKind::Storage, Effect::NotExecuted));
    assert_eq!(session.tools(&Default::default()).await.unwrap_err().kind(), ErrorKind::Storage);
    assert_eq!(runs.count(), 0);
    assert_eq!(number(session.call("notes.put", "{}").await), 1);
}

#[tokio::test]
async fn a_change_that_could_not_be_written_is_told_and_not_believed() {
    let House { faults, hub, .. } = house(AuditMode::Off);
    faults.fail("grants.put", 1);
    assert_eq!(hub.grant(grant("*")).await.unwrap_err().kind(), ErrorKind::Storage);
    assert_eq!(kind(hub.session(bot()).call("notes.put", "{}").await), ErrorKind::Denied);
}

#[tokio::test]
async fn a_quota_that_cannot_be_counted_runs_nothing() {
    let (clock, faults, runs) = (Arc::new(ManualClock::new()), Faults::default(), Runs::default());
    let window = std::time::Duration::from_secs(60);
    let hub = audited(&clock, AuditMode::Off)
        .stores(faults.stores(Arc::clone(&clock) as _))
        .connector(Kit::new("notes").dynamic(counting(&runs)))
        .configure(|s| s.limits.quotas = vec![Quota { of: QuotaOf::User, limit: 9, window }])
        .build()
        .unwrap();
    let session = hub.session(ada());
    faults.fail("quotas.acquire", 1);
    let failed = error(session.execute(put()).await);
    assert_eq!((failed.kind(), failed.effect_on_provider()), (ErrorKind::Storage, Effect::NotExecuted));
    assert_eq!(number(session.execute(put()).await), 1);
}

#[tokio::test]
async fn without_its_trail_a_write_does_not_run_and_a_read_does() {
    let House { faults, runs, hub } = house(AuditMode::FailClosed);
    let session = hub.session(ada());
    faults.fail("audit.append", usize::MAX);
    let refused = error(session.execute(put()).await);
    assert_eq!(
        (refused.kind(), refused.effect_on_provider()),
        (ErrorKind::AuditUnavailable, Effect::NotExecuted)
    );
    assert_eq!(runs.count(), 0);
    assert_eq!(number(session.call("notes.get", "{}").await), 1);
    faults.mend();
    // The key was given back.
    assert_eq!(number(session.execute(put()).await), 2);
    hub.shutdown().await.unwrap();
    let trail = trail(&hub).await;
    assert!(trail.contains(&(EntryKind::Outcome, Some("audit_unavailable"))), "{trail:?}");
    assert_eq!(trail.iter().filter(|(_, outcome)| *outcome == Some("ok")).count(), 2, "{trail:?}");
    assert!(hub.audit().verify(&acme(), &[]).await.unwrap().is_intact());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_holds_neither_readers_nor_deciders() {
    let House { faults, hub, .. } = house(AuditMode::Off);
    let session = hub.session(ada());
    let (approval, handle) = ("approval-1".try_into().unwrap(), "handle-1".try_into().unwrap());
    for step in [
        "connections.list",
        "approvals.pending",
        "approvals.get",
        "approvals.decide",
        "results.meta",
        "results.read",
    ] {
        faults.hang(step);
    }
    for (store, failed) in [
        ("connections", session.connections().await.unwrap_err()),
        ("approvals", session.pending_approvals().await.unwrap_err()),
        ("approvals", session.decide(&approval, Decision::Approve).await.unwrap_err()),
        ("results", session.file(&handle).await.unwrap_err()),
        ("results", session.read_file(&handle, 0..1).await.unwrap_err()),
    ] {
        assert_eq!(failed.kind(), ErrorKind::Storage);
        assert!(failed.message().contains(store), "{failed}");
    }
}

#[tokio::test]
async fn a_trail_that_fails_open_holds_nobody_up() {
    let House { faults, runs, hub } = house(AuditMode::FailOpen);
    faults.fail("audit.append", usize::MAX);
    assert_eq!(number(hub.session(ada()).execute(put()).await), 1);
    faults.mend();
    hub.shutdown().await.unwrap();
    assert_eq!(trail(&hub).await, [(EntryKind::Outcome, Some("ok"))]);
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn the_trail_has_the_arguments_of_every_kind_of_call() {
    use super::support::{Add, records};
    let House { hub, .. } = house(AuditMode::FailClosed);
    hub.add(Kit::new("calc").tool::<Add>()).unwrap();
    let session = hub.session(ada());
    let text = json!({"a": 1, "b": 2});
    session.call("notes.get", text.clone()).await.unwrap();
    session.call("notes.put", text.clone()).await.unwrap();
    session.call("calc.add", text.clone()).await.unwrap();
    session.run(Add { a: 1, b: 2 }).await.unwrap();
    let expected = hub.audit().arguments_hash(&acme(), &ada().user, &text.into()).await.unwrap().unwrap();
    let hashes: Vec<_> = records(&hub).await.into_iter().filter_map(|r| r.arguments).collect();
    // Once a call.
    assert_eq!(hashes, vec![ArgumentsHash::Keyed(expected); 4]);
}
