//! Which client is used where the host, the server and we each have a say.

use std::sync::Arc;

use async_trait::async_trait;
use tool_connect_core::{ErrorKind, Result, TenantId};
use tool_connect_oauth::catalog::{ClientConfig, ClientSource};
use tool_connect_oauth::discovery::{ClientOrigin, Clients};

use super::document::document;
use super::registration::{desk, server, tenant, user, web};

struct Configured;

#[async_trait]
impl ClientSource for Configured {
    async fn client(
        &self,
        tenant: &TenantId,
        provider: &str,
        _: Option<&str>,
    ) -> Result<Option<ClientConfig>> {
        Ok((tenant.as_str() == "acme" && provider == "theirs").then(|| ClientConfig::public("configured")))
    }
}

#[tokio::test]
async fn the_client_is_configured_else_a_document_else_registered() {
    let desk = desk();
    let clients = Clients::new()
        .configured(Arc::new(Configured))
        .document(document())
        .register(desk.registrations.clone(), web());
    let plain = server("https://as.example");
    let mut documents = plain.clone();
    documents.client_id_metadata_document_supported = true;
    let mut closed = plain.clone();
    closed.registration_endpoint = None;

    let choose = |tenant_id: &'static str, server| {
        let clients = &clients;
        async move {
            let server: &tool_connect_oauth::discovery::ServerMetadata = server;
            clients.choose(&tenant(tenant_id), &user("ada"), "theirs", server).await
        }
    };
    let chosen = choose("acme", &documents).await.unwrap();
    assert_eq!((chosen.origin, chosen.client.id.as_str()), (ClientOrigin::Configured, "configured"));
    let chosen = choose("rival", &documents).await.unwrap();
    assert_eq!(chosen.origin, ClientOrigin::Document);
    assert_eq!(chosen.client.id, "https://app.example/oauth/client.json");
    assert!(desk.world.asked().is_empty(), "neither asks anybody");
    let chosen = choose("rival", &plain).await.unwrap();
    assert_eq!((chosen.origin, chosen.client.id.as_str()), (ClientOrigin::Registered, "c-1"));
    let error = choose("rival", &closed).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("as.example") && error.to_string().contains("theirs"), "{error}");
}
