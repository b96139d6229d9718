//! Servers: where requests go, with variables, relative to where the document comes from.

use std::collections::BTreeMap;

use serde_json::Value;
use url::Url;

use super::document::{Document, Version};
use super::documents::shown;

/// The first server of a list that can be used, else why none can.
pub(super) fn first(
    document: &Document,
    servers: &Value,
    variables: &BTreeMap<String, String>,
) -> Result<Url, String> {
    let list = servers.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut problem = None;
    for server in list {
        match one(document, server, variables) {
            Ok(url) => return Ok(url),
            Err(why) => problem = problem.or(Some(why)),
        }
    }
    match problem {
        Some(why) => Err(why),
        // Without any the document's own place is meant (OpenAPI 3.1 §4.8.1).
        None => relative(document, "/"),
    }
}

/// The server of the whole document.
pub(super) fn main(document: &Document, variables: &BTreeMap<String, String>) -> Result<Url, String> {
    if document.version != Version::V2 {
        return first(document, &document.top("servers"), variables);
    }
    let text = |name: &str| document.top(name).as_str().map(str::to_owned);
    let path = text("basePath").unwrap_or_else(|| "/".to_owned());
    let schemes: Vec<String> = match document.top("schemes") {
        Value::Array(all) => all.iter().filter_map(|one| one.as_str()).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let scheme = match &document.url {
        _ if schemes.iter().any(|scheme| scheme == "https") => "https",
        _ if schemes.iter().any(|scheme| scheme == "http") => "http",
        Some(url) if schemes.is_empty() && url.scheme() == "http" => "http",
        _ => "https",
    };
    match text("host").filter(|host| !host.is_empty()) {
        Some(host) => {
            let host = host
                .trim_start_matches("https://")
                .trim_start_matches("http://")
                .trim_end_matches('/')
                .to_owned();
            let host = substitute(&host, &Value::Null, variables)?;
            checked(&format!("{scheme}://{host}/{}", path.trim_start_matches('/')))
        }
        None => relative(document, &path),
    }
}

fn one(document: &Document, server: &Value, variables: &BTreeMap<String, String>) -> Result<Url, String> {
    let Some(template) = server.get("url").and_then(Value::as_str) else {
        return Err("a server has no URL".to_owned());
    };
    let text = substitute(template.trim(), server.get("variables").unwrap_or(&Value::Null), variables)?;
    match Url::parse(&text) {
        Ok(_) => checked(&text),
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            // `api.example.com/v1`, which was meant to be absolute, reads as a relative path: only the document's URL decides.
            relative(document, &text)
        }
        Err(error) => Err(format!("the server `{}` is no URL: {error}", shown(&text))),
    }
}

fn relative(document: &Document, text: &str) -> Result<Url, String> {
    let Some(base) = &document.url else {
        return Err(format!(
            "the server `{}` is relative, and it is not known where the document comes from: give its URL, or a base URL",
            shown(text)
        ));
    };
    let url = base.join(text).map_err(|error| format!("the server `{}` is no URL: {error}", shown(text)))?;
    checked(url.as_str())
}

/// An address that requests can be sent to. Whether it may be reached is for the address guard of the request stack.
fn checked(text: &str) -> Result<Url, String> {
    let mut url =
        Url::parse(text).map_err(|error| format!("the server `{}` is no URL: {error}", shown(text)))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("the server `{}` does not speak HTTP", shown(text)));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the server's URL holds a credential; it belongs to a connection".to_owned());
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

/// Fills the variables in: the host's value, else the default.
fn substitute(template: &str, declared: &Value, given: &BTreeMap<String, String>) -> Result<String, String> {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, next)) = after.split_once('}') else { break };
        out.push_str(before);
        let known = declared.get(name);
        let allowed = known.and_then(|v| v.get("enum")).and_then(Value::as_array);
        let value = match given.get(name) {
            Some(value) => {
                if allowed.is_some_and(|all| !all.iter().any(|one| one.as_str() == Some(value))) {
                    return Err(format!(
                        "the value of the server variable `{}` is none of those that the description allows",
                        shown(name)
                    ));
                }
                value.clone()
            }
            None => known
                .and_then(|v| v.get("default"))
                .or_else(|| allowed.and_then(|all| all.first()))
                .and_then(|value| match value {
                    Value::String(text) => Some(text.clone()),
                    Value::Number(number) => Some(number.to_string()),
                    _ => None,
                })
                .ok_or_else(|| {
                    format!("the server variable `{}` has no default; set it with `variable`", shown(name))
                })?,
        };
        out.push_str(&value);
        rest = next;
    }
    out.push_str(rest);
    Ok(out)
}
