//! Every tool against GitHub's published description: a server that others wrote holds its requests against it, and the answers
//! are the examples that the description gives.
#![allow(clippy::print_stdout, reason = "how much was sent is worth reading")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::{Request, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tool_connect_connectors::github::GitHub;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{AuthScheme, Result};
use tool_connect_hub::InstanceOptions;
use tool_connect_testkit::Harness;

use super::calls::{CALLS, INSTALLATION};
use super::server::{Asked, Said, read};

/// Where files lie that GitHub redirects to.
const STORAGE: &str = "https://storage.example/file?signature=x";

/// Operations by id: the first status of success, and the example of what is answered then.
fn examples(description: &Value) -> BTreeMap<String, (u16, Option<Value>)> {
    let follow = |value: &Value| -> Value {
        let to = value.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix('#'));
        to.and_then(|to| description.pointer(to)).unwrap_or(value).clone()
    };
    let mut found = BTreeMap::new();
    for operation in
        description["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values())
    {
        let Some(id) = operation["operationId"].as_str() else { continue };
        let answers = operation["responses"].as_object().unwrap();
        let Some((status, answer)) =
            answers.iter().find(|(status, _)| status.starts_with('2') || *status == "302")
        else {
            continue;
        };
        let content = &follow(answer)["content"]["application/json"];
        let first = content["examples"].as_object().and_then(|all| all.values().next().map(follow));
        let named = first.map(|first| match &first["value"] {
            again if again.get("$ref").is_some() => follow(again)["value"].clone(),
            value => value.clone(),
        });
        let example = named.or_else(|| content.get("example").cloned());
        found.insert(id.to_owned(), (status.parse().unwrap(), example));
    }
    found
}

/// Sends each request to the server that knows the description, and answers with an example.
struct Described {
    port: u16,
    examples: BTreeMap<String, (u16, Option<Value>)>,
    /// Operation of each valid request; reasons for each that is not.
    said: Mutex<Vec<std::result::Result<String, String>>>,
}

impl Described {
    async fn ask(&self, asked: &Asked) -> (u16, Value) {
        let target = &asked.url[url::Position::BeforePath..];
        let mut head = format!(
            "{} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n",
            asked.method,
            asked.body.len()
        );
        for (name, value) in &asked.headers {
            if name != "host" && name != "content-length" {
                head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
            }
        }
        head.push_str("\r\n");
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&asked.body).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let text = String::from_utf8(answer).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
    }

    fn answer(&self, asked: &Asked, operation: &str) -> Said {
        let (status, example) = &self.examples[operation];
        if *status == 302 {
            return Said(302, vec![("location", STORAGE.to_owned())], Vec::new());
        }
        match example.clone() {
            // One commit as its SHA alone.
            Some(_) if asked.header("accept").ends_with(".sha") => {
                Said::text("6dcb09b5b57875f334f61aebed695e2e4193db5e")
            }
            // The examples' content is cut, and so no Base64.
            Some(mut file) if matches!(operation, "repos/get-content" | "repos/get-readme") => {
                file["content"] = json!("aGVs\nbG8=\n");
                Said::json(200, &file)
            }
            Some(example) => Said::json(*status, &example),
            None => Said(*status, Vec::new(), Vec::new()),
        }
    }
}

#[async_trait]
impl Transport for Described {
    async fn send(&self, request: Request<RequestBody>, _: &TransportLimits) -> Result<Response<ByteStream>> {
        let asked = read(request).await?;
        if asked.url.as_str() == STORAGE {
            assert_eq!(asked.header("authorization"), "", "the credential stays at GitHub");
            return Ok(Said::text("the file").into_response());
        }
        assert!(
            ["api.github.com", "uploads.github.com"].contains(&asked.url.host_str().unwrap()),
            "{}",
            asked.url
        );
        assert!(asked.header("authorization").starts_with("Bearer "), "{}", asked.url);
        let (status, said) = self.ask(&asked).await;
        let operation = said["operation"].as_str().unwrap_or_default().to_owned();
        let valid = status == 200;
        let what = if valid {
            Ok(operation.clone())
        } else {
            Err(format!("{} {}: {said}", asked.method, asked.url))
        };
        self.said.lock().unwrap().push(what);
        Ok(if valid { self.answer(&asked, &operation) } else { Said::json(400, &said) }.into_response())
    }
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_every_github_tool_sends_what_the_description_says_and_reads_its_examples() {
    let brought = std::env::var("TOOL_CONNECT_COUNTERPARTY_OPENAPI")
        .expect("run by `cargo xtask counterparty`, which brings what this needs");
    let brought: Value = serde_json::from_str(&brought).unwrap();
    let description: Value =
        serde_json::from_slice(&std::fs::read(brought["github"].as_str().unwrap()).unwrap()).unwrap();
    let described = Arc::new(Described {
        port: brought["validator"]["port"].as_u64().unwrap().try_into().unwrap(),
        examples: examples(&description),
        said: Mutex::default(),
    });
    drop(description);
    // With all tools that there are; how its token is got is not this test's affair.
    let harness = Harness::builder(GitHub::for_installation(None))
        .instance(InstanceOptions::default().auth(AuthScheme::Bearer))
        .transport(Arc::clone(&described) as _)
        .hub(|hub| hub.configure(|settings| settings.http.retry.max_attempts = 1))
        .build()
        .await
        .unwrap();
    let (mut wrong, mut reached) = (Vec::new(), BTreeSet::new());
    for (tool, arguments, operations) in CALLS.iter().chain(INSTALLATION) {
        let arguments: Value = serde_json::from_str(arguments).unwrap();
        let result = harness.call(tool, arguments).await;
        let said = std::mem::take(&mut *described.said.lock().unwrap());
        let expected: Vec<_> = operations.iter().map(|operation| Ok((*operation).to_owned())).collect();
        if said != expected {
            wrong.push(format!("{tool}: {said:?} instead of {operations:?}"));
        }
        match result.and_then(|output| output.parse::<Value>()) {
            // An example of a list holds something, and all of it must be read.
            Ok(value) if value["items"] == json!([]) => {
                wrong.push(format!("{tool} read nothing of its example"))
            }
            Ok(_) => reached.extend(operations.iter().copied()),
            Err(error) => wrong.push(format!("{tool}: {error}; {}", error.public_message())),
        }
    }
    println!("{} calls of {} operations; wrong: {wrong:#?}", CALLS.len() + INSTALLATION.len(), reached.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    harness.finish().await.unwrap();
}
