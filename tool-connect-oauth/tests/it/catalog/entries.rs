//! The entries that come with the crate: what every one of them must say.

use std::collections::BTreeSet;

use tool_connect_oauth::catalog::{
    BasicEncoding, BodyEncoding, Catalog, ClientAuthMethod, Method, Pkce, ProviderEntry, RefreshTokenBy,
    Rotation,
};
use url::Url;

fn each(mut check: impl FnMut(&ProviderEntry)) {
    for entry in Catalog::builtin().unwrap().iter() {
        check(entry);
    }
}

fn entry(id: &str) -> std::sync::Arc<ProviderEntry> {
    std::sync::Arc::clone(Catalog::builtin().unwrap().get(id).unwrap())
}

#[test]
fn the_fifteen_providers_are_there_and_every_file_is_registered() {
    let ids: Vec<String> = Catalog::builtin().unwrap().iter().map(|entry| entry.id.clone()).collect();
    for id in [
        "github",
        "github_app",
        "google",
        "slack",
        "slack_user",
        "linear",
        "notion",
        "atlassian",
        "airtable",
        "vercel",
        "hubspot",
        "salesforce",
        "zendesk",
        "shopify",
        "microsoft",
        "gitlab",
        "stripe",
    ] {
        assert!(ids.iter().any(|have| have == id), "{id} is missing");
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/providers");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    files.sort();
    assert_eq!(files, ids, "each file has its line in src/catalog/builtin.rs, and its name is its id");
}

#[test]
fn every_entry_resolves_with_its_example_and_only_over_https() {
    each(|entry| {
        entry.check().unwrap();
        assert!(!entry.allow_loopback, "{}: loopback is for development", entry.id);
        let provider = entry.resolve(&entry.example_config()).unwrap();
        assert!(provider.endpoints.authorize.is_some(), "{}", entry.id);
        for (name, endpoint) in provider.endpoints.iter() {
            assert_eq!(endpoint.scheme(), "https", "{}: {name}", entry.id);
            assert_eq!(endpoint.port(), None, "{}: {name}", entry.id);
        }
        let probe = provider.probe.as_ref().and_then(|probe| probe.request.as_ref());
        if let Some(probe) = probe {
            assert_eq!(Url::parse(&probe.url).unwrap().scheme(), "https", "{}", entry.id);
        }
        if entry.revocation.is_some() {
            assert_eq!(provider.revocation_url("id").unwrap().scheme(), "https", "{}", entry.id);
            assert!(entry.endpoints.revoke.is_none(), "{}: two ways to revoke", entry.id);
        }
        for (name, parameter) in &entry.parameters {
            assert!(parameter.description.ends_with('.'), "{}: {name} is described in a sentence", entry.id);
            let used = entry.endpoints.iter().any(|(_, text)| text.contains(&format!("{{{name}}}")));
            assert!(used, "{}: no endpoint has {{{name}}}", entry.id);
        }
    });
}

#[test]
fn every_entry_names_the_providers_own_pages() {
    each(|entry| {
        let pages = &entry.documentation;
        let named = [
            ("oauth", Some(&pages.oauth)),
            ("scopes", pages.scopes.as_ref()),
            ("refresh", pages.refresh.as_ref()),
            ("revocation", pages.revocation.as_ref()),
            ("probe", pages.probe.as_ref()),
            ("limits", pages.limits.as_ref()),
            ("webhook", pages.webhook.as_ref()),
        ];
        for (name, page) in named {
            let Some(page) = page else { continue };
            let url = Url::parse(page).unwrap_or_else(|error| panic!("{}: {name}: {error}", entry.id));
            assert_eq!(url.scheme(), "https", "{}: {name}", entry.id);
        }
        let Some(checked) = &pages.checked else { return };
        // Where somebody says to have gone through the pages, a fact has its page.
        let facts = [
            ("scopes", true, pages.scopes.is_some()),
            ("probe", entry.probe.is_some(), pages.probe.is_some()),
            ("limits", !entry.limits.is_empty(), pages.limits.is_some()),
            ("webhook", entry.webhook.is_some(), pages.webhook.is_some()),
            ("refresh", entry.refresh.granted_by != RefreshTokenBy::Never, pages.refresh.is_some()),
            (
                "revocation",
                entry.revocation.is_some() || entry.endpoints.revoke.is_some(),
                pages.revocation.is_some(),
            ),
        ];
        for (name, said, page) in facts {
            assert!(page || !said, "{}: no page for {name}", entry.id);
        }
        let shape: String = checked.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "0000-00-00", "{}: the day on which the pages were read", entry.id);
    });
}

#[test]
fn every_entry_says_what_its_scopes_allow() {
    each(|entry| {
        let scopes = &entry.scopes;
        assert!(
            scopes.by_registration == scopes.known.is_empty(),
            "{}: scopes are known, or chosen at registration",
            entry.id
        );
        for (scope, meaning) in &scopes.known {
            assert!(meaning.len() > 8 && meaning.ends_with('.'), "{}: {scope}", entry.id);
            assert!(!scope.contains(&scopes.separator), "{}: {scope} holds the separator", entry.id);
        }
        assert!([" ", ","].contains(&scopes.separator.as_str()), "{}: {:?}", entry.id, scopes.separator);
        // What is asked for without anybody naming it is explained as well.
        let provider = entry.resolve(&entry.example_config()).unwrap();
        for scope in provider.scopes_to_request([]) {
            assert!(
                scopes.known.contains_key(&scope),
                "{}: {scope} is asked for and not explained",
                entry.id
            );
        }
    });
}

