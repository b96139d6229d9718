//! How an operation's answers come in pages: what an extension says, else what the common conventions are, each only where the
//! request and the answer both show it.

use serde_json::Value;

use super::document::Document;
use super::schema::{Converter, Object};
use crate::operation::{PageValue, Pagination};
use std::sync::Arc;

/// A query parameter, as far as pages go.
pub(super) struct Query<'a> {
    pub(super) name: &'a str,
    pub(super) is_number: bool,
    pub(super) default: Option<u64>,
}

/// What is known of the answer.
pub(super) struct Answered<'a> {
    pub(super) document: &'a Arc<Document>,
    /// The schema of the answer as it stands there.
    pub(super) schema: &'a Value,
    /// Whether the answer has a `link` header.
    pub(super) link: bool,
}

const CURSORS: &[&str] = &[
    "cursor",
    "page_token",
    "pageToken",
    "next_token",
    "nextToken",
    "NextToken",
    "continuation_token",
    "continuationToken",
    "page_cursor",
    "start_cursor",
    "next_cursor",
    "nextCursor",
    "next_page_token",
    "after",
    "offset",
    "marker",
    "Marker",
    "page",
];
const NEXT_CURSORS: &[&str] = &[
    "next_cursor",
    "nextCursor",
    "next_page_token",
    "nextPageToken",
    "nextToken",
    "next_token",
    "NextToken",
    "NextMarker",
    "continuation_token",
    "continuationToken",
    "next_page_cursor",
    "end_cursor",
    "endCursor",
    "after",
];
const GROUPS: &[&str] = &[
    "meta",
    "metadata",
    "paging",
    "pagination",
    "page_info",
    "pageInfo",
    "response_metadata",
    "cursors",
    "cursor",
    "links",
    "_links",
];
const NEXT_URLS: &[&str] = &[
    "@odata.nextLink",
    "odata.nextLink",
    "nextLink",
    "next_page_url",
    "next_url",
    "nextPageUrl",
    "next_page_uri",
    "next",
];
const HAS_MORE: &[&str] = &["has_more", "hasMore", "has_next", "has_next_page", "hasNextPage"];
const PAGES: &[&str] =
    &["page", "page_number", "pageNumber", "page_no", "pageNo", "page_num", "page[number]"];
const OFFSETS: &[&str] = &["offset", "skip", "$skip", "start_at", "startAt", "start_index", "startIndex"];
const ITEMS: &[&str] =
    &["items", "data", "results", "value", "values", "records", "entries", "list", "objects"];

