//! Values of properties, as they are set: <https://developers.notion.com/reference/page-property-values>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tool_connect_core::{Result, ToolArgs};

use super::markdown::{Span, rich_text, to_spans};
use super::request::id;

/// A property and its new value; its type must be that of the property in the data source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum SetProperty {
    /// The title.
    Title {
        /// Name or id of the property.
        property: String,
        /// Plain text.
        text: String,
    },
    /// Text.
    RichText {
        /// Name or id of the property.
        property: String,
        /// Text in Markdown; empty to clear it.
        markdown: String,
    },
    /// A number.
    Number {
        /// Name or id of the property.
        property: String,
        /// The number; null to clear it.
        #[serde(default)]
        value: Option<f64>,
    },
    /// A check box.
    Checkbox {
        /// Name or id of the property.
        property: String,
        /// Whether it is checked.
        checked: bool,
    },
    /// One option; one that is new is created.
    Select {
        /// Name or id of the property.
        property: String,
        /// Name of the option; null to clear it.
        #[serde(default)]
        option: Option<String>,
    },
    /// A status.
    Status {
        /// Name or id of the property.
        property: String,
        /// Name of the option; null to clear it.
        #[serde(default)]
        option: Option<String>,
    },
    /// All its options: others are taken off, and those that are new are created.
    MultiSelect {
        /// Name or id of the property.
        property: String,
        /// Names of all options that it shall have.
        #[schemars(length(max = 100))]
        options: Vec<String>,
    },
    /// A date, a time, or a range of them.
    Date {
        /// Name or id of the property.
        property: String,
        /// `2026-05-01`, or with time `2026-05-01T10:00:00+02:00`; null to clear it.
        #[serde(default)]
        start: Option<String>,
        /// End of a range.
        #[serde(default)]
        end: Option<String>,
        /// Name of the time zone, `Europe/Berlin`, for times without an offset.
        #[serde(default)]
        time_zone: Option<String>,
    },
    /// All its people: others are taken off.
    People {
        /// Name or id of the property.
        property: String,
        /// Ids of all users that it shall have.
        #[schemars(length(max = 100))]
        user_ids: Vec<String>,
    },
    /// All related pages: others are no longer related.
    Relation {
        /// Name or id of the property.
        property: String,
        /// Ids of all pages that it shall have.
        #[schemars(length(max = 100))]
        page_ids: Vec<String>,
    },
    /// Files; they replace those that are there.
    Files {
        /// Name or id of the property.
        property: String,
        /// All files that it shall have.
        #[schemars(length(max = 100))]
        files: Vec<FileValue>,
    },
    /// An address.
    Url {
        /// Name or id of the property.
        property: String,
        /// The address; null to clear it.
        #[serde(default)]
        #[schemars(length(max = 2000))]
        value: Option<String>,
    },
    /// An e-mail address.
    Email {
        /// Name or id of the property.
        property: String,
        /// The address; null to clear it.
        #[serde(default)]
        #[schemars(length(max = 200))]
        value: Option<String>,
    },
    /// A telephone number.
    PhoneNumber {
        /// Name or id of the property.
        property: String,
        /// The number; null to clear it.
        #[serde(default)]
        #[schemars(length(max = 200))]
        value: Option<String>,
    },
    /// Whether a page of a wiki is verified.
    Verification {
        /// Name or id of the property.
        property: String,
        /// Whether it is.
        verified: bool,
    },
}

/// A file of a property.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(deny_unknown_fields)]
pub struct FileValue {
    /// Name.
    pub name: String,
    /// Address elsewhere, or `notion://upload/ID` of a file that `upload_file` sent.
    pub url: String,
}

impl FileValue {
    fn wire(&self) -> Value {
        match self.url.strip_prefix("notion://upload/") {
            Some(id) => json!({"type": "file_upload", "file_upload": {"id": id}, "name": self.name}),
            None => json!({"type": "external", "external": {"url": self.url}, "name": self.name}),
        }
    }
}

fn option(name: Option<String>) -> Value {
    name.map_or(Value::Null, |name| json!({"name": name}))
}

fn ids(all: &[String], pointer: &str) -> Result<Value> {
    let one = |(at, text): (usize, &String)| Ok(json!({"id": id(&format!("{pointer}/{at}"), text)?}));
    all.iter().enumerate().map(one).collect()
}

impl SetProperty {
    /// Which property, and Notion's object for its value.
    fn wire(self, pointer: &str) -> Result<(String, Value)> {
        Ok(match self {
            Self::Title { property, text } => (property, json!({"title": title(&text)})),
            Self::RichText { property, markdown } => {
                (property, json!({"rich_text": rich_text(&to_spans(&markdown))}))
            }
            Self::Number { property, value } => (property, json!({"number": value})),
            Self::Checkbox { property, checked } => (property, json!({"checkbox": checked})),
            Self::Select { property, option: name } => (property, json!({"select": option(name)})),
            Self::Status { property, option: name } => (property, json!({"status": option(name)})),
            Self::MultiSelect { property, options } => {
                let options: Vec<Value> = options.into_iter().map(|name| option(Some(name))).collect();
                (property, json!({"multi_select": options}))
            }
            Self::Date { property, start, end, time_zone } => {
                let date = start
                    .map_or(Value::Null, |start| json!({"start": start, "end": end, "time_zone": time_zone}));
                (property, json!({"date": date}))
            }
            Self::People { property, user_ids } => {
                (property, json!({"people": ids(&user_ids, &format!("{pointer}/user_ids"))?}))
            }
            Self::Relation { property, page_ids } => {
                (property, json!({"relation": ids(&page_ids, &format!("{pointer}/page_ids"))?}))
            }
            Self::Files { property, files } => {
                let files: Vec<Value> = files.iter().map(FileValue::wire).collect();
                (property, json!({"files": files}))
            }
            Self::Url { property, value } => (property, json!({"url": value})),
            Self::Email { property, value } => (property, json!({"email": value})),
            Self::PhoneNumber { property, value } => (property, json!({"phone_number": value})),
            Self::Verification { property, verified } => {
                let state = if verified { "verified" } else { "unverified" };
                (property, json!({"verification": {"state": state}}))
            }
        })
    }
}

/// Plain text as rich text.
pub(super) fn title(text: &str) -> Value {
    rich_text(&[Span::text(text)])
}

/// Notion's `properties` for a page: a title, which every page has, and the others.
pub(super) fn properties(name: Option<&str>, set: Vec<SetProperty>) -> Result<Map<String, Value>> {
    let mut map = Map::new();
    if let Some(name) = name {
        map.insert("title".to_owned(), json!({"title": title(name)}));
    }
    for (at, property) in set.into_iter().enumerate() {
        let (name, value) = property.wire(&format!("/properties/{at}"))?;
        map.insert(name, value);
    }
    Ok(map)
}

/// An icon: an emoji, an address, or an uploaded file.
pub(super) fn icon(text: &str) -> Value {
    match place(text) {
        Some(place) => place,
        None => json!({"emoji": text}),
    }
}

/// An image at an address, or an uploaded file.
pub(super) fn place(text: &str) -> Option<Value> {
    if let Some(id) = text.strip_prefix("notion://upload/") {
        return Some(json!({"type": "file_upload", "file_upload": {"id": id}}));
    }
    text.contains("://").then(|| json!({"type": "external", "external": {"url": text}}))
}
