//! What must be kept while a browser is at the issuer.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tool_connect_core::{Error, ErrorKind, Result};
use url::Url;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A sign-in that was begun: kept by the host for this one browser, in its session or sealed in a cookie, and used once.
/// `Debug` prints nothing of it.
#[derive(Clone)]
pub struct PendingSignIn {
    pub(super) issuer: String,
    pub(super) state: SecretString,
    pub(super) verifier: SecretString,
    pub(super) nonce: SecretString,
    pub(super) redirect_uri: Url,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Stored {
    #[zeroize(skip)]
    issuer: String,
    state: String,
    verifier: String,
    nonce: String,
    #[zeroize(skip)]
    redirect_uri: Option<Url>,
}

impl PendingSignIn {
    /// As bytes, for a session on the server's side or a [`Vault`](tool_connect_core::Vault); they hold secrets.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let stored = Stored {
            issuer: self.issuer.clone(),
            state: self.state.expose_secret().to_owned(),
            verifier: self.verifier.expose_secret().to_owned(),
            nonce: self.nonce.expose_secret().to_owned(),
            redirect_uri: Some(self.redirect_uri.clone()),
        };
        // One buffer that is large enough: a growing one would leave its older copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
        // Texts can always be written.
        let _ = serde_json::to_writer(&mut *bytes, &stored);
        bytes
    }

    /// What [`to_bytes`](Self::to_bytes) made.
    ///
    /// # Errors
    /// [`ErrorKind::Denied`] where the bytes are something else; the sign-in must be begun again.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let fail =
            || Error::new(ErrorKind::Denied, "what was kept of the sign-in cannot be read; sign in again");
        let mut stored: Stored = serde_json::from_slice(bytes).map_err(|_| fail())?;
        let take = |text: &mut String| SecretString::from(std::mem::take(text));
        Ok(Self {
            state: take(&mut stored.state),
            verifier: take(&mut stored.verifier),
            nonce: take(&mut stored.nonce),
            issuer: std::mem::take(&mut stored.issuer),
            redirect_uri: stored.redirect_uri.take().ok_or_else(fail)?,
        })
    }
}

impl fmt::Debug for PendingSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingSignIn").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
