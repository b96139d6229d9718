//! Connecting accounts: tickets, the endpoints that a host mounts, what a consent brings, and how it ends.
//!
//! [`OAuth`] is the handle. A Hub asks its [`connect`](OAuth::connect) for tickets: single-use links to [`StartService`],
//! where the same user must be logged in at the host ([`HostSession`]); from there the browser goes to the provider and comes
//! back to [`CallbackService`], which stores the connection. Nobody is ever given a bare authorize URL.

mod answer;
mod builder;
mod callback;
mod cookie;
mod device;
mod direct;
mod disconnect;
mod engine;
mod host;
mod keep;
mod kept;
#[cfg(test)]
mod matrix;
mod page;
mod probe;
mod random;
mod service;
mod start;
mod stop;
mod ticket;

pub use builder::{OAuth, OAuthBuilder};
pub use device::DeviceLogin;
pub use direct::NewSecret;
pub use host::{AdminsAndMembers, HostSession, OwnerRule};
pub use keep::{GRANT, PROVIDER};
pub use page::PageBody;
pub use service::{CallbackService, StartService};
pub use ticket::ConnectFlow;
