//! Client configurations from code and from the environment, and several sources in order.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tool_connect_core::{Error, ErrorKind, Result, TenantId};
use url::Url;

use super::client::{ClientAuth, ClientConfig, ClientSource};

/// Several sources in order: a tenant's own client before the host's.
///
/// ```
/// use tool_connect_core::TenantId;
/// use tool_connect_oauth::catalog::{ClientConfig, ClientSource, ClientSources, EnvClients, StaticClients};
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let own = StaticClients::new().for_tenant(TenantId::new("acme")?, "slack", None, ClientConfig::public("acme-app"));
/// let clients = ClientSources::new().tenant(own).host(EnvClients::new());
/// let client = clients.client(&TenantId::new("acme")?, "slack", None).await?;
/// assert_eq!(client.unwrap().id, "acme-app");
/// # Ok::<(), tool_connect_core::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct ClientSources {
    tenant: Vec<Arc<dyn ClientSource>>,
    host: Vec<Arc<dyn ClientSource>>,
}

impl ClientSources {
    /// No source yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a source of clients that tenants registered themselves; all of these are asked before the host's, in this order.
    #[must_use]
    pub fn tenant(mut self, source: impl ClientSource) -> Self {
        self.tenant.push(Arc::new(source));
        self
    }

    /// Adds a source of clients that the host registered for everybody.
    #[must_use]
    pub fn host(mut self, source: impl ClientSource) -> Self {
        self.host.push(Arc::new(source));
        self
    }
}

#[async_trait]
impl ClientSource for ClientSources {
    async fn client(
        &self,
        tenant: &TenantId,
        provider: &str,
        name: Option<&str>,
    ) -> Result<Option<ClientConfig>> {
        for source in self.tenant.iter().chain(&self.host) {
            // A source that fails ends the search: the next one's client would be another registration, which cannot
            // refresh what this one got.
            if let Some(client) = source.client(tenant, provider, name).await? {
                return Ok(Some(client));
            }
        }
        Ok(None)
    }
}

impl fmt::Debug for ClientSources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSources")
            .field("tenant", &self.tenant.len())
            .field("host", &self.host.len())
            .finish()
    }
}

#[async_trait]
impl<S: ClientSource + ?Sized> ClientSource for Arc<S> {
    async fn client(
        &self,
        tenant: &TenantId,
        provider: &str,
        name: Option<&str>,
    ) -> Result<Option<ClientConfig>> {
        (**self).client(tenant, provider, name).await
    }
}

type Named = (String, Option<String>);

/// Client configurations made in code: for everybody, or for one tenant, whose own come first.
#[derive(Clone, Debug, Default)]
pub struct StaticClients {
    everybody: BTreeMap<Named, ClientConfig>,
    tenants: BTreeMap<TenantId, BTreeMap<Named, ClientConfig>>,
}

impl StaticClients {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a provider's default client.
    #[must_use]
    pub fn with(self, provider: impl Into<String>, client: ClientConfig) -> Self {
        self.add(provider.into(), None, client)
    }

    /// Adds one of a provider's several clients.
    #[must_use]
    pub fn with_named(
        self,
        provider: impl Into<String>,
        name: impl Into<String>,
        client: ClientConfig,
    ) -> Self {
        self.add(provider.into(), Some(name.into()), client)
    }

    fn add(mut self, provider: String, name: Option<String>, client: ClientConfig) -> Self {
        self.everybody.insert((provider, name), client);
        self
    }

    /// Adds a client of one tenant.
    #[must_use]
    pub fn for_tenant(
        mut self,
        tenant: TenantId,
        provider: impl Into<String>,
        name: Option<&str>,
        client: ClientConfig,
    ) -> Self {
        let named = (provider.into(), name.map(str::to_owned));
        self.tenants.entry(tenant).or_default().insert(named, client);
        self
    }
}

#[async_trait]
impl ClientSource for StaticClients {
    async fn client(
        &self,
        tenant: &TenantId,
        provider: &str,
        name: Option<&str>,
    ) -> Result<Option<ClientConfig>> {
        let named = (provider.to_owned(), name.map(str::to_owned));
        let own = self.tenants.get(tenant).and_then(|own| own.get(&named));
        Ok(own.or_else(|| self.everybody.get(&named)).cloned())
    }
}

