//! The methods and arguments that Slack publishes: its description of 2021, and the types of its current JavaScript client.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tool_connect_connectors::provider::FileInput;
use tool_connect_connectors::slack::{DownloadFile, Slack, UploadFile};
use tool_connect_testkit::{Answer, Harness};

use super::tools::{arguments_of, cases};

/// Argument names by method.
type Methods = BTreeMap<String, BTreeSet<String>>;

fn brought(name: &str) -> Value {
    const VARIABLE: &str = "TOOL_CONNECT_COUNTERPARTY_SLACK";
    let text = std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!("{VARIABLE} is not set: run `cargo xtask counterparty`, which brings what this needs")
    });
    let paths: Value = serde_json::from_str(&text).unwrap();
    let path = paths[name].as_str().unwrap();
    serde_json::from_slice(&std::fs::read(path).unwrap_or_else(|why| panic!("{path}: {why}"))).unwrap()
}

/// The description that Slack published in 2021.
fn description() -> Methods {
    let description = brought("description");
    let paths = description["paths"].as_object().unwrap();
    paths
        .iter()
        .map(|(path, operations)| {
            let mut names = BTreeSet::new();
            for operation in ["get", "post"].into_iter().filter_map(|verb| operations.get(verb)) {
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                names.extend(parameters.map(|parameter| parameter["name"].as_str().unwrap().to_owned()));
                for (_, body) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
                    let fields = body["schema"]["properties"].as_object().into_iter().flatten();
                    names.extend(fields.map(|(name, _)| name.clone()));
                }
            }
            (path.trim_start_matches('/').to_owned(), names)
        })
        .collect()
}

/// What the types of `@slack/web-api` say.
fn client() -> Methods {
    serde_json::from_value(brought("client")).unwrap()
}

/// What the tools send: each method with all the arguments that a call can have.
async fn sent() -> Methods {
    let mut all = Methods::new();
    let mut note = |method: &str, arguments: &Value| {
        let names = arguments.as_object().unwrap().keys().cloned();
        all.entry(method.to_owned()).or_default().extend(names);
    };
    for case in cases() {
        note(&case.method, &case.sent);
    }
    // Upload and download, as they are sent.
    let address = "https://files.slack.com/api/bytes";
    let ticket = serde_json::json!({"ok": true, "file_id": "F1", "upload_url": address});
    let files = serde_json::json!({"ok": true, "files": [{"id": "F1"}], "file": {"id": "F1", "url_private": address}});
    let harness = Harness::builder(Slack::new())
        .answer("POST", "/files.getUploadURLExternal", Answer::json(200, ticket))
        .answer("POST", "/bytes", Answer::status(200))
        .answer("POST", "/files.completeUploadExternal", Answer::json(200, &files))
        .answer("GET", "/files.info", Answer::json(200, &files))
        .answer("GET", "/bytes", Answer::status(200).body("x"))
        .build()
        .await
        .unwrap();
    let upload = UploadFile {
        file: FileInput::bytes(b"x", "x.txt"),
        channel: Some("C1".into()),
        thread_ts: Some("1.2".into()),
        initial_comment: Some("x".into()),
        title: Some("x".into()),
        alt_text: Some("x".into()),
    };
    harness.run(upload).await.unwrap();
    harness.run(DownloadFile { file: "F1".into() }).await.unwrap();
    for request in harness.requests() {
        let method = request.url.path().trim_start_matches("/api/");
        match request.header("content-type") {
            _ if method == "bytes" => {}
            Some("application/x-www-form-urlencoded") => {
                let pairs = url::form_urlencoded::parse(&request.body);
                note(
                    method,
                    &pairs
                        .map(|(k, v)| (k.into_owned(), v.into_owned().into()))
                        .collect::<serde_json::Map<_, _>>()
                        .into(),
                );
            }
            _ => note(method, &arguments_of(&request)),
        }
    }
    harness.finish().await.unwrap();
    all
}

/// What of the tools' methods and arguments a published list does not know, as `method` or `method argument`.
fn unknown(sent: &Methods, known: &Methods) -> Vec<String> {
    let mut unknown = Vec::new();
    for (method, arguments) in sent {
        match known.get(method) {
            None => unknown.push(method.clone()),
            Some(known) => {
                unknown.extend(arguments.difference(known).map(|argument| format!("{method} {argument}")))
            }
        }
    }
    unknown
}

/// What came after 2021, each with the page of the current reference that has it.
const SINCE_2021: [(&str, &str); 12] = [
    ("bookmarks.add", "https://docs.slack.dev/reference/methods/bookmarks.add"),
    ("bookmarks.edit", "https://docs.slack.dev/reference/methods/bookmarks.edit"),
    ("bookmarks.list", "https://docs.slack.dev/reference/methods/bookmarks.list"),
    ("bookmarks.remove", "https://docs.slack.dev/reference/methods/bookmarks.remove"),
    ("chat.postEphemeral markdown_text", "https://docs.slack.dev/reference/methods/chat.postEphemeral"),
    ("chat.postMessage markdown_text", "https://docs.slack.dev/reference/methods/chat.postMessage"),
    ("chat.scheduleMessage markdown_text", "https://docs.slack.dev/reference/methods/chat.scheduleMessage"),
    ("chat.update markdown_text", "https://docs.slack.dev/reference/methods/chat.update"),
    ("conversations.invite force", "https://docs.slack.dev/reference/methods/conversations.invite"),
    ("files.completeUploadExternal", "https://docs.slack.dev/reference/methods/files.completeUploadExternal"),
    ("files.getUploadURLExternal", "https://docs.slack.dev/reference/methods/files.getUploadURLExternal"),
    // Slack never described it.
    ("search.files", "https://docs.slack.dev/reference/methods/search.files"),
];

/// Where the client's types and the reference differ; the reference is right.
const CLIENT_DIFFERS: [(&str, &str); 1] = [
    // The types say `alt_text`.
    (
        "files.getUploadURLExternal alt_txt",
        "https://docs.slack.dev/reference/methods/files.getUploadURLExternal",
    ),
];

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_every_method_and_argument_is_in_slacks_description() {
    let excepted: Vec<&str> = SINCE_2021.iter().map(|(what, _)| *what).collect();
    assert_eq!(unknown(&sent().await, &description()), excepted);
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_every_method_and_argument_is_in_slacks_client() {
    let known = client();
    assert!(known.len() > 200, "{}", known.len());
    let excepted: Vec<&str> = CLIENT_DIFFERS.iter().map(|(what, _)| *what).collect();
    assert_eq!(unknown(&sent().await, &known), excepted);
}
