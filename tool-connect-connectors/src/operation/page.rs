//! Pages: how `next` is found in an answer, and how it goes back into a request.

use std::collections::BTreeMap;

use http::{HeaderMap, header};
use serde_json::{Number, Value};
use tool_connect_core::{Error, ErrorKind, Result, ToolContext};
use url::Url;

use super::request::{self, Arguments, broken, refused};
use super::style::{self, Escape, STRICT};
use super::{BodyContent, Encoding, Operation, PageValue, Pagination, Place};

/// The argument that says which page.
pub(super) const ARGUMENT: &str = "page";

/// Which page a call asks for.
#[derive(Default)]
pub(super) struct Asked {
    /// What the caller gave as `page`.
    given: Option<String>,
    /// The number of the page, or of the items before it, where pages are counted.
    count: u64,
    /// Query parameters that the operation does not know by itself.
    pub(super) query: Vec<(String, String)>,
    /// The whole target, where a page has an address of its own.
    pub(super) target: Option<String>,
}

impl Asked {
    /// Takes the page out of the arguments and puts it where the request carries it.
    pub(super) fn of(operation: &Operation, arguments: &mut Arguments, cx: &ToolContext) -> Result<Self> {
        let Some(pagination) = &operation.pagination else { return Ok(Self::default()) };
        let carrier = |name: &str| {
            let mut fit = operation.parameters.iter().filter(|parameter| parameter.place != Place::Cookie);
            fit.find(|parameter| parameter.wire == name)
        };
        let taken = operation.parameters.iter().any(|parameter| {
            parameter.argument == ARGUMENT && pagination.parameter.as_ref() != Some(&parameter.wire)
        });
        if taken {
            return Err(broken(
                operation,
                "has an argument `page` of its own beside the one that says which page",
            ));
        }
        let given = match arguments.remove(ARGUMENT) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(_) => return Err(refused(ARGUMENT, "", "must be what an earlier result has as its `next`")),
        };
        let mut asked = Self { given, ..Self::default() };
        if let PageValue::Page(_) | PageValue::Offset = pagination.next {
            let own = pagination.parameter.as_deref().and_then(carrier);
            let own =
                own.and_then(|parameter| arguments.get(&parameter.argument).or(parameter.default.as_ref()));
            let first = if let PageValue::Page(first) = pagination.next { first } else { 0 };
            asked.count = match &asked.given {
                Some(given) => given.parse().map_err(|_| {
                    refused(ARGUMENT, "", "must be what an earlier result has as its `next`: a number")
                })?,
                None => own.and_then(|value| style::text(value).parse().ok()).unwrap_or(first),
            };
        }
        let Some(given) = asked.given.clone() else { return Ok(asked) };
        let Some(name) = &pagination.parameter else {
            asked.target = Some(target(operation, arguments, &given, cx)?);
            return Ok(asked);
        };
        let counted = matches!(pagination.next, PageValue::Page(_) | PageValue::Offset);
        let value = if counted { Value::Number(Number::from(asked.count)) } else { Value::String(given) };
        if let Some(parameter) = carrier(name) {
            arguments.insert(parameter.argument.clone(), value);
        } else if !into_body(operation, arguments, name, &value) {
            let all = Escape::Percent(STRICT);
            asked.query.push((all.write(name), all.write(&style::text(&value))));
        }
        Ok(asked)
    }
}

/// Puts the page into a JSON or form body; `false` where there is none that could hold it.
fn into_body(operation: &Operation, arguments: &mut Arguments, name: &str, value: &Value) -> bool {
    let Some(body) = &operation.body else { return false };
    if !matches!(body.encoding, Encoding::Json | Encoding::Form(_)) {
        return false;
    }
    match &body.content {
        BodyContent::Members(members) => match members.iter().find(|(_, member)| member == name) {
            Some((argument, _)) => {
                arguments.insert(argument.clone(), value.clone());
                true
            }
            None => false,
        },
        BodyContent::Placed(all) => {
            let at = if name.starts_with('/') { name.to_owned() } else { format!("/{name}") };
            match all.iter().find(|placed| placed.at == at) {
                Some(placed) => {
                    arguments.insert(placed.argument.clone(), value.clone());
                    true
                }
                None => false,
            }
        }
        BodyContent::Argument(whole) => {
            let body = arguments.entry(whole.clone()).or_insert_with(|| Value::Object(Arguments::new()));
            match body.as_object_mut() {
                Some(members) => members.insert(name.to_owned(), value.clone()),
                None => return false,
            };
            true
        }
    }
}

