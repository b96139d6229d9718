//! `execute` and `change_schema`: one statement that changes something, where the host allows it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tool_connect_core::{Effect, Result, Retry, Run, Tool, ToolContext};

use super::access::{Access, Mode, Statement};
use super::collect::Column;
use super::query::limit;

/// Runs one SQL statement that inserts, updates or deletes rows, as a whole or not at all. Values go into `parameters`, not into the
/// text.
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(name = "execute", state = Access, destructive, open_world = false)]
#[serde(deny_unknown_fields)]
pub struct Execute {
    /// One statement in the database's own dialect, with placeholders for values: `$1`, `$2` (Postgres), `?1`, `?2` (SQLite). It may end
    /// with RETURNING.
    #[schemars(length(min = 1, max = 100_000))]
    pub sql: String,
    /// Values of the placeholders, in order, as in `query`.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub parameters: Vec<Value>,
}

/// Runs one SQL statement that changes the schema: creates, alters or drops a table, an index, a view.
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(name = "change_schema", state = Access, destructive, open_world = false)]
#[serde(deny_unknown_fields)]
pub struct ChangeSchema {
    /// One statement in the database's own dialect.
    #[schemars(length(min = 1, max = 100_000))]
    pub sql: String,
}

/// What a statement changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Executed {
    /// How many rows were changed; missing where the database does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_affected: Option<u64>,
    /// The columns of RETURNING.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    /// The rows of RETURNING, as far as the caps allow; all were changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<Vec<Value>>,
}

impl Run<Access> for Execute {
    type Output = Executed;

    async fn run(self, cx: &ToolContext<Access>) -> Result<Executed> {
        change(cx, self.sql, self.parameters, Mode::Rows).await
    }
}

impl Run<Access> for ChangeSchema {
    type Output = Executed;

    async fn run(self, cx: &ToolContext<Access>) -> Result<Executed> {
        change(cx, self.sql, Vec::new(), Mode::Schema).await
    }
}

async fn change(
    cx: &ToolContext<Access>,
    sql: String,
    parameters: Vec<Value>,
    mode: Mode,
) -> Result<Executed> {
    let access = cx.state()?;
    let limits = access.limits();
    let statement = Statement { sql, parameters, rows: limit().min(limits.rows), mode };
    let mut table = access.run(cx, statement).await?;
    let columns = std::mem::take(&mut table.columns);
    let rows_affected = table.affected;
    // The statement is committed: nothing may ask for a second one.
    let (rows, _) = table.into_rows(cx, limits).await.map_err(|error| {
        error.effect(Effect::Unknown).retry(Retry::Never).public(
            "The statement was done, but a value that it returned could not be kept; do not run it again.",
        )
    })?;
    Ok(Executed { rows_affected, columns, rows })
}
