//! The endpoints of the entries, held against packages that nobody here wrote.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use regex_lite::Regex;
use tool_connect_oauth::catalog::{Catalog, ProviderEntry};

use crate::counterparty::told;

/// Package, provider, endpoint: addresses.
type Packages = BTreeMap<String, BTreeMap<String, BTreeMap<String, Vec<String>>>>;

/// Under which names a package knows a provider, where it is not the entry's id.
const NAMES: &[(&str, &[&str])] = &[
    ("github_app", &["github"]),
    ("slack_user", &["slack"]),
    ("vercel_integration", &["vercel"]),
    ("microsoft", &["microsoft", "microsoft-entra-id", "azuread_tenant"]),
    ("amazon_cognito", &["amazon_cognito", "amazon-cognito", "cognito"]),
    ("bitbucket", &["bitbucket", "bitbucket_oauth2"]),
    ("clickup", &["click-up"]),
    ("clio", &["clio", "goclio"]),
    ("lightspeed_retail", &["vend"]),
    ("linkedin", &["linkedin", "linkedin_oauth2"]),
    ("openstreetmap", &["openstreetmap2", "openstreetmap_oauth2"]),
    ("quickbooks", &["quickbooks", "intuit"]),
    ("tumblr", &["tumblr", "tumblr_oauth2"]),
    ("vimeo", &["vimeo", "vimeo_oauth2"]),
    ("wechat", &["wechat", "weixin"]),
    ("wikimedia", &["wikimedia", "mediawiki"]),
    ("x", &["twitter", "twitter2", "twitter_oauth2"]),
];

/// The endpoints that every package has.
const COMPARED: &[&str] = &["authorize", "token"];
/// How many must agree.
const ENOUGH: usize = 2;

/// A pattern for an address in which `{..}` may be anything within a host's name or a segment. Where a package knows no host,
/// `{host}` may also be followed by the beginning of a path.
fn pattern(address: &str) -> Regex {
    let mut text = String::from("^");
    let mut rest = address.trim_end_matches('/');
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').expect("the scripts write whole names");
        text.push_str(&regex_lite::escape(before));
        text.push_str(if name == "host" { "[a-z0-9.-]+(/[a-z0-9.-]+)?" } else { "[a-z0-9.-]+" });
        rest = behind;
    }
    text.push_str(&regex_lite::escape(rest));
    Regex::new(&format!("{text}$")).unwrap()
}

/// Whether an address of a package is that of the entry, with its default or its example.
fn agrees(entry: &ProviderEntry, endpoint: &str, address: &str) -> bool {
    let pattern = pattern(address);
    let defaults = entry.parameters.iter().filter_map(|(name, parameter)| {
        Some((name.clone(), parameter.default.clone().or_else(|| Some(parameter.example.clone()))?))
    });
    [defaults.collect(), entry.example_config()].into_iter().any(|config| {
        let provider = entry.resolve(&config).unwrap();
        let ours =
            provider.endpoints.iter().find(|(name, _)| *name == endpoint).map(|(_, url)| url.to_string());
        ours.is_some_and(|ours| pattern.is_match(ours.trim_end_matches('/')))
    })
}

/// Packages that agree and packages that say something else.
fn compare<'p>(
    packages: &'p Packages,
    entry: &ProviderEntry,
    endpoint: &str,
) -> (Vec<&'p str>, Vec<&'p str>) {
    let own = [entry.id.as_str()];
    let names = NAMES.iter().find(|(id, _)| *id == entry.id).map_or(&own[..], |(_, names)| names);
    let (mut with, mut against) = (Vec::new(), Vec::new());
    for (package, providers) in packages {
        let addresses: Vec<&String> =
            names.iter().filter_map(|name| providers.get(*name)?.get(endpoint)).flatten().collect();
        if addresses.iter().any(|address| agrees(entry, endpoint, address)) {
            with.push(package.as_str());
        } else if !addresses.is_empty() {
            against.push(package.as_str());
        }
    }
    (with, against)
}

