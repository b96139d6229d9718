//! Grants: against a scripted transport (what is sent, what is made of each answer), against testkit's emulator, and against a
//! certified server.

pub(crate) mod assertion;
mod authorize;
mod certified;
mod client_auth;
mod device;
mod dpop;
mod emulator;
mod exchange;
mod failure;
mod hostile;
mod redaction;
mod refresh;
mod revoke;
mod script;
mod transport;

use std::sync::Arc;
use std::time::Duration;

use tool_connect_core::Clock;
use tool_connect_oauth::catalog::{ClientConfig, Provider, ProviderEntry};
use tool_connect_oauth::flow::{CodeExchange, DpopKey, OAuthHttp, TokenClient, TokenSet, Wanted};
use tool_connect_testkit::ManualClock;
use url::Url;

use script::{Reply, Script};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A provider, a client there, and a transport that answers as the test says.
struct Bench {
    script: Arc<Script>,
    http: OAuthHttp,
    provider: Provider,
    client: ClientConfig,
    clock: Arc<ManualClock>,
}

impl Bench {
    fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::with(replies, |_| {})
    }

    /// With an entry that the test changes first.
    fn with(replies: impl IntoIterator<Item = Reply>, change: impl FnOnce(&mut ProviderEntry)) -> Self {
        let script = Arc::new(Script::new(replies));
        let clock = Arc::new(ManualClock::new());
        let http = OAuthHttp::new(script.clone()).clock(clock.clone());
        let client = ClientConfig::confidential("client-1", "client-secret-1");
        Self { script, http, provider: provider(change), client, clock }
    }

    fn client(mut self, client: ClientConfig) -> Self {
        self.client = client;
        self
    }

    fn tokens(&self) -> TokenClient<'_> {
        TokenClient::new(&self.http, &self.provider, &self.client, &*self.clock)
    }

    async fn exchange(&self) -> tool_connect_core::Result<TokenSet> {
        self.exchange_for(Wanted::default()).await
    }

    async fn exchange_for(&self, wanted: Wanted<'_>) -> tool_connect_core::Result<TokenSet> {
        let exchange = CodeExchange {
            code: &"the-code-of-the-callback".into(),
            verifier: &VERIFIER.into(),
            redirect_uri: &url("https://app.example/callback"),
            wanted,
        };
        self.tokens().exchange(&exchange).await
    }

    fn in_seconds(&self, seconds: u64) -> Option<std::time::SystemTime> {
        Some(self.clock.now() + Duration::from_secs(seconds))
    }
}

fn provider(change: impl FnOnce(&mut ProviderEntry)) -> Provider {
    let mut entry = ProviderEntry::new("acme", "https://as.example/token");
    entry.issuer = Some("https://as.example".into());
    entry.endpoints.authorize = Some("https://as.example/authorize".into());
    entry.endpoints.device = Some("https://as.example/device".into());
    entry.endpoints.revoke = Some("https://as.example/revoke".into());
    entry.endpoints.introspect = Some("https://as.example/introspect".into());
    change(&mut entry);
    entry.resolve(&std::collections::BTreeMap::new()).expect("a provider")
}

fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL")
}

fn scopes<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).into()
}

fn old_tokens() -> TokenSet {
    TokenSet {
        refresh_token: Some("refresh-token-1".into()),
        scopes: Some(scopes(["read", "write"])),
        issuer: Some("https://as.example".into()),
        ..TokenSet::bearer("access-token-1")
    }
}

fn dpop_key() -> secrecy::SecretString {
    DpopKey::generate().expect("a key").secret().clone()
}
