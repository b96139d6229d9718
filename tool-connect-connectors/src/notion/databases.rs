//! Databases, which hold data sources.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tool_connect_core::{Detail, Error, Result, Run, Tool, ToolContext};

use super::markdown::{rich_text, to_spans};
use super::objects::{Parent, icon_of, in_trash, markdown, title_of};
use super::request::{Needs, detail_of, id, id_opt, request, string};
use super::schema::{NewProperty, columns};
use super::values::{icon, place, title};

/// A data source of a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DataSourceName {
    /// Id, for `query_data_source` and `get_data_source`.
    pub id: String,
    /// Name.
    #[serde(default)]
    pub name: String,
}

/// A database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Database {
    /// Id.
    pub id: String,
    /// Title as plain text.
    #[serde(default)]
    pub title: String,
    /// Description in Markdown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its data sources, mostly one; rows and columns are theirs.
    #[serde(default)]
    pub data_sources: Vec<DataSourceName>,
    /// Address in Notion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// Emoji, or the address of an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// Whether it is shown within its page.
    #[serde(default)]
    pub is_inline: bool,
    /// Whether it is in the trash.
    #[serde(default)]
    pub in_trash: bool,
    /// When it was changed last, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_edited_time: Option<String>,
}

impl Database {
    fn of(value: &Value) -> Self {
        let source = |source: &Value| {
            Some(DataSourceName {
                id: string(&source["id"])?,
                name: string(&source["name"]).unwrap_or_default(),
            })
        };
        Self {
            id: string(&value["id"]).unwrap_or_default(),
            title: title_of(value),
            description: markdown(&value["description"]),
            data_sources: value["data_sources"].as_array().into_iter().flatten().filter_map(source).collect(),
            url: string(&value["url"]),
            parent: Parent::of(&value["parent"]),
            icon: icon_of(&value["icon"]),
            is_inline: value["is_inline"].as_bool().unwrap_or_default(),
            in_trash: in_trash(value),
            last_edited_time: string(&value["last_edited_time"]),
        }
    }
}

/// Returns a database: title, and the ids of its data sources, which hold the rows.
///
/// <https://developers.notion.com/reference/retrieve-database>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetDatabase {
    /// Id or address of the database.
    pub database_id: String,
    /// Whether to return all that Notion sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetDatabase {
    type Output = Detail<Database>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Database>> {
        let database = id("/database_id", &self.database_id)?;
        let request = request(cx, Method::GET, "/databases/{database_id}", Needs::ReadContent);
        detail_of(request.path("database_id", database), self.whole, Database::of).await
    }
}

/// Creates a database with one data source. Returns it with the data source's id, which rows are created in.
///
/// <https://developers.notion.com/reference/create-database>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false)]
#[serde(deny_unknown_fields)]
pub struct CreateDatabase {
    /// Id or address of the page that it stands on; at the workspace's top if left out, which only some connections may do.
    #[serde(default)]
    pub parent_page_id: Option<String>,
    /// Title as plain text.
    pub title: String,
    /// Description in Markdown.
    #[serde(default)]
    pub description: Option<String>,
    /// Columns; one of them is the title, `Name` if none is given.
    #[serde(default)]
    pub properties: Vec<NewProperty>,
    /// Whether it is shown within its page.
    #[serde(default)]
    pub is_inline: bool,
    /// An emoji, the address of an image, or `notion://upload/ID`.
    #[serde(default)]
    pub icon: Option<String>,
    /// Address of an image, or `notion://upload/ID`.
    #[serde(default)]
    pub cover: Option<String>,
}

impl Run for CreateDatabase {
    type Output = Detail<Database>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Database>> {
        let parent = match id_opt("/parent_page_id", self.parent_page_id.as_ref())? {
            Some(page) => json!({"type": "page_id", "page_id": page}),
            None => json!({"type": "workspace", "workspace": true}),
        };
        let mut properties = columns(&self.properties, "/properties")?;
        if !properties.values().any(|column| column["type"] == "title") {
            properties.insert("Name".to_owned(), json!({"type": "title", "title": {}}));
        }
        let mut body = Map::new();
        body.insert("parent".to_owned(), parent);
        body.insert("title".to_owned(), title(&self.title));
        body.insert("initial_data_source".to_owned(), json!({"properties": properties}));
        body.insert("is_inline".to_owned(), Value::Bool(self.is_inline));
        looks(&mut body, self.description.as_deref(), self.icon.as_deref(), self.cover.as_deref())?;
        let request = request(cx, Method::POST, "/databases", Needs::InsertContent).json_body(&body);
        detail_of(request, false, Database::of).await
    }
}

fn looks(
    body: &mut Map<String, Value>,
    description: Option<&str>,
    emoji: Option<&str>,
    cover: Option<&str>,
) -> Result<()> {
    if let Some(text) = description {
        body.insert("description".to_owned(), rich_text(&to_spans(text)));
    }
    if let Some(text) = emoji {
        body.insert("icon".to_owned(), icon(text));
    }
    if let Some(text) = cover {
        let place = place(text).ok_or_else(|| {
            Error::invalid_argument("/cover", "must be the address of an image, or `notion://upload/ID`")
        })?;
        body.insert("cover".to_owned(), place);
    }
    Ok(())
}

/// Changes a database's title, description, looks, place or whether it is in the trash; what is left out stays. Columns are
/// changed with `update_data_source`. Returns the database.
///
/// <https://developers.notion.com/reference/update-database>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent)]
#[serde(deny_unknown_fields)]
pub struct UpdateDatabase {
    /// Id or address of the database.
    pub database_id: String,
    /// New title as plain text.
    #[serde(default)]
    pub title: Option<String>,
    /// New description in Markdown.
    #[serde(default)]
    pub description: Option<String>,
    /// Id or address of the page that it shall stand on.
    #[serde(default)]
    pub to_page_id: Option<String>,
    /// Whether it is shown within its page.
    #[serde(default)]
    pub is_inline: Option<bool>,
    /// An emoji, the address of an image, or `notion://upload/ID`.
    #[serde(default)]
    pub icon: Option<String>,
    /// Address of an image, or `notion://upload/ID`.
    #[serde(default)]
    pub cover: Option<String>,
    /// Whether it is locked against editing in Notion's app.
    #[serde(default)]
    pub locked: Option<bool>,
    /// True moves it to the trash, false takes it out.
    #[serde(default)]
    pub in_trash: Option<bool>,
}

impl Run for UpdateDatabase {
    type Output = Detail<Database>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Database>> {
        let database = id("/database_id", &self.database_id)?;
        let mut body = Map::new();
        if let Some(text) = &self.title {
            body.insert("title".to_owned(), title(text));
        }
        if let Some(page) = id_opt("/to_page_id", self.to_page_id.as_ref())? {
            body.insert("parent".to_owned(), json!({"type": "page_id", "page_id": page}));
        }
        for (name, set) in
            [("is_inline", self.is_inline), ("is_locked", self.locked), ("in_trash", self.in_trash)]
        {
            if let Some(set) = set {
                body.insert(name.to_owned(), Value::Bool(set));
            }
        }
        looks(&mut body, self.description.as_deref(), self.icon.as_deref(), self.cover.as_deref())?;
        let request = request(cx, Method::PATCH, "/databases/{database_id}", Needs::UpdateContent);
        detail_of(request.path("database_id", database).json_body(&body), false, Database::of).await
    }
}
