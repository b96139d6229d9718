//! Results that are too large for their caller stay in the store, under a handle.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tool_connect_core::{Body, Content, Effect, ErrorKind, FileRef, Principal, Served, ToolCall, ToolOutput};
use tool_connect_hub::Hub;
use tool_connect_testkit::ManualClock;

use super::faults::Faults;
use super::support::{Kit, Runs, ada, bob, error, kind, quiet, read, write};

struct House {
    clock: Arc<ManualClock>,
    faults: Faults,
    runs: Runs,
    hub: Hub,
}

/// Results of at most 100 bytes; `big.put` makes one of `{"n": n}` bytes.
fn house() -> House {
    let (clock, faults, runs) = (Arc::new(ManualClock::new()), Faults::default(), Runs::default());
    let seen = runs.clone();
    let tool = write("put", move |arguments, _| {
        seen.add();
        async move {
            let size = usize::try_from(arguments["n"].as_u64().unwrap()).unwrap();
            ToolOutput::of(&"x".repeat(size - 2))
        }
    });
    let hub = quiet(&clock)
        .stores(faults.stores(Arc::clone(&clock) as _))
        .connector(Kit::new("big").dynamic(tool))
        .configure(|s| {
            s.max_result_bytes = 100;
            s.result_keep = Duration::from_secs(60);
        })
        .build()
        .unwrap();
    House { clock, faults, runs, hub }
}

fn file(output: &ToolOutput) -> FileRef {
    let mut files =
        output.content.iter().filter_map(|c| if let Content::File(file) = c { Some(file) } else { None });
    files.next_back().unwrap().clone()
}

#[tokio::test]
async fn what_fits_is_given_out_and_what_does_not_is_kept_for_its_user_alone() {
    let House { clock, hub, .. } = house();
    let session = hub.session(ada());
    let fits = session.call("big.put", json!({"n": 100})).await.unwrap().into_output().unwrap();
    assert_eq!(fits.to_json().unwrap().len(), 100);

    let output = session.call("big.put", json!({"n": 101})).await.unwrap().into_output().unwrap();
    assert!(matches!(output.body, Body::Empty));
    let Content::Text { text } = &output.content[0] else { panic!("{output:?}") };
    assert!(text.contains("101 bytes"), "{text}");
    let file = file(&output);
    assert_eq!((file.size, file.media_type.as_str()), (101, "application/json"));
    let whole = session.read_file(&file.handle, 0..file.size).await.unwrap().unwrap();
    assert_eq!(whole, Bytes::from(format!("\"{}\"", "x".repeat(99))));
    assert_eq!(session.read_file(&file.handle, 0..3).await.unwrap().unwrap(), "\"xx");
    assert_eq!(session.file(&file.handle).await.unwrap().unwrap().size, 101);

    for other in [bob(), Principal::user("globex", "ada").unwrap()] {
        let other = hub.session(other);
        assert!(other.read_file(&file.handle, 0..9).await.unwrap().is_none());
        assert!(other.file(&file.handle).await.unwrap().is_none());
    }
    clock.advance(Duration::from_secs(60));
    assert!(session.file(&file.handle).await.unwrap().is_none());
}

#[tokio::test]
async fn a_replay_names_the_same_handle() {
    let House { runs, hub, .. } = house();
    let session = hub.session(ada());
    let call = ToolCall::new("big.put", json!({"n": 500})).idempotency_key("k");
    let first = session.execute(call.clone()).await.unwrap().into_output().unwrap();
    let again = session.execute(call).await.unwrap().into_output().unwrap();
    assert_eq!(again.served, Served::Replay);
    assert_eq!((first.content, runs.count()), (again.content, 1));
}

#[tokio::test]
async fn a_store_that_cannot_take_it_says_so_and_that_the_tool_has_run() {
    let House { faults, runs, hub, .. } = house();
    let session = hub.session(ada());
    faults.fail("results.put", 1);
    let call = ToolCall::new("big.put", json!({"n": 500})).idempotency_key("k");
    let failed = error(session.execute(call.clone()).await);
    assert_eq!((failed.kind(), failed.effect_on_provider()), (ErrorKind::Storage, Effect::Unknown));
    assert_eq!(kind(session.execute(call).await), ErrorKind::Idempotency);
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn a_read_whose_result_was_lost_can_be_made_again_under_its_key() {
    let faults = Faults::default();
    let large = read("get", |_, _| async { ToolOutput::of(&"x".repeat(500)) });
    let hub = quiet(&Arc::default())
        .stores(faults.stores(Arc::new(ManualClock::new())))
        .connector(Kit::new("big").dynamic(large))
        .configure(|s| s.max_result_bytes = 100)
        .build()
        .unwrap();
    let session = hub.session(ada());
    faults.fail("results.put", 1);
    let call = ToolCall::new("big.get", "{}").idempotency_key("k");
    let failed = error(session.execute(call.clone()).await);
    assert_eq!((failed.kind(), failed.effect_on_provider()), (ErrorKind::Storage, Effect::None));
    let output = session.execute(call).await.unwrap().into_output().unwrap();
    assert_eq!((output.served, file(&output).size), (Served::Fresh, 502));
}
