//! What a host opens on purpose: names, networks, this machine.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Error, ErrorKind, Result};
use url::{Host, Url};

use super::address::{AddressKind, canonical, kind_of};

/// What the address guard lets through besides public addresses over https.
///
/// Empty by default. A host opens what it needs for development or for services on its own
/// premises, for all instances ([`HttpSettings::access`](super::HttpSettings::access)) or for one.
///
/// ```
/// use tool_connect_hub::transport::NetworkAccess;
///
/// let access: NetworkAccess = toml::from_str(r#"
///     allow = ["loopback", "jira.corp.example", "*.svc.example", "10.20.0.0/16"]
///     credentials = ["https://uploads.example.com"]
/// "#).unwrap();
/// assert_eq!(access.allow.len(), 4);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct NetworkAccess {
    /// Hosts and networks that may be asked although they are private, and without TLS.
    pub allow: Vec<HostRule>,
    /// Origins besides the base URL's that get the credential too.
    pub credentials: Vec<Url>,
}

impl NetworkAccess {
    /// Nothing but public addresses over https.
    #[must_use]
    pub fn public() -> Self {
        Self::default()
    }

    /// Opens one host or network.
    #[must_use]
    pub fn allow(mut self, rule: HostRule) -> Self {
        self.allow.push(rule);
        self
    }

    /// Opens this machine, for development.
    #[must_use]
    pub fn allow_loopback(self) -> Self {
        self.allow(HostRule::loopback())
    }

    /// Sends the credential to this origin as well.
    #[must_use]
    pub fn credentials_for(mut self, origin: Url) -> Self {
        self.credentials.push(origin);
        self
    }
}

/// One host, a family of hosts, a network, or this machine.
///
/// Written as `loopback`, a name (`jira.corp.example`), a family of names (`*.svc.example`, without
/// `svc.example` itself), an address (`10.1.2.3`) or a network (`10.20.0.0/16`, `fd12::/16`).
///
/// A name opens private and loopback addresses behind it, never metadata, link-local or reserved
/// ones: whoever owns the name's DNS entry could point it there. A network opens every address in it.
/// ```
/// use tool_connect_hub::transport::HostRule;
/// let rule: HostRule = "10.20.0.0/16".parse()?;
/// assert_eq!(rule.to_string(), "10.20.0.0/16");
/// assert!("http://x".parse::<HostRule>().is_err());
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostRule(Rule);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Rule {
    Loopback,
    Network(IpNet),
    Name { name: String, family: bool },
}

impl HostRule {
    /// This machine: loopback addresses, `localhost` and names under it.
    #[must_use]
    pub const fn loopback() -> Self {
        Self(Rule::Loopback)
    }

    /// Whether a host, as written in a URL, may be asked without TLS.
    pub(super) fn names(&self, host: &Host<&str>) -> bool {
        match host {
            Host::Domain(name) => self.matches_name(plain(name)),
            Host::Ipv4(v4) => self.holds(IpAddr::V4(*v4)),
            Host::Ipv6(v6) => self.holds(IpAddr::V6(*v6)),
        }
    }

    /// Whether an address may be asked, if `name` (where there is one) led to it.
    pub(super) fn opens(&self, name: Option<&str>, address: IpAddr) -> bool {
        self.holds(address)
            || name.is_some_and(|name| self.matches_name(plain(name)))
                && matches!(kind_of(address), AddressKind::Loopback | AddressKind::Internal(_))
    }

    fn holds(&self, address: IpAddr) -> bool {
        match &self.0 {
            Rule::Loopback => kind_of(address) == AddressKind::Loopback,
            Rule::Network(network) => network.contains(&canonical(address)),
            Rule::Name { .. } => false,
        }
    }

    fn matches_name(&self, host: &str) -> bool {
        match &self.0 {
            Rule::Loopback => is_localhost(host),
            Rule::Network(_) => false,
            Rule::Name { name, family: false } => host.eq_ignore_ascii_case(name),
            Rule::Name { name, family: true } => is_under(host, name),
        }
    }
}