/// The pages of an operation; `None` where nothing shows them.
pub(super) fn find(
    operation: &Object,
    query: &[Query<'_>],
    answered: &Answered<'_>,
    converter: &mut Converter<'_>,
) -> Option<Pagination> {
    let root = converter.root(answered.document, answered.schema);
    if let Some(said) = extension(operation, query) {
        return Some(said);
    }
    let items = items(&root, converter)?;
    let with = |next: PageValue, parameter: Option<&str>| {
        let mut pagination = Pagination::new(next, parameter.map(str::to_owned));
        pagination.items.clone_from(&items);
        Some(pagination)
    };
    let asks = |names: &[&str]| names.iter().find_map(|name| query.iter().find(|one| one.name == *name));
    let has = |name: &str| root.pointer("/properties").and_then(|all| all.get(name));
    let more = HAS_MORE.iter().find(|name| has(name).is_some()).map(|name| pointer(&[name]));

    if let Some(carrier) = asks(CURSORS)
        && let Some(place) = cursor(&root, carrier.name, converter)
    {
        let mut found = with(PageValue::Cursor(place), Some(carrier.name))?;
        found.has_more = more;
        return Some(found);
    }
    if let Some(carrier) = asks(&["starting_after"])
        && more.is_some()
    {
        let mut found = with(PageValue::LastItem("/id".to_owned()), Some(carrier.name))?;
        found.has_more = more;
        return Some(found);
    }
    if let Some(place) = url(&root, converter) {
        return with(PageValue::Url(place), None);
    }
    if answered.link
        && (asks(PAGES).is_some()
            || asks(CURSORS).is_some()
            || asks(&["per_page", "limit", "since"]).is_some())
    {
        return with(PageValue::LinkHeader, None);
    }
    if let Some(page) = asks(PAGES).filter(|page| page.is_number) {
        return with(PageValue::Page(page.default.filter(|first| *first < 2).unwrap_or(1)), Some(page.name));
    }
    if let Some(offset) =
        asks(OFFSETS).filter(|offset| offset.is_number && offset.default.is_none_or(|d| d == 0))
    {
        return with(PageValue::Offset, Some(offset.name));
    }
    None
}

fn pointer(names: &[&str]) -> String {
    names.iter().map(|name| format!("/{}", super::document::escape(name))).collect()
}

/// `x-ms-pageable` and `x-speakeasy-pagination`.
fn extension(operation: &Object, query: &[Query<'_>]) -> Option<Pagination> {
    if let Some(said) = operation.get("x-ms-pageable").and_then(Value::as_object) {
        // A null link says: a list, in one piece.
        let next = said.get("nextLinkName")?.as_str()?;
        let items = said.get("itemName").and_then(Value::as_str).unwrap_or("value");
        let mut found = Pagination::new(PageValue::Url(pointer(&[next])), None);
        found.items = Some(pointer(&[items]));
        return Some(found);
    }
    let said = operation.get("x-speakeasy-pagination")?.as_object()?;
    let output = |name: &str| said.get("outputs")?.get(name)?.as_str().and_then(json_path);
    let input = |kind: &str| {
        let inputs = said.get("inputs")?.as_array()?;
        let one = inputs.iter().find(|one| one.get("type").and_then(Value::as_str) == Some(kind))?;
        let name = one.get("name")?.as_str()?;
        query.iter().find(|known| known.name == name)
    };
    let mut found = match said.get("type")?.as_str()? {
        "cursor" => {
            Pagination::new(PageValue::Cursor(output("nextCursor")?), Some(input("cursor")?.name.to_owned()))
        }
        "url" => Pagination::new(PageValue::Url(output("nextUrl")?), None),
        "offsetLimit" => match (input("page"), input("offset")) {
            (Some(page), _) => {
                Pagination::new(PageValue::Page(page.default.unwrap_or(1)), Some(page.name.to_owned()))
            }
            (_, Some(offset)) => Pagination::new(PageValue::Offset, Some(offset.name.to_owned())),
            _ => return None,
        },
        _ => return None,
    };
    found.items = output("results");
    Some(found)
}

/// `$.data.next` as a pointer; paths that choose among items have none.
fn json_path(path: &str) -> Option<String> {
    let rest = path.strip_prefix('$')?;
    if rest.contains(['[', '*', '?', '@']) || rest.contains("..") {
        return None;
    }
    let names: Vec<&str> = rest.split('.').filter(|name| !name.is_empty()).collect();
    (!names.is_empty()).then(|| pointer(&names))
}

fn is_array(schema: &Value) -> bool {
    schema
        .get("type")
        .is_some_and(|t| t == "array" || t.as_array().is_some_and(|t| t.iter().any(|t| t == "array")))
}

/// Where the items are: the whole, or the one array of the answer. The outer `None`: nowhere.
#[allow(clippy::option_option)]
fn items(root: &Value, converter: &mut Converter<'_>) -> Option<Option<String>> {
    if is_array(root) {
        return Some(None);
    }
    let properties = root.get("properties")?.as_object()?;
    let mut arrays: Vec<&str> = Vec::new();
    for (name, schema) in properties {
        if is_array(schema) || is_array(&converter.look(schema)) {
            arrays.push(name);
        }
    }
    let name = match arrays.as_slice() {
        [] => return None,
        [one] => one,
        many => ITEMS.iter().find(|name| many.contains(name))?,
    };
    Some(Some(pointer(&[name])))
}

/// Where the next cursor is in the answer.
fn cursor(root: &Value, carrier: &str, converter: &mut Converter<'_>) -> Option<String> {
    let properties = root.get("properties")?.as_object()?;
    let scalar = |schema: &Value| schema.get("properties").is_none() && !is_array(schema);
    let mut names: Vec<&str> = NEXT_CURSORS.to_vec();
    // Some services call both the same.
    if ["offset", "cursor", "marker", "pageToken", "page_token"].contains(&carrier)
        && !PAGES.contains(&carrier)
    {
        let is_text = |schema: &Value| {
            schema.get("type").is_some_and(|t| t == "string" || *t == serde_json::json!(["string", "null"]))
        };
        if properties.get(carrier).is_some_and(is_text) {
            names.push(carrier);
        }
    }
    if let Some(name) = names.iter().find(|name| properties.get(**name).is_some_and(scalar)) {
        return Some(pointer(&[name]));
    }
    for group in GROUPS {
        let Some(schema) = properties.get(*group) else { continue };
        let inner = converter.look(schema);
        let Some(inner) = inner.get("properties").and_then(Value::as_object) else { continue };
        if let Some(name) = names.iter().find(|name| inner.contains_key(**name)) {
            return Some(pointer(&[group, name]));
        }
    }
    None
}

/// Where the next page's URL is in the answer.
fn url(root: &Value, converter: &mut Converter<'_>) -> Option<String> {
    let properties = root.get("properties")?.as_object()?;
    let is_url = |name: &str, schema: &Value, among: &Object| {
        let is_text =
            schema.get("type").is_some_and(|t| t == "string" || *t == serde_json::json!(["string", "null"]));
        let says = schema.get("format").is_some_and(|f| f == "uri" || f == "url" || f == "uri-reference");
        // A bare `next` may be anything, but not beside a `previous`.
        is_text && (name != "next" || says || ["previous", "prev"].iter().any(|n| among.contains_key(*n)))
    };
    let among = |all: &Object| {
        NEXT_URLS.iter().find(|name| all.get(**name).is_some_and(|s| is_url(name, s, all))).copied()
    };
    if let Some(name) = among(properties) {
        return Some(pointer(&[name]));
    }
    for group in ["links", "_links", "paging", "pagination"] {
        let Some(schema) = properties.get(group) else { continue };
        let inner = converter.look(schema);
        let Some(inner) = inner.get("properties").and_then(Value::as_object) else { continue };
        if let Some(name) = among(inner).or_else(|| {
            (group.ends_with("links")
                && inner.get("next").and_then(|n| n.get("type")).is_some_and(|t| t == "string"))
            .then_some("next")
        }) {
            return Some(pointer(&[group, name]));
        }
        if let Some(next) = inner.get("next") {
            let next = converter.look(next);
            if next.pointer("/properties/href").is_some() {
                return Some(pointer(&[group, "next", "href"]));
            }
        }
    }
    None
}
