//! Requests as tools write them.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::classify::Classify;
use super::redirect::RedirectGuard;
use super::response::{ByteStream, Response};
use crate::context::{BoxFuture, CallScope};
use crate::error::{Error, ErrorKind, Result};

/// Everything but RFC 3986 §2.3 unreserved characters is encoded in a path parameter.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A request on its way into the request stack.
#[derive(Debug)]
#[non_exhaustive]
pub struct OutboundRequest {
    /// Method.
    pub method: Method,
    /// Where to; absolute.
    pub url: Url,
    /// Headers, without credentials.
    pub headers: HeaderMap,
    /// Body.
    pub body: RequestBody,
    /// How the stack shall treat it.
    pub options: RequestOptions,
}

/// A request's body.
#[non_exhaustive]
pub enum RequestBody {
    /// None.
    Empty,
    /// In memory; can be sent again.
    Bytes(Bytes),
    /// A stream and its length, where known; can be sent only once.
    Stream(ByteStream, Option<u64>),
}

impl RequestBody {
    /// A copy, if the body can be sent again.
    #[must_use]
    pub fn try_clone(&self) -> Option<Self> {
        match self {
            Self::Empty => Some(Self::Empty),
            Self::Bytes(bytes) => Some(Self::Bytes(bytes.clone())),
            Self::Stream(..) => None,
        }
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Stream(_, length) => write!(f, "Stream({length:?})"),
        }
    }
}

/// How the request stack shall treat a request.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RequestOptions {
    /// The path as it was written, with its placeholders, for metrics.
    pub template: Option<String>,
    /// Whether it may be sent again after bytes were sent; by the method where unset.
    pub repeatable: Option<bool>,
    /// Whether answers other than 2xx come back as responses instead of errors.
    pub any_status: bool,
    /// Whether to leave the credential out.
    pub anonymous: bool,
    /// Cap of the answer's body in bytes; the instance's where unset.
    pub max_bytes: Option<u64>,
    /// Time-out of one attempt; the instance's where unset.
    pub attempt_timeout: Option<Duration>,
    /// Where a redirect may lead; wherever the address guard allows where unset.
    pub redirect_guard: Option<RedirectGuard>,
    /// What this request's error answers mean, before the connector is asked.
    pub classify: Option<Classify>,
    /// Whether a 2xx answer may be an error all the same, so that its body is read whole and classified first.
    pub judged: bool,
    /// Which of the provider's limits it counts against, where the provider counts kinds of requests apart.
    pub limited_as: Option<&'static str>,
}

/// A client for one instance's service, signed for one call's connection.
///
/// Paths are relative to the instance's base URL. An absolute URL works too; the credential goes
/// with it only if it has the base URL's origin.
#[derive(Clone, Copy)]
pub struct HttpClient<'a> {
    scope: &'a dyn CallScope,
}

impl fmt::Debug for HttpClient<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpClient")
    }
}

impl<'a> HttpClient<'a> {
    pub(crate) fn new(scope: &'a dyn CallScope) -> Self {
        Self { scope }
    }

    /// A request of any method. `target` is a path with `{placeholders}`, or an absolute URL.
    pub fn request(&self, method: Method, target: impl Into<String>) -> RequestBuilder<'a> {
        RequestBuilder {
            scope: self.scope,
            method,
            target: target.into(),
            filled: None,
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: RequestBody::Empty,
            options: RequestOptions::default(),
            failed: None,
        }
    }

    /// A GET request.
    pub fn get(&self, target: &str) -> RequestBuilder<'a> {
        self.request(Method::GET, target)
    }

    /// A POST request.
    pub fn post(&self, target: &str) -> RequestBuilder<'a> {
        self.request(Method::POST, target)
    }

    /// A PUT request.
    pub fn put(&self, target: &str) -> RequestBuilder<'a> {
        self.request(Method::PUT, target)
    }

    /// A PATCH request.
    pub fn patch(&self, target: &str) -> RequestBuilder<'a> {
        self.request(Method::PATCH, target)
    }

    /// A DELETE request.
    pub fn delete(&self, target: &str) -> RequestBuilder<'a> {
        self.request(Method::DELETE, target)
    }
}

