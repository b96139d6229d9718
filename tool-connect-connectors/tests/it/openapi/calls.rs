//! Imported tools in a whole Hub.

use serde_json::{Value, json};
use tool_connect_connectors::openapi::{Api, OpenApi};
use tool_connect_core::ErrorKind;
use tool_connect_testkit::{Answer, Harness};

const API: &str = r#"
openapi: 3.1.0
info: {title: Things, version: "1"}
servers: [{url: "https://things.example/v1"}]
paths:
  /things/{id}:
    get:
      operationId: getThing
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: X-Tag, in: header, schema: {type: string}}
        - {name: fields, in: query, style: form, explode: false, schema: {type: array, items: {type: string}}}
      responses: {"200": {content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: integer}}}}}}}
  /things:
    get:
      operationId: listThings
      parameters: [{name: page, in: query, schema: {type: integer}}, {name: limit, in: query, schema: {type: integer}}]
      responses: {"200": {headers: {Link: {schema: {type: string}}}, content: {application/json: {schema: {type: array, items: {type: object}}}}}}
    post:
      operationId: addThing
      requestBody: {content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string}, size: {type: integer}}}}}}
      responses: {"201": {description: ok}}
  /find?kind={kind}&v=2&near={place}:
    get:
      operationId: findThing
      parameters:
        - {name: kind, in: path, required: true, schema: {type: string}}
        - {name: place, in: path, schema: {type: string}}
  /broken:
    get: {operationId: broken, parameters: [{in: path}]}
"#;

fn things() -> Api {
    OpenApi::open(API).unwrap().connector("things").build().unwrap()
}

#[tokio::test]
async fn arguments_go_where_the_description_says_and_nowhere_else() {
    let harness = Harness::builder(things())
        .answer("GET", "/things/a%2Fb", Answer::json(200, json!({"id": 1})))
        .answer("POST", "/things", Answer::json(201, json!({"id": 2})))
        .build()
        .await
        .unwrap();
    harness.call("get_thing", json!({"id": "a/b", "X-Tag": "t", "fields": ["x", "y&z"]})).await.unwrap();
    harness.call("add_thing", json!({"name": "n", "size": 3})).await.unwrap();
    let sent = harness.requests();
    assert_eq!((sent[0].header("x-tag"), sent[0].query("fields").as_deref()), (Some("t"), Some("x,y&z")));
    assert_eq!(
        (sent[1].json(), sent[1].header("content-type")),
        (json!({"name": "n", "size": 3}), Some("application/json"))
    );
    // What is not in the schema, or would break out of its place, is refused and not sent.
    for (tool, arguments, pointer) in [
        ("add_thing", json!({"name": "n", "admin": true}), "/admin"),
        ("add_thing", json!({"size": 3}), "/name"),
        ("get_thing", json!({"id": ".."}), "/id"),
        ("get_thing", json!({"id": ""}), "/id"),
        ("get_thing", json!({"id": "1", "X-Tag": "a\r\nX-Admin: 1"}), "/X-Tag"),
    ] {
        let error = harness.call(tool, arguments.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{arguments}: {error}");
        assert!(error.problems().iter().any(|problem| &*problem.pointer == pointer), "{arguments}: {error}");
    }
    assert_eq!(harness.requests().len(), 2);
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn what_stands_in_the_query_of_a_path_is_sent_in_the_query() {
    let harness = Harness::builder(things())
        .answer("GET", "/find", Answer::json(200, json!({})))
        .build()
        .await
        .unwrap();
    harness.call("find_thing", json!({"kind": "a&v=3", "near": "b/c"})).await.unwrap();
    let sent = harness.requests();
    let query = |name: &str| sent[0].query(name);
    assert_eq!(
        [query("kind"), query("near"), query("v")],
        ["a&v=3", "b/c", "2"].map(|text| Some(text.to_owned()))
    );
    let error = harness.call("find_thing", json!({"kind": "a"})).await.unwrap_err();
    assert_eq!(&*error.problems()[0].pointer, "/near");
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn pages_are_walked_by_what_the_answer_says() {
    let next = "<https://things.example/v1/things?page=2>; rel=\"next\"";
    let harness = Harness::builder(things())
        .answer("GET", "/things", Answer::json(200, json!([{"id": 1}])).header("link", next))
        .answer("GET", "/things", Answer::json(200, json!([{"id": 2}])))
        .build()
        .await
        .unwrap();
    let first: Value = harness.call("list_things", json!({"limit": 1})).await.unwrap().parse().unwrap();
    assert_eq!(first["items"], json!([{"id": 1}]));
    let second: Value = harness
        .call("list_things", json!({"limit": 1, "page": first["next"]}))
        .await
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!((&second["items"], &second["next"]), (&json!([{"id": 2}]), &Value::Null));
    assert_eq!(harness.requests()[1].query("page").as_deref(), Some("2"));
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn an_answer_that_differs_from_its_schema_is_delivered_and_marked() {
    let harness = Harness::builder(things())
        .answer("GET", "/things/1", Answer::json(200, json!({"id": "one"})))
        .build()
        .await
        .unwrap();
    let outcome = harness.call("get_thing", json!({"id": "1"})).await.unwrap();
    let text = format!("{outcome:?}");
    assert!(text.contains("differs from its schema at: /id (type)"), "{text}");
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn an_answer_of_another_type_or_cut_short_is_told_and_not_taken_for_data() {
    let harness = Harness::builder(things())
        .answer("GET", "/things/page", Answer::status(200).body("<html>").header("content-type", "text/html"))
        .answer(
            "GET",
            "/things/cut",
            Answer::status(200).body("{\"id\": 1").header("content-type", "application/json"),
        )
        .build()
        .await
        .unwrap();
    for id in ["page", "cut"] {
        let error = harness.call("get_thing", json!({"id": id})).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Provider, "{id}: {error}");
    }
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_broken_operation_is_switched_off_when_it_is_first_used_and_not_before() {
    let harness = Harness::builder(things()).build().await.unwrap();
    let tenant = "acme".try_into().unwrap();
    assert!(harness.hub().quarantined(&tenant).is_empty(), "nothing was looked at yet");
    let error = harness.call("broken", json!({})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Quarantined);
    assert!(error.message().contains("a parameter has no name"), "{error}");
    assert_eq!(harness.hub().quarantined(&tenant).len(), 1);
    let listed = harness.session().tools(&Default::default()).await.unwrap();
    let names: Vec<&str> = listed.tools.iter().map(|tool| tool.id().name()).collect();
    assert_eq!(names, ["add_thing", "find_thing", "get_thing", "list_things"]);
    let text: Value = serde_json::from_slice(&listed.to_json()).unwrap();
    assert_eq!(text[0]["inputSchema"]["required"], json!(["name"]));
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_server_inside_of_the_hosts_network_is_refused_before_anything_is_sent() {
    for server in ["https://169.254.169.254/latest", "https://10.1.2.3/", "https://[::1]/"] {
        let text = json!({"openapi": "3.0.0", "servers": [{"url": server}], "paths": {"/x": {"get": {"operationId": "x"}},
            "/y": {"servers": [{"url": server}], "get": {"operationId": "y"}}}}).to_string();
        let api = OpenApi::open(text).unwrap().connector("inside").build().unwrap();
        let harness = Harness::builder(api).build().await.unwrap();
        for tool in ["x", "y"] {
            let error = harness.call(tool, json!({})).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Blocked, "{server}: {error}");
        }
        assert!(harness.requests().is_empty(), "{server}");
        harness.finish().await.unwrap();
    }
}
