//! Tools for a model of each dialect, and calls as it writes them.

use std::sync::Arc;

use serde_json::{Value, json};
use tool_connect_core::schema::dialect::{Dialect, lint_tool};
use tool_connect_core::{Annotations, DynamicTool, ErrorKind, SchemaSource, ToolDefinition, ToolOutput};
use tool_connect_hub::ListRequest;

use super::support::{Add, Kit, ada, error, hub_of, quiet, value};

/// Answers with the arguments that it got.
fn echo() -> DynamicTool {
    let schema = json!({
        "type": "object",
        "properties": {
            "path": {"type": "string"},
            "depth": {"type": "integer"},
            "filter[id]": {"type": "string"},
            "extra": {"type": "object"},
        },
        "required": ["path"],
        "additionalProperties": false,
    });
    let definition =
        ToolDefinition::new("echo", "Says what it got.", SchemaSource::Json(Arc::from(schema.to_string())))
            .annotations(Annotations::READ);
    DynamicTool::new(definition, |arguments, _| async move { ToolOutput::of(&arguments) })
}

#[tokio::test]
async fn tools_are_listed_in_the_dialect_of_the_model() {
    let session = hub_of(Kit::new("calc").tool::<Add>().dynamic(echo())).session(ada());
    for dialect in Dialect::ALL {
        let page = session.tools_for(dialect, &ListRequest::default()).await.unwrap();
        let names: Vec<_> = page.tools.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(names, ["calc__add", "calc__echo"], "{dialect}");
        for tool in &page.tools {
            let findings = lint_tool(&tool.name, &tool.description, tool.input.schema(), dialect);
            assert!(findings.is_empty(), "{dialect}: {findings:?}");
        }
        let first = ListRequest { limit: Some(1), ..ListRequest::default() };
        assert_eq!(session.tools_for(dialect, &first).await.unwrap().next.as_deref(), Some("calc.add"));
    }
}

#[tokio::test]
async fn a_tool_gets_what_its_own_schema_accepts() {
    let session = hub_of(Kit::new("calc").dynamic(echo())).session(ada());
    for (dialect, said, meant) in [
        (
            Dialect::OpenAiStrict,
            r#"{"path":"/","depth":null,"filter[id]":null,"extra":"{\"k\":1}"}"#,
            json!({"path": "/", "extra": {"k": 1}}),
        ),
        (Dialect::Gemini, r#"{"path":"/","filter_id_":"7"}"#, json!({"path": "/", "filter[id]": "7"})),
        (Dialect::Anthropic, r#"{"path":"/","filter_id_":"7"}"#, json!({"path": "/", "filter[id]": "7"})),
        (Dialect::OpenAi, r#"{"path":"/","filter[id]":"7"}"#, json!({"path": "/", "filter[id]": "7"})),
    ] {
        let answer: Value = value(session.call_from(dialect, "calc__echo", said).await);
        assert_eq!(answer, meant, "{dialect}");
    }
}

#[tokio::test]
async fn what_a_model_writes_wrongly_is_refused_by_the_tool() {
    let session = hub_of(Kit::new("calc").dynamic(echo())).session(ada());
    let call = |tool: &'static str, said: &'static str| session.call_from(Dialect::OpenAiStrict, tool, said);
    // A required field stays null: only what is optional may be absent.
    assert_eq!(error(call("calc__echo", r#"{"path":null}"#).await).kind(), ErrorKind::InvalidArguments);
    assert_eq!(error(call("calc__echo", "{").await).kind(), ErrorKind::InvalidArguments);
    assert_eq!(error(call("calc__none", "{}").await).kind(), ErrorKind::UnknownTool);
}

#[tokio::test]
async fn the_cap_counts_what_the_model_wrote() {
    let hub = quiet(&Arc::default())
        .connector(Kit::new("calc").dynamic(echo()))
        .configure(|s| s.max_argument_bytes = 40)
        .build()
        .unwrap();
    let session = hub.session(ada());
    let small = r#"{"path":"/","depth":null}"#;
    session.call_from(Dialect::OpenAiStrict, "calc__echo", small).await.unwrap();
    // It would fit once its nulls were gone.
    let large = r#"{"path":"/","depth":null,"filter[id]":null,"extra":null}"#;
    let refused = error(session.call_from(Dialect::OpenAiStrict, "calc__echo", large).await);
    assert_eq!(refused.kind(), ErrorKind::TooLarge);
}
