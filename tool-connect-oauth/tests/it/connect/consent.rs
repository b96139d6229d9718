//! From a ticket to a connection.

use std::time::{Duration, SystemTime};

use http::StatusCode;
use tool_connect_core::{AuthScheme, ConnectRequest, ConnectionStatus, ErrorKind, EventKind, Owner};
use tool_connect_testkit::oauth::{Decision, Endpoint, Fault};

use super::support::*;

#[tokio::test]
async fn a_consent_becomes_a_connection() {
    let house = House::new();
    let mut request = house.request(&["write"]);
    request.return_to = Some(BACK.to_owned());
    let seen = house.consent(&ada(), request).await;
    assert_eq!(
        (seen.status, seen.location().map(String::from).as_deref()),
        (StatusCode::SEE_OTHER, Some(BACK))
    );

    let connection = house.connection().await;
    assert_eq!(connection.status, ConnectionStatus::Active);
    assert_eq!(connection.owner, Owner::User(ada().user));
    assert_eq!((connection.account.as_deref(), connection.label.as_deref()), (Some("sub-ada"), Some("ada")));
    assert_eq!(connection.scopes, Some(vec!["read".to_owned(), "write".to_owned()]));
    assert!(connection.is_default, "the first one");
    let stored = house.stored(&connection).await.expect("a secret");
    assert_eq!(stored.issuer.as_deref(), Some("https://one.example"));
    assert_eq!(stored.expires, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600 + 3600)));
    let token = house.access_token(&connection).await;
    assert!(house.issuer.accepts(&token));
    assert!(!stored.sealed.windows(8).any(|part| token.as_bytes().starts_with(part)), "sealed");
    let events = house.events.lock().expect("unpoisoned");
    assert!(events.iter().any(|event| matches!(
        &event.what,
        EventKind::ConnectionChanged { status: ConnectionStatus::Active, connection: id } if *id == connection.id
    )));
}

#[tokio::test]
async fn without_a_place_to_return_to_there_is_a_page() {
    let house = House::new();
    let seen = house.consent(&ada(), house.request(&[])).await;
    assert_eq!(seen.status, StatusCode::OK);
    seen.says("Provider acme is connected");
    seen.says("(ada)");
    assert!(!seen.html.contains("<script"));
    for (name, value) in [("referrer-policy", "no-referrer"), ("cache-control", "no-store")] {
        assert_eq!(seen.headers[name], value);
    }
}

#[tokio::test]
async fn a_ticket_is_no_authorize_url_and_the_way_to_the_provider_is_guarded() {
    let house = House::new();
    let ticket = house.ticket(&ada(), house.request(&[])).await;
    assert!(ticket.as_str().starts_with("https://app.example/connect/start?ticket="), "{ticket}");
    let mut browser = Browser::of(&ada());
    let sent = browser.open(&house.oauth, &ticket).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    for (name, value) in [("referrer-policy", "no-referrer"), ("cache-control", "no-store")] {
        assert_eq!(sent.headers[name], value);
    }
    let cookie = sent.headers["set-cookie"].to_str().expect("text");
    assert!(cookie.starts_with("__Host-") && cookie.contains("Secure; HttpOnly; SameSite=Lax"), "{cookie}");
    let location = sent.location().expect("a redirect");
    let query: std::collections::BTreeMap<_, _> = location.query_pairs().into_owned().collect();
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(query["redirect_uri"], "https://app.example/connect/callback/acme");
    assert_eq!(query["scope"], "read");
    // Nothing that could be used is kept in clear: neither the ticket nor the state is in the store.
    let stored = house.stores.authorizations.get(&ada().tenant, &query["state"]).await.expect("get");
    assert!(stored.is_none(), "a state is kept by its hash");
}

#[tokio::test]
async fn a_user_who_says_no_sees_a_friendly_page() {
    let house = House::new();
    house.issuer.next_user(Decision::Deny);
    let mut request = house.request(&[]);
    request.return_to = Some(BACK.to_owned());
    let seen = house.consent(&ada(), request).await;
    seen.says("You did not give access at Provider acme");
    seen.says(&format!("<a href=\"{BACK}\">"));
    assert_eq!(house.token_requests(), 0);
    assert!(house.connections("acme").await.is_empty());
    assert_eq!(house.failures(), ["the user said no"]);
    // And may think again.
    house.consent(&ada(), house.request(&[])).await;
    assert_eq!(house.connection().await.status, ConnectionStatus::Active);
}