/// The address that the operation's requests have, without their query.
fn own_address(operation: &Operation, arguments: &Arguments, cx: &ToolContext) -> Result<Url> {
    let path = request::path(operation, arguments)?;
    let path = path.split('?').next().unwrap_or_default();
    if path.starts_with("http://") || path.starts_with("https://") {
        return Url::parse(path).map_err(|_| broken(operation, "has an address that is malformed"));
    }
    let Some(base) = cx.base_url() else {
        return Err(broken(operation, "has a relative path, and its instance no base URL"));
    };
    let mut url = base.clone();
    url.set_path(&format!("{}/{}", base.path().trim_end_matches('/'), path.trim_start_matches('/')));
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

/// Whether an address is that of the operation, or lies below it: a caller may not reach others with the tool.
fn is_of(own: &Url, other: &Url) -> bool {
    let below = |path: &str| {
        let rest = path.strip_prefix(own.path().trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    own.origin() == other.origin() && below(other.path())
}

/// What the operation always has in its query, by name: a page's own address does not choose it.
fn constants(operation: &Operation) -> Result<BTreeMap<String, Vec<String>>> {
    let mut query = operation.path.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default();
    let fixed = operation.parameters.iter().filter(|one| one.fixed && one.place == Place::Query);
    for (parameter, value) in fixed.filter_map(|one| one.default.as_ref().map(|value| (one, value))) {
        let escape = Escape::Percent(STRICT);
        let pairs = style::pairs(&parameter.wire, value, parameter.style, parameter.explode, escape)
            .map_err(|_| broken(operation, "has a constant that cannot be written"))?;
        pairs.iter().for_each(|(name, value)| query.push_str(&format!("&{name}={value}")));
    }
    let mut constants: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        constants.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    Ok(constants)
}

/// Where a page is that has an address of its own: a URL, or the query of one.
fn target(operation: &Operation, arguments: &Arguments, given: &str, cx: &ToolContext) -> Result<String> {
    let own = own_address(operation, arguments, cx)?;
    let wrong = || refused(ARGUMENT, "", "must be what an earlier result has as its `next`, unchanged");
    let mut url = match given.strip_prefix('?') {
        Some(query) => {
            let mut url = own.clone();
            url.set_query(Some(query));
            url
        }
        None => own.join(given).map_err(|_| wrong())?,
    };
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if !plain || !is_of(&own, &url) {
        return Err(wrong());
    }
    for (name, values) in constants(operation)? {
        let found: Vec<String> =
            url.query_pairs().filter(|(key, _)| *key == name).map(|(_, value)| value.into_owned()).collect();
        if found.is_empty() {
            url.query_pairs_mut().extend_pairs(values.iter().map(|value| (name.as_str(), value)));
        } else if found != values {
            return Err(wrong());
        }
    }
    // Braces would be taken for placeholders.
    Ok(String::from(url).replace('{', "%7B").replace('}', "%7D"))
}

/// What an answer says of the next page.
pub(super) struct Answered<'a> {
    pub(super) body: &'a Value,
    pub(super) headers: &'a HeaderMap,
    pub(super) items: &'a [Value],
}

/// The next page as the caller shall give it back, and what there is to say of it.
pub(super) fn next(
    operation: &Operation,
    pagination: &Pagination,
    asked: &Asked,
    arguments: &Arguments,
    answered: &Answered<'_>,
    cx: &ToolContext,
) -> Result<(Option<String>, Option<&'static str>)> {
    let more = pagination.has_more.as_deref().and_then(|pointer| answered.body.pointer(pointer));
    if more.is_some_and(|more| matches!(more, Value::Bool(false) | Value::Null)) {
        return Ok((None, None));
    }
    let at = |pointer: &str| answered.body.pointer(pointer).and_then(cursor);
    let address = |found: Option<String>| match found {
        Some(found) => by_address(operation, pagination, arguments, &found, cx),
        None => Ok((None, None)),
    };
    let (next, mark) = match &pagination.next {
        PageValue::Cursor(pointer) => (at(pointer), None),
        PageValue::Url(pointer) => address(at(pointer))?,
        PageValue::LinkHeader => address(link_to_next(answered.headers))?,
        PageValue::Header(name) => {
            let value = answered.headers.get(name).and_then(|value| value.to_str().ok());
            (value.filter(|value| !value.is_empty()).map(str::to_owned), None)
        }
        PageValue::Page(_) if answered.items.is_empty() => (None, None),
        PageValue::Page(_) => (Some(asked.count.saturating_add(1).to_string()), None),
        PageValue::Offset if answered.items.is_empty() => (None, None),
        PageValue::Offset => {
            let read = u64::try_from(answered.items.len()).unwrap_or(u64::MAX);
            (Some(asked.count.saturating_add(read).to_string()), None)
        }
        PageValue::LastItem(pointer) => {
            (answered.items.last().and_then(|item| item.pointer(pointer)).and_then(cursor), None)
        }
        PageValue::LeastItem(pointer) => {
            let ids = answered.items.iter().filter_map(|item| item.pointer(pointer).and_then(cursor));
            (ids.min_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b))), None)
        }
    };
    if next.is_some() && next == asked.given {
        return Ok((
            None,
            Some("The service names the same page again as the next one; the walk ends here."),
        ));
    }
    Ok((next, mark))
}

