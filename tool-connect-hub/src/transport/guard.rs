//! The address guard: no request leaves for a place that the host did not mean (SSRF).

use std::net::IpAddr;

use tool_connect_core::{Effect, Error, ErrorKind, Result};
use url::{Host, Url};

use super::access::{HostRule, NetworkAccess, is_localhost, plain};
use super::address::{AddressKind, kind_of};

/// Decides where requests may go: https to public addresses, and what the host opened.
///
/// It is asked twice for each hop: about the URL, where literals are seen in every form (the URL
/// parser has made octal, hexadecimal and decimal ones plain), and about the addresses that a name
/// resolved to. A connection is made only to addresses that were checked, so a name that changes
/// its answer in between (DNS rebinding) gains nothing.
///
/// ```
/// use tool_connect_hub::transport::{Guard, NetworkAccess};
///
/// let guard = Guard::new(&NetworkAccess::public());
/// let check = |url: &str| guard.check_url(&url.parse().unwrap(), &NetworkAccess::public());
/// assert!(check("https://api.example.com/").is_ok());
/// for inwards in ["https://0x7f.1/", "https://[::ffff:169.254.169.254]/", "http://api.example.com/"] {
///     assert!(check(inwards).is_err());
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Guard {
    rules: Vec<HostRule>,
}

impl Guard {
    /// A guard that lets `access` through, besides what is public.
    #[must_use]
    pub fn new(access: &NetworkAccess) -> Self {
        Self { rules: access.allow.clone() }
    }

    /// Checks a URL before anything is resolved: scheme, user information, host. `extra` is opened
    /// too, for this URL only.
    ///
    /// # Errors
    /// [`ErrorKind::Blocked`] that says what is wrong and how a host would open it.
    pub fn check_url(&self, url: &Url, extra: &NetworkAccess) -> Result<()> {
        let (Some(host), "http" | "https") = (url.host(), url.scheme()) else {
            return Err(blocked(format!("`{}:` is no scheme for requests; use https", url.scheme())));
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(blocked(
                "the URL holds a user name or password; connect an account instead".to_owned(),
            ));
        }
        let opened = self.rules(extra).any(|rule| rule.names(&host));
        if url.scheme() == "http" && !opened {
            return Err(blocked(format!(
                "`{host}` would be asked without TLS; use https, or allow the host"
            )));
        }
        match host {
            Host::Domain(name) if is_localhost(plain(name)) && !opened => {
                Err(refused(name, AddressKind::Loopback))
            }
            Host::Domain(_) => Ok(()),
            Host::Ipv4(v4) => self.check_address(None, IpAddr::V4(v4), extra),
            Host::Ipv6(v6) => self.check_address(None, IpAddr::V6(v6), extra),
        }
    }

    /// Checks one address: a literal, or one that `name` resolved to.
    ///
    /// # Errors
    /// [`ErrorKind::Blocked`] that names the host and the kind of network.
    pub fn check_address(&self, name: Option<&str>, address: IpAddr, extra: &NetworkAccess) -> Result<()> {
        let kind = kind_of(address);
        if kind == AddressKind::Public || self.rules(extra).any(|rule| rule.opens(name, address)) {
            return Ok(());
        }
        Err(match name {
            Some(name) => refused(name, kind),
            None => refused(&address.to_string(), kind),
        })
    }

    /// Drops the addresses that may not be asked from what a name resolved to.
    ///
    /// # Errors
    /// [`ErrorKind::Blocked`] where none is left.
    pub fn keep_allowed(
        &self,
        name: &str,
        addresses: Vec<IpAddr>,
        extra: &NetworkAccess,
    ) -> Result<Vec<IpAddr>> {
        let mut refusal = None;
        let mut kept = addresses;
        kept.retain(|address| match self.check_address(Some(name), *address, extra) {
            Ok(()) => true,
            Err(error) => {
                refusal = Some(error);
                false
            }
        });
        match (kept.is_empty(), refusal) {
            (true, Some(refusal)) => Err(refusal),
            (true, None) => Err(no_address(name)),
            (false, _) => Ok(kept),
        }
    }

    fn rules<'a>(&'a self, extra: &'a NetworkAccess) -> impl Iterator<Item = &'a HostRule> {
        self.rules.iter().chain(&extra.allow)
    }
}

fn refused(host: &str, kind: AddressKind) -> Error {
    let what = kind.describe();
    blocked(format!(
        "`{host}` is or leads to {what}; if that is meant, allow it in the network access settings"
    ))
}

fn blocked(message: String) -> Error {
    Error::new(ErrorKind::Blocked, message)
}

