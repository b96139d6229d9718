//! Data sources: columns and rows.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tool_connect_core::{Detail, Error, Page, Result, Run, Tool, ToolArgs, ToolContext};

use super::filter::Filter;
use super::objects::{PageInfo, Parent, icon_of, in_trash, markdown, title_of};
use super::request::{Needs, detail_of, id, page_of, paged, paged_body, request, string};
use super::schema::{NewProperty, Property, columns};
use super::search::Direction;
use super::values::{icon, title};
use crate::provider::paged as pages;

pages! { QueryDataSource => PageInfo, ListTemplates => Template }

/// A data source: columns, and rows that are pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DataSource {
    /// Id.
    pub id: String,
    /// Title as plain text.
    #[serde(default)]
    pub title: String,
    /// Description in Markdown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Columns.
    #[serde(default)]
    pub properties: Vec<Property>,
    /// The database that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// Address in Notion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Emoji, or the address of an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// Whether it is in the trash.
    #[serde(default)]
    pub in_trash: bool,
}

impl DataSource {
    fn of(value: &Value) -> Self {
        let columns = value["properties"].as_object().into_iter().flatten();
        Self {
            id: string(&value["id"]).unwrap_or_default(),
            title: title_of(value),
            description: markdown(&value["description"]),
            properties: columns.map(|(name, value)| Property::of(name, value)).collect(),
            parent: Parent::of(&value["parent"]),
            url: string(&value["url"]),
            icon: icon_of(&value["icon"]),
            in_trash: in_trash(value),
        }
    }
}

/// Returns a data source: its columns with types and options, which queries and new rows need.
///
/// <https://developers.notion.com/reference/retrieve-a-data-source>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetDataSource {
    /// Id of the data source; `get_database` and `search` name it.
    pub data_source_id: String,
    /// Whether to return all that Notion sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetDataSource {
    type Output = Detail<DataSource>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<DataSource>> {
        let source = id("/data_source_id", &self.data_source_id)?;
        let request = request(cx, Method::GET, "/data_sources/{data_source_id}", Needs::ReadContent);
        detail_of(request.path("data_source_id", source), self.whole, DataSource::of).await
    }
}

/// A time that every row has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum RowTime {
    /// When it was made.
    CreatedTime,
    /// When it was changed last.
    LastEditedTime,
}

/// What to sort by: a property or a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(deny_unknown_fields)]
pub struct Sort {
    /// Name or id of the property; this or `timestamp`.
    #[serde(default)]
    pub property: Option<String>,
    /// Which time.
    #[serde(default)]
    pub timestamp: Option<RowTime>,
    /// Which way.
    pub direction: Direction,
}

impl Sort {
    fn wire(&self, at: usize) -> Result<Value> {
        match (&self.property, self.timestamp) {
            (Some(property), None) => Ok(json!({"property": property, "direction": self.direction})),
            (None, Some(time)) => Ok(json!({"timestamp": time, "direction": self.direction})),
            _ => Err(Error::invalid_argument(
                format!("/sorts/{at}/property"),
                "either this or `timestamp` must be given",
            )),
        }
    }
}

/// Returns rows of a data source, filtered and sorted, a page at a time; each is a page with its properties in short.
///
/// <https://developers.notion.com/reference/query-a-data-source>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct QueryDataSource {
    /// Id of the data source; `get_database` and `search` name it.
    pub data_source_id: String,
    /// Which rows; all if left out.
    #[serde(default)]
    pub filter: Option<Filter>,
    /// What to sort by, the most important first.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub sorts: Vec<Sort>,
    /// Names or ids of the properties to return; all if left out.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub properties: Vec<String>,
    /// Whether to return rows in the trash instead.
    #[serde(default)]
    pub in_trash: bool,
    /// How many on a page; 100 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for QueryDataSource {
    type Output = Page<PageInfo>;

    async fn run(self, cx: &ToolContext) -> Result<Page<PageInfo>> {
        let source = id("/data_source_id", &self.data_source_id)?;
        let mut body = Map::new();
        let filter = self.filter.as_ref().map(|filter| filter.wire("/filter")).transpose()?.flatten();
        if let Some(filter) = filter {
            body.insert("filter".to_owned(), filter);
        }
        if !self.sorts.is_empty() {
            let sorts: Result<Vec<Value>> =
                self.sorts.iter().enumerate().map(|(at, sort)| sort.wire(at)).collect();
            body.insert("sorts".to_owned(), Value::Array(sorts?));
        }
        if self.in_trash {
            body.insert("in_trash".to_owned(), Value::Bool(true));
        }
        paged_body(&mut body, self.page_size, self.cursor);
        let mut request =
            request(cx, Method::POST, "/data_sources/{data_source_id}/query", Needs::ReadContent)
                .path("data_source_id", source)
                .repeatable(true)
                .json_body(&body);
        for property in &self.properties {
            // Notion gives ids of properties percent-encoded, as they stand in a path.
            let property = percent_encoding::percent_decode_str(property).decode_utf8_lossy();
            request = request.query("filter_properties", property);
        }
        page_of(request, PageInfo::of).await
    }
}

