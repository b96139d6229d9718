//! Rules of [`CredentialStore`].

use std::sync::Arc;

use tool_connect_core::store::{
    CredentialCursor, CredentialFilter, CredentialKey, CredentialKind, CredentialStore, RefreshIntent,
    StoredCredential,
};
use tool_connect_core::{ErrorKind, Owner, TeamId, TenantId};

use super::{in_seconds, race, tenant, user};
use crate::ManualClock;

type Store = Arc<dyn CredentialStore>;

fn key(id: &str) -> CredentialKey {
    CredentialKey::new(CredentialKind::Connection, id)
}

fn new_in(name: &str, id: &str) -> StoredCredential {
    let sealed = format!("sealed {name} {id}").into_bytes();
    StoredCredential::new(tenant(name), key(id), Owner::User(user("ada")), sealed, "key-1")
}

fn new(id: &str) -> StoredCredential {
    new_in("acme", id)
}

async fn put(store: &Store, credential: StoredCredential) -> StoredCredential {
    store.put(credential).await.expect("put")
}

async fn get(store: &Store, id: &str) -> Option<StoredCredential> {
    store.get(&tenant("acme"), &key(id)).await.expect("get")
}

async fn delete(store: &Store, id: &str) -> bool {
    store.delete(&tenant("acme"), &key(id)).await.expect("delete")
}

async fn refused(store: &Store, credential: StoredCredential) {
    let error = store.put(credential).await.expect_err("a conflict");
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
}

/// Every page of a walk with so many at a time, in one list.
async fn walk(store: &Store, filter: &CredentialFilter, limit: usize) -> Vec<StoredCredential> {
    let mut found: Vec<StoredCredential> = Vec::new();
    let mut after: Option<CredentialCursor> = None;
    loop {
        let page = store.scan(filter, after.as_ref(), limit).await.expect("scan");
        assert!(page.len() <= limit, "{} of at most {limit}", page.len());
        let Some(last) = page.last() else { return found };
        after = Some((last.tenant.clone(), last.key.clone()));
        found.extend(page);
    }
}

fn names(found: &[StoredCredential]) -> Vec<String> {
    let mut names: Vec<_> = found.iter().map(|c| format!("{} {}", c.tenant, c.key)).collect();
    names.sort();
    names
}

/// Every field survives, with every kind of name and owner, and bytes that are no text.
pub async fn a_credential_reads_back_as_written(store: Store, clock: Arc<ManualClock>) {
    let kinds = [
        CredentialKind::Connection,
        CredentialKind::Client,
        CredentialKind::Registration,
        CredentialKind::SubjectKey,
        CredentialKind::Other,
    ];
    let owners = [Owner::User(user("ada")), Owner::Team(TeamId::new("core").expect("valid")), Owner::Tenant];
    for (n, kind) in kinds.into_iter().enumerate() {
        let mut written = new("c");
        written.key.kind = kind;
        written.owner = owners[n % 3].clone();
        written.issuer = (n > 1).then(|| "https://issuer.example/".to_owned());
        written.sealed = (0..=255).cycle().take(n * 3000).collect();
        written.key_id = format!("key-{n}");
        written.expires = (n % 2 == 0).then(|| in_seconds(&clock, 5));
        written.intent = (n == 4).then(|| RefreshIntent { fence: 7, since: in_seconds(&clock, 1) });
        let stored = put(&store, written.clone()).await;
        assert!(stored.version > 0);
        written.version = stored.version;
        // Compared without being printed: a sealed value belongs into no log either.
        assert!(stored == written, "{:?} comes back from the write as it was written", written.key);
        let read = store.get(&tenant("acme"), &written.key).await.expect("get");
        assert!(read.as_ref() == Some(&written), "{:?} reads back as it was written", written.key);
    }
    assert!(get(&store, "nobody").await.is_none());
}

/// Each write replaces every field; what is unset afterwards is gone.
pub async fn a_write_replaces_all_of_it(store: Store, clock: Arc<ManualClock>) {
    let mut full = new("c");
    full.issuer = Some("https://issuer.example".to_owned());
    full.expires = Some(in_seconds(&clock, 60));
    full.intent = Some(RefreshIntent { fence: 3, since: in_seconds(&clock, 0) });
    let full = put(&store, full).await;
    let mut bare = new("c");
    bare.owner = Owner::Tenant;
    bare.sealed = Vec::new();
    bare.key_id = "key-2".to_owned();
    bare.version = full.version;
    let bare = put(&store, bare).await;
    assert!(bare.version > full.version);
    assert!(get(&store, "c").await == Some(bare));
}

