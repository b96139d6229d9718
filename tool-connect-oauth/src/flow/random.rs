//! Values that nobody can guess.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use tool_connect_core::{Error, ErrorKind, Result};
use zeroize::Zeroizing;

/// 256 random bits as 43 characters of base64url: fit for `state`, `nonce`, `jti` and as a code verifier
/// (RFC 7636 §4.1 recommends just that).
pub(crate) fn text() -> Result<SecretString> {
    let mut bytes = Zeroizing::new([0; 32]);
    fill(&mut *bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(*bytes).into())
}

pub(crate) fn fill(bytes: &mut [u8]) -> Result<()> {
    SystemRandom::new()
        .fill(bytes)
        .map_err(|_| Error::new(ErrorKind::Internal, "the operating system gives no random numbers"))
}
