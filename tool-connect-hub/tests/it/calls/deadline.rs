//! A caller hears in time, whatever the tool does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;
use tool_connect_core::store::Decision;
use tool_connect_core::{
    Annotations, ConnectorLimits, ConnectorManifest, DynamicTool, Effect, ErrorKind, Retry, ToolCall,
    ToolContext, ToolOutput,
};
use tool_connect_hub::RolePolicy;
use tool_connect_testkit::ManualClock;

use super::support::{
    Kit, ada, approval, definition, error, hub_of, kind, number, quiet, read, required, value, write,
};

#[tokio::test(start_paused = true)]
async fn a_tool_that_never_returns_is_left_at_the_end_of_its_time() {
    let kit = Kit::new("slow")
        .dynamic(read("get", |_, _| std::future::pending()))
        .dynamic(write("put", |_, _| std::future::pending()));
    let hub = quiet(&Arc::default())
        .connector(kit)
        .configure(|s| s.default_timeout = Some(Duration::from_secs(7)))
        .build()
        .unwrap();
    for (tool, effect) in [("slow.get", Effect::None), ("slow.put", Effect::Unknown)] {
        let began = Instant::now();
        let late = error(hub.session(ada()).call(tool, "{}").await);
        assert_eq!((late.kind(), late.effect_on_provider()), (ErrorKind::DeadlineExceeded, effect));
        assert_eq!(late.retry_advice(), Retry::Backoff);
        assert_eq!(began.elapsed().as_secs(), 7);
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_may_give_less_time_and_not_more() {
    let mut short = definition("get", Annotations::READ);
    short.timeout = Some(Duration::from_secs(10));
    let hub = hub_of(Kit::new("slow").dynamic(DynamicTool::new(short, |_, _| std::future::pending())));
    for (asked, given) in [(3, 3), (60, 10)] {
        let began = Instant::now();
        let call = ToolCall::new("slow.get", "{}").timeout(Duration::from_secs(asked));
        assert_eq!(kind(hub.session(ada()).execute(call).await), ErrorKind::DeadlineExceeded);
        assert_eq!(began.elapsed().as_secs(), given);
    }
}

#[tokio::test]
async fn a_tool_is_told_how_much_time_is_left_since_it_began() {
    let clock = Arc::new(ManualClock::new());
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let tool = read("get", move |_, cx| {
        let gate = Arc::clone(&held);
        async move {
            gate.acquire().await.unwrap().forget();
            ToolOutput::of(&(cx.remaining().map(|d| d.as_secs()), cx.is_canceled()))
        }
    });
    let hub = quiet(&clock)
        .connector(Kit::new("slow").dynamic(tool))
        .configure(|s| s.default_timeout = Some(Duration::from_secs(60)))
        .build()
        .unwrap();
    for (passed, left, over) in [(40, 20, false), (70, 0, true)] {
        let session = hub.session(ada());
        let task = tokio::spawn(async move { session.call("slow.get", "{}").await });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(passed));
        gate.add_permits(1);
        assert_eq!(value(task.await.unwrap()), serde_json::json!([left, over]));
    }
}

#[tokio::test]
async fn without_a_time_out_nothing_ends() {
    let hub = quiet(&Arc::default())
        .connector(Kit::new("slow").dynamic(read("get", |_, cx| async move {
            ToolOutput::of(&(cx.remaining().is_none() && !cx.is_canceled()))
        })))
        .configure(|s| s.default_timeout = None)
        .build()
        .unwrap();
    assert_eq!(value(hub.session(ada()).call("slow.get", "{}").await), true);
}

#[tokio::test]
async fn more_time_than_there_is_is_no_harm() {
    let hub = quiet(&Arc::default())
        .connector(Kit::new("slow").dynamic(write("put", |_, cx| async move {
            tokio::task::yield_now().await;
            ToolOutput::of(&cx.is_canceled())
        })))
        .configure(|s| {
            s.default_timeout = None;
            s.policy = RolePolicy::new().always_approve("*").unwrap();
        })
        .build()
        .unwrap();
    let session = hub.session(ada());
    let call = ToolCall::new("slow.put", "{}").timeout(Duration::MAX).idempotency_key("k");
    let asked = required(session.execute(call).await);
    session.decide(&approval(&asked), Decision::Approve).await.unwrap();
    assert_eq!(value(session.resume(asked).await), false);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_place_counts_and_proves_that_nothing_ran() {
    let manifest = ConnectorManifest::new("slow", semver::Version::new(1, 0, 0), "Slow")
        .limits(ConnectorLimits::default().concurrency(1));
    let hub = quiet(&Arc::default())
        .connector(Kit::of(manifest).dynamic(write("put", |_, _| std::future::pending())))
        .configure(|s| {
            s.default_timeout = Some(Duration::from_secs(2));
            s.concurrency_wait = Duration::from_secs(600);
        })
        .build()
        .unwrap();
    let session = hub.session(ada());
    let call = |seconds| ToolCall::new("slow.put", "{}").timeout(Duration::from_secs(seconds));
    let (ran, waited) = tokio::join!(session.execute(call(2)), session.execute(call(1)));
    let (ran, waited) = (error(ran), error(waited));
    assert_eq!((ran.kind(), ran.effect_on_provider()), (ErrorKind::DeadlineExceeded, Effect::Unknown));
    assert_eq!(
        (waited.kind(), waited.effect_on_provider()),
        (ErrorKind::DeadlineExceeded, Effect::NotExecuted)
    );
}

/// So long a thread spins at most where nobody tells it to stop.
const PATIENCE: Duration = Duration::from_secs(5);

/// Blocks its thread until the call is given up.
fn spin<S>(cx: &ToolContext<S>) -> bool {
    let began = std::time::Instant::now();
    while !cx.is_canceled() && began.elapsed() < PATIENCE {
        std::thread::yield_now();
    }
    cx.is_canceled()
}

/// Spins until the call is given up; says whether it was.
fn spinning(told: mpsc::Sender<bool>) -> DynamicTool {
    let mut blocks = definition("spin", Annotations::READ);
    blocks.blocking = true;
    DynamicTool::new(blocks, move |_, cx| {
        let told = told.clone();
        async move {
            told.send(spin(&cx)).unwrap();
            ToolOutput::of(&0)
        }
    })
}

// Threads that spin do not know of paused time: the next four take their time-out of real time.

#[tokio::test]
async fn a_blocking_tool_that_never_yields_does_not_hold_its_caller_and_is_told_to_stop() {
    let (told, stopped) = mpsc::channel();
    // Its clock stands still, so only the cancellation can stop it.
    let hub = hub_of(Kit::new("busy").dynamic(spinning(told)));
    let call = ToolCall::new("busy.spin", "{}").timeout(Duration::from_millis(30));
    let late = error(hub.session(ada()).execute(call).await);
    assert_eq!((late.kind(), late.effect_on_provider()), (ErrorKind::DeadlineExceeded, Effect::None));
    assert!(stopped.recv_timeout(2 * PATIENCE).unwrap());
}

#[tokio::test]
async fn a_blocking_tool_whose_caller_goes_away_is_told_to_stop() {
    let (told, stopped) = mpsc::channel();
    let hub = hub_of(Kit::new("busy").dynamic(spinning(told)));
    let session = hub.session(ada());
    let gone = tokio::time::timeout(Duration::from_millis(30), session.call("busy.spin", "{}")).await;
    assert!(gone.is_err());
    assert!(stopped.recv_timeout(2 * PATIENCE).unwrap());
}

#[tokio::test]
async fn a_blocking_tool_keeps_its_place_until_its_thread_is_free() {
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(std::sync::Mutex::new(released));
    let mut blocks = definition("stay", Annotations::READ);
    blocks.blocking = true;
    let tool = DynamicTool::new(blocks, move |_, _| {
        let released = Arc::clone(&released);
        async move {
            // Deaf to its cancellation.
            released.lock().unwrap().recv().unwrap();
            ToolOutput::of(&1)
        }
    });
    let manifest = ConnectorManifest::new("busy", semver::Version::new(1, 0, 0), "Busy")
        .limits(ConnectorLimits::default().concurrency(1));
    let hub = quiet(&Arc::default())
        .connector(Kit::of(manifest).dynamic(tool))
        .configure(|s| s.concurrency_wait = Duration::from_millis(30))
        .build()
        .unwrap();
    let session = hub.session(ada());
    let call = || ToolCall::new("busy.stay", "{}").timeout(Duration::from_millis(30));
    assert_eq!(kind(session.execute(call()).await), ErrorKind::DeadlineExceeded);
    let patient = || ToolCall::new("busy.stay", "{}").timeout(Duration::from_secs(10));
    assert_eq!(kind(session.execute(patient()).await), ErrorKind::Overloaded);
    release.send(()).unwrap();
    release.send(()).unwrap();
    let ended = loop {
        match session.execute(patient()).await {
            Err(error) if error.kind() == ErrorKind::Overloaded => {}
            other => break other,
        }
    };
    assert_eq!(number(ended), 1);
}

#[tokio::test]
async fn the_blocking_part_of_a_tool_is_told_to_stop() {
    let (told, stopped) = mpsc::channel();
    let tool = read("get", move |_, cx| {
        let (told, inner) = (told.clone(), cx.clone());
        async move {
            cx.blocking(move || {
                told.send(spin(&inner)).unwrap();
                Ok(())
            })
            .await?;
            ToolOutput::of(&0)
        }
    });
    let hub = hub_of(Kit::new("busy").dynamic(tool));
    let call = ToolCall::new("busy.get", "{}").timeout(Duration::from_millis(30));
    assert_eq!(kind(hub.session(ada()).execute(call).await), ErrorKind::DeadlineExceeded);
    assert!(stopped.recv_timeout(2 * PATIENCE).unwrap());
}

#[tokio::test]
async fn a_blocking_tool_may_block_and_still_await() {
    let mut blocks = definition("get", Annotations::READ);
    blocks.blocking = true;
    let on_another_thread = Arc::new(AtomicBool::new(false));
    let (seen, caller) = (Arc::clone(&on_another_thread), std::thread::current().id());
    let tool = DynamicTool::new(blocks, move |arguments, _| {
        seen.store(std::thread::current().id() != caller, Ordering::SeqCst);
        async move {
            tokio::task::yield_now().await;
            ToolOutput::of(&arguments["n"])
        }
    });
    let hub = hub_of(Kit::new("busy").dynamic(tool));
    assert_eq!(number(hub.session(ada()).call("busy.get", r#"{"n":5}"#).await), 5);
    assert!(on_another_thread.load(Ordering::SeqCst));
}
