//! Each tool's requests, held against those that Google's own client for Python makes for the same
//! (`tests/counterparties/google_requests.py`). Both sides read `cases.json`.
//!
//! What is taken for equal: query parameters in any order, and without `alt=json`, which the client always names; names that are
//! made anew for each call; the message in a mail, which `mail.rs` looks at.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;
use tool_connect_connectors::gmail::Gmail;
use tool_connect_connectors::google_calendar::GoogleCalendar;
use tool_connect_connectors::google_drive::GoogleDrive;
use tool_connect_core::Connector;
use tool_connect_testkit::SentRequest;
use url::Url;

use super::{Asked, Told, call, names, stored, with};

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

/// A call, and what is answered to its requests.
#[derive(Deserialize)]
struct Case {
    tool: String,
    arguments: Value,
    #[serde(default)]
    key: Option<String>,
    #[serde(default)]
    stored: Option<Stored>,
    /// Whether the lengths of uploads are the same on both sides; a mail's are not.
    #[serde(default = "yes")]
    lengths: bool,
    answers: Vec<Answer>,
}

fn yes() -> bool {
    true
}

/// A file that `$HANDLE` stands for.
#[derive(Deserialize)]
struct Stored {
    size: usize,
    media_type: String,
    name: String,
}

#[derive(Clone, Deserialize)]
struct Answer {
    #[serde(default)]
    status: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    json: Option<Value>,
    #[serde(default)]
    text: Option<String>,
}

impl Answer {
    fn told(self) -> Told {
        let status = self.status.unwrap_or(200);
        let mut told = match (self.json, self.text) {
            (Some(json), _) => Told::status(status, json),
            (None, Some(text)) => Told::Answer(status, Vec::new(), text.into_bytes()),
            (None, None) => Told::empty(status),
        };
        for (name, value) in self.headers {
            told = told.header(name.leak(), value);
        }
        told
    }
}

fn cases() -> BTreeMap<String, Cases> {
    serde_json::from_str(include_str!("cases.json")).unwrap()
}

fn connector(name: &str) -> Box<dyn Fn() -> Box<dyn Connector>> {
    match name {
        "gmail" => Box::new(|| Box::new(Gmail::new())),
        "google_calendar" => Box::new(|| Box::new(GoogleCalendar::new())),
        "google_drive" => Box::new(|| Box::new(GoogleDrive::new())),
        other => panic!("no connector {other}"),
    }
}

/// A boxed connector is a connector.
struct Boxed(Box<dyn Connector>);

impl Connector for Boxed {
    fn manifest(&self) -> &tool_connect_core::ConnectorManifest {
        self.0.manifest()
    }

    fn tools(&self, set: &mut tool_connect_core::ToolSet) {
        self.0.tools(set);
    }
}

/// Makes the call of a case and returns its requests.
async fn sent(connector: Box<dyn Connector>, case: &Case) -> Vec<SentRequest> {
    let answers: Arc<Mutex<VecDeque<Answer>>> = Arc::new(Mutex::new(case.answers.clone().into()));
    let left = Arc::clone(&answers);
    let service = move |asked: &Asked| match left.lock().unwrap().pop_front() {
        Some(answer) => answer.told(),
        None => panic!("a request too many: {}", asked.line()),
    };
    let harness = with(Boxed(connector), service).build().await.unwrap();
    let mut arguments = case.arguments.to_string();
    if let Some(Stored { size, media_type, name }) = &case.stored {
        let handle = stored(&harness, name, media_type, vec![0; *size]).await;
        arguments = arguments.replace("$HANDLE", &handle);
    }
    let arguments = serde_json::from_str(&arguments).unwrap();
    let result = call(&harness, &case.tool, arguments, case.key.as_deref()).await;
    result.unwrap_or_else(|error| panic!("{}: {error}", case.tool));
    assert!(answers.lock().unwrap().is_empty(), "{}: answers are left", case.tool);
    harness.requests()
}

#[tokio::test]
async fn every_tool_has_a_case_and_makes_its_requests() {
    for (name, of_it) in cases() {
        let make = connector(&name);
        let with_case: BTreeSet<String> = of_it.cases.iter().map(|case| case.tool.clone()).collect();
        assert_eq!(names(&*make()), with_case.into_iter().collect::<Vec<_>>(), "{name}");
        for case in &of_it.cases {
            sent(make(), case).await;
        }
    }
}

/// What Google's client makes of a case.
#[derive(Deserialize)]
struct Made {
    requests: Vec<Written>,
    /// For each of the case's methods the scopes of which one is enough.
    scopes: Vec<BTreeSet<String>>,
}

/// A request as both sides write it down.
#[derive(Debug, Deserialize)]
struct Written {
    method: String,
    uri: Url,
    headers: BTreeMap<String, String>,
    json: Option<Value>,
    /// Metadata, media type and content.
    parts: Option<(Value, String, String)>,
    size: Option<usize>,
}

impl Written {
    fn of(request: &SentRequest) -> Self {
        let kept = ["x-upload-content-type", "x-upload-content-length", "content-range"];
        let headers =
            kept.iter().filter_map(|name| Some(((*name).to_owned(), request.header(name)?.to_owned())));
        let headers: BTreeMap<String, String> = headers.collect();
        let kind = request.header("content-type").unwrap_or_default();
        let parts =
            kind.strip_prefix("multipart/related; boundary=").map(|boundary| parts(boundary, &request.body));
        let json = if parts.is_some() { None } else { serde_json::from_slice(&request.body).ok() };
        let size = headers.contains_key("content-range").then_some(request.body.len());
        Self { method: request.method.to_string(), uri: request.url.clone(), headers, json, parts, size }
    }