#[test]
fn every_entry_recognises_the_account() {
    let mut blind = BTreeSet::new();
    each(|entry| {
        let Some(probe) = &entry.probe else {
            blind.insert(entry.id.clone());
            return;
        };
        for pointer in probe.id.iter().chain(&probe.label) {
            assert!(pointer.starts_with('/'), "{}: {pointer}", entry.id);
        }
        if let Some(request) = &probe.request {
            assert!(request.json.is_none() || request.method == Method::Post, "{}", entry.id);
            assert!(request.json.is_some() || !request.url.contains("graphql"), "{}", entry.id);
        }
    });
    // These take the token in the address only, want the client's id beside it, or have no such request.
    let known = BLIND.iter().map(|id| (*id).to_owned()).collect();
    assert_eq!(blind, known);
}

/// Entries without a probe.
const BLIND: &[&str] =
    &["baidu", "deezer", "etsy", "foursquare", "meetup", "qq", "stackexchange", "trakt", "untappd", "wrike"];

#[test]
fn what_yields_a_refresh_token_is_said_and_asked_for() {
    each(|entry| {
        let provider = entry.resolve(&entry.example_config()).unwrap();
        match &entry.refresh.granted_by {
            RefreshTokenBy::Scope(scope) => {
                assert!(provider.scopes_to_request([]).contains(scope), "{}: {scope} is asked for", entry.id);
            }
            RefreshTokenBy::Parameters => assert!(!entry.authorize_params.is_empty(), "{}", entry.id),
            RefreshTokenBy::Setting(text) => assert!(text.ends_with('.'), "{}", entry.id),
            _ => {}
        }
    });
}

#[test]
fn scopes_are_asked_for_once_and_the_entrys_own_first() {
    let provider = entry("google").resolve(&Default::default()).unwrap();
    let scopes = provider.scopes_to_request(["https://www.googleapis.com/auth/drive.file", "openid"]);
    assert_eq!(
        scopes,
        [
            "openid",
            "https://www.googleapis.com/auth/userinfo.email",
            "https://www.googleapis.com/auth/drive.file"
        ]
    );
    let provider = entry("atlassian").resolve(&Default::default()).unwrap();
    assert_eq!(
        provider.scopes_to_request(["read:jira-work"]),
        ["read:me", "offline_access", "read:jira-work"]
    );
}

#[test]
fn known_quirks_are_in_the_data() {
    assert_eq!(entry("google").authorize_params["access_type"], "offline");
    assert_eq!(entry("google").refresh.rotation, Rotation::None);
    assert_eq!(entry("github_app").refresh.rotation, Rotation::Strict);
    assert_eq!(entry("github").refresh.granted_by, RefreshTokenBy::Never);
    assert_eq!(entry("github").token_request.headers["Accept"], "application/json");
    assert_eq!(entry("github").token_response.scope_separator.as_deref(), Some(","));
    let slack = entry("slack");
    assert_eq!(slack.scopes.separator, ",");
    assert!(slack.token_response.invalid_grant.iter().any(|code| code == "invalid_refresh_token"));
    let notion = entry("notion");
    assert_eq!(
        (notion.token_request.encoding, notion.token_request.basic),
        (BodyEncoding::Json, BasicEncoding::Raw)
    );
    assert_eq!(notion.client_auth, [ClientAuthMethod::Basic]);
    assert!(notion.probe.as_ref().unwrap().request.is_none(), "the token answer tells");
    assert_eq!(entry("atlassian").refresh.granted_by, RefreshTokenBy::Scope("offline_access".into()));
    assert!(
        matches!(entry("atlassian").refresh.rotation, Rotation::Tolerated(grace) if grace.as_secs() == 600)
    );
    assert_eq!(entry("airtable").pkce, Pkce::Required);
    let shopify = entry("shopify");
    assert_eq!(
        (shopify.token_place.header.as_str(), shopify.token_place.prefix.as_str()),
        ("X-Shopify-Access-Token", "")
    );
    assert_eq!(shopify.token_params["expiring"], "1");
    assert_eq!(entry("salesforce").token_response.extra["instance_url"], "/instance_url");
    assert_eq!(entry("hubspot").token_response.scope, "/scopes");
}

#[test]
fn nothing_is_said_twice() {
    each(|entry| {
        let unique: BTreeSet<_> = entry.client_auth.iter().map(|method| format!("{method:?}")).collect();
        assert_eq!(unique.len(), entry.client_auth.len(), "{}", entry.id);
        for name in entry.disagreement.keys() {
            assert!(entry.endpoints.iter().any(|(have, _)| have == name), "{}: {name}", entry.id);
        }
    });
}
