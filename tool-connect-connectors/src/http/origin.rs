//! Which hosts a request may go to.

use std::fmt;

use tool_connect_core::{Error, ErrorKind, Result};
use url::{Host, Url};

/// A scheme, a host or a family of hosts, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    scheme: String,
    host: HostRule,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostRule {
    /// This very host.
    Exactly(Host<String>),
    /// Every host below this name, at any depth; not the name itself.
    Below(String),
}

impl Origin {
    /// Reads `api.example.com`, `*.example.com`, `api.example.com:8443` or `http://localhost:8080`.
    ///
    /// Without a scheme it means https. The host is read as a URL's is, so that upper case, other
    /// spellings of an IP address and international names mean the same here and there.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let wrong = |why: &str| {
            let message = format!("`{}` is not a host to allow: {why}", text.escape_debug());
            Err(Error::new(ErrorKind::Config, message))
        };
        let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
        let (below, name) = match rest.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, rest),
        };
        let Ok(url) = Url::parse(&format!("{scheme}://{name}")) else {
            return wrong("write `api.example.com`, `*.example.com` or `http://localhost:8080`");
        };
        if !matches!(url.scheme(), "http" | "https") {
            return wrong("only http and https can be sent");
        }
        let bare = url.path() == "/" && !name.contains(['/', '?', '#', '@', '\\', '*']);
        if !bare {
            return wrong("give the host alone, without user, path or further `*`");
        }
        let host = match (url.host(), below) {
            (Some(Host::Domain(name)), true) => HostRule::Below(name.to_owned()),
            (Some(_), true) => return wrong("an IP address has no hosts below it"),
            (Some(host), false) => HostRule::Exactly(host.to_owned()),
            (None, _) => return wrong("there is no host in it"),
        };
        let Some(port) = url.port_or_known_default() else { return wrong("there is no port in it") };
        Ok(Self { scheme: url.scheme().to_owned(), host, port })
    }

    /// The origin of a URL.
    pub(super) fn of(url: &Url) -> Option<Self> {
        let host = HostRule::Exactly(url.host()?.to_owned());
        Some(Self { scheme: url.scheme().to_owned(), host, port: url.port_or_known_default()? })
    }

    /// Whether a URL is there.
    pub(super) fn covers(&self, url: &Url) -> bool {
        let host = match (&self.host, url.host()) {
            (HostRule::Exactly(allowed), Some(host)) => *allowed == host.to_owned(),
            (HostRule::Below(suffix), Some(Host::Domain(name))) => name
                .strip_suffix(suffix.as_str())
                .is_some_and(|front| front.len() > 1 && front.ends_with('.')),
            _ => false,
        };
        host && url.scheme() == self.scheme && url.port_or_known_default() == Some(self.port)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scheme != "https" {
            write!(f, "{}://", self.scheme)?;
        }
        match &self.host {
            HostRule::Exactly(host) => write!(f, "{host}")?,
            HostRule::Below(name) => write!(f, "*.{name}")?,
        }
        let usual = if self.scheme == "https" { 443 } else { 80 };
        if self.port == usual { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(rule: &str, url: &str) -> bool {
        Origin::parse(rule).unwrap().covers(&url.parse().unwrap())
    }

    #[test]
    fn scheme_host_and_port_all_count() {
        assert!(covers("api.example.com", "https://api.example.com/x?y"));
        assert!(covers("API.Example.com", "https://api.EXAMPLE.com:443/"));
        assert!(!covers("api.example.com", "http://api.example.com/"));
        assert!(!covers("api.example.com", "https://api.example.com:8443/"));
        assert!(!covers("api.example.com", "https://api.example.com.evil.example/"));
        assert!(!covers("api.example.com", "https://evil.example/api.example.com"));
        assert!(covers("http://localhost:8080", "http://localhost:8080/"));
        assert!(!covers("http://localhost:8080", "http://localhost/"));
        assert!(!covers("http://localhost:8080", "https://localhost:8080/"));
        assert!(!covers("api.example.com", "http://api.example.com:443/"));
    }

    #[test]
    fn a_star_covers_what_is_below_and_nothing_else() {
        assert!(covers("*.example.com", "https://a.b.example.com/"));
        assert!(!covers("*.example.com", "https://example.com/"));
        assert!(!covers("*.example.com", "https://evilexample.com/"));
        assert!(!covers("*.example.com", "https://.example.com/"));
    }

    #[test]
    fn spellings_of_an_address_are_one() {
        assert!(covers("http://127.0.0.1", "http://0x7f.1/"));
        assert!(covers("http://[::1]:80", "http://[0:0::1]/"));
        assert!(covers("bücher.example", "https://xn--bcher-kva.example/"));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for bad in
            ["", "*", "*.", "a/b", "user@a", "ftp://a", "*.1.2.3.4", "a.*.b", "https://", "a b", "a?x", "a#x"]
        {
            assert!(Origin::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn it_is_shown_as_it_is_written() {
        for text in ["api.example.com", "*.example.com", "api.example.com:8443", "http://localhost:8080"] {
            assert_eq!(Origin::parse(text).unwrap().to_string(), text);
        }
    }
}
