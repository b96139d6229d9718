//! `list_tables`: what there is to ask for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Error, Result, Run, Tool, ToolContext};

use super::access::Access;

/// Lists the tables and views of the database, by schema and name. Start here, then look at one with `describe_table`.
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(name = "list_tables", state = Access, read_only, open_world = false)]
#[serde(deny_unknown_fields)]
pub struct ListTables {
    /// Only of this schema; of all that the account can see where it is left out.
    #[serde(default)]
    #[schemars(length(min = 1, max = 128))]
    pub schema: Option<String>,
    /// Only those whose name contains this text, in any case.
    #[serde(default)]
    #[schemars(length(min = 1, max = 128))]
    pub name_contains: Option<String>,
    /// How many to return.
    #[serde(default = "limit")]
    #[schemars(range(min = 1, max = 1000))]
    pub limit: u32,
    /// Where to go on: `next_cursor` of the answer before, with the other arguments unchanged.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub cursor: Option<String>,
}

fn limit() -> u32 {
    200
}

/// Tables and views.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tables {
    /// In the order of schema and name.
    pub tables: Vec<TableName>,
    /// Where to go on, if there are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A table or view.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct TableName {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: TableKind,
    /// About how many rows it has, where the database keeps an estimate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<i64>,
    /// What its author says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// What a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TableKind {
    /// A table.
    Table,
    /// A view.
    View,
    /// A view that is kept as a table.
    MaterializedView,
    /// A table that another server holds.
    ForeignTable,
    /// A virtual table: a full-text index, say.
    Virtual,
}

impl Run<Access> for ListTables {
    type Output = Tables;

    async fn run(self, cx: &ToolContext<Access>) -> Result<Tables> {
        let from: usize = match &self.cursor {
            None => 0,
            Some(cursor) => cursor.parse().map_err(|_| {
                Error::invalid_argument("/cursor", "must be `next_cursor` of an earlier answer, unchanged")
            })?,
        };
        let mut tables = cx.state()?.tables(cx, self.schema).await?;
        if let Some(part) = self.name_contains.map(|part| part.to_lowercase()) {
            tables.retain(|table| table.name.to_lowercase().contains(&part));
        }
        tables.sort();
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let end = from.saturating_add(limit);
        let next_cursor = (end < tables.len()).then(|| end.to_string());
        Ok(Tables { tables: tables.into_iter().skip(from).take(limit).collect(), next_cursor })
    }
}
