//! What was released may not change without a sign.

use std::sync::Arc;

use tool_connect_core::{Annotations, SchemaSource, ToolDefinition};
use tool_connect_testkit::lint::{assert_stable, compare, snapshot};

use crate::stub::{Stub, tool, with_input};

fn taken(tools: impl IntoIterator<Item = ToolDefinition>) -> String {
    snapshot(&Stub::new(tools))
}

/// The rules that a change from one tool to the other breaks.
fn rules(old: ToolDefinition, new: ToolDefinition) -> Vec<&'static str> {
    compare(&taken([old]), &taken([new])).into_iter().map(|finding| finding.rule).collect()
}

const NONE: [&str; 0] = [];
const WIDE: &str = r#"{
    "type": "object",
    "properties": { "id": { "type": "string" }, "note": { "type": "string" } },
    "required": ["id"]
}"#;
const STRICT: &str = r#"{
    "type": "object",
    "properties": { "id": { "type": "string" }, "note": { "type": "string" } },
    "required": ["id", "note"]
}"#;

#[test]
fn nothing_changed_is_no_finding_and_neither_are_words_and_order() {
    let old = taken([tool("keep"), tool("look")]);
    assert_eq!(compare(&old, &taken([tool("look"), tool("keep")])), []);
    assert_eq!(old, taken([tool("look"), tool("keep")]), "the order of tools does not matter");

    let mut reworded = with_input(
        "keep",
        r#"{ "required": ["id"], "properties": { "id": { "description": "Other words.", "type": "string" } },
             "type": "object", "title": "Keep" }"#,
    );
    reworded.description = "Says the same in other words.".into();
    assert_eq!(rules(tool("keep"), reworded), NONE);
}

#[test]
fn a_field_named_like_a_word_is_part_of_the_shape() {
    let titled =
        r#"{"type":"object","properties":{"title":{"type":"string"},"description":{"type":"string"}}}"#;
    let text = taken([with_input("keep", titled)]);
    let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
    let properties = &parsed["tools"]["keep"]["input"]["properties"];
    assert_eq!(properties.as_object().unwrap().keys().collect::<Vec<_>>(), ["description", "title"]);
}

#[test]
fn a_renamed_tool_needs_an_alias() {
    assert_eq!(rules(tool("keep"), tool("store")), ["renamed"]);
    assert_eq!(rules(tool("keep"), tool("store").aliases(["keep"])), NONE);
    assert_eq!(
        compare(&taken([tool("keep")]), &taken([tool("keep"), tool("look")])),
        [],
        "a new tool is welcome"
    );
}

#[test]
fn an_alias_works_for_ever_and_means_the_same() {
    assert_eq!(rules(tool("keep").aliases(["hold"]), tool("keep")), ["alias"]);
    let old = taken([tool("keep").aliases(["hold"]), tool("look")]);
    let moved = taken([tool("keep"), tool("look").aliases(["hold"])]);
    assert_eq!(compare(&old, &moved)[0].rule, "alias");
    // Renamed a second time: both former names lead to the present one.
    assert_eq!(rules(tool("keep").aliases(["hold"]), tool("store").aliases(["keep", "hold"])), NONE);
}

#[test]
fn a_changed_schema_raises_the_version() {
    assert_eq!(rules(tool("keep"), with_input("keep", WIDE)), ["version"]);
    assert_eq!(rules(tool("keep"), with_input("keep", WIDE).version("1.1.0")), NONE);
    assert_eq!(rules(tool("keep").version("1.1.0"), with_input("keep", WIDE).version("1.0.9")), ["version"]);
    assert_eq!(rules(tool("keep"), tool("keep").annotations(Annotations::READ)), ["version"]);
    let output = tool("keep").output(SchemaSource::Json(Arc::from(r#"{"type":"integer"}"#)));
    assert_eq!(rules(tool("keep"), output), ["version"]);
}

#[test]
fn what_breaks_callers_raises_the_major_version() {
    let at = |input, version: &'static str| with_input("keep", input).version(version);
    assert_eq!(rules(at(WIDE, "1.0.0"), at(STRICT, "1.1.0")), ["breaking"], "a field is required now");
    assert_eq!(rules(at(WIDE, "1.0.0"), tool("keep").version("1.1.0")), ["breaking"], "a field is gone");
    assert_eq!(rules(at(WIDE, "1.0.0"), at(STRICT, "2.0.0")), NONE);
    assert_eq!(rules(at(WIDE, "0.1.0"), at(STRICT, "0.1.1")), ["breaking"]);
    assert_eq!(rules(at(WIDE, "0.1.0"), at(STRICT, "0.2.0")), NONE);
    assert_eq!(rules(tool("keep"), tool("keep").scopes(["more"]).version("1.1.0")), ["breaking"]);
    let read = tool("keep").annotations(Annotations::READ);
    assert_eq!(rules(read, tool("keep").version("1.1.0")), ["breaking"], "a read that writes now");
}

#[test]
fn a_renamed_connector_and_a_broken_text_are_told() {
    let old = taken([tool("keep")]);
    let other = snapshot(&Stub::new([tool("keep")]).with_manifest(|mut m| {
        m.id = "stuff".to_owned();
        m
    }));
    assert_eq!(compare(&old, &other)[0].rule, "renamed");
    for broken in ["", "{", "[]", r#"{"connector":1}"#] {
        let findings = compare(broken, &old);
        assert!(findings.len() == 1 && findings[0].rule == "snapshot", "{broken}: {findings:?}");
    }
    assert_eq!(compare("", "").len(), 2);
}

#[test]
fn a_committed_snapshot_holds_and_must_be_the_present_one() {
    let committed = taken([tool("keep")]);
    assert_stable(&Stub::new([tool("keep")]), &committed);
    assert_stable(&Stub::new([tool("keep")]), &committed.replace('\n', "\r\n"));
    for (tools, committed, word) in [
        (vec![tool("store")], committed.as_str(), "aliases(\"keep\")"),
        (vec![tool("keep"), tool("look")], committed.as_str(), "\"look\""),
        (vec![tool("keep")], "", "commit this"),
    ] {
        let check = std::panic::AssertUnwindSafe(|| assert_stable(&Stub::new(tools), committed));
        let panic = std::panic::catch_unwind(check).expect_err("it must fail");
        let message = panic.downcast_ref::<String>().cloned().unwrap_or_default();
        assert!(message.contains(word), "{word}: {message}");
    }
}
