//! Names of tools: short, unique, and the same as long as a method keeps its id.

use std::collections::HashMap;

/// A hash's letters at the end of a name that had to be cut, or that two methods would have.
const HASH: usize = 6;

/// A name for each id and what is added to it; nothing depends on their order.
pub(super) fn of(ids: &[(&str, &str)], max: usize) -> Vec<String> {
    let first: Vec<String> = ids.iter().map(|(id, suffix)| fit(&snake(local(id)), suffix, id, max)).collect();
    let mut times: HashMap<&str, usize> = HashMap::new();
    for name in &first {
        *times.entry(name).or_insert(0) += 1;
    }
    first
        .iter()
        .zip(ids)
        .map(|(name, (id, suffix))| match times.get(name.as_str()) {
            Some(1) => name.clone(),
            _ => hashed(&snake(local(id)), suffix, id, max),
        })
        .collect()
}

/// `drive.files.list` within its API: `files.list`.
fn local(id: &str) -> &str {
    id.split_once('.').map_or(id, |(_, local)| local)
}

/// Words by case and by what stands between: `getIamPolicy` as `get_iam_policy`.
pub(super) fn snake(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let next_is_lower = characters.peek().is_some_and(char::is_ascii_lowercase);
        let begins = character.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || (before.is_ascii_uppercase() && next_is_lower));
        if (begins || !character.is_ascii_alphanumeric()) && !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        if character.is_ascii_alphanumeric() {
            out.push(character.to_ascii_lowercase());
        }
        before = character;
    }
    out.truncate(out.trim_end_matches('_').len());
    match out.bytes().next() {
        Some(first) if first.is_ascii_lowercase() => out,
        _ => format!("m_{out}").trim_end_matches('_').to_owned(),
    }
}

fn fit(name: &str, suffix: &str, id: &str, max: usize) -> String {
    let whole = format!("{name}{suffix}");
    if whole.len() <= max { whole } else { hashed(name, suffix, id, max) }
}

/// The words that fit, and a hash of the whole id.
fn hashed(name: &str, suffix: &str, id: &str, max: usize) -> String {
    let room = max.saturating_sub(HASH + 1 + suffix.len()).max(1);
    let mut head = name.get(..room).unwrap_or(name);
    if name.as_bytes().get(room).is_some_and(|byte| *byte != b'_')
        && let Some((before, _)) = head.rsplit_once('_')
        && before.len() * 2 > room
    {
        head = before;
    }
    format!("{}_{}{suffix}", head.trim_end_matches('_'), hash(id))
}

/// Thirty bits of FNV-1a in letters and digits: only to tell names of one document apart.
fn hash(text: &str) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 32;
    (0..HASH)
        .map(|digit| {
            let five = u32::try_from((hash >> (digit * 5)) & 31).unwrap_or(0);
            char::from_digit(five, 32).unwrap_or('0')
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_unique_and_do_not_depend_on_their_neighbours() {
        assert_eq!(
            of(&[("drive.files.list", ""), ("drive.files.create", "_upload")], 48),
            ["files_list", "files_create_upload"]
        );
        assert_eq!(snake("projects.getIamPolicy"), "projects_get_iam_policy");
        assert_eq!(snake("v1HTTPServer-x"), "v1_http_server_x");
        assert_eq!(snake("2fa"), "m_2fa");
        let long = "healthcare.projects.locations.datasets.consentStores.attributeDefinitions.create";
        let name = of(&[(long, "")], 48).remove(0);
        assert!(name.len() <= 48 && name.starts_with("projects_locations_datasets"), "{name}");
        assert_eq!(of(&[("x.y.z", ""), (long, "")], 48)[1], name);
        // Two ids that make one name.
        let both = of(&[("a.b.getIt", ""), ("a.b.get_it", "")], 48);
        assert_ne!(both[0], both[1]);
        for name in &both {
            tool_connect_core::check_name("it", name, 48).expect("a good name");
        }
    }
}
