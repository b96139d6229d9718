//! A user connects an account: a call asks for it, a browser goes to the provider and back, the call goes on.
//!
//! Run it with `cargo run --example connect`. It needs no account and no network: a scripted browser follows the links, and
//! the provider is the certified `oidc-provider` of `tests/counterparties` where Node and its packages are there (`npm ci` in
//! that folder), else the emulator of the test kit. With `--browser` you click yourself (at the emulator, which always
//! consents); with `GITHUB_CLIENT_ID` and `GITHUB_CLIENT_SECRET` in the environment you do so at GitHub. Register
//! `http://127.0.0.1:4815/connect/callback/github` as the OAuth app's callback address for that.
//!
//! | file | what it shows |
//! | --- | --- |
//! | `main.rs` | the story: vault, OAuth, Hub, and a call that waits for the user |
//! | `host.rs` | what a host brings: its login, and a router with the two endpoints |
//! | `provider.rs` | a provider that nobody configured: discovery and registration; or GitHub |
//! | `browser.rs` | the scripted browser; nothing of ours |
#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

mod browser;
mod host;
mod provider;

use std::sync::Arc;

use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tool_connect::oauth::OAuth;
use tool_connect::oauth::vault::{EnvelopeVault, Keyring};
use tool_connect::stores::{SqliteOptions, SqliteStores};
use tool_connect::transport::{HttpTransport, NetworkAccess};
use tool_connect::{
    AuthScheme, Connector, ConnectorManifest, HttpSettings, Hub, InputRequest, InstanceOptions, Principal,
    Result, Run, Tool, ToolContext, ToolOutcome, ToolSet, Vault,
};

use browser::Browser;
use provider::Provider;

/// Says whose account is connected.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, state = Arc<Provider>)]
#[serde(deny_unknown_fields)]
struct WhoAmI {}

impl Run<Arc<Provider>> for WhoAmI {
    type Output = Value;

    async fn run(self, cx: &ToolContext<Arc<Provider>>) -> Result<Value> {
        // Signed for the connection; the tool sees no token.
        cx.http().get(&cx.state()?.who_am_i).json().await
    }
}

struct Account(ConnectorManifest, Arc<Provider>);

impl Connector for Account {
    fn manifest(&self) -> &ConnectorManifest {
        &self.0
    }

    fn tools(&self, set: &mut ToolSet) {
        set.with(Arc::clone(&self.1)).add::<WhoAmI>();
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let by_hand = std::env::args().any(|argument| argument == "--browser");
    let ada = Principal::user("acme", "ada")?;

    // What a host has anyway: stores, a key, a transport. This machine is opened because the provider runs on it.
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("tool-connect.db");
    let stores = SqliteStores::open(&file, SqliteOptions::default())?.stores();
    let keyring = Arc::new(Keyring::generate()?); // a host keeps its keys: Keyring::from_file or from_env
    let vault = EnvelopeVault::builder(keyring)
        .subject_keys(stores.credentials.clone())
        .without_access_log()
        .build()?;
    let vault: Arc<dyn Vault> = Arc::new(vault);
    let mut settings = HttpSettings::default();
    settings.access = NetworkAccess::public().allow_loopback();
    let transport = Arc::new(HttpTransport::new(&settings)?);

    let host = host::listen().await?;
    let provider = Arc::new(Provider::find(&host, transport.clone(), &stores, &vault, by_hand).await?);
    println!("The provider is {}.", provider.what);

    let oauth = OAuth::builder()
        .stores(stores.clone())
        .vault(vault)
        .transport(transport.clone())
        .catalog(provider.catalog.clone())
        .clients(provider.clients.clone())
        .session(host::Login)
        .public_url(host.public_url.clone())
        .build()?;
    host.serve(&oauth);

    let mut manifest = ConnectorManifest::new("account", Version::new(1, 0, 0), "Your account");
    manifest.auth = vec![AuthScheme::oauth2(provider.id, provider.scopes.iter().copied())];
    let here = InstanceOptions::default()
        .base_url(provider.api.clone())
        .network(NetworkAccess::public().allow_loopback());
    let hub = Hub::builder()
        .stores(stores)
        .transport(transport)
        .authenticator(oauth.authenticator())
        .connect(oauth.connect())
        .instance(Account(manifest, Arc::clone(&provider)), here)
        .build()?;
    let session = hub.session(ada);

    // Nobody has connected an account, so the call waits for the user.
    let ToolOutcome::InputRequired(required) = session.call("account.who_am_i", "{}").await? else {
        return Err("no account should be connected yet".into());
    };
    println!("{}", required.message());
    let InputRequest::Connect { url: Some(link), .. } = &required.request else {
        return Err("there should be a link to click".into());
    };
    println!("The link is one of the host's own, for Ada alone and for one use: {}", without_secret(link));

    if by_hand || provider.needs_a_person {
        println!("Open it in a browser: {link}");
        while session.connections().await?.iter().all(|connection| !connection.status.usable()) {
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
    } else {
        // Somebody else who gets hold of it gets nothing.
        let mut eve = Browser::logged_in_as("eve");
        println!("Eve opens it: {}", eve.open(link).await?.title());
        let mut ada = Browser::logged_in_as("ada");
        let page = ada.open(link).await?;
        println!("Ada opens it, consents, and comes back: {}", page.title());
        println!("Ada opens it again: {}", ada.open(link).await?.title());
    }

    let connection = session.connections().await?.remove(0);
    println!(
        "Connected: {} as {}, with the scopes {}.",
        connection.id,
        connection.label.as_deref().unwrap_or("an account that has no name"),
        connection.scopes.clone().unwrap_or_default().join(" "),
    );
    let answer: Value = session.resume(required).await?.into_output()?.parse()?;
    println!("The call goes on: {}", answer[provider.name_of_account]);

    session.disconnect(&connection.id).await?;
    let again = session.call("account.who_am_i", "{}").await?;
    println!("Disconnected; the next call asks again: {}", matches!(again, ToolOutcome::InputRequired(_)));
    hub.shutdown().await?;
    oauth.tokens().shutdown().await;
    Ok(())
}

/// The link up to its ticket: whoever reads along must not be able to use it.
fn without_secret(link: &str) -> &str {
    link.split_inclusive('=').next().unwrap_or_default()
}
