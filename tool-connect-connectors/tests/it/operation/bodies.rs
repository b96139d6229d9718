//! Bodies in every encoding.

use futures_util::StreamExt as _;
use http::Method;
use serde_json::{Value, json};
use tool_connect_connectors::operation::{
    Body, BodyContent, Encoding, FormField, Operation, ParameterStyle, Part,
};
use tool_connect_core::http::RequestBody;
use tool_connect_core::store::ResultStore as _;
use tool_connect_core::{ErrorKind, Principal, ResultHandle};

use super::{bench, bytes, record, refused, request, stored};

fn post(body: Body) -> Operation {
    let mut operation = Operation::new(Method::POST, "/x");
    operation.body = Some(body);
    operation
}

fn members(names: &[&str]) -> BodyContent {
    BodyContent::Members(names.iter().map(|name| ((*name).to_owned(), (*name).to_owned())).collect())
}

fn encoded(content: BodyContent, encoding: Encoding, media_type: &str) -> Operation {
    let mut body = Body::json(content);
    body.encoding = encoding;
    body.media_type = media_type.to_owned();
    post(body)
}

fn whole(name: &str) -> BodyContent {
    BodyContent::Argument(name.to_owned())
}

async fn text(operation: Operation, arguments: Value) -> (String, String) {
    let request = request(operation, arguments).await;
    let media_type = request.headers["content-type"].to_str().unwrap().to_owned();
    (media_type, String::from_utf8(bytes(request).await).unwrap())
}