/// The name is unknown, or knows no address.
pub(super) fn no_address(name: &str) -> Error {
    Error::new(
        ErrorKind::Transport,
        format!("the name `{name}` has no address; check its spelling and the DNS"),
    )
    .effect(Effect::NotExecuted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(access: &[&str], url: &str) -> Result<()> {
        let access =
            access.iter().fold(NetworkAccess::public(), |a, rule| a.allow(rule.parse().expect("a rule")));
        Guard::new(&access).check_url(&url.parse().expect("a URL"), &NetworkAccess::public())
    }

    #[test]
    fn literals_are_seen_in_every_form() {
        for url in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://0x7f.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[64:ff9b::a00:1]/",
            "https://[2002:a00:1::]/",
            "https://169.254.169.254/latest/meta-data",
            "https://[fd00:ec2::254]/",
            "https://100.64.0.1/",
            "https://[fe80::1]/",
            "https://0.0.0.0/",
            "https://0/",
            "https://[::]/",
            "https://224.0.0.1/",
            "https://１２７.0.0.1/",
            "https://127。0。0。1/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://a.localhost/",
        ] {
            let error = check(&[], url).expect_err(url);
            assert_eq!(error.kind(), ErrorKind::Blocked, "{url}");
            assert_eq!(error.effect_on_provider(), Effect::NotExecuted);
        }
    }

    #[test]
    fn only_https_without_user_information() {
        for url in [
            "http://api.example/",
            "ftp://api.example/",
            "https://u@api.example/",
            "https://u:p@api.example/",
        ] {
            let error = check(&[], url).expect_err(url);
            assert!(!error.to_string().contains("u:p"));
        }
        assert!(check(&[], "https://api.example:8443/a?b").is_ok());
    }

    #[test]
    fn what_is_opened_passes_and_nothing_beside_it() {
        assert!(check(&["loopback"], "http://127.0.0.1:80/").is_ok());
        assert!(check(&["loopback"], "http://localhost/").is_ok());
        assert!(check(&["loopback"], "http://[::1]/").is_ok());
        assert!(check(&["loopback"], "http://10.0.0.1/").is_err());
        assert!(check(&["10.0.0.0/8"], "http://10.2.3.4/").is_ok());
        assert!(check(&["10.0.0.0/8"], "http://api.example/").is_err(), "plain http stays closed");
        assert!(check(&["api.example"], "http://api.example/").is_ok());
        assert!(check(&["169.254.169.254"], "http://169.254.169.254/").is_ok());
    }

    #[test]
    fn refused_addresses_are_dropped_and_none_left_is_an_error() {
        let guard = Guard::default();
        let (public, inner): (IpAddr, IpAddr) = ([1, 1, 1, 1].into(), [10, 0, 0, 1].into());
        let none = NetworkAccess::public();
        assert_eq!(
            guard.keep_allowed("x.example", vec![inner, public], &none).expect("one is left"),
            [public]
        );
        let error = guard.keep_allowed("x.example", vec![inner], &none).expect_err("none is left");
        assert_eq!(error.kind(), ErrorKind::Blocked);
        let error = guard.keep_allowed("x.example", vec![], &none).expect_err("unknown name");
        assert_eq!(error.kind(), ErrorKind::Transport);
        let extra = none.allow("x.example".parse().expect("a rule"));
        assert_eq!(guard.keep_allowed("x.example", vec![inner], &extra).expect("opened"), [inner]);
    }

    proptest::proptest! {
        #[test]
        fn every_way_to_write_an_address_is_judged_alike(bits: u32) {
            let [a, b, c, d] = bits.to_be_bytes();
            let public = kind_of(std::net::Ipv4Addr::from(bits).into()) == AddressKind::Public;
            let low = u16::from_be_bytes([c, d]);
            for host in [
                format!("{a}.{b}.{c}.{d}"),
                format!("{bits}"),
                format!("{bits:#x}"),
                format!("0{bits:o}"),
                format!("0{a:o}.{b:#x}.{low}"),
                format!("[::ffff:{a}.{b}.{c}.{d}]"),
                format!("[64:ff9b::{:x}:{low:x}]", u16::from_be_bytes([a, b])),
            ] {
                let passed = check(&[], &format!("https://{host}/")).is_ok();
                proptest::prop_assert_eq!(passed, public, "{}", host);
            }
        }

        #[test]
        fn no_url_makes_it_panic(text in ".{0,60}") {
            if let Ok(url) = Url::parse(&text) {
                drop(Guard::default().check_url(&url, &NetworkAccess::public()));
            }
            drop(text.parse::<HostRule>());
        }
    }
}