/// A request being put together; mistakes are kept and returned by the methods that send.
#[must_use = "a request does nothing until it is sent"]
pub struct RequestBuilder<'a> {
    scope: &'a dyn CallScope,
    method: Method,
    target: String,
    /// The target with values in its places, once there are any.
    filled: Option<String>,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: RequestBody,
    options: RequestOptions,
    failed: Option<Error>,
}

impl fmt::Debug for RequestBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBuilder").field("method", &self.method).finish_non_exhaustive()
    }
}

// A builder is large: where a method is inlined, it is changed and not moved.
impl<'a> RequestBuilder<'a> {
    /// Fills `{name}` in the path; the value is percent-encoded and stays one segment.
    #[inline]
    pub fn path(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.fill(name, &value);
        self
    }

    fn fill(&mut self, name: &str, value: &dyn fmt::Display) {
        if self.failed.is_none() {
            match fill(&self.target, self.filled.as_ref().unwrap_or(&self.target), name, value) {
                Ok(filled) => self.filled = Some(filled),
                Err(error) => self.failed = Some(error),
            }
        }
    }

    /// Adds a query parameter.
    #[inline]
    pub fn query(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds a query parameter if there is a value.
    #[inline]
    pub fn query_opt(self, name: &str, value: Option<impl fmt::Display>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Adds a header. Line breaks and other control characters are refused.
    #[inline]
    pub fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.append(name, value.as_ref());
        self
    }

    fn append(&mut self, name: &str, value: &str) {
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => {
                self.headers.append(name, value);
            }
            _ => self.fail(|| {
                Error::new(
                    ErrorKind::InvalidArguments,
                    format!("header `{}` has a name or value that HTTP does not allow", name.escape_debug()),
                )
            }),
        }
    }

    /// Adds a header that is made already, such as a constant one.
    #[inline]
    pub fn header_value(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Sends this value as JSON.
    pub fn json_body(mut self, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(value) {
            Ok(bytes) => {
                self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                self.body = RequestBody::Bytes(bytes.into());
            }
            Err(e) => self.fail(|| {
                Error::new(ErrorKind::InvalidArguments, format!("the body cannot be written as JSON: {e}"))
            }),
        }
        self
    }

    /// Sends these pairs as a form.
    pub fn form<K: AsRef<str>, V: AsRef<str>>(mut self, pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.headers
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        self.body = RequestBody::Bytes(text.into());
        self
    }

    /// Sends these bytes; set `content-type` yourself.
    pub fn body(mut self, bytes: impl Into<Bytes>) -> Self {
        self.body = RequestBody::Bytes(bytes.into());
        self
    }

    /// Sends a stream, once: the request is repeated only where it failed before the stream was handed to the transport.
    pub fn stream(mut self, stream: ByteStream, length: Option<u64>) -> Self {
        self.body = RequestBody::Stream(stream, length);
        self
    }

    /// Hands the provider the call's idempotency key in this header; with one, the request may be
    /// repeated.
    pub fn idempotency_header(mut self, name: &str) -> Self {
        let key = self.scope.options().idempotency_key.clone();
        if let Some(key) = key {
            self.options.repeatable = Some(true);
            return self.header(name, &*key);
        }
        self
    }

    /// Says whether the request may be sent again after bytes were sent; by default GET, HEAD,
    /// OPTIONS, PUT and DELETE may (RFC 9110 §9.2.2).
    #[inline]
    pub fn repeatable(mut self, repeatable: bool) -> Self {
        self.options.repeatable = Some(repeatable);
        self
    }

    /// Returns answers other than 2xx as responses instead of errors.
    #[inline]
    pub fn any_status(mut self) -> Self {
        self.options.any_status = true;
        self
    }

    /// Leaves the credential out.
    #[inline]
    pub fn anonymous(mut self) -> Self {
        self.options.anonymous = true;
        self
    }

    /// Sets what metrics call the request; the target as it is written by default, which must not
    /// hold a caller's values then.
    pub fn template(mut self, template: impl Into<String>) -> Self {
        self.options.template = Some(template.into());
        self
    }

    /// Caps the answer's body.
    #[inline]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.options.max_bytes = Some(bytes);
        self
    }

