//! A tool of the file as a definition and an operation.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, Method};
use serde_json::{Map, Value, json};
use tool_connect_core::{
    Annotations, AuthScheme, Error, ErrorKind, InstanceId, MAX_TOOL_NAME, Result, SchemaSource,
    ToolDefinition, ToolId, check_name,
};

use super::answer::{answer, pagination};
use super::argument::{self, Sorted};
use super::body;
use super::connector::{Action, Entry};
use super::file::{How, Tool};
use super::load::{self, wrong};
use super::schema;
use crate::operation::{ErrorRule, Operation, Parameter, Place, Placed};

/// The argument that asks for the whole answer.
const FULL: &str = "full";
/// Most arguments of a tool.
const MAX_ARGS: usize = 100;

/// What holds for every tool of a file.
pub(super) struct Common<'a> {
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) idempotency_header: Option<HeaderName>,
    pub(super) errors: Vec<ErrorRule>,
    /// What every request has in its query.
    pub(super) query: Vec<Parameter>,
    /// Whether tools that keep some fields take an argument for the whole.
    pub(super) full: bool,
    pub(super) auth: &'a [AuthScheme],
}

/// Reads one tool.
pub(super) fn entry(name: &str, tool: Tool, common: &Common<'_>) -> Result<Entry> {
    let place = format!("tools.{name}");
    check_name("it", name, MAX_TOOL_NAME).map_err(|error| wrong(&place, error.message()))?;
    if tool.description.trim().is_empty() {
        return Err(wrong(
            &format!("{place}.description"),
            "is empty; say what the tool does, for a model to choose by",
        ));
    }
    let method = method(&place, &tool.method)?;
    check_path(&place, &tool.path)?;
    let mut operation = Operation::new(method.clone(), tool.path.clone());
    operation.headers.clone_from(&common.headers);
    for (name, value) in load::headers(&format!("{place}.headers"), &tool.headers)? {
        operation.headers.retain(|(known, _)| *known != name);
        operation.headers.push((name, value));
    }
    operation.idempotency_header = match &tool.idempotency_header {
        Some(name) => Some(load::header(&format!("{place}.idempotency_header"), name)?),
        None => common.idempotency_header.clone(),
    };
    operation.errors = load::rules(&format!("{place}.errors"), &tool.errors)?;
    operation.errors.extend(common.errors.iter().cloned());
    let annotations = annotations(&place, &tool, &method)?;
    // Not by the method: a PUT that adds something is no more idempotent than a POST. A call's idempotency key makes it so.
    operation.repeatable = Some(annotations.repeatable());
    operation.pagination = tool.pagination.as_ref().map(|pages| pagination(&place, pages)).transpose()?;
    operation.answer = answer(&place, &tool.result)?;
    if common.full && !(operation.answer.fields.is_empty() && operation.answer.texts.is_empty()) {
        operation.answer.full = Some(FULL.to_owned());
    }
    let (input, filled) = arguments(&place, &tool, &mut operation, common)?;
    let definition = definition(name, &place, tool, &operation, annotations, &input)?;
    Ok(Entry { definition, action: Arc::new(Action { operation, filled }) })
}

fn method(place: &str, text: &str) -> Result<Method> {
    match text {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" => Method::try_from(text).ok(),
        _ => None,
    }
    .ok_or_else(|| wrong(&format!("{place}.method"), "must be GET, HEAD, POST, PUT, PATCH or DELETE"))
}

fn check_path(place: &str, path: &str) -> Result<()> {
    let place = format!("{place}.path");
    if !path.starts_with('/') {
        return Err(wrong(&place, "must begin with `/`: it stands below `base_url`"));
    }
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let leads_away = |part: &str| matches!(&*part.to_ascii_lowercase().replace("%2e", "."), "." | "..");
    if path.split('/').any(leads_away) || path.contains(['#', '\\']) || query.contains(['{', '}', '#']) {
        return Err(wrong(
            &place,
            "must not hold `.` or `..` as a part, `\\`, `#`, or a placeholder in its query",
        ));
    }
    if path.matches('{').count() != path.matches('}').count() {
        return Err(wrong(&place, "has a brace that is not closed"));
    }
    Ok(())
}

