//! `proxy`: the API's address, what goes into each request, when to try again, how lists go on, and how to see that it works.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::report::Reason;
use super::template::pointer;
use super::work::Work;
use crate::catalog::quirks::Method;

/// What a file says of a provider's API. `{name}` stands for a value of the connection's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ApiFacts {
    /// Where the API is.
    pub base_url: Option<String>,
    /// Headers of every request, without secrets.
    pub headers: BTreeMap<String, String>,
    /// Parameters of every request, without secrets.
    pub query: BTreeMap<String, String>,
    /// When to try again.
    pub retry: Option<RetryHints>,
    /// How lists go on.
    pub pages: Option<PageWalk>,
    /// Requests that succeed where the secret is good.
    pub verification: Option<Verification>,
}

/// Headers that say when to try again.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use http::HeaderMap;
/// use tool_connect_oauth::catalog::nango::NangoFile;
///
/// let file = NangoFile::parse(r#"
/// acme:
///   display_name: Acme
///   auth_mode: API_KEY
///   proxy:
///     base_url: https://api.acme.example
///     headers: { authorization: "Bearer ${apiKey}" }
///     retry: { at: [x-ratelimit-reset] }
/// "#)?;
/// let retry = file.get("acme").and_then(|acme| acme.api.retry.as_ref()).expect("hints");
/// let mut answer = HeaderMap::new();
/// answer.insert("x-ratelimit-reset", 90.into());
/// assert_eq!(retry.wait(&answer, SystemTime::UNIX_EPOCH + Duration::from_secs(60)), Some(Duration::from_secs(30)));
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RetryHints {
    /// Headers that hold seconds to wait.
    pub after: Vec<String>,
    /// Headers that hold a time, in seconds since 1970.
    pub at: Vec<String>,
    /// A header that holds how many requests are left.
    pub remaining: Option<String>,
    /// Statuses after which to try again, beside 429.
    pub statuses: Vec<u16>,
    /// The same for whole classes of statuses, by their first digit: 5 for all from 500 to 599.
    pub status_classes: Vec<u16>,
}

impl RetryHints {
    /// How long an answer's headers ask to wait; `None` where they do not.
    #[must_use]
    pub fn wait(&self, headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
        let seconds = |name: &String| {
            let text = headers.get(name.as_str())?.to_str().ok()?;
            Duration::try_from_secs_f64(text.trim().parse().ok()?).ok()
        };
        let until = |since: Duration| {
            Some(SystemTime::UNIX_EPOCH.checked_add(since)?.duration_since(now).unwrap_or_default())
        };
        self.after.iter().find_map(seconds).or_else(|| self.at.iter().find_map(seconds).and_then(until))
    }
}

/// How a list goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PageWalk {
    /// What leads to the next page.
    pub pages: Pages,
    /// JSON pointer (RFC 6901) to the items; the whole answer where unset.
    pub items: Option<String>,
    /// The parameter that says how many items a page has.
    pub limit_parameter: Option<String>,
    /// How many it should have.
    pub limit: Option<u64>,
    /// Whether parameters stand in the body.
    pub in_body: bool,
}

/// What leads to the next page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Pages {
    /// An address, in a `Link` header (RFC 8288) or in the answer.
    Link {
        /// The relation in the header.
        rel: Option<String>,
        /// JSON pointer to it in the answer.
        pointer: Option<String>,
    },
    /// A text that is sent back.
    Cursor {
        /// JSON pointer to it in the answer.
        pointer: String,
        /// The parameter that sends it back.
        parameter: String,
    },
    /// A number.
    Offset {
        /// The parameter that holds it.
        parameter: String,
        /// The first one.
        start: u64,
        /// By how much it grows.
        step: OffsetStep,
    },
}

/// By how much an offset grows with a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OffsetStep {
    /// By the items that came.
    #[default]
    Items,
    /// By one: it counts pages.
    Pages,
}

/// A request that succeeds where the secret is good; of several addresses any may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Verification {
    /// Method.
    pub method: Method,
    /// Paths below `base_url`.
    pub paths: Vec<String>,
    /// Instead of the API's.
    pub base_url: Option<String>,
    /// Headers beside the API's.
    pub headers: BTreeMap<String, String>,
    /// JSON body.
    pub json: Option<Value>,
}

impl Work {
    /// Everything but headers and parameters, which may hold secrets.
    pub(super) fn facts(&mut self) -> ApiFacts {
        let facts = ApiFacts {
            base_url: self.address("proxy.base_url"),
            retry: self.retry(),
            pages: self.pages(),
            verification: self.verification(),
            ..ApiFacts::default()
        };
        // Answers are decompressed by whoever sends requests.
        self.take("proxy.decompress");
        if self.flag("proxy.forward_headers_on_redirect") {
            let why = "secrets do not follow a redirect to another host";
            self.missing("proxy.forward_headers_on_redirect", Reason::Transport, why);
        }
        facts
    }

