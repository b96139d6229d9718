//! Tools written by a `macro_rules!`, which hands on its parts in invisible parentheses.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Problems, Result, Run, Tool, ToolArgs, ToolContext, tool};

macro_rules! reads {
    ($($(#[$doc:meta])* $name:literal $tool:ident($number:ty, $max:literal, $pattern:literal) -> $output:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
        #[tool(name = $name, read_only, state = $number, timeout = "1s")]
        #[serde(deny_unknown_fields)]
        struct $tool {
            #[schemars(range(max = $max))]
            #[serde(rename = $name)]
            number: $number,
            #[schemars(regex(pattern = $pattern))]
            text: Option<String>,
        }

        impl Run<$number> for $tool {
            type Output = $output;
            async fn run(self, _cx: &ToolContext<$number>) -> Result<$output> {
                Ok(<$output>::default())
            }
        }
    )*};
}

reads! {
    /// Reads a float.
    "read_float" ReadFloat(f64, 1, "^[a-z]+$") -> String;
    /// Reads an integer.
    "read_integer" ReadInteger(u8, 9, "[a-z]") -> u8;
}

macro_rules! function {
    ($doc:literal, $function:ident, $state:ty, $args:ty, $output:ty) => {
        #[doc = $doc]
        #[tool]
        async fn $function(_cx: &ToolContext<$state>, args: $args) -> Result<$output> {
            Ok(args.text)
        }
    };
}

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Args {
    text: String,
}

function!("Made by a macro.", made, u8, Args, String);

/// Fields, with their constraints, come from where the macro is used; the derive from the macro itself.
macro_rules! with_fields {
    ($tool:ident { $($(#[$attribute:meta])* $field:ident: $kind:ty,)* }) => {
        /// Takes what it is given.
        #[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        struct $tool { $($(#[$attribute])* $field: $kind,)* }

        impl Run for $tool {
            type Output = ();
            async fn run(self, _cx: &ToolContext) -> Result<()> {
                Ok(())
            }
        }
    };
}

with_fields!(Handed {
    /// A name.
    #[schemars(length(max = 3), regex(pattern = "^[a-z]+$"))]
    name: String,
    /// An address.
    #[schemars(email)]
    email: String,
    /// Tags.
    #[schemars(length(max = 1), inner(length(min = 2)))]
    tags: Vec<String>,
    /// A share.
    #[schemars(range(min = 0, max = 1))]
    share: Option<f64>,
});

#[test]
fn constraints_that_a_macro_was_handed_are_checked() {
    let text = r#"{ "name": "Adam", "email": "a", "tags": ["ab", "c"], "share": 2 }"#;
    let tool: Handed = serde_json::from_str(text).unwrap();
    let mut problems = Problems::default();
    tool.check(&mut problems);
    let places: Vec<_> = problems.into_vec().into_iter().map(|p| p.pointer).collect();
    assert_eq!(places, ["/name", "/name", "/email", "/tags", "/tags/1", "/share"]);
}

#[test]
fn parts_from_a_macro_are_read() {
    let definition = ReadFloat::definition();
    assert_eq!(definition.name, "read_float");
    assert_eq!(definition.description, "Reads a float.");
    assert_eq!(ReadInteger::definition().name, "read_integer");
    assert_eq!(Made::definition().description, "Made by a macro.");

    let tool: ReadFloat = serde_json::from_str(r#"{ "read_float": 1.5, "text": "A" }"#).unwrap();
    let mut problems = Problems::default();
    tool.check(&mut problems);
    let found: Vec<_> = problems.into_vec().into_iter().map(|p| (p.pointer, p.rule)).collect();
    assert_eq!(found, [("/read_float".into(), "maximum".into()), ("/text".into(), "pattern".into())]);
}
