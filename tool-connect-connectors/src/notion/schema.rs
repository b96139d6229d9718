//! Columns of a data source: <https://developers.notion.com/reference/property-object>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tool_connect_core::{Error, Result, ToolArgs};

use super::request::{id, string};

/// Type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum PropertyType {
    /// The title, of which there is one.
    Title,
    /// Text.
    RichText,
    /// A number.
    Number,
    /// One option.
    Select,
    /// Several options.
    MultiSelect,
    /// A status.
    Status,
    /// A date, a time or a range.
    Date,
    /// People.
    People,
    /// Files.
    Files,
    /// A check box.
    Checkbox,
    /// An address.
    Url,
    /// An e-mail address.
    Email,
    /// A telephone number.
    PhoneNumber,
    /// A formula.
    Formula,
    /// Rows of a data source.
    Relation,
    /// Something computed over related rows.
    Rollup,
    /// A number of its own for each row.
    UniqueId,
    /// When the row was made.
    CreatedTime,
    /// Who made the row.
    CreatedBy,
    /// When the row was changed last.
    LastEditedTime,
    /// Who changed the row last.
    LastEditedBy,
}

/// What a rollup computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "Notion's own names say it")]
pub enum RollupFunction {
    Count,
    CountValues,
    Empty,
    NotEmpty,
    Unique,
    ShowUnique,
    PercentEmpty,
    PercentNotEmpty,
    Sum,
    Average,
    Median,
    Min,
    Max,
    Range,
    EarliestDate,
    LatestDate,
    DateRange,
    Checked,
    Unchecked,
    PercentChecked,
    PercentUnchecked,
    CountPerGroup,
    PercentPerGroup,
    ShowOriginal,
}

/// A colour of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "colours")]
pub enum OptionColor {
    Default,
    Gray,
    Brown,
    Orange,
    Yellow,
    Green,
    Blue,
    Purple,
    Pink,
    Red,
}

/// An option of a select, a multi-select or a status.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(deny_unknown_fields)]
pub struct NewOption {
    /// Name, without commas.
    pub name: String,
    /// Colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<OptionColor>,
}

/// A column to add, or what one of this name becomes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(deny_unknown_fields)]
pub struct NewProperty {
    /// Name.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Type.
    #[serde(rename = "type")]
    pub kind: PropertyType,
    /// Options of a `select`, `multi_select` or `status`.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub options: Vec<NewOption>,
    /// Format of a `number`, such as `number`, `percent`, `dollar` or `euro`.
    #[serde(default)]
    pub format: Option<String>,
    /// Expression of a `formula`.
    #[serde(default)]
    pub expression: Option<String>,
    /// Of a `relation`: id of the data source whose rows it names.
    #[serde(default)]
    pub related_data_source_id: Option<String>,
    /// Of a `relation`: name of the column in the other data source that shows it from there; none if left out.
    #[serde(default)]
    pub mirrored_as: Option<String>,
    /// Of a `rollup`: name of the relation that it goes along.
    #[serde(default)]
    pub relation: Option<String>,
    /// Of a `rollup`: name of the column of the related rows.
    #[serde(default)]
    pub related_property: Option<String>,
    /// Of a `rollup`: what it computes.
    #[serde(default)]
    pub function: Option<RollupFunction>,
    /// Prefix of a `unique_id`.
    #[serde(default)]
    pub prefix: Option<String>,
}

impl NewProperty {
    /// A column of this name and type.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: PropertyType) -> Self {
        Self {
            name: name.into(),
            kind,
            options: Vec::new(),
            format: None,
            expression: None,
            related_data_source_id: None,
            mirrored_as: None,
            relation: None,
            related_property: None,
            function: None,
            prefix: None,
        }
    }

    fn wire(&self, pointer: &str) -> Result<Value> {
        let missing = |name: &str| {
            Error::invalid_argument(
                format!("{pointer}/{name}"),
                format!("is missing; a column of this type needs `{name}`"),
            )
        };
        let config = match self.kind {
            PropertyType::Select | PropertyType::MultiSelect | PropertyType::Status
                if !self.options.is_empty() =>
            {
                json!({"options": self.options})
            }
            PropertyType::Number => match &self.format {
                Some(format) => json!({"format": format}),
                None => json!({}),
            },
            PropertyType::Formula => {
                json!({"expression": self.expression.as_ref().ok_or_else(|| missing("expression"))?})
            }
            PropertyType::Relation => {
                let name = "related_data_source_id";
                let source = self.related_data_source_id.as_ref().ok_or_else(|| missing(name))?;
                let source = id(&format!("{pointer}/{name}"), source)?;
                match &self.mirrored_as {
                    Some(name) => json!({
                        "data_source_id": source, "type": "dual_property", "dual_property": {"synced_property_name": name},
                    }),
                    None => {
                        json!({"data_source_id": source, "type": "single_property", "single_property": {}})
                    }
                }
            }
            PropertyType::Rollup => json!({
                "relation_property_name": self.relation.as_ref().ok_or_else(|| missing("relation"))?,
                "rollup_property_name": self.related_property.as_ref().ok_or_else(|| missing("related_property"))?,
                "function": self.function.ok_or_else(|| missing("function"))?,
            }),
            PropertyType::UniqueId => json!({"prefix": self.prefix}),
            _ => json!({}),
        };
        let kind = serde_json::to_value(self.kind).map_err(|_| missing("type"))?;
        let kind = kind.as_str().unwrap_or_default();
        Ok(json!({"type": kind, kind: config}))
    }
}

/// Notion's `properties` of a data source.
pub(super) fn columns(all: &[NewProperty], pointer: &str) -> Result<Map<String, Value>> {
    let mut map = Map::new();
    for (at, property) in all.iter().enumerate() {
        map.insert(property.name.clone(), property.wire(&format!("{pointer}/{at}"))?);
    }
    Ok(map)
}

/// A column of a data source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Property {
    /// Id, which stays where the name changes.
    pub id: String,
    /// Name.
    pub name: String,
    /// Notion's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Names of the options of a select, multi-select or status.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Expression of a formula.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// Format of a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Data source that a relation leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub related_data_source_id: Option<String>,
}

impl Property {
    pub(super) fn of(name: &str, value: &Value) -> Self {
        let kind = string(&value["type"]).unwrap_or_default();
        let config = &value[kind.as_str()];
        Self {
            id: string(&value["id"]).unwrap_or_default(),
            name: name.to_owned(),
            options: config["options"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|o| string(&o["name"]))
                .collect(),
            expression: string(&config["expression"]),
            format: string(&config["format"]),
            related_data_source_id: string(&config["data_source_id"]),
            kind,
        }
    }
}
