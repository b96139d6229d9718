//! A panic ends its call and nothing else, and what it said is not repeated.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tool_connect_core::{
    Annotations, Budget, Content, DynamicTool, Effect, Error, ErrorKind, Event, Principal, Result, Shape,
    ToolCall, ToolContext, ToolOutput,
};
use tool_connect_hub::audit::{AuditMode, EntryKind};
use tool_connect_hub::{Access, Hub, HubBuilder, Ingress, Next, PerCall, Policy, PolicyRequest, ToolInfo};

use super::faults::Faults;
use super::support::{Add, Events, Kit, ada, audited, definition, error, number, read, trail, write};

const SECRET: &str = "sesame";

struct Panics;

#[async_trait]
impl Ingress for Panics {
    async fn enter(&self, _: &Principal, tool: &ToolInfo, _: &mut ToolCall) -> Result<()> {
        if tool.id().name() == "bad" { panic!("{SECRET}") } else { Ok(()) }
    }
}

#[async_trait]
impl PerCall for Panics {
    async fn call(&self, cx: &ToolContext, next: Next<'_>) -> Result<ToolOutput> {
        if cx.tool().name() == "bad" { panic!("{SECRET}") } else { next.run().await }
    }
}

impl Policy for Panics {
    fn decide<'a>(&'a self, request: &PolicyRequest<'a>) -> Access<'a> {
        if request.tool.name() == "bad" { panic!("{SECRET}") } else { Access::Allow }
    }
}

