//! Installations of GitHub Apps.

use serde_json::json;
use tool_connect_connectors::github::{GitHub, ListInstallationRepositories};
use tool_connect_core::{AuthScheme, Connector as _};
use tool_connect_hub::InstanceOptions;
use tool_connect_testkit::{Answer, Harness, lint};

#[test]
fn an_installation_is_told_apart_from_people() {
    let bot = GitHub::for_installation(None);
    lint::assert_clean(&bot);
    let scheme = serde_json::to_value(&bot.manifest().auth).unwrap();
    let url = "https://api.github.com/app/installations/{installation}/access_tokens";
    assert_eq!((&scheme[0]["type"], &scheme[0]["url"]), (&json!("token_exchange"), &json!(url)));
    assert_eq!(scheme[0]["assertion"]["algorithm"], "RS256");

    let server = GitHub::for_installation(Some("https://git.acme.example/api/v3".parse().unwrap()));
    let AuthScheme::TokenExchange(exchange) = &server.manifest().auth[0] else { panic!("an exchange") };
    assert_eq!(
        exchange.url,
        "https://git.acme.example/api/v3/app/installations/{installation}/access_tokens"
    );
    assert!(server.manifest().origins.is_empty(), "the server's credential is not for GitHub");
}

#[tokio::test]
async fn its_repositories_are_listed_page_by_page() {
    let repository = json!({
        "id": 1, "name": "site", "full_name": "acme/site", "private": true, "owner": {"login": "acme", "id": 2},
        "html_url": "https://github.com/acme/site", "default_branch": "main"
    });
    let next = r#"<https://api.github.com/installation/repositories?page=2>; rel="next""#;
    let page = json!({"total_count": 2, "repositories": [repository]});
    let harness = Harness::builder(GitHub::for_installation(None))
        .instance(InstanceOptions::default().auth(AuthScheme::Bearer))
        .answer("GET", "/installation/repositories", Answer::json(200, &page).header("link", next))
        .answer("GET", "/installation/repositories", Answer::json(200, &page))
        .build()
        .await
        .unwrap();
    let health = harness.session().check("github").await.unwrap();
    assert!(String::from_utf8_lossy(&health.account).contains("acme/site"));
    let rest = ListInstallationRepositories { cursor: Some("page=2".into()), page_size: Some(1) };
    let page = harness.run(rest).await.unwrap();
    assert_eq!((page.items[0].name.as_str(), page.next_cursor), ("site", None));
    let sent = harness.requests();
    assert_eq!(
        (sent[1].query("page").as_deref(), sent[1].query("per_page").as_deref()),
        (Some("2"), Some("1"))
    );
    harness.finish().await.unwrap();
}
