//! `query`: one statement that reads.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tool_connect_core::{Result, Run, Tool, ToolContext};

use super::access::{Access, Mode, Statement};
use super::collect::{Column, StoppedBy};

/// Runs one SQL statement that reads, and returns its rows. Values go into `parameters`, not into the text. Ask for the columns and
/// rows that are needed: a result is cut at a number of rows and bytes.
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(name = "query", state = Access, read_only, open_world = false)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// One statement in the database's own dialect, with placeholders for values: `$1`, `$2` (Postgres), `?1`, `?2` (SQLite).
    #[schemars(length(min = 1, max = 100_000))]
    pub sql: String,
    /// Values of the placeholders, in order: null, boolean, number, text, or bytes as `{"base64": ".."}`; for Postgres also arrays,
    /// and JSON for columns of JSON.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub parameters: Vec<Value>,
    /// How many rows to return at most.
    #[serde(default = "limit")]
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: u32,
}

pub(super) fn limit() -> u32 {
    100
}

/// Rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rows {
    /// The columns, in their order.
    pub columns: Vec<Column>,
    /// The rows; each has a value per column. Numbers that JSON cannot hold exactly, times and intervals come as text, bytes as
    /// `{"base64": ".."}`, and a value that is too large as `{"file": ..}` with a handle.
    pub rows: Vec<Vec<Value>>,
    /// Which cap cut the result, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<StoppedBy>,
}

impl Run<Access> for Query {
    type Output = Rows;

    async fn run(self, cx: &ToolContext<Access>) -> Result<Rows> {
        let access = cx.state()?;
        let limits = access.limits();
        let statement = Statement {
            sql: self.sql,
            parameters: self.parameters,
            rows: self.limit.min(limits.rows),
            mode: Mode::Read,
        };
        let mut table = access.run(cx, statement).await?;
        let columns = std::mem::take(&mut table.columns);
        let (rows, stopped_by) = table.into_rows(cx, limits).await?;
        Ok(Rows { columns, rows, stopped_by })
    }
}
