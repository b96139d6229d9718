//! The connector: its manifest and what an app's author allows.

use std::time::Duration;

use http::{HeaderName, Method};
use semver::Version;
use tool_connect_core::{AuthScheme, Connector, ConnectorManifest, Error, ErrorKind, Result, ToolSet};
use url::Url;

use super::origin::Origin;
use super::request::{ReadRequest, Request};
use super::rules::{Inner, Rules};

/// One guarded request tool, kept to the hosts and methods that are named here.
///
/// With methods that only read (GET, HEAD, OPTIONS: the default is GET and HEAD) the tool is
/// annotated as a read; with any other it counts as a write that may destroy.
///
/// ```
/// use http::Method;
/// use tool_connect_connectors::http::Http;
/// use tool_connect_core::{AuthScheme, Connector, ToolSet};
///
/// let http = Http::builder()
///     .id("tickets")
///     .base_url("https://api.example.com/v2")
///     .allow_host("*.example.com")
///     .allow_methods([Method::GET, Method::POST])
///     .auth(AuthScheme::Bearer)
///     .build()?;
/// let mut set = ToolSet::default();
/// http.tools(&mut set);
/// assert_eq!(set.tools()[0].definition().name, "request");
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Http {
    manifest: ConnectorManifest,
    rules: Rules,
}

impl Http {
    /// Nothing is allowed yet but GET and HEAD, and no host.
    pub fn builder() -> HttpBuilder {
        HttpBuilder {
            id: "http".to_owned(),
            name: "HTTP".to_owned(),
            description: "Sends HTTP requests to allowed hosts.".to_owned(),
            hosts: Vec::new(),
            methods: vec![Method::GET, Method::HEAD],
            base_url: None,
            auth: Vec::new(),
            idempotency_header: None,
            inline_bytes: 64 * 1024,
            max_bytes: 8 * 1024 * 1024,
            keep: Duration::from_secs(60 * 60),
        }
    }
}

impl Connector for Http {
    fn manifest(&self) -> &ConnectorManifest {
        &self.manifest
    }

    fn tools(&self, set: &mut ToolSet) {
        let reads_only = self.rules.get().methods.iter().all(Method::is_safe);
        let mut tools = set.with(self.rules.clone());
        if reads_only {
            tools.add::<ReadRequest>();
        } else {
            tools.add::<Request>();
        }
    }
}

/// Says what an [`Http`] instance allows.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct HttpBuilder {
    id: String,
    name: String,
    description: String,
    hosts: Vec<String>,
    methods: Vec<Method>,
    base_url: Option<String>,
    auth: Vec<AuthScheme>,
    idempotency_header: Option<String>,
    inline_bytes: u64,
    max_bytes: u64,
    keep: Duration,
}

impl HttpBuilder {
    /// Sets the connector's id, which is the default instance id; `http` by default.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Sets name and description for people.
    pub fn about(mut self, name: impl Into<String>, description: impl Into<String>) -> Self {
        self.name = name.into();
        self.description = description.into();
        self
    }

    /// Sets where relative URLs go. Its host is allowed; the credential goes to its origin alone.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Allows a host: `api.example.com`, everything below one as `*.example.com`, another port as
    /// `api.example.com:8443`, or without TLS as `http://localhost:8080`.
    ///
    /// The host's address guard has the last word: addresses inside of private networks, and hosts
    /// without TLS, must be allowed there, too.
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// Sets the allowed methods, instead of GET and HEAD: any of GET, HEAD, OPTIONS, POST, PUT,
    /// PATCH, DELETE.
    pub fn allow_methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.methods.clear();
        for method in methods {
            self = self.allow_method(method);
        }
        self
    }

    /// Allows one method more.
    pub fn allow_method(mut self, method: Method) -> Self {
        if !self.methods.contains(&method) {
            self.methods.push(method);
        }
        self
    }

    /// Adds a way to authenticate, best first; without one no connection is needed.
    pub fn auth(mut self, scheme: AuthScheme) -> Self {
        self.auth.push(scheme);
        self
    }

    /// Hands the call's idempotency key on in this header, usually `Idempotency-Key`: only for a
    /// service that keeps to it, since requests with one may be repeated.
    pub fn idempotency_header(mut self, name: impl Into<String>) -> Self {
        self.idempotency_header = Some(name.into());
        self
    }

    /// Longest body that comes in place, in bytes; 64 KiB by default. Longer ones come by handle.
    pub fn max_inline_bytes(mut self, bytes: u64) -> Self {
        self.inline_bytes = bytes;
        self
    }

    /// Largest body that is taken at all, in bytes; 8 MiB by default.
    pub fn max_response_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How long a handle stays good; one hour by default.
    pub fn keep_handles(mut self, keep: Duration) -> Self {
        self.keep = keep;
        self
    }

    /// Checks what was said.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where no host or no method is allowed, or one of them, the base URL or a
    /// header's name is malformed.
    pub fn build(self) -> Result<Http> {
        let config = |message: String| Error::new(ErrorKind::Config, message);
        let mut origins = self.hosts.iter().map(|host| Origin::parse(host)).collect::<Result<Vec<_>>>()?;
        let base_url = self.base_url.as_deref().map(parse_base).transpose()?;
        let base_origin = base_url.as_ref().and_then(Origin::of).filter(|origin| !origins.contains(origin));
        if let Some(origin) = base_origin {
            origins.insert(0, origin);
        }
        if origins.is_empty() {
            return Err(config("no host is allowed; name one with `allow_host` or `base_url`".to_owned()));
        }
        if self.methods.is_empty() {
            return Err(config("no method is allowed; name one with `allow_method`".to_owned()));
        }
        let known = [
            Method::GET,
            Method::HEAD,
            Method::OPTIONS,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ];
        if let Some(method) = self.methods.iter().find(|method| !known.contains(method)) {
            return Err(config(format!(
                "method `{method}` cannot be allowed; the tool knows none beyond PATCH and DELETE"
            )));
        }
        let idempotency_header = self.idempotency_header.as_deref().map(header_name).transpose()?;
        let mut credential_headers = Vec::new();
        let mut credential_params = Vec::new();
        for scheme in &self.auth {
            match scheme {
                AuthScheme::ApiKeyHeader { header, .. } => credential_headers.push(header_name(header)?),
                AuthScheme::ApiKeyQuery { parameter } => credential_params.push(parameter.clone()),
                _ => {}
            }
        }
        let mut manifest = ConnectorManifest::new(self.id, Version::new(1, 0, 0), self.name)
            .description(self.description)
            .category("developer_tools");
        if !self.auth.is_empty() {
            manifest.auth = self.auth;
        }
        manifest.base_url.clone_from(&base_url);
        let rules = Rules::new(Inner {
            origins,
            methods: self.methods,
            base_url,
            credential_headers,
            credential_params,
            idempotency_header,
            inline_bytes: self.inline_bytes,
            max_bytes: self.max_bytes,
            keep: self.keep,
        });
        Ok(Http { manifest, rules })
    }
}

fn parse_base(text: &str) -> Result<Url> {
    let wrong = |why: String| Error::new(ErrorKind::Config, format!("the base URL is not usable: {why}"));
    let url = Url::parse(text).map_err(|e| wrong(e.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("only http and https can be sent".to_owned()));
    }
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if plain {
        Ok(url)
    } else {
        Err(wrong("it must not hold a user, a password, a query or a fragment".to_owned()))
    }
}

fn header_name(name: &str) -> Result<HeaderName> {
    HeaderName::try_from(name).map_err(|_| {
        Error::new(ErrorKind::Config, format!("`{}` is not the name of a header", name.escape_debug()))
    })
}
