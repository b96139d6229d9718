//! A tenant's own instances: beside the global ones, or in their place, and seen by nobody else.

use std::sync::Arc;

use tool_connect_core::{DynamicTool, ErrorKind, EventKind, Principal, TenantId, ToolOutput};
use tool_connect_hub::{Hub, InstanceOptions, ListRequest, Session};

use super::support::{Add, Events, Kit, acme, ada, error, instance, kind, number, quiet, read, value};

fn answering(name: &'static str, answer: &'static str) -> DynamicTool {
    read(name, move |_, _| async move { ToolOutput::of(&answer) })
}

fn for_tenant(id: &str, tenant: &TenantId) -> InstanceOptions {
    InstanceOptions::new(id).unwrap().tenant(tenant.clone())
}

/// Globally `notes.get` and `notes.put`; for Acme its own `notes.get`, and `extra.add`.
fn hub() -> Hub {
    quiet(&Arc::default())
        .connector(Kit::new("notes").dynamic(answering("get", "global")).dynamic(answering("put", "global")))
        .instance(Kit::new("notes").dynamic(answering("get", "acme")), for_tenant("notes", &acme()))
        .instance(Kit::new("extra").tool::<Add>(), for_tenant("extra", &acme()))
        .build()
        .unwrap()
}

fn stranger(hub: &Hub) -> Session {
    hub.session(Principal::user("globex", "cy").unwrap())
}

async fn names(session: &Session) -> Vec<String> {
    let page = session.tools(&ListRequest::default()).await.unwrap();
    page.tools.iter().map(|t| t.id().to_string()).collect()
}

#[tokio::test]
async fn a_tenant_sees_its_own_instance_in_the_place_of_the_global_one() {
    let hub = hub();
    let session = hub.session(ada());
    for name in ["notes.get", "notes__get", "get"] {
        assert_eq!(value(session.call(name, "{}").await), "acme", "{name}");
        assert_eq!(value(stranger(&hub).call(name, "{}").await), "global", "{name}");
    }
    assert_eq!(names(&session).await, ["extra.add", "notes.get"]);
    assert_eq!(names(&stranger(&hub)).await, ["notes.get", "notes.put"]);
}

#[tokio::test]
async fn a_hidden_instance_is_hidden_under_all_names_of_its_tools() {
    let hub = hub();
    let session = hub.session(ada());
    for name in ["notes.put", "notes__put", "put"] {
        let refused = error(session.call(name, "{}").await);
        assert_eq!(refused.kind(), ErrorKind::UnknownTool, "{name}");
        assert!(!refused.public_message().contains("notes.put"), "{refused}");
        assert_eq!(value(stranger(&hub).call(name, "{}").await), "global", "{name}");
    }
}

#[tokio::test]
async fn what_a_tenant_has_of_its_own_does_not_exist_for_others() {
    let hub = hub();
    assert_eq!(number(hub.session(ada()).call("extra.add", r#"{"a":1,"b":1}"#).await), 2);
    assert_eq!(hub.session(ada()).run(Add { a: 1, b: 1 }).await.unwrap(), 2);
    let other = stranger(&hub);
    for name in ["extra.add", "extra__add", "extra.plus", "add"] {
        let refused = error(other.call(name, r#"{"a":1,"b":1}"#).await);
        assert_eq!(refused.kind(), ErrorKind::UnknownTool);
        assert_eq!(refused.public_message(), "There is no such tool.", "{name}");
    }
    assert_eq!(other.run(Add { a: 1, b: 1 }).await.unwrap_err().kind(), ErrorKind::UnknownTool);
    assert_eq!(other.describe("extra.add").unwrap_err().kind(), ErrorKind::UnknownTool);
    let globex = TenantId::new("globex").unwrap();
    assert_eq!(hub.instances(&globex).into_keys().collect::<Vec<_>>(), [instance("notes")]);
    assert_eq!(hub.instances(&acme()).len(), 2);
}

#[tokio::test]
async fn a_typed_call_finds_the_tenants_own_before_the_global_one_of_the_same_id() {
    let hub = quiet(&Arc::default())
        .connector(Kit::new("calc").tool::<Add>())
        .instance(Kit::new("calc").tool::<Add>(), for_tenant("calc", &acme()))
        .build()
        .unwrap();
    assert_eq!(hub.session(ada()).run(Add { a: 1, b: 1 }).await.unwrap(), 2);
    hub.add_instance(Kit::new("calc").tool::<Add>(), for_tenant("calc_two", &acme())).unwrap();
    let ambiguous = hub.session(ada()).run(Add { a: 1, b: 1 }).await.unwrap_err();
    assert_eq!(ambiguous.kind(), ErrorKind::AmbiguousInstance);
    assert_eq!(stranger(&hub).run(Add { a: 1, b: 1 }).await.unwrap(), 2);
    // Of a type that only the hidden one has, there is none.
    let hub = quiet(&Arc::default())
        .connector(Kit::new("calc").tool::<Add>())
        .instance(Kit::new("calc").dynamic(answering("sub", "x")), for_tenant("calc", &acme()))
        .build()
        .unwrap();
    assert_eq!(hub.session(ada()).run(Add { a: 1, b: 1 }).await.unwrap_err().kind(), ErrorKind::UnknownTool);
}

#[tokio::test]
async fn removing_the_tenants_own_uncovers_the_global_one() {
    let events = Events::default();
    let hub = quiet(&Arc::default())
        .on_event(events.sink())
        .connector(Kit::new("notes").dynamic(answering("get", "global")))
        .build()
        .unwrap();
    let session = hub.session(ada());
    hub.add_instance(Kit::new("notes").dynamic(answering("get", "acme")), for_tenant("notes", &acme()))
        .unwrap();
    let twice = hub.add_instance(Kit::new("notes"), for_tenant("notes", &acme()));
    assert_eq!(twice.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(value(session.call("notes.get", "{}").await), "acme");
    assert!(!hub.remove(&instance("notes"), Some(&TenantId::new("globex").unwrap())));
    assert!(hub.remove(&instance("notes"), Some(&acme())));
    assert_eq!(value(session.call("notes.get", "{}").await), "global");
    assert!(hub.remove(&instance("notes"), None));
    assert_eq!(kind(session.call("notes.get", "{}").await), ErrorKind::UnknownTool);

    let changes: Vec<_> = events
        .all()
        .into_iter()
        .filter_map(|event| match event.what {
            EventKind::RegistryChanged { present, .. } => Some((event.tenant, present)),
            _ => None,
        })
        .collect();
    assert_eq!(changes, [(None, true), (Some(acme()), true), (Some(acme()), false), (None, false)]);
}

#[tokio::test]
async fn a_hidden_tools_quarantine_is_not_reported() {
    let broken = || {
        let mut definition = super::support::definition("get", tool_connect_core::Annotations::READ);
        definition.cost = 0;
        DynamicTool::new(definition, |_, _| async { ToolOutput::of(&0) })
    };
    let hub = quiet(&Arc::default())
        .connector(Kit::new("notes").dynamic(broken()))
        .instance(Kit::new("notes").dynamic(answering("get", "fine")), for_tenant("notes", &acme()))
        .build()
        .unwrap();
    assert!(hub.quarantined(&acme()).is_empty());
    assert_eq!(hub.quarantined(&TenantId::new("globex").unwrap()).len(), 1);
}