/// Adds a data source to a database. Returns it.
///
/// <https://developers.notion.com/reference/create-a-data-source>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false)]
#[serde(deny_unknown_fields)]
pub struct CreateDataSource {
    /// Id or address of the database.
    pub database_id: String,
    /// Title as plain text.
    pub title: String,
    /// Columns; one of them is the title, `Name` if none is given.
    #[serde(default)]
    pub properties: Vec<NewProperty>,
    /// An emoji, the address of an image, or `notion://upload/ID`.
    #[serde(default)]
    pub icon: Option<String>,
}

impl Run for CreateDataSource {
    type Output = Detail<DataSource>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<DataSource>> {
        let database = id("/database_id", &self.database_id)?;
        let mut properties = columns(&self.properties, "/properties")?;
        if !properties.values().any(|column| column["type"] == "title") {
            properties.insert("Name".to_owned(), json!({"type": "title", "title": {}}));
        }
        let mut body = json!({
            "parent": {"type": "database_id", "database_id": database},
            "title": title(&self.title),
            "properties": properties,
        });
        if let Some(text) = &self.icon {
            body["icon"] = icon(text);
        }
        let request = request(cx, Method::POST, "/data_sources", Needs::InsertContent).json_body(&body);
        detail_of(request, false, DataSource::of).await
    }
}

/// A column's new name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    /// Name or id of the column.
    pub property: String,
    /// What it is called afterwards.
    #[schemars(length(min = 1))]
    pub to: String,
}

/// Changes a data source's title or columns, or moves it to the trash. A removed column's values are gone. Returns the data source.
///
/// <https://developers.notion.com/reference/update-a-data-source>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent)]
#[serde(deny_unknown_fields)]
pub struct UpdateDataSource {
    /// Id of the data source.
    pub data_source_id: String,
    /// New title as plain text.
    #[serde(default)]
    pub title: Option<String>,
    /// Columns to add, or to change where one of that name is there.
    #[serde(default)]
    pub set_properties: Vec<NewProperty>,
    /// Columns to rename.
    #[serde(default)]
    pub rename_properties: Vec<Rename>,
    /// Names or ids of columns to remove, with their values.
    #[serde(default)]
    pub remove_properties: Vec<String>,
    /// True moves it to the trash, false takes it out.
    #[serde(default)]
    pub in_trash: Option<bool>,
}

impl Run for UpdateDataSource {
    type Output = Detail<DataSource>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<DataSource>> {
        let source = id("/data_source_id", &self.data_source_id)?;
        let mut properties = columns(&self.set_properties, "/set_properties")?;
        for rename in self.rename_properties {
            properties.insert(rename.property, json!({"name": rename.to}));
        }
        for gone in self.remove_properties {
            properties.insert(gone, Value::Null);
        }
        let mut body = Map::new();
        if !properties.is_empty() {
            body.insert("properties".to_owned(), Value::Object(properties));
        }
        if let Some(text) = &self.title {
            body.insert("title".to_owned(), title(text));
        }
        if let Some(in_trash) = self.in_trash {
            body.insert("in_trash".to_owned(), Value::Bool(in_trash));
        }
        let request = request(cx, Method::PATCH, "/data_sources/{data_source_id}", Needs::UpdateContent);
        detail_of(request.path("data_source_id", source).json_body(&body), false, DataSource::of).await
    }
}

/// A template for rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Template {
    /// Id, for `create_page`.
    pub id: String,
    /// Name.
    #[serde(default)]
    pub name: String,
    /// Whether new rows get it unless they say otherwise.
    #[serde(default)]
    pub is_default: bool,
}

#[derive(Deserialize)]
struct Templates {
    templates: Vec<Template>,
    #[serde(default)]
    next_cursor: Option<String>,
}

/// Lists the templates that rows of a data source can begin with, a page at a time.
///
/// <https://developers.notion.com/reference/list-data-source-templates>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListTemplates {
    /// Id of the data source.
    pub data_source_id: String,
    /// How many on a page; 100 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListTemplates {
    type Output = Page<Template>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Template>> {
        let source = id("/data_source_id", &self.data_source_id)?;
        let request =
            request(cx, Method::GET, "/data_sources/{data_source_id}/templates", Needs::ReadContent);
        let request = paged(request.path("data_source_id", source), self.page_size, self.cursor.as_deref());
        let list: Templates = request.json().await?;
        Ok(Page::new(list.templates, list.next_cursor))
    }
}
