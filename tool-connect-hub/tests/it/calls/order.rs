//! Which layer is asked before which.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tool_connect_core::store::{Decision, Subject};
use tool_connect_core::{
    Annotations, AuthScheme, Connection, ConnectionId, ConnectorManifest, DynamicTool, ErrorKind, EventKind,
    InputRequest, Owner, Rate, Served, ToolCall, ToolOutput,
};
use tool_connect_hub::audit::{AuditMode, EntryKind};
use tool_connect_hub::{ApproveWhen, HubBuilder, InstanceOptions, Quota, QuotaOf, RolePolicy};
use tool_connect_testkit::ManualClock;

use super::support::{
    Events, Kit, Runs, acme, ada, approval, approved, audited, bob, bot, counting, counting_read, definition,
    error, grant, instance, kind, number, pattern, quiet, required, trail, value,
};

fn always_approve(builder: HubBuilder) -> HubBuilder {
    builder.configure(|s| s.policy = RolePolicy::new().always_approve("*").unwrap())
}

/// A read named `get` whose results may be served again for a minute.
fn cached_read(runs: &Runs) -> DynamicTool {
    let runs = runs.clone();
    let definition = definition("get", Annotations::READ).cache(Duration::from_secs(60));
    DynamicTool::new(definition, move |_, _| {
        let run = runs.add();
        async move { ToolOutput::of(&run) }
    })
}

fn github() -> ConnectorManifest {
    ConnectorManifest::new("github", semver::Version::new(1, 0, 0), "GitHub").auth(AuthScheme::Bearer)
}

fn account(id: &str) -> Connection {
    let id = ConnectionId::new(id).unwrap();
    Connection::new(id, acme(), Owner::User(ada().user), instance("github"))
}

#[tokio::test]
async fn a_denial_is_audited_and_the_tool_does_not_run() {
    let runs = Runs::default();
    let hub = audited(&Arc::default(), AuditMode::FailClosed)
        .connector(Kit::new("notes").dynamic(counting(&runs)))
        .configure(|s| s.policy = RolePolicy::new().role("writer", ["notes.put"]).unwrap())
        .build()
        .unwrap();
    assert_eq!(kind(hub.session(ada()).call("notes.put", "{}").await), ErrorKind::Denied);
    assert_eq!(runs.count(), 0);
    assert_eq!(trail(&hub).await, [(EntryKind::Outcome, Some("denied"))]);
}

#[tokio::test]
async fn a_write_leaves_its_intent_before_its_outcome_and_a_read_only_its_outcome() {
    let runs = Runs::default();
    let hub = audited(&Arc::default(), AuditMode::FailClosed)
        .connector(Kit::new("notes").dynamic(counting(&runs)).dynamic(counting_read(&runs)))
        .build()
        .unwrap();
    let session = hub.session(ada());
    session.call("notes.put", "{}").await.unwrap();
    session.call("notes.get", "{}").await.unwrap();
    assert_eq!(
        trail(&hub).await,
        [(EntryKind::Intent, None), (EntryKind::Outcome, Some("ok")), (EntryKind::Outcome, Some("ok"))]
    );
}

#[tokio::test]
async fn the_account_is_asked_for_before_the_approval() {
    let runs = Runs::default();
    let hub = always_approve(quiet(&Arc::default()))
        .connector(Kit::of(github()).dynamic(counting(&runs)))
        .build()
        .unwrap();
    let session = hub.session(ada());
    let asked = required(session.call("github.put", "{}").await);
    assert!(
        matches!(&asked.request, InputRequest::Connect { instance, .. } if instance.as_str() == "github")
    );
    assert!(session.pending_approvals().await.unwrap().is_empty());

    hub.put_connection(account("c1")).await.unwrap();
    let asked = required(session.resume(asked).await);
    session.decide(&approval(&asked), Decision::Approve).await.unwrap();
    assert_eq!(number(session.resume(asked).await), 1);
}

