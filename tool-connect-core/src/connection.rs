//! Accounts at connector instances; never their secrets.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::ids::{ConnectionId, InstanceId, TeamId, TenantId, UserId};
use crate::memo::Memo;
use crate::principal::Principal;

/// Who owns a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Owner {
    /// One user.
    User(UserId),
    /// A team; its members may use it.
    Team(TeamId),
    /// The whole tenant.
    Tenant,
}

impl Owner {
    /// Whether the principal (of the same tenant) may use what this owner owns.
    #[must_use]
    pub fn admits(&self, principal: &Principal) -> bool {
        match self {
            Self::User(user) => *user == principal.user,
            Self::Team(team) => principal.teams.contains(team),
            Self::Tenant => true,
        }
    }
}

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConnectionStatus {
    /// Consent was begun and not finished.
    Pending,
    /// Works.
    Active,
    /// Its secret has run out and can be renewed without the user.
    Expired,
    /// Only the user can make it work again.
    NeedsReauth,
    /// Given up by the user or the host.
    Revoked,
    /// Broken in another way; an operator must look.
    Error,
}

impl ConnectionStatus {
    /// The status' stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Expired => "expired",
            Self::NeedsReauth => "needs_reauth",
            Self::Revoked => "revoked",
            Self::Error => "error",
        }
    }

    /// Whether a call may try it: an expired secret is renewed on the way.
    #[must_use]
    pub const fn usable(self) -> bool {
        matches!(self, Self::Active | Self::Expired)
    }
}

/// One account at one connector instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Connection {
    /// Its id, unique in the tenant.
    pub id: ConnectionId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// Who owns it.
    pub owner: Owner,
    /// The connector instance it connects to.
    pub instance: InstanceId,
    /// Where it stands.
    pub status: ConnectionStatus,
    /// Scopes that the provider granted; `None` where the scheme has none (an API key).
    pub scopes: Option<Vec<String>>,
    /// Which account it is, for people: a login, an address.
    pub label: Option<String>,
    /// The account's id at the provider, which stays where the label changes.
    #[serde(default)]
    pub account: Option<String>,
    /// Why it does not work, where it does not: for people, without secrets.
    #[serde(default)]
    pub reason: Option<String>,
    /// Which of the host's client configurations it was made with, where there are several.
    #[serde(default)]
    pub client: Option<String>,
    /// What the provider's addresses need beside the account, and no secret: a shop's domain, a site. Kept when the account
    /// is connected again.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
    /// Chosen where the owner has several and the caller names none.
    pub is_default: bool,
    /// When it was made.
    pub created: SystemTime,
    /// Raised by the store with each write; for compare-and-swap.
    pub version: u64,
    #[serde(skip)]
    memo: Memo,
}

impl Connection {
    /// An active connection that the host supplies the secret for.
    #[must_use]
    pub fn new(id: ConnectionId, tenant: TenantId, owner: Owner, instance: InstanceId) -> Self {
        Self {
            id,
            tenant,
            owner,
            instance,
            status: ConnectionStatus::Active,
            scopes: None,
            label: None,
            account: None,
            reason: None,
            client: None,
            config: BTreeMap::new(),
            is_default: false,
            created: SystemTime::UNIX_EPOCH,
            version: 0,
            memo: Memo::default(),
        }
    }

    /// Where an [`Authenticator`](crate::Authenticator) keeps what it has looked up for this connection, while the connection is
    /// in memory.
    #[must_use]
    pub fn memo(&self) -> &Memo {
        &self.memo
    }

    /// Sets the granted scopes.
    #[must_use]
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the label.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Sets a value that the provider's addresses need.
    #[must_use]
    pub fn config(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.insert(name.into(), value.into());
        self
    }

    /// Makes it the owner's default at its instance.
    #[must_use]
    pub fn default_for_owner(mut self) -> Self {
        self.is_default = true;
        self
    }

    /// The scopes of these that were not granted; of alternatives (`public_repo|repo`), none of which was, the first. A scheme
    /// without scopes lacks none.
    ///
    /// ```
    /// # use tool_connect_core::{Connection, ConnectionId, InstanceId, Owner, TenantId};
    /// # let (id, tenant) = (ConnectionId::new("c").unwrap(), TenantId::new("acme").unwrap());
    /// # let github = InstanceId::new("github").unwrap();
    /// let connection = Connection::new(id, tenant, Owner::Tenant, github).scopes(["repo"]);
    /// assert!(connection.missing(["public_repo|repo"]).is_empty());
    /// assert_eq!(connection.missing(["read:org|admin:org"]), ["read:org"]);
    /// ```
    #[must_use]
    pub fn missing<'a>(&self, needed: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let Some(granted) = &self.scopes else { return Vec::new() };
        lacking(granted, needed).map(str::to_owned).collect()
    }
}

/// Of these scopes the ones that are not granted; of alternatives the first, where none is.
pub(crate) fn lacking<'a>(
    granted: &[String],
    needed: impl IntoIterator<Item = &'a str>,
) -> impl Iterator<Item = &'a str> {
    let has = |scope: &str| granted.iter().any(|g| g == scope);
    // The whole text first: a scope may have the sign in its name.
    let lacks = move |scope: &&str| !has(scope) && !scope.split('|').any(has);
    needed.into_iter().filter(lacks).map(|scope| scope.split('|').next().unwrap_or(scope))
}
