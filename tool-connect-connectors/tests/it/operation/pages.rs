//! Pages.

use std::sync::{Arc, Mutex};

use http::Method;
use serde_json::{Value, json};
use tool_connect_connectors::operation::{Body, BodyContent, Operation, PageValue, Pagination, Place};
use tool_connect_core::http::RequestBody;
use tool_connect_core::{Content, Effect, ErrorKind};
use url::Url;

use super::{answer, bench, get, json_answer, parameter, record, request};
use crate::bench::Bench;

fn paged(pagination: Pagination) -> Operation {
    let mut operation = get("/items", [parameter("q", Place::Query)]);
    operation.pagination = Some(pagination);
    operation
}

fn by(next: PageValue, parameter: Option<&str>) -> Pagination {
    Pagination::new(next, parameter.map(str::to_owned))
}

/// A `link` header, where there is one, and a body.
type Scripted = (Option<&'static str>, Value);

/// Answers with these, one after the other, and keeps the addresses that were asked.
fn script(bench: &Bench, answers: Vec<Scripted>) -> Arc<Mutex<Vec<Url>>> {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    let answers = Mutex::new(answers.into_iter());
    bench.answer(move |request| {
        kept.lock().unwrap().push(request.url);
        let (link, body) = answers.lock().unwrap().next().expect("another answer");
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(link.map(|link| ("link", link)));
        Ok(answer(200, &headers, body.to_string()))
    });
    asked
}

/// Walks by hand, as a model does: `next` goes back as `page`.
async fn walk(bench: &Bench) -> Vec<Value> {
    let mut items = Vec::new();
    let mut arguments = json!({"q": "x"});
    loop {
        let page = bench.call("op", arguments.clone()).await.unwrap();
        items.extend(page["items"].as_array().unwrap().clone());
        if page["next"].is_null() {
            return items;
        }
        arguments["page"] = page["next"].clone();
    }
}

fn queries(asked: &Mutex<Vec<Url>>) -> Vec<String> {
    asked.lock().unwrap().iter().map(|url| url.query().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn every_kind_of_page_is_walked_to_its_end() {
    let with = |mut pagination: Pagination, items: &str, more: Option<&str>| {
        pagination.items = Some(items.to_owned());
        pagination.has_more = more.map(str::to_owned);
        paged(pagination)
    };
    let cases: Vec<(Operation, Vec<Scripted>, Vec<&str>)> = vec![
        (
            with(by(PageValue::Cursor("/offset".into()), Some("offset")), "/records", None),
            vec![(None, json!({"records": [1], "offset": "a&b"})), (None, json!({"records": [2]}))],
            vec!["q=x", "q=x&offset=a%26b"],
        ),
        (
            paged(by(PageValue::LinkHeader, None)),
            vec![
                (Some("<https://api.example.com/repositories/7/items?page=2&q=x>; rel=\"next\""), json!([1])),
                (Some("<https://api.example.com/v1/items?page=1>; rel=\"prev\""), json!([2])),
            ],
            vec!["q=x", "page=2&q=x"],
        ),
        (
            paged(by(PageValue::LinkHeader, Some("after"))),
            vec![(Some("</v1/items?after=c%2B1&q=y>; rel=next"), json!([1])), (None, json!([2]))],
            vec!["q=x", "q=x&after=c%2B1"],
        ),
        (
            with(by(PageValue::Url("/next".into()), None), "/records", None),
            vec![
                (None, json!({"records": [1], "next": "https://api.example.com/v1/items/more-2000"})),
                (None, json!({"records": [2], "next": null})),
            ],
            vec!["q=x", ""],
        ),
        (
            paged(by(PageValue::Page(1), Some("p"))),
            vec![(None, json!([1])), (None, json!([2])), (None, json!([]))],
            vec!["q=x", "q=x&p=2", "q=x&p=3"],
        ),
        (
            paged(by(PageValue::Offset, Some("start"))),
            vec![(None, json!([1, 2])), (None, json!([3])), (None, json!([]))],
            vec!["q=x", "q=x&start=2", "q=x&start=3"],
        ),
        (
            with(by(PageValue::LastItem("/id".into()), Some("starting_after")), "/data", Some("/has_more")),
            vec![
                (None, json!({"data": [{"id": "a"}, {"id": "b"}], "has_more": true})),
                (None, json!({"data": [{"id": "c"}], "has_more": false})),
            ],
            vec!["q=x", "q=x&starting_after=b"],
        ),
    ];
    for (operation, answers, expected) in cases {
        let what = format!("{:?}", operation.pagination);
        let bench = bench(operation);
        let count = answers.iter().map(|(_, body)| {
            let items = ["/records", "/data", ""].iter().find_map(|at| body.pointer(at)?.as_array());
            items.map_or(0, Vec::len)
        });
        let count: usize = count.sum();
        let asked = script(&bench, answers);
        assert_eq!(walk(&bench).await.len(), count, "{what}");
        assert_eq!(queries(&asked), expected, "{what}");
    }
}

#[tokio::test]
async fn a_cursor_goes_into_the_parameter_or_the_body_that_has_it() {
    let mut operation = paged(by(PageValue::Cursor("/next".into()), Some("start_cursor")));
    operation.method = Method::POST;
    let member = ("cursor".to_owned(), "start_cursor".to_owned());
    operation.body = Some(Body::json(BodyContent::Members(vec![member])));
    let sent = request(operation, json!({"page": "c1"})).await;
    let RequestBody::Bytes(body) = &sent.body else { panic!("a body") };
    assert_eq!((&body[..], sent.url.query()), (&br#"{"start_cursor":"c1"}"#[..], None));

    let mut operation = paged(by(PageValue::Page(1), Some("page")));
    operation.parameters.push(parameter("page", Place::Query));
    let bench = bench(operation);
    let asked = script(&bench, vec![(None, json!([1])), (None, json!([1]))]);
    let page = bench.call("op", json!({"page": 4})).await.unwrap();
    assert_eq!(page["next"], "5");
    bench.call("op", json!({"page": "5"})).await.unwrap();
    assert_eq!(queries(&asked), ["page=4", "page=5"]);
}

#[tokio::test]
async fn a_next_page_elsewhere_is_refused() {
    for next in [
        "https://evil.example/v1/items?page=2",
        "http://api.example.com/v1/items?page=2",
        "//evil.example/x?y",
        "https://api.example.com/admin",
    ] {
        let bench = bench(paged(by(PageValue::Url("/next".into()), None)));
        script(&bench, vec![(None, json!({"next": next}))]);
        let error = bench.refused("op", json!({})).await;
        assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Blocked, Effect::None), "{next}");
        assert!(!error.to_string().contains("evil"));
    }
}

#[tokio::test]
async fn a_caller_cannot_reach_other_addresses_with_a_page() {
    for page in [
        "https://evil.example/v1/items",
        "https://api.example.com/v1/admin",
        "https://api.example.com/v1/itemsx",
        "https://api.example.com/v1/items/../admin",
        "/v1/admin",
        "../admin",
        "https://ada:pw@api.example.com/v1/items",
        "javascript:1",
        "//evil.example/v1/items",
    ] {
        let bench = bench(paged(by(PageValue::LinkHeader, None)));
        let sent = record(&bench);
        let error = bench.refused("op", json!({"page": page})).await;
        assert_eq!(error.problems()[0].pointer, "/page", "{page}");
        assert!(sent.lock().unwrap().is_empty());
    }
    for bad in [json!(true), json!(""), json!([1])] {
        let bench = bench(paged(by(PageValue::Offset, Some("start"))));
        assert_eq!(bench.refused("op", json!({"page": bad})).await.problems()[0].pointer, "/page");
    }
    let bench = bench(paged(by(PageValue::Offset, Some("start"))));
    assert_eq!(bench.refused("op", json!({"page": "1&admin=1"})).await.problems()[0].pointer, "/page");
}

#[tokio::test]
async fn a_page_keeps_what_the_operation_always_sends() {
    let operation = || {
        let mut scope = parameter("scope", Place::Query);
        (scope.default, scope.fixed) = (Some(json!(["mine", "a b"])), true);
        let mut operation = get("/items?kind=public", [parameter("q", Place::Query), scope]);
        operation.pagination = Some(by(PageValue::LinkHeader, None));
        operation
    };
    let page = |query: &str| json!({ "page": format!("https://api.example.com/v1/items?{query}") });
    let kept = "kind=public&scope=mine&scope=a+b";
    for (query, sent) in [
        ("p=2", format!("p=2&{kept}")),
        (kept, kept.to_owned()),
        ("scope=mine&scope=a%20b&p=2", "scope=mine&scope=a%20b&p=2&kind=public".to_owned()),
    ] {
        let bench = bench(operation());
        let asked = script(&bench, vec![(None, json!([1]))]);
        bench.call("op", page(query)).await.unwrap();
        assert_eq!(queries(&asked), [sent]);
    }
    for query in
        ["scope=all", "scope=mine&scope=a+b&scope=all", "kind=private", "%6bind=private", "scope=mine"]
    {
        let bench = bench(operation());
        let error = bench.refused("op", page(query)).await;
        assert_eq!(error.problems()[0].pointer, "/page", "{query}");
    }
}

#[tokio::test]
async fn circles_end() {
    let bench = bench(paged(by(PageValue::Cursor("/next".into()), Some("after"))));
    script(&bench, vec![(None, json!({"next": "a"}))]);
    let output = bench.output("op", json!({"page": "a"})).await.unwrap();
    assert_eq!(output.parse::<Value>().unwrap()["next"], Value::Null);
    assert!(matches!(&output.content[..], [Content::Text { text }] if text.contains("same page")));
}

#[tokio::test]
async fn a_walk_stands_where_an_error_left_it() {
    use tool_connect_core::{DynamicTool, Error, SchemaSource, ToolDefinition, ToolOutput, ToolSet};

    /// Walks all pages, and tries a page again that fails once.
    struct Walker(super::One);
    impl tool_connect_core::Connector for Walker {
        fn manifest(&self) -> &tool_connect_core::ConnectorManifest {
            self.0.manifest()
        }
        fn tools(&self, set: &mut ToolSet) {
            let operation = Arc::clone(&self.0.1);
            let definition = ToolDefinition::new("all", "Walks.", SchemaSource::Json("{}".into()));
            set.add_dynamic(DynamicTool::new(definition, move |arguments, cx| {
                let operation = Arc::clone(&operation);
                async move {
                    let mut pages = operation.pages(arguments, &cx);
                    let mut seen = Vec::new();
                    loop {
                        match pages.next().await {
                            Ok(Some(page)) => seen.push(page.parse::<Value>()?["items"].clone()),
                            Ok(None) => return ToolOutput::of(&seen),
                            Err(error) if error.kind() == ErrorKind::RateLimited => {
                                seen.push(json!({"resume": pages.cursor()}));
                            }
                            Err(error) => return Err(error),
                        }
                    }
                }
            }));
        }
    }

    let operation = paged(by(PageValue::Cursor("/next".into()), Some("after")));
    for circle in [false, true] {
        let bench = Bench::new(&Walker(super::One::new(operation.clone())));
        bench.shared.base_url.set("https://api.example.com/v1".parse().unwrap()).unwrap();
        let count = Mutex::new(0);
        bench.answer(move |_| {
            let mut count = count.lock().unwrap();
            *count += 1;
            match *count {
                1 => Ok(json_answer(json!({"next": "b"}))),
                2 => Err(Error::new(ErrorKind::RateLimited, "later")),
                3 => Ok(json_answer(json!({"next": "c"}))),
                _ if circle => Ok(json_answer(json!({"next": "b"}))),
                _ => Ok(json_answer(json!({}))),
            }
        });
        let walked = bench.call("all", json!({})).await;
        if circle {
            assert_eq!(walked.unwrap_err().kind(), ErrorKind::Provider);
        } else {
            assert_eq!(walked.unwrap()[1], json!({"resume": "b"}));
        }
    }
}
