//! Connecting again: what stays, what is replaced, what is told apart.

use http::StatusCode;
use tool_connect_core::{AuthScheme, ConnectRequest, ConnectionStatus};
use tool_connect_oauth::catalog::{Catalog, StaticClients};
use tool_connect_testkit::oauth::{Decision, IssuerSettings, OAuthEmulator};

use super::support::*;

#[tokio::test]
async fn connecting_again_keeps_id_and_configuration() {
    let house = House::new();
    house.consent(&ada(), house.request(&[])).await;
    let mut broken = house.connection().await;
    let before = house.access_token(&broken).await;
    broken.status = ConnectionStatus::NeedsReauth;
    broken.reason = Some("the refresh token was refused".to_owned());
    broken.config.insert("folder".to_owned(), "inbox".to_owned());
    let broken = house.stores.connections.put(broken).await.expect("put");

    let mut request = house.request(&[]);
    request.connection = Some(broken.id.clone());
    assert_eq!(house.consent(&ada(), request).await.status, StatusCode::OK);
    let again = house.connection().await;
    assert_eq!((&again.id, &again.config, again.is_default), (&broken.id, &broken.config, true));
    assert_eq!((again.status, again.reason.as_deref()), (ConnectionStatus::Active, None));
    assert_ne!(house.access_token(&again).await, before);
}

