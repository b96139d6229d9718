//! What an operation does to the world, from its method and from what the document says.
//!
//! A method that reads (RFC 9110 §9.2.1) is a read, unless the operation's own words say that it writes. A method that writes is
//! never a read by a guess: only where the document says so in an extension. Of writes, PUT and DELETE may be repeated
//! (§9.2.2), and only one whose first word adds something is taken not to destroy.

use http::Method;
use tool_connect_core::Annotations;

/// First words that write.
const WRITING: &[&str] = &[
    "activate",
    "add",
    "approve",
    "archive",
    "assign",
    "book",
    "buy",
    "cancel",
    "charge",
    "clear",
    "close",
    "confirm",
    "create",
    "deactivate",
    "delete",
    "deploy",
    "destroy",
    "disable",
    "drop",
    "edit",
    "enable",
    "erase",
    "insert",
    "invalidate",
    "kill",
    "logout",
    "move",
    "pay",
    "purge",
    "put",
    "refund",
    "remove",
    "rename",
    "reset",
    "restart",
    "revoke",
    "send",
    "set",
    "start",
    "stop",
    "submit",
    "subscribe",
    "trigger",
    "unsubscribe",
    "update",
    "upload",
    "wipe",
    "write",
];
/// First words that read: what follows is what is read (`get_update_status`).
const READING: &[&str] = &[
    "check", "count", "describe", "fetch", "find", "get", "has", "is", "list", "query", "read", "retrieve",
    "search", "show", "view",
];
/// First words that only add.
const ADDING: &[&str] =
    &["add", "append", "create", "insert", "new", "post", "register", "search", "query", "find", "upload"];

/// The annotations of an operation; `words` are its name and its summary, `read_only` is what an extension says of it.
pub(super) fn annotations(
    method: &Method,
    name: &str,
    summary: &str,
    read_only: Option<bool>,
) -> Annotations {
    let told = first(summary);
    let is_read = match read_only {
        Some(said) => said,
        None => {
            let says_write = |word: &str| WRITING.contains(&word);
            // `TRACE` echoes what was sent and changes nothing.
            (method.is_safe() || *method == Method::TRACE)
                && !verb(name).any(says_write)
                && !says_write(&told)
        }
    };
    if is_read {
        return Annotations::READ;
    }
    let adds = *method == Method::POST
        && (verb(name).any(|word| ADDING.contains(&word)) || ADDING.contains(&&*told));
    let idempotent = *method == Method::PUT || *method == Method::DELETE;
    Annotations { read_only: false, destructive: !adds, idempotent, open_world: true }
}

/// The words of a name that may be its verb: the first, and the one behind the name of a group (`repos_create_fork`).
fn verb(name: &str) -> impl Iterator<Item = &str> {
    let reads = name.split('_').next().is_some_and(|first| READING.contains(&first));
    name.split('_').take(if reads { 1 } else { 2 })
}

/// The first word of a sentence, without the ending of the third person.
fn first(summary: &str) -> String {
    let word: String = summary
        .trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric())
        .take(20)
        .flat_map(char::to_lowercase)
        .collect();
    let known = |word: &str| WRITING.contains(&word) || ADDING.contains(&word);
    for ending in ["s", "es"] {
        if let Some(stem) = word.strip_suffix(ending)
            && known(stem)
        {
            return stem.to_owned();
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_reads_and_nothing_else_is() {
        for (method, name, summary, read, destructive, idempotent) in [
            (Method::GET, "repos_get", "Get a repository", true, false, true),
            (Method::GET, "delete_cache", "", false, true, false),
            (Method::GET, "cache", "Deletes the cache", false, true, false),
            (Method::GET, "users_reset_password", "", false, true, false),
            (Method::GET, "list_deleted", "Lists what was deleted", true, false, true),
            (Method::GET, "get_update_status", "", true, false, true),
            (Method::HEAD, "x", "", true, false, true),
            (Method::POST, "search_issues", "Searches issues", false, false, false),
            (Method::POST, "get_report", "Gets a report", false, true, false),
            (Method::POST, "create_pet", "", false, false, false),
            (Method::PUT, "replace_pet", "", false, true, true),
            (Method::DELETE, "pets_delete", "", false, true, true),
            (Method::PATCH, "update_pet", "", false, true, false),
        ] {
            let found = annotations(&method, name, summary, None);
            let expected = (read, destructive, idempotent);
            assert_eq!((found.read_only, found.destructive, found.idempotent), expected, "{method} {name}");
        }
        assert!(annotations(&Method::POST, "q", "", Some(true)).read_only);
        assert!(!annotations(&Method::GET, "q", "", Some(false)).read_only);
    }
}
