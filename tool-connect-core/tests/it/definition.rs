//! What a derived tool says of itself.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tool_connect_core::{Annotations, Result, Run, Tool, ToolArgs, ToolContext, ToolSet, tool};

/// Creates an issue in a repository.
///
/// The caller becomes its author.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateIssue {
    /// Login of the owner.
    owner: String,
    body: Option<String>,
}

impl Run for CreateIssue {
    type Output = Issue;
    async fn run(self, _cx: &ToolContext) -> Result<Issue> {
        Ok(Issue { number: 1, labels: Vec::new() })
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Issue {
    number: u64,
    #[serde(default)]
    labels: Vec<String>,
}

/// # Everything at once
///
/// Says all that can be said.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(name = "everything", scopes("repo", "user"), destructive = false, idempotent, open_world = false)]
#[tool(version = "2.1.0", aliases("all", "the_lot"), timeout = "1m 30s", cost = 5, blocking)]
#[tool(deprecated = "use `something`", allow_unknown_fields)]
struct SaysItAll {}

impl Run for SaysItAll {
    type Output = ();
    async fn run(self, _cx: &ToolContext) -> Result<()> {
        Ok(())
    }
}

fn schema<T: Tool>() -> Value {
    T::definition().input.schema().unwrap().to_value()
}

#[test]
fn defaults_are_careful() {
    let definition = CreateIssue::definition();
    assert_eq!(definition.name, "create_issue");
    assert_eq!(definition.title, "Create issue");
    assert_eq!(definition.description, "Creates an issue in a repository.\n\nThe caller becomes its author.");
    assert_eq!(definition.annotations, Annotations::default());
    assert_eq!(definition.version, "1.0.0");
    assert_eq!(definition.cost, 1);
    assert!(definition.scopes.is_empty() && definition.aliases.is_empty());
    assert!(definition.timeout.is_none() && definition.cache.is_none());
    assert!(!definition.blocking && definition.deprecated.is_none());
}

#[test]
fn everything_that_was_said_is_there() {
    let definition = SaysItAll::definition();
    assert_eq!(definition.name, "everything");
    assert_eq!(definition.title, "Everything at once");
    assert_eq!(definition.description, "Says all that can be said.");
    let said = Annotations { read_only: false, destructive: false, idempotent: true, open_world: false };
    assert_eq!(definition.annotations, said);
    assert_eq!(definition.scopes, ["repo", "user"]);
    assert_eq!(definition.aliases, ["all", "the_lot"]);
    assert_eq!(definition.version, "2.1.0");
    assert_eq!(definition.timeout, Some(Duration::from_secs(90)));
    assert_eq!(definition.cost, 5);
    assert!(definition.blocking);
    assert_eq!(definition.deprecated.as_deref(), Some("use `something`"));
}

#[test]
fn reads_are_repeatable_and_may_be_cached() {
    /// Reads.
    #[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
    #[tool(read_only, cache = "60s", title = "Have a look")]
    #[serde(deny_unknown_fields)]
    struct Look {}

    impl Run for Look {
        type Output = ();
        async fn run(self, _cx: &ToolContext) -> Result<()> {
            Ok(())
        }
    }

    let definition = Look::definition();
    assert_eq!(definition.annotations, Annotations::READ);
    assert_eq!(definition.cache, Some(Duration::from_secs(60)));
    assert_eq!(definition.title, "Have a look");
}

#[test]
fn the_input_schema_is_what_is_accepted() {
    assert_eq!(
        schema::<CreateIssue>(),
        json!({
            "type": "object",
            "properties": {
                "owner": { "type": "string", "description": "Login of the owner." },
                "body": { "type": ["string", "null"] },
            },
            "required": ["owner"],
            "additionalProperties": false,
        })
    );
    assert_eq!(schema::<SaysItAll>(), json!({ "type": "object", "properties": {} }));
}

#[test]
fn the_output_schema_is_what_is_written() {
    let mut set = ToolSet::default();
    set.add::<CreateIssue>();
    let output = set.tools()[0].definition().output.clone().unwrap().schema().unwrap().to_value();
    // Reading would not require the labels; writing always gives them.
    assert_eq!(output["required"], json!(["number", "labels"]));
}

#[test]
fn unknown_fields_are_refused_unless_allowed() {
    let stray = json!({ "owner": "ann", "titel": "misspelt" });
    assert!(serde_json::from_value::<CreateIssue>(stray.clone()).is_err());
    assert!(serde_json::from_value::<SaysItAll>(stray).is_ok());
}

/// The other form of the same tool.
mod short {
    use super::*;

    #[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Args {
        /// Login of the owner.
        owner: String,
        body: Option<String>,
    }

    /// Creates an issue in a repository.
    ///
    /// The caller becomes its author.
    #[tool]
    pub(super) async fn create_issue(_cx: &ToolContext, args: Args) -> Result<Issue> {
        drop((args.owner, args.body));
        Ok(Issue { number: 1, labels: Vec::new() })
    }
}

#[test]
fn both_forms_say_the_same() {
    let (long, short) = (CreateIssue::definition(), short::CreateIssue::definition());
    assert_eq!(format!("{long:?}"), format!("{short:?}"));
    assert_eq!(schema::<CreateIssue>(), schema::<short::CreateIssue>());
}

/// Where another crate re-exports core.
mod framework {
    pub(crate) mod tools {
        pub(crate) use tool_connect_core::__private;
    }
}

#[test]
fn the_crate_can_be_named() {
    /// Found elsewhere.
    #[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
    #[tool(crate = crate::definition::framework::tools)]
    #[serde(deny_unknown_fields)]
    struct Elsewhere {
        #[tool(unchecked)]
        part: Part,
    }

    #[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
    #[tool(crate = "crate::definition::framework::tools")]
    #[serde(deny_unknown_fields)]
    struct Part {}

    impl Run for Elsewhere {
        type Output = ();
        async fn run(self, _cx: &ToolContext) -> Result<()> {
            Ok(())
        }
    }

    /// Found elsewhere too.
    #[tool(crate = crate::definition::framework::tools)]
    async fn elsewhere_again(_cx: &ToolContext) -> Result<()> {
        Ok(())
    }

    assert_eq!(Elsewhere::definition().name, "elsewhere");
    assert_eq!(ElsewhereAgain::definition().name, "elsewhere_again");
}
