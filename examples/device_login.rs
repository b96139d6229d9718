//! Consent on another device: a program without a browser shows a code, and waits until somebody entered it (RFC 8628).
//!
//! Run it with `cargo run --example device_login`. It needs no account and no network: the provider is the emulator of the
//! test kit, and the person at the other device is played by a task. With `GITHUB_CLIENT_ID` in the environment it is GitHub,
//! and the person is you; the OAuth app must have the device flow switched on.
#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

use std::sync::Arc;
use std::time::Duration;

use tool_connect::http::Transport;
use tool_connect::oauth::OAuth;
use tool_connect::oauth::catalog::{Catalog, ClientConfig, ProviderEntry, StaticClients};
use tool_connect::oauth::connect::HostSession;
use tool_connect::oauth::vault::{EnvelopeVault, Keyring};
use tool_connect::store::Stores;
use tool_connect::testkit::oauth::{Decision, EmulatedClient, IssuerSettings, OAuthEmulator};
use tool_connect::transport::HttpTransport;
use tool_connect::{
    AuthScheme, ConnectRequest, HttpSettings, InstanceId, OAuth2Scheme, OAuthGrant, Principal, Result,
};

/// A program at the command line has no pages, so nobody is ever logged in at them.
struct NoPages;

#[async_trait::async_trait]
impl HostSession for NoPages {
    async fn principal(&self, _: &http::request::Parts) -> Result<Option<Principal>> {
        Ok(None)
    }
}

/// The emulated provider, as a file would describe it.
const EMULATED: &str = r#"
    id = "emulated"
    name = "The emulator of the test kit"
    issuer = "https://auth.example"
    client_auth = ["none"]
    [documentation]
    oauth = "https://www.rfc-editor.org/rfc/rfc8628"
    [endpoints]
    token = "https://auth.example/token"
    device = "https://auth.example/device"
    revoke = "https://auth.example/revoke"
    [probe]
    id = ["/sub"]
    label = ["/login"]
    [probe.request]
    url = "https://auth.example/userinfo"
"#;

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let github = std::env::var("GITHUB_CLIENT_ID").ok().filter(|id| !id.is_empty());
    let emulator = OAuthEmulator::new();
    let mut settings = IssuerSettings::new("https://auth.example").client(EmulatedClient::public("example"));
    settings.device_interval = Duration::from_secs(1);
    let issuer = emulator.issuer(settings)?;
    let (provider, scope, client, transport): (_, _, _, Arc<dyn Transport>) = match &github {
        Some(id) => {
            let transport = Arc::new(HttpTransport::new(&HttpSettings::default())?);
            ("github", "read:user", ClientConfig::public(id), transport)
        }
        None => ("emulated", "read", ClientConfig::public("example"), Arc::new(emulator)),
    };

    let vault =
        EnvelopeVault::builder(Arc::new(Keyring::generate()?)).stateless().without_access_log().build()?;
    let oauth = OAuth::builder()
        .stores(Stores::in_memory())
        .vault(Arc::new(vault))
        .transport(transport)
        .catalog(Catalog::builtin()?.with_entry(ProviderEntry::from_toml(EMULATED)?)?)
        .clients(StaticClients::new().with(provider, client))
        .session(NoPages)
        .public_url("http://localhost:1/connect".parse()?)
        .build()?;

    let ada = Principal::user("acme", "ada")?;
    let scheme = AuthScheme::OAuth2(OAuth2Scheme {
        provider: provider.to_owned(),
        scopes: vec![scope.to_owned()],
        grant: OAuthGrant::DeviceCode,
    });
    let request = ConnectRequest::new(InstanceId::new("account")?, scheme);
    let login = oauth.device_login(&ada, request).await?;
    println!("On any device, open {} and enter {}", login.verification_uri(), login.user_code());

    if github.is_none() {
        let code = login.user_code().to_owned();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(1500)).await;
            println!("(Somebody does so on their telephone, and says yes.)");
            issuer.decide_device(&code, Decision::Approve);
        });
    }
    let connection = login.wait().await?;
    println!(
        "Connected as {}, with the scopes {}.",
        connection.label.as_deref().unwrap_or("an account that has no name"),
        connection.scopes.clone().unwrap_or_default().join(" "),
    );
    oauth.connect().disconnect(&ada, &connection.id).await?;
    println!("And disconnected: the tokens were given back.");
    oauth.tokens().shutdown().await;
    Ok(())
}
