//! Settings of requests that tools make.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use tool_connect_core::http::TransportLimits;
use tool_connect_core::{Error, ErrorKind, Result};
use tool_connect_tower::breaker::BreakerSettings;
use tool_connect_tower::retry::RetrySettings;
use url::Url;

use super::access::NetworkAccess;
use crate::request::HttpCacheSettings;

/// Settings of requests that tools make; the defaults suit a service on the internet.
///
/// ```
/// use tool_connect_hub::transport::HttpSettings;
///
/// let settings: HttpSettings = toml::from_str(r#"
///     attempt_timeout = "20s"
///     max_response_bytes = 2097152
///     access.allow = ["jira.corp.example"]
///     retry.max_attempts = 4
///     breaker = { window = { time = "1m" }, open_for = "15s" }
///     roots = { file = "/etc/ssl/corp.pem" }
/// "#).unwrap();
/// assert_eq!(settings.attempt_timeout.as_secs(), 20);
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HttpSettings {
    /// The `user-agent` of requests that set none.
    pub user_agent: String,
    /// Bound on name look-up, connect and TLS handshake; 10 s.
    #[serde(with = "tool_connect_core::duration")]
    pub connect: Duration,
    /// Bound on the time from the request sent to the answer's head; 30 s.
    #[serde(with = "tool_connect_core::duration")]
    pub head: Duration,
    /// Bound on the silence between two pieces of a body; 30 s.
    #[serde(with = "tool_connect_core::duration")]
    pub idle: Duration,
    /// Bound on one attempt up to the answer's head, credentials included; 60 s. Connectors and
    /// requests may set a shorter one.
    /// An upload that is read as it is sent is bound by its call alone.
    #[serde(with = "tool_connect_core::duration")]
    pub attempt_timeout: Duration,
    /// Cap of an answer's body in bytes, after decompression, where the request sets none; 1 MiB.
    pub max_response_bytes: u64,
    /// Cap that no request can exceed, in bytes; 64 MiB.
    pub max_response_bytes_hard: u64,
    /// How many times larger than its compressed form a body may be; counted once it is larger
    /// than 1 MiB. 100 by default.
    pub max_decompression_ratio: u32,
    /// How many redirects are followed; 5.
    pub max_redirects: u8,
    /// When failed attempts are repeated.
    pub retry: RetrySettings,
    /// How many retries per request are made in the long run; 0.2.
    pub retry_ratio: f64,
    /// How many retries a service that is called rarely gets nevertheless; 10.
    pub retry_reserve: u32,
    /// When a failing host is left alone.
    pub breaker: BreakerSettings,
    /// How long a request may wait for a provider's limit, if the call has that much time; 10 s.
    #[serde(with = "tool_connect_core::duration")]
    pub limit_wait: Duration,
    /// What the address guard lets through besides public addresses over https, for all instances.
    pub access: NetworkAccess,
    /// The proxy; none by default, whatever the environment says.
    pub proxy: ProxySettings,
    /// Whose certificates are trusted.
    pub roots: Roots,
    /// How long an unused connection is kept; 90 s.
    #[serde(with = "tool_connect_core::duration")]
    pub pool_idle: Duration,
    /// How many unused connections are kept per host; 256.
    pub pool_per_host: usize,
    /// Answers that may serve again.
    pub cache: HttpCacheSettings,
}

impl Default for HttpSettings {
    fn default() -> Self {
        let limits = TransportLimits::default();
        Self {
            user_agent: concat!("tool-connect/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect: limits.connect,
            head: limits.head,
            idle: limits.idle,
            attempt_timeout: Duration::from_secs(60),
            max_response_bytes: 1 << 20,
            max_response_bytes_hard: 64 << 20,
            max_decompression_ratio: 100,
            max_redirects: 5,
            retry: RetrySettings::default(),
            retry_ratio: 0.2,
            retry_reserve: 10,
            breaker: BreakerSettings::default(),
            limit_wait: Duration::from_secs(10),
            access: NetworkAccess::default(),
            proxy: ProxySettings::default(),
            roots: Roots::default(),
            pool_idle: Duration::from_secs(90),
            pool_per_host: 256,
            cache: HttpCacheSettings::default(),
        }
    }
}

impl HttpSettings {
    /// The bounds per phase, as a transport takes them.
    #[must_use]
    pub fn limits(&self) -> TransportLimits {
        TransportLimits { connect: self.connect, head: self.head, idle: self.idle }
    }
}

/// The proxy that requests go through.
///
/// The guard then resolves and checks every name before the proxy is asked for it. The proxy
/// resolves it once more, so it should itself refuse private networks.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
#[non_exhaustive]
pub enum ProxySettings {
    /// None, whatever the environment says. Written `none`.
    #[default]
    None,
    /// What `HTTPS_PROXY`, `http_proxy`, `ALL_PROXY` and `NO_PROXY` say when the transport is made.
    /// Written `environment`.
    Environment,
    /// This one, for all requests; it may hold a user name and a password, which are not printed.
    Url(Url),
}

impl TryFrom<String> for ProxySettings {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        match text.as_str() {
            "none" => Ok(Self::None),
            "environment" => Ok(Self::Environment),
            url => match Url::parse(url) {
                Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(Self::Url(url)),
                // The text may hold a password, so it is not repeated.
                _ => Err(Error::new(
                    ErrorKind::Config,
                    "`proxy` must be `none`, `environment` or the http(s) URL of a proxy",
                )),
            },
        }
    }
}

impl fmt::Debug for ProxySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Environment => f.write_str("Environment"),
            Self::Url(url) => write!(f, "Url({}://{}:…)", url.scheme(), url.host_str().unwrap_or_default()),
        }
    }
}

/// Whose certificates are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Roots {
    /// Those of the operating system. A bare container image has none; requests over https then
    /// fail with an error that says so.
    #[default]
    Platform,
    /// Those of the operating system and these, as PEM text.
    PlatformAnd(String),
    /// Only these, as PEM text.
    Pem(String),
    /// Only those in this PEM file, read when the transport is made.
    File(std::path::PathBuf),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_setting_is_named() {
        let error = toml::from_str::<HttpSettings>("atempt_timeout = '1s'").expect_err("a typo");
        assert!(error.to_string().contains("atempt_timeout"));
    }

    #[test]
    fn a_proxy_password_is_never_printed() {
        let settings: HttpSettings =
            toml::from_str("proxy = 'http://me:canary-7f3a@proxy.example:3128'").expect("valid settings");
        assert!(!format!("{settings:?}").contains("canary-7f3a"));
        let error = toml::from_str::<HttpSettings>("proxy = 'socks5://me:canary-7f3a@proxy.example'")
            .expect_err("an unsupported scheme");
        // The TOML error quotes its input line; ours does not repeat it.
        assert!(!error.message().contains("canary-7f3a"));
    }

    #[test]
    fn roots_are_read_in_every_form() {
        for (text, roots) in [
            ("roots = 'platform'", Roots::Platform),
            ("roots = { pem = 'x' }", Roots::Pem("x".into())),
            ("roots = { platform_and = 'x' }", Roots::PlatformAnd("x".into())),
            ("roots = { file = 'x' }", Roots::File("x".into())),
        ] {
            assert_eq!(toml::from_str::<HttpSettings>(text).expect(text).roots, roots);
        }
    }
}
