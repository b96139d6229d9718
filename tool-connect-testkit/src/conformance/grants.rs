//! Rules of [`GrantStore`].

use std::sync::Arc;

use tool_connect_core::store::{Grant, GrantStore, Subject, ToolPattern};
use tool_connect_core::{AgentId, ConnectionId};

use super::{in_seconds, seconds, tenant, user};
use crate::ManualClock;

type Store = Arc<dyn GrantStore>;

fn ada() -> Subject {
    Subject::User(user("ada"))
}

fn pattern(text: &str) -> ToolPattern {
    ToolPattern::new(text).expect("a valid pattern")
}

fn connection(text: &str) -> ConnectionId {
    ConnectionId::new(text).expect("a valid connection id")
}

fn grant(subject: Subject, tools: &str) -> Grant {
    Grant { tenant: tenant("acme"), subject, tools: pattern(tools), connection: None, expires: None }
}

async fn put(store: &Store, grant: Grant) {
    store.put(grant).await.expect("put");
}

async fn list(store: &Store, subjects: &[Subject]) -> Vec<Grant> {
    store.list(&tenant("acme"), subjects).await.expect("list")
}

/// Every field survives.
pub async fn a_grant_reads_back_as_written(store: Store, clock: Arc<ManualClock>) {
    let mut written = grant(Subject::Agent(AgentId::new("bot").expect("valid")), "files.read");
    written.connection = Some(connection("c1"));
    written.expires = Some(in_seconds(&clock, 60));
    put(&store, written.clone()).await;
    assert_eq!(list(&store, std::slice::from_ref(&written.subject)).await, [written]);
    assert_eq!(list(&store, &[ada()]).await, []);
    assert_eq!(list(&store, &[]).await, []);
}

/// Writing the same identity again replaces its end.
pub async fn the_same_identity_is_replaced(store: Store, clock: Arc<ManualClock>) {
    let mut written = grant(ada(), "files.*");
    put(&store, written.clone()).await;
    for expires in [Some(in_seconds(&clock, 60)), Some(in_seconds(&clock, 5)), None] {
        written.expires = expires;
        put(&store, written.clone()).await;
        assert_eq!(list(&store, &[ada()]).await, [written.clone()]);
    }
}

/// A grant for any connection and one for a single connection stand beside each other, each once.
pub async fn any_connection_and_one_connection_are_different_grants(store: Store, _clock: Arc<ManualClock>) {
    let any = grant(ada(), "files.*");
    let one = Grant { connection: Some(connection("c1")), ..any.clone() };
    for written in [&any, &one, &any, &one] {
        put(&store, written.clone()).await;
    }
    assert_eq!(list(&store, &[ada()]).await, [any.clone(), one.clone()]);
    assert!(store.revoke(&any.tenant, &any.subject, &any.tools, None).await.expect("revoke"));
    assert_eq!(list(&store, &[ada()]).await, [one]);
}

/// From its end on, a grant is neither listed nor there to be revoked.
pub async fn an_expired_grant_counts_as_absent(store: Store, clock: Arc<ManualClock>) {
    let mut brief = grant(ada(), "files.read");
    brief.expires = Some(in_seconds(&clock, 10));
    let lasting = grant(ada(), "files.stat");
    put(&store, brief.clone()).await;
    put(&store, lasting.clone()).await;
    clock.advance(seconds(9));
    assert_eq!(list(&store, &[ada()]).await.len(), 2);
    clock.advance(seconds(1));
    assert_eq!(list(&store, &[ada()]).await, [lasting]);
    assert!(!store.revoke(&brief.tenant, &brief.subject, &brief.tools, None).await.expect("revoke"));
    brief.expires = Some(in_seconds(&clock, 10));
    put(&store, brief).await;
    assert_eq!(list(&store, &[ada()]).await.len(), 2);
}

/// Revoking takes away one identity, once, and nothing that resembles it.
pub async fn revoke_removes_one_identity(store: Store, _clock: Arc<ManualClock>) {
    for tools in ["*", "files.*", "files.read"] {
        put(&store, grant(ada(), tools)).await;
    }
    let revoke = async |tools: &str, at: Option<&ConnectionId>| {
        store.revoke(&tenant("acme"), &ada(), &pattern(tools), at).await.expect("revoke")
    };
    assert!(!revoke("files.*", Some(&connection("c1"))).await);
    assert!(revoke("files.*", None).await);
    assert!(!revoke("files.*", None).await);
    let left: Vec<_> = list(&store, &[ada()]).await.into_iter().map(|g| String::from(g.tools)).collect();
    assert_eq!(left, ["*", "files.read"]);
}

/// A user, an agent and a role of one name are three subjects.
pub async fn subjects_of_different_kinds_do_not_meet(store: Store, _clock: Arc<ManualClock>) {
    let subjects = [
        Subject::User(user("x")),
        Subject::Agent(AgentId::new("x").expect("valid")),
        Subject::Role("x".to_owned()),
        Subject::Role("user:x".to_owned()),
        Subject::Role(String::new()),
    ];
    for (subject, tools) in subjects.iter().zip(["a.a", "a.b", "a.c", "a.d", "a.e"]) {
        put(&store, grant(subject.clone(), tools)).await;
    }
    for (subject, tools) in subjects.iter().zip(["a.a", "a.b", "a.c", "a.d", "a.e"]) {
        let found = list(&store, std::slice::from_ref(subject)).await;
        assert_eq!(found, [grant(subject.clone(), tools)]);
    }
}

/// Users come before agents and roles; then by pattern and connection; repeated subjects repeat
/// nothing.
pub async fn list_is_ordered_and_names_each_grant_once(store: Store, _clock: Arc<ManualClock>) {
    let role = Subject::Role("aaa".to_owned());
    let agent = Subject::Agent(AgentId::new("bot").expect("valid"));
    let at = |grant: Grant, c: &str| Grant { connection: Some(connection(c)), ..grant };
    let expected = [
        grant(ada(), "files.*"),
        at(grant(ada(), "files.*"), "c1"),
        at(grant(ada(), "files.*"), "c2"),
        grant(ada(), "files.read"),
        grant(agent.clone(), "*"),
        grant(role.clone(), "*"),
    ];
    for written in expected.iter().rev() {
        put(&store, written.clone()).await;
    }
    let subjects = [role.clone(), ada(), agent, ada(), role];
    assert_eq!(list(&store, &subjects).await, expected);
}

/// A principal with very many roles can be asked about.
pub async fn many_subjects_can_be_asked_for(store: Store, _clock: Arc<ManualClock>) {
    let subjects: Vec<Subject> = (0..3000).map(|n| Subject::Role(format!("role {n:04}"))).collect();
    put(&store, grant(subjects[0].clone(), "a.b")).await;
    put(&store, grant(subjects[2999].clone(), "a.b")).await;
    assert_eq!(list(&store, &subjects).await.len(), 2);
}

/// A tenant's grants hold within it.
pub async fn tenants_do_not_meet(store: Store, _clock: Arc<ManualClock>) {
    let ours = grant(ada(), "files.*");
    put(&store, ours.clone()).await;
    let globex = tenant("globex");
    assert_eq!(store.list(&globex, &[ada()]).await.expect("list"), []);
    assert!(!store.revoke(&globex, &ada(), &ours.tools, None).await.expect("revoke"));
    put(&store, Grant { tenant: globex.clone(), ..ours.clone() }).await;
    assert!(store.revoke(&globex, &ada(), &ours.tools, None).await.expect("revoke"));
    assert_eq!(list(&store, &[ada()]).await, [ours]);
}
