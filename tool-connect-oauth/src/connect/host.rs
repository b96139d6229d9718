//! What the host brings: its own login, and who may connect for whom.

use async_trait::async_trait;
use http::request::Parts;
use tool_connect_core::{Owner, Principal, Result};
use url::Url;

/// The host's login. The start and callback endpoints ask it who is there; without its answer they do nothing.
///
/// The host's session cookie must be sent when the provider sends the browser back: `SameSite=Lax`, not `Strict`.
///
/// ```
/// use http::request::Parts;
/// use tool_connect_core::{Principal, Result};
/// use tool_connect_oauth::connect::HostSession;
///
/// struct MyLogin;
///
/// #[async_trait::async_trait]
/// impl HostSession for MyLogin {
///     async fn principal(&self, request: &Parts) -> Result<Option<Principal>> {
///         // What the host's own middleware found out about the session.
///         Ok(request.extensions.get::<Principal>().cloned())
///     }
/// }
/// ```
#[async_trait]
pub trait HostSession: Send + Sync + 'static {
    /// Who is logged in, with the teams and roles of this moment; `None` for nobody.
    ///
    /// # Errors
    /// Where the host cannot tell; the user sees a page that says to try again.
    async fn principal(&self, request: &Parts) -> Result<Option<Principal>>;

    /// Where somebody who is not logged in goes first; `back` is where to send them afterwards. Without such a place they
    /// see a page that says to log in.
    fn login(&self, back: &Url) -> Option<Url> {
        let _ = back;
        None
    }
}

/// Who may connect, change and end accounts that a team or the tenant owns. A user's own are always the user's alone.
#[async_trait]
pub trait OwnerRule: Send + Sync + 'static {
    /// Whether the principal may. Never asked for an owner that does not admit the principal anyway.
    ///
    /// # Errors
    /// Where the host cannot tell; then the answer counts as no.
    async fn may_own(&self, principal: &Principal, owner: &Owner) -> Result<bool>;
}

/// Members connect for their teams; for the tenant, who has the role `admin`.
#[derive(Clone, Copy, Debug, Default)]
pub struct AdminsAndMembers;

#[async_trait]
impl OwnerRule for AdminsAndMembers {
    async fn may_own(&self, principal: &Principal, owner: &Owner) -> Result<bool> {
        Ok(match owner {
            Owner::Tenant => principal.has_role("admin"),
            owner => owner.admits(principal),
        })
    }
}