fn annotations(place: &str, tool: &Tool, method: &Method) -> Result<Annotations> {
    let reads = tool.read_only.unwrap_or_else(|| method.is_safe());
    if method.is_safe() && !reads {
        return Err(wrong(
            &format!("{place}.read_only"),
            "says that a GET or HEAD request writes; use another method",
        ));
    }
    if reads && (tool.destructive == Some(true) || tool.idempotent == Some(false)) {
        return Err(wrong(place, "is read-only, and says that it destroys or cannot be repeated"));
    }
    if tool.cache.is_some() && !reads {
        return Err(wrong(&format!("{place}.cache"), "is for tools that only read"));
    }
    if reads {
        return Ok(Annotations::READ);
    }
    Ok(Annotations {
        destructive: tool.destructive.unwrap_or(true),
        idempotent: tool.idempotent.unwrap_or_else(|| method.is_idempotent()),
        ..Annotations::default()
    })
}

/// Values that are filled in, by the argument's name.
type Filled = Vec<(String, Value)>;

/// Sorts the arguments into the operation; returns the input schema, and what is filled in by itself.
fn arguments(
    place: &str,
    tool: &Tool,
    operation: &mut Operation,
    common: &Common<'_>,
) -> Result<(Map<String, Value>, Filled)> {
    if tool.args.len() > MAX_ARGS {
        return Err(wrong(&format!("{place}.args"), format_args!("has more than {MAX_ARGS} arguments")));
    }
    let how = tool.body.as_ref().map(|body| body.encoding).unwrap_or_default();
    let (mut properties, mut required, mut filled) = (Map::new(), Vec::new(), Vec::new());
    let (mut members, mut fields, mut parts) = (Vec::new(), Vec::new(), Vec::new());
    let mut places: Vec<Placed> = Vec::new();
    operation.parameters.extend(common.query.iter().cloned());
    for (name, arg) in &tool.args {
        let place = format!("{place}.args.{name}");
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') || name.len() > 64 {
            return Err(wrong(
                &place,
                "has a name that model APIs do not take; use a-z, 0-9 and `_`, and `name` for the service's",
            ));
        }
        if name == Operation::PAGE && tool.pagination.is_some() {
            return Err(wrong(
                &place,
                "is there by itself where a tool has `pagination`; leave it out, or rename it with `name`",
            ));
        }
        if name == FULL && operation.answer.full.is_some() {
            return Err(wrong(
                &place,
                "is there by itself where a file has `full_argument`; leave it out, or rename it with `name`",
            ));
        }
        let fixed = argument::fixed(&place, arg)?;
        let mut in_path = false;
        match argument::sort(&place, name, arg, tool)? {
            Sorted::Parameter(parameter) => {
                let taken = common.auth.iter().any(|scheme| match scheme {
                    AuthScheme::ApiKeyQuery { parameter: key } => {
                        parameter.place == Place::Query && parameter.wire == *key
                    }
                    AuthScheme::ApiKeyHeader { header, .. } => {
                        parameter.place == Place::Header && parameter.wire.eq_ignore_ascii_case(header)
                    }
                    _ => false,
                });
                if taken {
                    return Err(wrong(&place, "stands where the host puts the credential; leave it out"));
                }
                in_path = parameter.place == Place::Path;
                let twice = |other: &crate::operation::Parameter| {
                    other.wire == parameter.wire && other.place == parameter.place
                };
                if operation.parameters.iter().any(twice) {
                    return Err(wrong(&place, "is sent under a name that another argument has"));
                }
                operation.parameters.push(parameter);
            }
            Sorted::Member(wire) => {
                argument::check_member(&place, arg, how)?;
                let placed = Placed::new(name, format!("/{}", argument::escaped(&wire)));
                if places.iter().any(|other| other.at == placed.at) {
                    return Err(wrong(&place, "is sent under a name that another argument has"));
                }
                places.push(placed);
                fields.push(argument::field(&wire, arg));
                parts.push(argument::part(&wire, arg));
                if let Some(default) = &arg.default {
                    filled.push((name.clone(), load::json(&format!("{place}.default"), default)?));
                }
                members.push((name.clone(), wire));
            }
            Sorted::Placed(placed) => {
                argument::check_member(&place, arg, how)?;
                if !matches!(how, How::Json) || tool.body.as_ref().is_some_and(|body| body.argument.is_some())
                {
                    return Err(wrong(&place, "has an `at` or a `template`, which only a body of JSON has"));
                }
                if places.iter().any(|other| other.at == placed.at) {
                    return Err(wrong(&place, "is sent to a place that another argument has"));
                }
                if let Some(default) = &arg.default {
                    filled.push((name.clone(), load::json(&format!("{place}.default"), default)?));
                }
                places.push(placed);
            }
        }
        match fixed {
            Some(value) => filled.push((name.clone(), value)),
            None => {
                properties.insert(name.clone(), schema::of(&place, arg, 0)?);
                if arg.required || (in_path && arg.default.is_none()) {
                    required.push(name.clone());
                }
            }
        }
    }
    let placeholders =
        tool.path.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name));
    for name in placeholders {
        let known = |parameter: &crate::operation::Parameter| {
            parameter.place == Place::Path && parameter.wire == name
        };
        if !operation.parameters.iter().any(known) {
            return Err(wrong(
                &format!("{place}.path"),
                format_args!("has `{{{name}}}`, and there is no argument for it: add `args.{name}`"),
            ));
        }
    }
    if let Some(at) = body::page(place, tool, how, &places)? {
        places.push(Placed::new(Operation::PAGE, at));
    }
    operation.body =
        body::of(place, tool.body.as_ref(), body::Parts { members, places, fields, parts }, &required)?;
    if operation.answer.full.is_some() {
        let full = json!({"type": "boolean", "default": false, "description": "Whether to return all that the service answers instead of the fields that matter."});
        properties.insert(FULL.to_owned(), full);
    }
    if tool.pagination.is_some() {
        let page = json!({"type": "string", "description": "Which page: what an earlier result has as its `next`. Leave it out for the first one."});
        properties.insert(Operation::PAGE.to_owned(), page);
    }
    let mut input = Map::new();
    input.insert("type".to_owned(), "object".into());
    input.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        input.insert("required".to_owned(), required.into());
    }
    input.insert("additionalProperties".to_owned(), false.into());
    Ok((input, filled))
}

