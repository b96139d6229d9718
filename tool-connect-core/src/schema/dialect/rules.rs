//! The rules of the model APIs as data: which dialect, what it says, and the page that states it.

use super::Dialect::{self, Anthropic, Gemini, OpenAi, OpenAiStrict};

/// One rule of a vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// Stable name, as in [`Finding::rule`](super::Finding::rule).
    pub id: &'static str,
    /// The dialects that have it.
    pub dialects: &'static [Dialect],
    /// What it asks for.
    pub says: &'static str,
    /// Where the vendor, or the API itself through its error, states it.
    pub page: &'static str,
}

const ALL: &[Dialect] = &[Anthropic, OpenAi, OpenAiStrict, Gemini];

const ANTHROPIC_TOOLS: &str =
    "https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use";
const ANTHROPIC_CUSTOM: &str = "https://platform.claude.com/docs/en/managed-agents/self-hosted-sandboxes";
const OPENAI_FUNCTIONS: &str = "https://platform.openai.com/docs/guides/function-calling";
const OPENAI_SCHEMAS: &str = "https://platform.openai.com/docs/guides/structured-outputs#supported-schemas";
const OPENAI_REFERENCE: &str = "https://platform.openai.com/docs/api-reference/chat/create";
const GEMINI_SCHEMA: &str = "https://ai.google.dev/api/caching#Schema";
const GEMINI_DECLARATION: &str = "https://ai.google.dev/api/caching#FunctionDeclaration";
const VERTEX_DECLARATION: &str =
    "https://cloud.google.com/vertex-ai/docs/reference/rest/v1beta1/FunctionDeclaration";
const VERTEX_FUNCTIONS: &str =
    "https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling";
const JSON_SCHEMA: &str = "https://json-schema.org/draft/2020-12";

const fn rule(
    id: &'static str,
    dialects: &'static [Dialect],
    says: &'static str,
    page: &'static str,
) -> Rule {
    Rule { id, dialects, says, page }
}

/// Every rule that [`lint`](super::lint) and [`lint_tool`](super::lint_tool) apply.
pub const RULES: &[Rule] = &[
    rule("name", ALL, "a tool's name matches ^[a-zA-Z0-9_-]{1,64}$", ANTHROPIC_TOOLS),
    rule(
        "name",
        &[OpenAi, OpenAiStrict],
        "letters, digits, underscores, dashes; at most 64",
        OPENAI_REFERENCE,
    ),
    rule(
        "name",
        &[Gemini],
        "begins with a letter or an underscore; at most 64 characters",
        VERTEX_DECLARATION,
    ),
    rule(
        "description",
        &[OpenAi, OpenAiStrict],
        "a tool's description has at most 1024 characters",
        "https://github.com/getsentry/sentry-mcp/issues/106",
    ),
    rule("root-object", &[Anthropic], "the root has `type: object` and `properties`", ANTHROPIC_TOOLS),
    rule("root-object", &[OpenAi], "the root has `type: object` and `properties`", OPENAI_FUNCTIONS),
    rule("root-object", &[OpenAiStrict], "the root is an object and no anyOf", OPENAI_SCHEMAS),
    rule("root-object", &[Gemini], "the root has type object", GEMINI_DECLARATION),
    rule("root-combinator", &[Anthropic], "no anyOf, oneOf or allOf at the root", ANTHROPIC_CUSTOM),
    rule(
        "root-combinator",
        &[OpenAi, OpenAiStrict],
        "no anyOf, oneOf, allOf, enum, const or not at the root",
        "https://github.com/langchain-ai/langchainjs/issues/9804",
    ),
    rule("reference", &[Anthropic], "no $ref anywhere; inline it", ANTHROPIC_CUSTOM),
    rule("reference", &[OpenAi, OpenAiStrict], "every $ref leads somewhere in the document", OPENAI_SCHEMAS),
    rule("reference", &[Gemini], "no $ref: Schema has no such field", GEMINI_SCHEMA),
    rule("property-name", &[Anthropic], "property names match ^[a-zA-Z0-9_.-]{1,64}$", ANTHROPIC_CUSTOM),
    rule(
        "property-name",
        &[Gemini],
        "property names match ^[a-zA-Z_][a-zA-Z0-9_]{0,63}$",
        VERTEX_DECLARATION,
    ),
    rule("malformed", ALL, "every keyword has a value of its kind", JSON_SCHEMA),
    rule("type", ALL, "a type is one of JSON Schema's seven", JSON_SCHEMA),
    rule("type", &[OpenAiStrict], "every schema says its type, or is an anyOf", OPENAI_SCHEMAS),
    rule("type", &[Gemini], "every schema has exactly one type, or is an anyOf", GEMINI_SCHEMA),
    rule("keyword", &[OpenAiStrict], "only the supported keywords", OPENAI_SCHEMAS),
    rule("keyword", &[Gemini], "only the fields of Schema", GEMINI_SCHEMA),
    rule("required", &[OpenAiStrict], "every property is required", OPENAI_SCHEMAS),
    rule("required", &[Gemini], "what is required is a property", VERTEX_FUNCTIONS),
    rule("closed", &[OpenAiStrict], "every object has additionalProperties: false", OPENAI_SCHEMAS),
    rule(
        "items",
        &[OpenAi, OpenAiStrict],
        "every array says what its items are",
        "https://github.com/streamnative/streamnative-mcp-server/issues/26",
    ),
    rule("items", &[Gemini], "every array says what its items are", GEMINI_SCHEMA),
    rule(
        "empty-object",
        &[Gemini],
        "an object below the root has properties",
        "https://github.com/agno-agi/agno/issues/2112",
    ),
    rule("format", &[OpenAiStrict], "only the listed formats of strings", OPENAI_SCHEMAS),
    rule("format", &[Gemini], "enum, date-time; float, double; int32, int64", GEMINI_SCHEMA),
    rule(
        "enum",
        &[OpenAiStrict],
        "at most 1000 values; over 250 of them at most 15000 characters",
        OPENAI_SCHEMAS,
    ),
    rule("enum", &[Gemini], "strings only, of a schema of type string", GEMINI_SCHEMA),
    rule("any-of-alone", &[Gemini], "a schema with anyOf has no other field", VERTEX_FUNCTIONS),
    rule("depth", &[OpenAiStrict], "at most 10 levels of nesting", OPENAI_SCHEMAS),
    rule("properties", &[OpenAiStrict], "at most 5000 properties", OPENAI_SCHEMAS),
    rule("strings", &[OpenAiStrict], "names and enum values have at most 120000 characters", OPENAI_SCHEMAS),
];

