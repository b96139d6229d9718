//! What is remembered, sealed, between the parts of a consent.

use std::collections::BTreeMap;

use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tool_connect_core::store::AuthorizationState;
use tool_connect_core::{
    Connection, ConnectionId, Error, ErrorKind, InstanceId, Owner, Principal, Result, SealedPlace,
    SecretAccess,
};
use url::Url;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::engine::Engine;
use super::random;

/// More than any ticket or state needs.
const CAPACITY: usize = 8 << 10;

/// What is to be got, for whom: checked when it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wanted {
    pub(super) instance: InstanceId,
    /// The provider's id in the catalog.
    pub(super) provider: String,
    pub(super) owner: Owner,
    /// The connection that is connected again.
    pub(super) connection: Option<ConnectionId>,
    /// All scopes to ask for.
    pub(super) scopes: Vec<String>,
    /// Those of them that somebody lacks.
    pub(super) needed: Vec<String>,
    pub(super) client: Option<String>,
    pub(super) config: BTreeMap<String, String>,
    pub(super) return_to: Option<String>,
}

impl Wanted {
    /// Takes over what a connection keeps when it is connected again: its owner, its client and its configuration.
    pub(super) fn adopt(&mut self, connection: &Connection, owner: Option<&Owner>) -> Result<()> {
        let refuse = |what: &str| {
            let message = format!("connection `{}` {what}; connect a new one instead", connection.id);
            Err(Error::new(ErrorKind::Conflict, message))
        };
        if connection.instance != self.instance {
            return refuse("is at another instance");
        }
        if owner.is_some_and(|owner| *owner != connection.owner) {
            return refuse("has another owner, which it keeps");
        }
        let differs =
            |(name, value): (&String, &String)| connection.config.get(name).is_some_and(|kept| kept != value);
        if self.config.iter().any(differs) {
            return refuse("has another configuration, which it keeps");
        }
        if self.client.is_some() && self.client != connection.client {
            return refuse("was made with another client, which it keeps");
        }
        self.owner = connection.owner.clone();
        self.client.clone_from(&connection.client);
        self.config.extend(connection.config.clone());
        Ok(())
    }
}

/// What a state stands for: a user on the way to the provider and back. Its secrets are wiped when it goes.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct Pending {
    #[zeroize(skip)]
    pub(super) wanted: Wanted,
    /// What `iss` of the answer must be.
    pub(super) issuer: Option<String>,
    pub(super) client_id: String,
    /// The binding cookie's value, as a hash.
    pub(super) binding: String,
    #[zeroize(skip)]
    pub(super) redirect_uri: Url,
    pub(super) asked: Vec<String>,
    #[zeroize(skip)]
    pub(super) resource: Vec<Url>,
    pub(super) verifier: String,
    pub(super) dpop_key: Option<String>,
}

/// A ticket or a state.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Ticket,
    State,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::State => "state",
        }
    }

    /// What a random value is remembered as.
    pub(super) fn id(self, value: &str) -> String {
        random::hash(self.name(), value)
    }
}

impl Engine {
    /// Seals it for the user and remembers it until its end.
    pub(super) async fn remember(
        &self,
        principal: &Principal,
        purpose: Purpose,
        id: String,
        what: &impl Serialize,
    ) -> Result<AuthorizationState> {
        // One buffer that is large enough: a growing one would leave its older copies behind.
        let mut plain = Zeroizing::new(Vec::with_capacity(CAPACITY));
        serde_json::to_writer(&mut *plain, what)
            .map_err(|e| Error::new(ErrorKind::Internal, "a consent cannot be written").caused_by(e))?;
        let sealed = self.vault.seal(&place(principal, purpose, &id), &plain).await?;
        let time = match purpose {
            Purpose::Ticket => self.ticket_time,
            Purpose::State => self.state_time,
        };
        let state = AuthorizationState::new(
            principal.tenant.clone(),
            id,
            principal.user.clone(),
            sealed,
            self.after(time),
        );
        self.stores.authorizations.put(state.clone()).await?;
        Ok(state)
    }

    /// Opens what was remembered for the user.
    pub(super) async fn recall<T: DeserializeOwned>(
        &self,
        principal: &Principal,
        purpose: Purpose,
        state: &AuthorizationState,
    ) -> Result<T> {
        let place = SealedPlace::new(
            state.tenant.clone(),
            Owner::User(state.user.clone()),
            format!("authorization:{}", state.id),
            purpose.name(),
        );
        let access = SecretAccess::by(principal, "connect");
        let plain = self.vault.open(&place, &state.sealed, &access).await?;
        // The cause is not kept: it may repeat what was read.
        serde_json::from_slice(plain.expose_secret()).map_err(|_| {
            Error::new(
                ErrorKind::Vault,
                "a consent that is under way was begun by another version; begin it again",
            )
        })
    }
}

fn place(principal: &Principal, purpose: Purpose, id: &str) -> SealedPlace {
    let subject = Owner::User(principal.user.clone());
    SealedPlace::new(principal.tenant.clone(), subject, format!("authorization:{id}"), purpose.name())
}
