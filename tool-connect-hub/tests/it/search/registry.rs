//! Only what the principal sees and may call, as it is now.

use tool_connect_core::{
    Connection, ConnectionId, ConnectionStatus, Owner, SchemaSource, TenantId, ToolDefinition,
};
use tool_connect_hub::{InstanceOptions, RolePolicy, SearchRequest};

use super::house::{asked, builder, chatter, definition, diary, forge, hub, ids, tool};
use crate::calls::support::{Kit, acme, ada, bot, grant, hub_of, instance};

#[tokio::test]
async fn what_a_principal_may_not_call_is_not_found() {
    let policy = RolePolicy::new().role("reader", ["forge.list_issues", "forge.list_branches"]).unwrap();
    let hub = builder().policy(policy).build().unwrap();
    let reader = ada().with_role("reader");
    let found = ids(&hub.session(reader), SearchRequest::new("create an issue or a room").limit(50)).await;
    assert!(found.iter().all(|id| id.starts_with("forge.list_")) && !found.is_empty(), "{found:?}");
}

#[tokio::test]
async fn an_agent_finds_what_it_was_granted() {
    let hub = hub();
    let session = hub.session(bot());
    assert_eq!(ids(&session, SearchRequest::new("send a message")).await, Vec::<String>::new());
    hub.grant(grant("chatter.*")).await.unwrap();
    let hits = session.search(&SearchRequest::new("delete a message").limit(50)).await.unwrap();
    assert!(hits.iter().all(|hit| hit.tool.id().instance() == "chatter"));
    // What destroys needs a person's yes by default, and the answer says so.
    assert_eq!((hits[0].tool.id().name(), hits[0].needs_approval), ("delete_message", true));
    assert!(hits.iter().any(|hit| !hit.needs_approval));
}

fn account(id: &str) -> Connection {
    Connection::new(ConnectionId::new(id).unwrap(), acme(), Owner::User(ada().user), instance("forge_work"))
}

#[tokio::test]
async fn what_is_connected_comes_first_and_the_answer_says_so() {
    let hub = builder().build().unwrap();
    hub.add_instance(forge(), InstanceOptions::new("forge_work").unwrap()).unwrap();
    let session = hub.session(ada());
    let request = SearchRequest::new("create an issue").limit(20);
    let both = |hits: &[tool_connect_hub::SearchHit]| -> Vec<(String, bool)> {
        hits.iter().map(|hit| (hit.tool.id().to_string(), hit.connected)).collect()
    };
    let before = both(&session.search(&request).await.unwrap());
    let (here, there) = ("forge.create_issue".to_owned(), "forge_work.create_issue".to_owned());
    assert_eq!(before[..2], [(here.clone(), false), (there.clone(), false)]);
    hub.put_connection(account("c1")).await.unwrap();
    let after = both(&session.search(&request).await.unwrap());
    assert_eq!(after[0], (there, true));
    assert!(after[1..].contains(&(here, false)), "{after:?}");
    let only = ids(&session, SearchRequest::new("create an issue").connected_only().limit(50)).await;
    assert!(
        only.iter().all(|id| !id.starts_with("forge.")) && only[0] == "forge_work.create_issue",
        "{only:?}"
    );

    // An account that does not work any more is none.
    let mut broken =
        hub.stores().connections.get(&acme(), &ConnectionId::new("c1").unwrap()).await.unwrap().unwrap();
    broken.status = ConnectionStatus::NeedsReauth;
    hub.put_connection(broken).await.unwrap();
    assert!(!session.search(&request).await.unwrap()[0].connected);
}

#[tokio::test]
async fn connectors_that_come_and_go_are_seen_by_the_next_search() {
    let hub = hub_of(chatter());
    assert!(asked(&hub, "what is on my calendar").await.is_empty());
    hub.add(diary()).unwrap();
    assert_eq!(asked(&hub, "list the events of my calendar").await[0], "diary.list_events");
    let other = Kit::new("diary").dynamic(tool("list_birthdays", "Who was born when.", ""));
    hub.replace(other, InstanceOptions::default()).unwrap();
    assert_eq!(asked(&hub, "calendar of birthdays").await, ["diary.list_birthdays"]);
    assert!(hub.remove(&instance("diary"), None));
    assert!(asked(&hub, "calendar of birthdays").await.is_empty());
}

#[tokio::test]
async fn a_tenant_finds_its_own_and_not_what_it_hides_or_what_others_have() {
    let hub = hub_of(chatter());
    let own = Kit::new("chatter").dynamic(tool("send_pigeon", "Sends a message by bird.", ""));
    let options = InstanceOptions::new("chatter").unwrap().tenant(acme());
    hub.add_instance(own, options).unwrap();
    let secret = Kit::new("lab").dynamic(tool("send_probe", "Sends a message to Mars.", ""));
    let other = TenantId::new("umbrella").unwrap();
    hub.add_instance(secret, InstanceOptions::new("lab").unwrap().tenant(other)).unwrap();
    assert_eq!(asked(&hub, "send a message").await, ["chatter.send_pigeon"]);
    let request = SearchRequest::new("send a message").instance(instance("lab"));
    assert!(ids(&hub.session(ada()), request).await.is_empty());
}

#[tokio::test]
async fn a_tool_that_is_switched_off_is_not_found() {
    let broken = ToolDefinition::new("open_gate", "Opens the gate.", SchemaSource::Json("no schema".into()));
    let hub = hub_of(Kit::new("castle").dynamic(definition(broken)).dynamic(tool(
        "close_gate",
        "Shuts the gate.",
        "",
    )));
    assert_eq!(asked(&hub, "open the gate").await, ["castle.close_gate"]);
}

#[tokio::test]
async fn the_index_takes_little_memory_and_can_be_made_ahead() {
    let hub = hub();
    let bytes = hub.prepare_search(&acme()).await.unwrap();
    assert!(bytes > 0 && bytes < 35 * 4_000, "{bytes} bytes for 35 tools");
    // Nothing is made twice.
    assert_eq!(hub.prepare_search(&acme()).await.unwrap(), bytes);
}
