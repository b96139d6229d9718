//! Which client is used at a server: what the host configured, a document, or a registration.

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;
use tool_connect_core::{Error, ErrorKind, Owner, Result, TenantId};

use super::document::ClientDocument;
use super::registered::Registrations;
use super::registration::ClientMetadata;
use super::server::{ServerMetadata, shown};
use crate::catalog::{ClientConfig, ClientSource};

/// Where a client comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientOrigin {
    /// The host configured it.
    Configured,
    /// Its id is the address of its metadata.
    Document,
    /// It was registered by itself.
    Registered,
}

/// A client, and where it comes from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChosenClient {
    /// The client.
    pub client: ClientConfig,
    /// Where it comes from.
    pub origin: ClientOrigin,
}

/// Chooses the client for a server that no catalog knows, in the order of the Model Context Protocol's authorization
/// specification: one that the host configured; else a client id metadata document, where the server takes those; else one
/// that is registered now.
#[derive(Clone)]
pub struct Clients {
    configured: Option<Arc<dyn ClientSource>>,
    document: Option<ClientDocument>,
    registrations: Option<(Registrations, ClientMetadata)>,
    initial: Option<SecretString>,
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients")
            .field("configured", &self.configured.is_some())
            .field("document", &self.document.as_ref().map(|document| document.client_id().as_str()))
            .field("registers", &self.registrations.is_some())
            .finish_non_exhaustive()
    }
}

impl Default for Clients {
    fn default() -> Self {
        Self::new()
    }
}

impl Clients {
    /// Without any way to a client yet.
    #[must_use]
    pub fn new() -> Self {
        Self { configured: None, document: None, registrations: None, initial: None }
    }

    /// Takes what the host configured under the entry's id.
    #[must_use]
    pub fn configured(mut self, source: Arc<dyn ClientSource>) -> Self {
        self.configured = Some(source);
        self
    }

    /// Takes a client id metadata document, where the server supports those.
    #[must_use]
    pub fn document(mut self, document: ClientDocument) -> Self {
        self.document = Some(document);
        self
    }

    /// Registers clients like this.
    #[must_use]
    pub fn register(mut self, registrations: Registrations, metadata: ClientMetadata) -> Self {
        self.registrations = Some((registrations, metadata));
        self
    }

    /// Sets the token that a server wants for a registration (RFC 7591 §3).
    #[must_use]
    pub fn initial_access_token(mut self, token: SecretString) -> Self {
        self.initial = Some(token);
        self
    }

    /// The client of an owner at a server; `id` is the id of the server's catalog entry.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where there is no way to a client; those of the source and of [`Registrations::obtain`].
    pub async fn choose(
        &self,
        tenant: &TenantId,
        owner: &Owner,
        id: &str,
        server: &ServerMetadata,
    ) -> Result<ChosenClient> {
        if let Some(source) = &self.configured
            && let Some(client) = source.client(tenant, id, None).await?
        {
            return Ok(ChosenClient { client, origin: ClientOrigin::Configured });
        }
        if let Some(document) = &self.document
            && server.client_id_metadata_document_supported
        {
            return Ok(ChosenClient { client: document.client(), origin: ClientOrigin::Document });
        }
        if let Some((registrations, metadata)) = &self.registrations
            && server.registration_endpoint.is_some()
        {
            let initial = self.initial.as_ref();
            let known = registrations.obtain(tenant, owner, server, metadata, initial).await?;
            return Ok(ChosenClient { client: known.client, origin: ClientOrigin::Registered });
        }
        Err(Error::new(
            ErrorKind::Config,
            format!(
                "there is no client for authorization server `{}`: register one there and configure it under `{}`",
                shown(&server.issuer),
                id.escape_debug()
            ),
        ))
    }
}