/// Who writes on an old version is refused, and what is stored does not change.
pub async fn a_stale_version_is_refused(store: Store, _clock: Arc<ManualClock>) {
    let first = put(&store, new("c")).await;
    let second = put(&store, first.clone()).await;
    assert!(second.version > first.version);
    refused(&store, first).await;
    let mut ahead = second.clone();
    ahead.version += 1;
    refused(&store, ahead).await;
    assert!(get(&store, "c").await == Some(second));
}

/// Version 0 makes; it never overwrites.
pub async fn a_taken_name_is_refused(store: Store, _clock: Arc<ManualClock>) {
    let first = put(&store, new("c")).await;
    let mut second = new("c");
    second.sealed = b"another".to_vec();
    refused(&store, second).await;
    assert!(get(&store, "c").await == Some(first));
}

/// Deleting works once; a writer that still holds the old version does not bring it back.
pub async fn a_deleted_credential_stays_deleted(store: Store, _clock: Arc<ManualClock>) {
    let stored = put(&store, new("c")).await;
    assert!(delete(&store, "c").await);
    assert!(!delete(&store, "c").await);
    refused(&store, stored).await;
    assert!(get(&store, "c").await.is_none());
}

/// A name that was deleted begins above every version that it had, so that an old writer is refused for ever.
pub async fn a_version_is_never_used_twice(store: Store, _clock: Arc<ManualClock>) {
    let mut highest = 0;
    for _ in 0..3 {
        let made = put(&store, new("c")).await;
        assert!(made.version > highest, "{} after {highest}", made.version);
        let changed = put(&store, made.clone()).await;
        assert!(delete(&store, "c").await);
        let again = put(&store, new("c")).await;
        refused(&store, made).await;
        refused(&store, changed.clone()).await;
        assert!(again.version > changed.version, "{} after {}", again.version, changed.version);
        highest = again.version;
        assert!(delete(&store, "c").await);
    }
}

/// Of many writers that read the same version one wins.
pub async fn one_of_many_writers_wins(store: Store, _clock: Arc<ManualClock>) {
    let mut base = put(&store, new("c")).await;
    for _ in 0..10 {
        let answers = race(16, |n| {
            let (store, mut mine) = (Arc::clone(&store), base.clone());
            mine.sealed = format!("writer {n}").into_bytes();
            async move { store.put(mine).await }
        })
        .await;
        let winners: Vec<_> = answers.iter().flatten().collect();
        assert_eq!(winners.len(), 1);
        for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
        }
        let stored = get(&store, "c").await.expect("still there");
        assert!(stored == *winners[0]);
        base = stored;
    }
}

/// Of many writers of a new name one wins.
pub async fn one_of_many_makers_wins(store: Store, _clock: Arc<ManualClock>) {
    let answers = race(16, |n| {
        let (store, mut mine) = (Arc::clone(&store), new("c"));
        mine.sealed = format!("maker {n}").into_bytes();
        async move { store.put(mine).await }
    })
    .await;
    let winners: Vec<_> = answers.iter().flatten().collect();
    assert_eq!(winners.len(), 1);
    assert!(get(&store, "c").await.as_ref() == Some(winners[0]));
}

/// Writers that read again after a conflict lose nothing of each other.
pub async fn every_writer_that_reads_again_gets_through(store: Store, _clock: Arc<ManualClock>) {
    let mut empty = new("c");
    empty.sealed = Vec::new();
    put(&store, empty).await;
    race(8, |n| {
        let store = Arc::clone(&store);
        async move {
            for _ in 0..5 {
                loop {
                    let mut mine = get(&store, "c").await.expect("there");
                    mine.sealed.push(u8::try_from(n).expect("few writers"));
                    match store.put(mine).await {
                        Ok(_) => break,
                        Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
                    }
                }
            }
        }
    })
    .await;
    let mut marks = get(&store, "c").await.expect("there").sealed;
    marks.sort_unstable();
    let expected: Vec<u8> = (0..8).flat_map(|n| [n; 5]).collect();
    assert_eq!(marks, expected);
}

