//! Typed calls: the same stacks, the same ends, and nothing written on the way.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::json;
use tool_connect_core::store::Decision;
use tool_connect_core::{
    CallOptions, ConnectionId, Error, ErrorKind, InputRequest, Result, Run, TaskId, Tool, ToolContext,
    ToolOutcome,
};
use tool_connect_hub::{InstanceOptions, RolePolicy};

use super::support::{Add, Kit, ada, approval, hub_of, kind, number, quiet, required};

/// A number that can be neither written nor read.
#[derive(Clone, Debug, PartialEq)]
struct Mute(i64);

impl Serialize for Mute {
    fn serialize<S: Serializer>(&self, _: S) -> std::result::Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("nobody asked for it to be written"))
    }
}

impl<'de> Deserialize<'de> for Mute {
    fn deserialize<D: Deserializer<'de>>(_: D) -> std::result::Result<Self, D::Error> {
        Err(serde::de::Error::custom("nobody asked for it to be read"))
    }
}

impl JsonSchema for Mute {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Mute".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "integer"})
    }
}

/// Doubles a number.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
struct Double {
    /// The number.
    #[tool(unchecked)]
    of: Mute,
}

impl Run for Double {
    type Output = Mute;
    async fn run(self, _cx: &ToolContext) -> Result<Mute> {
        Ok(Mute(self.of.0 * 2))
    }
}

/// Ends as it is told.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct End {
    /// How.
    #[schemars(length(max = 8))]
    how: String,
}

impl Run for End {
    type Output = String;
    async fn run(self, cx: &ToolContext) -> Result<String> {
        match self.how.as_str() {
            "task" => Err(Error::became_task(TaskId::new("job-1")?)),
            "ask" => Ok(cx.elicit("name", "Who?", json!({"type": "string"}))?.to_string()),
            "fail" => Err(Error::new(ErrorKind::Conflict, "it is there already")),
            other => Ok(other.to_owned()),
        }
    }
}

fn end(how: &str) -> End {
    End { how: how.to_owned() }
}

#[tokio::test]
async fn nothing_is_written_where_no_layer_asks() {
    let hub = hub_of(Kit::new("calc").tool::<Double>());
    let session = hub.session(ada());
    assert_eq!(session.run(Double { of: Mute(21) }).await.unwrap(), Mute(42));
    // Where one asks, the same value cannot pass.
    let mut options = CallOptions::default();
    options.idempotency_key = Some("k".into());
    let refused = session.run_with(Double { of: Mute(21) }, options).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidArguments);
}

