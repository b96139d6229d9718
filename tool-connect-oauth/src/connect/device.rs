//! Consent on another device (RFC 8628), for command lines and machines without a browser.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use tool_connect_core::{ConnectRequest, Connection, OAuthGrant, Principal, Result};
use url::Url;

use super::direct::a_person;
use super::engine::{Engine, resources};
use super::keep::Brought;
use super::kept::Wanted;
use crate::catalog::{ClientConfig, Provider};
use crate::flow::{DeviceCode, Wanted as Tokens};

/// A consent that is waited for: show the user the code and the address, then [`wait`](Self::wait).
#[must_use = "the user's consent is stored by `wait`"]
pub struct DeviceLogin {
    engine: Arc<Engine>,
    principal: Principal,
    wanted: Wanted,
    provider: Provider,
    client: ClientConfig,
    code: DeviceCode,
}

impl fmt::Debug for DeviceLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceLogin").field("provider", &self.provider.entry.id).finish_non_exhaustive()
    }
}

impl DeviceLogin {
    /// What the user types in. Show it to nobody but the user who asked: whoever enters it gives away an account of theirs.
    #[must_use]
    pub fn user_code(&self) -> &str {
        &self.code.user_code
    }

    /// Where.
    #[must_use]
    pub fn verification_uri(&self) -> &Url {
        &self.code.verification_uri
    }

    /// The same with the code in it, for a QR code.
    #[must_use]
    pub fn verification_uri_complete(&self) -> Option<&Url> {
        self.code.verification_uri_complete.as_ref()
    }

    /// When the code ends.
    #[must_use]
    pub fn expires(&self) -> SystemTime {
        self.code.expires_at
    }

    /// Asks the provider, as often as it allows, until the user has decided; then stores the connection. Dropping it gives
    /// up.
    ///
    /// # Errors
    /// [`ErrorKind::Denied`](tool_connect_core::ErrorKind::Denied) where the user said no,
    /// [`ErrorKind::NeedsReauth`](tool_connect_core::ErrorKind::NeedsReauth) where the code ended; where the provider or a store
    /// fails.
    pub async fn wait(self) -> Result<Connection> {
        let Self { engine, principal, wanted, provider, client, code } = self;
        let asked = code.scopes.clone();
        let tokens = engine.token_client(&provider, &client).device_wait(code).await?;
        let account = engine.identify(&provider, &tokens).await;
        engine.keep(&principal, &wanted, Brought::tokens(&provider, tokens, &asked, account)).await
    }
}

impl Engine {
    pub(super) async fn device_login(
        self: &Arc<Self>,
        principal: &Principal,
        request: ConnectRequest,
    ) -> Result<DeviceLogin> {
        a_person(principal)?;
        let wanted = self.wanted(principal, request, OAuthGrant::DeviceCode).await?;
        let (provider, client) = self.side(&principal.tenant, &wanted).await?;
        let scopes = provider.scopes_to_request(wanted.scopes.iter().map(String::as_str));
        let resource = resources(&wanted)?;
        let ask = Tokens { scopes: &scopes, resource: &resource, dpop_key: None };
        let code = self.token_client(&provider, &client).device_authorize(ask).await?;
        let (engine, principal) = (Arc::clone(self), principal.clone());
        Ok(DeviceLogin { engine, principal, wanted, provider, client, code })
    }
}
