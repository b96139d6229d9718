//! Descriptions that are broken, hostile or too large: each costs an error that says so, or one operation.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tool_connect_connectors::openapi::{OpenApi, Reason, Report};
use tool_connect_core::{Error, ErrorKind};

use super::schema;

fn api(paths: Value, components: Value) -> OpenApi {
    let text = json!({"openapi": "3.0.3", "info": {"title": "T"}, "servers": [{"url": "https://a.example"}], "paths": paths, "components": components});
    OpenApi::open(text.to_string()).unwrap()
}

/// The one problem of an operation.
fn problem(report: &Report) -> (Reason, String, String) {
    let failed: Vec<_> = report.failed().collect();
    assert_eq!(failed.len(), 1, "{report}");
    let problem = failed[0].problem.clone().unwrap();
    (problem.reason, problem.message, problem.place)
}

#[test]
fn what_is_no_description_is_an_error_that_says_why() {
    for (text, word) in [
        ("", "empty"),
        ("{}", "no OpenAPI description"),
        ("{\"openapi\": \"3.0.0\", \"paths\": {", "not valid JSON"),
        ("openapi: [3.0", "malformed"),
        ("swagger: \"1.2\"", "cannot be read"),
        ("just words", "not valid JSON"),
    ] {
        let error = OpenApi::open(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{text}");
        assert!(error.message().contains(word), "{text}: {error}");
    }
    let error = OpenApi::open(vec![b'{', 0xff]).unwrap_err();
    assert!(error.message().contains("not UTF-8 text (at byte 1)"), "{error}");
}

#[test]
fn a_file_over_the_cap_is_refused_and_the_cap_can_be_raised() {
    let mut text = r#"{"openapi":"3.0.0","servers":[{"url":"https://a.example"}],"paths":{"/a":{"get":{"responses":{}}}},"x-filler":""#.to_owned();
    text.push_str(&"a".repeat(50 << 20));
    text.push_str("\"}");
    let error = OpenApi::open(text.clone()).unwrap_err();
    assert!(error.message().contains("raise `max_bytes`"), "{error}");
    let opened = OpenApi::options().max_bytes(64 << 20).open(text).unwrap();
    assert_eq!(opened.check().imported(), 1);
}

#[test]
fn a_yaml_bomb_ends_at_the_cap() {
    let mut yaml =
        String::from("openapi: 3.0.0\nx0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for n in 1..30 {
        yaml.push_str(&format!("x{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", ")));
    }
    let error = OpenApi::open(yaml).unwrap_err();
    assert!(error.message().contains("means more than"), "{error}");
}

#[test]
fn circles_of_references_end_wherever_they_are() {
    let round = |name: &str| json!({"$ref": format!("#/components/{name}")});
    let made = api(
        json!({
            "/parameters": {"get": {"parameters": [round("parameters/A")]}},
            "/body": {"post": {"requestBody": round("requestBodies/A")}},
            "/schema": {"post": {"requestBody": {"content": {"application/json": {"schema": round("schemas/A")}}}}},
            "/answer": {"get": {"responses": {"200": round("responses/A")}}},
        }),
        json!({
            "parameters": {"A": round("parameters/B"), "B": round("parameters/A")},
            "requestBodies": {"A": round("requestBodies/A")},
            "schemas": {"A": {"allOf": [round("schemas/B")]}, "B": {"allOf": [round("schemas/A")], "properties": {"a": round("schemas/A")}}},
            "responses": {"A": round("responses/A")},
        }),
    );
    let report = made.check();
    let failed: BTreeMap<&str, String> =
        report.failed().map(|f| (f.path.as_str(), f.problem.as_ref().unwrap().to_string())).collect();
    assert_eq!(failed.keys().copied().collect::<Vec<_>>(), ["/body", "/parameters"]);
    assert!(failed.values().all(|why| why.contains("in a circle")), "{failed:?}");
}

#[test]
fn one_operation_that_is_broken_costs_only_itself() {
    for (operation, reason, word, place) in [
        (json!(7), Reason::Syntax, "no object", "/paths/~1a/get"),
        (json!({"parameters": 7}), Reason::Parameter, "no array", "/paths/~1a/get/parameters"),
        (
            json!({"parameters": [{"in": "path"}]}),
            Reason::Parameter,
            "no name",
            "/paths/~1a/get/parameters/0",
        ),
        (
            json!({"parameters": [{"name": "x", "in": "moon", "required": true}]}),
            Reason::Parameter,
            "`moon`",
            "/paths/~1a/get/parameters/0",
        ),
        (
            json!({"parameters": [{"name": "x y", "in": "header", "required": true}]}),
            Reason::Parameter,
            "name of a header",
            "/paths/~1a/get/parameters",
        ),
        (
            json!({"parameters": [{"$ref": "#/components/parameters/Gone"}]}),
            Reason::Reference,
            "leads nowhere",
            "/paths/~1a/get/parameters/0",
        ),
        (
            json!({"parameters": [{"$ref": "https://other.example/p.json"}]}),
            Reason::Reference,
            "supply it with `documents`",
            "/paths/~1a/get/parameters/0",
        ),
        (
            json!({"requestBody": {"required": true}}),
            Reason::Body,
            "nothing of its content",
            "/paths/~1a/get/requestBody",
        ),
        (
            json!({"servers": [{"url": "ftp://a.example"}]}),
            Reason::Server,
            "does not speak HTTP",
            "/paths/~1a/get/servers",
        ),
    ] {
        let made = api(json!({"/a": {"get": operation}, "/b": {"get": {"operationId": "fine"}}}), json!({}));
        let report = made.check();
        assert_eq!(report.imported(), 1, "{operation}");
        let (found, message, at) = problem(&report);
        assert_eq!((found, at.as_str()), (reason, place), "{operation}: {message}");
        assert!(message.contains(word), "{operation}: {message}");
    }
    for (path, word) in [
        ("/a/{b", "open brace"),
        ("/a/b}", "closing brace"),
        ("/a/{}", "without a name"),
        ("/a?b={b}", "placeholder in its query"),
    ] {
        let report = api(json!({path: {"get": {}}, "/fine": {"get": {}}}), json!({})).check();
        let (reason, message, _) = problem(&report);
        assert!(reason == Reason::Path && message.contains(word), "{path}: {message}");
    }
    // What the path needs is not taken away from it.
    let twice = json!({"get": {"parameters": [{"name": "b", "in": "path", "required": true}]}});
    let report = api(json!({"/a/{b}?c={b}": twice}), json!({})).check();
    assert_eq!(problem(&report).0, Reason::Path);
}

#[test]
fn equal_operation_ids_make_different_tools() {
    let made = api(
        json!({"/a": {"get": {"operationId": "same"}, "put": {"operationId": "same"}}, "/b": {"get": {"operationId": "Same"}}}),
        json!({}),
    );
    let built = made.connector("a").build().unwrap();
    let names: Vec<&str> = built.names().map(|(name, _, _)| name).collect();
    assert_eq!(names, ["get_a", "put_a", "get_b"]);
}

#[test]
fn parameters_without_schema_and_placeholders_without_parameter_are_text() {
    let made = api(
        json!({"/a/{id}": {"get": {"operationId": "x", "parameters": [{"name": "q", "in": "query"}]}}}),
        json!({}),
    );
    let found = schema(&made.connector("a").build().unwrap(), "x");
    assert_eq!(found["properties"], json!({"id": {"type": "string"}, "q": {"type": "string"}}));
    assert_eq!(found["required"], json!(["id"]));
    let report = made.check();
    let notes = report.operations[0].notes.join("; ");
    assert!(notes.contains("`q` has no schema") && notes.contains("`id` is no parameter"), "{notes}");
}

#[test]
fn a_relative_server_needs_to_know_where_the_document_comes_from() {
    let text = r#"{"openapi":"3.0.0","servers":[{"url":"/api/v3"}],"paths":{"/a":{"get":{}}}}"#;
    let error = OpenApi::open(text).unwrap().connector("a").build().unwrap_err();
    assert!(error.message().contains("give its URL, or a base URL"), "{error}");
    let report = OpenApi::open(text).unwrap().check();
    assert!(report.to_string().contains("the server `/api/v3` is relative"), "{report}");
    let api =
        OpenApi::options().url("https://a.example/docs/openapi.json".parse().unwrap()).open(text).unwrap();
    assert_eq!(api.connector("a").build().unwrap().base_url().unwrap().as_str(), "https://a.example/api/v3");
    let secret = r#"{"openapi":"3.0.0","servers":[{"url":"https://user:hunter2@a.example"}],"paths":{"/a":{"get":{}}}}"#;
    let error = OpenApi::open(secret).unwrap().connector("a").build().unwrap_err();
    assert!(error.message().contains("credential") && !error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn other_documents_come_from_the_host_within_caps() {
    let paths = json!({
        "/a/{id}": {"get": {"operationId": "a", "parameters": [{"$ref": "parts/parameters.yaml#/id"}, {"$ref": "../../secret.json#/x"}]}},
        "/b": {"$ref": "parts/paths.json#/b"},
    });
    let text =
        json!({"openapi": "3.0.3", "servers": [{"url": "https://a.example"}], "paths": paths}).to_string();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let api = OpenApi::options()
        .documents(move |name| {
            count.fetch_add(1, Ordering::Relaxed);
            match name {
                "parts/parameters.yaml" => Ok(b"id: {name: id, in: path, schema: {$ref: 'types.json#/Id'}}".to_vec()),
                "parts/types.json" => Ok(br#"{"Id": {"type": "integer"}}"#.to_vec()),
                "parts/paths.json" => Ok(br#"{"b": {"post": {"operationId": "b", "summary": "Elsewhere.", "requestBody": {"content": {"application/json": {"schema": {"properties": {"x": {"$ref": "types.json#/Id"}}}}}}}}}"#.to_vec()),
                other => Err(Error::new(ErrorKind::Denied, format!("`{other}` is not served"))),
            }
        })
        .open(text)
        .unwrap();
    let report = api.check();
    // `..` leads no higher than the root, and what the host refuses breaks the one operation.
    let (reason, message, _) = problem(&report);
    assert!(
        reason == Reason::Reference && message.contains("`secret.json` could not be supplied"),
        "{message}"
    );
    let found = schema(&api.connector("a").operation("b").build().unwrap(), "b");
    assert_eq!(found["properties"]["x"], json!({"type": "integer"}));
    assert_eq!(asked.load(Ordering::Relaxed), 4, "each is asked for once");
}

#[test]
fn no_more_documents_than_the_cap_are_asked_for() {
    let parameters: Vec<Value> = (0..100)
        .map(|n| json!({"name": format!("p{n}"), "in": "query", "schema": {"$ref": format!("d{n}.json#/A")}}))
        .collect();
    let text = json!({"openapi": "3.0.3", "servers": [{"url": "https://a.example"}], "paths": {"/a": {"get": {"parameters": parameters}}}}).to_string();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let load = move |_: &str| {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(br#"{"A": {"type": "string"}}"#.to_vec())
    };
    let report = OpenApi::options().documents(load).open(text).unwrap().check();
    assert_eq!((report.imported(), asked.load(Ordering::Relaxed)), (1, 64));
    assert!(report.operations[0].notes.join(" ").contains("more than 64 documents"));
}
