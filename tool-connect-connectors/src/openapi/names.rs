//! Names of tools: short, unique, and the same as long as an operation keeps its id, or else its method and path.

use std::collections::HashMap;

use tool_connect_core::title_of;

use super::document::{Document, Entry};
use super::raw;

/// What a name of a tool may be long at most, in bytes.
pub(super) const LONGEST: usize = tool_connect_core::MAX_TOOL_NAME;

/// A name for every operation of the document, in the order of the index. Nothing depends on the order of the file, nor on which
/// operations are chosen.
pub(super) fn of(document: &Document, max: usize) -> Vec<String> {
    let first: Vec<String> = document
        .entries
        .iter()
        .map(|entry| match own(document, entry) {
            Some(name) => fit(&name, max),
            None => fit(&by_path(document, entry), max),
        })
        .collect();
    let mut times: HashMap<&str, usize> = HashMap::new();
    for name in &first {
        *times.entry(name).or_insert(0) += 1;
    }
    // Where several operations would have one name, each is named after its method and path.
    let second: Vec<String> = first
        .iter()
        .zip(&document.entries)
        .map(|(name, entry)| match times.get(name.as_str()) {
            Some(1) => name.clone(),
            _ => fit(&by_path(document, entry), max),
        })
        .collect();
    let mut times: HashMap<&str, usize> = HashMap::new();
    for name in &second {
        *times.entry(name).or_insert(0) += 1;
    }
    second
        .iter()
        .zip(&document.entries)
        .map(|(name, entry)| match times.get(name.as_str()) {
            Some(1) => name.clone(),
            _ => hashed(name, &content(document, entry), max),
        })
        .collect()
}

/// The words of a name that had to be cut: its first, and of the others the last that `max` bytes hold, for these say what it is about.
/// Nothing where the name is whole.
pub(super) fn uncut(document: &Document, entry: &Entry, name: &str, max: usize) -> Option<String> {
    let wholes = [own(document, entry), Some(by_path(document, entry))];
    if wholes.iter().flatten().any(|whole| whole == name) {
        return None;
    }
    let (head, _) = name.rsplit_once('_')?;
    let whole = wholes.into_iter().flatten().find(|whole| whole.starts_with(head))?;
    let words = title_of(&whole);
    if words.len() <= max {
        return Some(words);
    }
    let (first, _) = words.split_once(' ')?;
    let room = max.checked_sub(first.len() + " … ".len())?;
    let last = words.get(words.len().checked_sub(room + 1)?..)?;
    Some(format!("{first} … {}", last.split_once(' ')?.1))
}

/// What an operation calls itself.
fn own(document: &Document, entry: &Entry) -> Option<String> {
    let given = entry.naming.and_then(|span| {
        let text = span.text(&super::select::home(document, entry).text);
        raw::string(text).or_else(|| raw::string(raw::member(text, "name")?))
    });
    let id = given.as_deref().or(entry.id.as_deref())?;
    let name = snake(id);
    (!name.is_empty()).then_some(name)
}

fn by_path(document: &Document, entry: &Entry) -> String {
    let path = document.items.get(entry.item).map_or("", |item| &item.path);
    let mut name = entry.method.as_str().to_ascii_lowercase();
    let words = snake(&path.replace('{', " by "));
    if !words.is_empty() {
        name.push('_');
        name.push_str(&words);
    }
    name
}

/// What tells an operation from every other of its document.
fn content(document: &Document, entry: &Entry) -> String {
    let path = document.items.get(entry.item).map_or("", |item| &item.path);
    format!("{} {path}", entry.method)
}

/// `repos/createInOrg` as `repos_create_in_org`: letters and digits of ASCII, words by case and by what stands between.
fn snake(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let chars: Vec<char> = text.chars().collect();
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| chars.get(at)).copied().unwrap_or(' ');
        let after = chars.get(at + 1).copied().unwrap_or(' ');
        // `getPet`, and the last capital of `HTTPServer`.
        let begins = c.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || (before.is_ascii_uppercase() && after.is_ascii_lowercase()));
        if (!c.is_ascii_alphanumeric() || begins) && !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        }
    }
    out.truncate(out.trim_end_matches('_').len());
    out
}

/// A name that begins with a letter and is not too long: a long one keeps its first words and ends with a hash of the whole.
fn fit(name: &str, max: usize) -> String {
    let name = match name.bytes().next() {
        Some(b) if b.is_ascii_lowercase() => name.to_owned(),
        Some(_) => format!("op_{name}"),
        None => "op".to_owned(),
    };
    if name.len() <= max { name } else { hashed(&name, &name, max) }
}

fn hashed(name: &str, of: &str, max: usize) -> String {
    const HASH: usize = 6;
    let room = max.saturating_sub(HASH + 1).max(1);
    let mut head = name.get(..room.min(name.len())).unwrap_or(name);
    // Not in the middle of a word, where that leaves enough.
    if name.as_bytes().get(room).is_some_and(|b| *b != b'_')
        && let Some(end) = head.rfind('_')
        && end * 2 > room
    {
        head = head.get(..end).unwrap_or(head);
    }
    format!("{}_{}", head.trim_end_matches('_'), hash(of))
}

/// Thirty bits of FNV-1a as six letters and digits: only to tell names of one document apart.
fn hash(text: &str) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 32;
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    (0..6)
        .map(|digit| {
            let index = usize::try_from((hash >> (digit * 5)) & 31).unwrap_or(0);
            DIGITS.get(index).copied().map_or('a', char::from)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(paths: &str, max: usize) -> Vec<String> {
        let text = format!(r#"{{"openapi":"3.0.0","paths":{paths}}}"#);
        of(&Document::index(String::new(), None, text).unwrap(), max)
    }

    #[test]
    fn words_are_found_by_case_and_by_what_stands_between() {
        for (id, name) in [
            ("repos/create-in-org", "repos_create_in_org"),
            ("getPetById", "get_pet_by_id"),
            ("listHTTPServers", "list_http_servers"),
            ("getV2User", "get_v2_user"),
            ("__a..b__", "a_b"),
            ("Größe", "gr_e"),
            ("日本", ""),
        ] {
            assert_eq!(snake(id), name, "{id}");
        }
    }

    #[test]
    fn names_do_not_depend_on_order_or_neighbours() {
        let one = names(
            r#"{"/a":{"get":{"operationId":"list"}},"/b":{"get":{"operationId":"list"}},"/c":{"get":{}}}"#,
            48,
        );
        assert_eq!(one, ["get_a", "get_b", "get_c"]);
        let other = names(
            r#"{"/c":{"get":{}},"/b":{"get":{"operationId":"list"}},"/a":{"get":{"operationId":"list"}}}"#,
            48,
        );
        assert_eq!(other, ["get_c", "get_b", "get_a"]);
    }

    #[test]
    fn every_name_is_valid_unique_and_short() {
        let found = names(
            r#"{"/a/{b}":{"get":{"operationId":"日本"},"put":{"operationId":"2fa"}},"/a/by_b":{"get":{}},"/":{"get":{}},
               "/very/long/path/with/many/many/words/in/it":{"post":{}}}"#,
            20,
        );
        let mut unique = found.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), found.len(), "{found:?}");
        for name in &found {
            tool_connect_core::check_name("tool", name, 20).unwrap();
        }
        assert!(found.contains(&"op_2fa".to_owned()) && found.contains(&"get".to_owned()), "{found:?}");
    }
}
