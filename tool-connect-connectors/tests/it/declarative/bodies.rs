//! Bodies with places, pages in bodies, what every request has in its query, and results that are whole or plain.

use serde_json::{Value, json};
use tool_connect_connectors::declarative::{Declarative, Loader};
use tool_connect_core::ErrorKind;
use tool_connect_testkit::{Answer, Harness};

const FILE: &str = r#"
id = "svc"
name = "Service"
description = "A service for these tests."
base_url = "https://api.example.com/v1"
config.app = { description = "The app's key." }
query = { app = "{app}", v = "7" }
full_argument = true

[tools.add_note]
description = "Adds a note to a thing."
method = "POST"
path = "/notes"
args.title = { type = "string", required = true, description = "Title." }
args.thing = { at = "/data/thing/id", type = "string", description = "Which thing." }
args.kind = { at = "/data/kind", value = "note" }
args.level = { at = "/data/level", type = "integer", default = 1, description = "How loud." }
args.more = { at = "/data", type = "object", description = "Whatever else." }
args.text = { at = "/data/body", type = "string", description = "The text.", template = { kind = "doc", content = [{ "$lines" = { text = "$value" } }] } }
[tools.add_note.result]
fields = ["id", "body"]
texts = ["body"]

[tools.search_notes]
description = "Searches notes by words."
method = "POST"
path = "/search"
read_only = true
args.words = { at = "/filter/0/words", type = "string", description = "Words." }
pagination = { next = "cursor", pointer = "/next", parameter = "/paging/after", items = "/found", in = "body" }

[tools.list_notes]
description = "Lists notes, a page at a time."
method = "GET"
path = "/notes"
pagination = { next = "least_item", pointer = "/id", parameter = "before" }
"#;

fn service() -> Declarative {
    Loader::new().config("app", "key-1").from_toml(FILE).unwrap()
}

#[tokio::test]
async fn arguments_stand_at_their_places_of_the_body() {
    let document =
        json!({"kind": "doc", "content": [{"content": [{"text": "one"}]}, {"content": [{"text": "two"}]}]});
    let answer = Answer::json(200, json!({"id": 5, "body": document, "etag": "x"}));
    let harness = Harness::builder(service()).answer("POST", "/notes", answer).build().await.unwrap();
    let arguments = json!({"title": "t", "thing": "a", "text": "one\n\ntwo", "more": {"tags": ["x"]}});
    let found: Value = harness.call("add_note", &arguments).await.unwrap().parse().unwrap();
    assert_eq!(found, json!({"id": 5, "body": "one\ntwo"}));
    let sent = harness.requests().pop().unwrap();
    assert_eq!(
        sent.json(),
        json!({"title": "t", "data": {
            "tags": ["x"], "kind": "note", "level": 1, "thing": {"id": "a"},
            "body": {"kind": "doc", "content": [{"text": "one"}, {"text": "two"}]}}})
    );
    assert_eq!(sent.url.query(), Some("app=key-1&v=7"));
    // What is not given leaves nothing behind, and the whole comes on request.
    let found: Value =
        harness.call("add_note", json!({"title": "t", "full": true})).await.unwrap().parse().unwrap();
    assert_eq!(found, json!({"id": 5, "body": document, "etag": "x"}));
    let sent = harness.requests().pop().unwrap().json();
    assert_eq!(sent, json!({"title": "t", "data": {"kind": "note", "level": 1}}));
    // A constant is not the caller's, neither by name nor by way of another argument; an empty text is no document.
    for (arguments, pointer) in [
        (json!({"title": "t", "kind": "x"}), "/kind"),
        (json!({"title": "t", "more": {"kind": "x"}}), "/kind"),
        (json!({"title": "t", "text": " \n"}), "/text"),
    ] {
        let error = harness.call("add_note", &arguments).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{arguments}");
        assert_eq!(error.problems()[0].pointer, pointer, "{arguments}");
    }
    assert_eq!(harness.requests().len(), 2);
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_page_goes_into_the_body_where_the_service_wants_it_there() {
    let harness = Harness::builder(service())
        .answer("POST", "/search", Answer::json(200, json!({"found": [1], "next": "c1"})))
        .answer("POST", "/search", Answer::json(200, json!({"found": []})))
        .build()
        .await
        .unwrap();
    let page: Value = harness.call("search_notes", json!({"words": "a"})).await.unwrap().parse().unwrap();
    assert_eq!(page, json!({"items": [1], "next": "c1"}));
    harness.call("search_notes", json!({"words": "a", "page": "c1"})).await.unwrap();
    let bodies: Vec<Value> = harness.requests().iter().map(|sent| sent.json()).collect();
    assert_eq!(
        bodies,
        [json!({"filter": [{"words": "a"}]}), json!({"filter": [{"words": "a"}], "paging": {"after": "c1"}})]
    );
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn the_least_of_a_page_is_where_the_next_one_begins() {
    let harness = Harness::builder(service())
        .answer(
            "GET",
            "/notes",
            Answer::json(200, json!([{"id": "20"}, {"id": "9"}, {"x": 1}, {"id": "100"}])),
        )
        .answer("GET", "/notes", Answer::json(200, json!([])))
        .build()
        .await
        .unwrap();
    let page: Value = harness.call("list_notes", json!({})).await.unwrap().parse().unwrap();
    assert_eq!(page["next"], "9");
    let page: Value = harness.call("list_notes", json!({"page": "9"})).await.unwrap().parse().unwrap();
    assert_eq!(page["next"], Value::Null);
    assert_eq!(harness.requests()[1].url.query(), Some("app=key-1&v=7&before=9"));
    harness.finish().await.unwrap();
}

#[test]
fn values_of_the_configuration_are_needed_and_no_way_to_another_address() {
    let error = Loader::new().from_toml(FILE).unwrap_err();
    assert!(error.message().contains("`config.app` has no value"), "{error}");
    let error = Loader::new().config("app", "a&b=c").from_toml(FILE).unwrap_err();
    assert!(error.message().contains("may not stand in an address"), "{error}");
    let error = Declarative::builtin("nothing").unwrap_err();
    assert!(error.message().contains("airtable, asana"), "{error}");
    let error = Declarative::builtin("zendesk").unwrap_err();
    assert!(error.message().contains("`config.subdomain`"), "{error}");
}
