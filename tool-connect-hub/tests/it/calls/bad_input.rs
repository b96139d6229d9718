//! Whatever comes in, the answer is typed, names what to change, and repeats no value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tool_connect_core::{
    Annotations, Arguments, DynamicTool, Effect, Error, ErrorKind, Result, Run, Tool, ToolArgs, ToolContext,
    ToolOutput,
};

use super::support::{Kit, Runs, ada, definition, error, hub_of, kind, quiet, text_schema, value};

/// Create an issue.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Create {
    /// Where.
    repo: String,
    /// What.
    #[schemars(length(min = 1, max = 5))]
    title: String,
    /// How urgent.
    #[schemars(range(min = 1, max = 3))]
    priority: u8,
    /// Its labels.
    #[serde(default)]
    labels: Vec<Label>,
}

/// A label.
#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Label {
    /// Its name.
    name: String,
}

impl Run for Create {
    type Output = String;
    async fn run(self, _cx: &ToolContext) -> Result<String> {
        Ok(format!("{}:{}:{}:{}", self.repo, self.title, self.priority, self.labels.len()))
    }
}

/// The same schema, known only at run time.
fn dynamic(runs: &Runs) -> DynamicTool {
    let runs = runs.clone();
    let mut definition = definition("create_too", Annotations::default());
    definition.input = text_schema(&json!({
        "type": "object",
        "properties": {
            "repo": {"type": "string"},
            "title": {"type": "string", "minLength": 1, "maxLength": 5},
            "priority": {"type": "integer", "minimum": 1, "maximum": 3},
            "labels": {"type": "array", "items": {
                "type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"],
                "additionalProperties": false,
            }},
        },
        "required": ["repo", "title", "priority"],
        "additionalProperties": false,
    }));
    DynamicTool::new(definition, move |_, _| {
        runs.add();
        async { ToolOutput::of(&0) }
    })
}

/// What is wrong with these arguments: (pointer, rule), for the typed tool and the dynamic one alike.
async fn problems(arguments: impl Into<Arguments>) -> Vec<(String, String)> {
    let (arguments, runs) = (arguments.into(), Runs::default());
    let hub = hub_of(Kit::new("gh").tool::<Create>().dynamic(dynamic(&runs)));
    let session = hub.session(ada());
    let mut found = Vec::new();
    for tool in ["gh.create", "gh.create_too"] {
        let refused = error(session.call(tool, arguments.clone()).await);
        assert_eq!(refused.kind(), ErrorKind::InvalidArguments, "{refused}");
        assert_eq!(refused.effect_on_provider(), Effect::NotExecuted);
        silent(&refused);
        let mut places: Vec<_> =
            refused.problems().iter().map(|p| (p.pointer.clone(), p.rule.to_string())).collect();
        places.sort();
        found.push(places);
    }
    assert_eq!(runs.count(), 0);
    let by_schema = found.pop().unwrap();
    assert_eq!(found.pop().unwrap(), by_schema);
    by_schema
}

/// Values that tests put into arguments and that must not come out again.
const VALUES: [&str; 3] = ["hunter2", "271828", "tetrachromacy"];

fn silent(error: &Error) {
    let mut texts = vec![error.to_string(), format!("{error:?}"), error.public_message().into_owned()];
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        texts.push(cause.to_string());
        source = cause.source();
    }
    for text in texts {
        for value in VALUES {
            assert!(!text.contains(value), "{text}");
        }
    }
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[tokio::test]
async fn a_wrong_type_and_a_missing_field_are_named_by_their_own_place() {
    let found = problems(json!({"repo": "r", "title": 271_828, "priority": 1})).await;
    assert_eq!(found, pairs(&[("/title", "type")]));
    let found = problems(json!({"repo": "r", "priority": 1})).await;
    assert_eq!(found, pairs(&[("/title", "required")]));
    let found =
        problems(json!({"repo": "r", "title": "t", "priority": 1, "labels": [{"name": "a"}, {}]})).await;
    assert_eq!(found, pairs(&[("/labels/1/name", "required")]));
}

#[tokio::test]
async fn a_field_that_is_too_much_is_named_and_its_value_is_not() {
    let found = problems(json!({"repo": "r", "title": "t", "priority": 1, "a/b~c": "hunter2"})).await;
    assert_eq!(found, pairs(&[("/a~1b~0c", "additionalProperties")]));
}

#[tokio::test]
async fn what_is_out_of_range_is_named_by_its_rule() {
    let found = problems(json!({"repo": "r", "title": "tetrachromacy", "priority": 0})).await;
    assert_eq!(found, pairs(&[("/priority", "minimum"), ("/title", "maxLength")]));
    let found = problems(json!({"repo": "r", "title": "t", "priority": 271_828})).await;
    assert_eq!(found, pairs(&[("/priority", "maximum")]));
}

#[tokio::test]
async fn every_problem_is_named_at_once_for_a_model_to_read() {
    let arguments =
        json!({"title": 271_828, "priority": "hunter2", "labels": [{"name": 1}], "extra": "tetrachromacy"});
    let found = problems(arguments.clone()).await;
    let expected = [
        ("/extra", "additionalProperties"),
        ("/labels/0/name", "type"),
        ("/priority", "type"),
        ("/repo", "required"),
        ("/title", "type"),
    ];
    assert_eq!(found, pairs(&expected));
    let hub = hub_of(Kit::new("gh").tool::<Create>());
    let text = error(hub.session(ada()).call("gh.create", arguments).await).public_message().into_owned();
    for line in ["- /repo: is required and missing", "- /extra: is not a known field; remove it"] {
        assert!(text.contains(line), "{text}");
    }
}