/// A name without the dot of the DNS root.
pub(super) fn plain(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

/// Names that stand for this machine (RFC 6761 §6.3), whatever a resolver says.
pub(super) fn is_localhost(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || is_under(host, "localhost")
}

fn is_under(host: &str, parent: &str) -> bool {
    host.len().checked_sub(parent.len()).and_then(|at| host.split_at_checked(at)).is_some_and(
        |(head, tail)| tail.eq_ignore_ascii_case(parent) && head.len() > 1 && head.ends_with('.'),
    )
}

impl FromStr for HostRule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "loopback" {
            return Ok(Self::loopback());
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self(Rule::Network(IpNet::from(canonical(address)))));
        }
        if let Ok(network) = text.parse::<IpNet>() {
            return Ok(Self(Rule::Network(network.trunc())));
        }
        let (name, family) = text.strip_prefix("*.").map_or((text, false), |name| (name, true));
        match Host::parse(name) {
            // The parser takes `1.2.3` for an address and `a b` for nothing; both are mistakes here.
            Ok(Host::Domain(parsed)) if !name.is_empty() && !parsed.contains('*') => {
                Ok(Self(Rule::Name { name: plain(&parsed).to_owned(), family }))
            }
            _ => Err(Error::new(
                ErrorKind::Config,
                format!(
                    "`{}` is no host rule: write `loopback`, a name, `*.name`, an address or a network such as `10.0.0.0/8`",
                    text.escape_debug()
                ),
            )),
        }
    }
}

impl TryFrom<String> for HostRule {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<HostRule> for String {
    fn from(rule: HostRule) -> Self {
        rule.to_string()
    }
}

impl fmt::Display for HostRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Rule::Loopback => f.write_str("loopback"),
            Rule::Network(network) => fmt::Display::fmt(network, f),
            Rule::Name { name, family } => write!(f, "{}{name}", if *family { "*." } else { "" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> HostRule {
        text.parse().expect("a rule of this test")
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address of this test")
    }

    #[test]
    fn a_name_opens_private_addresses_but_not_metadata() {
        let rule = rule("Jira.corp.example");
        assert!(rule.opens(Some("jira.corp.example."), address("10.0.0.1")));
        assert!(rule.opens(Some("JIRA.corp.example"), address("127.0.0.1")));
        assert!(!rule.opens(Some("jira.corp.example"), address("169.254.169.254")));
        assert!(!rule.opens(Some("x.jira.corp.example"), address("10.0.0.1")));
        assert!(!rule.opens(None, address("10.0.0.1")));
    }

    #[test]
    fn a_family_holds_what_is_under_it() {
        let rule = rule("*.svc.example");
        assert!(rule.opens(Some("a.b.svc.example"), address("10.0.0.1")));
        for other in ["svc.example", ".svc.example", "evilsvc.example", "svc.example.evil"] {
            assert!(!rule.opens(Some(other), address("10.0.0.1")), "{other}");
        }
    }

    #[test]
    fn a_network_opens_its_addresses_in_every_form() {
        let rule = rule("10.20.0.0/16");
        assert!(rule.opens(None, address("10.20.3.4")));
        assert!(rule.opens(Some("x.example"), address("::ffff:10.20.3.4")));
        assert!(!rule.opens(None, address("10.21.0.1")));
        assert!(rule_text_round_trips("fd12::/16") && rule_text_round_trips("*.svc.example"));
    }

    fn rule_text_round_trips(text: &str) -> bool {
        rule(text).to_string() == text
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for text in ["", "*", "*.", "a b", "http://x", "x:80", "1.2.3", "*.*.x", "10.0.0.0/33", "x/y"] {
            let parsed = text.parse::<HostRule>();
            assert!(parsed.is_err(), "{text}: {parsed:?}");
        }
    }
}