    /// Bounds one attempt.
    #[inline]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.options.attempt_timeout = Some(timeout);
        self
    }

    /// Lets a redirect lead only where the guard says.
    #[inline]
    pub fn redirect_guard(mut self, guard: RedirectGuard) -> Self {
        self.options.redirect_guard = Some(guard);
        self
    }

    /// Says what this request's error answers mean, before the connector's
    /// [`classify`](crate::Connector::classify) is asked.
    #[inline]
    pub fn classify(mut self, classify: Classify) -> Self {
        self.options.classify = Some(classify);
        self
    }

    /// Lets `classify` see answers of status 2xx, too: for services that report errors with a 200. The body is read whole
    /// first, and what is judged an error is treated as one: a refused credential is renewed, a limit is learned.
    ///
    /// Classifying must be cheap for a good answer, which it sees whole.
    #[inline]
    pub fn judged(mut self) -> Self {
        self.options.judged = true;
        self
    }

    /// Names the limit of the provider that the request counts against, where the provider counts some kinds of requests
    /// apart: what answers say of one limit says nothing of the others.
    #[inline]
    pub fn limited_as(mut self, limit: &'static str) -> Self {
        self.options.limited_as = Some(limit);
        self
    }

    /// Sends the request and returns the answer, its body still unread.
    ///
    /// # Errors
    /// A malformed request, any refusal of the request stack, a provider's error answer.
    pub fn send(self) -> impl Future<Output = Result<Response>> + use<'a> {
        let begun = self.begin();
        async move { begun?.await }
    }

    /// The request on its way. Nothing is sent before it is awaited. Those who await it are no async functions, for such a one
    /// would hold the builder all the while.
    pub(crate) fn begin(mut self) -> Result<BoxFuture<'a, Result<Response>>> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let scope = self.scope;
        Ok(scope.send(self.build()?))
    }

    /// Sends the request and decodes a JSON answer.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`ErrorKind::Provider`] where the answer does not fit `T`.
    pub fn json<T: DeserializeOwned>(self) -> impl Future<Output = Result<T>> + use<'a, T> {
        let begun = self.accept_json().begin();
        async move { begun?.await?.json().await }
    }

    /// Asks for JSON where no `accept` header is set.
    #[inline]
    pub(crate) fn accept_json(mut self) -> Self {
        self.headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        self
    }

    /// Sends the request and reads the answer as text.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`ErrorKind::Provider`] where the answer is not UTF-8.
    pub fn text(self) -> impl Future<Output = Result<String>> + use<'a> {
        let begun = self.begin();
        async move { begun?.await?.text().await }
    }

    /// Sends the request and reads the answer's bytes.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`ErrorKind::TooLarge`] above the cap.
    pub fn bytes(self) -> impl Future<Output = Result<Bytes>> + use<'a> {
        let begun = self.begin();
        async move { begun?.await?.bytes().await }
    }

    fn fail(&mut self, error: impl FnOnce() -> Error) {
        if self.failed.is_none() {
            self.failed = Some(error());
        }
    }

    fn build(self) -> Result<OutboundRequest> {
        let path = self.filled.as_ref().unwrap_or(&self.target);
        complete(&self.target, path)?;
        let mut url = resolve(self.scope.base_url(), path)?;
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        let mut options = self.options;
        options.template.get_or_insert(self.target);
        Ok(OutboundRequest { method: self.method, url, headers: self.headers, body: self.body, options })
    }
}

/// Puts a value, encoded, into the places of its name. What is encoded holds no brace, so that no value makes a place. Errors
/// show the target as it was written, without values.
fn fill(target: &str, path: &str, name: &str, value: &dyn fmt::Display) -> Result<String> {
    struct Encoded<'a>(&'a mut String);

    impl fmt::Write for Encoded<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.extend(utf8_percent_encode(text, SEGMENT));
            Ok(())
        }
    }

    let mut out = String::with_capacity(path.len() + 32);
    let (mut rest, mut found) = (path, false);
    while let Some((before, after)) = split_at_place(rest, name) {
        out.push_str(before);
        let start = out.len();
        // Only the value's own formatting can fail.
        let written = fmt::write(&mut Encoded(&mut out), format_args!("{value}"));
        // An empty or dot segment would address another resource (RFC 3986 §5.2.4).
        if written.is_err() || matches!(out.get(start..), None | Some("" | "." | "..")) {
            return Err(Error::invalid_argument(
                format!("/{name}"),
                "must not be empty, `.` or `..`: it becomes part of a path",
            ));
        }
        (rest, found) = (after, true);
    }
    if !found {
        return Err(Error::new(ErrorKind::Config, format!("path `{target}` has no place for `{name}`")));
    }
    out.push_str(rest);
    Ok(out)
}