    /// What both must agree in.
    fn compared(self, lengths: bool) -> (String, String, Vec<(String, String)>, String) {
        let mut query: Vec<(String, String)> = self.uri.query_pairs().into_owned().collect();
        query.retain(|(name, value)| !(name == "alt" && value == "json"));
        query.sort();
        let place = format!("{}{}", self.uri.origin().ascii_serialization(), self.uri.path());
        let mut headers = self.headers;
        let mut size = self.size;
        if !lengths {
            headers.remove("x-upload-content-length");
            headers.remove("content-range");
            size = None;
        }
        let json = self.json.map(|mut json| {
            plain(&mut json);
            json
        });
        let parts = self.parts.map(|(mut metadata, media_type, content)| {
            plain(&mut metadata);
            (metadata, media_type, content)
        });
        (self.method, place, query, format!("{headers:?} {json:?} {parts:?} {size:?}"))
    }
}

/// Replaces what is another thing each time.
fn plain(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(raw) = members.get_mut("raw").filter(|raw| *raw != "$RAW") {
                let message = URL_SAFE_NO_PAD.decode(raw.as_str().unwrap()).unwrap();
                assert!(message.starts_with(b"Message-ID: <"), "a message begins with its headers");
                *raw = "$RAW".into();
            }
            members.sort_keys();
            members.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        Value::String(text) if text.len() == 64 && text.bytes().all(|c| c.is_ascii_hexdigit()) => {
            *text = "$NAME".to_owned();
        }
        _ => {}
    }
}

/// The two parts of a body.
fn parts(boundary: &str, body: &[u8]) -> (Value, String, String) {
    let body = String::from_utf8(body.to_vec()).unwrap();
    let pieces: Vec<&str> = body.split(&format!("--{boundary}")).collect();
    assert_eq!((pieces.len(), pieces[0], pieces[3]), (4, "", "--\r\n"));
    let part = |piece: &str| {
        let (head, content) = piece.trim_start_matches("\r\n").split_once("\r\n\r\n").unwrap();
        let kind = head.strip_prefix("Content-Type: ").unwrap().to_owned();
        (kind, content.strip_suffix("\r\n").unwrap().to_owned())
    };
    let ((kind, metadata), (media_type, content)) = (part(pieces[1]), part(pieces[2]));
    assert_eq!(kind, "application/json; charset=UTF-8");
    (serde_json::from_str(&metadata).unwrap(), media_type, content)
}

fn made() -> BTreeMap<String, Vec<Made>> {
    let path = std::env::var("TOOL_CONNECT_COUNTERPARTY_GOOGLE")
        .expect("TOOL_CONNECT_COUNTERPARTY_GOOGLE is not set: run this with `cargo xtask counterparty`");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[tokio::test]
#[ignore = "needs a counterparty"]
#[allow(clippy::print_stdout, reason = "how much was compared is worth reading")]
async fn counterparty_requests_are_those_of_googles_own_client() {
    let mut compared = 0;
    let mut unlike = Vec::new();
    for ((name, of_it), (of, theirs)) in cases().into_iter().zip(made()) {
        assert_eq!((&name, of_it.cases.len()), (&of, theirs.len()));
        let make = connector(&name);
        for (case, theirs) in of_it.cases.iter().zip(theirs) {
            let sent = sent(make(), case).await;
            let ours: Vec<_> = sent.iter().map(|sent| Written::of(sent).compared(case.lengths)).collect();
            let theirs: Vec<_> = theirs.requests.into_iter().map(|one| one.compared(case.lengths)).collect();
            compared += ours.len();
            if ours != theirs {
                unlike.push(format!("{}:\n  ours   {ours:?}\n  theirs {theirs:?}", case.tool));
            }
        }
    }
    println!("{compared} requests compared with those of Google's client, {} calls unlike", unlike.len());
    assert!(unlike.is_empty(), "{}", unlike.join("\n"));
    assert!(compared >= 100, "{compared}");
}

#[test]
#[ignore = "needs a counterparty"]
#[allow(clippy::print_stdout, reason = "how much was compared is worth reading")]
fn counterparty_every_scope_of_a_tool_is_enough_for_its_methods() {
    let mut compared = 0;
    for ((name, of_it), (_, theirs)) in cases().into_iter().zip(made()) {
        let mut set = tool_connect_core::ToolSet::default();
        connector(&name)().tools(&mut set);
        let tools = set.into_tools();
        for (case, theirs) in of_it.cases.iter().zip(theirs) {
            let tool = tools.iter().find(|tool| tool.definition().name == case.tool).unwrap();
            for accepted in &theirs.scopes {
                // Whatever a connection was granted of those that do, the method takes it.
                let enough = |scope: &str| scope.split('|').all(|one| accepted.contains(one));
                let scopes = &tool.definition().scopes;
                assert!(
                    scopes.iter().any(|scope| enough(scope)),
                    "{}: {scopes:?} and {accepted:?}",
                    case.tool
                );
                compared += 1;
            }
        }
    }
    println!("the scopes of {compared} calls of methods");
}
