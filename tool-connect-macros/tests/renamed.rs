//! Generated code finds core under the name that the package gave it.

use renamed_core::{Pointer, Problems, Result, Run, Tool, ToolArgs, ToolContext, tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Finds things.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Find {
    query: Query,
}

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Query {
    #[schemars(length(min = 1), regex(pattern = "^[a-z ]+$"))]
    text: String,
}

impl Run for Find {
    type Output = String;
    async fn run(self, _cx: &ToolContext) -> Result<String> {
        Ok(self.query.text)
    }
}

/// Finds things as well.
#[tool]
async fn find_again(_cx: &ToolContext, query: Query) -> Result<String> {
    Ok(query.text)
}

/// Not there at all: neither is what belongs to it.
#[tool]
#[cfg(any())]
async fn never(_cx: &Nowhere) -> Result<()> {
    Ok(())
}

#[test]
fn a_renamed_dependency_is_found() {
    assert_eq!(Find::definition().name, "find");
    assert_eq!(FindAgain::definition().name, "find_again");
    let find: Find = serde_json::from_value(json!({ "query": { "text": "?" } })).unwrap();
    let mut problems = Problems::default();
    find.check_at(&Pointer::root(), &mut problems);
    assert_eq!(problems.into_vec()[0].pointer, "/query/text");
}
