//! Opening: what is there is kept, what cannot be opened says why.

use std::path::Path;

use tool_connect_core::store::Subject;
use tool_connect_core::{Error, ErrorKind};
use tool_connect_stores::{SqliteOptions, SqliteStores};

use crate::support::{append, folder, grant, open, tenant, whole_chain};

fn refusal(path: &Path) -> Error {
    SqliteStores::open(path, SqliteOptions::default()).map(drop).expect_err("it cannot be opened")
}

/// Checks the kind and that the text has these words, the file's name among them.
fn says(error: &Error, kind: ErrorKind, words: &[&str]) {
    assert_eq!(error.kind(), kind, "{error}");
    let text = error.to_string();
    for word in words.iter().chain(&["tools.db"]) {
        assert!(text.contains(word), "`{word}` is missing in: {text}");
    }
}

#[tokio::test]
async fn what_was_written_is_there_after_reopening() {
    let (_folder, path) = folder();
    for round in 1..=3_u64 {
        let stores = open(&path);
        stores.grants.put(grant(&format!("role {round}"))).await.expect("put");
        let head = stores.audit.head(&tenant("acme")).await.expect("head");
        append(&*stores.audit, head, 1).await;
        assert_eq!(whole_chain(&*stores.audit).await, round * 3);
        let roles: Vec<_> = (1..=3).map(|n| Subject::Role(format!("role {n}"))).collect();
        assert_eq!(stores.grants.list(&tenant("acme"), &roles).await.expect("list").len() as u64, round);
        drop(stores);
        assert!(!path.with_file_name("tools.db-wal").exists(), "the last handle folds the log into the file");
    }
}

#[tokio::test]
async fn two_handles_of_one_process_see_each_others_writes() {
    let (_folder, path) = folder();
    let (one, other) = (open(&path), open(&path));
    one.grants.put(grant("a")).await.expect("put");
    other.grants.put(grant("b")).await.expect("put");
    for stores in [one, other] {
        let roles = ["a", "b"].map(|role| Subject::Role(role.to_owned()));
        assert_eq!(stores.grants.list(&tenant("acme"), &roles).await.expect("list").len(), 2);
    }
}

#[test]
fn a_missing_folder_is_named_and_not_made() {
    let (_folder, path) = folder();
    let path = path.with_file_name("mispelt").join("tools.db");
    says(&refusal(&path), ErrorKind::Config, &["folder", "does not exist"]);
    assert!(!path.parent().expect("a parent").exists());
}

#[test]
fn a_folder_is_not_a_file() {
    let (_folder, path) = folder();
    std::fs::create_dir(&path).expect("mkdir");
    says(&refusal(&path), ErrorKind::Config, &["is a folder"]);
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let (_folder, path) = folder();
    let text = "Dear diary, ".repeat(1000);
    std::fs::write(&path, &text).expect("write");
    says(&refusal(&path), ErrorKind::Config, &["not a SQLite database"]);
    assert_eq!(std::fs::read_to_string(&path).expect("read"), text);
}

#[tokio::test]
async fn a_damaged_file_is_an_error_and_no_panic() {
    let (_folder, path) = folder();
    let stores = open(&path);
    stores.grants.put(grant("a")).await.expect("put");
    drop(stores);
    let mut bytes = std::fs::read(&path).expect("read");
    bytes[4096..].fill(0xAA);
    std::fs::write(&path, bytes).expect("write");
    says(&refusal(&path), ErrorKind::Storage, &["damaged", "backup"]);
}

#[tokio::test]
async fn damage_that_shows_up_later_is_an_error_of_that_call() {
    let (_folder, path) = folder();
    let stores = open(&path);
    append(&*stores.audit, None, 1).await;
    drop(stores);
    let raw = rusqlite::Connection::open(&path).expect("open");
    let page: u32 = raw
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'tc_audit_segments'", [], |row| {
            row.get(0)
        })
        .expect("a root page");
    drop(raw);
    let mut bytes = std::fs::read(&path).expect("read");
    let page = page as usize * 4096;
    bytes[page - 4096..page].fill(0xAA);
    std::fs::write(&path, bytes).expect("write");
    let stores = open(&path);
    let error = stores.audit.scan(&tenant("acme"), 0, 10).await.expect_err("damaged");
    says(&error, ErrorKind::Storage, &["damaged", "backup"]);
    stores.grants.put(grant("b")).await.expect("the other tables still work");
}

#[test]
fn a_newer_database_is_refused() {
    let (_folder, path) = folder();
    drop(open(&path));
    let raw = rusqlite::Connection::open(&path).expect("open");
    raw.execute("INSERT INTO tool_connect_migrations VALUES (99, 0, 'x')", []).expect("insert");
    drop(raw);
    says(&refusal(&path), ErrorKind::Config, &["newer version", "found: 99"]);
}

#[test]
fn a_database_of_another_edition_is_refused() {
    let (_folder, path) = folder();
    drop(open(&path));
    let raw = rusqlite::Connection::open(&path).expect("open");
    raw.execute("UPDATE tool_connect_migrations SET checksum = 'x' WHERE version = 1", []).expect("update");
    drop(raw);
    says(&refusal(&path), ErrorKind::Config, &["migration 1"]);
}

#[cfg(unix)]
#[test]
fn a_new_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_folder, path) = folder();
    let stores = open(&path);
    for name in ["tools.db", "tools.db-wal"] {
        let mode = std::fs::metadata(path.with_file_name(name)).expect("metadata").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    drop(stores);
}

#[tokio::test]
async fn a_host_may_have_tables_of_its_own_in_the_file() {
    let (_folder, path) = folder();
    let raw = rusqlite::Connection::open(&path).expect("open");
    raw.execute_batch("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('kept')").expect("create");
    open(&path).grants.put(grant("a")).await.expect("put");
    let kept: String = raw.query_row("SELECT text FROM notes", [], |row| row.get(0)).expect("select");
    assert_eq!(kept, "kept");
}