#[tokio::test]
async fn json_is_one_argument_or_made_of_members() {
    let renamed = BodyContent::Members(vec![("title_text".into(), "title".into()), ("b".into(), "b".into())]);
    let (media_type, body) =
        text(post(Body::json(renamed)), json!({"title_text": "x", "b": null, "c": 1})).await;
    assert_eq!((&*media_type, &*body), ("application/json", r#"{"title":"x","b":null}"#));
    let (_, body) = text(post(Body::json(whole("items"))), json!({"items": [1, 2]})).await;
    assert_eq!(body, "[1,2]");
    assert_eq!(refused(post(Body::json(whole("items"))), json!({})).await, ["/items"]);
    // A body that may be left out is left out whole.
    let mut optional = Body::json(members(&["a"]));
    optional.required = false;
    let sent = request(post(optional), json!({})).await;
    assert!(sent.headers.get("content-type").is_none() && matches!(sent.body, RequestBody::Empty));
    assert_eq!(text(post(Body::json(members(&["a"]))), json!({})).await.1, "{}");
}

#[tokio::test]
async fn forms_are_written_as_their_fields_say() {
    let form = "application/x-www-form-urlencoded";
    let fields = vec![
        FormField::new("metadata", ParameterStyle::DeepObject, true),
        FormField::new("ids", ParameterStyle::Form, false),
    ];
    let operation = encoded(members(&["name", "metadata", "ids", "tags"]), Encoding::Form(fields), form);
    let arguments = json!({
        "name": "A & B = ü", "metadata": {"k&": {"n": [1]}}, "ids": ["a", "b"], "tags": ["x", "y"]
    });
    let (media_type, body) = text(operation, arguments).await;
    assert_eq!(media_type, form);
    assert_eq!(
        body,
        "name=A%20%26%20B%20%3D%20%C3%BC&metadata%5Bk%26%5D%5Bn%5D%5B0%5D=1&ids=a,b&tags=x&tags=y"
    );
    let operation = encoded(whole("form"), Encoding::Form(Vec::new()), form);
    assert_eq!(refused(operation, json!({"form": [1]})).await, ["/form"]);
}

#[tokio::test]
async fn texts_and_files_are_sent_as_they_are() {
    let plain = || encoded(whole("text"), Encoding::Text, "text/plain; charset=utf-8");
    assert_eq!(
        text(plain(), json!({"text": "a\r\nb"})).await,
        ("text/plain; charset=utf-8".into(), "a\r\nb".into())
    );
    let file = |media_type: &str| encoded(whole("file"), Encoding::Binary, media_type);
    let (media_type, body) = text(file("image/png"), json!({"file": {"base64": "aGk="}})).await;
    assert_eq!((&*media_type, &*body), ("image/png", "hi"));
    let (media_type, _) =
        text(file("*/*"), json!({"file": {"base64": "aGk=", "media_type": "text/csv"}})).await;
    assert_eq!(media_type, "text/csv");
    for (bad, pointer) in [
        (json!({"base64": "%"}), "/file/base64"),
        (json!({"handle": "nothing-there"}), "/file/handle"),
        (json!({"handle": "a", "base64": "aGk="}), "/file/base64"),
        (json!("hi"), "/file"),
        (json!({}), "/file"),
    ] {
        assert_eq!(refused(file("image/png"), json!({"file": bad})).await, [pointer], "{bad}");
    }
}

#[tokio::test]
async fn a_large_file_is_streamed_from_the_store_and_a_small_one_can_be_sent_again() {
    for (size, repeatable) in [(100, true), (3_000_000, false)] {
        let bench = bench(encoded(whole("file"), Encoding::Binary, "*/*"));
        let data: Vec<u8> = (0..size).map(|at: usize| (at % 251) as u8).collect();
        let handle = stored(&bench, "a.bin", "application/x-a", data.clone()).await;
        let sent = record(&bench);
        bench.call("op", json!({"file": {"handle": handle}})).await.unwrap();
        let request = sent.lock().unwrap().pop().unwrap();
        assert_eq!(request.headers["content-type"], "application/x-a");
        assert_eq!(request.body.try_clone().is_some(), repeatable);
        assert_eq!(bytes(request).await, data);
    }
}

#[tokio::test]
async fn multipart_bodies_hold_their_parts_and_nothing_more() {
    for size in [10, 3_000_000] {
        let mut picture = Part::new("picture", true);
        picture.media_type = Some("image/*".to_owned());
        let parts = vec![picture, Part::new("documents", true)];
        let names = members(&["title", "meta", "tags", "picture", "documents", "none"]);
        let bench = bench(encoded(names, Encoding::Multipart(parts), "multipart/form-data"));
        let evil = "x\"; filename=\"y\r\nEvil: 1.png";
        let handle = stored(&bench, evil, "image/png", vec![7; size]).await;
        let sent = record(&bench);
        let arguments = json!({
            "title": "T\r\n--x", "meta": {"a": 1}, "tags": ["p", 2], "picture": {"handle": handle}, "none": null,
            "documents": [{"base64": "aGk=", "name": "a.txt", "media_type": "text/plain"}]
        });
        bench.call("op", arguments).await.unwrap();
        let request = sent.lock().unwrap().pop().unwrap();
        let media_type = request.headers["content-type"].to_str().unwrap().to_owned();
        let boundary = media_type.strip_prefix("multipart/form-data; boundary=").unwrap().to_owned();
        assert!(boundary.len() >= 32 && boundary.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let body = String::from_utf8(bytes(request).await).unwrap();
        let picture: String = std::iter::repeat_n('\u{7}', size).collect();
        let expected = [
            "Content-Disposition: form-data; name=\"title\"\r\n\r\nT\r\n--x",
            "Content-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n{\"a\":1}",
            "Content-Disposition: form-data; name=\"tags\"\r\n\r\np",
            "Content-Disposition: form-data; name=\"tags\"\r\n\r\n2",
            &format!(
                "Content-Disposition: form-data; name=\"picture\"; filename=\"x%22; filename=%22y%0D%0AEvil: 1.png\"\r\nContent-Type: image/png\r\n\r\n{picture}"
            ),
            "Content-Disposition: form-data; name=\"documents\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nhi",
        ];
        let expected: String = expected.map(|part| format!("--{boundary}\r\n{part}\r\n")).concat();
        assert!(body == format!("{expected}--{boundary}--\r\n"), "{size}");
    }
}

#[tokio::test]
async fn many_small_files_are_not_all_held_at_once() {
    let bench = bench(encoded(
        members(&["documents"]),
        Encoding::Multipart(vec![Part::new("documents", true)]),
        "multipart/form-data",
    ));
    let handle = stored(&bench, "a", "image/png", vec![b'~'; 1024 * 1024]).await;
    let documents = |many: usize| json!({ "documents": vec![json!({ "handle": handle }); many] });
    let sent = record(&bench);
    for many in [3, 12, 12] {
        bench.call("op", documents(many)).await.unwrap();
    }
    let of = Principal::user("acme", "ada").unwrap();
    let last = sent.lock().unwrap().pop().unwrap();
    assert_eq!(bytes(last).await.iter().filter(|byte| **byte == b'~').count(), 12 * 1024 * 1024);
    let late = sent.lock().unwrap().pop().unwrap();
    bench.shared.results.delete(&of.tenant, &of.user, &ResultHandle::new(&*handle).unwrap()).await.unwrap();
    let RequestBody::Stream(mut stream, Some(_)) = late.body else { panic!("not streamed") };
    let mut read = 0;
    let error = loop {
        match stream.next().await.expect("it fails before it ends") {
            Ok(piece) => read += piece.len(),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::NotFound);
    // What was in memory is there still.
    assert_eq!(read / (1024 * 1024), 8);
    assert!(matches!(sent.lock().unwrap().pop().unwrap().body, RequestBody::Bytes(_)));
}

#[tokio::test]
async fn a_related_body_is_the_metadata_and_the_file() {
    let operation = || encoded(members(&["name"]), Encoding::Related("file".into()), "multipart/related");
    let file = json!({"base64": "aGk=", "media_type": "text/plain"});
    let (media_type, body) = text(operation(), json!({"name": "a", "file": file})).await;
    let boundary = media_type.strip_prefix("multipart/related; boundary=").unwrap();
    assert_eq!(
        body,
        format!(
            "--{boundary}\r\nContent-Type: application/json\r\n\r\n{{\"name\":\"a\"}}\r\n--{boundary}\r\nContent-Type: text/plain\r\n\r\nhi\r\n--{boundary}--\r\n"
        )
    );
    assert_eq!(refused(operation(), json!({"name": "a"})).await, ["/file"]);
}

#[tokio::test]
async fn a_media_type_of_a_caller_is_one_or_is_refused() {
    let operation = encoded(
        members(&["file"]),
        Encoding::Multipart(vec![Part::new("file", true)]),
        "multipart/form-data",
    );
    let file = json!({"base64": "aGk=", "media_type": "text/plain\r\nEvil: 1"});
    assert_eq!(refused(operation, json!({"file": file})).await, ["/file/media_type"]);
}
