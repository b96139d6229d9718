//! What tools of a file send, and what they make of answers.

use serde_json::{Value, json};
use tool_connect_connectors::declarative::Declarative;
use tool_connect_core::{ErrorKind, ToolCall};
use tool_connect_testkit::{Answer, Harness};

use super::{AIRTABLE, GITHUB, STRIPE};

#[tokio::test]
async fn stripe_takes_forms_with_nested_members() {
    let harness = Harness::builder(Declarative::from_toml(STRIPE).unwrap())
        .answer("POST", "/customers", Answer::json(200, json!({"id": "cus_1"})))
        .build()
        .await
        .unwrap();
    let arguments = json!({
        "email": "a&b@example.com", "preferred_locales": ["de", "en"], "metadata": {"order id": 7},
        "address": {"city": "Köln", "country": "DE"}
    });
    let call = ToolCall::new("stripe.create_customer", arguments).idempotency_key("key-1");
    harness.session().execute(call).await.unwrap().into_output().unwrap();
    let sent = harness.requests().pop().unwrap();
    assert_eq!(sent.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(sent.header("idempotency-key"), Some("key-1"));
    assert_eq!(sent.header("stripe-version"), Some("2025-03-31.basil"));
    assert!(sent.header("authorization").is_some_and(|value| value.starts_with("Bearer ")));
    let body = String::from_utf8(sent.body.to_vec()).unwrap();
    let mut pairs: Vec<_> = body.split('&').collect();
    pairs.sort_unstable();
    assert_eq!(
        pairs,
        [
            "address%5Bcity%5D=K%C3%B6ln",
            "address%5Bcountry%5D=DE",
            "email=a%26b%40example.com",
            "expand%5B0%5D=subscriptions",
            "metadata%5Border%20id%5D=7",
            "preferred_locales%5B0%5D=de",
            "preferred_locales%5B1%5D=en",
        ]
    );
    let error = harness.call("create_customer", json!({"address": {"country": "DEU"}})).await.unwrap_err();
    assert_eq!(error.problems()[0].pointer, "/address/country");
    // What is fixed is no argument.
    let error = harness.call("create_customer", json!({"expand": []})).await.unwrap_err();
    assert_eq!(error.problems()[0].pointer, "/expand");
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn stripe_pages_by_the_last_item_and_errors_are_what_the_file_says() {
    let harness = Harness::builder(Declarative::from_toml(STRIPE).unwrap())
        .answer(
            "GET",
            "/charges",
            Answer::json(200, json!({"has_more": true, "data": [{"id": "ch_1", "amount": 5, "x": 1}]})),
        )
        .answer("GET", "/charges", Answer::json(200, json!({"has_more": false, "data": [{"id": "ch_2"}]})))
        .answer(
            "DELETE",
            "/customers/a%2Fb",
            Answer::json(404, json!({"error": {"code": "resource_missing", "message": "leak"}})),
        )
        .build()
        .await
        .unwrap();
    let page: Value =
        harness.call("list_charges", json!({"created": {"gte": 5}})).await.unwrap().parse().unwrap();
    assert_eq!(page, json!({"items": [{"id": "ch_1", "amount": 5}], "next": "ch_1"}));
    let page: Value = harness.call("list_charges", json!({"page": "ch_1"})).await.unwrap().parse().unwrap();
    assert_eq!(page, json!({"items": [{"id": "ch_2"}], "next": null}));
    let queries: Vec<_> = harness.requests().iter().map(|r| r.url.query().unwrap().to_owned()).collect();
    assert_eq!(queries, ["created%5Bgte%5D=5&limit=10", "limit=10&starting_after=ch_1"]);
    let error = harness.call("delete_customer", json!({"id": "a/b"})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(!format!("{error:?}").contains("leak"));
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn airtable_pages_by_a_cursor_and_takes_json_and_files() {
    let harness = Harness::builder(Declarative::from_toml(AIRTABLE).unwrap())
        .answer(
            "GET",
            "/app1/My%20Table",
            Answer::json(200, json!({"records": [{"id": "r1"}], "offset": "itr/1"})),
        )
        .answer("GET", "/app1/My%20Table", Answer::json(200, json!({"records": []})))
        .answer("POST", "/app1/t", Answer::json(200, json!({"records": []})))
        .answer("POST", "/app1/r/f/upload", Answer::status(204))
        .build()
        .await
        .unwrap();
    let first = json!({"base": "app1", "table": "My Table", "fields": ["a", "b"], "sort": [{"field": "a"}]});
    let page: Value = harness.call("list_records", first).await.unwrap().parse().unwrap();
    assert_eq!(page, json!({"items": [{"id": "r1"}], "next": "itr/1"}));
    let second = json!({"base": "app1", "table": "My Table", "page": "itr/1"});
    let page: Value = harness.call("list_records", second).await.unwrap().parse().unwrap();
    assert_eq!(page["next"], Value::Null);
    let create = json!({"base": "app1", "table": "t", "records": [{"fields": {"a": 1}}]});
    harness.call("create_records", create).await.unwrap();
    let upload =
        json!({"base": "app1", "record": "r", "field": "f", "file": {"base64": "aGk=", "name": "a.txt"}});
    harness.call("upload_attachment", upload).await.unwrap();
    let sent = harness.requests();
    assert_eq!(sent[0].url.query(), Some("fields%5B%5D=a&fields%5B%5D=b&sort%5B0%5D%5Bfield%5D=a"));
    assert_eq!(sent[1].url.query(), Some("offset=itr%2F1"));
    assert_eq!(sent[2].json(), json!({"records": [{"fields": {"a": 1}}], "typecast": false}));
    assert!(String::from_utf8_lossy(&sent[3].body).contains("name=\"file\"; filename=\"a.txt\""));
    let error = harness.call("create_records", json!({"base": "app1", "table": "t", "records": []})).await;
    assert_eq!(error.unwrap_err().problems()[0].pointer, "/records");
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn the_documented_example_walks_pages_and_keeps_what_it_says() {
    let link = "<https://api.github.com/repositories/1/issues?page=2>; rel=\"next\"";
    let issue = json!({"number": 1, "title": "t", "user": {"login": "ada", "id": 7}, "labels": [{"name": "bug", "id": 9}], "body": "long"});
    let harness = Harness::builder(Declarative::from_toml(GITHUB).unwrap())
        .answer("GET", "/repos/a/b/issues", Answer::json(200, json!([issue])).header("link", link))
        .answer("GET", "/search/repositories", Answer::json(422, json!({"message": "leak"})))
        .build()
        .await
        .unwrap();
    let arguments = json!({"owner": "a", "repo": "b", "labels": ["bug", "help wanted"]});
    let page: Value = harness.call("list_issues", arguments).await.unwrap().parse().unwrap();
    let kept = json!({"number": 1, "title": "t", "user": {"login": "ada"}, "labels": [{"name": "bug"}]});
    assert_eq!(page, json!({"items": [kept], "next": "2"}));
    let sent = harness.requests().pop().unwrap();
    assert_eq!(sent.url.query(), Some("labels=bug,help%20wanted&per_page=30&state=open"));
    assert_eq!(sent.header("accept"), Some("application/vnd.github+json"));
    assert!(sent.header("authorization").is_none());
    // An alias works, and a rule's message is what is told.
    let error = harness.call("find_repositories", json!({"query": "x"})).await.unwrap_err();
    assert!(error.public_message().contains("spelling of qualifiers"));
    harness.finish().await.unwrap();
}
