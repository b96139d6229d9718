//! Facts about providers, one TOML file each, and the clients that a host configured there.
//!
//! A [`ProviderEntry`] is the file as data; resolved for one connection's configuration it is a [`Provider`], whose
//! addresses are checked. [`Catalog`] finds entries by id; a [`ClientSource`] finds what the host registered there.

mod builtin;
mod client;
mod entry;
mod load;
#[cfg(feature = "nango")]
pub mod nango;
mod parse;
mod provider;
mod quirks;
mod sources;
mod stored;
mod template;

pub use client::{ClientAuth, ClientConfig, ClientSource};
pub use entry::{
    ClientAuthMethod, Documentation, Endpoints, Parameter, Pkce, Probe, ProbeRequest, ProviderEntry, Refresh,
    RefreshTokenBy, Rotation, Scopes,
};
pub use load::Catalog;
pub use provider::Provider;
pub use quirks::{
    BasicEncoding, BodyEncoding, Lifetime, Limit, Method, Revocation, RevocationAuth, TimeUnit, TokenRequest,
    TokenResponse, Webhook, WebhookSignature,
};
pub use sources::{ClientSources, EnvClients, StaticClients};
pub use stored::StoredClients;
pub use tool_connect_core::JwtAlgorithm;