async fn panicked(builder: HubBuilder, bad: DynamicTool) -> Error {
    let hub: Hub = builder.connector(Kit::new("calc").tool::<Add>().dynamic(bad)).build().unwrap();
    let session = hub.session(ada());
    let panicked = error(session.call("calc.bad", r#"{"secret":"sesame"}"#).await);
    assert_eq!(panicked.kind(), ErrorKind::Panicked);
    for text in [panicked.to_string(), format!("{panicked:?}"), panicked.public_message().into_owned()] {
        assert!(!text.contains(SECRET), "{text}");
    }
    assert_eq!(panicked.public_message(), "The tool failed unexpectedly.");
    // The Hub goes on.
    assert_eq!(number(session.call("calc.add", r#"{"a":1,"b":1}"#).await), 2);
    let trail = trail(&hub).await;
    assert!(trail.contains(&(EntryKind::Outcome, Some("panicked"))), "{trail:?}");
    hub.shutdown().await.unwrap();
    panicked
}

fn plain() -> HubBuilder {
    audited(&Arc::default(), AuditMode::FailClosed)
}

fn fine() -> DynamicTool {
    read("bad", |_, _| async { ToolOutput::of(&0) })
}

#[tokio::test]
async fn in_a_tool_before_and_after_its_first_wait() {
    let at_once = write("bad", |_, _| async { panic!("{SECRET}") });
    assert_eq!(panicked(plain(), at_once).await.effect_on_provider(), Effect::Unknown);
    let later = read("bad", |_, _| async {
        tokio::task::yield_now().await;
        panic!("{SECRET}")
    });
    assert_eq!(panicked(plain(), later).await.effect_on_provider(), Effect::None);
    // Before there is a future at all.
    let making = write("bad", |_, _| -> std::future::Ready<Result<ToolOutput>> { panic!("{SECRET}") });
    panicked(plain(), making).await;
}

#[tokio::test]
async fn in_a_blocking_tool_and_in_the_blocking_part_of_one() {
    let mut blocks = definition("bad", Annotations::default());
    blocks.blocking = true;
    panicked(plain(), DynamicTool::new(blocks, |_, _| async { panic!("{SECRET}") })).await;
    let part = write("bad", |_, cx| async move {
        cx.blocking::<()>(|| panic!("{SECRET}")).await?;
        ToolOutput::of(&0)
    });
    panicked(plain(), part).await;
}

#[tokio::test]
async fn in_a_layer_at_the_entrance_and_in_the_policy_nothing_has_run() {
    let writes = || write("bad", |_, _| async { ToolOutput::of(&0) });
    assert_eq!(panicked(plain().ingress(Panics), writes()).await.effect_on_provider(), Effect::NotExecuted);
    assert_eq!(panicked(plain().policy(Panics), writes()).await.effect_on_provider(), Effect::NotExecuted);
}

#[tokio::test]
async fn in_a_layer_around_the_tool() {
    panicked(plain().per_call(Panics), fine()).await;
}

#[tokio::test]
async fn in_a_sink_of_events_nobody_else_is_disturbed() {
    let events = Events::default();
    let hub = plain()
        .on_event(|_: &Event| panic!("{SECRET}"))
        .on_event(events.sink())
        .connector(Kit::new("calc").tool::<Add>())
        .build()
        .unwrap();
    assert_eq!(number(hub.session(ada()).call("calc.add", r#"{"a":1,"b":1}"#).await), 2);
    assert_eq!(events.outcomes(), ["ok"]);
    assert_eq!(trail(&hub).await, [(EntryKind::Outcome, Some("ok"))]);
}

/// A write of so many numbers, and what comes of it within a hundred tokens.
async fn counted_by(builder: HubBuilder, size: usize) -> (Hub, ToolOutput) {
    let list = write("list", move |_, _| async move { ToolOutput::of(&vec![1_000; size]) });
    let kit = Kit::new("calc").dynamic(list);
    let hub = builder.connector(kit).configure(|settings| settings.max_result_bytes = 8 << 20).build();
    let hub = hub.unwrap();
    let call = ToolCall::new("calc.list", "{}").shape(Shape::new().tokens(100));
    let output = hub.session(ada()).execute(call).await.unwrap().into_output().unwrap();
    assert_eq!(trail(&hub).await.last(), Some(&(EntryKind::Outcome, Some("ok"))));
    (hub, output)
}

#[tokio::test]
async fn in_a_tokenizer_the_tokens_are_estimated() {
    // Counted here, and on a thread for large results.
    for size in [500, 400_000] {
        let asked = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&asked);
        let panics = move |_: &str| -> usize {
            seen.fetch_add(1, Ordering::Relaxed);
            panic!("{SECRET}")
        };
        let (hub, output) = counted_by(plain().tokenizer(panics), size).await;
        let (_, estimated) = counted_by(plain(), size).await;
        assert_eq!(output.to_json().unwrap(), estimated.to_json().unwrap());
        let file =
            output.content.iter().find_map(|c| if let Content::File(file) = c { Some(file) } else { None });
        let handle = &file.expect("the whole is kept").handle;
        // Once for a result.
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        let part = hub.session(ada()).read_result(handle, "#0", Some(Budget::Tokens(100))).await.unwrap();
        assert!(part.next.is_some() && part.body.len() <= 300, "{part:?}");
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }
}

#[tokio::test]
async fn in_a_tokenizer_that_has_counted_before() {
    let left = AtomicUsize::new(1);
    let later = move |text: &str| match left.fetch_sub(1, Ordering::Relaxed) {
        0 => panic!("{SECRET}"),
        _ => text.len(),
    };
    let (_, output) = counted_by(plain().tokenizer(later), 500).await;
    let size = output.to_json().unwrap().len();
    assert!((50..=300).contains(&size), "{size}");
}

#[tokio::test]
async fn in_the_store_of_results_the_call_ends_and_is_written() {
    let (clock, faults) = (Arc::default(), Faults::default());
    let list = read("list", |_, _| async { ToolOutput::of(&vec![1_000; 500]) });
    let hub = audited(&clock, AuditMode::FailClosed)
        .stores(faults.stores(Arc::clone(&clock) as _))
        .connector(Kit::new("calc").dynamic(list))
        .build()
        .unwrap();
    faults.panic("results.put");
    let call = ToolCall::new("calc.list", "{}").shape(Shape::new().tokens(100));
    let panicked = error(hub.session(ada()).execute(call).await);
    assert_eq!((panicked.kind(), panicked.effect_on_provider()), (ErrorKind::Panicked, Effect::None));
    assert!(!format!("{panicked:?}").contains("on fire"));
    assert_eq!(trail(&hub).await, [(EntryKind::Outcome, Some("panicked"))]);
}
