//! The short form: a function stays a function and has a tool beside it.

use std::sync::atomic::{AtomicU32, Ordering};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tool_connect_core::{
    Annotations, ErrorKind, Problems, Result, Tool, ToolArgs, ToolContext, ToolSet, tool,
};

use crate::scope::context;

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EchoArgs {
    /// What to say.
    #[schemars(length(max = 5))]
    text: String,
}

/// Says the same again.
#[tool(read_only, open_world = false)]
async fn echo(_cx: &ToolContext, args: EchoArgs) -> Result<String> {
    Ok(args.text)
}

#[derive(Default)]
struct Counter(AtomicU32);

/// Counts its calls.
#[tool(name = "count_up")]
async fn count(cx: &ToolContext<Counter>) -> Result<u32> {
    Ok(cx.state()?.0.fetch_add(1, Ordering::Relaxed) + 1)
}

/// Counts as well, from the same kind of arguments.
#[tool]
async fn echo_twice(_cx: &ToolContext, args: EchoArgs) -> tool_connect_core::Result<Vec<String>> {
    Ok(vec![args.text.clone(), args.text])
}

#[tokio::test]
async fn the_function_and_the_tool_do_the_same() {
    let cx = context(());
    let said = echo(&cx, EchoArgs { text: "hello".into() }).await.unwrap();
    assert_eq!(said, "hello");
    let tool: Echo = serde_json::from_value(json!({ "text": "hello" })).unwrap();
    assert_eq!(tool.call(&cx).await.unwrap(), "hello");
    let tool = EchoTwice::from(EchoArgs { text: "a".into() });
    assert_eq!(tool.call(&cx).await.unwrap(), ["a", "a"]);
}

#[tokio::test]
async fn errors_pass_through() {
    /// Fails.
    #[tool]
    async fn fail(_cx: &ToolContext) -> Result<()> {
        Err(tool_connect_core::Error::new(ErrorKind::NotFound, "nothing here"))
    }

    let error = Fail {}.call(&context(())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn its_arguments_are_those_of_the_struct() {
    let tool: Echo = serde_json::from_value(json!({ "text": "too long" })).unwrap();
    let mut problems = Problems::default();
    tool.check(&mut problems);
    assert_eq!(problems.into_vec()[0].pointer, "/text");
    assert_eq!(serde_json::to_value(&tool).unwrap(), json!({ "text": "too long" }));
    assert!(serde_json::from_value::<Echo>(json!({ "txet": "x" })).is_err());
    assert!(serde_json::from_value::<Count>(json!({})).is_ok());
    assert!(serde_json::from_value::<Count>(json!({ "stray": 1 })).is_err());
}

#[test]
fn a_set_takes_it_with_its_state() {
    let mut set = ToolSet::default();
    set.add::<Echo>();
    set.with(Counter::default()).add::<Count>();
    let definitions: Vec<_> = set.tools().iter().map(|tool| tool.definition()).collect();
    assert_eq!(definitions[0].name, "echo");
    assert_eq!(definitions[0].annotations, Annotations { open_world: false, ..Annotations::READ });
    assert_eq!(definitions[1].name, "count_up");
    let schema = definitions[1].input.schema().unwrap().to_value();
    assert_eq!(schema, json!({ "type": "object", "properties": {}, "additionalProperties": false }));
}
