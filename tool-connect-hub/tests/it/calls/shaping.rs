//! Results in the size and shape that a caller by name asks for.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tool_connect_core::store::NewResult;
use tool_connect_core::{
    Annotations, Body, Budget, Content, DynamicTool, Effect, ErrorKind, FileRef, Principal, Result, Served,
    Shape, ToolCall, ToolContext, ToolOutput,
};
use tool_connect_hub::{Hub, Ingress, ToolInfo};
use tool_connect_testkit::ManualClock;

use super::faults::Faults;
use super::support::{
    Add, Kit, Runs, ada, bob, bot, definition, error, grant, hub_of, quiet, read, value, write,
};

fn issues() -> Value {
    let issue = |n: u32| json!({"id": n, "title": format!("Issue {n}"), "body": "text ".repeat(100)});
    json!({"items": (0..100).map(issue).collect::<Vec<_>>(), "total": 100})
}

struct House {
    clock: Arc<ManualClock>,
    faults: Faults,
    runs: Runs,
    hub: Hub,
}

fn house() -> House {
    let (clock, faults, runs) = (Arc::new(ManualClock::new()), Faults::default(), Runs::default());
    let seen = runs.clone();
    let list = read("list", |_, _| async { ToolOutput::of(&issues()) });
    let cached = definition("cached", Annotations::READ).cache(Duration::from_secs(600));
    let cached = DynamicTool::new(cached, |_, _| async { ToolOutput::of(&issues()) });
    let put = write("put", move |_, _| {
        seen.add();
        async { ToolOutput::of(&issues()) }
    });
    let huge = read("huge", |_, _| async { ToolOutput::of(&vec![issues(); 30]) });
    let page = read("page", |_, _| async { Ok(ToolOutput::text("añ€😀".repeat(1000))) });
    let kit = [list, cached, put, huge, page].into_iter().fold(Kit::new("t"), Kit::dynamic).tool::<Add>();
    let hub = quiet(&clock)
        .stores(faults.stores(Arc::clone(&clock) as _))
        .connector(kit)
        .configure(|s| s.result_keep = Duration::from_secs(60))
        .build()
        .unwrap();
    House { clock, faults, runs, hub }
}

async fn shaped(hub: &Hub, who: Principal, tool: &'static str, shape: Shape) -> ToolOutput {
    hub.session(who).execute(ToolCall::new(tool, "{}").shape(shape)).await.unwrap().into_output().unwrap()
}

fn file(output: &ToolOutput) -> Option<&FileRef> {
    output.content.iter().find_map(|c| if let Content::File(file) = c { Some(file) } else { None })
}

