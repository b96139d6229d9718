//! Rules of [`ConnectionStore`].

use std::sync::Arc;
use std::time::SystemTime;

use tool_connect_core::store::{ConnectionFilter, ConnectionStore};
use tool_connect_core::{
    Clock, Connection, ConnectionId, ConnectionStatus, ErrorKind, InstanceId, Owner, TeamId,
};

use super::{in_seconds, race, seconds, tenant, user};
use crate::ManualClock;

type Store = Arc<dyn ConnectionStore>;

fn id(text: &str) -> ConnectionId {
    ConnectionId::new(text).expect("a valid connection id")
}

fn instance(name: &str) -> InstanceId {
    InstanceId::new(name).expect("a valid instance id")
}

fn new(text: &str) -> Connection {
    Connection::new(id(text), tenant("acme"), Owner::User(user("ada")), instance("github"))
}

async fn put(store: &Store, connection: Connection) -> Connection {
    store.put(connection).await.expect("put")
}

async fn get(store: &Store, text: &str) -> Option<Connection> {
    store.get(&tenant("acme"), &id(text)).await.expect("get")
}

async fn refused(store: &Store, connection: Connection) {
    let error = store.put(connection).await.expect_err("a conflict");
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
}

/// Every field survives, with every kind of owner and with scopes unknown, none and some.
pub async fn a_connection_reads_back_as_written(store: Store, clock: Arc<ManualClock>) {
    let owners = [Owner::User(user("ada")), Owner::Team(TeamId::new("core").expect("valid")), Owner::Tenant];
    let scopes = [None, Some(vec![]), Some(vec!["repo".to_owned(), "read:org".to_owned()])];
    for (n, (owner, scopes)) in owners.into_iter().zip(scopes).enumerate() {
        let mut written = new(&format!("c{n}"));
        written.owner = owner;
        written.scopes = scopes;
        written.label = (n > 0).then(|| "ada@example.com".to_owned());
        written.status =
            [ConnectionStatus::Active, ConnectionStatus::NeedsReauth, ConnectionStatus::Error][n];
        written.account = (n > 0).then(|| "1815".to_owned());
        written.reason = (n == 1).then(|| "the provider refused the refresh token".to_owned());
        written.client = (n == 2).then(|| "emea".to_owned());
        for (name, value) in [("subdomain", "acme"), ("ü \"quoted\"", "\u{1F511}")].into_iter().take(n) {
            written.config.insert(name.to_owned(), value.to_owned());
        }
        written.is_default = n == 1;
        written.created = in_seconds(&clock, 5);
        let stored = put(&store, written.clone()).await;
        written.version = 1;
        assert_eq!(stored, written);
        assert_eq!(get(&store, &format!("c{n}")).await, Some(written));
    }
    assert_eq!(get(&store, "nobody").await, None);
}

/// A new connection without a time gets the present one, and keeps it through later writes.
pub async fn creation_time_is_set_once(store: Store, clock: Arc<ManualClock>) {
    let mut stored = put(&store, new("c")).await;
    let made = clock.now();
    assert_eq!(stored.created, made);
    clock.advance(seconds(60));
    stored.created = SystemTime::UNIX_EPOCH;
    assert_eq!(put(&store, stored.clone()).await.created, made);
    stored.version = 2;
    stored.created = clock.now();
    assert_eq!(put(&store, stored).await.created, made);
    assert_eq!(get(&store, "c").await.map(|c| (c.created, c.version)), Some((made, 3)));
}

/// Each write replaces every field but the time of making; what is unset afterwards is gone.
pub async fn a_write_replaces_all_of_it(store: Store, _clock: Arc<ManualClock>) {
    let mut full = new("c").scopes(["repo"]).label("ada").config("subdomain", "acme").default_for_owner();
    full.account = Some("1815".to_owned());
    full.reason = Some("revoked".to_owned());
    full.client = Some("emea".to_owned());
    full.status = ConnectionStatus::NeedsReauth;
    let full = put(&store, full).await;
    let mut bare = new("c");
    bare.owner = Owner::Tenant;
    bare.instance = instance("gitlab");
    bare.version = full.version;
    let bare = put(&store, bare).await;
    assert_eq!(bare.created, full.created);
    assert_eq!(get(&store, "c").await, Some(bare));
}

/// Who writes on an old version is refused, and what is stored does not change.
pub async fn a_stale_version_is_refused(store: Store, _clock: Arc<ManualClock>) {
    let first = put(&store, new("c")).await;
    let second = put(&store, first.clone().label("second")).await;
    assert_eq!((first.version, second.version), (1, 2));
    refused(&store, first.label("late")).await;
    let mut ahead = second.clone();
    ahead.version = 7;
    refused(&store, ahead).await;
    assert_eq!(get(&store, "c").await, Some(second));
}

/// Version 0 makes; it never overwrites.
pub async fn a_taken_id_is_refused(store: Store, _clock: Arc<ManualClock>) {
    let first = put(&store, new("c").label("first")).await;
    refused(&store, new("c").label("second")).await;
    assert_eq!(get(&store, "c").await, Some(first));
}

/// Deleting works once; a writer that still holds the old version does not bring it back.
pub async fn a_deleted_connection_stays_deleted(store: Store, _clock: Arc<ManualClock>) {
    let stored = put(&store, new("c")).await;
    let delete = || async { store.delete(&tenant("acme"), &id("c")).await.expect("delete") };
    assert!(delete().await);
    assert!(!delete().await);
    refused(&store, stored).await;
    assert_eq!(get(&store, "c").await, None);
}