/// What stands before and after `{name}`.
fn split_at_place<'a>(path: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let opening =
        |(at, _)| Some((path.get(..at)?, path.get(at + 1..)?.strip_prefix(name)?.strip_prefix('}')?));
    path.match_indices('{').find_map(opening)
}

/// Whether each place of a path has its value.
fn complete(target: &str, path: &str) -> Result<()> {
    let Some((_, open)) = path.split_once('{') else { return Ok(()) };
    Err(Error::new(
        ErrorKind::Config,
        match open.split_once('}') {
            Some((name, _)) => format!("path `{target}` has no value for `{name}`"),
            None => format!("path `{target}` has an open brace"),
        },
    ))
}

/// Joins a path to the base URL, keeping the base's own path; an absolute URL stands for itself.
fn resolve(base: Option<&Url>, target: &str) -> Result<Url> {
    if target.starts_with("http://") || target.starts_with("https://") {
        return Url::parse(target)
            .map_err(|e| Error::new(ErrorKind::InvalidArguments, format!("the URL is malformed: {e}")));
    }
    let Some(base) = base else {
        return Err(Error::new(
            ErrorKind::Config,
            "the request has a relative path and the instance no base URL; set one, or ask for an absolute URL",
        ));
    };
    let mut url = base.clone();
    let (path, query) = target.split_once('?').map_or((target, None), |(p, q)| (p, Some(q)));
    // Two slashes at its beginning would be an empty segment.
    let path = path.trim_start_matches('/');
    match base.path().trim_end_matches('/') {
        "" => url.set_path(path),
        below => url.set_path(&format!("{below}/{path}")),
    }
    url.set_query(query);
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(path: &str, name: &str, value: impl fmt::Display) -> Result<String> {
        fill("the target", path, name, &value)
    }

    #[test]
    fn a_value_stays_one_segment() {
        let path = filled("/repos/{owner}/x", "owner", "a/../b?c#d%2e{x}").unwrap();
        assert_eq!(path, "/repos/a%2F..%2Fb%3Fc%23d%252e%7Bx%7D/x");
        // However it is written: piece by piece, more than once.
        assert_eq!(filled("/{a}/{b}/{a}", "a", format_args!("{}/{}", 1, 2)).unwrap(), "/1%2F2/{b}/1%2F2");
        for bad in ["", ".", ".."] {
            let error = filled("/{a}", "a", bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArguments);
        }
    }

    #[test]
    fn placeholders_and_values_must_match() {
        assert!(complete("", "/{a}").is_err());
        assert!(complete("", "/{a").is_err());
        assert!(complete("", "/a}").is_ok());
        assert!(filled("/", "a", "x").is_err());
        assert!(filled("/{ab}{a", "a", "x").is_err());
        assert_eq!(filled("/{b{a}", "a", 7).unwrap(), "/{b7");
    }

    #[test]
    fn a_mistake_is_told_without_values() {
        let target = "/{a}/{b}";
        let path = fill(target, target, "a", &"canary").unwrap();
        for error in [fill(target, &path, "c", &"x").unwrap_err(), complete(target, &path).unwrap_err()] {
            assert!(error.message().contains(target) && !error.message().contains("canary"), "{error}");
        }
    }

    #[test]
    fn the_base_keeps_its_path() {
        let base = Url::parse("https://api.example/v1").unwrap();
        assert_eq!(resolve(Some(&base), "/a?b=c").unwrap().as_str(), "https://api.example/v1/a?b=c");
        assert_eq!(resolve(Some(&base), "https://x.example/").unwrap().as_str(), "https://x.example/");
        assert!(resolve(None, "/a").is_err());
        // A path never changes the host.
        assert_eq!(resolve(Some(&base), "//evil.example/a").unwrap().host_str(), Some("api.example"));
    }
}