fn said(output: &ToolOutput) -> String {
    let text = |c: &Content| if let Content::Text { text } = c { Some(text.clone()) } else { None };
    output.content.iter().filter_map(text).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_budget_cuts_says_so_and_names_the_way_to_the_rest() {
    let House { clock, hub, .. } = house();
    let output = shaped(&hub, ada(), "t.list", Shape::new().bytes(2_000)).await;
    let text = output.to_json().unwrap();
    assert!(text.len() <= 2_000);
    let cut: Value = output.parse().unwrap();
    let items = cut["items"].as_array().unwrap();
    let mark = items.last().unwrap().as_str().unwrap();
    let from = mark.rsplit_once("read on from ").unwrap().1;
    assert!(mark.starts_with("… ") && from == format!("/items#{}", items.len() - 1), "{mark}");
    let handle = &file(&output).unwrap().handle;
    let said = said(&output);
    assert!(said.contains("read_result") && said.contains(handle.as_str()), "{said}");

    let session = hub.session(ada());
    let (mut from, mut ids) = (Some(from.to_owned()), items.len() as u64 - 1);
    while let Some(position) = from {
        let part = session.read_result(handle, &position, Some(Budget::Bytes(8_000))).await.unwrap();
        assert!(part.body.len() <= 8_000);
        for item in serde_json::from_slice::<Vec<Value>>(&part.body).unwrap().iter().filter(|i| i.is_object())
        {
            assert_eq!(item["id"], ids);
            ids += 1;
        }
        from = part.next;
    }
    assert_eq!(ids, 100);

    for other in [bob(), Principal::user("globex", "ada").unwrap()] {
        let error = hub.session(other).read_result(handle, "#0", None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
    clock.advance(Duration::from_secs(60));
    let error = session.read_result(handle, "#0", None).await.unwrap_err();
    assert_eq!((error.kind(), error.public_message().contains("expired")), (ErrorKind::NotFound, true));
}

#[tokio::test]
async fn what_fits_is_left_alone_and_keeps_nothing() {
    let House { faults, hub, .. } = house();
    faults.fail("results.put", 1);
    let output = shaped(&hub, ada(), "t.list", Shape::new().bytes(1 << 20)).await;
    assert_eq!((output.parse::<Value>().unwrap(), output.content.len()), (issues(), 0));
}

#[tokio::test]
async fn fields_are_chosen_before_the_budget_counts() {
    let House { hub, .. } = house();
    let shape = Shape::new().bytes(8_000).fields(["items.id", "items.title", "items.nothing"]);
    let output = shaped(&hub, ada(), "t.list", shape).await;
    let chosen: Value = output.parse().unwrap();
    assert_eq!(chosen["items"].as_array().unwrap().len(), 100);
    assert_eq!(chosen["items"][7], json!({"id": 7, "title": "Issue 7"}));
    assert_eq!((chosen.get("total"), file(&output)), (None, None));
    assert_eq!(said(&output), "Not in the result: `items.nothing`.");
    // What is kept to be read on is the chosen part.
    let output = shaped(&hub, ada(), "t.list", Shape::new().bytes(500).fields(["items.id"])).await;
    let part =
        hub.session(ada()).read_result(&file(&output).unwrap().handle, "/items/99#0", None).await.unwrap();
    assert_eq!(part.body, r#"{"id":99}"#);
}

#[tokio::test]
async fn a_shape_that_cannot_be_made_is_refused_before_the_tool_runs() {
    let House { runs, hub, .. } = house();
    let session = hub.session(ada());
    let call = ToolCall::new("t.put", "{}").shape(Shape::new().fields(["a..b"]));
    let refused = error(session.execute(call).await);
    assert_eq!(
        (refused.kind(), refused.effect_on_provider()),
        (ErrorKind::InvalidArguments, Effect::NotExecuted)
    );
    assert_eq!(refused.problems()[0].pointer, "/shape/projection/fields/0");
    assert_eq!(runs.count(), 0);
}

#[tokio::test]
async fn what_is_kept_for_later_callers_is_whole() {
    let House { runs, hub, .. } = house();
    for (tool, served) in [("t.put", Served::Replay), ("t.cached", Served::Cache)] {
        let call = |shape| {
            let call = ToolCall::new(tool, "{}").shape(shape);
            if tool == "t.put" { call.idempotency_key("k") } else { call }
        };
        let session = hub.session(ada());
        let first = session.execute(call(Shape::new().bytes(300))).await.unwrap().into_output().unwrap();
        assert!(first.to_json().unwrap().len() <= 300);
        let second = session.execute(call(Shape::new().bytes(3_000))).await.unwrap().into_output().unwrap();
        let size = second.to_json().unwrap().len();
        assert!((2_000..=3_000).contains(&size), "{size}");
        let third = session.execute(call(Shape::new())).await.unwrap().into_output().unwrap();
        assert_eq!((third.served, third.parse::<Value>().unwrap()), (served, issues()));
    }
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn the_first_that_says_so_decides() {
    let clock = Arc::new(ManualClock::new());
    let kit =
        || Kit::new("t").dynamic(read("list", |_, _| async { ToolOutput::of(&issues()) })).tool::<Add>();
    let hub = quiet(&clock)
        .connector(kit())
        .tokenizer(|text: &str| text.len())
        .configure(|s| s.shape.budget = Some(Budget::Tokens(900)))
        .build()
        .unwrap();
    let size = async |session: &tool_connect_hub::Session, shape: Option<Shape>| {
        let mut call = ToolCall::new("t.list", "{}");
        call.options.shape = shape.map(Arc::new);
        session.execute(call).await.unwrap().into_output().unwrap().to_json().unwrap().len()
    };
    let plain = hub.session(ada());
    let own = plain.shaped(Shape::new().bytes(500).fields(["items.title"]));
    // The tokenizer counts bytes, so that a budget in tokens is one in bytes.
    assert!((700..=900).contains(&size(&plain, None).await));
    assert!((300..=500).contains(&size(&own, None).await));
    assert!((1_500..=2_000).contains(&size(&own, Some(Shape::new().bytes(2_000))).await));
    assert_eq!(value(plain.call("t.add", r#"{"a":1,"b":2}"#).await), 3);
    // A typed caller gets its value, however small the budget.
    let tiny = plain.shaped(Shape::new().bytes(0).fields(["x"]));
    assert_eq!(tiny.run(Add { a: 1, b: 2 }).await.unwrap(), 3);
}

#[tokio::test]
async fn what_went_to_the_store_for_its_size_is_cut_under_the_same_handle() {
    let House { hub, .. } = house();
    let whole = hub.session(ada()).call("t.huge", "{}").await.unwrap().into_output().unwrap();
    assert!(matches!(whole.body, Body::Empty) && said(&whole).contains("read_result"));
    let output = shaped(&hub, ada(), "t.huge", Shape::new().bytes(4_000)).await;
    assert!((2_000..=4_000).contains(&output.to_json().unwrap().len()));
    let files = output.content.iter().filter(|c| matches!(c, Content::File(_))).count();
    assert_eq!((files, file(&output).unwrap().size), (1, file(&whole).unwrap().size));
    let chosen = shaped(&hub, ada(), "t.huge", Shape::new().bytes(4_000).fields(["total"])).await;
    assert_eq!((chosen.parse::<Value>().unwrap()[29].clone(), file(&chosen)), (json!({"total": 100}), None));
}

#[tokio::test]
async fn text_is_cut_between_characters_and_read_on() {
    let House { hub, .. } = house();
    let output = shaped(&hub, ada(), "t.page", Shape::new().bytes(1_000)).await;
    let Content::Text { text } = &output.content[0] else { panic!("{output:?}") };
    let (shown, mark) = text.split_once('…').unwrap();
    let from = mark.rsplit_once("read on from ").unwrap().1;
    assert_eq!((shown.len() <= 1_000, from), (true, &*format!("#{}", shown.len())));
    let session = hub.session(ada());
    let (mut all, mut from) = (shown.to_owned(), Some(from.to_owned()));
    while let Some(position) = from {
        let handle = &file(&output).unwrap().handle;
        let part = session.read_result(handle, &position, Some(Budget::Tokens(500))).await.unwrap();
        all.push_str(&serde_json::from_slice::<String>(&part.body).unwrap());
        from = part.next;
    }
    assert_eq!(all, "añ€😀".repeat(1000));
}

#[tokio::test]
async fn a_store_that_cannot_keep_the_rest_does_not_cost_the_beginning() {
    let House { faults, runs, hub, .. } = house();
    faults.fail("results.put", 1);
    let output = shaped(&hub, ada(), "t.put", Shape::new().bytes(1_000)).await;
    assert!(output.to_json().unwrap().len() > 500);
    assert_eq!((file(&output), runs.count()), (None, 1));
    assert!(said(&output).contains("could not be kept"));
}

#[tokio::test]
async fn an_agent_reads_on_as_the_user_it_acts_for() {
    let House { hub, .. } = house();
    hub.grant(grant("t.list")).await.unwrap();
    let output = shaped(&hub, bot(), "t.list", Shape::new().tokens(300)).await;
    assert!(output.to_json().unwrap().len() <= 900);
    let handle = &file(&output).unwrap().handle;
    assert!(hub.session(bot()).read_result(handle, "#0", Some(Budget::Tokens(100))).await.is_ok());
}

#[tokio::test]
async fn a_result_without_a_value_says_that_nothing_could_be_chosen() {
    let hub = hub_of(Kit::new("t").dynamic(read("page", |_, _| async { Ok(ToolOutput::text("a page")) })));
    let output = shaped(&hub, ada(), "t.page", Shape::new().fields(["a"])).await;
    assert_eq!(
        said(&output),
        "a page\nThe result has no structured value, so nothing could be chosen of it."
    );
}

struct Reshapes;

#[async_trait]
impl Ingress for Reshapes {
    async fn enter(&self, _: &Principal, _: &ToolInfo, call: &mut ToolCall) -> Result<()> {
        call.options.shape = Some(Arc::new(Shape::new().fields(["a..b"])));
        Ok(())
    }
}

#[tokio::test]
async fn a_shape_that_the_hosts_layer_sets_is_read_before_the_tool_runs() {
    let (clock, runs) = (Arc::new(ManualClock::new()), Runs::default());
    let seen = runs.clone();
    let put = write("put", move |_, _| {
        seen.add();
        async { ToolOutput::of(&issues()) }
    });
    let hub = quiet(&clock).ingress(Reshapes).connector(Kit::new("t").dynamic(put)).build().unwrap();
    let refused = error(hub.session(ada()).call("t.put", "{}").await);
    assert_eq!(
        (refused.kind(), refused.effect_on_provider(), runs.count()),
        (ErrorKind::InvalidArguments, Effect::NotExecuted, 0)
    );
}

#[tokio::test]
async fn a_file_of_the_tools_own_is_not_taken_for_the_result() {
    let files = |name: &'static str, media_type: &'static str, said: &'static str| {
        read(name, move |_, cx: ToolContext| async move {
            let new = NewResult {
                tenant: ada().tenant.clone(),
                user: ada().user.clone(),
                media_type: media_type.to_owned(),
                name: Some("result.json".to_owned()),
                keep: Duration::from_secs(60),
                max_bytes: 100,
            };
            let data = futures_util::stream::once(std::future::ready(Ok("{\"own\":1}".into())));
            let meta = cx.results().put(new, Box::pin(data)).await?;
            let mut output = ToolOutput::text(said);
            output.content.push(Content::File(FileRef {
                handle: meta.handle,
                media_type: meta.media_type,
                size: meta.size,
                name: meta.name,
            }));
            Ok(output)
        })
    };
    let kit = Kit::new("t").dynamic(files("export", "application/json", "Exported.")).dynamic(files(
        "bytes",
        "application/octet-stream",
        "The result has 12 bytes",
    ));
    let hub = hub_of(kit);
    for (tool, text) in [("t.export", "Exported."), ("t.bytes", "The result has 12 bytes")] {
        let output = shaped(&hub, ada(), tool, Shape::new().bytes(1_000)).await;
        assert_eq!(said(&output), text);
        assert!(matches!(output.body, Body::Empty) && file(&output).is_some(), "{output:?}");
    }
}
