//! An approval is used by the call that reaches its tool, and given back by one that does not.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tool_connect_core::{
    Annotations, ConnectorLimits, ConnectorManifest, DynamicTool, Effect, Error, ErrorKind, Rate, ToolCall,
    ToolOutcome, ToolOutput,
};
use tool_connect_hub::audit::AuditMode;
use tool_connect_hub::{HubBuilder, Quota, QuotaOf, RolePolicy, Session};
use tool_connect_testkit::ManualClock;

use super::faults::Faults;
use super::support::{
    Kit, Runs, ada, approved, audited, bob, counting, definition, error, kind, number, quiet, read,
    text_schema, write,
};

fn approving(builder: HubBuilder) -> HubBuilder {
    builder.configure(|s| s.policy = RolePolicy::new().always_approve("notes.put").unwrap())
}

async fn approved_call(session: &Session) -> ToolCall {
    *approved(session, "notes.put", json!({})).await.call.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_calls_at_once_exactly_one_runs() {
    let runs = Runs::default();
    let hub = approving(quiet(&Arc::default()))
        .connector(Kit::new("notes").dynamic(counting(&runs)))
        .build()
        .unwrap();
    let session = hub.session(ada());
    for round in 1..=20 {
        let call = approved_call(&session).await;
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (session, call) = (session.clone(), call.clone());
                tokio::spawn(async move { session.execute(call).await.map(drop) })
            })
            .collect();
        let mut ran = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(()) => ran += 1,
                Err(error) => assert_eq!(error.kind(), ErrorKind::Denied),
            }
        }
        assert_eq!((ran, runs.count()), (1, round));
    }
}

#[tokio::test]
async fn a_rate_and_a_quota_that_refuse_leave_it_for_another_try_at_once() {
    for by_quota in [false, true] {
        let (runs, clock) = (Runs::default(), Arc::new(ManualClock::new()));
        let hub = approving(quiet(&clock))
            .connector(Kit::new("notes").dynamic(counting(&runs)))
            .configure(|s| {
                if by_quota {
                    let window = Duration::from_secs(60);
                    s.limits.quotas = vec![Quota { of: QuotaOf::User, limit: 1, window }];
                } else {
                    s.limits.user = Some(Rate::per_minute(1));
                }
            })
            .build()
            .unwrap();
        let session = hub.session(ada());
        session.execute(approved_call(&session).await).await.unwrap();
        let call = approved_call(&session).await;
        for _ in 0..2 {
            let refused = error(session.execute(call.clone()).await);
            assert_eq!(refused.kind(), ErrorKind::RateLimited, "{refused}");
        }
        clock.advance(Duration::from_secs(60));
        assert_eq!(number(session.execute(call).await), 2);
    }
}

#[tokio::test]
async fn an_audit_trail_that_cannot_take_the_intent_leaves_it() {
    let (clock, faults, runs) = (Arc::new(ManualClock::new()), Faults::default(), Runs::default());
    let hub = approving(audited(&clock, AuditMode::FailClosed))
        .stores(faults.stores(Arc::clone(&clock) as _))
        .connector(Kit::new("notes").dynamic(counting(&runs)))
        .build()
        .unwrap();
    let session = hub.session(ada());
    let call = approved_call(&session).await;
    faults.fail("audit.append", usize::MAX);
    let refused = error(session.execute(call.clone()).await);
    assert_eq!(
        (refused.kind(), refused.effect_on_provider()),
        (ErrorKind::AuditUnavailable, Effect::NotExecuted)
    );
    assert_eq!(runs.count(), 0);
    faults.mend();
    assert_eq!(number(session.execute(call).await), 1);
}

