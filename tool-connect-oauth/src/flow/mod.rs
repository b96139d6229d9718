//! The grants of OAuth as requests and answers: nothing here is stored or remembered.
//!
//! [`TokenClient`] is one client at one provider of the catalog; [`OAuthHttp`] carries its requests over the host's guarded
//! transport; [`TokenSet`] is what comes back, in one form whatever the provider's answer looked like.

mod answer;
mod assertion;
mod authorize;
mod client_auth;
mod device;
mod dpop;
mod failure;
mod form;
mod grant;
mod http;
mod pkce;
pub(crate) mod random;
mod revoke;
mod sealed;
mod secret;
mod token;

pub use assertion::ServiceAccount;
pub(crate) use assertion::exchange_assertion;
pub use authorize::{Authorization, AuthorizeRequest};
pub use device::{DeviceCode, DevicePoll};
pub use dpop::{DPOP, DPOP_NONCE, DpopKey, DpopNonces, DpopSigner};
pub use failure::OAuthFailure;
pub use grant::{CodeExchange, TokenClient, Wanted};
pub use http::{Answer, Asked, HttpLimits, OAuthHttp};
pub use revoke::{Introspection, Revoked};
pub use secret::Secret;
pub use token::{TokenSet, TokenType};
