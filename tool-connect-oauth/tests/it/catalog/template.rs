//! What a connection's configuration may and may not do to an address.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tool_connect_core::ErrorKind;
use tool_connect_oauth::catalog::{Catalog, ProviderEntry};

use super::{config, entry, toml};

/// The token endpoint with a value filled in, or why not.
fn token(entry: &ProviderEntry, value: &str) -> Result<String, String> {
    match entry.resolve(&config("site", value)) {
        Ok(provider) => Ok(provider.endpoints.token.to_string()),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Config);
            Err(error.message().to_owned())
        }
    }
}

#[test]
fn a_value_goes_where_the_address_has_it() {
    let host = entry("https://{site}.acme.example/token", "[a-z0-9-]+", "eu-1");
    assert_eq!(token(&host, "eu-1").unwrap(), "https://eu-1.acme.example/token");
    let path = entry("https://acme.example/{site}/token", "[A-Za-z0-9.]+", "Eu.1");
    assert_eq!(token(&path, "Eu.1").unwrap(), "https://acme.example/Eu.1/token");
}

#[test]
fn a_value_must_match_the_whole_pattern() {
    let entry = entry("https://{site}.acme.example/token", "eu|us", "eu");
    for value in ["", "de", "eux", "xus", "eu ", "EU", "eu\n", "eu|us"] {
        token(&entry, value).unwrap_err();
    }
    assert!(token(&entry, "us").is_ok());
}

#[test]
fn a_value_cannot_change_the_host() {
    // The pattern of a careless author: anything.
    let careless = entry("https://{site}.acme.example/token", "(?s).*", "eu");
    for value in [
        "evil.example/",
        "evil.example#",
        "evil.example?",
        "evil.example\\",
        "user@evil.example",
        "user:secret@evil.example/",
        "evil.example:443/",
        "evil.example%2f",
        "evil.example%23",
        "evil。example",
        "ｅvil",
        "évil",
        "evil\t.example",
        "evil.example/\n",
        " eu",
        "",
        ".",
        "..",
        "a..b",
        "{site}",
    ] {
        token(&careless, value).unwrap_err();
    }
    // Upper case is another spelling of the same host: one connection, one spelling.
    token(&careless, "EU").unwrap_err();
}

#[test]
fn a_host_means_what_it_says() {
    let careless = entry("https://{site}/token", "(?s).*", "acme.example");
    assert_eq!(token(&careless, "acme.example").unwrap(), "https://acme.example/token");
    // Numbers that a URL parser takes for an address inside the house, and names that it rewrites.
    for value in ["0x7f.1", "2130706433", "017700000001", "127.1", "xn--", "Acme.example"] {
        token(&careless, value).unwrap_err();
    }
}

#[test]
fn a_value_cannot_leave_its_place_in_the_path() {
    let careless = entry("https://acme.example/{site}/token", "(?s).*", "eu");
    for value in ["a/b", "a?b=c", "a#b", "..", ".", "a/../..", "%2e%2e", "a b", "a;b", "a\\b", "é"] {
        token(&careless, value).unwrap_err();
    }
    assert_eq!(token(&careless, "a.b_c~d-E").unwrap(), "https://acme.example/a.b_c~d-E/token");
}

#[test]
fn a_missing_value_is_told_with_what_to_enter_and_a_wrong_one_is_not_repeated() {
    let entry = entry("https://{site}.acme.example/token", "eu|us", "eu");
    let error = entry.resolve(&BTreeMap::new()).unwrap_err();
    for part in ["`acme`", "`site` is missing", "The account's site.", "`eu`"] {
        assert!(error.message().contains(part), "{}", error.message());
    }
    let error = entry.resolve(&config("site", "s3cret-typo")).unwrap_err();
    assert!(!format!("{error} {error:?} {}", error.public_message()).contains("s3cret-typo"));
    assert!(error.public_message().contains("`site` does not fit. The account's site."));
}

#[test]
fn a_default_stands_in_and_other_values_are_left_alone() {
    let catalog = Catalog::builtin().unwrap();
    let provider = catalog.resolve("gitlab", &config("folder", "../anything")).unwrap();
    assert_eq!(provider.endpoints.token.as_str(), "https://gitlab.com/oauth/token");
    assert_eq!(provider.issuer.as_deref(), Some("https://gitlab.com"));
    let own = catalog.resolve("gitlab", &config("host", "git.example.org")).unwrap();
    assert_eq!(own.endpoints.token.as_str(), "https://git.example.org/oauth/token");
    assert_eq!(own.issuer.as_deref(), Some("https://git.example.org"));
    assert_eq!(own.probe.unwrap().request.unwrap().url, "https://git.example.org/api/v4/user");
}