fn definition(
    name: &str,
    place: &str,
    tool: Tool,
    operation: &Operation,
    annotations: Annotations,
    input: &Map<String, Value>,
) -> Result<ToolDefinition> {
    let input: Arc<str> = serde_json::to_string(input).unwrap_or_default().into();
    let mut definition =
        ToolDefinition::new(name.to_owned(), tool.description.trim().to_owned(), SchemaSource::Json(input))
            .annotations(annotations)
            .scopes(tool.scopes)
            .aliases(tool.aliases)
            .output(SchemaSource::Json(output(operation)));
    if let Some(title) = tool.title {
        definition = definition.title(title);
    }
    if let Some(version) = tool.version {
        semver::Version::parse(&version).map_err(|_| {
            wrong(&format!("{place}.version"), "is no semantic version; write one such as \"1.0.0\"")
        })?;
        definition = definition.version(version);
    }
    if let Some(cost) = tool.cost {
        if cost == 0 {
            return Err(wrong(&format!("{place}.cost"), "must be at least 1"));
        }
        definition = definition.cost(cost);
    }
    definition.timeout = tool.timeout;
    definition.cache = tool.cache;
    definition.deprecated = tool.deprecated.map(Into::into);
    let problems = definition
        .input
        .schema()
        .map_or_else(|problem| vec![problem], |schema| tool_connect_core::schema::problems_of_input(&schema));
    match problems.first() {
        Some(problem) => Err(wrong(&format!("{place}.args"), format_args!("make no schema: {problem}"))),
        None => Ok(definition),
    }
}

/// The schema of the result, as far as the file tells.
fn output(operation: &Operation) -> Arc<str> {
    if operation.pagination.is_some() {
        return json!({
            "type": "object",
            "properties": {
                "items": {"description": "What the page holds."},
                "next": {"type": ["string", "null"], "description": "To be given as `page` for the next page; null at the end."}
            },
            "required": ["items", "next"]
        })
        .to_string()
        .into();
    }
    let answer = &operation.answer;
    match &answer.schema {
        Some(schema) if answer.pointer.is_none() && answer.fields.is_empty() => Arc::clone(schema),
        _ => "{}".into(),
    }
}

/// Names and aliases stand once each, and fit into the names of model APIs.
pub(super) fn check_names(id: &str, tools: &[Entry]) -> Result<()> {
    let instance = InstanceId::new(id)?;
    let mut seen = std::collections::BTreeSet::new();
    for tool in tools {
        let definition = &tool.definition;
        for name in std::iter::once(&definition.name).chain(&definition.aliases) {
            let place = format!("tools.{}", definition.name);
            ToolId::new(&instance, name).map_err(|error| wrong(&place, error.message()))?;
            if !seen.insert(name.clone()) {
                return Err(Error::new(
                    ErrorKind::Config,
                    format!("`{place}` has the name or alias `{name}`, which another tool has, too"),
                ));
            }
        }
    }
    Ok(())
}
