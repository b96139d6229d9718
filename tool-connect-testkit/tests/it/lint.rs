//! Each rule finds what it is for, and nothing in a connector that keeps to it.

use std::sync::Arc;
use std::time::Duration;

use tool_connect_core::{Annotations, AuthScheme, SchemaSource, ToolDefinition};
use tool_connect_testkit::lint::{Finding, assert_clean, assert_clean_but, lint};

use crate::stub::{INPUT, Stub, tool, with_input};

const READ: Annotations = Annotations::READ;

fn found(stub: &Stub) -> Vec<(Option<String>, &'static str)> {
    lint(stub).into_iter().map(|finding| (finding.tool, finding.rule)).collect()
}

/// The one finding on a connector of this one tool.
fn only(definition: ToolDefinition) -> Finding {
    let mut findings = lint(&Stub::new([definition]));
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.remove(0)
}

#[test]
fn a_clean_connector_has_no_findings() {
    let stub = Stub::new([
        tool("get_thing").annotations(READ).scopes(["things:read"]),
        tool("delete_thing").scopes(["things:write"]).aliases(["drop_thing"]),
        tool("thing_of_the_day").annotations(READ).scopes(["things:read"]).cache(Duration::from_secs(60)),
    ]);
    assert_clean(&stub);
}

#[test]
fn a_manifest_is_read() {
    let clean = || Stub::new([tool("keep")]);
    for (stub, word) in [
        (Stub::new([]), "no tools"),
        (clean().with_manifest(|m| m.description("Things")), "description"),
        (
            clean().with_manifest(|mut m| {
                m.name = " ".to_owned();
                m
            }),
            "name",
        ),
        (
            clean().with_manifest(|mut m| {
                m.id = "Things".to_owned();
                m
            }),
            "lowercase",
        ),
        (
            clean().with_manifest(|mut m| {
                m.auth.clear();
                m
            }),
            "AuthScheme::None",
        ),
        (clean().with_manifest(|m| m.base_url("http://things.example/".parse().unwrap())), "https"),
        (
            clean().with_manifest(|m| m.base_url("https://ada:x@things.example/".parse().unwrap())),
            "credential",
        ),
    ] {
        let findings = lint(&stub);
        assert!(
            findings.len() == 1 && findings[0].rule == "manifest" && findings[0].tool.is_none(),
            "{findings:?}"
        );
        assert!(findings[0].message.contains(word), "{word}: {findings:?}");
    }
    assert_clean(&clean().with_manifest(|m| m.base_url("http://127.0.0.1:8080/".parse().unwrap())));
}

#[test]
fn names_must_be_valid_and_claimed_once() {
    assert_eq!(only(tool("Keep")).rule, "name");
    assert_eq!(only(tool("keep").aliases(["kept__before"])).rule, "name");
    // Valid by itself, too long together with the instance in the names of model APIs.
    let long: &'static str = "a_tool_whose_name_is_as_long_as_it_can_possibly_b";
    assert_eq!(only(tool(&long[..48]).aliases(["x"; 0])).rule, "name", "{}", long.len());
    let twice = Stub::new([tool("keep"), tool("put").aliases(["keep"])]);
    assert_eq!(found(&twice), [(Some("put".to_owned()), "name")]);
}

#[test]
fn a_description_must_help_to_choose() {
    let described = |text: &'static str| {
        let mut definition = tool("keep_a_thing_safe").title("Keep a thing safe");
        definition.description = text.into();
        definition
    };
    for text in ["", "  ", "Keeps.", "Keep a thing safe."] {
        assert_eq!(only(described(text)).rule, "description", "{text}");
    }
}