#[tokio::test]
async fn somebody_who_is_not_logged_in_is_sent_to_log_in_and_the_ticket_stays() {
    let house = House::new();
    let ticket = house.ticket(&ada(), house.request(&[])).await;
    let login = Browser::default().open(&house.oauth, &ticket).await.location().expect("a redirect");
    assert_eq!(login.path(), "/login");
    assert!(login.query_pairs().any(|(name, back)| name == "next" && back == ticket.as_str()));
    let mut browser = Browser::of(&ada());
    let answer = house.to_provider_and_back(&mut browser, &ticket).await;
    assert_eq!(browser.open(&house.oauth, &answer).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_provider_that_fails_is_said_so_and_nothing_is_left() {
    let faults = [
        (Fault::Html(502), StatusCode::BAD_GATEWAY),
        (Fault::Status(503), StatusCode::BAD_GATEWAY),
        (Fault::TooManyRequests(None), StatusCode::BAD_GATEWAY),
        (Fault::Truncated, StatusCode::BAD_GATEWAY),
        (Fault::Lost, StatusCode::BAD_GATEWAY),
        (Fault::Redirect("https://evil.example/token".to_owned()), StatusCode::BAD_GATEWAY),
        (Fault::Error("invalid_grant"), StatusCode::BAD_GATEWAY),
        (Fault::Error("invalid_client"), StatusCode::INTERNAL_SERVER_ERROR),
        (Fault::Body("{}".to_owned()), StatusCode::BAD_GATEWAY),
    ];
    for (fault, status) in faults {
        let house = House::new();
        house.issuer.fault(Endpoint::Token, fault.clone());
        let seen = house.consent(&ada(), house.request(&[])).await;
        assert_eq!(seen.status, status, "{fault:?}: {}", seen.html);
        seen.says("The account was not connected");
        assert!(house.connections("acme").await.is_empty(), "{fault:?}");
        assert_eq!(house.token_requests(), 1, "{fault:?}: a code is spent once");
        assert_eq!(house.failures().len(), 1);
    }
}

#[tokio::test]
async fn an_account_that_cannot_be_recognised_is_connected_nevertheless() {
    for fault in [Fault::Html(500), Fault::Body("[]".to_owned()), Fault::Broken] {
        let house = House::new();
        house.issuer.fault(Endpoint::Userinfo, fault);
        assert_eq!(house.consent(&ada(), house.request(&[])).await.status, StatusCode::OK);
        let connection = house.connection().await;
        assert_eq!((connection.status, connection.account), (ConnectionStatus::Active, None));
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_request_shows_before_anybody_clicks() {
    let house = House::new();
    let refused = async |request: ConnectRequest, kind: ErrorKind| {
        let error = house.connect.ticket(&ada(), request).await.expect_err("refused");
        assert_eq!(error.kind(), kind, "{error}");
    };
    let mut unknown = house.request(&[]);
    unknown.scheme = AuthScheme::oauth2("nobody", ["read"]);
    refused(unknown, ErrorKind::NotFound).await;
    let mut client = house.request(&[]);
    client.client = Some("other".to_owned());
    refused(client, ErrorKind::Config).await;
    let mut key = house.request(&[]);
    key.scheme = AuthScheme::Bearer;
    refused(key, ErrorKind::Unsupported).await;
    let mut missing = house.request(&[]);
    missing.connection = Some(tool_connect_core::ConnectionId::new("nobody").expect("valid"));
    refused(missing, ErrorKind::NotFound).await;
}

#[tokio::test]
async fn endpoints_take_get_and_nothing_else() {
    let house = House::new();
    let ticket = house.ticket(&ada(), house.request(&[])).await;
    let callback = house.oauth.redirect_uri("acme");
    for url in [&ticket, &callback] {
        for method in ["POST", "HEAD", "PUT"] {
            let seen = Browser::of(&ada()).send(&house.oauth, method, url).await;
            assert_eq!(seen.status, StatusCode::METHOD_NOT_ALLOWED);
            assert_eq!(seen.headers["allow"], "GET");
        }
    }
}
