//! What one instance allows: the state of its tool.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use tool_connect_core::http::RedirectGuard;
use tool_connect_core::{Effect, Error, ErrorKind, Result};
use url::Url;

use super::origin::Origin;

/// Allowed hosts and methods, and the caps, of an [`Http`](super::Http) instance. A clone is one
/// counter.
#[derive(Clone)]
pub struct Rules(Arc<Inner>);

#[derive(Clone, Debug)]
pub(super) struct Inner {
    pub(super) origins: Vec<Origin>,
    pub(super) methods: Vec<Method>,
    pub(super) base_url: Option<Url>,
    /// Names of headers and query parameters that carry the instance's own credential.
    pub(super) credential_headers: Vec<http::HeaderName>,
    pub(super) credential_params: Vec<String>,
    /// Where to put the call's idempotency key.
    pub(super) idempotency_header: Option<http::HeaderName>,
    /// Longest body that comes in place, in bytes.
    pub(super) inline_bytes: u64,
    /// Largest body at all, in bytes.
    pub(super) max_bytes: u64,
    /// How long a handle stays good.
    pub(super) keep: Duration,
}

impl Rules {
    pub(super) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    pub(super) fn get(&self) -> &Inner {
        &self.0
    }

    /// The URL that a caller means: absolute, or relative to the base URL.
    pub(super) fn resolve(&self, target: &str) -> Result<Url> {
        let pointer = "/url";
        let url = match (Url::parse(target), &self.0.base_url) {
            (Ok(url), _) => url,
            (Err(url::ParseError::RelativeUrlWithoutBase), Some(base)) => below(base, target),
            (Err(url::ParseError::RelativeUrlWithoutBase), None) => {
                let message = "is relative, and this instance has no base URL; give an absolute URL";
                return Err(Error::invalid_argument(pointer, message));
            }
            (Err(e), _) => return Err(Error::invalid_argument(pointer, format!("is not a URL: {e}"))),
        };
        if !url.username().is_empty() || url.password().is_some() {
            let message =
                "must not hold a user name or password; the host adds the connected account's credential";
            return Err(Error::invalid_argument(pointer, message));
        }
        for (name, _) in url.query_pairs() {
            self.check_param(&name, pointer)?;
        }
        Ok(url)
    }

    /// Refuses a query parameter that stands where the host puts the credential.
    pub(super) fn check_param(&self, name: &str, pointer: &str) -> Result<()> {
        if self.0.credential_params.iter().any(|param| param.eq_ignore_ascii_case(name)) {
            let message = "carries a credential in the query; the host adds it for the connected account";
            return Err(Error::invalid_argument(pointer, message));
        }
        Ok(())
    }

    /// Refuses a URL at a host that is not allowed, and says which are.
    pub(super) fn check_host(&self, url: &Url) -> Result<()> {
        if self.0.origins.iter().any(|origin| origin.covers(url)) {
            return Ok(());
        }
        let message = format!("the URL's host is not allowed; allowed: {}", list(&self.0.origins));
        let asked = Origin::of(url).map_or_else(|| "that host".to_owned(), |origin| format!("`{origin}`"));
        let public = format!("{asked} is not allowed. Allowed: {}.", list(&self.0.origins));
        Err(Error::new(ErrorKind::Blocked, message).public(public))
    }

    /// Refuses a method that is not allowed, and says which are.
    pub(super) fn check_method(&self, method: &Method) -> Result<()> {
        if self.0.methods.contains(method) {
            return Ok(());
        }
        let allowed = list(&self.0.methods);
        Err(Error::invalid_argument(
            "/method",
            format!("is not allowed by this instance; allowed: {allowed}"),
        ))
    }

    /// Holds redirects to the same hosts.
    pub(super) fn redirect_guard(&self) -> RedirectGuard {
        let rules = self.clone();
        RedirectGuard::new(move |next| {
            let found = rules.check_host(next);
            // The first request was sent, whatever it did there.
            found.map_err(|e| e.effect(Effect::Unknown).with("reason", "the service redirected there"))
        })
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A relative target below the base URL's path; `..` goes up to the host's root at most.
fn below(base: &Url, target: &str) -> Url {
    let mut url = base.clone();
    let target = target.split_once('#').map_or(target, |(target, _)| target);
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    url.set_path(&format!("{}/{}", base.path().trim_end_matches('/'), path.trim_start_matches(['/', '\\'])));
    url.set_query(query);
    url.set_fragment(None);
    url
}

fn list(items: &[impl fmt::Display]) -> String {
    items.iter().map(|item| format!("`{item}`")).collect::<Vec<_>>().join(", ")
}
