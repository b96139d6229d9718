//! Pages.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tool_connect_core::{Detail, Error, Result, Run, Tool, ToolContext};

use super::markdown::to_blocks;
use super::objects::PageInfo;
use super::request::{Needs, detail_of, id, id_opt, request};
use super::values::{SetProperty, icon, place, properties};
use super::write::{self, Place, append, planned};

/// Returns a page: title, parent, properties in short, whether it is in the trash. Its content is read with
/// `read_page_markdown`.
///
/// <https://developers.notion.com/reference/retrieve-a-page>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetPage {
    /// Id or address of the page.
    pub page_id: String,
    /// Whether to return all that Notion sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetPage {
    type Output = Detail<PageInfo>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<PageInfo>> {
        let page = id("/page_id", &self.page_id)?;
        let request = request(cx, Method::GET, "/pages/{page_id}", Needs::ReadContent).path("page_id", page);
        detail_of(request, self.whole, PageInfo::of).await
    }
}

/// Creates a page below a page or as a row of a data source, with properties and content in Markdown. Returns the page.
///
/// Without a parent it becomes a private page of the user who connected, which only some connections may make.
///
/// <https://developers.notion.com/reference/post-page>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false)]
#[serde(deny_unknown_fields)]
pub struct CreatePage {
    /// Id or address of the page that it stands below. Not together with `data_source_id`.
    #[serde(default)]
    pub parent_page_id: Option<String>,
    /// Id of the data source whose row it is; `get_database` names the data sources of a database.
    #[serde(default)]
    pub data_source_id: Option<String>,
    /// Title as plain text.
    #[serde(default)]
    pub title: Option<String>,
    /// Other properties, for a row; their names and types are those of the data source.
    #[serde(default)]
    pub properties: Vec<SetProperty>,
    /// Content in Markdown.
    #[serde(default)]
    pub markdown: Option<String>,
    /// An emoji, the address of an image, or `notion://upload/ID`.
    #[serde(default)]
    pub icon: Option<String>,
    /// Address of an image, or `notion://upload/ID`.
    #[serde(default)]
    pub cover: Option<String>,
    /// Id of a template of the data source, whose content it gets; not together with `markdown`.
    #[serde(default)]
    pub template_id: Option<String>,
}

impl Run for CreatePage {
    type Output = Detail<PageInfo>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<PageInfo>> {
        let page = id_opt("/parent_page_id", self.parent_page_id.as_ref())?;
        let source = id_opt("/data_source_id", self.data_source_id.as_ref())?;
        let template = id_opt("/template_id", self.template_id.as_ref())?;
        let parent = match (page, source) {
            (Some(_), Some(_)) => {
                return Err(Error::invalid_argument(
                    "/data_source_id",
                    "cannot be given together with `parent_page_id`",
                ));
            }
            (Some(page), None) => json!({"type": "page_id", "page_id": page}),
            (None, Some(source)) => json!({"type": "data_source_id", "data_source_id": source}),
            (None, None) => json!({"type": "workspace", "workspace": true}),
        };
        let mut body = Map::new();
        body.insert("parent".to_owned(), parent);
        body.insert(
            "properties".to_owned(),
            Value::Object(properties(self.title.as_deref(), self.properties)?),
        );
        looks(&mut body, self.icon.as_deref(), self.cover.as_deref())?;
        if let Some(template) = template {
            if self.markdown.is_some() {
                return Err(Error::invalid_argument(
                    "/template_id",
                    "cannot be given together with `markdown`",
                ));
            }
            body.insert("template".to_owned(), json!({"type": "template_id", "template_id": template}));
        }
        let mut plan = planned(&to_blocks(self.markdown.as_deref().unwrap_or_default()), "/markdown")?;
        // What fits goes with the page; its answer does not name the blocks, below which more could stand.
        if plan.first().is_some_and(|step| step.later.is_empty()) {
            body.insert("children".to_owned(), Value::Array(plan.remove(0).children));
        }
        let request = request(cx, Method::POST, "/pages", Needs::InsertContent).json_body(&body);
        let made = detail_of(request, false, PageInfo::of).await?;
        if !plan.is_empty() {
            append(cx, &made.id, plan, Place::End).await.map_err(|error| write::made(error, &made.id))?;
        }
        Ok(made)
    }
}

