//! The token manager against the emulator: once, fenced, and without a 401 that a renewal could have prevented.

mod background;
mod failures;
mod fencing;
mod hub;
mod leaks;
mod once;
mod refused;
mod rotation;
mod schemes;
mod stores;
mod warm;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tool_connect_core::http::Transport;
use tool_connect_core::store::{ConnectionFilter, CredentialKey, CredentialKind, StoredCredential, Stores};
use tool_connect_core::{
    AuthScheme, Connection, ConnectionId, ConnectionStatus, Event, EventKind, InstanceId, Owner, TenantId,
    UserId,
};
use tool_connect_oauth::catalog::{
    Catalog, ClientAuth, ClientConfig, ProviderEntry, Rotation as Rotates, StaticClients,
};
use tool_connect_oauth::flow::{Secret, TokenSet};
use tool_connect_oauth::refresh::{RefreshSettings, TokenManager, TokenManagerBuilder};
use tool_connect_oauth::vault::{EnvelopeVault, Keyring};
use tool_connect_testkit::ManualClock;
use tool_connect_testkit::oauth::{
    EmulatedClient, EmulatedTokens, Issuer, IssuerSettings, OAuthEmulator, Rotation,
};

pub(super) const ISSUER: &str = "https://auth.example";
pub(super) const CLIENT_SECRET: &str = "canary-client-secret-31f0";
pub(super) const HOUR: Duration = Duration::from_secs(3_600);

/// One authorization server, one connection, and the stores that any number of managers ("processes") share.
pub(super) struct House {
    pub(super) clock: Arc<ManualClock>,
    pub(super) emulator: OAuthEmulator,
    pub(super) issuer: Issuer,
    pub(super) stores: Stores,
    pub(super) vault: Arc<EnvelopeVault>,
    pub(super) connection: Connection,
    pub(super) scheme: AuthScheme,
    pub(super) events: Arc<Mutex<Vec<Event>>>,
    pub(super) entry: ProviderEntry,
    pub(super) settings: RefreshSettings,
}

impl House {
    pub(super) fn new() -> Self {
        Self::with(Rotation::Strict, |settings| settings)
    }

    pub(super) fn with(rotation: Rotation, change: impl FnOnce(IssuerSettings) -> IssuerSettings) -> Self {
        let clock = Arc::new(ManualClock::new());
        let emulator = OAuthEmulator::with_clock(clock.clone());
        let settings = IssuerSettings::new(ISSUER)
            .client(EmulatedClient::secret_post("app", CLIENT_SECRET))
            .rotation(rotation);
        let issuer = emulator.issuer(change(settings)).expect("a server");
        let stores = Stores::in_memory_with(clock.clone());
        let keyring = Arc::new(Keyring::generate().expect("keys"));
        let vault = EnvelopeVault::builder(keyring)
            .stateless()
            .without_access_log()
            .clock(clock.clone())
            .build()
            .expect("a vault");
        let mut entry = ProviderEntry::new("emulated", format!("{ISSUER}/token"));
        entry.issuer = Some(ISSUER.into());
        entry.refresh.rotation = match rotation {
            Rotation::None => Rotates::None,
            Rotation::Tolerated(grace) => Rotates::Tolerated(grace),
            Rotation::Strict => Rotates::Strict,
        };
        Self {
            clock,
            emulator,
            issuer,
            stores,
            vault: Arc::new(vault),
            connection: connection("c1"),
            scheme: AuthScheme::oauth2("emulated", ["read"]),
            events: Arc::default(),
            entry,
            settings: RefreshSettings::default(),
        }
    }