#[tokio::test]
async fn a_store_that_cannot_commit_leaves_it_and_runs_nothing() {
    let (clock, faults, runs) = (Arc::new(ManualClock::new()), Faults::default(), Runs::default());
    let hub = approving(quiet(&clock))
        .stores(faults.stores(Arc::clone(&clock) as _))
        .connector(Kit::new("notes").dynamic(counting(&runs)))
        .build()
        .unwrap();
    let session = hub.session(ada());
    let call = approved_call(&session).await;
    for step in ["approvals.reserve", "approvals.commit"] {
        faults.fail(step, 1);
        let failed = error(session.execute(call.clone()).await);
        assert_eq!(
            (failed.kind(), failed.effect_on_provider()),
            (ErrorKind::Storage, Effect::NotExecuted),
            "{step}"
        );
        assert_eq!(runs.count(), 0);
    }
    assert_eq!(number(session.execute(call).await), 1);
}

#[tokio::test]
async fn a_reservation_that_ran_out_runs_nothing() {
    let (clock, faults, runs) = (Arc::new(ManualClock::new()), Faults::default(), Runs::default());
    let hub = approving(quiet(&clock))
        .stores(faults.stores(Arc::clone(&clock) as _))
        .connector(Kit::new("notes").dynamic(counting(&runs)))
        .build()
        .unwrap();
    let session = hub.session(ada());
    let call = approved_call(&session).await;
    // It committed, and the answer was lost on its way: who tries again is told that it was used.
    faults.hang_after("approvals.commit");
    let lost = tokio::time::timeout(Duration::from_millis(20), session.execute(call.clone())).await;
    assert!(lost.is_err());
    hub.shutdown().await.unwrap();
    assert_eq!(kind(session.execute(call).await), ErrorKind::Denied);
    assert_eq!(runs.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn waiting_too_long_for_a_place_leaves_it() {
    let runs = Runs::default();
    let manifest = ConnectorManifest::new("notes", semver::Version::new(1, 0, 0), "Notes")
        .limits(ConnectorLimits::default().concurrency(1));
    let forever = read("wait", |_, _| std::future::pending());
    let hub = approving(quiet(&Arc::default()))
        .connector(Kit::of(manifest).dynamic(counting(&runs)).dynamic(forever))
        .configure(|s| s.concurrency_wait = Duration::from_secs(1))
        .build()
        .unwrap();
    let (session, other) = (hub.session(ada()), hub.session(bob()));
    let call = approved_call(&session).await;
    let holding = tokio::spawn(async move { other.call("notes.wait", "{}").await });
    tokio::task::yield_now().await;
    assert_eq!(kind(session.execute(call.clone()).await), ErrorKind::Overloaded);
    holding.abort();
    assert!(holding.await.is_err());
    assert_eq!(number(session.execute(call).await), 1);
}

#[tokio::test]
async fn arguments_that_a_dynamic_tool_refuses_leave_it() {
    let schema = text_schema(&json!({"type": "object", "properties": {"n": {"type": "integer"}}}));
    let mut strict = definition("put", Annotations::default());
    strict.input = schema;
    let tool = DynamicTool::new(strict, |_, _| async { ToolOutput::of(&1) });
    let hub = approving(quiet(&Arc::default())).connector(Kit::new("notes").dynamic(tool)).build().unwrap();
    let session = hub.session(ada());
    let call = *approved(&session, "notes.put", json!({"n": "one"})).await.call.unwrap();
    for _ in 0..2 {
        assert_eq!(kind(session.execute(call.clone()).await), ErrorKind::InvalidArguments);
    }
}

#[tokio::test]
async fn a_tool_that_ran_and_failed_has_used_it() {
    let failing = write("put", |_, _| async { Err(Error::new(ErrorKind::Provider, "half done")) });
    let hub =
        approving(quiet(&Arc::default())).connector(Kit::new("notes").dynamic(failing)).build().unwrap();
    let session = hub.session(ada());
    let call = approved_call(&session).await;
    assert_eq!(kind(session.execute(call.clone()).await), ErrorKind::Provider);
    let again: Result<ToolOutcome, Error> = session.execute(call).await;
    assert!(error(again).public_message().contains("used already"));
}
