//! Secrets at rest: envelope encryption, key providers, rotation and erasure.
//!
//! [`EnvelopeVault`] is the [`Vault`](tool_connect_core::Vault): each value under a data key of its own, the data key wrapped
//! by a key that a [`KeyProvider`] holds. [`Keyring`] is the provider for keys in a file, in the environment or in code.
//! [`rotate`] puts what is stored under the current key while reads go on.

mod aead;
mod check;
mod derive;
mod engine;
mod envelope;
mod fault;
mod format;
mod keyring;
mod place;
mod provider;
mod ready;
mod rotation;
mod settings;
mod subject;

pub use check::{KeyInUse, KeyUse};
pub use envelope::{EnvelopeVault, EnvelopeVaultBuilder};
pub use keyring::{KeySet, Keyring};
pub use place::{credential_place, place_of, subject_key};
pub use provider::{DataKey, KeyProvider, KeyStanding, WrapContext};
pub use rotation::{Rotation, RotationReport, RotationSettings, rotate};
pub use settings::{LogFailure, VaultSettings};