#[tokio::test]
async fn a_replay_asks_for_no_second_approval() {
    let runs = Runs::default();
    let hub = always_approve(quiet(&Arc::default()))
        .connector(Kit::new("notes").dynamic(counting(&runs)))
        .build()
        .unwrap();
    let session = hub.session(ada());
    let call = ToolCall::new("notes.put", "{}").idempotency_key("k1");
    let asked = required(session.execute(call.clone()).await);
    session.decide(&approval(&asked), Decision::Approve).await.unwrap();
    assert_eq!(number(session.resume(asked).await), 1);

    let output = session.execute(call).await.unwrap().into_output().unwrap();
    assert_eq!(output.served, Served::Replay);
    assert!(session.pending_approvals().await.unwrap().is_empty());
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn a_replay_spends_neither_rate_nor_quota() {
    let runs = Runs::default();
    let hub = quiet(&Arc::default())
        .connector(Kit::new("notes").dynamic(counting(&runs)))
        .configure(|s| {
            s.limits.user = Some(Rate::per_minute(60).burst(2));
            s.limits.quotas = vec![Quota { of: QuotaOf::User, limit: 2, window: Duration::from_secs(3600) }];
        })
        .build()
        .unwrap();
    let session = hub.session(ada());
    let call = |key: &str| ToolCall::new("notes.put", "{}").idempotency_key(key);
    for _ in 0..5 {
        assert_eq!(number(session.execute(call("k1")).await), 1);
    }
    assert_eq!(number(session.execute(call("k2")).await), 2);
    assert_eq!(kind(session.execute(call("k3")).await), ErrorKind::RateLimited);
}

#[tokio::test]
async fn a_replay_cannot_outlive_a_revoked_grant() {
    let runs = Runs::default();
    let hub = quiet(&Arc::default())
        .connector(Kit::new("notes").dynamic(counting(&runs)))
        .configure(|s| s.policy = RolePolicy::new().approve(ApproveWhen::Never))
        .build()
        .unwrap();
    hub.grant(grant("notes.put")).await.unwrap();
    let session = hub.session(bot());
    let call = ToolCall::new("notes.put", "{}").idempotency_key("k1");
    assert_eq!(number(session.execute(call.clone()).await), 1);
    assert_eq!(number(session.execute(call.clone()).await), 1);

    let agent = Subject::Agent(bot().agent.unwrap());
    assert!(hub.revoke(&acme(), &agent, &pattern("notes.put"), None).await.unwrap());
    assert_eq!(kind(session.execute(call).await), ErrorKind::Denied);
}

#[tokio::test]
async fn a_replay_cannot_outlive_a_lost_role_or_a_removed_account() {
    let runs = Runs::default();
    let hub = quiet(&Arc::default())
        .connector(Kit::of(github()).dynamic(counting(&runs)))
        .configure(|s| s.policy = RolePolicy::new().role("dev", ["github.*"]).unwrap())
        .build()
        .unwrap();
    hub.put_connection(account("c1")).await.unwrap();
    let call = ToolCall::new("github.put", "{}").idempotency_key("k1");
    let dev = hub.session(ada().with_role("dev"));
    assert_eq!(number(dev.execute(call.clone()).await), 1);
    assert_eq!(kind(hub.session(ada()).execute(call.clone()).await), ErrorKind::Denied);

    assert!(hub.delete_connection(&acme(), &ConnectionId::new("c1").unwrap()).await.unwrap());
    assert!(matches!(required(dev.execute(call).await).request, InputRequest::Connect { .. }));
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn the_cache_stands_inside_the_policy() {
    let runs = Runs::default();
    let hub =
        quiet(&Arc::default()).connector(Kit::new("notes").dynamic(cached_read(&runs))).build().unwrap();
    hub.grant(grant("notes.*")).await.unwrap();
    let session = hub.session(bot());
    assert_eq!(number(session.call("notes.get", "{}").await), 1);
    let output = session.call("notes.get", "{}").await.unwrap().into_output().unwrap();
    assert_eq!(output.served, Served::Cache);
    assert_eq!(output.parse::<u64>().unwrap(), 1);

    let agent = Subject::Agent(bot().agent.unwrap());
    hub.revoke(&acme(), &agent, &pattern("notes.*"), None).await.unwrap();
    assert_eq!(kind(session.call("notes.get", "{}").await), ErrorKind::Denied);
}

#[tokio::test]
async fn a_cached_read_spends_no_quota_and_serves_only_its_own_principal_and_arguments_for_its_time() {
    let (runs, clock) = (Runs::default(), Arc::new(ManualClock::new()));
    let hub = quiet(&clock)
        .connector(Kit::new("notes").dynamic(cached_read(&runs)))
        .configure(|s| s.limits.user = Some(Rate::per_minute(60).burst(2)))
        .build()
        .unwrap();
    let (ada, bob) = (hub.session(ada()), hub.session(bob()));
    for _ in 0..4 {
        assert_eq!(number(ada.call("notes.get", "{}").await), 1);
    }
    assert_eq!(number(bob.call("notes.get", "{}").await), 2);
    assert_eq!(number(ada.call("notes.get", json!({"of": "b"})).await), 3);
    clock.advance(Duration::from_secs(59));
    assert_eq!(number(ada.call("notes.get", "{}").await), 1);
    clock.advance(Duration::from_secs(1));
    assert_eq!(number(ada.call("notes.get", "{}").await), 4);
}

#[tokio::test]
async fn a_cached_read_does_not_outlive_its_connector() {
    let runs = Runs::default();
    let hub =
        quiet(&Arc::default()).connector(Kit::new("notes").dynamic(cached_read(&runs))).build().unwrap();
    let session = hub.session(ada());
    for expected in [1, 2, 3] {
        assert_eq!(number(session.call("notes.get", "{}").await), expected);
        assert_eq!(number(session.call("notes.get", "{}").await), expected);
        hub.replace(Kit::new("notes").dynamic(cached_read(&runs)), InstanceOptions::default()).unwrap();
    }
}

#[tokio::test]
async fn a_call_of_nothing_is_audited_too() {
    let hub = audited(&Arc::default(), AuditMode::FailClosed).connector(Kit::new("notes")).build().unwrap();
    assert_eq!(kind(hub.session(ada()).call("notes.none", "{}").await), ErrorKind::UnknownTool);
    assert_eq!(trail(&hub).await, [(EntryKind::Outcome, Some("unknown_tool"))]);
}

#[tokio::test]
async fn a_read_that_failed_is_not_served_again_and_text_alone_stays_text_alone() {
    let runs = Runs::default();
    let seen = runs.clone();
    let definition = definition("get", Annotations::READ).cache(Duration::from_secs(60));
    let tool = DynamicTool::new(definition, move |_, _| {
        let run = seen.add();
        async move {
            if run == 1 {
                return Err(tool_connect_core::Error::new(ErrorKind::Provider, "not today"));
            }
            Ok(ToolOutput::text("hello"))
        }
    });
    let hub = quiet(&Arc::default()).connector(Kit::new("notes").dynamic(tool)).build().unwrap();
    let session = hub.session(ada());
    assert_eq!(kind(session.call("notes.get", "{}").await), ErrorKind::Provider);
    let fresh = session.call("notes.get", "{}").await.unwrap().into_output().unwrap();
    let cached = session.call("notes.get", "{}").await.unwrap().into_output().unwrap();
    assert_eq!((fresh.served, cached.served), (Served::Fresh, Served::Cache));
    assert_eq!(fresh.content, cached.content);
    assert!(matches!(cached.body, tool_connect_core::Body::Empty));
    assert_eq!(runs.count(), 2);
}

#[tokio::test]
async fn what_waits_for_an_answer_releases_its_key_and_asks_for_a_new_approval() {
    let runs = Runs::default();
    let seen = runs.clone();
    let tool = super::support::write("put", move |arguments, cx| {
        seen.add();
        async move {
            let sure = cx.elicit("sure", "Are you sure?", json!({"type": "boolean"}))?;
            ToolOutput::of(&json!({ "sure": sure, "path": arguments["path"] }))
        }
    });
    let hub =
        always_approve(quiet(&Arc::default())).connector(Kit::new("notes").dynamic(tool)).build().unwrap();
    let session = hub.session(ada());
    let call = ToolCall::new("notes.put", json!({"path": "a"})).idempotency_key("k1");
    let asked = required(session.execute(call).await);
    session.decide(&approval(&asked), Decision::Approve).await.unwrap();
    let question = required(session.resume(asked).await);
    assert!(matches!(&question.request, InputRequest::Elicit { question, .. } if question == "sure"));

    // The key is free again; the approval was used by the run that asked.
    let asked = required(session.answer(question, json!(true)).await);
    session.decide(&approval(&asked), Decision::Approve).await.unwrap();
    assert_eq!(value(session.resume(asked).await), json!({"sure": true, "path": "a"}));
    assert_eq!(runs.count(), 2);
}

#[tokio::test]
async fn what_happens_is_told_as_events() {
    let (events, runs) = (Events::default(), Runs::default());
    let hub = always_approve(quiet(&Arc::default()))
        .on_event(events.sink())
        .connector(Kit::new("notes").dynamic(counting(&runs)))
        .configure(|s| s.limits.user = Some(Rate::per_minute(1)))
        .build()
        .unwrap();
    let session = hub.session(ada());
    let asked = approved(&session, "notes.put", json!({})).await;
    session.resume(asked).await.unwrap();
    let asked = approved(&session, "notes.put", json!({})).await;
    assert_eq!(error(session.resume(asked).await).kind(), ErrorKind::RateLimited);

    assert_eq!(events.outcomes(), ["input_required", "ok", "input_required", "rate_limited"]);
    let names: Vec<_> = events
        .all()
        .into_iter()
        .filter_map(|event| match event.what {
            EventKind::RegistryChanged { present: true, .. } => Some("registered"),
            EventKind::ApprovalRequested { .. } => Some("asked"),
            EventKind::ApprovalDecided { approved: true, .. } => Some("approved"),
            EventKind::LimitRefused { tool, limit } => {
                assert_eq!((tool.as_str(), limit.as_str()), ("notes.put", "user"));
                assert_eq!(event.tenant, Some(acme()));
                Some("refused")
            }
            _ => None,
        })
        .collect();
    assert_eq!(names, ["registered", "asked", "approved", "asked", "approved", "refused"]);
}