#[tokio::test]
async fn typed_and_by_name_come_to_the_same() {
    let hub = hub_of(Kit::new("calc").tool::<Add>().tool::<End>());
    let session = hub.session(ada());
    assert_eq!(
        i64::try_from(number(session.call("calc.add", r#"{"a":2,"b":3}"#).await)).unwrap(),
        session.run(Add { a: 2, b: 3 }).await.unwrap()
    );
    assert_eq!(session.on("calc").run(Add { a: 2, b: 3 }).await.unwrap(), 5);
    for (how, expected) in [("fail", ErrorKind::Conflict), ("far too long", ErrorKind::InvalidArguments)] {
        let typed = session.run(end(how)).await.unwrap_err();
        let by_name = super::support::error(session.call("calc.end", json!({ "how": how })).await);
        assert_eq!((typed.kind(), by_name.kind()), (expected, expected));
        assert_eq!(typed.effect_on_provider(), by_name.effect_on_provider());
        let places = |e: &Error| e.problems().iter().map(|p| p.pointer.clone()).collect::<Vec<_>>();
        assert_eq!(places(&typed), places(&by_name));
    }
}

#[tokio::test]
async fn a_job_arrives_as_an_error_that_carries_it() {
    let hub = hub_of(Kit::new("calc").tool::<End>());
    let session = hub.session(ada());
    let became = session.run(end("task")).await.unwrap_err();
    assert_eq!((became.kind(), became.task().map(TaskId::as_str)), (ErrorKind::Task, Some("job-1")));
    let by_name = session.call("calc.end", json!({"how": "task"})).await.unwrap();
    assert!(matches!(by_name, ToolOutcome::Task(task) if task.as_str() == "job-1"));
}

#[tokio::test]
async fn an_approval_arrives_as_an_error_that_carries_it_and_can_be_presented() {
    let hub = quiet(&Arc::default())
        .connector(Kit::new("calc").tool::<End>())
        .configure(|s| s.policy = RolePolicy::new().always_approve("*").unwrap())
        .build()
        .unwrap();
    let session = hub.session(ada());
    let waits = session.run(end("now")).await.unwrap_err();
    assert_eq!(waits.kind(), ErrorKind::InputRequired);
    let id = approval(waits.input_required().unwrap());
    session.decide(&id, Decision::Approve).await.unwrap();
    let mut options = CallOptions::default();
    options.approval = Some(id);
    assert_eq!(session.run_with(end("now"), options).await.unwrap(), "now");
}

#[tokio::test]
async fn a_question_arrives_as_an_error_and_is_answered_in_the_options() {
    let hub = hub_of(Kit::new("calc").tool::<End>());
    let session = hub.session(ada());
    let asked = session.run(end("ask")).await.unwrap_err().into_input_required().unwrap();
    assert!(matches!(&asked.request, InputRequest::Elicit { question, .. } if question == "name"));
    assert!(asked.call.is_none());
    let mut options = CallOptions::default();
    options.answers = Some(Arc::new([("name".to_owned(), json!("Ada"))].into()));
    assert_eq!(session.run_with(end("ask"), options).await.unwrap(), "\"Ada\"");

    // By name the question carries the call.
    let asked = required(session.call("calc.end", json!({"how": "ask"})).await);
    assert_eq!(super::support::value(session.answer(asked, json!("Bob")).await), json!("\"Bob\""));
}

#[tokio::test]
async fn what_carries_no_call_cannot_be_resumed_and_what_asks_nothing_not_answered() {
    let hub = quiet(&Arc::default())
        .connector(Kit::new("calc").tool::<End>())
        .configure(|s| s.policy = RolePolicy::new().always_approve("*").unwrap())
        .build()
        .unwrap();
    let session = hub.session(ada());
    let mut asked = required(session.call("calc.end", json!({"how": "x"})).await);
    let other = required(session.call("calc.end", json!({"how": "x"})).await);
    assert_eq!(kind(session.answer(other, json!(1)).await), ErrorKind::InvalidArguments);
    asked.call = None;
    assert_eq!(kind(session.resume(asked).await), ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_type_at_several_instances_must_be_told_which() {
    let hub = quiet(&Arc::default())
        .connector(Kit::new("calc").tool::<Add>())
        .instance(Kit::new("calc").tool::<Add>(), InstanceOptions::new("calc_two").unwrap())
        .build()
        .unwrap();
    let session = hub.session(ada());
    let refused = session.run(Add { a: 1, b: 1 }).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AmbiguousInstance);
    assert_eq!(refused.public_message(), "Several instances offer this tool: calc, calc_two; name one.");
    assert_eq!(session.on("calc_two").run(Add { a: 1, b: 1 }).await.unwrap(), 2);
    assert_eq!(session.on("none").run(Add { a: 1, b: 1 }).await.unwrap_err().kind(), ErrorKind::UnknownTool);
    assert_eq!(session.run(end("x")).await.unwrap_err().kind(), ErrorKind::UnknownTool);
    let mut options = CallOptions::default();
    options.connection = Some(ConnectionId::new("unused").unwrap());
    assert_eq!(session.on("calc").run_with(Add { a: 1, b: 1 }, options).await.unwrap(), 2);
}