/// The same name in two tenants is two secrets; each sees its own.
pub async fn tenants_do_not_meet(store: Store, _clock: Arc<ManualClock>) {
    let acme = put(&store, new("c")).await;
    let globex = put(&store, new_in("globex", "c")).await;
    put(&store, new("only_acme")).await;
    assert!(store.get(&tenant("globex"), &key("only_acme")).await.expect("get").is_none());
    assert!(!store.delete(&tenant("globex"), &key("only_acme")).await.expect("delete"));
    assert!(!store.delete(&tenant("initech"), &key("only_acme")).await.expect("delete"));
    let of_globex = CredentialFilter { tenant: Some(tenant("globex")), ..CredentialFilter::default() };
    assert_eq!(names(&walk(&store, &of_globex, 10).await), ["globex connection:c"]);
    let mut moved = acme.clone();
    moved.tenant = tenant("globex");
    if moved.version != globex.version {
        refused(&store, moved).await;
    }
    assert!(store.delete(&tenant("globex"), &key("c")).await.expect("delete"));
    assert!(get(&store, "c").await == Some(acme));
}

/// The same id in two kinds is two secrets.
pub async fn kinds_do_not_meet(store: Store, _clock: Arc<ManualClock>) {
    let connection = put(&store, new("c")).await;
    let mut client = new("c");
    client.key.kind = CredentialKind::Client;
    client.sealed = b"a client's".to_vec();
    let client = put(&store, client).await;
    assert!(get(&store, "c").await.as_ref() == Some(&connection));
    assert!(delete(&store, "c").await);
    assert!(store.get(&tenant("acme"), &client.key).await.expect("get") == Some(client));
}

/// Ids are text without meaning: case, accents, quotes, zeros and wildcards all tell them apart.
pub async fn ids_are_compared_byte_for_byte(store: Store, _clock: Arc<ManualClock>) {
    let ids = ["c", "C", "c ", "", "%", "_", "c\0", "'; DROP TABLE x; --", "é", "e\u{301}", "1", "01", "1.0"];
    for id in ids {
        put(&store, new(id)).await;
    }
    for id in ids {
        let found = get(&store, id).await.expect("there");
        assert!(found.sealed == new(id).sealed, "{id:?} is its own");
    }
    assert_eq!(walk(&store, &CredentialFilter::default(), 3).await.len(), ids.len());
}

/// A walk meets every secret of every tenant once, whatever the size of its pages, in the same order each time.
pub async fn a_walk_meets_each_once(store: Store, _clock: Arc<ManualClock>) {
    let mut expected = Vec::new();
    for name in ["globex", "acme", "initech"] {
        for n in [3, 1, 4, 5, 9, 2, 6] {
            let mut credential = new_in(name, &format!("c{n}"));
            credential.key.kind =
                if n % 2 == 0 { CredentialKind::Client } else { CredentialKind::Connection };
            expected.push(put(&store, credential).await);
        }
    }
    let any = CredentialFilter::default();
    let whole = walk(&store, &any, 100).await;
    assert_eq!(names(&whole), names(&expected));
    for limit in [1, 2, 7, 21] {
        let pages = walk(&store, &any, limit).await;
        assert!(pages == whole, "pages of {limit} are in the same order");
    }
    assert!(store.scan(&any, None, 0).await.expect("scan").is_empty());
}

