//! The provider: GitHub with the host's client, or a server on this machine that is discovered and where a client is
//! registered on the spot.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use tool_connect::http::Transport;
use tool_connect::oauth::catalog::{Catalog, ClientConfig, ProviderEntry, StaticClients};
use tool_connect::oauth::discovery::{ClientMetadata, Discovery, DiscoverySettings, Registrations};
use tool_connect::oauth::flow::OAuthHttp;
use tool_connect::store::Stores;
use tool_connect::testkit::oauth::{IssuerSettings, Loopback, LoopbackServer, OAuthEmulator};
use tool_connect::{Owner, SystemClock, TenantId, Vault};
use url::Url;

use crate::host::Host;

pub(crate) struct Provider {
    pub(crate) what: String,
    /// Its id in the catalog.
    pub(crate) id: &'static str,
    pub(crate) catalog: Catalog,
    pub(crate) clients: StaticClients,
    pub(crate) scopes: &'static [&'static str],
    pub(crate) api: Url,
    pub(crate) who_am_i: String,
    pub(crate) name_of_account: &'static str,
    pub(crate) needs_a_person: bool,
    /// What runs as long as the example does.
    _server: Option<Server>,
}

/// A server on this machine.
enum Server {
    /// Started by somebody else, who also ends it.
    Running,
    /// Ends when its standard input does.
    Certified(Child),
    Emulated(#[allow(dead_code, reason = "held until the end")] LoopbackServer),
}

type Failure = Box<dyn std::error::Error>;

impl Provider {
    pub(crate) async fn find(
        host: &Host,
        transport: Arc<dyn Transport>,
        stores: &Stores,
        vault: &Arc<dyn Vault>,
        by_hand: bool,
    ) -> Result<Self, Failure> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let (Some(id), Some(secret)) = (variable("GITHUB_CLIENT_ID"), variable("GITHUB_CLIENT_SECRET")) {
            return Ok(Self {
                what: "GitHub".to_owned(),
                id: "github",
                catalog: Catalog::builtin()?,
                clients: StaticClients::new().with("github", ClientConfig::confidential(id, secret)),
                scopes: &["read:user"],
                api: Url::parse("https://api.github.com")?,
                who_am_i: "/user".to_owned(),
                name_of_account: "login",
                needs_a_person: true,
                _server: None,
            });
        }
        // Nobody clicks through the certified server's pages: it has none.
        let certified = if by_hand { None } else { certified() };
        let (what, issuer, server) = match certified {
            Some((issuer, server)) => (format!("oidc-provider, certified, at {issuer}"), issuer, server),
            None => {
                let loopback = Loopback::bind()?;
                let emulator = OAuthEmulator::new();
                let issuer = emulator.issuer(IssuerSettings::new(loopback.origin()))?;
                let issuer = issuer.issuer().to_owned();
                let what = format!("the emulator of the test kit, at {issuer}");
                (what, issuer, Server::Emulated(loopback.serve(&emulator)?))
            }
        };

        // All that is known of it is its address; the rest it tells (RFC 8414), and the host registers itself (RFC 7591).
        let (http, clock) = (OAuthHttp::new(transport), Arc::new(SystemClock));
        let mut settings = DiscoverySettings::default();
        settings.allow_loopback = true;
        let server_metadata =
            Discovery::with_settings(http.clone(), clock.clone(), settings).server(&issuer).await?;
        let entry = with_probe(server_metadata.entry("local"), &issuer)?;
        let callback = Url::parse(&format!("{}/callback/local", host.public_url))?;
        let registrations = Registrations::new(http, stores.credentials.clone(), Arc::clone(vault), clock);
        let client = ClientMetadata::new("The connect example", [callback]);
        let tenant = TenantId::new("acme")?;
        let registered =
            registrations.obtain(&tenant, &Owner::Tenant, &server_metadata, &client, None).await?;
        let userinfo =
            server_metadata.userinfo_endpoint.as_ref().ok_or("the server has no userinfo endpoint")?;
        Ok(Self {
            what,
            id: "local",
            catalog: Catalog::empty().with_entry(entry)?,
            clients: StaticClients::new().with("local", registered.client),
            scopes: &["openid", "offline_access"],
            api: Url::parse(&issuer)?,
            who_am_i: userinfo.path().to_owned(),
            name_of_account: "sub",
            needs_a_person: false,
            _server: Some(server),
        })
    }
}

/// Metadata does not say how to recognise an account; OpenID Connect does.
fn with_probe(mut entry: ProviderEntry, issuer: &str) -> Result<ProviderEntry, Failure> {
    let template = format!(
        "id = 'local'\nname = 'A server on this machine'\nallow_loopback = true\n\
         [documentation]\noauth = 'https://openid.net/specs/openid-connect-core-1_0.html'\n\
         [endpoints]\ntoken = '{issuer}/token'\n\
         [probe]\nid = ['/sub']\nlabel = ['/name', '/sub']\n"
    );
    let userinfo = entry.endpoints.userinfo.clone().unwrap_or_default();
    let probe = ProviderEntry::from_toml(&format!("{template}[probe.request]\nurl = '{userinfo}'\n"))?.probe;
    entry.name = "A server on this machine".to_owned();
    entry.probe = probe;
    entry.documentation.oauth = "https://openid.net/specs/openid-connect-core-1_0.html".to_owned();
    Ok(entry)
}

/// The certified server: the one that `cargo xtask` has started, or one of our own where Node and its packages are there.
fn certified() -> Option<(String, Server)> {
    if let Ok(told) = std::env::var("TOOL_CONNECT_COUNTERPARTY_OIDC") {
        let told: serde_json::Value = serde_json::from_str(&told).ok()?;
        return Some((told["issuer"].as_str()?.to_owned(), Server::Running));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/counterparties");
    if !folder.join("node_modules/oidc-provider").is_dir() {
        println!("(The certified server needs `npm ci` in tests/counterparties; the emulator stands in.)");
        return None;
    }
    let mut child = Command::new("node")
        .arg("authorization_server.mjs")
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let lines = BufReader::new(child.stdout.take()?).lines().map_while(Result::ok);
    let ready = lines.filter_map(|line| line.strip_prefix("READY ").map(str::to_owned)).next()?;
    let told: serde_json::Value = serde_json::from_str(&ready).ok()?;
    Some((told["issuer"].as_str()?.to_owned(), Server::Certified(child)))
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Self::Certified(child) = self {
            // It ends with its standard input; waited for, so that nothing is left behind.
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}