/// Client configurations from the environment, the same for every tenant.
///
/// For the provider `github`: `TOOL_CONNECT_GITHUB_CLIENT_ID`, `TOOL_CONNECT_GITHUB_CLIENT_SECRET` (without one the client is
/// public), `TOOL_CONNECT_GITHUB_CLIENT_AUTH` (`none`, `basic` or `post`; `basic` where there is a secret) and
/// `TOOL_CONNECT_GITHUB_REDIRECT_URI`. A client that has a name, `work` say, has it after two underscores:
/// `TOOL_CONNECT_GITHUB__WORK_CLIENT_ID`. Names are as ids are (`[a-z][a-z0-9_]*`); others are never found here.
///
/// The environment is read at each look-up, which happens per connection and refresh, not per call.
#[derive(Clone, Default)]
pub struct EnvClients {
    fixed: Option<Arc<BTreeMap<String, OsString>>>,
}

impl EnvClients {
    /// The process' environment.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// These variables instead, for tests and for hosts that read their settings elsewhere.
    #[must_use]
    pub fn from_vars<K: Into<String>, V: Into<OsString>>(vars: impl IntoIterator<Item = (K, V)>) -> Self {
        let vars = vars.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { fixed: Some(Arc::new(vars)) }
    }

    /// A variable's text; an empty one is as none.
    fn var(&self, name: &str) -> Result<Option<String>> {
        let value = match &self.fixed {
            Some(vars) => vars.get(name).cloned(),
            None => std::env::var_os(name),
        };
        match value.map(OsString::into_string) {
            None => Ok(None),
            Some(Ok(text)) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
            Some(Err(_)) => Err(wrong(name, "is no UTF-8")),
        }
    }
}

fn wrong(name: &str, why: &str) -> Error {
    Error::new(ErrorKind::Config, format!("the environment variable {name} {why}"))
}

#[async_trait]
impl ClientSource for EnvClients {
    async fn client(
        &self,
        _tenant: &TenantId,
        provider: &str,
        name: Option<&str>,
    ) -> Result<Option<ClientConfig>> {
        let usable = |text: &str| tool_connect_core::check_name("name", text, 64).is_ok();
        if !usable(provider) || !name.is_none_or(usable) {
            return Ok(None);
        }
        let mut prefix = format!("TOOL_CONNECT_{}", provider.to_ascii_uppercase());
        if let Some(name) = name {
            prefix.push_str("__");
            prefix.push_str(&name.to_ascii_uppercase());
        }
        let variable = |end: &str| format!("{prefix}_{end}");
        let secret = self.var(&variable("CLIENT_SECRET"))?;
        let Some(id) = self.var(&variable("CLIENT_ID"))? else {
            return match secret {
                // Half a configuration is a mistake, not the absence of one.
                Some(_) => Err(wrong(&variable("CLIENT_ID"), "is missing beside its secret")),
                None => Ok(None),
            };
        };
        let mut client = match secret {
            Some(secret) => ClientConfig::confidential(id, secret),
            None => ClientConfig::public(id),
        };
        let auth = variable("CLIENT_AUTH");
        client.auth = match (self.var(&auth)?.as_deref(), client.secret.is_some()) {
            (None, _) => client.auth,
            (Some("none"), _) => ClientAuth::None,
            (Some("basic"), true) => ClientAuth::Basic,
            (Some("post"), true) => ClientAuth::Post,
            (Some("basic" | "post"), false) => return Err(wrong(&auth, "needs a secret, and there is none")),
            (Some(_), _) => return Err(wrong(&auth, "must be `none`, `basic` or `post`")),
        };
        let redirect = variable("REDIRECT_URI");
        if let Some(text) = self.var(&redirect)? {
            client.redirect_uri = Some(Url::parse(&text).map_err(|_| wrong(&redirect, "is no address"))?);
        }
        Ok(Some(client))
    }
}

impl fmt::Debug for EnvClients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvClients")
    }
}
