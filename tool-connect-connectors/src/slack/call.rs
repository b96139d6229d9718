//! Requests as Slack wants them, and its answers. Reads are GET requests with a query, so that the request stack knows that they
//! may be repeated; writes are POST requests with JSON and are sent once. Every answer is judged, since an error comes with status
//! 200, and every method has a limit of its own.
//!
//! <https://docs.slack.dev/apis/web-api/>

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tool_connect_core::http::RequestBuilder;
use tool_connect_core::{Detail, Effect, Error, ErrorKind, Page, Result, ToolContext};

/// So many items a page has where the call does not say: Slack's own default differs by method, up to everything at once.
const PAGE: u32 = 100;

/// Slack did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Done {
    /// Always true: what Slack refuses is an error.
    pub ok: bool,
}

/// Asks a method that reads. The arguments are a tool's own, named as Slack names them: those that are null are left out, lists
/// are joined by commas, `page_size` becomes `limit`, and `whole` is ours alone.
pub(super) async fn get(
    cx: &ToolContext,
    method: &'static str,
    arguments: &impl Serialize,
) -> Result<Answer> {
    let mut request = cx.http().get(&format!("/{method}")).limited_as(method);
    for (name, value) in members(arguments)? {
        request = match (&*name, value) {
            ("whole", _) => request,
            ("page_size", size) => request.query("limit", size.as_u64().unwrap_or(PAGE.into())),
            (_, Value::Null) => request,
            (name, Value::String(text)) => request.query(name, text),
            (name, Value::Array(items)) => {
                let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                request.query(name, items.join(","))
            }
            (name, value) => request.query(name, value),
        };
    }
    Answer::of(request).await
}

/// Asks a method that writes. The arguments are sent as JSON; those that are null are left out, and `whole` is ours alone.
pub(super) async fn post(
    cx: &ToolContext,
    method: &'static str,
    arguments: &impl Serialize,
) -> Result<Answer> {
    let mut members = members(arguments)?;
    members.retain(|name, value| name != "whole" && !value.is_null());
    let text = Value::Object(members).to_string();
    let request = cx.http().post(&format!("/{method}")).limited_as(method);
    // Without the charset Slack warns in every answer.
    Answer::of(request.header("content-type", "application/json; charset=utf-8").body(text)).await
}

/// Asks a method that takes no JSON.
pub(super) async fn post_form(
    cx: &ToolContext,
    method: &'static str,
    pairs: &[(&str, &str)],
) -> Result<Answer> {
    Answer::of(cx.http().post(&format!("/{method}")).limited_as(method).form(pairs.iter().copied())).await
}

fn members(arguments: &impl Serialize) -> Result<Map<String, Value>> {
    match serde_json::to_value(arguments) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(Error::new(ErrorKind::Internal, "a method's arguments are no JSON object")),
    }
}

/// So many bytes of an answer are read: a workspace's emoji, or a thousand of its people.
const MOST: u64 = 8 << 20;

/// What a method answered, its members not read yet.
pub(super) struct Answer(HashMap<String, Box<RawValue>>);

impl Answer {
    async fn of(request: RequestBuilder<'_>) -> Result<Self> {
        let answer = Self(request.max_bytes(MOST).judged().json().await?);
        // A refusal was judged an error before; this is somebody else's JSON.
        if answer.member::<bool>("ok")? { Ok(answer) } else { Err(unexpected("ok")) }
    }

    /// A member that is always there.
    pub(super) fn member<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let text = self.0.get(name).ok_or_else(|| unexpected(name))?;
        serde_json::from_str(text.get()).map_err(|_| unexpected(name))
    }

    /// A member that may be missing or null.
    pub(super) fn optional<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        if self.0.contains_key(name) { self.member(name) } else { Ok(None) }
    }

    /// The fields of a member that matter, and with `whole` all of it.
    pub(super) fn detail<T: DeserializeOwned>(&self, name: &str, whole: bool) -> Result<Detail<T>> {
        let whole = if whole { Some(self.member(name)?) } else { None };
        Ok(Detail { fields: self.member(name)?, whole })
    }

    /// The items of a list, as [`detail`](Self::detail) has them.
    pub(super) fn details<T: DeserializeOwned>(&self, name: &str, whole: bool) -> Result<Vec<Detail<T>>> {
        let fields: Vec<T> = self.member(name)?;
        let wholes: Vec<Option<_>> =
            if whole { self.member(name)? } else { fields.iter().map(|_| None).collect() };
        Ok(fields.into_iter().zip(wholes).map(|(fields, whole)| Detail { fields, whole }).collect())
    }

    /// The answer itself as an object.
    pub(super) fn itself<T: DeserializeOwned>(&self, whole: bool) -> Result<Detail<T>> {
        let text = serde_json::to_string(&self.0).map_err(|_| unexpected(""))?;
        let whole = if whole { serde_json::from_str(&text).map_err(|_| unexpected(""))? } else { None };
        Ok(Detail { fields: serde_json::from_str(&text).map_err(|_| unexpected(""))?, whole })
    }

    /// A list and the cursor of the next page: <https://docs.slack.dev/apis/web-api/pagination>. An empty one ends the list.
    pub(super) fn page<T: DeserializeOwned>(&self, name: &str) -> Result<Page<T>> {
        #[derive(Default, Deserialize)]
        struct Metadata {
            #[serde(default)]
            next_cursor: Option<String>,
        }
        let metadata: Option<Metadata> = self.optional("response_metadata")?;
        let next = metadata.unwrap_or_default().next_cursor.filter(|next| !next.is_empty());
        Ok(Page::new(self.member(name)?, next))
    }

    /// Nothing but that it was done.
    pub(super) fn done(&self) -> Result<Done> {
        Ok(Done { ok: self.member("ok")? })
    }
}

/// An answer without a member that belongs there, or with another in its place.
pub(super) fn unexpected(name: &str) -> Error {
    Error::new(ErrorKind::Provider, "Slack's answer does not have the expected form")
        .with("member", name)
        .effect(Effect::Unknown)
}

/// Where a list that Slack numbers the pages of goes on, and whether there is more:
/// <https://docs.slack.dev/reference/methods/search.messages#arguments>.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Paging {
    page: u32,
    pages: u32,
}

/// The highest page that Slack counts to.
const LAST_PAGE: u32 = 100;

impl Paging {
    /// The number that a cursor of ours stands for.
    pub(super) fn page(cursor: Option<&str>) -> Result<u32> {
        let Some(cursor) = cursor else { return Ok(1) };
        let page = cursor.strip_prefix("page-").and_then(|page| page.parse().ok());
        page.filter(|page| (1..=LAST_PAGE).contains(page))
            .ok_or_else(|| Error::invalid_argument("/cursor", "must be the `next_cursor` of the page before"))
    }

    /// The cursor of the page after this one.
    pub(super) fn next(&self) -> Option<String> {
        (self.page < self.pages.min(LAST_PAGE)).then(|| format!("page-{}", self.page.saturating_add(1)))
    }
}
