//! What is registered, under which names, and what is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tool_connect_core::{
    Annotations, ConnectorManifest, DynamicTool, ErrorKind, EventKind, SchemaSource, ToolId, ToolOutput,
};
use tool_connect_hub::{Hub, InstanceOptions, ListRequest};

use super::support::{
    Add, Events, Kit, Runs, acme, ada, bot, counting, definition, error, grant, hub_of, instance, kind,
    number, quiet, read, value,
};

fn answering(name: &'static str, answer: &'static str) -> DynamicTool {
    read(name, move |_, _| async move { ToolOutput::of(&answer) })
}

fn options(id: &str) -> InstanceOptions {
    InstanceOptions::new(id).unwrap()
}

#[tokio::test]
async fn a_tool_answers_to_its_id_its_model_name_its_alias_and_its_local_name() {
    let hub = hub_of(Kit::new("calc").tool::<Add>());
    let session = hub.session(ada());
    for name in ["calc.add", "calc__add", "calc.plus", "calc__plus", "add", "plus"] {
        assert_eq!(number(session.call(name, r#"{"a":1,"b":1}"#).await), 2, "{name}");
        assert_eq!(session.describe(name).unwrap().id().as_str(), "calc.add");
    }
    for name in ["add", "plus"] {
        assert_eq!(number(session.on("calc").call(name, r#"{"a":1,"b":1}"#).await), 2);
    }
}

#[tokio::test]
async fn a_local_name_of_several_instances_must_be_told_which() {
    let hub = quiet(&Arc::default())
        .connector(Kit::new("calc").tool::<Add>())
        .instance(Kit::new("calc").tool::<Add>(), options("abacus"))
        .build()
        .unwrap();
    let session = hub.session(ada());
    for name in ["add", "plus"] {
        let refused = error(session.call(name, r#"{"a":1,"b":1}"#).await);
        assert_eq!(refused.kind(), ErrorKind::AmbiguousInstance);
        assert!(refused.public_message().contains("abacus, calc"), "{refused}");
        assert_eq!(number(session.on("abacus").call(name, r#"{"a":1,"b":1}"#).await), 2);
    }
}

#[test]
fn names_that_clash_are_refused_and_change_nothing() {
    let hub = hub_of(Kit::new("calc").tool::<Add>());
    let conflict = |kit: Kit| hub.add(kit).unwrap_err().kind();
    assert_eq!(conflict(Kit::new("calc").dynamic(answering("x", "x"))), ErrorKind::Conflict);
    assert_eq!(conflict(Kit::new("two").tool::<Add>().tool::<Add>()), ErrorKind::Conflict);
    assert_eq!(conflict(Kit::new("two").tool::<Add>().dynamic(answering("plus", "x"))), ErrorKind::Conflict);
    let alias = |name: &'static str, alias: &'static str| {
        DynamicTool::new(definition(name, Annotations::READ).aliases([alias]), |_, _| async {
            ToolOutput::of(&0)
        })
    };
    assert_eq!(
        conflict(Kit::new("two").dynamic(alias("a", "c")).dynamic(alias("b", "c"))),
        ErrorKind::Conflict
    );
    assert_eq!(conflict(Kit::new("two").dynamic(alias("a", "a"))), ErrorKind::Conflict);
    let ids: Vec<_> = hub.instances(&acme()).into_keys().collect();
    assert_eq!(ids, [instance("calc")]);
}

#[test]
fn ids_that_are_malformed_are_refused() {
    let hub = hub_of(Kit::new("calc").tool::<Add>());
    let config = |kit: Kit| hub.add(kit).unwrap_err().kind();
    for id in ["", "Calc", "a__b", "a.b", "1a", &"a".repeat(33)] {
        assert_eq!(config(Kit::new(id)), ErrorKind::Config, "{id}");
        assert!(InstanceOptions::new(id).is_err(), "{id}");
    }
    for name in ["", "Read", "a__b", "a.b", "read_", "re ad"] {
        assert_eq!(config(Kit::new("two").dynamic(answering(name, "x"))), ErrorKind::Config, "{name}");
        let aliased = definition("fine", Annotations::READ).aliases([name]);
        let tool = DynamicTool::new(aliased, |_, _| async { ToolOutput::of(&0) });
        assert_eq!(config(Kit::new("two").dynamic(tool)), ErrorKind::Config, "{name}");
    }
    // Each half fits, and the whole does not.
    let long: &'static str = "abcdefghijabcdefghijabcdefghijabcdefghij";
    let kit = Kit::new("two").dynamic(answering(long, "x"));
    let refused = hub.add_instance(kit, options(&"i".repeat(32))).unwrap_err();
    assert!(refused.to_string().contains("shorter instance id"), "{refused}");
    let nothing = Hub::builder().connector(Kit::new("Calc")).build();
    assert_eq!(nothing.err().map(|e| e.kind()), Some(ErrorKind::Config));
}

#[tokio::test]
async fn a_broken_tool_is_switched_off_with_a_report_and_the_rest_works() {
    let events = Events::default();
    let hub = quiet(&Arc::default()).on_event(events.sink()).build().unwrap();
    let broken = |name: &'static str, change: fn(&mut tool_connect_core::ToolDefinition)| {
        let mut definition = definition(name, Annotations::READ);
        change(&mut definition);
        DynamicTool::new(definition, |_, _| async { ToolOutput::of(&0) })
    };
    let kit = Kit::new("mix")
        .tool::<Add>()
        .dynamic(broken("cost", |d| d.cost = 0))
        .dynamic(broken("input", |d| d.input = SchemaSource::Json(Arc::from("{nonsense"))))
        .dynamic(broken("output", |d| d.output = Some(SchemaSource::Json(Arc::from("17")))))
        .dynamic(broken("silent", |d| d.description = " ".into()))
        .dynamic(broken("torn", |d| d.annotations.destructive = true))
        .dynamic(broken("version", |d| d.version = "one".into()))
        .dynamic(broken("warm", |d| {
            d.annotations.read_only = false;
            d.cache = Some(std::time::Duration::from_secs(1));
        }));
    let registered = hub.add(kit).unwrap();
    assert_eq!((registered.instance, registered.tools), (instance("mix"), 1));
    let names = ["cost", "input", "output", "silent", "torn", "version", "warm"];
    let reported: Vec<_> = registered.quarantined.iter().map(|q| q.tool.name()).collect();
    assert_eq!(reported, names);
    assert!(registered.quarantined.iter().all(|q| !q.problems.is_empty()));
    assert_eq!(hub.quarantined(&acme()), registered.quarantined);
    let told =
        events.all().into_iter().filter(|e| matches!(e.what, EventKind::ToolQuarantined { .. })).count();
    assert_eq!(told, names.len());

    let session = hub.session(ada());
    for name in names {
        let refused = error(session.on("mix").call(name, "{}").await);
        assert_eq!(refused.kind(), ErrorKind::Quarantined, "{name}");
        assert!(refused.message().contains("is switched off"), "{refused}");
    }
    assert_eq!(number(session.call("mix.add", r#"{"a":1,"b":1}"#).await), 2);
    let listed = session.tools(&ListRequest::default()).await.unwrap();
    assert_eq!(listed.tools.iter().map(|t| t.id().name()).collect::<Vec<_>>(), ["add"]);
}

#[tokio::test]
async fn a_list_comes_in_pages_in_order_and_whole() {
    let hub =
        hub_of(Kit::new("calc").tool::<Add>().dynamic(answering("zero", "0")).dynamic(answering("mid", "m")));
    hub.add_instance(Kit::new("calc").tool::<Add>(), options("abacus")).unwrap();
    let session = hub.session(ada());
    let all = ["abacus.add", "calc.add", "calc.mid", "calc.zero"];
    for limit in 1..=5 {
        let mut request = ListRequest { limit: Some(limit), ..ListRequest::default() };
        let mut found: Vec<String> = Vec::new();
        loop {
            let page = session.tools(&request).await.unwrap();
            assert!(page.tools.len() <= limit);
            found.extend(page.tools.iter().map(|t| t.id().to_string()));
            match page.next {
                Some(next) => request.cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(found, all, "{limit}");
    }
    let one = ListRequest { instance: Some(instance("calc")), ..ListRequest::default() };
    let page = session.tools(&one).await.unwrap();
    assert_eq!((page.tools.len(), page.next), (3, None));
    // A cursor whose tool has gone goes on behind its place.
    let gone = ListRequest { cursor: Some("calc.b".into()), ..ListRequest::default() };
    let rest: Vec<_> = session.tools(&gone).await.unwrap().tools.iter().map(|t| t.id().to_string()).collect();
    assert_eq!(rest, ["calc.mid", "calc.zero"]);
}

#[tokio::test]
async fn a_list_leaves_out_what_is_denied() {
    let hub =
        hub_of(Kit::new("calc").tool::<Add>().dynamic(answering("mid", "m")).dynamic(answering("zero", "0")));
    hub.grant(grant("calc.mid")).await.unwrap();
    let request = ListRequest { limit: Some(1), ..ListRequest::default() };
    let page = hub.session(bot()).tools(&request).await.unwrap();
    assert_eq!(page.tools.iter().map(|t| t.id().name()).collect::<Vec<_>>(), ["mid"]);
    assert_eq!(page.next, None);
    assert_eq!(hub.session(ada()).tools(&ListRequest::default()).await.unwrap().tools.len(), 3);
}

#[tokio::test]
async fn a_page_as_json_is_what_its_parts_say() {
    let odd = "Says \"hi\",\n\\ and \u{1F600}.";
    let mut quoted = definition("odd", Annotations::READ).scopes(["repo"]).deprecated("use `add`");
    quoted.description = odd.into();
    let tool = DynamicTool::new(quoted, |_, _| async { ToolOutput::of(&0) });
    let hub = hub_of(Kit::new("calc").tool::<Add>().dynamic(tool));
    let session = hub.session(ada());
    let page = session.tools(&ListRequest::default()).await.unwrap();
    let json: Value = serde_json::from_slice(&page.to_json()).unwrap();
    let parts: Vec<Value> =
        page.tools.iter().map(|t| serde_json::from_slice(&t.to_json()).unwrap()).collect();
    assert_eq!(json, Value::Array(parts));

    let (add, odd_tool) = (&json[0], &json[1]);
    let info = &page.tools[0];
    assert_eq!(add["name"], "calc.add");
    assert_eq!(add["description"], "Add two numbers.");
    assert_eq!(add["annotations"], serde_json::to_value(info.annotations()).unwrap());
    assert_eq!(add["inputSchema"], serde_json::from_str::<Value>(info.input_schema()).unwrap());
    assert_eq!(add["outputSchema"], serde_json::from_str::<Value>(info.output_schema().unwrap()).unwrap());
    assert_eq!(add["inputSchema"]["required"], json!(["a", "b"]));
    assert_eq!(odd_tool["description"], format!("{odd}\n\nDeprecated: use `add`"));
    assert_eq!(odd_tool["_meta"], json!({"tool-connect/scopes": ["repo"]}));
    assert_eq!(odd_tool.get("outputSchema"), None);
    assert_ne!(info.definition_hash(), page.tools[1].definition_hash());
    let empty =
        session.tools(&ListRequest { instance: Some(instance("none")), ..Default::default() }).await.unwrap();
    assert_eq!(empty.to_json(), "[]");
}

#[tokio::test]
async fn what_is_replaced_or_removed_is_seen_by_the_next_call_and_not_by_one_that_runs() {
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let held = Arc::clone(&gate);
    let slow = read("get", move |_, _| {
        let gate = Arc::clone(&held);
        async move {
            gate.acquire().await.unwrap().forget();
            ToolOutput::of(&"old")
        }
    });
    let hub = hub_of(Kit::new("notes").dynamic(slow));
    let session = hub.session(ada());
    let running = tokio::spawn({
        let session = session.clone();
        async move { session.call("notes.get", "{}").await }
    });
    tokio::task::yield_now().await;
    hub.replace(Kit::new("notes").dynamic(answering("get", "new")), InstanceOptions::default()).unwrap();
    assert_eq!(value(session.call("notes.get", "{}").await), "new");
    assert!(hub.remove(&instance("notes"), None));
    assert!(!hub.remove(&instance("notes"), None));
    assert_eq!(kind(session.call("notes.get", "{}").await), ErrorKind::UnknownTool);
    gate.add_permits(1);
    assert_eq!(value(running.await.unwrap()), "old");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_go_on_while_other_threads_register_and_remove() {
    let hub = hub_of(Kit::new("steady").tool::<Add>());
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..2)
        .map(|n| {
            let (hub, stop) = (hub.clone(), Arc::clone(&stop));
            std::thread::spawn(move || {
                let id = format!("churn{n}");
                let mut rounds = 0;
                while !stop.load(Ordering::Relaxed) {
                    hub.add_instance(Kit::new("churn").dynamic(counting(&Runs::default())), options(&id))
                        .unwrap();
                    hub.replace(Kit::new("churn").tool::<Add>(), options(&id)).unwrap();
                    assert!(hub.remove(&instance(&id), None));
                    rounds += 1;
                }
                rounds
            })
        })
        .collect();
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let session = hub.session(ada());
            tokio::spawn(async move {
                for n in 0..2_000_i64 {
                    assert_eq!(session.on("steady").run(Add { a: n, b: 1 }).await.unwrap(), n + 1);
                    match session.call("churn0.put", "{}").await {
                        Ok(_) => {}
                        Err(error) => assert_eq!(error.kind(), ErrorKind::UnknownTool),
                    }
                    let page = session.tools(&ListRequest::default()).await.unwrap();
                    assert!(page.tools.iter().any(|t| t.id().as_str() == "steady.add"));
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        assert!(writer.join().unwrap() > 0);
    }
    let left: Vec<_> = hub.instances(&acme()).into_keys().collect();
    assert_eq!(left, [instance("steady")]);
}

#[test]
fn a_manifest_is_shown_as_it_is() {
    let manifest =
        ConnectorManifest::new("calc", semver::Version::new(2, 1, 0), "Calculator").category("maths");
    let hub = hub_of(Kit::of(manifest.clone()).tool::<Add>());
    assert_eq!(hub.instances(&acme())[&instance("calc")], manifest);
    assert_eq!(ToolId::parse("calc__add").unwrap().as_str(), "calc.add");
}