    pub(super) fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(self.emulator.clone())
    }

    /// Another process on the same stores.
    pub(super) fn manager(&self) -> TokenManager {
        self.manager_on(&self.stores, self.transport())
    }

    pub(super) fn manager_on(&self, stores: &Stores, transport: Arc<dyn Transport>) -> TokenManager {
        self.builder(stores).transport(transport).build().expect("a manager")
    }

    pub(super) fn builder(&self, stores: &Stores) -> TokenManagerBuilder {
        let catalog = Catalog::empty().with_entry(self.entry.clone()).expect("an entry");
        let client = ClientConfig::confidential("app", CLIENT_SECRET).auth(ClientAuth::Post);
        let events = Arc::clone(&self.events);
        TokenManager::builder(stores, self.vault.clone())
            .clock(self.clock.clone())
            .catalog(catalog)
            .clients(StaticClients::new().with("emulated", client))
            .event_sink(Arc::new(move |event: &Event| events.lock().expect("events").push(event.clone())))
            .settings(self.settings.clone())
    }

    /// The connection with a fresh grant.
    pub(super) async fn connect(&self) -> EmulatedTokens {
        self.connect_as(&self.connection).await
    }

    pub(super) async fn connect_as(&self, connection: &Connection) -> EmulatedTokens {
        let tokens = self.issuer.grant("app", ["read"]);
        self.stores.connections.put(connection.clone()).await.expect("a connection");
        self.manager().save(connection, &self.secret(&tokens)).await.expect("saved");
        tokens
    }

    pub(super) fn secret(&self, tokens: &EmulatedTokens) -> Secret {
        let mut set = TokenSet::bearer(tokens.access_token.clone());
        set.refresh_token = tokens.refresh_token.clone().map(Into::into);
        set.expires_at = Some(tool_connect_core::Clock::now(&*self.clock) + tokens.expires_in);
        set.issuer = Some(ISSUER.into());
        set.into()
    }

    pub(super) async fn record(&self) -> StoredCredential {
        let key = CredentialKey::new(CredentialKind::Connection, self.connection.id.as_str());
        let found = self.stores.credentials.get(&self.connection.tenant, &key).await.expect("read");
        found.expect("a secret is never deleted")
    }

    pub(super) async fn status(&self) -> ConnectionStatus {
        self.stored_connection().await.status
    }

    pub(super) async fn stored_connection(&self) -> Connection {
        let all = self.stores.connections.list(&self.connection.tenant, &ConnectionFilter::default()).await;
        let all = all.expect("listed");
        all.into_iter().find(|found| found.id == self.connection.id).expect("a connection")
    }

    /// Opens what is stored.
    pub(super) async fn stored_tokens(&self) -> TokenSet {
        use secrecy::ExposeSecret as _;
        use tool_connect_core::{SecretAccess, Vault as _};
        let record = self.record().await;
        let place = tool_connect_oauth::vault::place_of(&record);
        let opened = self.vault.open(&place, &record.sealed, &SecretAccess::system("test", "call")).await;
        let secret = Secret::from_bytes(opened.expect("opened").expose_secret()).expect("a secret");
        secret.tokens().expect("tokens").clone()
    }

    /// How many times each kind of event came.
    pub(super) fn count(&self, which: impl Fn(&EventKind) -> bool) -> usize {
        self.events.lock().expect("events").iter().filter(|event| which(&event.what)).count()
    }

    pub(super) fn requests(&self) -> u64 {
        self.issuer.counters().token_requests
    }
}

pub(super) fn connection(id: &str) -> Connection {
    Connection::new(
        ConnectionId::new(id).expect("an id"),
        TenantId::new("acme").expect("an id"),
        Owner::User(UserId::new("ada").expect("an id")),
        InstanceId::new("things").expect("an id"),
    )
}

/// The access token, in clear.
pub(super) fn token(access: &tool_connect_oauth::refresh::Access) -> String {
    use secrecy::ExposeSecret as _;
    access.token().expect("a token").expose_secret().to_owned()
}

pub(super) fn is_reauth(what: &EventKind) -> bool {
    matches!(what, EventKind::ConnectionChanged { status: ConnectionStatus::NeedsReauth, .. })
}
