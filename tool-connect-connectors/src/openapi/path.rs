//! The path of an operation as a template whose placeholders are its path parameters.

use super::build::{Failure, Reason};
use super::documents::shown;
use super::parameters::{Given, In};

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