#[test]
fn schemas_must_be_valid() {
    for broken in [
        "{",
        "[]",
        r#"{"type":"string"}"#,
        r#"{"type":"object","properties":{"id":{"type":"strin","description":"Which thing."}}}"#,
        r#"{"type":"object","minProperties":-1}"#,
    ] {
        assert_eq!(only(with_input("keep", broken)).rule, "schema", "{broken}");
    }
    let output = tool("keep").output(SchemaSource::Json(Arc::from(r#"{"type":7}"#)));
    assert_eq!(only(output).rule, "schema");
    let mut none = tool("keep");
    none.output = None;
    assert_eq!(only(none).rule, "output");
}

#[test]
fn every_field_at_any_depth_is_described() {
    let input = r##"{
        "type": "object",
        "properties": {
            "id": { "type": "string" },
            "tags": { "type": "array", "description": "Tags.", "items": { "$ref": "#/$defs/Tag" } },
            "place": { "anyOf": [{ "$ref": "#/$defs/Place" }, { "type": "null" }] },
            "a/b": { "type": "object", "description": "A map.", "additionalProperties": {
                "type": "object", "properties": { "deep": { "type": "integer" } } } }
        },
        "$defs": {
            "Tag": { "type": "object", "properties": { "text": { "type": "string", "description": " " },
                     "kind": { "const": "tag" }, "parent": { "$ref": "#/$defs/Tag", "description": "Its parent." } } },
            "Place": { "type": "string", "description": "Where it is kept." }
        }
    }"##;
    let findings = lint(&Stub::new([with_input("keep", input)]));
    let mut places: Vec<_> =
        findings.iter().map(|f| f.message.split_whitespace().nth(2).unwrap_or_default()).collect();
    places.sort_unstable();
    assert_eq!(places, ["/a~1b/*/deep", "/id", "/tags/*/text"], "{findings:?}");
    assert!(findings.iter().all(|finding| finding.rule == "fields"));
}

#[test]
fn annotations_must_agree() {
    let write = Annotations::default();
    for (definition, word) in [
        (tool("keep").annotations(Annotations { destructive: true, ..READ }), "destructive"),
        (tool("keep").annotations(Annotations { idempotent: false, ..READ }), "idempotent"),
        (tool("keep").annotations(write).cache(Duration::from_secs(1)), "cached"),
        (tool("send_thing").annotations(READ), "`send`"),
        (tool("list_things").annotations(write), "`list`"),
        (tool("remove_thing").annotations(Annotations { destructive: false, ..write }), "destroys nothing"),
    ] {
        let finding = only(definition);
        assert!(finding.rule == "annotations" && finding.message.contains(word), "{finding}");
    }
    // Only the verb counts, not a word that begins alike.
    assert_clean(&Stub::new([
        tool("listing_price_update").annotations(write),
        tool("settle").annotations(READ),
    ]));
}

#[test]
fn scopes_are_declared_by_all_or_none() {
    let tools = || [tool("keep").scopes(["things:write"]), tool("look").annotations(READ)];
    assert_eq!(found(&Stub::new(tools())), [(Some("look".to_owned()), "scopes")]);
    assert_clean(&Stub::new([tool("keep"), tool("look").annotations(READ)]));
    assert_clean(&Stub::new(tools()).with_manifest(|m| m.auth(AuthScheme::Basic)));
}

#[test]
fn versions_and_costs_are_read() {
    assert_eq!(only(tool("keep").version("1.0")).rule, "version");
    assert_eq!(only(tool("keep").cost(0)).rule, "cost");
}

#[test]
fn an_accepted_rule_is_let_through_and_must_be_needed() {
    let mut short = tool("keep");
    short.description = "Keeps.".into();
    let stub = Stub::new([short]);
    assert_clean_but(&stub, &["description"]);
    assert!(panics(|| assert_clean(&stub)).contains("- keep: the description is shorter"));
    assert!(panics(|| assert_clean_but(&stub, &["description", "cost"])).contains("`cost`"));
    assert!(lint(&Stub::new([with_input("keep", INPUT)])).is_empty());
}

/// What the closure panics with.
fn panics(work: impl FnOnce()) -> String {
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).expect_err("it must fail");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}
