//! Values that nobody can guess, and the hashes under which they are remembered.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tool_connect_core::Result;

use crate::flow::random::fill;
pub(super) use crate::flow::random::text as value;

/// Characters of a value: 256 bits in base64url.
const LENGTH: usize = 43;

/// An id that is not secret and that nobody else has: 144 random bits behind a prefix.
pub(super) fn id(prefix: &str) -> Result<String> {
    let mut bytes = [0; 18];
    fill(&mut bytes)?;
    Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// Whether a text from outside can be a [`value`] at all.
pub(super) fn plausible(text: &str) -> bool {
    text.len() == LENGTH
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// What a value is remembered as: its hash for one purpose, which is of no use for another or for finding the value.
pub(super) fn hash(purpose: &str, value: &str) -> String {
    let mut context = Context::new(&SHA256);
    context.update(b"tool-connect ");
    context.update(purpose.as_bytes());
    context.update(b"\0");
    context.update(value.as_bytes());
    URL_SAFE_NO_PAD.encode(context.finish())
}

/// Compares without telling how much agrees.
pub(super) fn same(one: &str, other: &str) -> bool {
    verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn values_differ_and_are_remembered_by_purpose() {
        let (one, other) = (value().unwrap(), value().unwrap());
        assert!(plausible(one.expose_secret()) && !same(one.expose_secret(), other.expose_secret()));
        let value = one.expose_secret();
        assert!(same(&hash("ticket", value), &hash("ticket", value)));
        assert_ne!(hash("ticket", value), hash("state", value));
        assert!(!hash("ticket", value).contains(value));
        for wrong in ["", "short", &format!("{value}A"), &value.replace(&value[..1], "+")] {
            assert!(!plausible(wrong), "{wrong}");
        }
    }
}
