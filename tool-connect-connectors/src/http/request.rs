//! `request`: one HTTP request to an allowed host. Two forms of one tool, of which an instance has
//! one: any method, or reads alone with the annotations of a read.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tool_connect_core::http::RequestBuilder;
use tool_connect_core::{Error, Result, Run, Tool, ToolArgs, ToolContext, pointer_token};

use super::answer::{HttpAnswer, read};
use super::rules::Rules;
use crate::headers::refusal;

/// Sends one HTTP request to a host that this instance allows and returns the answer, whatever its
/// status. Credentials of the connected account are added by themselves. Redirects are followed as
/// far as they stay on allowed hosts. A long or binary body comes by handle.
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(name = "request", state = Rules)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Method; GET if left out.
    #[serde(default)]
    pub method: RequestMethod,
    /// Where to: an absolute URL, or a path below the instance's base URL.
    #[schemars(length(min = 1, max = 8192))]
    pub url: String,
    /// Query parameters to add to the URL.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
    /// Headers, by name. Credentials, `Host` and headers about the connection cannot be set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Body to send as JSON; give either this or `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
    /// Body to send as text, with the `Content-Type` of `headers`; give either this or `json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Reads from a host that this instance allows and returns the answer, whatever its status.
/// Credentials of the connected account are added by themselves. Redirects are followed as far as
/// they stay on allowed hosts. A long or binary body comes by handle.
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(name = "request", state = Rules, read_only)]
#[serde(deny_unknown_fields)]
pub struct ReadRequest {
    /// Method; GET if left out.
    #[serde(default)]
    pub method: ReadMethod,
    /// Where to: an absolute URL, or a path below the instance's base URL.
    #[schemars(length(min = 1, max = 8192))]
    pub url: String,
    /// Query parameters to add to the URL.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
    /// Headers, by name. Credentials, `Host` and headers about the connection cannot be set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

/// Methods that [`Request`] knows; an instance allows some of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ToolArgs, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RequestMethod {
    /// Read.
    #[default]
    Get,
    /// Read the headers alone.
    Head,
    /// Ask what can be done.
    Options,
    /// Create, or have something done.
    Post,
    /// Create or replace.
    Put,
    /// Change in part.
    Patch,
    /// Delete.
    Delete,
}

impl From<RequestMethod> for Method {
    fn from(method: RequestMethod) -> Self {
        match method {
            RequestMethod::Get => Self::GET,
            RequestMethod::Head => Self::HEAD,
            RequestMethod::Options => Self::OPTIONS,
            RequestMethod::Post => Self::POST,
            RequestMethod::Put => Self::PUT,
            RequestMethod::Patch => Self::PATCH,
            RequestMethod::Delete => Self::DELETE,
        }
    }
}

/// Methods that change nothing (RFC 9110 §9.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ToolArgs, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ReadMethod {
    /// Read.
    #[default]
    Get,
    /// Read the headers alone.
    Head,
    /// Ask what can be done.
    Options,
}

impl From<ReadMethod> for RequestMethod {
    fn from(method: ReadMethod) -> Self {
        match method {
            ReadMethod::Get => Self::Get,
            ReadMethod::Head => Self::Head,
            ReadMethod::Options => Self::Options,
        }
    }
}

impl Run<Rules> for Request {
    type Output = HttpAnswer;

    async fn run(self, cx: &ToolContext<Rules>) -> Result<HttpAnswer> {
        let rules = cx.state()?.clone();
        let method = Method::from(self.method);
        rules.check_method(&method)?;
        let url = rules.resolve(&self.url)?;
        rules.check_host(&url)?;
        for name in self.query.keys() {
            rules.check_param(name, &format!("/query/{}", pointer_token(name)))?;
        }
        let headers = self.checked_headers(&rules)?;
        let body = self.body(&method)?;

        // Braces would be taken for placeholders of a path.
        let target = url.as_str().replace('{', "%7B").replace('}', "%7D");
        let mut request: RequestBuilder<'_> = cx
            .http()
            .request(method.clone(), &target)
            // The URL holds the caller's values, which are not for metrics.
            .template("(request)")
            .redirect_guard(rules.redirect_guard())
            .max_bytes(rules.get().max_bytes)
            .any_status();
        for (name, value) in &self.query {
            request = request.query(name, value);
        }
        let typed = headers.iter().any(|(name, _)| *name == header::CONTENT_TYPE);
        for (name, value) in &headers {
            request = request.header(name.as_str(), value);
        }
        if let Some((bytes, content_type)) = body {
            if !typed {
                request = request.header(header::CONTENT_TYPE.as_str(), content_type);
            }
            request = request.body(bytes);
        }
        if let Some(name) = rules.get().idempotency_header.as_ref().filter(|_| !method.is_safe()) {
            request = request.idempotency_header(name.as_str());
        }
        read(request.send().await?, cx, &rules, &url).await
    }
}

impl Run<Rules> for ReadRequest {
    type Output = HttpAnswer;

    async fn run(self, cx: &ToolContext<Rules>) -> Result<HttpAnswer> {
        let Self { method, url, query, headers } = self;
        Request { method: method.into(), url, query, headers, json: None, text: None }.run(cx).await
    }
}

impl Request {
    fn checked_headers(&self, rules: &Rules) -> Result<Vec<(HeaderName, String)>> {
        let own = rules.get();
        self.headers
            .iter()
            .map(|(name, value)| {
                let wrong = |message: &str| Error::invalid_argument(format!("/headers/{}", pointer_token(name)), message);
                let known = HeaderName::try_from(name).map_err(|_| wrong("is not the name of a header"))?;
                if let Some(why) = refusal(&known) {
                    return Err(wrong(why));
                }
                if own.credential_headers.contains(&known) {
                    return Err(wrong("carries a credential; the host adds it for the connected account, leave it out"));
                }
                if own.idempotency_header.as_ref() == Some(&known) {
                    return Err(wrong("is set from the call's idempotency key; leave it out"));
                }
                HeaderValue::try_from(value)
                    .map_err(|_| wrong("has a value that HTTP does not allow; line breaks and control characters cannot be sent"))?;
                Ok((known, value.clone()))
            })
            .collect()
    }

    fn body(&self, method: &Method) -> Result<Option<(Bytes, &'static str)>> {
        let (pointer, body) = match (&self.json, &self.text) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => {
                return Err(Error::invalid_argument("/text", "cannot be given together with `json`"));
            }
            (Some(json), None) => ("/json", (Bytes::from(json.to_string()), "application/json")),
            (None, Some(text)) => ("/text", (Bytes::from(text.clone()), "text/plain; charset=utf-8")),
        };
        if matches!(*method, Method::GET | Method::HEAD) {
            return Err(Error::invalid_argument(
                pointer,
                "a GET or HEAD request has no body; use another method, or `query`",
            ));
        }
        Ok(Some(body))
    }
}
