//! Client configurations from code and from the environment, and which of several counts.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::ExposeSecret;
use tool_connect_core::{Error, ErrorKind, Result, TenantId};
use tool_connect_oauth::catalog::{
    ClientAuth, ClientConfig, ClientSource, ClientSources, EnvClients, StaticClients,
};

fn tenant(id: &str) -> TenantId {
    TenantId::new(id).unwrap()
}

async fn id(source: &dyn ClientSource, tenant: &str, provider: &str, name: Option<&str>) -> Option<String> {
    let tenant = TenantId::new(tenant).unwrap();
    source.client(&tenant, provider, name).await.unwrap().map(|client| client.id)
}

#[tokio::test]
async fn clients_from_code_are_found_by_provider_and_name() {
    let clients = StaticClients::new()
        .with("github", ClientConfig::public("everybody"))
        .with_named("github", "work", ClientConfig::public("work"))
        .for_tenant(tenant("acme"), "github", None, ClientConfig::public("acme"));
    assert_eq!(id(&clients, "other", "github", None).await.as_deref(), Some("everybody"));
    assert_eq!(id(&clients, "acme", "github", None).await.as_deref(), Some("acme"));
    assert_eq!(id(&clients, "acme", "github", Some("work")).await.as_deref(), Some("work"));
    // A name that nobody configured is not the default one.
    assert_eq!(id(&clients, "acme", "github", Some("home")).await, None);
    assert_eq!(id(&clients, "acme", "slack", None).await, None);
}

#[tokio::test]
async fn a_tenants_own_client_comes_before_the_hosts() {
    let own = StaticClients::new().for_tenant(tenant("acme"), "slack", None, ClientConfig::public("own"));
    let host = StaticClients::new().with("slack", ClientConfig::public("host"));
    // In whichever order they are named.
    let sources = ClientSources::new().host(host).tenant(own);
    assert_eq!(id(&sources, "acme", "slack", None).await.as_deref(), Some("own"));
    assert_eq!(id(&sources, "other", "slack", None).await.as_deref(), Some("host"));
    assert_eq!(id(&ClientSources::new(), "acme", "slack", None).await, None);
}

/// A store that is down.
struct Down;

#[async_trait]
impl ClientSource for Down {
    async fn client(&self, _: &TenantId, _: &str, _: Option<&str>) -> Result<Option<ClientConfig>> {
        Err(Error::new(ErrorKind::Storage, "down"))
    }
}

#[tokio::test]
async fn a_source_that_fails_is_not_a_source_that_has_none() {
    let host = StaticClients::new().with("slack", ClientConfig::public("host"));
    let sources = ClientSources::new().tenant(Arc::new(Down)).host(host);
    let error = sources.client(&tenant("acme"), "slack", None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
}

#[tokio::test]
async fn clients_from_the_environment_are_read_with_all_that_belongs_to_them() {
    let env = EnvClients::from_vars([
        ("TOOL_CONNECT_GITHUB_CLIENT_ID", "id"),
        ("TOOL_CONNECT_GITHUB_CLIENT_SECRET", "s3cret"),
        ("TOOL_CONNECT_GITHUB_REDIRECT_URI", "https://app.example/callback"),
        ("TOOL_CONNECT_GITHUB__WORK_CLIENT_ID", "work"),
        ("TOOL_CONNECT_GITHUB_APP_CLIENT_ID", "app"),
        ("TOOL_CONNECT_GITHUB_APP_CLIENT_SECRET", "s"),
        ("TOOL_CONNECT_GITHUB_APP_CLIENT_AUTH", "post"),
        ("TOOL_CONNECT_SLACK_CLIENT_ID", "  "),
    ]);
    let client = env.client(&tenant("acme"), "github", None).await.unwrap().unwrap();
    assert_eq!(client.id, "id");
    assert_eq!(client.secret.as_ref().unwrap().expose_secret(), "s3cret");
    assert!(matches!(client.auth, ClientAuth::Basic));
    assert_eq!(client.redirect_uri.as_ref().unwrap().as_str(), "https://app.example/callback");
    assert!(!format!("{client:?}").contains("s3cret"));

    let named = env.client(&tenant("acme"), "github", Some("work")).await.unwrap().unwrap();
    assert_eq!(named.id, "work");
    assert!(named.secret.is_none() && matches!(named.auth, ClientAuth::None));
    // The entry `github_app` is not the client `app` of `github`.
    let app = env.client(&tenant("acme"), "github_app", None).await.unwrap().unwrap();
    assert!(app.id == "app" && matches!(app.auth, ClientAuth::Post));
    assert_eq!(id(&env, "acme", "github", Some("app")).await, None);
    // Empty is not set.
    assert_eq!(id(&env, "acme", "slack", None).await, None);
    // Another spelling of an id is no id, also where it would lead to a variable that is set.
    assert_eq!(id(&env, "acme", "GitHub", None).await, None);
    assert_eq!(id(&env, "acme", "github__work", None).await, None);
    assert_eq!(id(&env, "acme", "github", Some("WORK")).await, None);
    // Names that no variable can have.
    for name in ["", "Work", "a__b", "wo rk", "work=x", "../x"] {
        assert_eq!(id(&env, "acme", "github", Some(name)).await, None, "{name}");
        assert_eq!(id(&env, "acme", name, None).await, None, "{name}");
    }
}

#[tokio::test]
async fn half_a_configuration_is_told_by_the_variables_name_without_its_value() {
    for (vars, says) in [
        (vec![("TOOL_CONNECT_X_CLIENT_SECRET", "s3cret")], "TOOL_CONNECT_X_CLIENT_ID is missing"),
        (
            vec![("TOOL_CONNECT_X_CLIENT_ID", "id"), ("TOOL_CONNECT_X_CLIENT_AUTH", "basic")],
            "TOOL_CONNECT_X_CLIENT_AUTH needs a secret",
        ),
        (
            vec![("TOOL_CONNECT_X_CLIENT_ID", "id"), ("TOOL_CONNECT_X_CLIENT_AUTH", "s3cret")],
            "must be `none`, `basic` or `post`",
        ),
        (
            vec![("TOOL_CONNECT_X_CLIENT_ID", "id"), ("TOOL_CONNECT_X_REDIRECT_URI", "s3cret")],
            "TOOL_CONNECT_X_REDIRECT_URI is no address",
        ),
    ] {
        let error = EnvClients::from_vars(vars).client(&tenant("acme"), "x", None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().contains(says), "{}", error.message());
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }
}

#[tokio::test]
async fn the_process_environment_is_read() {
    // Cargo sets none of ours; the absence is what can be seen without changing the environment of other tests.
    assert_eq!(id(&EnvClients::new(), "acme", "nobody_configured_this", None).await, None);
}
