//! The cached JSON Schema validator: asked only after a typed parse or check has failed, to name
//! every problem by its pointer; and for dynamic tools.

use std::sync::Arc;

use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;
use tool_connect_core::{Arguments, Error, ErrorKind, Problem, Result, pointer_token};

use crate::registry::Entry;

/// So many problems are named at most; more would drown the reader.
const MAX_PROBLEMS: usize = 20;

pub(crate) struct Validator(jsonschema::Validator);

/// Refuses every remote reference: a schema is a document, not an address.
struct Offline;

impl jsonschema::Retrieve for Offline {
    fn retrieve(
        &self,
        _uri: &jsonschema::Uri<String>,
    ) -> std::result::Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Err("remote references are not followed".into())
    }
}

fn validator(entry: &Entry) -> Result<Arc<Validator>> {
    if let Some(validator) = entry.validator.get() {
        return Ok(Arc::clone(validator));
    }
    let schema: Value = serde_json::from_str(entry.input_schema())
        .map_err(|e| Error::new(ErrorKind::Quarantined, format!("the input schema is not JSON: {e}")))?;
    let compiled = jsonschema::options()
        .with_retriever(Offline)
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(false)
        .build(&schema)
        .map_err(|e| {
            Error::new(
                ErrorKind::Quarantined,
                format!("the input schema cannot be used: {}", e.kind().keyword()),
            )
        })?;
    Ok(Arc::clone(entry.validator.get_or_init(|| Arc::new(Validator(compiled)))))
}

/// Checks the arguments of a dynamic tool.
pub(crate) fn check(entry: &Entry, value: &Value) -> Result<()> {
    let problems = validator(entry)?.problems(value);
    if problems.is_empty() { Ok(()) } else { Err(Error::invalid_arguments(problems)) }
}

/// Names every problem of arguments that a typed parse or check refused. Where the schema finds
/// none (the text is not JSON, say), the parse's own problem stands.
pub(crate) fn explain(entry: &Entry, arguments: &Arguments, error: Error) -> Error {
    let Arguments::Raw(text) = arguments else { return error };
    let text: &[u8] = if text.is_empty() { b"{}" } else { text };
    let Ok(value) = serde_json::from_slice::<Value>(text) else { return error };
    match validator(entry) {
        Ok(validator) => {
            let problems = validator.problems(&value);
            if problems.is_empty() { error } else { error.with_problems(problems) }
        }
        Err(_) => error,
    }
}

impl Validator {
    fn problems(&self, value: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        for error in self.0.iter_errors(value) {
            describe(&error, &mut problems);
            if problems.len() >= MAX_PROBLEMS {
                problems.truncate(MAX_PROBLEMS);
                break;
            }
        }
        problems
    }
}

/// Says what to change, from the schema's side alone: the offending value is never repeated.
fn describe(error: &jsonschema::ValidationError<'_>, out: &mut Vec<Problem>) {
    let place = error.instance_path().as_str().to_owned();
    let keyword = error.kind().keyword().to_owned();
    let message = match error.kind() {
        Kind::Required { property } => {
            // The missing field's own place, not its parent's.
            let name = property.as_str().unwrap_or_default();
            out.push(Problem::new(
                format!("{place}/{}", pointer_token(name)),
                keyword,
                "is required and missing",
            ));
            return;
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            for name in unexpected {
                let shown: String = name.chars().take(64).collect();
                out.push(Problem::new(
                    format!("{place}/{}", pointer_token(&shown)),
                    keyword.clone(),
                    "is not a known field; remove it",
                ));
            }
            return;
        }
        Kind::Type { kind } => format!("must be {}", type_words(kind)),
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        Kind::MinLength { limit } => format!("must have at least {limit} characters"),
        Kind::MaxLength { limit } => format!("must have at most {limit} characters"),
        Kind::MinItems { limit } => format!("must have at least {limit} items"),
        Kind::MaxItems { limit } => format!("must have at most {limit} items"),
        Kind::MinProperties { limit } => format!("must have at least {limit} fields"),
        Kind::MaxProperties { limit } => format!("must have at most {limit} fields"),
        Kind::Pattern { pattern } => format!("must match the pattern {pattern}"),
        Kind::Enum { options } => format!("must be one of {options}"),
        Kind::Constant { expected_value } => format!("must be {expected_value}"),
        Kind::UniqueItems => "must not hold the same item twice".to_owned(),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => "fits none of the allowed forms".to_owned(),
        Kind::OneOfMultipleValid { .. } => "fits more than one of the allowed forms".to_owned(),
        Kind::FalseSchema => "must not be given".to_owned(),
        _ => format!("breaks the rule `{keyword}` of the schema"),
    };
    out.push(Problem::new(place, keyword, message));
}

fn type_words(kind: &jsonschema::error::TypeKind) -> String {
    match kind {
        jsonschema::error::TypeKind::Single(one) => format!("of type {one}"),
        jsonschema::error::TypeKind::Multiple(many) => {
            let names: Vec<String> = many.iter().map(|t| t.to_string()).collect();
            format!("of type {}", names.join(" or "))
        }
    }
}