#[tokio::test]
async fn arguments_that_are_no_object_are_refused() {
    for text in ["[]", "1", "\"hunter2\"", "true", "null"] {
        let hub = hub_of(Kit::new("gh").tool::<Create>().dynamic(dynamic(&Runs::default())));
        for tool in ["gh.create", "gh.create_too"] {
            let refused = error(hub.session(ada()).call(tool, text).await);
            assert_eq!(refused.kind(), ErrorKind::InvalidArguments, "{text}");
            silent(&refused);
            assert_eq!(refused.problems()[0].pointer, "", "{refused}");
        }
    }
}

#[tokio::test]
async fn text_that_is_not_json_or_not_text_is_refused() {
    let cut = br#"{"repo":"hunter2"#.to_vec();
    let not_a_number = br#"{"repo":"r","title":"t","priority":NaN}"#.to_vec();
    let infinite = br#"{"repo":"r","title":"t","priority":1e999}"#.to_vec();
    let twice = br#"{"repo":"r","title":"t","priority":1} {"hunter2":1}"#.to_vec();
    let latin = b"{\"repo\":\"\xe9\",\"title\":\"t\",\"priority\":1}".to_vec();
    let surrogate = br#"{"repo":"\ud800","title":"t","priority":1}"#.to_vec();
    let zero = b"\0".to_vec();
    for text in [cut, not_a_number, infinite, twice, latin, surrogate, zero] {
        let hub = hub_of(Kit::new("gh").tool::<Create>().dynamic(dynamic(&Runs::default())));
        for tool in ["gh.create", "gh.create_too"] {
            let refused = error(hub.session(ada()).call(tool, text.clone()).await);
            assert_eq!(refused.kind(), ErrorKind::InvalidArguments, "{text:?}");
            assert!(!refused.problems().is_empty(), "{refused}");
            silent(&refused);
        }
    }
}

#[tokio::test]
async fn a_key_given_twice_is_refused_by_a_typed_tool() {
    let hub = hub_of(Kit::new("gh").tool::<Create>());
    let twice = r#"{"repo":"r","title":"t","priority":1,"priority":2}"#;
    assert_eq!(kind(hub.session(ada()).call("gh.create", twice).await), ErrorKind::InvalidArguments);
}

#[tokio::test]
async fn deep_nesting_is_refused_and_not_followed() {
    let deep = |open: &str, close: &str| {
        format!(
            r#"{{"repo":"r","title":"t","priority":1,"labels":{}{}}}"#,
            open.repeat(10_000),
            close.repeat(10_000)
        )
    };
    for text in [deep("[", "]"), deep(r#"{"a":"#, "}"), "[".repeat(100_000), r#"{"a":"#.repeat(100_000)] {
        let hub = hub_of(Kit::new("gh").tool::<Create>().dynamic(dynamic(&Runs::default())));
        for tool in ["gh.create", "gh.create_too"] {
            assert_eq!(kind(hub.session(ada()).call(tool, text.clone()).await), ErrorKind::InvalidArguments);
        }
    }
}

#[tokio::test]
async fn more_than_the_cap_is_refused_unread() {
    let hub = quiet(&std::sync::Arc::default())
        .connector(Kit::new("gh").tool::<Create>())
        .configure(|s| s.max_argument_bytes = 64)
        .build()
        .unwrap();
    let session = hub.session(ada());
    let fits = format!(r#"{{"repo":"{}","title":"t","priority":1}}"#, "r".repeat(64 - 36));
    assert_eq!(fits.len(), 64);
    session.call("gh.create", fits.clone()).await.unwrap();
    let refused = error(session.call("gh.create", format!("{fits} ")).await);
    assert_eq!((refused.kind(), refused.effect_on_provider()), (ErrorKind::TooLarge, Effect::NotExecuted));
    assert!(refused.message().contains("64 bytes"));
}

#[tokio::test]
async fn a_list_of_problems_ends() {
    let labels: Vec<Value> = (0..500).map(|_| json!({})).collect();
    let found = problems(json!({"repo": "r", "title": "t", "priority": 1, "labels": labels})).await;
    assert_eq!(found.len(), 20);
}

#[tokio::test]
async fn no_arguments_at_all_are_an_empty_object() {
    let tool = super::support::read("get", |arguments, _| async move { ToolOutput::of(&arguments) });
    let hub = hub_of(Kit::new("gh").dynamic(tool).tool::<Create>());
    let session = hub.session(ada());
    assert_eq!(value(session.call("gh.get", "").await), json!({}));
    let refused = error(session.call("gh.create", "").await);
    assert_eq!(refused.problems().len(), 3, "{refused}");
}

#[tokio::test]
async fn an_unknown_tool_is_named_shortly_and_harmlessly() {
    let hub = hub_of(Kit::new("gh").tool::<Create>());
    let session = hub.session(ada());
    let near = error(session.call("gh.craete", "{}").await);
    assert_eq!((near.kind(), near.effect_on_provider()), (ErrorKind::UnknownTool, Effect::NotExecuted));
    assert_eq!(near.public_message(), "There is no such tool; did you mean `gh.create`?");
    let far = error(session.call("something.else", "{}").await);
    assert_eq!(far.public_message(), "There is no such tool.");
    let hostile = format!("\u{1b}[31m.{}", "x".repeat(10_000));
    let shown = error(session.call(&hostile, "{}").await).to_string();
    assert!(shown.len() < 300 && !shown.contains('\u{1b}'), "{shown}");
    for name in ["", ".", "__", "gh.", ".create", "gh__", "gh.create.more", "gh..create", "GH.create"] {
        assert_eq!(kind(session.call(name, "{}").await), ErrorKind::UnknownTool, "{name}");
    }
}
