//! Connectors: a service's manifest and its tools.

use std::time::Duration;

use semver::Version;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::auth::AuthScheme;
use crate::error::Error;
use crate::tool::ToolSet;

/// A service: its manifest and its tools.
///
/// Object safe and without async: a connector says what there is, tools do the work. A host may
/// register several instances of one.
///
/// ```
/// use tool_connect_core::{AuthScheme, Connector, ConnectorManifest, ToolSet};
///
/// struct Weather(ConnectorManifest);
///
/// impl Connector for Weather {
///     fn manifest(&self) -> &ConnectorManifest {
///         &self.0
///     }
///     fn tools(&self, _set: &mut ToolSet) {
///         // set.add::<Forecast>();
///     }
/// }
///
/// let weather = Weather(
///     ConnectorManifest::new("weather", semver::Version::new(1, 0, 0), "Weather")
///         .base_url("https://api.weather.example/v1/".parse().unwrap())
///         .auth(AuthScheme::Bearer),
/// );
/// assert_eq!(weather.manifest().id, "weather");
/// ```
pub trait Connector: Send + Sync + 'static {
    /// What the service is and needs.
    fn manifest(&self) -> &ConnectorManifest;

    /// Adds the service's tools.
    fn tools(&self, set: &mut ToolSet);

    /// Turns a provider's error answer into an error of ours, where the connector knows better
    /// than the status code; `body` is capped and may hold secrets of the user, so only what is
    /// safe may enter the error. Answers of status 2xx come here where the request is
    /// [`judged`](crate::http::RequestBuilder::judged).
    fn classify(&self, parts: &http::response::Parts, body: &[u8]) -> Option<Error> {
        let _ = (parts, body);
        None
    }
}

/// What a service is and needs: data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConnectorManifest {
    /// Id, and the default instance id.
    pub id: String,
    /// Version of the connector.
    pub version: Version,
    /// Name for people.
    pub name: String,
    /// One sentence for people.
    #[serde(default)]
    pub description: String,
    /// Ways to authenticate, best first. With [`AuthScheme::None`] alone no connection is needed.
    #[serde(default = "no_auth")]
    pub auth: Vec<AuthScheme>,
    /// Where relative requests go; an instance may have its own.
    #[serde(default)]
    pub base_url: Option<Url>,
    /// Further origins of the service that the credential may go to, such as one for uploads. They are the service's own:
    /// an instance with another base URL does not use them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<Url>,
    /// What the service bears, as far as it is known ahead.
    #[serde(default)]
    pub limits: ConnectorLimits,
    /// The tool that says whose account is connected: read-only, without required arguments. It is what a health check
    /// calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<String>,
    /// For catalogues: `developer_tools`, `files`.
    #[serde(default)]
    pub category: Option<String>,
    /// An icon.
    #[serde(default)]
    pub icon: Option<Url>,
    /// Documentation for people.
    #[serde(default)]
    pub documentation: Option<Url>,
}

fn no_auth() -> Vec<AuthScheme> {
    vec![AuthScheme::None]
}

impl ConnectorManifest {
    /// A manifest without authentication, base URL and limits.
    #[must_use]
    pub fn new(id: impl Into<String>, version: Version, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            version,
            name: name.into(),
            description: String::new(),
            auth: no_auth(),
            base_url: None,
            origins: Vec::new(),
            probe: None,
            limits: ConnectorLimits::default(),
            category: None,
            icon: None,
            documentation: None,
        }
    }

    /// Sets the description.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Sets the one way to authenticate.
    #[must_use]
    pub fn auth(mut self, scheme: AuthScheme) -> Self {
        self.auth = vec![scheme];
        self
    }

    /// Sets where relative requests go.
    #[must_use]
    pub fn base_url(mut self, url: Url) -> Self {
        self.base_url = Some(url);
        self
    }

    /// Adds an origin of the service, beside its base URL's, that the credential may go to.
    #[must_use]
    pub fn origin(mut self, origin: Url) -> Self {
        self.origins.push(origin);
        self
    }

    /// Sets what the service bears.
    #[must_use]
    pub fn limits(mut self, limits: ConnectorLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Names the tool that says whose account is connected.
    #[must_use]
    pub fn probe(mut self, tool: impl Into<String>) -> Self {
        self.probe = Some(tool.into());
        self
    }

    /// Sets the category.
    #[must_use]
    pub fn category(mut self, category: impl Into<String>) -> Self {
        self.category = Some(category.into());
        self
    }

    /// Sets the icon.
    #[must_use]
    pub fn icon(mut self, icon: Url) -> Self {
        self.icon = Some(icon);
        self
    }

    /// Sets the documentation page.
    #[must_use]
    pub fn documentation(mut self, page: Url) -> Self {
        self.documentation = Some(page);
        self
    }

    /// Whether calls need a connection.
    #[must_use]
    pub fn needs_connection(&self) -> bool {
        !self.auth.is_empty() && !self.auth.contains(&AuthScheme::None)
    }
}

/// What a service bears; the request stack keeps to it and corrects it from answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ConnectorLimits {
    /// Requests per connection.
    pub requests: Option<Rate>,
    /// Calls that may run at once on the instance.
    pub concurrency: Option<u32>,
    /// Time-out of one attempt.
    #[serde(with = "crate::duration::option")]
    pub attempt_timeout: Option<Duration>,
}

impl ConnectorLimits {
    /// Sets the requests per connection.
    #[must_use]
    pub fn requests(mut self, rate: Rate) -> Self {
        self.requests = Some(rate);
        self
    }

    /// Sets how many calls may run at once.
    #[must_use]
    pub fn concurrency(mut self, calls: u32) -> Self {
        self.concurrency = Some(calls);
        self
    }

    /// Sets the time-out of one attempt.
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = Some(timeout);
        self
    }
}

/// So many in a period, with a burst.
///
/// ```
/// use std::time::Duration;
/// use tool_connect_core::Rate;
/// let rate: Rate = serde_json::from_str(r#"{"permits": 100, "period": "1m"}"#).unwrap();
/// assert_eq!(rate, Rate::new(100, Duration::from_secs(60)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// How many.
    pub permits: u32,
    /// In how long; text such as `1m` or `2h 30m`.
    #[serde(with = "crate::duration")]
    pub period: Duration,
    /// How many at once after a rest; as many as `permits` where unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
}

impl Rate {
    /// So many in a period.
    #[must_use]
    pub const fn new(permits: u32, period: Duration) -> Self {
        Self { permits, period, burst: None }
    }

    /// So many a second.
    #[must_use]
    pub const fn per_second(permits: u32) -> Self {
        Self::new(permits, Duration::from_secs(1))
    }

    /// So many a minute.
    #[must_use]
    pub const fn per_minute(permits: u32) -> Self {
        Self::new(permits, Duration::from_secs(60))
    }

    /// Sets how many may come at once after a rest.
    #[must_use]
    pub const fn burst(mut self, burst: u32) -> Self {
        self.burst = Some(burst);
        self
    }
}
