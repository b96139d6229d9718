//! A call with a key runs once, and its repetition gets the same result.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::Semaphore;
use tool_connect_core::{
    Body, Content, Effect, Error, ErrorKind, Principal, Provenance, Rate, Retry, Served, ToolCall, ToolOutput,
};
use tool_connect_testkit::ManualClock;

use super::support::{
    Add, Kit, Runs, ada, bob, counting, counting_read, error, hub_of, kind, number, quiet, read, value, write,
};

fn put(key: &str) -> ToolCall {
    ToolCall::new("notes.put", "{}").idempotency_key(key)
}

#[tokio::test]
async fn a_repetition_while_the_first_runs_is_told_to_wait_and_then_gets_its_result() {
    let (gate, runs) = (Arc::new(Semaphore::new(0)), Runs::default());
    let (held, seen) = (Arc::clone(&gate), runs.clone());
    let tool = write("put", move |_, _| {
        let (gate, run) = (Arc::clone(&held), seen.add());
        async move {
            gate.acquire().await.unwrap().forget();
            ToolOutput::of(&run)
        }
    });
    let hub = hub_of(Kit::new("notes").dynamic(tool));
    let session = hub.session(ada());
    let first = tokio::spawn({
        let session = session.clone();
        async move { session.execute(put("k")).await }
    });
    while runs.count() == 0 {
        tokio::task::yield_now().await;
    }
    let told = error(session.execute(put("k")).await);
    assert_eq!((told.kind(), told.effect_on_provider()), (ErrorKind::Idempotency, Effect::NotExecuted));
    assert_eq!(told.retry_advice(), Retry::After(Duration::from_secs(1)));
    gate.add_permits(1);
    assert_eq!(number(first.await.unwrap()), 1);
    assert_eq!(number(session.execute(put("k")).await), 1);
    assert_eq!(runs.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_run_once() {
    let runs = Runs::default();
    let hub = hub_of(Kit::new("notes").dynamic(counting(&runs)));
    let session = hub.session(ada());
    for round in 1..=20_u64 {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let session = session.clone();
                tokio::spawn(async move {
                    loop {
                        match session.execute(put(&format!("k{round}"))).await {
                            Err(error) if error.kind() == ErrorKind::Idempotency => {
                                tokio::task::yield_now().await
                            }
                            other => return number(other),
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), round);
        }
    }
    assert_eq!(runs.count(), 20);
}

#[tokio::test]
async fn a_key_is_bound_to_its_arguments() {
    let runs = Runs::default();
    let hub = hub_of(Kit::new("notes").dynamic(counting(&runs)));
    let session = hub.session(ada());
    session.execute(put("k")).await.unwrap();
    let other = ToolCall::new("notes.put", json!({"n": 2})).idempotency_key("k");
    let refused = error(session.execute(other).await);
    assert_eq!((refused.kind(), refused.effect_on_provider()), (ErrorKind::Idempotency, Effect::NotExecuted));
    assert!(refused.public_message().contains("other arguments"));
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn a_replay_is_the_same_result_whole() {
    let tool = write("put", |arguments, _| async move {
        if arguments.get("empty").is_some() {
            return Ok(ToolOutput::text("only text"));
        }
        Ok(ToolOutput::of(&json!({"id": 7}))?
            .with(Content::Text { text: "made it".into() })
            .provenance(Provenance::Trusted))
    });
    let hub = hub_of(Kit::new("notes").dynamic(tool));
    let session = hub.session(ada());
    for (key, arguments) in [("a", json!({})), ("b", json!({"empty": true}))] {
        let call = ToolCall::new("notes.put", arguments).idempotency_key(key);
        let first = session.execute(call.clone()).await.unwrap().into_output().unwrap();
        let again = session.execute(call).await.unwrap().into_output().unwrap();
        assert_eq!((first.served, again.served), (Served::Fresh, Served::Replay));
        assert_eq!(first.to_json().unwrap(), again.to_json().unwrap());
        assert_eq!(matches!(first.body, Body::Empty), matches!(again.body, Body::Empty));
        assert_eq!(first.content, again.content);
        assert_eq!(first.provenance, again.provenance);
    }
}

#[tokio::test]
async fn a_replay_serves_typed_callers_and_callers_by_name_alike() {
    let hub = hub_of(Kit::new("calc").tool::<Add>());
    let session = hub.session(ada());
    let mut options = tool_connect_core::CallOptions::default();
    options.idempotency_key = Some("k".into());
    assert_eq!(session.run_with(Add { a: 1, b: 2 }, options.clone()).await.unwrap(), 3);
    assert_eq!(session.run_with(Add { a: 1, b: 2 }, options).await.unwrap(), 3);
    let by_name = ToolCall::new("calc.add", r#"{"a":1,"b":2}"#).idempotency_key("k");
    let output = session.execute(by_name).await.unwrap().into_output().unwrap();
    assert_eq!((output.served, output.parse::<i64>().unwrap()), (Served::Replay, 3));
}

#[tokio::test]
async fn a_key_is_forgotten_after_its_time() {
    let (clock, runs) = (Arc::new(ManualClock::new()), Runs::default());
    let hub = quiet(&clock)
        .connector(Kit::new("notes").dynamic(counting(&runs)))
        .configure(|s| s.idempotency_keep = Duration::from_secs(3600))
        .build()
        .unwrap();
    let session = hub.session(ada());
    assert_eq!(number(session.execute(put("k")).await), 1);
    clock.advance(Duration::from_secs(3599));
    assert_eq!(number(session.execute(put("k")).await), 1);
    clock.advance(Duration::from_secs(1));
    assert_eq!(number(session.execute(put("k")).await), 2);
}

#[tokio::test]
async fn what_was_refused_before_the_tool_gives_the_key_back() {
    let (clock, runs) = (Arc::new(ManualClock::new()), Runs::default());
    let hub = quiet(&clock)
        .connector(Kit::new("notes").dynamic(counting(&runs)))
        .configure(|s| s.limits.user = Some(Rate::per_minute(1)))
        .build()
        .unwrap();
    let session = hub.session(ada());
    session.execute(put("a")).await.unwrap();
    for _ in 0..2 {
        assert_eq!(kind(session.execute(put("b")).await), ErrorKind::RateLimited);
    }
    clock.advance(Duration::from_secs(60));
    assert_eq!(number(session.execute(put("b")).await), 2);
}

#[tokio::test]
async fn a_write_that_failed_with_an_unknown_end_is_indeterminate() {
    let runs = Runs::default();
    let seen = runs.clone();
    let tool = write("put", move |_, _| {
        seen.add();
        async { Err(Error::new(ErrorKind::Transport, "the connection broke")) }
    });
    let hub = hub_of(Kit::new("notes").dynamic(tool));
    let session = hub.session(ada());
    assert_eq!(kind(session.execute(put("k")).await), ErrorKind::Transport);
    let refused = error(session.execute(put("k")).await);
    assert_eq!((refused.kind(), refused.effect_on_provider()), (ErrorKind::Idempotency, Effect::Unknown));
    assert!(refused.public_message().contains("its end is not known"));
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn a_failure_that_proves_that_nothing_ran_and_a_failed_read_give_the_key_back() {
    let runs = Runs::default();
    let (a, b) = (runs.clone(), runs.clone());
    let put_tool = write("put", move |_, _| {
        let run = a.add();
        async move {
            match run {
                1 => Err(Error::new(ErrorKind::Provider, "no").effect(Effect::NotExecuted)),
                2 => Err(Error::invalid_argument("/n", "must be even")),
                run => ToolOutput::of(&run),
            }
        }
    });
    let get_tool = read("get", move |_, _| {
        let run = b.add();
        async move { if run == 4 { Err(Error::new(ErrorKind::Transport, "broke")) } else { ToolOutput::of(&run) } }
    });
    let hub = hub_of(Kit::new("notes").dynamic(put_tool).dynamic(get_tool));
    let session = hub.session(ada());
    assert_eq!(kind(session.execute(put("k")).await), ErrorKind::Provider);
    assert_eq!(kind(session.execute(put("k")).await), ErrorKind::InvalidArguments);
    assert_eq!(number(session.execute(put("k")).await), 3);
    let get = || ToolCall::new("notes.get", "{}").idempotency_key("k");
    let failed = error(session.execute(get()).await);
    assert_eq!((failed.kind(), failed.effect_on_provider()), (ErrorKind::Transport, Effect::None));
    assert_eq!(number(session.execute(get()).await), 5);
}

#[tokio::test]
async fn a_panic_leaves_it_indeterminate() {
    let tool = write("put", |_, _| async { panic!("half way") });
    let hub = hub_of(Kit::new("notes").dynamic(tool));
    let session = hub.session(ada());
    assert_eq!(kind(session.execute(put("k")).await), ErrorKind::Panicked);
    hub.shutdown().await.unwrap();
    let refused = error(session.execute(put("k")).await);
    assert_eq!((refused.kind(), refused.effect_on_provider()), (ErrorKind::Idempotency, Effect::Unknown));
}

#[tokio::test]
async fn keys_of_other_users_tenants_and_tools_never_meet() {
    let runs = Runs::default();
    let hub = hub_of(Kit::new("notes").dynamic(counting(&runs)).dynamic(counting_read(&runs)));
    let stranger = Principal::user("globex", "ada").unwrap();
    for (n, principal) in [ada(), bob(), stranger].into_iter().enumerate() {
        let session = hub.session(principal);
        assert_eq!(number(session.execute(put("k")).await), u64::try_from(n).unwrap() + 1);
    }
    let get = ToolCall::new("notes.get", "{}").idempotency_key("k");
    assert_eq!(number(hub.session(ada()).execute(get).await), 4);
    assert_eq!(number(hub.session(ada()).execute(put("k")).await), 1);
}

#[tokio::test]
async fn a_tool_has_one_set_of_keys_under_all_its_names() {
    let hub = hub_of(Kit::new("calc").tool::<Add>());
    let session = hub.session(ada());
    let call = |name: &'static str| ToolCall::new(name, r#"{"a":1,"b":1}"#).idempotency_key("k");
    assert_eq!(value(session.execute(call("calc.add")).await), json!(2));
    for name in ["calc__add", "calc.plus", "calc__plus", "add", "plus"] {
        let output = session.execute(call(name)).await.unwrap().into_output().unwrap();
        assert_eq!(output.served, Served::Replay, "{name}");
    }
}

#[tokio::test]
async fn a_key_that_is_empty_or_too_long_is_refused() {
    let runs = Runs::default();
    let hub = hub_of(Kit::new("notes").dynamic(counting(&runs)));
    let session = hub.session(ada());
    for key in ["", &"k".repeat(256)] {
        assert_eq!(kind(session.execute(put(key)).await), ErrorKind::Idempotency);
    }
    assert_eq!(number(session.execute(put(&"k".repeat(255))).await), 1);
}
