//! What matters of Notion's pages and databases: <https://developers.notion.com/reference/page>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::markdown::{spans_of, spans_to_markdown};
use super::request::string;

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Parent {
    /// `page_id`, `data_source_id`, `database_id`, `block_id` or `workspace`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id; a workspace has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl Parent {
    pub(super) fn of(value: &Value) -> Option<Self> {
        let kind = string(&value["type"])?;
        let id = string(&value[kind.as_str()]);
        Some(Self { kind, id })
    }
}

/// A page, which may be a row of a data source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PageInfo {
    /// Id.
    pub id: String,
    /// Title as plain text.
    #[serde(default)]
    pub title: String,
    /// Address in Notion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// Its properties by name, in short: text as Markdown, options by name, people as id and name, dates as `start` and `end`,
    /// related pages as ids.
    #[serde(default)]
    pub properties: Map<String, Value>,
    /// Ids of properties of which not all is here; `get_page_property` reads them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<String>,
    /// Emoji, or the address of an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// Whether it is in the trash.
    #[serde(default)]
    pub in_trash: bool,
    /// Whether it is locked against editing in Notion's app.
    #[serde(default)]
    pub is_locked: bool,
    /// When it was made, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_time: Option<String>,
    /// When it was changed last, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_edited_time: Option<String>,
}

impl PageInfo {
    pub(super) fn of(value: &Value) -> Self {
        let mut properties = Map::new();
        let mut incomplete = Vec::new();
        for (name, property) in value["properties"].as_object().into_iter().flatten() {
            properties.insert(name.clone(), short(property));
            let cut = property["has_more"].as_bool().unwrap_or_default()
                || property["rollup"]["type"] == "incomplete"
                || ["title", "rich_text", "people", "relation"]
                    .iter()
                    .any(|kind| property[*kind].as_array().is_some_and(|items| items.len() >= 25));
            if cut {
                incomplete.extend(string(&property["id"]));
            }
        }
        Self {
            id: string(&value["id"]).unwrap_or_default(),
            title: title_of(value),
            url: string(&value["url"]),
            parent: Parent::of(&value["parent"]),
            properties,
            incomplete,
            icon: icon_of(&value["icon"]),
            in_trash: in_trash(value),
            is_locked: value["is_locked"].as_bool().unwrap_or_default(),
            created_time: string(&value["created_time"]),
            last_edited_time: string(&value["last_edited_time"]),
        }
    }
}

pub(super) fn in_trash(value: &Value) -> bool {
    value["in_trash"].as_bool().or_else(|| value["archived"].as_bool()).unwrap_or_default()
}

/// The title of a page or a data source.
pub(super) fn title_of(value: &Value) -> String {
    if value["title"].is_array() {
        return plain(&value["title"]);
    }
    let properties = value["properties"].as_object();
    let title = properties.into_iter().flatten().find(|(_, property)| property["type"] == "title");
    title.map(|(_, property)| plain(&property["title"])).unwrap_or_default()
}

fn plain(text: &Value) -> String {
    super::markdown::plain(&spans_of(text))
}

/// Rich text as Markdown.
pub(super) fn markdown(text: &Value) -> String {
    spans_to_markdown(&spans_of(text))
}

pub(super) fn icon_of(icon: &Value) -> Option<String> {
    let kind = icon["type"].as_str()?;
    string(&icon[kind]).or_else(|| string(&icon[kind]["url"])).or_else(|| string(&icon[kind]["name"]))
}

/// A user in short.
fn user(user: &Value) -> Value {
    match string(&user["name"]) {
        Some(name) => json!({"id": user["id"], "name": name}),
        None => json!({"id": user["id"]}),
    }
}

fn list(items: &Value, of: impl Fn(&Value) -> Value) -> Value {
    items.as_array().into_iter().flatten().map(of).collect()
}

/// A property's value in short.
pub(super) fn short(property: &Value) -> Value {
    let Some(kind) = property["type"].as_str() else { return Value::Null };
    let value = &property[kind];
    match kind {
        "title" | "rich_text" => match value {
            // An item of a property that is read piece by piece.
            Value::Object(_) => Value::String(markdown(&json!([value]))),
            _ => Value::String(markdown(value)),
        },
        "select" | "status" => value["name"].clone(),
        "multi_select" => list(value, |option| option["name"].clone()),
        "people" if value.is_array() => list(value, user),
        "people" | "created_by" | "last_edited_by" => user(value),
        "relation" if value.is_array() => list(value, |page| page["id"].clone()),
        "relation" => value["id"].clone(),
        "files" => list(value, |file| match string(&file["external"]["url"]) {
            Some(url) => json!({"name": file["name"], "url": url}),
            None => json!({"name": file["name"]}),
        }),
        "date" => date(value),
        "formula" => short(value),
        "rollup" => match value["type"].as_str() {
            Some("array") => list(&value["array"], short),
            _ => short(value),
        },
        "unique_id" => match (string(&value["prefix"]), value["number"].as_u64()) {
            (Some(prefix), Some(number)) => Value::String(format!("{prefix}-{number}")),
            (None, Some(number)) => Value::String(number.to_string()),
            _ => Value::Null,
        },
        "verification" => value["state"].clone(),
        "button" | "incomplete" | "unsupported" => Value::Null,
        _ => value.clone(),
    }
}

fn date(value: &Value) -> Value {
    let said = |name: &str| string(&value[name]).map(|text| (name.to_owned(), Value::String(text)));
    let members: Map<String, Value> = ["start", "end", "time_zone"].into_iter().filter_map(said).collect();
    if members.is_empty() { Value::Null } else { Value::Object(members) }
}
