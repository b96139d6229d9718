//! `describe_table`: what a table is made of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Result, Run, Tool, ToolContext};

use super::access::Access;
use super::list::TableKind;

/// Describes a table or view: its columns with their types, its keys, and its indexes.
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(name = "describe_table", state = Access, read_only, open_world = false)]
#[serde(deny_unknown_fields)]
pub struct DescribeTable {
    /// Name of the table or view, without its schema.
    #[schemars(length(min = 1, max = 128))]
    pub table: String,
    /// Its schema; the one that a statement finds by the name alone where it is left out.
    #[serde(default)]
    #[schemars(length(min = 1, max = 128))]
    pub schema: Option<String>,
}

/// What a table is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TableDescription {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: TableKind,
    /// What its author says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Its columns, in their order.
    pub columns: Vec<ColumnDescription>,
    /// The columns of its primary key, in their order.
    pub primary_key: Vec<String>,
    /// Its references to other tables.
    pub foreign_keys: Vec<ForeignKey>,
    /// Its indexes.
    pub indexes: Vec<Index>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ColumnDescription {
    /// Its name.
    pub name: String,
    /// Its type in the database's own words.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it may hold NULL.
    pub nullable: bool,
    /// The expression of its default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Whether its value is computed and cannot be written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub generated: bool,
    /// The values that it may have, where its type lists them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// What its author says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A reference to another table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ForeignKey {
    /// Columns here.
    pub columns: Vec<String>,
    /// The table that they refer to, with its schema where it has another one.
    pub table: String,
    /// The columns there, in the same order.
    pub references: Vec<String>,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its columns or expressions, in their order.
    pub columns: Vec<String>,
    /// Whether no two rows may have the same.
    pub unique: bool,
}

impl Run<Access> for DescribeTable {
    type Output = TableDescription;

    async fn run(self, cx: &ToolContext<Access>) -> Result<TableDescription> {
        cx.state()?.describe(cx, self.schema, self.table).await
    }
}
