//! Requests as GitHub wants them, and its pages: the next one is an address in the `link` header
//! (<https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api>), of which a cursor keeps what
//! says where the page begins.

use http::{HeaderName, HeaderValue, Method, header};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tool_connect_core::http::{RequestBuilder, Response};
use tool_connect_core::{Error, Page, Result, ToolContext};
use url::{Url, form_urlencoded};

/// The version of the API that the tools are written for.
const VERSION: &str = "2022-11-28";
const VERSIONED: HeaderName = HeaderName::from_static("x-github-api-version");
/// What answers are read as where a tool does not ask for another form.
pub(super) const JSON: &str = "application/vnd.github+json";
/// Query parameters that say where a page begins.
const PLACES: [&str; 4] = ["page", "after", "before", "cursor"];
/// A page of a hundred pull requests has two to three MiB.
const MOST: u64 = 8 << 20;

/// What follows `api.` in the address of GitHub, or of GitHub Enterprise Cloud with data residency; nothing at a server.
pub(super) fn cloud(base: Option<&Url>) -> Option<&str> {
    let rest = base?.host_str()?.strip_prefix("api.")?;
    (rest == "github.com" || rest.ends_with(".ghe.com")).then_some(rest)
}

/// A request with GitHub's headers.
pub(super) fn request<'a>(cx: &'a ToolContext, method: Method, path: &str) -> RequestBuilder<'a> {
    request_for(cx, method, path, JSON)
}

/// A request for an answer in another form than JSON.
pub(super) fn request_for<'a>(
    cx: &'a ToolContext,
    method: Method,
    path: impl Into<String>,
    accept: &'static str,
) -> RequestBuilder<'a> {
    let request = cx.http().request(method, path);
    let request = request.header_value(header::ACCEPT, HeaderValue::from_static(accept));
    request.header_value(VERSIONED, HeaderValue::from_static(VERSION)).max_bytes(MOST)
}

/// A request below a repository.
pub(super) fn on<'a>(
    cx: &'a ToolContext,
    method: Method,
    path: &str,
    owner: &str,
    repo: &str,
) -> RequestBuilder<'a> {
    on_for(cx, method, path, owner, repo, JSON)
}

/// A request below a repository, for an answer in another form than JSON.
pub(super) fn on_for<'a>(
    cx: &'a ToolContext,
    method: Method,
    path: &str,
    owner: &str,
    repo: &str,
    accept: &'static str,
) -> RequestBuilder<'a> {
    let path = format!("/repos/{{owner}}/{{repo}}{path}");
    request_for(cx, method, path, accept).path("owner", owner).path("repo", repo)
}

/// Asks for a page: its size, and where it begins.
pub(super) fn paged<'a>(
    request: RequestBuilder<'a>,
    size: Option<u32>,
    cursor: Option<&str>,
) -> Result<RequestBuilder<'a>> {
    let mut request = request.query("per_page", size.unwrap_or(30));
    let mut places = 0;
    for (name, value) in form_urlencoded::parse(cursor.unwrap_or_default().as_bytes()) {
        if !PLACES.contains(&&*name) {
            places = 0;
            break;
        }
        places += 1;
        request = request.query(&name, value);
    }
    if cursor.is_some() && places == 0 {
        return Err(Error::invalid_argument("/cursor", "must be the `next_cursor` of the page before"));
    }
    Ok(request)
}

/// Sends the request and reads a page that is an array.
pub(super) async fn page<T: DeserializeOwned>(request: RequestBuilder<'_>) -> Result<Page<T>> {
    page_within(request, |items| items).await
}

/// Sends the request and reads a page whose items are a member of an object.
pub(super) async fn page_within<W: DeserializeOwned, T>(
    request: RequestBuilder<'_>,
    items: impl FnOnce(W) -> Vec<T>,
) -> Result<Page<T>> {
    let response = request.send().await?;
    let next = next_of(&response);
    Ok(Page::new(items(response.json().await?), next))
}

/// Where the next page begins, as the answer says.
pub(super) fn next_of(response: &Response) -> Option<String> {
    let link = response.header("link")?;
    let next = link.split(',').find(|part| part.contains("rel=\"next\""))?;
    let address = next.split_once('<')?.1.split_once('>')?.0;
    let url = Url::parse(address).ok()?;
    let mut places = form_urlencoded::Serializer::new(String::new());
    places.extend_pairs(url.query_pairs().filter(|(name, _)| PLACES.contains(&&**name)));
    Some(places.finish()).filter(|places| !places.is_empty())
}

/// That it was done, where GitHub sends nothing back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Done {
    /// Always `true`; what fails is an error.
    pub done: bool,
}

/// Sends the request, whose answer holds nothing.
pub(super) async fn done(request: RequestBuilder<'_>) -> Result<Done> {
    request.send().await?;
    Ok(Done { done: true })
}

/// Members of a body, of which those that are left out are not sent.
#[derive(Default, Serialize)]
#[serde(transparent)]
pub(super) struct Members(Map<String, Value>);

impl Members {
    pub(super) fn with(mut self, name: &str, value: impl Serialize) -> Self {
        // Texts, numbers, lists and structs of these: each has a form in JSON.
        if let Ok(value) = serde_json::to_value(value) {
            self.0.insert(name.to_owned(), value);
        }
        self
    }

    pub(super) fn maybe(self, name: &str, value: Option<impl Serialize>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// A list, where it has items.
    pub(super) fn list(self, name: &str, items: &[impl Serialize]) -> Self {
        if items.is_empty() { self } else { self.with(name, items) }
    }
}

/// The word that stands for a value of a closed set.
pub(super) fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}
