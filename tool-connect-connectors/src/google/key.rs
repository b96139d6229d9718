//! Names that are chosen here instead of by Google, so that a repeated request is known for what it is.

use sha2::{Digest as _, Sha256};
use tool_connect_core::ToolContext;

/// A name made of the call's idempotency key, of the account and of the tool: 64 hexadecimal digits, the same for the same
/// key; `None` for a call without one.
///
/// The digits are among those of base32hex (RFC 4648 §7), of which event ids consist.
pub(crate) fn derived(cx: &ToolContext) -> Option<String> {
    let key = cx.idempotency_key()?;
    let of = cx.principal();
    let connection = cx.connection().map_or("", |connection| connection.id.as_str());
    Some(digest(&[of.tenant.as_str(), of.user.as_str(), connection, cx.tool().as_str(), key]))
}

/// As [`derived`], and for a call without a key a name of that call alone.
pub(crate) fn unique(cx: &ToolContext) -> String {
    derived(cx).unwrap_or_else(|| digest(&[&cx.call_id().to_string()]))
}

fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // Each with its length: no two lists of parts are written alike.
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        let name = digest(&["a"]);
        assert!(name.len() == 64 && name.chars().all(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase()));
    }
}