/// Of many writers that read the same version one wins.
pub async fn one_of_many_writers_wins(store: Store, _clock: Arc<ManualClock>) {
    let base = put(&store, new("c")).await;
    let answers = race(16, |n| {
        let (store, mine) = (Arc::clone(&store), base.clone().label(format!("writer {n}")));
        async move { store.put(mine).await }
    })
    .await;
    let winners: Vec<_> = answers.iter().flatten().collect();
    assert_eq!(winners.len(), 1);
    for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    }
    assert_eq!(get(&store, "c").await.as_ref(), winners.first().copied());
}

/// A new default takes the mark from the old one, whose version rises; other owners, instances and
/// tenants keep theirs.
pub async fn there_is_one_default_per_owner_and_instance(store: Store, _clock: Arc<ManualClock>) {
    let first = put(&store, new("first").default_for_owner()).await;
    let mut others = [new("other_owner"), new("other_instance"), new("other_tenant")];
    others[0].owner = Owner::User(user("bob"));
    others[1].instance = instance("gitlab");
    others[2].tenant = tenant("globex");
    for other in others.clone() {
        put(&store, other.default_for_owner()).await;
    }
    put(&store, new("second").default_for_owner()).await;

    let old = get(&store, "first").await.expect("still there");
    assert!(!old.is_default);
    assert_eq!(old.version, first.version + 1, "who read it as default must not write it back as default");
    refused(&store, first).await;
    for other in others {
        let stored = store.get(&other.tenant, &other.id).await.expect("get").expect("still there");
        assert!(stored.is_default, "{} kept its mark", stored.id);
        assert_eq!(stored.version, 1);
    }
    assert!(get(&store, "second").await.is_some_and(|c| c.is_default && c.version == 1));
}

/// Many new defaults at once leave exactly one.
pub async fn concurrent_defaults_leave_one(store: Store, _clock: Arc<ManualClock>) {
    let answers = race(8, |n| {
        let store = Arc::clone(&store);
        async move { store.put(new(&format!("c{n}")).default_for_owner()).await }
    })
    .await;
    assert!(answers.iter().all(Result::is_ok));
    let all = store.list(&tenant("acme"), &ConnectionFilter::default()).await.expect("list");
    assert_eq!(all.len(), 8);
    assert_eq!(all.iter().filter(|c| c.is_default).count(), 1);
}

/// The same id in two tenants is two connections; each sees its own.
pub async fn tenants_do_not_meet(store: Store, _clock: Arc<ManualClock>) {
    put(&store, new("c").label("acme's")).await;
    let mut other = new("c").label("globex's");
    other.tenant = tenant("globex");
    put(&store, other).await;
    put(&store, new("only_acme")).await;

    assert_eq!(store.get(&tenant("globex"), &id("only_acme")).await.expect("get"), None);
    assert!(!store.delete(&tenant("globex"), &id("only_acme")).await.expect("delete"));
    let listed = store.list(&tenant("globex"), &ConnectionFilter::default()).await.expect("list");
    assert_eq!(listed.iter().filter_map(|c| c.label.as_deref()).collect::<Vec<_>>(), ["globex's"]);
    assert!(store.delete(&tenant("globex"), &id("c")).await.expect("delete"));
    assert_eq!(get(&store, "c").await.and_then(|c| c.label).as_deref(), Some("acme's"));
}

/// Each part of a filter narrows; what is left comes in order of ids.
pub async fn list_filters_and_orders_by_id(store: Store, _clock: Arc<ManualClock>) {
    for (name, owner, at, status) in [
        ("d", Owner::User(user("ada")), "github", ConnectionStatus::Active),
        ("b", Owner::User(user("ada")), "gitlab", ConnectionStatus::Active),
        ("c", Owner::User(user("bob")), "github", ConnectionStatus::Revoked),
        ("a", Owner::Tenant, "github", ConnectionStatus::Active),
    ] {
        let mut connection = Connection::new(id(name), tenant("acme"), owner, instance(at));
        connection.status = status;
        put(&store, connection).await;
    }
    let list = async |filter: ConnectionFilter| {
        let found = store.list(&tenant("acme"), &filter).await.expect("list");
        found.iter().map(|c| c.id.as_str().to_owned()).collect::<String>()
    };
    let any = ConnectionFilter::default;
    assert_eq!(list(any()).await, "abcd");
    assert_eq!(list(ConnectionFilter { owner: Some(Owner::User(user("ada"))), ..any() }).await, "bd");
    assert_eq!(list(ConnectionFilter { owner: Some(Owner::Tenant), ..any() }).await, "a");
    assert_eq!(list(ConnectionFilter { instance: Some(instance("github")), ..any() }).await, "acd");
    assert_eq!(list(ConnectionFilter { status: Some(ConnectionStatus::Revoked), ..any() }).await, "c");
    let narrow = ConnectionFilter {
        owner: Some(Owner::User(user("ada"))),
        instance: Some(instance("github")),
        status: Some(ConnectionStatus::Active),
    };
    assert_eq!(list(narrow).await, "d");
    assert_eq!(store.list(&tenant("nobody"), &any()).await.expect("list"), []);
}

/// Ids are text without meaning: case, accents, quotes and wildcards all tell them apart.
pub async fn ids_are_compared_byte_for_byte(store: Store, _clock: Arc<ManualClock>) {
    let mut names =
        ["c", "C", "c ", "%", "_", "'; DROP TABLE x; --", "é", "e\u{301}", "\u{1F511}", "1", "01", "1.0"];
    for name in names {
        put(&store, new(name).label(name)).await;
    }
    for name in names {
        assert_eq!(get(&store, name).await.and_then(|c| c.label).as_deref(), Some(name));
    }
    let listed = store.list(&tenant("acme"), &ConnectionFilter::default()).await.expect("list");
    names.sort_unstable();
    assert_eq!(listed.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), names);
}
