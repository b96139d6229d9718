//! The flow through a Hub: a call asks for an account, a browser connects it, the call goes on.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tool_connect_core::{
    Annotations, AuthScheme, ConnectionStatus, Connector, ConnectorManifest, DynamicTool, ErrorKind,
    InputRequest, InputRequired, SchemaSource, ToolContext, ToolDefinition, ToolOutcome, ToolOutput, ToolSet,
};
use tool_connect_hub::{Hub, Session};
use tool_connect_testkit::oauth::{Endpoint, OAuthEmulator};
use url::Url;

use super::support::*;

struct Work(ConnectorManifest);

impl Connector for Work {
    fn manifest(&self) -> &ConnectorManifest {
        &self.0
    }

    fn tools(&self, set: &mut ToolSet) {
        for (name, scopes) in [("look", vec![]), ("write", vec!["write".into()])] {
            let schema = SchemaSource::Json(Arc::from(r#"{"type":"object"}"#));
            let definition = ToolDefinition::new(name, "Asks the service whose account it is.", schema);
            let mut definition = definition.annotations(Annotations::READ);
            definition.scopes = scopes;
            set.add_dynamic(DynamicTool::new(definition, |_, cx: ToolContext| async move {
                let answer: serde_json::Value = cx.http().get("/api/echo").json().await?;
                ToolOutput::of(&answer["user"])
            }));
        }
    }
}

fn hub(house: &House, emulator: &OAuthEmulator) -> Hub {
    let mut manifest = ConnectorManifest::new("work", semver::Version::new(1, 0, 0), "Work");
    manifest.auth = vec![AuthScheme::oauth2("acme", ["read"])];
    manifest.base_url = Some("https://one.example".parse().expect("a URL"));
    Hub::builder()
        .stores(house.stores.clone())
        .clock(house.clock.clone())
        .transport(Arc::new(emulator.clone()))
        .authenticator(house.oauth.authenticator())
        .connect(house.connect.clone())
        .connector(Work(manifest))
        .build()
        .expect("a hub")
}

/// A house, and a Hub on its stores and its provider.
fn house() -> (House, Hub) {
    let house = House::new();
    let hub = hub(&house, &house.emulator);
    (house, hub)
}

async fn asked(session: &Session, tool: &str) -> (InputRequired, Url, Vec<String>) {
    match session.call(tool, "{}").await.expect("an outcome") {
        ToolOutcome::InputRequired(required) => {
            let InputRequest::Connect { url, scopes, .. } = required.request.clone() else {
                panic!("{required:?}")
            };
            (*required, url.expect("a ticket").parse().expect("a URL"), scopes)
        }
        other => panic!("{other:?}"),
    }
}

async fn said(outcome: tool_connect_core::Result<ToolOutcome>) -> String {
    outcome.expect("an outcome").into_output().expect("complete").parse().expect("text")
}

#[tokio::test]
async fn a_call_without_an_account_brings_a_ticket_and_goes_on_after_the_consent() {
    let (house, hub) = house();
    let session = hub.session(ada());
    let (required, ticket, scopes) = asked(&session, "work.look").await;
    assert_eq!(scopes, Vec::<String>::new());
    assert_eq!(
        required.expires,
        Some(tool_connect_core::Clock::now(&*house.clock) + Duration::from_secs(600))
    );

    let mut browser = Browser::of(&ada());
    let answer = house.to_provider_and_back(&mut browser, &ticket).await;
    assert_eq!(browser.open(&house.oauth, &answer).await.status, StatusCode::OK);
    assert_eq!(said(session.resume(required).await).await, "ada");

    // Seen at once, although the Hub remembers connections.
    session.disconnect(&house.connection().await.id).await.expect("disconnect");
    asked(&session, "work.look").await;
}

#[tokio::test]
async fn failing_calls_share_a_ticket_until_it_is_used_or_old() {
    let (house, hub) = house();
    let session = hub.session(ada());
    let (_, first, _) = asked(&session, "work.look").await;
    assert_eq!(asked(&session, "work.look").await.1, first);
    assert_ne!(
        asked(&hub.session(principal("acme", "bob")), "work.look").await.1,
        first,
        "each has their own"
    );
    house.clock.advance(Duration::from_secs(181));
    let (_, second, _) = asked(&session, "work.look").await;
    assert_ne!(second, first, "one that is given out lives for minutes yet");
    assert_eq!(Browser::of(&ada()).open(&house.oauth, &second).await.status, StatusCode::SEE_OTHER);
    assert_ne!(asked(&session, "work.look").await.1, second, "one that was used is not given out again");
}

#[tokio::test]
async fn oauth_client_15_a_tool_that_needs_more_asks_for_it_and_gets_the_union() {
    let (house, hub) = house();
    let session = hub.session(ada());
    house.consent(&ada(), session.connect_request("work").expect("the instance")).await;
    assert_eq!(said(session.call("work.look", "{}").await).await, "ada");
    let (required, ticket, scopes) = asked(&session, "work.write").await;
    assert_eq!(scopes, ["write"]);
    assert!(required.message().contains("lacks the scopes write"), "{}", required.message());
    let mut browser = Browser::of(&ada());
    let answer = house.to_provider_and_back(&mut browser, &ticket).await;
    browser.open(&house.oauth, &answer).await;
    let wanted = house.issuer.requests(Endpoint::Authorize);
    assert_eq!(wanted.last().and_then(|r| r.parameter("scope")).as_deref(), Some("read write"));
    assert_eq!(said(session.resume(required).await).await, "ada");
    assert_eq!(house.connection().await.scopes, Some(vec!["read".to_owned(), "write".to_owned()]));
}

#[tokio::test]
async fn a_connection_that_broke_is_connected_again_under_its_id() {
    let (house, hub) = house();
    let session = hub.session(ada());
    house.consent(&ada(), session.connect_request("work").expect("the instance")).await;
    let before = house.connection().await;
    // The user withdrew the consent at the provider, and the access token has ended.
    house.issuer.revoke_grants();
    house.clock.advance(Duration::from_secs(4000));
    let failed = session.call("work.look", "{}").await;
    assert!(failed.is_err(), "{failed:?}");
    assert_eq!(house.connection().await.status, ConnectionStatus::NeedsReauth);
    let (required, ticket, _) = asked(&session, "work.look").await;
    let mut browser = Browser::of(&ada());
    let answer = house.to_provider_and_back(&mut browser, &ticket).await;
    assert_eq!(browser.open(&house.oauth, &answer).await.status, StatusCode::OK);
    let after = house.connection().await;
    assert_eq!((after.id, after.status), (before.id, ConnectionStatus::Active));
    assert_eq!(said(session.resume(required).await).await, "ada");
}

#[tokio::test]
async fn a_hub_says_what_it_lacks() {
    let (_house, hub) = house();
    let session = hub.session(ada());
    assert_eq!(session.connect("nothing").await.expect_err("no such").kind(), ErrorKind::UnknownTool);
    let ticket = session.connect("work").await.expect("a ticket");
    assert!(ticket.url.as_str().starts_with("https://app.example/connect/start?"));
    let manifest = ConnectorManifest::new("work", semver::Version::new(1, 0, 0), "Work");
    let alone = Hub::builder().connector(Work(manifest)).build().expect("a hub");
    let error = alone.session(ada()).connect("work").await.expect_err("nobody");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("HubBuilder::connect"), "{error}");
}