/// The table, and what is wrong with it.
fn judge(packages: &Packages, catalog: &Catalog) -> (String, Vec<String>) {
    let mut table = String::new();
    let mut wrong = Vec::new();
    for entry in catalog.iter() {
        for endpoint in COMPARED {
            let (with, against) = compare(packages, entry, endpoint);
            let explained = entry.disagreement.get(*endpoint);
            let place = format!("{}: {endpoint}", entry.id);
            match (with.len() >= ENOUGH, explained) {
                (false, None) => wrong.push(format!("{place}: agrees with {with:?} only, and says not why")),
                (true, Some(_)) => wrong.push(format!("{place}: explains a disagreement that there is not")),
                _ => {}
            }
            let verdict = if explained.is_some() { "explained" } else { "agrees" };
            let _ = writeln!(
                table,
                "{:<20} {endpoint:<10} {verdict:<10} with {:<58} against {}",
                entry.id,
                with.join(", "),
                against.join(", ")
            );
        }
    }
    (table, wrong)
}

#[test]
#[ignore = "needs a counterparty"]
#[expect(clippy::print_stdout, reason = "the table is for whoever reads the run")]
fn counterparty_packages_agree_with_the_endpoints_of_every_entry_or_it_says_why() {
    let path = told("TOOL_CONNECT_COUNTERPARTY_ENDPOINTS");
    let packages: Packages = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for package in ["@auth/core", "arctic", "django-allauth", "grant", "social-auth-core"] {
        assert!(packages.get(package).is_some_and(|known| known.len() > 20), "{package} tells too little");
    }
    let (table, wrong) = judge(&packages, &Catalog::builtin().unwrap());
    println!("{table}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The page's last column: how many agree with the authorization and with the token endpoint.
    let catalog = Catalog::builtin().unwrap();
    for (id, cells) in super::page::rows().iter().filter(|(_, cells)| cells.len() == 8) {
        let entry = catalog.get(id).unwrap();
        let counts = COMPARED.iter().map(|endpoint| compare(&packages, entry, endpoint).0.len().to_string());
        assert_eq!(cells[7], counts.collect::<Vec<_>>().join(", "), "docs/providers.md, {id}");
    }
}

fn packages(addresses: &[(&str, &str)]) -> Packages {
    let token = |address: &str| BTreeMap::from([("token".to_owned(), vec![address.to_owned()])]);
    addresses
        .iter()
        .map(|(package, address)| {
            ((*package).to_owned(), BTreeMap::from([("acme".to_owned(), token(address))]))
        })
        .collect()
}

#[test]
fn agreement_is_counted_by_address_and_an_explanation_must_be_needed() {
    let mut entry = super::entry("https://{site}.acme.example/oauth/token", "[a-z]+", "eu");
    let ours = "https://{subdomain}.acme.example/oauth/token";
    let theirs = "https://api.acme.example/oauth2/token";
    let path = "https://{host}/oauth/token";
    for (known, agreeing) in [
        (vec![("a", ours), ("b", path)], 2),
        (vec![("a", ours), ("b", theirs)], 1),
        (vec![("a", "https://eu.acme.example/oauth/token/")], 1),
        (vec![("a", "https://eu.acme.example.evil.example/oauth/token")], 0),
        (vec![("a", "https://eu.acme.example/oauth/token/v2")], 0),
        (vec![], 0),
    ] {
        let known = packages(&known);
        assert_eq!(compare(&known, &entry, "token").0.len(), agreeing, "{known:?}");
    }
    let token_only =
        |wrong: Vec<String>| wrong.into_iter().filter(|why| why.contains(": token")).collect::<Vec<_>>();
    let agreed = packages(&[("a", ours), ("b", path)]);
    let apart = packages(&[("a", ours), ("b", theirs)]);
    let catalog = Catalog::empty().with_entry(entry.clone()).unwrap();
    assert!(token_only(judge(&agreed, &catalog).1).is_empty());
    assert_eq!(token_only(judge(&apart, &catalog).1).len(), 1);
    entry.disagreement.insert("token".into(), "They are old.".into());
    let catalog = Catalog::empty().with_entry(entry).unwrap();
    assert!(token_only(judge(&apart, &catalog).1).is_empty());
    assert_eq!(token_only(judge(&agreed, &catalog).1).len(), 1);
}
