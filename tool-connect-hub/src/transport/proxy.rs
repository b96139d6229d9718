//! The proxy, where the host asks for one.

use reqwest::{NoProxy, Proxy};
use tool_connect_core::{Error, ErrorKind, Result};
use url::Url;

use super::access::HostRule;
use super::settings::ProxySettings;

/// Proxies for the client, and the hosts that they live at.
#[derive(Debug, Default)]
pub(super) struct Proxies {
    pub(super) proxies: Vec<Proxy>,
    /// Opened for the client's own connections, not for what tools ask for: a proxy is usually
    /// inside a private network.
    pub(super) hosts: Vec<HostRule>,
}

type Make = fn(Url) -> reqwest::Result<Proxy>;

impl Proxies {
    pub(super) fn new(settings: &ProxySettings) -> Result<Self> {
        let mut found = Self::default();
        match settings {
            ProxySettings::None => {}
            ProxySettings::Url(url) => found.add("proxy", url.as_str(), Proxy::all, None)?,
            ProxySettings::Environment => found.add_environment(|name| std::env::var(name).ok())?,
        }
        Ok(found)
    }

    pub(super) fn any(&self) -> bool {
        !self.proxies.is_empty()
    }

    fn add_environment(&mut self, variable: impl Fn(&str) -> Option<String>) -> Result<()> {
        // Under CGI, `HTTP_PROXY` is a header of the client (CVE-2016-5385), so only the lower-case
        // form counts, as in curl.
        let settings: [(&[&str], Make); 3] = [
            (&["HTTPS_PROXY", "https_proxy"], Proxy::https),
            (&["http_proxy"], Proxy::http),
            (&["ALL_PROXY", "all_proxy"], Proxy::all),
        ];
        let except = ["NO_PROXY", "no_proxy"].iter().find_map(|name| variable(name));
        for (names, make) in settings {
            let value =
                names.iter().find_map(|name| Some((*name, variable(name).filter(|v| !v.is_empty())?)));
            if let Some((name, value)) = value {
                self.add(name, &value, make, except.as_deref())?;
            }
        }
        Ok(())
    }

    fn add(&mut self, name: &str, value: &str, make: Make, except: Option<&str>) -> Result<()> {
        let with_scheme = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
        let url = Url::parse(&with_scheme).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let parts = url.and_then(|url| {
            let host = url.host_str()?.trim_matches(['[', ']']).parse().ok()?;
            Some((make(url).ok()?, host))
        });
        // The value may hold a password, so it is not repeated.
        let Some((proxy, host)) = parts else {
            return Err(Error::new(ErrorKind::Config, format!("`{name}` is not the http(s) URL of a proxy")));
        };
        self.proxies.push(proxy.no_proxy(except.and_then(NoProxy::from_string)));
        self.hosts.push(host);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Result<Proxies> {
        let mut found = Proxies::default();
        let look_up = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        found.add_environment(look_up).map(|()| found)
    }

    #[test]
    fn the_environment_names_proxies_and_their_hosts() {
        let found = environment(&[
            ("HTTPS_PROXY", "10.0.0.9:3128"),
            ("ALL_PROXY", "http://u:p@proxy.example"),
            ("NO_PROXY", "*.corp"),
        ])
        .expect("valid proxies");
        let hosts: Vec<_> = found.hosts.iter().map(ToString::to_string).collect();
        assert_eq!(hosts, ["10.0.0.9/32", "proxy.example"]);
        assert_eq!(found.proxies.len(), 2);
    }

    #[test]
    fn a_header_of_a_cgi_request_names_none() {
        assert!(!environment(&[("HTTP_PROXY", "http://evil.example")]).expect("ignored").any());
    }

    #[test]
    fn a_bad_proxy_is_named_without_its_value() {
        let error = environment(&[("HTTPS_PROXY", "socks5://u:canary-51@x")]).expect_err("no socks");
        assert!(error.to_string().contains("HTTPS_PROXY") && !error.to_string().contains("canary-51"));
    }
}
