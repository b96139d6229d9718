//! A Hub on either runtime, on none, and its tasks.

use std::sync::Arc;

use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use tool_connect_core::store::Decision;
use tool_connect_core::{ErrorKind, ToolCall};
use tool_connect_hub::audit::AuditMode;
use tool_connect_hub::{Hub, ListRequest, RolePolicy};

use super::support::{Add, Kit, Runs, acme, ada, approval, audited, counting, kind, number, quiet, required};

fn everything_on() -> Hub {
    audited(&Arc::default(), AuditMode::FailClosed)
        .metrics(true)
        .connector(Kit::new("calc").tool::<Add>().dynamic(counting(&Runs::default())))
        .build()
        .unwrap()
}

fn exercise(runtime: &Runtime) {
    let hub = everything_on();
    runtime.block_on(async {
        let session = hub.session(ada());
        assert_eq!(number(session.call("calc.add", r#"{"a":1,"b":2}"#).await), 3);
        assert_eq!(session.run(Add { a: 1, b: 2 }).await.unwrap(), 3);
        let put = ToolCall::new("calc.put", "{}").idempotency_key("k");
        assert_eq!(number(session.execute(put.clone()).await), 1);
        assert_eq!(number(session.execute(put).await), 1);
        hub.shutdown().await.unwrap();
        assert!(hub.audit().verify(&acme(), &[]).await.unwrap().is_intact());
        // A Hub that was shut down still serves, and can be shut down again.
        assert_eq!(number(session.call("calc.add", r#"{"a":1,"b":2}"#).await), 3);
        hub.shutdown().await.unwrap();
    });
}

#[test]
fn it_runs_on_one_thread_and_on_several() {
    exercise(&Builder::new_current_thread().enable_all().build().unwrap());
    exercise(&Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());
}

#[test]
fn it_starts_no_task_until_a_call_needs_one() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let tasks = || runtime.metrics().num_alive_tasks();
    runtime.block_on(async {
        let hub = everything_on();
        let session = hub.session(ada());
        session.tools(&ListRequest::default()).await.unwrap();
        assert_eq!(tasks(), 0);
        session.call("calc.add", r#"{"a":1,"b":2}"#).await.unwrap();
        assert_eq!(tasks(), 1); // The audit trail's.

        let silent = quiet(&Arc::default()).connector(Kit::new("calc").tool::<Add>()).build().unwrap();
        silent.session(ada()).call("calc.add", r#"{"a":1,"b":2}"#).await.unwrap();
        assert_eq!(tasks(), 1);
    });
}

#[test]
fn it_outlives_a_runtime() {
    let hub = everything_on();
    let session = hub.session(ada());
    for n in 1..=3 {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        assert_eq!(number(runtime.block_on(session.call("calc.put", "{}"))), n);
    }
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        hub.shutdown().await.unwrap();
        // Intent and outcome of each.
        assert_eq!(hub.audit().records(&acme(), 1, 100).await.unwrap().len(), 6);
    });
}

#[test]
fn a_plain_thread_calls_through_the_blocking_facade() {
    let runs = Runs::default();
    let hub = quiet(&Arc::default())
        .connector(Kit::new("calc").tool::<Add>().dynamic(counting(&runs)))
        .configure(|s| s.policy = RolePolicy::new().always_approve("calc.put").unwrap())
        .build()
        .unwrap()
        .blocking()
        .unwrap();
    let session = hub.session(ada());
    assert_eq!(number(session.call("calc.add", json!({"a": 1, "b": 2}))), 3);
    assert_eq!(session.run(Add { a: 1, b: 2 }).unwrap(), 3);
    assert_eq!(session.run_with(Add { a: 1, b: 2 }, Default::default()).unwrap(), 3);
    assert_eq!(session.tools(&ListRequest::default()).unwrap().tools.len(), 2);
    assert_eq!(kind(session.call("calc.none", "{}")), ErrorKind::UnknownTool);

    let asked = required(session.execute(ToolCall::new("calc.put", "{}")));
    let id = approval(&asked);
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(session.session().decide(&id, Decision::Approve)).unwrap();
    assert_eq!(number(session.resume(asked)), 1);
    let clone = session.clone();
    let elsewhere = std::thread::spawn(move || clone.run(Add { a: 2, b: 2 }).unwrap());
    assert_eq!(elsewhere.join().unwrap(), 4);
    hub.shutdown().unwrap();
}
