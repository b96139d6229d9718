//! What an authorization server says of itself, and how clients come to be known there.
//!
//! [`Discovery`] reads and keeps the metadata of authorization servers (RFC 8414, OpenID Connect Discovery) and of protected
//! resources (RFC 9728); [`ServerMetadata::entry`] makes a catalog entry of it, so that every flow works with a server that no
//! catalog knows. [`Registrations`] keeps clients that were registered by themselves (RFC 7591), and [`ClientDocument`] is a
//! client whose id is the address of its own metadata. [`Clients`] chooses among them.

mod challenge;
mod choose;
mod document;
mod entry;
mod fetch;
mod json;
mod registered;
mod registration;
mod resource;
mod server;
mod well_known;

pub use challenge::{Challenge, challenges, parse_challenges};
pub use choose::{ChosenClient, ClientOrigin, Clients};
pub use document::{ClientDocument, ClientDocumentService};
pub use fetch::{DiscoveredServer, Discovery, DiscoverySettings};
pub use registered::Registrations;
pub use registration::{ApplicationType, ClientMetadata, Registration};
pub use resource::ResourceMetadata;
pub use server::{Profile, ServerMetadata};
pub use well_known::{resource_addresses, server_addresses};

#[cfg(feature = "oidc")]
pub(crate) use json::object;