#[test]
fn only_https_is_an_address() {
    for (address, why) in [
        ("http://acme.example/token", "must be `https`"),
        ("ftp://acme.example/token", "must be `https`"),
        ("javascript:alert(1)", "has no host"),
        ("data:text/html,x", "has no host"),
        ("file:///etc/passwd", "has no host"),
        ("acme.example/token", "is no address"),
        ("https://user:secret@acme.example/token", "user name or a password"),
        ("https://acme.example/token#x", "fragment"),
        ("https://Acme.example/token", "lower case"),
        ("https://acme.example/a/../token", "path"),
        ("https://acme.example\\token", "lower case"),
        ("https://{nowhere}.acme.example/token", "`{nowhere}`"),
        ("https://{site.acme.example/token", "without its `}`"),
    ] {
        let text = toml("").replace("https://acme.example/token", &address.replace('\\', "\\\\"));
        let error = ProviderEntry::from_toml(&text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().contains(why), "{address}: {}", error.message());
        assert!(error.message().contains("`endpoints.token`"), "{address}: {}", error.message());
    }
}

#[test]
fn plain_http_is_for_this_machine_and_only_where_the_entry_says_so() {
    for address in ["http://127.0.0.1:8080/token", "http://[::1]:8080/token", "http://localhost/token"] {
        let text = toml("").replace("https://acme.example/token", address);
        let error = ProviderEntry::from_toml(&text).unwrap_err();
        assert!(error.message().contains("allow_loopback = true"), "{}", error.message());
        let text = toml("allow_loopback = true").replace("https://acme.example/token", address);
        let provider = ProviderEntry::from_toml(&text).unwrap().resolve(&BTreeMap::new()).unwrap();
        assert_eq!(provider.endpoints.token.as_str(), address);
    }
    for address in
        ["http://acme.example/token", "http://10.0.0.1/token", "http://localhost.evil.example/token"]
    {
        let text = toml("allow_loopback = true").replace("https://acme.example/token", address);
        let error = ProviderEntry::from_toml(&text).unwrap_err();
        assert!(error.message().contains("must be `https`"), "{address}: {}", error.message());
    }
}

#[test]
fn a_client_id_goes_into_a_revocation_address_as_one_segment() {
    let provider = Catalog::builtin().unwrap().resolve("github", &BTreeMap::new()).unwrap();
    assert_eq!(
        provider.revocation_url("Iv1.8a61-f9").unwrap().as_str(),
        "https://api.github.com/applications/Iv1.8a61-f9/grant"
    );
    assert_eq!(
        provider.revocation_url("a/../b?c#d@e").unwrap().as_str(),
        "https://api.github.com/applications/a%2F..%2Fb%3Fc%23d%40e/grant"
    );
    provider.revocation_url("..").unwrap_err();
    let error = Catalog::builtin().unwrap().resolve("google", &BTreeMap::new()).unwrap();
    assert_eq!(error.revocation_url("id").unwrap_err().kind(), ErrorKind::Unsupported);
}

proptest! {
    /// Whatever somebody enters, in whichever builtin entry: the host is the provider's, and the path has its shape.
    #[test]
    fn no_value_leads_elsewhere(value in "\\PC{0,24}|[a-z0-9.-]{1,40}|[./@#?%:\\\\a-z]{1,12}") {
        for entry in Catalog::builtin().unwrap().iter().filter(|entry| !entry.parameters.is_empty()) {
            let values = entry.parameters.keys().map(|name| (name.clone(), value.clone())).collect();
            let Ok(provider) = entry.resolve(&values) else { continue };
            for (name, endpoint) in provider.endpoints.iter() {
                let template = entry.endpoints.iter().find(|(key, _)| *key == name).unwrap().1;
                let expected = entry.parameters.keys().fold(template.clone(), |text, name| {
                    text.replace(&format!("{{{name}}}"), &value)
                });
                prop_assert_eq!(endpoint.as_str(), expected.as_str());
                prop_assert_eq!(endpoint.scheme(), "https");
                prop_assert_eq!((endpoint.username(), endpoint.password(), endpoint.port()), ("", None, None));
                let segments = template.matches('/').count();
                prop_assert_eq!(endpoint.as_str().matches('/').count(), segments);
            }
        }
    }
}
