//! A stand-in for GitHub: one repository whose issues it remembers, with GitHub's pages, validators and refusals. Nothing of ours.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Outcome;
use super::description::Description;

pub(crate) const TOKEN: &str = "token-of-the-stand-in";

pub(crate) struct StandIn {
    port: u16,
    forge: Arc<Mutex<Forge>>,
}

#[derive(Default)]
struct Forge {
    address: String,
    issues: BTreeMap<u64, Value>,
    comments: u64,
    requests: usize,
    unchanged: usize,
    description: Option<Description>,
    /// Requests that the description does not allow.
    wrong: Vec<String>,
}

pub(crate) async fn start() -> Outcome<StandIn> {
    let description = match std::env::var_os("TOOL_CONNECT_GITHUB_DESCRIPTION") {
        Some(file) => Some(Description::read(std::path::Path::new(&file))?),
        None => None,
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let address = format!("http://127.0.0.1:{port}");
    let mut forge = Forge { description, address, ..Forge::default() };
    for title in ["Tulips are blue", "The hedge is too high", "A mole", "Rake missing", "Paint the fence"] {
        forge.open(title, None);
    }
    let forge = Arc::new(Mutex::new(forge));
    let router = Router::new().fallback(answer).with_state(Arc::clone(&forge));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(StandIn { port, forge })
}

impl StandIn {
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it saw, in a sentence or two.
    pub(crate) fn saw(&self) -> Outcome<String> {
        let forge = self.forge.lock().unwrap_or_else(PoisonError::into_inner);
        if !forge.wrong.is_empty() {
            return Err(format!("GitHub's description does not allow: {:#?}", forge.wrong).into());
        }
        let held = match &forge.description {
            Some(description) => {
                format!("each held against GitHub's description of {} operations", description.size())
            }
            None => "held against no description: TOOL_CONNECT_GITHUB_DESCRIPTION names none".to_owned(),
        };
        Ok(format!(
            "The stand-in answered {} requests, {} of them with 304 Not Modified; {held}.",
            forge.requests, forge.unchanged
        ))
    }
}

async fn answer(
    State(forge): State<Arc<Mutex<Forge>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut forge = forge.lock().unwrap_or_else(PoisonError::into_inner);
    forge.requests += 1;
    let text = |name: header::HeaderName| {
        headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    };
    if text(header::AUTHORIZATION) != format!("Bearer {TOKEN}") {
        return refused(StatusCode::UNAUTHORIZED, "Bad credentials");
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let query: BTreeMap<String, String> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let wrong = forge
        .description
        .as_ref()
        .and_then(|description| description.refuses(method.as_str(), uri.path(), &query, &body));
    if let Some(wrong) = wrong {
        forge.wrong.push(format!("{method} {uri}: {wrong}"));
        return refused(StatusCode::BAD_REQUEST, "Not as described");
    }
    let parts: Vec<&str> = uri.path().trim_matches('/').split('/').collect();
    match (method.as_str(), parts.as_slice()) {
        ("GET", ["user"]) => json_of(StatusCode::OK, &json!({"login": "ada", "id": 1, "type": "User"})),
        ("GET", ["search", "issues"]) => {
            let items: Vec<&Value> = forge.open_ones().take(number(&query, "per_page", 30)).collect();
            json_of(
                StatusCode::OK,
                &json!({"total_count": items.len(), "incomplete_results": false, "items": items}),
            )
        }
        ("GET", ["repos", "acme", "garden", "issues"]) => forge.page(&query),
        ("POST", ["repos", "acme", "garden", "issues"]) => {
            let title = body["title"].as_str().unwrap_or_default().to_owned();
            json_of(StatusCode::CREATED, &forge.open(&title, body["body"].as_str()))
        }
        (method, ["repos", "acme", "garden", "issues", number, rest @ ..]) => {
            let known = number.parse().ok().filter(|number| forge.issues.contains_key(number));
            match known {
                Some(number) => forge.of_issue(method, number, rest, &body, text(header::IF_NONE_MATCH)),
                None => refused(StatusCode::NOT_FOUND, "Not Found"),
            }
        }
        _ => refused(StatusCode::NOT_FOUND, "Not Found"),
    }
}

impl Forge {
    fn open(&mut self, title: &str, body: Option<&str>) -> Value {
        let number = self.issues.len() as u64 + 1;
        let issue = json!({
            "number": number, "title": title, "body": body, "state": "open", "labels": [], "user": {"login": "ada", "id": 1},
            "html_url": format!("{}/acme/garden/issues/{number}", self.address), "changes": 0,
        });
        self.issues.insert(number, issue.clone());
        issue
    }

    fn open_ones(&self) -> impl Iterator<Item = &Value> {
        self.issues.values().rev().filter(|issue| issue["state"] == "open")
    }

    /// A page of the open issues, and in `Link` where the next one is.
    fn page(&self, query: &BTreeMap<String, String>) -> Response {
        let (size, page) = (number(query, "per_page", 30).max(1), number(query, "page", 1).max(1));
        let all: Vec<&Value> = self.open_ones().collect();
        let pages: Vec<&[&Value]> = all.chunks(size).collect();
        let mut response = json_of(StatusCode::OK, &json!(pages.get(page - 1).copied().unwrap_or_default()));
        if page < pages.len() {
            let next = format!(
                "<{}/repositories/1/issues?per_page={size}&page={}>; rel=\"next\"",
                self.address,
                page + 1
            );
            if let Ok(next) = next.parse() {
                response.headers_mut().insert(header::LINK, next);
            }
        }
        response
    }

    fn of_issue(&mut self, method: &str, number: u64, rest: &[&str], body: &Value, known: &str) -> Response {
        let Some(issue) = self.issues.get_mut(&number) else {
            return refused(StatusCode::NOT_FOUND, "Not Found");
        };
        match (method, rest) {
            ("GET", []) => {
                let tag = format!("W/\"{number}-{}\"", issue["changes"]);
                let mut response = if tag == known {
                    self.unchanged += 1;
                    StatusCode::NOT_MODIFIED.into_response()
                } else {
                    json_of(StatusCode::OK, issue)
                };
                if let Ok(tag) = tag.parse() {
                    response.headers_mut().insert(header::ETAG, tag);
                }
                response
            }
            ("PATCH", []) => {
                for member in ["title", "body", "state", "state_reason"] {
                    if let Some(value) = body.get(member) {
                        issue[member] = value.clone();
                    }
                }
                issue["changes"] = json!(issue["changes"].as_u64().unwrap_or_default() + 1);
                json_of(StatusCode::OK, issue)
            }
            ("POST", ["labels"]) => {
                let labels = body["labels"].as_array().into_iter().flatten();
                issue["labels"] =
                    labels.map(|name| json!({"id": 1, "name": name, "color": "d73a4a"})).collect();
                json_of(StatusCode::OK, &issue["labels"])
            }
            ("POST", ["comments"]) => {
                self.comments += 1;
                let page =
                    format!("{}#comment-{}", issue["html_url"].as_str().unwrap_or_default(), self.comments);
                json_of(
                    StatusCode::CREATED,
                    &json!({"id": self.comments, "body": body["body"], "html_url": page}),
                )
            }
            _ => refused(StatusCode::NOT_FOUND, "Not Found"),
        }
    }
}

fn number(query: &BTreeMap<String, String>, name: &str, default: usize) -> usize {
    query.get(name).and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn json_of(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], body.to_string()).into_response()
}

fn refused(status: StatusCode, message: &str) -> Response {
    json_of(status, &json!({"message": message, "documentation_url": "https://docs.github.com/rest"}))
}
