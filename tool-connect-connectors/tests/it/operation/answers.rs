//! What becomes of answers.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use tool_connect_connectors::operation::Operation;
use tool_connect_core::{Content, Effect, Error, ErrorKind, ToolOutput};

use super::{answer, bench, get, json_answer};

/// The result of an answer of this type and body.
async fn result(
    operation: Operation,
    media_type: &'static str,
    body: impl Into<Bytes>,
) -> Result<ToolOutput, Error> {
    let bench = bench(operation);
    let body = body.into();
    bench.answer(move |_| Ok(answer(200, &[("content-type", media_type)], body.clone())));
    bench.output("op", json!({})).await
}

fn texts(output: &ToolOutput) -> Vec<&str> {
    let blocks = output.content.iter();
    blocks
        .filter_map(|block| match block {
            Content::Text { text } => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn json_is_passed_on_as_it_came() {
    let text = r#"{ "big": 12345678901234567890123, "b": [1] }"#;
    for media_type in
        ["application/json", "application/problem+json; charset=utf-8", "text/plain", "text/javascript"]
    {
        let output = result(get("/x", []), media_type, text).await.unwrap();
        assert_eq!(output.to_json().unwrap(), text, "{media_type}");
        assert!(output.content.is_empty(), "{media_type}");
    }
}

#[tokio::test]
async fn a_part_of_the_answer_is_kept() {
    let mut operation = get("/x", []);
    operation.answer.pointer = Some("/data/users".to_owned());
    operation.answer.fields = vec!["id".to_owned(), "mail.primary".to_owned()];
    let body = json!({"data": {"users": [{"id": 1, "mail": {"primary": "a", "old": "b"}, "age": 7}]}});
    let output = result(operation.clone(), "application/json", body.to_string()).await.unwrap();
    assert_eq!(output.parse::<Value>().unwrap(), json!([{"id": 1, "mail": {"primary": "a"}}]));
    let output = result(operation, "application/json", r#"{"id":2,"x":3}"#).await.unwrap();
    assert_eq!(output.parse::<Value>().unwrap(), json!({"id": 2}));
    assert!(texts(&output)[0].contains("nothing at `/data/users`"));
}

#[tokio::test]
async fn an_answer_that_differs_from_its_schema_is_delivered_and_marked() {
    let mut operation = get("/x", []);
    operation.answer.schema = Some(r#"{"type":"object","properties":{"id":{"type":"integer"}}}"#.into());
    let output = result(operation.clone(), "application/json", r#"{"id":"seven"}"#).await.unwrap();
    assert_eq!(output.parse::<Value>().unwrap(), json!({"id": "seven"}));
    assert_eq!(
        texts(&output),
        ["The answer differs from its schema at: /id (type). It is given as it came."]
    );
    let output = result(operation, "application/json", r#"{"id":7}"#).await.unwrap();
    assert!(output.content.is_empty());
}

#[tokio::test]
async fn what_is_not_the_promised_json_is_an_error_or_marked() {
    let error = result(get("/x", []), "text/html; charset=utf-8", "<html>secret").await.unwrap_err();
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Provider, Effect::None));
    assert!(error.public_message().contains("web page"));
    let mut write = get("/x", []);
    write.method = Method::POST;
    for (media_type, body, says) in [
        ("text/html", "<html>", "web page"),
        ("application/json", "{\"secret\": [1,", "ends too early"),
        ("application/json", "secret", "is not"),
    ] {
        let error = result(write.clone(), media_type, body).await.unwrap_err();
        assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Provider, Effect::Unknown));
        assert!(error.to_string().contains(says) && error.public_message().contains(says), "{error}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
    let output = result(get("/x", []), "text/plain", "just a text").await.unwrap();
    assert_eq!(texts(&output)[0], "just a text");
    assert!(texts(&output)[1].contains("where it promised JSON"));
}

#[tokio::test]
async fn texts_come_in_place_and_files_by_handle() {
    let mut operation = get("/x", []);
    operation.answer.accept = vec!["*/*".to_owned()];
    let output = result(operation.clone(), "text/html", "<p>asked for").await.unwrap();
    assert_eq!(texts(&output), ["<p>asked for"]);
    for (media_type, body) in [
        ("application/pdf", vec![b'%'; 10]),
        ("text/plain", vec![b'a'; 100_000]),
        ("text/plain", vec![0, 255]),
    ] {
        let bench = bench(operation.clone());
        let sent = body.clone();
        bench.answer(move |_| {
            let headers =
                [("content-type", media_type), ("content-disposition", "attachment; filename=\"../a.pdf\"")];
            Ok(answer(200, &headers, sent.clone()))
        });
        let output = bench.output("op", json!({})).await.unwrap();
        let file = output.parse::<Value>().unwrap()["file"].clone();
        assert_eq!((&file["media_type"], &file["name"]), (&json!(media_type), &json!("a.pdf")));
        assert_eq!(bench.bytes(&file).await, body);
        assert!(matches!(&output.content[..], [Content::File(_)]));
    }
}

#[tokio::test]
async fn empty_answers_are_results() {
    for (status, media_type) in
        [(204, "application/json"), (200, "application/json"), (202, "text/plain"), (200, "text/css")]
    {
        let bench = bench(get("/x", []));
        bench.answer(move |_| Ok(answer(status, &[("content-type", media_type)], "")));
        let output = bench.output("op", json!({})).await.unwrap();
        assert_eq!(output.parse::<Value>().unwrap(), Value::Null);
        assert!(texts(&output)[0].contains(&status.to_string()));
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error() {
    for media_type in ["application/json", "application/pdf"] {
        let bench = bench(get("/x", []));
        bench.answer(move |_| {
            let broken = vec![Ok(Bytes::from_static(b"{")), Err(Error::new(ErrorKind::Transport, "lost"))];
            let head = http::Response::builder().header("content-type", media_type).body(()).unwrap();
            let body = Box::pin(futures_util::stream::iter(broken));
            Ok(tool_connect_core::http::Response::new(head.into_parts().0, body, 100))
        });
        let error = bench.output("op", json!({})).await.unwrap_err();
        assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Transport, Effect::None));
    }
}

#[tokio::test]
async fn a_deep_answer_is_an_error_and_no_overflow() {
    let deep = "[".repeat(100_000);
    let mut operation = get("/x", []);
    operation.answer.pointer = Some("/a".to_owned());
    for operation in [operation, get("/x", [])] {
        let error = result(operation, "application/json", deep.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Provider);
    }
    drop(json_answer(json!(1)));
}
