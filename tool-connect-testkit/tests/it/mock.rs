//! The mock hub: answers as told, refuses as the real one.

use serde_json::{Value, json};
use tool_connect_core::store::{Grant, Subject, ToolPattern};
use tool_connect_core::{Error, ErrorKind, Principal, Result, Served, ToolCall};
use tool_connect_hub::{Hub, ListRequest, Session};
use tool_connect_testkit::MockHub;

use crate::stub::{Stub, tool};

fn ada(hub: &Hub) -> Session {
    hub.session(Principal::user("acme", "ada").unwrap())
}

async fn value(session: &Session, tool: &str, arguments: Value) -> Result<Value> {
    session.call(tool, arguments).await?.into_output()?.parse()
}

#[tokio::test]
async fn it_answers_and_remembers() {
    let mock = MockHub::new()
        .on("github.create_issue", |args| Ok(json!({ "title": args["title"], "number": 7 })))
        .on_read("github.get_issue", |_| Err(Error::new(ErrorKind::NotFound, "no such issue")))
        .on("slack.send", |_| Ok(json!("sent")));
    let hub = mock.build().unwrap();
    let session = ada(&hub);

    let made = value(&session, "github.create_issue", json!({ "title": "Broken" })).await.unwrap();
    assert_eq!(made, json!({ "title": "Broken", "number": 7 }));
    let missing = value(&session, "github.get_issue", json!({})).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let unknown = value(&session, "github.close_issue", json!({})).await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::UnknownTool);

    let tools: Vec<_> = mock.calls().iter().map(|call| call.tool.to_string()).collect();
    assert_eq!(tools, ["github.create_issue", "github.get_issue"], "what was refused before is no call");
    let call = &mock.calls_of("github.create_issue")[0];
    assert_eq!((call.principal.user.as_str(), &call.arguments), ("ada", &json!({ "title": "Broken" })));
    assert_eq!(mock.calls_of("slack.send"), []);
}

#[tokio::test]
async fn refusals_are_the_real_ones() {
    let mock = MockHub::new().on("files.wipe", |_| Ok(json!(1))).on_read("files.look", |_| Ok(json!(2)));
    let hub = mock.build().unwrap();
    let bot = Principal::user("acme", "ada").unwrap().acting_through("bot").unwrap();
    let session = hub.session(bot.clone());

    let denied = value(&session, "files.look", json!({})).await.unwrap_err();
    assert_eq!(denied.kind(), ErrorKind::Denied, "an agent may do nothing without a grant");
    let grant = Grant {
        tenant: bot.tenant.clone(),
        subject: Subject::Agent("bot".try_into().unwrap()),
        tools: ToolPattern::new("files.*").unwrap(),
        connection: None,
        expires: None,
    };
    hub.grant(grant).await.unwrap();
    assert_eq!(value(&session, "files.look", json!({})).await.unwrap(), 2);
    let waiting = value(&session, "files.wipe", json!({})).await.unwrap_err();
    assert!(waiting.input_required().is_some(), "what may destroy needs a person");
    let wrong = value(&session, "files.look", json!([])).await.unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::InvalidArguments);
    assert_eq!(mock.calls().len(), 1);
}

#[tokio::test]
async fn a_key_is_answered_once() {
    let mock = MockHub::new().on("shop.order", |_| Ok(json!({ "order": 1 })));
    let session = ada(&mock.build().unwrap());
    let call = || session.execute(ToolCall::new("shop.order", "{}").idempotency_key("o-1"));
    let mut served = Vec::new();
    for _ in 0..2 {
        served.push(call().await.unwrap().into_output().unwrap().served);
    }
    assert_eq!(served, [Served::Fresh, Served::Replay]);
    let calls = mock.calls();
    assert_eq!((calls.len(), calls[0].idempotency_key.as_deref()), (1, Some("o-1")));
}

#[tokio::test]
async fn it_stands_in_for_a_connector_with_its_definitions() {
    let things = Stub::new([tool("keep").aliases(["hold"]), tool("drop_all")]);
    let mock = MockHub::new().stand_in("things", &things).on("things.keep", |args| Ok(args["id"].clone()));
    let session = ada(&mock.build().unwrap());

    let listed = session.tools(&ListRequest::default()).await.unwrap().tools;
    assert_eq!(listed.len(), 2);
    assert_eq!(value(&session, "things.hold", json!({ "id": "a" })).await.unwrap(), "a", "aliases work");
    let error = value(&session, "things.keep", json!({ "id": 7 })).await.unwrap_err();
    assert_eq!(error.problems()[0].pointer, "/id", "its own schema is kept to");
    let error = value(&session, "things.drop_all", json!({ "id": "a" })).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Unsupported && error.message().contains("MockHub::on"), "{error}");
}

#[tokio::test]
async fn settings_of_the_test_are_taken() {
    let mock = MockHub::new().on("shop.order", |_| Ok(json!(1)));
    let hub = mock.build_with(|builder| builder.configure(|s| s.max_argument_bytes = 4)).unwrap();
    let error = value(&ada(&hub), "shop.order", json!({ "long": true })).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[test]
fn a_malformed_id_is_told() {
    for id in ["order", "Shop.order", "shop."] {
        let error = MockHub::new().on(id, |_| Ok(json!(1))).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{id}");
    }
}

mod typed {
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use tool_connect_core::{Run, Tool, ToolContext};

    use super::*;

    /// Doubles a number.
    #[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
    #[tool(read_only)]
    #[serde(deny_unknown_fields)]
    struct Double {
        /// The number.
        #[schemars(range(max = 100))]
        number: u32,
    }

    impl Run for Double {
        type Output = u32;
        async fn run(self, _cx: &ToolContext) -> Result<u32> {
            panic!("a mocked tool's own body must not run")
        }
    }

    #[tokio::test]
    async fn a_typed_tool_is_mocked_by_type_and_by_name() {
        let mock = MockHub::new().like::<Double>("maths", |double| Ok(double.number + 1));
        let session = ada(&mock.build().unwrap());

        assert_eq!(session.run(Double { number: 1 }).await.unwrap(), 2);
        assert_eq!(value(&session, "maths.double", json!({ "number": 2 })).await.unwrap(), 3);
        let refused = session.run(Double { number: 101 }).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidArguments, "the tool's own check stands");

        let seen: Vec<_> = mock.calls().into_iter().map(|call| call.arguments).collect();
        assert_eq!(seen, [json!({ "number": 1 }), json!({ "number": 2 })]);
    }
}