fn looks(body: &mut Map<String, Value>, emoji: Option<&str>, cover: Option<&str>) -> Result<()> {
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

/// Changes a page's properties, icon, cover or lock; what is left out stays. Returns the page.
///
/// <https://developers.notion.com/reference/patch-page>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent)]
#[serde(deny_unknown_fields)]
pub struct UpdatePage {
    /// Id or address of the page.
    pub page_id: String,
    /// New title as plain text.
    #[serde(default)]
    pub title: Option<String>,
    /// Other properties, for a row; their names and types are those of the data source.
    #[serde(default)]
    pub properties: Vec<SetProperty>,
    /// An emoji, the address of an image, or `notion://upload/ID`.
    #[serde(default)]
    pub icon: Option<String>,
    /// Address of an image, or `notion://upload/ID`.
    #[serde(default)]
    pub cover: Option<String>,
    /// Whether it is locked against editing in Notion's app.
    #[serde(default)]
    pub locked: Option<bool>,
}

impl Run for UpdatePage {
    type Output = Detail<PageInfo>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<PageInfo>> {
        let mut body = Map::new();
        let properties = properties(self.title.as_deref(), self.properties)?;
        if !properties.is_empty() {
            body.insert("properties".to_owned(), Value::Object(properties));
        }
        looks(&mut body, self.icon.as_deref(), self.cover.as_deref())?;
        if let Some(locked) = self.locked {
            body.insert("is_locked".to_owned(), Value::Bool(locked));
        }
        patch(cx, &self.page_id, &Value::Object(body)).await
    }
}

async fn patch(cx: &ToolContext, page: &str, body: &Value) -> Result<Detail<PageInfo>> {
    let page = id("/page_id", page)?;
    let request = request(cx, Method::PATCH, "/pages/{page_id}", Needs::UpdateContent);
    detail_of(request.path("page_id", page).json_body(body), false, PageInfo::of).await
}

/// Moves a page, and what stands below it, to the trash. `restore_page` takes it out again.
///
/// <https://developers.notion.com/reference/archive-a-page>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent)]
#[serde(deny_unknown_fields)]
pub struct ArchivePage {
    /// Id or address of the page.
    pub page_id: String,
}

impl Run for ArchivePage {
    type Output = Detail<PageInfo>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<PageInfo>> {
        patch(cx, &self.page_id, &json!({"in_trash": true})).await
    }
}

/// Takes a page out of the trash.
///
/// <https://developers.notion.com/reference/archive-a-page>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent)]
#[serde(deny_unknown_fields)]
pub struct RestorePage {
    /// Id or address of the page.
    pub page_id: String,
}

impl Run for RestorePage {
    type Output = Detail<PageInfo>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<PageInfo>> {
        patch(cx, &self.page_id, &json!({"in_trash": false})).await
    }
}

/// Moves a page below another page, or into a data source. Returns the page.
///
/// <https://developers.notion.com/reference/move-page>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent)]
#[serde(deny_unknown_fields)]
pub struct MovePage {
    /// Id or address of the page.
    pub page_id: String,
    /// Id or address of the page that it shall stand below; this or `to_data_source_id`.
    #[serde(default)]
    pub to_page_id: Option<String>,
    /// Id of the data source whose row it shall be.
    #[serde(default)]
    pub to_data_source_id: Option<String>,
}

impl Run for MovePage {
    type Output = Detail<PageInfo>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<PageInfo>> {
        let page = id("/page_id", &self.page_id)?;
        let to_page = id_opt("/to_page_id", self.to_page_id.as_ref())?;
        let to_source = id_opt("/to_data_source_id", self.to_data_source_id.as_ref())?;
        let parent = match (to_page, to_source) {
            (Some(to), None) => json!({"type": "page_id", "page_id": to}),
            (None, Some(to)) => json!({"type": "data_source_id", "data_source_id": to}),
            _ => {
                return Err(Error::invalid_argument(
                    "/to_page_id",
                    "either this or `to_data_source_id` must be given",
                ));
            }
        };
        let request = request(cx, Method::POST, "/pages/{page_id}/move", Needs::UpdateContent);
        let request = request.path("page_id", page).json_body(&json!({"parent": parent}));
        detail_of(request, false, PageInfo::of).await
    }
}
