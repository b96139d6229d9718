//! A host's own provider: one TOML file, checked when it is read, and from then on a provider like every other. Here with a
//! site in its addresses, an answer that is unlike the RFC's, and a client that each tenant registered itself.
//!
//! Run it with `cargo run --example byo_provider`. It needs no account and no network: the provider is the emulator of the
//! test kit, which learns the same habits.
#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

use std::collections::BTreeMap;
use std::sync::Arc;

use tool_connect::oauth::OAuth;
use tool_connect::oauth::catalog::{Catalog, ClientAuth, ClientConfig, ClientSources, StoredClients};
use tool_connect::oauth::connect::HostSession;
use tool_connect::oauth::vault::{EnvelopeVault, Keyring};
use tool_connect::store::Stores;
use tool_connect::testkit::oauth::{EmulatedClient, ExpiresIn, IssuerSettings, OAuthEmulator, Quirks};
use tool_connect::{
    AuthScheme, ConnectRequest, InstanceId, OAuth2Scheme, OAuthGrant, Principal, Result, Vault,
};

/// What would stand in `providers/depot.toml` of the host's.
const DEPOT: &str = r#"
    id = "depot"
    name = "Depot"
    issuer = "https://{site}.depot.example"
    client_auth = ["post"]

    [documentation]
    oauth = "https://docs.depot.example/oauth"

    [endpoints]
    token = "https://{site}.depot.example/token"
    revoke = "https://{site}.depot.example/revoke"

    [parameters.site]
    description = "The first part of your Depot address."
    pattern = "[a-z][a-z0-9-]{1,30}"
    example = "acme"

    # Depot wraps its answer, and counts in milliseconds.
    [token_response]
    access_token = "/data/access_token"
    refresh_token = "/data/refresh_token"
    expires_in = { at = "/data/expires_in", unit = "milliseconds" }
    scope = "/data/scope"
"#;

struct NoPages;

#[async_trait::async_trait]
impl HostSession for NoPages {
    async fn principal(&self, _: &http::request::Parts) -> Result<Option<Principal>> {
        Ok(None)
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;

    // A mistake in the file is found when it is read, and named.
    std::fs::write(folder.path().join("depot.toml"), DEPOT.replace("[endpoints]", "[endpionts]"))?;
    if let Err(error) = Catalog::builtin()?.with_folder(folder.path()) {
        println!("A misspelt file: {error}");
    }
    std::fs::write(folder.path().join("depot.toml"), DEPOT)?;
    let catalog = Catalog::builtin()?.with_folder(folder.path())?;
    println!("{} providers, and Depot among them: {}", catalog.iter().count(), catalog.get("depot")?.name);

    // The site is typed by people; it cannot lead anywhere else.
    for site in ["acme", "evil.example/", "ACME"] {
        let config = BTreeMap::from([("site".to_owned(), site.to_owned())]);
        match catalog.resolve("depot", &config) {
            Ok(provider) => println!("site `{site}`: {}", provider.endpoints.token),
            Err(error) => println!("site `{site}`: {}", error.public_message()),
        }
    }

    // The tenant's own client, entered by its administrator, sealed in the store.
    let stores = Stores::in_memory();
    let keyring = Arc::new(Keyring::generate()?);
    let vault = EnvelopeVault::builder(keyring).stateless().without_access_log().build()?;
    let vault: Arc<dyn Vault> = Arc::new(vault);
    let admin = Principal::user("acme", "ada")?.with_role("admin");
    let own = StoredClients::new(stores.credentials.clone(), Arc::clone(&vault));
    let client = ClientConfig::confidential("acme-integration", "the secret of acme").auth(ClientAuth::Post);
    own.put(&admin.tenant, "depot", None, &client).await?;

    // Depot itself, played by the emulator.
    let emulator = OAuthEmulator::new();
    let habits = Quirks { nested: Some("data".into()), expires_in: ExpiresIn::Millis, ..Quirks::default() };
    let issuer = emulator.issuer(
        IssuerSettings::new("https://acme.depot.example")
            .client(EmulatedClient::secret_post("acme-integration", "the secret of acme"))
            .quirks(habits),
    )?;

    let oauth = OAuth::builder()
        .stores(stores.clone())
        .vault(vault)
        .transport(Arc::new(emulator))
        .catalog(catalog)
        .clients(ClientSources::new().tenant(own))
        .session(NoPages)
        .public_url("http://localhost:1/connect".parse()?)
        .build()?;
    // Depot's stock is the company's, not a user's: the client acts for itself, and the tenant owns the connection.
    let scheme = AuthScheme::OAuth2(OAuth2Scheme {
        provider: "depot".to_owned(),
        scopes: vec!["stock".to_owned()],
        grant: OAuthGrant::ClientCredentials,
    });
    let mut request = ConnectRequest::new(InstanceId::new("depot")?, scheme);
    request.owner = Some(tool_connect::Owner::Tenant);
    request.config.insert("site".to_owned(), "acme".to_owned());
    let connection = oauth.connect_as_client(&admin, request.clone()).await?;
    println!("Connected for the whole tenant: {}", connection.account.as_deref().unwrap_or_default());
    println!("Depot was asked for a token {} time(s)", issuer.counters().token_requests);

    // Somebody who is no administrator may not.
    let bob = Principal::user("acme", "bob")?;
    if let Err(error) = oauth.connect_as_client(&bob, request).await {
        println!("Bob: {}", error.public_message());
    }
    oauth.tokens().shutdown().await;
    Ok(())
}
