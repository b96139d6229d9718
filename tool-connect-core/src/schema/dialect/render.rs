//! Tools as the vendors' APIs take them.

use serde_json::{Map, Value, json};

use super::rules::OPENAI_DESCRIPTION;
use super::{Dialect, Normalised, normalise};

/// A tool for the model of one dialect: name, description and normalised schema.
///
/// ```
/// use serde_json::json;
/// use tool_connect_core::schema::dialect::{Dialect, ModelTool};
///
/// let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]});
/// let tool = ModelTool::new("files__read", "Reads a file.", &schema, Dialect::Anthropic);
/// assert_eq!(tool.to_json()["input_schema"]["properties"]["a"]["type"], "string");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ModelTool {
    /// The name that the model calls it by.
    pub name: String,
    /// What it does; for the OpenAI APIs cut to the 1,024 characters that they take.
    pub description: String,
    /// The schema of its arguments, and the way back for what the model writes.
    pub input: Normalised,
    /// For which API.
    pub dialect: Dialect,
}

impl ModelTool {
    /// A tool by the name that the model will use ([`ToolId::model_name`](crate::ToolId::model_name)).
    #[must_use]
    pub fn new(name: &str, description: &str, schema: &Value, dialect: Dialect) -> Self {
        let most = if dialect.is_openai() { OPENAI_DESCRIPTION } else { usize::MAX };
        Self {
            name: name.to_owned(),
            description: cut(description.trim(), most),
            input: normalise(schema, dialect),
            dialect,
        }
    }

    /// The tool as an entry of the request's `tools`: Anthropic's `{name, description, input_schema}`, OpenAI's
    /// `{type, function}` of Chat Completions, and for Gemini one of `functionDeclarations` (see [`gemini_tool`]).
    #[must_use]
    pub fn to_json(&self) -> Value {
        let schema = self.input.schema();
        match self.dialect {
            Dialect::Anthropic => {
                json!({"name": self.name, "description": self.description, "input_schema": schema})
            }
            Dialect::OpenAi | Dialect::OpenAiStrict => {
                json!({"type": "function", "function": self.function()})
            }
            Dialect::Gemini => {
                let mut declaration = Map::from_iter([("name".to_owned(), Value::from(self.name.as_str()))]);
                declaration.insert("description".to_owned(), self.description.as_str().into());
                // An object without properties is refused; no parameters are none.
                if schema.get("properties").and_then(Value::as_object).is_some_and(|all| !all.is_empty()) {
                    declaration.insert("parameters".to_owned(), schema.clone());
                }
                Value::Object(declaration)
            }
        }
    }

    /// The tool as OpenAI's Responses API takes it, `{type, name, description, parameters, strict}`; `None` for the
    /// dialects of other vendors.
    #[must_use]
    pub fn to_responses_json(&self) -> Option<Value> {
        if !self.dialect.is_openai() {
            return None;
        }
        let mut tool = Map::from_iter([("type".to_owned(), Value::from("function"))]);
        if let Value::Object(function) = self.function() {
            tool.extend(function);
        }
        Some(Value::Object(tool))
    }

    fn function(&self) -> Value {
        json!({
            "name": self.name,
            "description": self.description,
            "parameters": self.input.schema(),
            "strict": self.dialect == Dialect::OpenAiStrict,
        })
    }
}

/// The one entry of Gemini's `tools` that holds all function declarations.
#[must_use]
pub fn gemini_tool(declarations: Vec<Value>) -> Value {
    json!({"functionDeclarations": declarations})
}

/// At most so many characters; what is cut ends with an ellipsis.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}