#[tokio::test]
async fn the_same_account_connected_twice_is_one_connection() {
    let house = House::new();
    for _ in 0..3 {
        house.consent(&ada(), house.request(&[])).await;
    }
    let connection = house.connection().await;
    assert!(house.issuer.accepts(&house.access_token(&connection).await));
    // Also after it was disconnected.
    house.connect.disconnect(&ada(), &connection.id).await.expect("disconnect");
    house.consent(&ada(), house.request(&[])).await;
    assert_eq!(house.connection().await.id, connection.id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_account_connected_twice_at_once_is_one_connection() {
    let house = std::sync::Arc::new(House::new());
    let mut answers = Vec::new();
    for _ in 0..6 {
        let mut browser = Browser::of(&ada());
        let ticket = house.ticket(&ada(), house.request(&[])).await;
        let answer = house.to_provider_and_back(&mut browser, &ticket).await;
        answers.push((browser, answer));
    }
    let tasks: Vec<_> = answers
        .into_iter()
        .map(|(mut browser, answer)| {
            let house = house.clone();
            tokio::spawn(async move { browser.open(&house.oauth, &answer).await.status })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.expect("no panic"), StatusCode::OK);
    }
    house.connection().await;
}

#[tokio::test]
async fn several_accounts_stand_beside_each_other_and_the_first_is_the_default() {
    let house = House::new();
    for login in ["ada", "countess"] {
        house.issuer.next_user(Decision::ApproveAs(login.to_owned()));
        house.consent(&ada(), house.request(&[])).await;
    }
    let all = house.connections("acme").await;
    assert_eq!(all.len(), 2);
    let default: Vec<_> = all.iter().filter(|c| c.is_default).filter_map(|c| c.label.as_deref()).collect();
    assert_eq!(default, ["ada"]);
}

#[tokio::test]
async fn another_account_does_not_slip_into_a_connection() {
    let house = House::new();
    house.consent(&ada(), house.request(&[])).await;
    let before = house.connection().await;
    let token = house.access_token(&before).await;
    let mut request = house.request(&[]);
    request.connection = Some(before.id.clone());
    house.issuer.next_user(Decision::ApproveAs("mallory".to_owned()));
    let seen = house.consent(&ada(), request).await;
    assert_eq!(seen.status, StatusCode::CONFLICT);
    seen.says("another account than the one that was connected");
    assert_eq!(house.connection().await, before);
    assert_eq!(house.access_token(&before).await, token);
}

#[tokio::test]
async fn a_connection_is_only_connected_again_as_what_it_is() {
    let house = House::new();
    house.consent(&ada(), house.request(&[])).await;
    let mut connection = house.connection().await;
    connection.config.insert("site".to_owned(), "one".to_owned());
    let connection = house.stores.connections.put(connection).await.expect("put");
    let again = || {
        let mut request = house.request(&[]);
        request.connection = Some(connection.id.clone());
        request
    };
    let mut elsewhere = again();
    elsewhere.instance = instance("other");
    let mut owner = again();
    owner.owner = Some(tool_connect_core::Owner::Tenant);
    let mut config = again();
    config.config.insert("site".to_owned(), "evil".to_owned());
    let mut client = again();
    client.client = Some("other".to_owned());
    for request in [elsewhere, owner, config, client] {
        let error = house.connect.ticket(&ada(), request).await.expect_err("refused");
        assert_eq!(error.kind(), tool_connect_core::ErrorKind::Conflict, "{error}");
    }
    let mut same = again();
    same.config.insert("site".to_owned(), "one".to_owned());
    house.ticket(&ada(), same).await;
}

/// One provider, two issuers, the same account id at both.
#[tokio::test]
async fn oauth_client_25_credentials_are_keyed_by_issuer() {
    let emulator = OAuthEmulator::new();
    let issuers = ["one", "two"].map(|site| {
        let settings = IssuerSettings::new(format!("https://{site}.example")).client(emulated("app", "acme"));
        emulator.issuer(settings).expect("a server")
    });
    let catalog = Catalog::empty().with_entry(entry("acme", "https://{site}.example")).expect("a catalog");
    let house = House::with(
        |settings| settings,
        |builder| {
            builder
                .transport(std::sync::Arc::new(emulator.clone()))
                .catalog(catalog)
                .clients(StaticClients::new().with("acme", client("app")))
                .clock(std::sync::Arc::new(tool_connect_core::SystemClock))
        },
    );
    for (site, issuer) in ["one", "two"].into_iter().zip(&issuers) {
        let mut request = ConnectRequest::new(instance("work"), AuthScheme::oauth2("acme", ["read"]));
        request.config.insert("site".to_owned(), site.to_owned());
        let mut browser = Browser::of(&ada());
        let ticket = house.ticket(&ada(), request).await;
        let sent = browser.open(&house.oauth, &ticket).await.location().expect("a redirect");
        assert_eq!(sent.host_str(), Some(format!("{site}.example").as_str()));
        let answer = issuer.visit(&sent).expect("an answer");
        assert_eq!(browser.open(&house.oauth, &answer).await.status, StatusCode::OK);
    }
    let all = house.connections("acme").await;
    assert_eq!(all.len(), 2, "the same account id at two issuers is two accounts");
    for connection in &all {
        let site = &connection.config["site"];
        let stored = house.stored(connection).await.expect("a secret");
        assert_eq!(stored.issuer, Some(format!("https://{site}.example")));
        assert_eq!(connection.account.as_deref(), Some("sub-ada"));
    }

    // What is stored for one issuer is never replaced by another's.
    let mut stored = house.stored(&all[0]).await.expect("a secret");
    stored.issuer = Some("https://former.example".to_owned());
    let stored = house.stores.credentials.put(stored).await.expect("put");
    let site = all[0].config["site"].clone();
    let mut request = ConnectRequest::new(instance("work"), AuthScheme::oauth2("acme", ["read"]));
    request.connection = Some(all[0].id.clone());
    let mut browser = Browser::of(&ada());
    let ticket = house.ticket(&ada(), request).await;
    let sent = browser.open(&house.oauth, &ticket).await.location().expect("a redirect");
    let issuer = &issuers[usize::from(site == "two")];
    let seen = browser.open(&house.oauth, &issuer.visit(&sent).expect("an answer")).await;
    assert_eq!(seen.status, StatusCode::CONFLICT);
    assert_eq!(house.stored(&all[0]).await.as_ref(), Some(&stored));

    // Nor does the same account take that place when it is connected anew.
    let mut request = ConnectRequest::new(instance("work"), AuthScheme::oauth2("acme", ["read"]));
    request.config.insert("site".to_owned(), site);
    let mut browser = Browser::of(&ada());
    let ticket = house.ticket(&ada(), request).await;
    let sent = browser.open(&house.oauth, &ticket).await.location().expect("a redirect");
    let seen = browser.open(&house.oauth, &issuer.visit(&sent).expect("an answer")).await;
    assert_eq!(seen.status, StatusCode::OK);
    assert_eq!(house.connections("acme").await.len(), 3);
    assert_eq!(house.stored(&all[0]).await, Some(stored));
}