/// A cursor as text; none where it is null, empty or false.
fn cursor(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The next page from its address: whole, or the one parameter that tells pages apart.
fn by_address(
    operation: &Operation,
    pagination: &Pagination,
    arguments: &Arguments,
    found: &str,
    cx: &ToolContext,
) -> Result<(Option<String>, Option<&'static str>)> {
    let own = own_address(operation, arguments, cx)?;
    let elsewhere = |what: &'static str| {
        Error::new(ErrorKind::Blocked, format!("the service names a next page {what}, which is not followed"))
            .public("The service names a next page at an address that is not followed.")
            .effect(super::answer::effect(operation))
    };
    let url = own.join(found).map_err(|_| elsewhere("whose address is malformed"))?;
    if url.origin() != own.origin() {
        return Err(elsewhere("at another origin"));
    }
    if let Some(name) = &pagination.parameter {
        let value = url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let mark = value
            .is_none()
            .then_some("The next page's address lacks what tells pages apart; the walk ends here.");
        return Ok((value, mark));
    }
    if is_of(&own, &url) {
        return Ok((Some(url.into()), None));
    }
    // The service has another path for the same thing; its query is good at ours.
    match url.query() {
        Some(query) if !query.is_empty() => Ok((Some(format!("?{query}")), None)),
        _ => Err(elsewhere("at another path")),
    }
}

/// The target of the `link` headers' `rel="next"` (RFC 8288 §3).
fn link_to_next(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok());
    values.into_iter().find_map(|mut text| {
        loop {
            let (target, rest) = text.split_once('<')?.1.split_once('>')?;
            let (parameters, rest) = rest.split_at(outside_quotes(rest, b','));
            if is_next(parameters) {
                return Some(target.to_owned());
            }
            text = rest;
        }
    })
}

/// Where a text has this character first, outside of quotes; its end where it has none.
fn outside_quotes(text: &str, character: u8) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if byte == character && !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

fn is_next(mut parameters: &str) -> bool {
    loop {
        let (parameter, rest) = parameters.split_at(outside_quotes(parameters, b';'));
        if let Some((name, value)) = parameter.split_once('=') {
            let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
            if name.trim().eq_ignore_ascii_case("rel")
                && relations.any(|one| one.eq_ignore_ascii_case("next"))
            {
                return true;
            }
        }
        match rest.strip_prefix(';') {
            Some(rest) => parameters = rest,
            None => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_link_is_found_among_others() {
        for (text, expected) in [
            (
                r#"<https://a.example/?page=2>; rel="next", <https://a.example/?page=9>; rel="last""#,
                Some("https://a.example/?page=2"),
            ),
            (r#"</x?a=1,2>; rel="prev"; title="a, <b>; rel=next", </y>; rel=next"#, Some("/y")),
            (r#"</z>; foo; REL="last NEXT""#, Some("/z")),
            (r#"</z>; rel="nextish""#, None),
            ("", None),
            ("<", None),
            ("garbage, <x", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::LINK, text.parse().expect("a header"));
            assert_eq!(link_to_next(&headers).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn only_the_operations_own_address_and_what_is_below_count_as_its_pages() {
        let own: Url = "https://a.example/v1/query".parse().expect("a URL");
        for (other, expected) in [
            ("https://a.example/v1/query?x=1", true),
            ("https://a.example/v1/query/01g-2000", true),
            ("https://a.example/v1/query/../admin", false),
            ("https://a.example/v1/queries", false),
            ("https://a.example/v1", false),
            ("https://a.example:8443/v1/query", false),
            ("http://a.example/v1/query", false),
            ("https://b.example/v1/query", false),
        ] {
            assert_eq!(is_of(&own, &other.parse().expect("a URL")), expected, "{other}");
        }
    }
}