    /// Headers or parameters that are left, without those that hold anything but the configuration.
    pub(super) fn plain(&mut self, key: &str, raw: BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut plain = BTreeMap::new();
        for (name, text) in raw {
            let place = format!("{key}.{name}");
            if let Some(filled) = self.filled(&place, &text) {
                self.expressed(&place);
                plain.insert(name, filled);
            }
        }
        plain
    }

    fn retry(&mut self) -> Option<RetryHints> {
        let mut hints = RetryHints {
            after: self.texts("proxy.retry.after"),
            at: self.texts("proxy.retry.at"),
            remaining: self.text("proxy.retry.remaining"),
            ..RetryHints::default()
        };
        for code in self.texts("proxy.retry.error_code") {
            let class = code.strip_suffix("xx").and_then(|digit| digit.parse::<u16>().ok());
            match (class, code.parse::<u16>()) {
                (Some(class), _) => hints.status_classes.push(class),
                (None, Ok(status)) => hints.statuses.push(status),
                (None, Err(_)) => {
                    self.missing("proxy.retry.error_code", Reason::Type, format!("`{code}` is no status"));
                }
            }
        }
        if self.take("proxy.retry.in_body").is_some() {
            let why = "says when to try again in the body; hints here are headers";
            self.missing("proxy.retry.in_body", Reason::Transport, why);
        }
        let any = hints != RetryHints::default();
        if any {
            self.expressed("proxy.retry");
        }
        any.then_some(hints)
    }

    fn pages(&mut self) -> Option<PageWalk> {
        let key = |name: &str| format!("proxy.paginate.{name}");
        let kind = self.text(&key("type"));
        let path = |work: &mut Self, name: &str| work.text(&key(name)).map(|path| pointer(&path));
        let pages = match kind.as_deref() {
            None => None,
            Some("link") => {
                let rel = self.text(&key("link_rel_in_response_header"));
                let pointer = path(self, "link_path_in_response_body");
                (rel.is_some() || pointer.is_some()).then_some(Pages::Link { rel, pointer })
            }
            Some("cursor") => {
                let pointer = path(self, "cursor_path_in_response");
                let parameter = self.text(&key("cursor_name_in_request"));
                pointer.zip(parameter).map(|(pointer, parameter)| Pages::Cursor { pointer, parameter })
            }
            Some("offset") => {
                let start = self.number(&key("offset_start_value")).unwrap_or(0);
                let step = match self.text(&key("offset_calculation_method")).as_deref() {
                    Some("per-page") => OffsetStep::Pages,
                    _ => OffsetStep::Items,
                };
                let parameter = self.text(&key("offset_name_in_request"));
                parameter.map(|parameter| Pages::Offset { parameter, start, step })
            }
            Some(_) => None,
        };
        let items = path(self, "response_path");
        let limit_parameter = self.text(&key("limit_name_in_request"));
        let limit = self.texts(&key("limit")).first().and_then(|limit| limit.parse().ok());
        let in_body = self.flag(&key("in_body"));
        match (kind, pages) {
            (None, _) => None,
            (Some(_), Some(pages)) => {
                self.expressed("proxy.paginate");
                Some(PageWalk { pages, items, limit_parameter, limit, in_body })
            }
            (Some(kind), None) => {
                let why = format!("`{kind}` is no known way to page, or lacks what it needs");
                self.missing("proxy.paginate", Reason::Type, why);
                None
            }
        }
    }

    fn verification(&mut self) -> Option<Verification> {
        let key = |name: &str| format!("proxy.verification.{name}");
        let mut raw = self.texts(&key("endpoints"));
        raw.extend(self.text(&key("endpoint")));
        let method = self.text(&key("method"));
        let headers = self.pairs(&key("headers"));
        let json = self.take(&key("data"));
        let base = self.text(&key("base_url_override"));
        if raw.is_empty() {
            return None;
        }
        let method = match method.as_deref() {
            None | Some("GET") => Method::Get,
            Some("POST") => Method::Post,
            Some(other) => {
                let why = format!("`{other}` is not GET or POST");
                self.missing(&key("method"), Reason::Exchange, why);
                return None;
            }
        };
        if json.as_ref().is_some_and(|json| json.to_string().contains("${")) {
            self.missing(&key("data"), Reason::Template, "holds what is only known at run time");
            return None;
        }
        let base_url = match base {
            Some(base) => Some(self.filled(&key("base_url_override"), &base)?),
            None => None,
        };
        let paths: Vec<String> = raw.iter().filter_map(|path| self.filled(&key("endpoints"), path)).collect();
        if paths.is_empty() {
            return None;
        }
        let headers = self.plain(&key("headers"), headers);
        self.expressed("proxy.verification");
        Some(Verification { method, paths, base_url, headers, json })
    }
}
