//! One authorization server, one file, and a manager on them.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tool_connect::http::Transport;
use tool_connect::oauth::catalog::{
    Catalog, ClientAuth, ClientConfig, ProviderEntry, Rotation, StaticClients, TimeUnit,
};
use tool_connect::oauth::flow::{HttpLimits, OAuthHttp, TokenSet};
use tool_connect::oauth::refresh::{RefreshSettings, TokenManager, TokenManagerBuilder};
use tool_connect::oauth::vault::{EnvelopeVault, KeySet, Keyring};
use tool_connect::store::Stores;
use tool_connect::stores::{SqliteOptions, SqliteStores, Synchronous};
use tool_connect::testkit::oauth::{EmulatedClient, EmulatedTokens, ExpiresIn, IssuerSettings, Quirks};
use tool_connect::transport::HttpTransport;
use tool_connect::{
    AuthScheme, Connection, ConnectionId, HttpSettings, InstanceId, NetworkAccess, Owner, Result, TenantId,
};

const CLIENT: &str = "app";
const SECRET: &str = "the-secret-of-the-app";

/// Times of a storm; a process gets them from the one that started it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Times {
    pub(crate) lease_ms: u64,
    pub(crate) settle_ms: u64,
    /// How long a token request may take.
    pub(crate) request_ms: u64,
}

impl Times {
    /// For storms in which nobody dies.
    pub(crate) const PATIENT: Self = Self { lease_ms: 200, settle_ms: 15_000, request_ms: 10_000 };
}

/// The issuer's settings, with the client that everybody uses.
pub(crate) fn issuer(name: &str) -> IssuerSettings {
    // Lifetimes below a second can be said in milliseconds only.
    let quirks = Quirks { expires_in: ExpiresIn::Millis, ..Quirks::default() };
    IssuerSettings::new(name).client(EmulatedClient::secret_post(CLIENT, SECRET)).quirks(quirks)
}

/// The provider as the catalog has it.
pub(crate) fn entry(issuer: &str, rotation: Rotation) -> ProviderEntry {
    let mut entry = ProviderEntry::new("emulated", format!("{issuer}/token"));
    entry.issuer = Some(issuer.to_owned());
    entry.refresh.rotation = rotation;
    entry.token_response.expires_in.unit = TimeUnit::Milliseconds;
    entry.allow_loopback = true;
    entry
}

pub(crate) fn scheme() -> AuthScheme {
    AuthScheme::oauth2("emulated", ["read"])
}

pub(crate) fn connection(id: &str) -> Result<Connection> {
    let (id, tenant) = (ConnectionId::new(id)?, TenantId::new("acme")?);
    Ok(Connection::new(id, tenant, Owner::Tenant, InstanceId::new("things")?))
}

pub(crate) fn vault(keys: Keyring) -> Result<Arc<EnvelopeVault>> {
    Ok(Arc::new(EnvelopeVault::builder(Arc::new(keys)).stateless().without_access_log().build()?))
}

/// The stores and the vault that all processes share: one file, and one with the keys.
pub(crate) fn open(folder: &Path) -> Result<(Stores, Arc<EnvelopeVault>)> {
    let keys = folder.join("keys.toml");
    if !keys.exists() {
        KeySet::generate()?.save(&keys)?;
    }
    // A process that is stopped in the middle of a write holds the others up.
    let options = SqliteOptions {
        synchronous: Synchronous::Normal,
        busy_timeout: Duration::from_secs(20),
        ..SqliteOptions::default()
    };
    let stores = SqliteStores::open(folder.join("storm.db"), options)?.stores();
    Ok((stores, vault(Keyring::from_file(&keys)?)?))
}

/// Loopback through the guarded transport.
pub(crate) fn loopback() -> Result<Arc<dyn Transport>> {
    let mut settings = HttpSettings::default();
    settings.access = NetworkAccess::public().allow_loopback();
    Ok(Arc::new(HttpTransport::new(&settings)?))
}

pub(crate) fn manager(
    stores: &Stores,
    vault: Arc<EnvelopeVault>,
    transport: Arc<dyn Transport>,
    entry: ProviderEntry,
    times: Times,
) -> Result<TokenManagerBuilder> {
    let millis = Duration::from_millis;
    let mut limits = HttpLimits::default();
    limits.total = millis(times.request_ms);
    let mut settings = RefreshSettings::default();
    settings.lease = millis(times.lease_ms);
    settings.settle_after = millis(times.settle_ms);
    settings.wait = Duration::from_secs(120);
    settings.backoff = millis(100);
    let client = ClientConfig::confidential(CLIENT, SECRET).auth(ClientAuth::Post);
    Ok(TokenManager::builder(stores, vault)
        .catalog(Catalog::empty().with_entry(entry)?)
        .clients(StaticClients::new().with("emulated", client))
        .http(OAuthHttp::new(transport).limits(limits))
        .settings(settings))
}

/// Stores a connection whose access token has just ended.
pub(crate) async fn connect_expired(
    stores: &Stores,
    manager: &TokenManager,
    connection: &Connection,
    tokens: EmulatedTokens,
    issuer: &str,
) -> Result<()> {
    stores.connections.put(connection.clone()).await?;
    let mut set = TokenSet::bearer(tokens.access_token);
    set.refresh_token = tokens.refresh_token.map(Into::into);
    set.expires_at = Some(SystemTime::now() - Duration::from_secs(1));
    set.issuer = Some(issuer.to_owned());
    manager.save(connection, &set.into()).await
}
