//! Linear's one address, `POST /graphql`: a document that stands in the code and its variables, and what comes back
//! (<https://linear.app/developers/graphql>).
//!
//! Documents are constants. Each has one operation whose root field is called `answer`; what varies is a variable. A variable
//! that is left out leaves its field out of the input it stands in, and `null` clears a field, so a value that was not given is
//! never sent.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tool_connect_core::http::RequestBuilder;
use tool_connect_core::{Detail, Error, ErrorKind, Page, Result, ToolContext};

use super::{Done, ids};

/// A GraphQL document: text that the compiler has put together.
pub(super) type Document = &'static str;

#[derive(Serialize)]
struct Body<'a, V> {
    query: Document,
    variables: &'a V,
}

#[derive(Deserialize)]
struct Envelope<T> {
    data: Data<T>,
}

#[derive(Deserialize)]
struct Data<T> {
    answer: T,
}

/// A list as Linear pages it (<https://linear.app/developers/pagination>).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Connection<T> {
    nodes: Vec<T>,
    page_info: PageInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    #[serde(default)]
    end_cursor: Option<String>,
}

impl<T> Connection<T> {
    pub(super) fn into_page(self) -> Page<T> {
        let next = if self.page_info.has_next_page { self.page_info.end_cursor } else { None };
        Page::new(self.nodes, next)
    }
}

/// A list that belongs to an object.
#[derive(Deserialize)]
struct Within<T> {
    page: Connection<T>,
}

/// What a mutation returns.
#[derive(Deserialize)]
struct Payload<T> {
    success: bool,
    #[serde(default = "Option::default")]
    entity: Option<T>,
}

/// The variables of a list whose filter is put together.
#[derive(Serialize)]
pub(super) struct Listed<'a, F> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) page_size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) include_archived: Option<bool>,
    pub(super) filter: F,
}

/// The variables of a mutation that makes something under an id of ours.
#[derive(Serialize)]
struct Created<'a, V> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(flatten)]
    arguments: &'a V,
}

#[derive(Serialize)]
struct ById<'a> {
    id: &'a str,
}

fn request<'a>(cx: &'a ToolContext, document: Document, variables: &impl Serialize) -> RequestBuilder<'a> {
    cx.http().post("/graphql").json_body(&Body { query: document, variables }).judged()
}

/// Asks. A query changes nothing, although it is a POST, so it may be sent again.
pub(super) async fn read<T: DeserializeOwned>(
    cx: &ToolContext,
    document: Document,
    variables: &impl Serialize,
) -> Result<T> {
    let envelope: Envelope<T> = request(cx, document, variables).repeatable(true).json().await?;
    Ok(envelope.data.answer)
}

/// Asks for a page of a list.
pub(super) async fn page<T: DeserializeOwned>(
    cx: &ToolContext,
    document: Document,
    variables: &impl Serialize,
) -> Result<Page<T>> {
    Ok(read::<Connection<T>>(cx, document, variables).await?.into_page())
}

/// Asks for a page of a list that belongs to an object and is called `page` there.
pub(super) async fn page_within<T: DeserializeOwned>(
    cx: &ToolContext,
    document: Document,
    variables: &impl Serialize,
) -> Result<Page<T>> {
    Ok(read::<Within<T>>(cx, document, variables).await?.page.into_page())
}

/// Asks for one object; with `whole` all of the answer is kept beside the fields that matter.
pub(super) async fn detail<T: DeserializeOwned>(
    cx: &ToolContext,
    document: Document,
    variables: &impl Serialize,
    whole: bool,
) -> Result<Detail<T>> {
    if !whole {
        return read(cx, document, variables).await.map(Detail::of);
    }
    let all: Map<String, Value> = read(cx, document, variables).await?;
    let fields = serde_json::from_value(Value::Object(all.clone())).map_err(|_| {
        Error::new(ErrorKind::Provider, "the provider's answer does not have the expected form")
    })?;
    Ok(Detail { fields, whole: Some(all) })
}

/// Changes something and returns it. Sent once.
pub(super) async fn change<T: DeserializeOwned>(
    cx: &ToolContext,
    document: Document,
    variables: &impl Serialize,
) -> Result<T> {
    entity(request(cx, document, variables).json().await?)
}

/// Makes something. With the call's idempotency key it gets an id that is made from the key, so that Linear refuses to make it
/// twice: then the request may be repeated, and what an earlier one has made is returned.
pub(super) async fn create<T: DeserializeOwned>(
    cx: &ToolContext,
    document: Document,
    existing: Document,
    arguments: &impl Serialize,
) -> Result<T> {
    let id = ids::of_call(cx);
    let request = request(cx, document, &Created { id: id.as_deref(), arguments });
    let request = if id.is_some() { request.repeatable(true) } else { request };
    let made = request.json().await.and_then(entity);
    match (made, id) {
        (Err(conflict), Some(id)) if conflict.kind() == ErrorKind::Conflict => {
            match read(cx, existing, &ById { id: &id }).await {
                // It was about something else.
                Err(error) if error.kind() == ErrorKind::NotFound => Err(conflict),
                found => found,
            }
        }
        (made, _) => made,
    }
}

/// Takes something away. Linear names nothing then but whether it is done.
pub(super) async fn remove(cx: &ToolContext, document: Document, id: String) -> Result<Done> {
    let answer: Envelope<Payload<IgnoredAny>> = request(cx, document, &ById { id: &id }).json().await?;
    if answer.data.answer.success { Ok(Done { id }) } else { Err(not_done()) }
}

fn not_done() -> Error {
    Error::new(ErrorKind::Provider, "the mutation did not succeed")
        .public("Linear says that it was not done, and not why.")
}

fn entity<T>(envelope: Envelope<Payload<T>>) -> Result<T> {
    match envelope.data.answer {
        Payload { success: true, entity: Some(entity) } => Ok(entity),
        Payload { success: true, .. } => {
            Err(Error::new(ErrorKind::Provider, "the mutation returned no object")
                .public("Linear says that it is done, and not what came of it; look it up."))
        }
        Payload { success: false, .. } => Err(not_done()),
    }
}

/// The variables of a change that may clear fields: those are sent as null.
pub(super) fn clearing(arguments: &impl Serialize, clear: &[impl Serialize]) -> Result<Map<String, Value>> {
    let broken = |_| Error::new(ErrorKind::Internal, "the arguments cannot be written as JSON");
    let Value::Object(mut variables) = serde_json::to_value(arguments).map_err(broken)? else {
        return Err(Error::new(ErrorKind::Internal, "the arguments are no object"));
    };
    variables.remove("clear");
    for field in clear {
        let Value::String(name) = serde_json::to_value(field).map_err(broken)? else { continue };
        if variables.contains_key(&name) {
            let message = format!("names `{name}`, which is also given a value; do one of the two");
            return Err(Error::invalid_argument("/clear", message));
        }
        variables.insert(name, Value::Null);
    }
    Ok(variables)
}
