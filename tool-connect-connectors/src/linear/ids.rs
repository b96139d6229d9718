//! Ids: Linear's are UUIDs, and whoever makes something may choose its id.

use sha2::{Digest as _, Sha256};
use tool_connect_core::ToolContext;

/// Whether it is written as a UUID (RFC 9562 §4).
pub(super) fn is_uuid(text: &str) -> bool {
    let dash = |place: usize| matches!(place, 8 | 13 | 18 | 23);
    text.len() == 36
        && text.bytes().enumerate().all(
            |(place, byte)| {
                if dash(place) { byte == b'-' } else { byte.is_ascii_hexdigit() }
            },
        )
}

/// The id of what this call makes, if the call has an idempotency key: the same for the same call, another for every other.
/// Linear wants version 4, so a hash stands where that version has random bits. Ids are unique in all of Linear, so whose call
/// it is goes into the hash, too.
pub(super) fn of_call(cx: &ToolContext) -> Option<String> {
    let key = cx.idempotency_key()?;
    let principal = cx.principal();
    let connection = cx.connection().map_or("", |connection| connection.id.as_str());
    let tool = cx.tool().to_string();
    Some(derived(&[principal.tenant.as_str(), principal.user.as_str(), connection, &tool, key]))
}

fn derived(parts: &[&str]) -> String {
    let mut hash = Sha256::new_with_prefix("tool-connect linear id 1");
    for part in parts {
        // With its length, so that no two lists of parts read the same.
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    let hash = hash.finalize();
    let mut id = String::with_capacity(36);
    for (place, byte) in hash.iter().take(16).enumerate() {
        let byte = match place {
            6 => byte & 0x0f | 0x40,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        if matches!(place, 4 | 6 | 8 | 10) {
            id.push('-');
        }
        id.push_str(&format!("{byte:02x}"));
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_of_version_4_and_of_its_parts() {
        let id = derived(&["acme", "ada", "key"]);
        assert!(is_uuid(&id), "{id}");
        assert_eq!((&id[14..15], "89ab".contains(&id[19..20])), ("4", true), "{id}");
        assert_eq!(id, derived(&["acme", "ada", "key"]));
        for other in [&["acme", "ada", "kez"], &["acme", "adak", "ey"], &["acme", "adb", "key"]] {
            assert_ne!(id, derived(other));
        }
    }

    #[test]
    fn identifiers_and_names_are_no_uuids() {
        assert!(is_uuid("9cfb482a-81e3-4154-b5b9-2c805e70a02d"));
        for text in
            ["ENG-123", "", "9cfb482a-81e3-4154-b5b9-2c805e70a02", "9cfb482a081e3-4154-b5b9-2c805e70a02d"]
        {
            assert!(!is_uuid(text), "{text}");
        }
    }
}