/// Characters of a tool's description that the OpenAI APIs take.
pub(super) const OPENAI_DESCRIPTION: usize = 1024;

/// Limits of strict schemas.
pub(super) const STRICT_LEVELS: usize = 10;
pub(super) const STRICT_PROPERTIES: usize = 5000;
pub(super) const STRICT_ENUM_VALUES: usize = 1000;
pub(super) const STRICT_LONG_ENUM: usize = 250;
pub(super) const STRICT_LONG_ENUM_CHARS: usize = 15_000;
pub(super) const STRICT_STRINGS: usize = 120_000;

/// The keywords of a strict schema.
pub(super) const STRICT_KEYWORDS: &[&str] = &[
    "$defs",
    "$ref",
    "additionalProperties",
    "anyOf",
    "const",
    "description",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "items",
    "maxItems",
    "maximum",
    "minItems",
    "minimum",
    "multipleOf",
    "pattern",
    "properties",
    "required",
    "title",
    "type",
];
/// The fields of Gemini's `Schema`.
pub(super) const GEMINI_KEYWORDS: &[&str] = &[
    "anyOf",
    "default",
    "description",
    "enum",
    "example",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "nullable",
    "pattern",
    "properties",
    "propertyOrdering",
    "required",
    "title",
    "type",
];
/// Formats of strings in a strict schema.
pub(super) const STRICT_FORMATS: &[&str] =
    &["date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uuid"];

/// Whether a format may stand beside this type.
pub(super) fn format_allowed(dialect: Dialect, of: &str, format: &str) -> bool {
    match dialect {
        Anthropic | OpenAi => true,
        OpenAiStrict => of == "string" && STRICT_FORMATS.contains(&format),
        Gemini => match of {
            "string" => matches!(format, "enum" | "date-time"),
            "number" => matches!(format, "float" | "double"),
            "integer" => matches!(format, "int32" | "int64"),
            _ => false,
        },
    }
}

/// Whether a property may have this name.
pub(super) fn property_name_allowed(dialect: Dialect, name: &str) -> bool {
    let all = |more: &str| {
        (1..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    match dialect {
        OpenAi | OpenAiStrict => true,
        Anthropic => all("_.-"),
        Gemini => all("_") && !name.starts_with(|c: char| c.is_ascii_digit()),
    }
}

/// Whether a tool may have this name.
pub(super) fn tool_name_allowed(dialect: Dialect, name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        && (dialect != Gemini || name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
}

/// Whether a keyword has a value of its kind. Keywords that are not known have no kind.
pub(super) fn well_formed(key: &str, value: &serde_json::Value) -> bool {
    use serde_json::Value;
    let schema = |v: &Value| v.is_object() || v.is_boolean();
    let strings = |v: &Value| v.as_array().is_some_and(|all| all.iter().all(Value::is_string));
    let count = |v: &Value| v.as_u64().is_some() || v.as_f64().is_some_and(|n| n >= 0.0 && n.fract() == 0.0);
    match key {
        "properties" | "patternProperties" | "$defs" | "dependentSchemas" => {
            value.as_object().is_some_and(|all| all.values().all(schema))
        }
        "dependentRequired" => value.as_object().is_some_and(|all| all.values().all(strings)),
        "required" => strings(value),
        "anyOf" | "oneOf" | "allOf" | "prefixItems" => {
            value.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(schema))
        }
        "items"
        | "additionalProperties"
        | "not"
        | "if"
        | "then"
        | "else"
        | "contains"
        | "propertyNames"
        | "unevaluatedProperties"
        | "unevaluatedItems" => schema(value),
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => value.is_number(),
        "multipleOf" => value.as_f64().is_some_and(|n| n > 0.0),
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties"
        | "minContains" | "maxContains" => count(value),
        "uniqueItems" | "nullable" | "deprecated" | "readOnly" | "writeOnly" => value.is_boolean(),
        "enum" => value.as_array().is_some_and(|all| !all.is_empty()),
        "pattern" | "format" | "title" | "description" | "$ref" | "$schema" | "$id" | "$comment"
        | "contentEncoding" | "contentMediaType" => value.is_string(),
        "examples" => value.is_array(),
        _ => true,
    }
}

/// JSON Schema's seven types.
pub(super) const TYPES: &[&str] = &["array", "boolean", "integer", "null", "number", "object", "string"];
