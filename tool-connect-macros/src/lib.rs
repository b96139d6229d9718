//! Derive macros of tool-connect, re-exported by `tool-connect` and `tool-connect-core`.
//!
//! - [`Tool`](macro@Tool): the argument struct is the tool. The main form.
//! - [`macro@tool`]: the same for an async function.
//! - [`ToolArgs`](macro@ToolArgs): what stands inside a tool's arguments, or is taken by a function.
//!
//! Generated code finds its crate by the package's own dependencies, also where one was renamed;
//! `tool-connect-core` goes before `tool-connect` where both are there. `#[tool(crate = path)]` says
//! it outright.

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

mod args;
mod attrs;
mod constraint;
mod definition;
mod derive;
mod docs;
mod errors;
mod fragments;
mod function;
mod krate;
mod names;
mod pattern;
mod serde_attrs;

/// Makes a tool of an argument struct that implements `Run`.
///
/// ```
/// # use renamed_core as tool_connect_core;
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
/// use tool_connect_core::{Result, Run, Tool, ToolContext};
///
/// /// Lists the open issues of a repository, newest first.
/// #[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
/// #[tool(read_only, scopes("repo"), timeout = "30s")]
/// #[serde(deny_unknown_fields)]
/// pub struct ListIssues {
///     /// Login of the owner.
///     #[schemars(length(min = 1, max = 39), regex(pattern = "^[A-Za-z0-9-]+$"))]
///     owner: String,
///     /// Name of the repository.
///     repo: String,
///     /// How many at most.
///     #[schemars(range(min = 1, max = 100))]
///     limit: Option<u32>,
/// }
///
/// impl Run for ListIssues {
///     type Output = Vec<String>;
///     async fn run(self, _cx: &ToolContext) -> Result<Vec<String>> {
///         Ok(vec![format!("an issue of {}/{}", self.owner, self.repo)])
///     }
/// }
///
/// let definition = ListIssues::definition();
/// assert_eq!(definition.name, "list_issues");
/// assert_eq!(definition.title, "List issues");
/// assert_eq!(definition.description, "Lists the open issues of a repository, newest first.");
/// ```
///
/// The name is that of the struct in snake case, the description its doc comment, the description
/// of a field the field's; a doc comment that begins with a heading (`/// # Open issues`) gives the
/// title.
///
/// # `#[tool(..)]` on the struct
///
/// | item | means |
/// | --- | --- |
/// | `name = "list_issues"` | local name: `[a-z][a-z0-9_]*`, no `__`, no `_` at the end, at most 48 bytes |
/// | `title = "List issues"` | title for people |
/// | `read_only` | changes nothing; may be repeated and cached |
/// | `destructive = false` | a write that neither destroys nor overwrites; writes are destructive by default |
/// | `idempotent` | a write that can be repeated without further effect |
/// | `open_world = false` | touches nothing outside the host |
/// | `scopes("user", "public_repo\|repo")` | what the connection must have been granted; of alternatives one |
/// | `version = "1.2.0"` | semantic version of the definition; 1.0.0 by default |
/// | `aliases("get_issues")` | former names, which go on working |
/// | `timeout = "30s"` | time-out of a call |
/// | `cost = 5` | what a call takes from each limit; 1 by default |
/// | `cache = "60s"` | how long a read may be served again to the same principal |
/// | `blocking` | runs where it may block its thread |
/// | `deprecated = "use `find_issues`"` | why not to use it any more |
/// | `state = Root` | the instance's state that it needs; implement `Run<Root>` |
/// | `allow_unknown_fields` | arguments that are not known are ignored instead of refused |
/// | `crate = path` | where `tool-connect` or `tool-connect-core` is, if not among the dependencies |
///
/// # Constraints
///
/// What the type of a field cannot say is said once, in schemars's words, and both written into the
/// schema and checked in Rust before the tool runs: `range(min, max, equal)` of a number,
/// `length(min, max, equal)` of a text (in Unicode scalar values) or a list, `regex(pattern = "..")`,
/// the formats `email`, `url`, `ip`, `ipv4`, `ipv6`, and `inner(..)` around any of them for the items
/// of a list. An absent `Option` is not checked. `#[validate(..)]` is read for the same words.
/// Constraints that schemars would write and nothing would check are refused; what `with` and
/// `schema_with` put into the schema is the author's to check.
///
/// The type of each field implements `ToolArgs`: nested types derive it with
/// [`#[derive(ToolArgs)]`](macro@ToolArgs), so that no constraint is lost on the way down. A type of
/// another crate is let through with `#[tool(unchecked)]` on the field.
#[proc_macro_derive(Tool, attributes(tool, serde, schemars, validate))]
pub fn derive_tool(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    derive::expand(&input).unwrap_or_else(|error| error.into_compile_error()).into()
}

/// Lets a type stand in a tool's arguments, and checks its constraints there.
///
/// Structs and enums of any shape can have it, in every way that serde can tag them. The constraints
/// are those of [`#[derive(Tool)]`](macro@Tool), and so is the rule that unknown fields are refused
/// unless `#[tool(allow_unknown_fields)]` says otherwise.
///
/// ```
/// # use renamed_core as tool_connect_core;
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
/// use tool_connect_core::{Pointer, Problems, ToolArgs};
///
/// #[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct Label {
///     /// Six hexadecimal digits.
///     #[schemars(regex(pattern = "^[0-9a-f]{6}$"))]
///     colour: String,
/// }
///
/// let labels = vec![Label { colour: "ff0000".into() }, Label { colour: "red".into() }];
/// let mut problems = Problems::default();
/// labels.check_at(&Pointer::root().field("labels"), &mut problems);
/// assert_eq!(problems.into_vec()[0].pointer, "/labels/1/colour");
/// ```
#[proc_macro_derive(ToolArgs, attributes(tool, serde, schemars, validate))]
pub fn derive_tool_args(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    args::expand(&input).unwrap_or_else(|error| error.into_compile_error()).into()
}

/// Makes a tool of an async function: the short form of [`#[derive(Tool)]`](macro@Tool).
///
/// The function takes the context and one argument struct that derives
/// [`ToolArgs`](macro@ToolArgs), or the context alone. It stays what it is and can be called as
/// before. Beside it stands the tool, a type named like the function in Pascal case that wraps the
/// arguments.
///
/// ```
/// # use renamed_core as tool_connect_core;
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
/// use tool_connect_core::{Result, Tool, ToolArgs, ToolContext, ToolSet, tool};
///
/// #[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// pub struct EchoArgs {
///     /// What to say.
///     #[schemars(length(max = 1000))]
///     text: String,
/// }
///
/// /// Says the same again.
/// #[tool(read_only, open_world = false)]
/// pub async fn echo(_cx: &ToolContext, args: EchoArgs) -> Result<String> {
///     Ok(args.text)
/// }
///
/// let mut set = ToolSet::default();
/// set.add::<Echo>();
/// assert_eq!(Echo::definition().name, "echo");
/// let _call = Echo(EchoArgs { text: "hello".into() });
/// ```
///
/// The items of `#[tool(..)]` are those of the derive but for two: the state is that of the context
/// (`cx: &ToolContext<Root>`), and `allow_unknown_fields` belongs on the argument struct.
#[proc_macro_attribute]
pub fn tool(args: TokenStream, item: TokenStream) -> TokenStream {
    function::expand(args.into(), item.into()).into()
}
