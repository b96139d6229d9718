//! The path of an operation as a template whose placeholders are its path parameters.

use super::build::{Failure, Reason};
use super::documents::shown;
use super::parameters::{Given, In};

/// The path without what its query asks for as `q={q}`: that is a parameter of the query, also where the description puts it into the
/// path, which has no query (OpenAPI 3.1 §4.8.8.2).
pub(super) fn without_query(path: &str, parameters: &mut [Given]) -> String {
    let path = path.split('#').next().unwrap_or_default();
    // `{?q}` is a form of RFC 6570.
    let Some((before, query)) = path.split_once('?').filter(|(before, _)| !before.ends_with('{')) else {
        return path.to_owned();
    };
    let left: Vec<&str> = query.split('&').filter(|pair| !asked(before, pair, parameters)).collect();
    if left.is_empty() { before.to_owned() } else { format!("{before}?{}", left.join("&")) }
}

/// Whether a pair of the query is a parameter of its own, which it then is made.
fn asked(path: &str, pair: &str, parameters: &mut [Given]) -> bool {
    let Some((key, name)) =
        pair.split_once("={").and_then(|(key, value)| Some((key, value.strip_suffix('}')?)))
    else {
        return false;
    };
    let known = parameters.iter().any(|given| given.place == In::Query && given.name == key);
    match parameters.iter_mut().find(|given| given.place == In::Path && given.name == name) {
        Some(given) if !known && !path.contains(&format!("{{{name}}}")) => {
            given.place = In::Query;
            given.required = true;
            key.clone_into(&mut given.name);
            true
        }
        Some(_) => false,
        None => known && key == name,
    }
}

/// The template, and the names of placeholders that no parameter describes. A fragment, with which some descriptions tell
/// operations of one path apart, is not sent.
pub(super) fn template(
    path: &str,
    parameters: &[Given],
    pointer: &str,
) -> Result<(String, Vec<String>), Failure> {
    let path = path.split('#').next().unwrap_or_default().trim();
    let mut out = String::with_capacity(path.len() + 1);
    if !path.starts_with('/') {
        out.push('/');
    }
    let mut missing: Vec<String> = Vec::new();
    let broken = |why: &str| Failure::new(Reason::Path, format!("the path `{}` {why}", shown(path)), pointer);
    let mut rest = path;
    while let Some(open) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at(open);
        out.push_str(before);
        let Some(inner) = after.strip_prefix('{') else {
            return Err(broken("has a closing brace without an opening one"));
        };
        let Some((inner, next)) = inner.split_once('}') else { return Err(broken("has an open brace")) };
        rest = next;
        // Forms of RFC 6570 that say how a value is written; queries are parameters of their own.
        if inner.starts_with(['?', '&', '#']) {
            continue;
        }
        if inner.contains('{') {
            return Err(broken("has a placeholder within a placeholder"));
        }
        let known = |name: &str| parameters.iter().any(|given| given.place == In::Path && given.name == name);
        let bare = inner.trim_start_matches(['+', '/', '.', ';']).trim_end_matches('*').trim();
        let name = if known(inner) { inner } else { bare };
        if name.is_empty() {
            return Err(broken("has a placeholder without a name"));
        }
        if !known(name) && !missing.iter().any(|one| one == name) {
            missing.push(name.to_owned());
        }
        out.push('{');
        out.push_str(name);
        out.push('}');
    }
    out.push_str(rest);
    if out.split_once('?').is_some_and(|(_, query)| query.contains('{')) {
        return Err(broken("has a placeholder in its query"));
    }
    // Whitespace and control characters cannot stand in a path as they are.
    if out.chars().any(|c| c.is_control() || c.is_whitespace()) {
        out = out
            .chars()
            .filter(|c| !c.is_control())
            .map(|c| if c.is_whitespace() { "%20".to_owned() } else { c.to_string() })
            .collect();
    }
    Ok((out, missing))
}
