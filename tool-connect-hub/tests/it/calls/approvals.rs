//! An approval is a person's yes to one exact call.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tool_connect_core::store::{ApprovalStatus, Decision};
use tool_connect_core::{
    Annotations, ApprovalId, AuthScheme, Connection, ConnectionId, ConnectorManifest, DynamicTool, ErrorKind,
    Owner, Principal, ToolCall, ToolOutput,
};
use tool_connect_hub::audit::{AuditMode, EntryKind};
use tool_connect_hub::{Hub, HubBuilder, InstanceOptions, RolePolicy};
use tool_connect_testkit::ManualClock;

use super::faults::Faults;
use super::support::{
    Add, Kit, Runs, acme, ada, approval, approved, audited, bob, bot, counting, definition, error, grant,
    instance, kind, number, quiet, required, trail,
};

fn approving(builder: HubBuilder) -> HubBuilder {
    builder.configure(|s| s.policy = RolePolicy::new().always_approve("*").unwrap())
}

fn notes(clock: &Arc<ManualClock>, runs: &Runs) -> Hub {
    approving(quiet(clock)).connector(Kit::new("notes").dynamic(counting(runs))).build().unwrap()
}

fn call(arguments: Value, approval: &ApprovalId) -> ToolCall {
    ToolCall::new("notes.put", arguments).approval(approval.clone())
}

#[tokio::test]
async fn a_call_waits_until_a_person_has_decided() {
    let (clock, runs) = (Arc::default(), Runs::default());
    let hub = notes(&clock, &runs);
    let session = hub.session(ada());
    let asked = required(session.call("notes.put", json!({"n": 1})).await);
    let id = approval(&asked);
    assert!(asked.message().contains("this tool always needs an approval"));
    let pending = session.pending_approvals().await.unwrap();
    assert_eq!(pending.len(), 1);
    assert_eq!((&pending[0].request.id, pending[0].request.tool.as_str()), (&id, "notes.put"));
    assert_eq!(asked.expires, Some(pending[0].request.expires));

    let asked = required(session.resume(asked).await);
    assert_eq!((approval(&asked), runs.count()), (id.clone(), 0));
    let decided = session.decide(&id, Decision::Approve).await.unwrap();
    assert_eq!((decided.status, decided.decided_by), (ApprovalStatus::Approved, Some(ada().user)));
    assert_eq!(number(session.resume(asked).await), 1);
}