/// Each part of a filter narrows, also within a walk.
pub async fn a_filter_narrows_a_walk(store: Store, clock: Arc<ManualClock>) {
    for (name, n) in [("acme", 0), ("acme", 1), ("acme", 2), ("globex", 3), ("globex", 4), ("globex", 5)] {
        let mut credential = new_in(name, &format!("c{n}"));
        credential.key.kind = [CredentialKind::Connection, CredentialKind::Other][n % 2];
        credential.owner = [Owner::User(user("ada")), Owner::Tenant, Owner::User(user("bob"))][n % 3].clone();
        credential.key_id = ["key-1", "key-1", "key-2"][n % 3].to_owned();
        credential.expires = [Some(in_seconds(&clock, 60)), None, Some(in_seconds(&clock, 30))][n % 3];
        put(&store, credential).await;
    }
    let any = CredentialFilter::default;
    let found = async |filter: CredentialFilter| {
        let found = walk(&store, &filter, 1).await;
        let mut ids: Vec<_> = found.iter().map(|c| c.key.id.trim_start_matches('c')).collect();
        ids.sort_unstable();
        ids.concat()
    };
    let soon = Some(in_seconds(&clock, 31));
    assert_eq!(found(any()).await, "012345");
    assert_eq!(found(CredentialFilter { tenant: Some(tenant("acme")), ..any() }).await, "012");
    assert_eq!(found(CredentialFilter { tenant: Some(tenant("nobody")), ..any() }).await, "");
    assert_eq!(found(CredentialFilter { kind: Some(CredentialKind::Other), ..any() }).await, "135");
    assert_eq!(found(CredentialFilter { owner: Some(Owner::Tenant), ..any() }).await, "14");
    assert_eq!(found(CredentialFilter { owner: Some(Owner::User(user("bob"))), ..any() }).await, "25");
    assert_eq!(found(CredentialFilter { key_id: Some("key-1".to_owned()), ..any() }).await, "0134");
    assert_eq!(found(CredentialFilter { key_id: Some("key".to_owned()), ..any() }).await, "");
    assert_eq!(found(CredentialFilter { expires_before: soon, ..any() }).await, "25");
    assert_eq!(
        found(CredentialFilter { expires_before: Some(in_seconds(&clock, 30)), ..any() }).await,
        "",
        "what ends then does not end before"
    );
    let narrow = CredentialFilter {
        tenant: Some(tenant("globex")),
        kind: Some(CredentialKind::Other),
        owner: Some(Owner::User(user("bob"))),
        key_id: Some("key-2".to_owned()),
        expires_before: soon,
    };
    assert_eq!(found(narrow).await, "5");
}

/// A walk goes on from a place whose secret was deleted or no longer matches.
pub async fn a_walk_goes_on_from_a_place_that_is_gone(store: Store, _clock: Arc<ManualClock>) {
    for name in ["acme", "globex"] {
        for n in 0..3 {
            put(&store, new_in(name, &format!("c{n}"))).await;
        }
    }
    let old = CredentialFilter { key_id: Some("key-1".to_owned()), ..CredentialFilter::default() };
    let mut after: Option<(TenantId, CredentialKey)> = None;
    let mut met = 0;
    // As a rotation does: each is put under a new key, or goes, before the next page is asked for.
    loop {
        let page = store.scan(&old, after.as_ref(), 2).await.expect("scan");
        let Some(last) = page.last() else { break };
        after = Some((last.tenant.clone(), last.key.clone()));
        for mut row in page {
            met += 1;
            if met % 2 == 0 {
                row.key_id = "key-2".to_owned();
                put(&store, row).await;
            } else {
                assert!(store.delete(&row.tenant, &row.key).await.expect("delete"));
            }
        }
    }
    assert_eq!(met, 6);
    assert!(walk(&store, &old, 10).await.is_empty());
    assert_eq!(walk(&store, &CredentialFilter::default(), 10).await.len(), 3);
}

/// A walk beside writers misses none of those that nobody touches, and meets none twice.
pub async fn a_walk_beside_writers_misses_nothing(store: Store, _clock: Arc<ManualClock>) {
    for n in 0..40 {
        put(&store, new(&format!("still {n:02}"))).await;
    }
    let met = race(2, |n| {
        let store = Arc::clone(&store);
        async move {
            if n == 0 {
                for n in 0..40 {
                    let made = put(&store, new(&format!("passing {n}"))).await;
                    assert!(store.delete(&made.tenant, &made.key).await.expect("delete"));
                    put(&store, new(&format!("zz late {n:02}"))).await;
                }
                return Vec::new();
            }
            walk(&store, &CredentialFilter::default(), 3).await
        }
    })
    .await
    .concat();
    let mut still: Vec<_> = met.iter().filter(|c| c.key.id.starts_with("still")).collect();
    still.dedup_by(|a, b| a.key == b.key);
    assert_eq!(still.len(), 40);
    let mut all = names(&met);
    all.dedup();
    assert_eq!(all.len(), met.len(), "none was met twice");
}
