//! Requests as Notion wants them, its ids, and its pages of lists
//! (<https://developers.notion.com/reference/intro#pagination>).

use http::{HeaderName, HeaderValue, Method};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tool_connect_core::http::{Classify, RequestBuilder};
use tool_connect_core::{Detail, Error, ErrorKind, Page, Result, ToolContext};

use super::error;

/// The version of the API that the tools are written for: <https://developers.notion.com/reference/versioning>.
const VERSION: &str = "2026-03-11";

/// What a connection must be allowed: <https://developers.notion.com/reference/capabilities>.
#[derive(Clone, Copy, Debug)]
pub(super) enum Needs {
    ReadContent,
    UpdateContent,
    InsertContent,
    ReadComments,
    InsertComments,
    UserInformation,
}

impl Needs {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::ReadContent => "Read content",
            Self::UpdateContent => "Update content",
            Self::InsertContent => "Insert content",
            Self::ReadComments => "Read comments",
            Self::InsertComments => "Insert comments",
            Self::UserInformation => "Read user information",
        }
    }
}

/// A request with Notion's version.
pub(super) fn request<'a>(
    cx: &'a ToolContext,
    method: Method,
    path: &str,
    needs: Needs,
) -> RequestBuilder<'a> {
    cx.http()
        .request(method, path)
        .header_value(HeaderName::from_static("notion-version"), HeaderValue::from_static(VERSION))
        .classify(Classify::new(move |parts, body| error::read(parts, body, Some(needs))))
}

/// An id as Notion writes it; taken with and without dashes, and out of the address of a page.
pub(super) fn id(pointer: &str, text: &str) -> Result<String> {
    let path = match text.split_once("://") {
        // The block that a fragment names, or the page that the path does.
        Some((_, rest)) => match rest.split_once('#') {
            Some((_, fragment)) => fragment,
            None => rest.split(['?', '#']).next().unwrap_or_default(),
        },
        None => text,
    };
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let digits: String = last.chars().filter(|c| *c != '-').collect();
    let from = digits.len().checked_sub(32).and_then(|from| digits.get(from..));
    let plain = text.len() <= 36 || text.contains("://");
    match from {
        Some(hex) if plain && hex.chars().all(|c| c.is_ascii_hexdigit()) => {
            let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
            Ok(format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
                .to_ascii_lowercase())
        }
        _ => Err(Error::invalid_argument(
            pointer,
            "must be an id of 32 hexadecimal digits, such as 0d7a1f0e-1111-4222-8333-944444444444, or the address of a page",
        )),
    }
}

/// [`id`] of an argument that may be missing.
pub(super) fn id_opt(pointer: &str, text: Option<&String>) -> Result<Option<String>> {
    text.map(|text| id(pointer, text)).transpose()
}

#[derive(Deserialize)]
pub(super) struct List<T> {
    pub(super) results: Vec<T>,
    #[serde(default)]
    next_cursor: Option<String>,
}

/// Asks for a page of a list by query.
pub(super) fn paged<'a>(
    request: RequestBuilder<'a>,
    size: Option<u32>,
    cursor: Option<&str>,
) -> RequestBuilder<'a> {
    request.query_opt("page_size", size).query_opt("start_cursor", cursor)
}

/// Asks for a page of a list in the body.
pub(super) fn paged_body(body: &mut Map<String, Value>, size: Option<u32>, cursor: Option<String>) {
    if let Some(size) = size {
        body.insert("page_size".to_owned(), size.into());
    }
    if let Some(cursor) = cursor {
        body.insert("start_cursor".to_owned(), cursor.into());
    }
}

/// Sends the request and reads a page of a list.
pub(super) async fn page<T: DeserializeOwned>(request: RequestBuilder<'_>) -> Result<Page<T>> {
    let list: List<T> = request.json().await?;
    Ok(Page::new(list.results, list.next_cursor))
}

/// As [`page`], with each object made into what matters of it.
pub(super) async fn page_of<T>(request: RequestBuilder<'_>, of: impl Fn(&Value) -> T) -> Result<Page<T>> {
    let page: Page<Value> = page(request).await?;
    Ok(Page::new(page.items.iter().map(of).collect(), page.next_cursor))
}

/// Sends the request, and makes the object into what matters of it.
pub(super) async fn detail_of<T>(
    request: RequestBuilder<'_>,
    whole: bool,
    of: impl Fn(&Value) -> T,
) -> Result<Detail<T>> {
    let value: Value = request.json().await?;
    if !value["id"].is_string() {
        return Err(Error::new(ErrorKind::Provider, "the answer is not one of Notion's objects"));
    }
    let fields = of(&value);
    let whole = match value {
        Value::Object(map) if whole => Some(map),
        _ => None,
    };
    Ok(Detail { fields, whole })
}

/// A member that is text and says something.
pub(super) fn string(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_what_people_paste() {
        let dashed = "0d7a1f0e-1111-4222-8333-944444444444";
        let plain = "0D7A1F0E111142228333944444444444";
        for text in [
            dashed.to_owned(),
            plain.to_owned(),
            format!("https://www.notion.so/acme/Some-Title-{plain}?pvs=4"),
            format!("https://acme.notion.site/{dashed}/"),
            format!("https://www.notion.so/{}#{plain}", "f".repeat(32)),
        ] {
            assert_eq!(id("/page_id", &text).unwrap(), dashed, "{text}");
        }
        for text in [
            "",
            "abc",
            "../users",
            "0d7a1f0e-1111-4222-8333-94444444444g",
            "https://x.example/",
            &"é".repeat(16),
        ] {
            let error = id("/page_id", text).unwrap_err();
            assert_eq!(error.problems()[0].pointer, "/page_id", "{text}");
        }
    }
}