#[tokio::test]
async fn it_can_be_used_once() {
    let (clock, runs) = (Arc::default(), Runs::default());
    let hub = notes(&clock, &runs);
    let session = hub.session(ada());
    let asked = approved(&session, "notes.put", json!({})).await;
    let again = *asked.call.as_ref().unwrap().clone();
    session.resume(asked).await.unwrap();
    let refused = error(session.execute(again).await);
    assert_eq!(refused.kind(), ErrorKind::Denied);
    assert!(refused.public_message().contains("used already"), "{refused}");
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn other_values_other_keys_and_other_callers_are_other_calls() {
    let (clock, runs) = (Arc::default(), Runs::default());
    let hub = notes(&clock, &runs);
    hub.grant(grant("*")).await.unwrap();
    let session = hub.session(ada());
    let asked = approved(&session, "notes.put", json!({"n": 1, "to": {"a": [1, 2]}})).await;
    let id = approval(&asked);
    let exact = json!({"n": 1, "to": {"a": [1, 2]}});
    let foreign: [(Principal, ToolCall); 6] = [
        (ada(), call(json!({"n": 2, "to": {"a": [1, 2]}}), &id)),
        (ada(), call(json!({"n": "1", "to": {"a": [1, 2]}}), &id)),
        (ada(), call(json!({"n": 1, "to": {"a": [2, 1]}}), &id)),
        (ada(), call(exact.clone(), &id).idempotency_key("k")),
        (bob(), call(exact.clone(), &id)),
        (bot(), call(exact.clone(), &id)),
    ];
    for (principal, call) in foreign {
        let refused = error(hub.session(principal).execute(call.clone()).await);
        assert_eq!(refused.kind(), ErrorKind::Denied, "{call:?}");
        assert!(refused.public_message().contains("another call"), "{refused}");
    }
    assert_eq!(runs.count(), 0);
    // None of them used it up.
    assert_eq!(number(session.execute(call(exact, &id)).await), 1);
}

#[tokio::test]
async fn the_order_of_fields_and_the_spaces_between_them_do_not_matter() {
    let (clock, runs) = (Arc::default(), Runs::default());
    let hub = notes(&clock, &runs);
    let session = hub.session(ada());
    let asked = approved(&session, "notes.put", json!({"a": 1, "b": {"x": 1, "y": 2}})).await;
    let reordered = ToolCall::new("notes.put", r#" { "b" : {"y":2, "x":1}, "a":1 } "#);
    assert_eq!(number(session.execute(reordered.approval(approval(&asked))).await), 1);
}

#[tokio::test]
async fn another_definition_is_another_call() {
    let (clock, runs) = (Arc::default(), Runs::default());
    let hub = notes(&clock, &runs);
    let session = hub.session(ada());
    let asked = approved(&session, "notes.put", json!({})).await;
    let id = approval(&asked);
    let changed = |description: &'static str| {
        let runs = runs.clone();
        let mut definition = definition("put", Annotations::default());
        definition.description = description.into();
        let tool = DynamicTool::new(definition, move |_, _| {
            let run = runs.add();
            async move { ToolOutput::of(&run) }
        });
        hub.replace(Kit::new("notes").dynamic(tool), InstanceOptions::default()).unwrap();
    };
    changed("Deletes everything.");
    assert_eq!(kind(session.execute(call(json!({}), &id)).await), ErrorKind::Denied);
    assert_eq!(runs.count(), 0);
    changed("Does what the test says.");
    assert_eq!(number(session.execute(call(json!({}), &id)).await), 1);
}

#[tokio::test]
async fn another_account_is_another_call() {
    let (clock, runs) = (Arc::<ManualClock>::default(), Runs::default());
    let manifest =
        ConnectorManifest::new("github", semver::Version::new(1, 0, 0), "GitHub").auth(AuthScheme::Bearer);
    let hub = approving(quiet(&clock)).connector(Kit::of(manifest).dynamic(counting(&runs))).build().unwrap();
    let (work, home) = (ConnectionId::new("work").unwrap(), ConnectionId::new("home").unwrap());
    for id in [&work, &home] {
        let owner = Owner::User(ada().user);
        hub.put_connection(Connection::new(id.clone(), acme(), owner, instance("github"))).await.unwrap();
    }
    let session = hub.session(ada());
    let on = |id: &ConnectionId| ToolCall::new("github.put", "{}").connection(id.clone());
    let asked = required(session.execute(on(&work)).await);
    let id = approval(&asked);
    session.decide(&id, Decision::Approve).await.unwrap();
    assert_eq!(kind(session.execute(on(&home).approval(id.clone())).await), ErrorKind::Denied);
    assert_eq!(number(session.execute(on(&work).approval(id)).await), 1);
}

#[tokio::test]
async fn a_typed_call_and_the_same_call_by_name_are_one() {
    let hub = approving(quiet(&Arc::default())).connector(Kit::new("calc").tool::<Add>()).build().unwrap();
    let session = hub.session(ada());
    let waits = session.run(Add { a: 1, b: 2 }).await.unwrap_err();
    let id = approval(waits.input_required().unwrap());
    session.decide(&id, Decision::Approve).await.unwrap();
    let by_name = ToolCall::new("calc.add", r#"{"b":2,"a":1}"#).approval(id);
    assert_eq!(number(session.execute(by_name).await), 3);

    let waits = session.run(Add { a: 1, b: 2 }).await.unwrap_err().into_input_required().unwrap();
    session.decide(&approval(&waits), Decision::Approve).await.unwrap();
    assert_eq!(number(session.resume(waits).await), 3);
}

#[tokio::test]
async fn a_refused_an_expired_and_an_unknown_approval_run_nothing() {
    let (clock, runs) = (Arc::new(ManualClock::new()), Runs::default());
    let hub = notes(&clock, &runs);
    let session = hub.session(ada());
    let asked = required(session.call("notes.put", "{}").await);
    session.decide(&approval(&asked), Decision::Deny).await.unwrap();
    assert!(error(session.resume(asked).await).public_message().contains("refused"));

    let asked = approved(&session, "notes.put", json!({})).await;
    let undecided = required(session.call("notes.put", json!({"late": 1})).await);
    clock.advance(Duration::from_secs(24 * 3600));
    assert!(error(session.resume(asked).await).public_message().contains("expired"));
    let late = session.decide(&approval(&undecided), Decision::Approve).await.unwrap();
    assert_eq!(late.status, ApprovalStatus::Pending);
    assert_eq!(kind(session.resume(undecided).await), ErrorKind::Denied);

    let unknown = ApprovalId::new("approval-of-nobody").unwrap();
    assert_eq!(kind(session.execute(call(json!({}), &unknown)).await), ErrorKind::NotFound);
    assert_eq!(runs.count(), 0);
}

#[tokio::test]
async fn an_agent_cannot_decide_and_another_tenant_cannot_find_it() {
    let (clock, runs) = (Arc::default(), Runs::default());
    let hub = notes(&clock, &runs);
    hub.grant(grant("*")).await.unwrap();
    let agent = hub.session(bot());
    let asked = required(agent.call("notes.put", "{}").await);
    let id = approval(&asked);
    assert_eq!(agent.decide(&id, Decision::Approve).await.unwrap_err().kind(), ErrorKind::Denied);
    let stranger = hub.session(Principal::user("globex", "ada").unwrap());
    assert_eq!(stranger.decide(&id, Decision::Approve).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(approval(&required(agent.resume(asked).await)), id);
    assert_eq!(runs.count(), 0);
}

#[tokio::test]
async fn a_decision_stands_in_the_trail_or_is_not_made() {
    let (clock, faults) = (Arc::new(ManualClock::new()), Faults::default());
    let hub = approving(audited(&clock, AuditMode::FailClosed))
        .stores(faults.stores(Arc::clone(&clock) as _))
        .connector(Kit::new("calc").tool::<Add>())
        .build()
        .unwrap();
    let session = hub.session(ada());
    let asked = required(session.call("calc.add", r#"{"a":1,"b":1}"#).await);
    let id = approval(&asked);
    hub.audit().records(&acme(), 1, 1).await.unwrap();
    faults.fail("audit.append", usize::MAX);
    assert_eq!(session.decide(&id, Decision::Approve).await.unwrap_err().kind(), ErrorKind::AuditUnavailable);
    let asked = required(session.resume(asked).await);
    faults.mend();
    session.decide(&id, Decision::Approve).await.unwrap();
    session.resume(asked).await.unwrap();
    let trail = trail(&hub).await;
    assert!(trail.contains(&(EntryKind::Approval, Some("ok"))), "{trail:?}");
}

#[tokio::test]
async fn who_decides_second_changes_nothing_and_is_not_in_the_trail() {
    let hub = approving(audited(&Arc::default(), AuditMode::FailClosed))
        .connector(Kit::new("calc").tool::<Add>())
        .build()
        .unwrap();
    let session = hub.session(ada());
    let asked = approved(&session, "calc.add", json!({"a": 1, "b": 1})).await;
    let again = hub.session(bob()).decide(&approval(&asked), Decision::Deny).await.unwrap();
    assert_eq!((again.status, again.decided_by), (ApprovalStatus::Approved, Some(ada().user)));
    let decisions: Vec<_> =
        trail(&hub).await.into_iter().filter(|(kind, _)| *kind == EntryKind::Approval).collect();
    assert_eq!(decisions, [(EntryKind::Approval, Some("ok"))]);
    assert_eq!(number(session.resume(asked).await), 2);
}
