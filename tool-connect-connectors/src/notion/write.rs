//! Blocks on their way to Notion: one request after another, and what to say where one fails.

use http::Method;
use serde_json::{Value, json};
use tool_connect_core::{Effect, Error, ErrorKind, Result, ToolContext};

use super::markdown::{Block, Plan, Step, plan};
use super::request::{Needs, request};

/// Where among its siblings something is put.
#[derive(Clone, Debug, Default)]
pub(super) enum Place {
    #[default]
    End,
    Start,
    After(String),
}

impl Place {
    fn wire(&self) -> Option<Value> {
        match self {
            Self::End => None,
            Self::Start => Some(json!({"type": "start"})),
            Self::After(id) => Some(json!({"type": "after_block", "after_block": {"id": id}})),
        }
    }
}

/// The requests that write these blocks.
pub(super) fn planned(blocks: &[Block], pointer: &str) -> Result<Plan> {
    plan(blocks).map_err(|why| Error::invalid_argument(pointer, why))
}

/// Appends all of it below a block or a page; returns the ids of the blocks of the first level.
pub(super) async fn append(cx: &ToolContext, parent: &str, plan: Plan, place: Place) -> Result<Vec<String>> {
    let mut written = 0_usize;
    let mut top = Vec::new();
    // Parents whose children are still to be written, the next one last.
    let mut open: Vec<(String, std::vec::IntoIter<Step>, bool)> =
        vec![(parent.to_owned(), plan.into_iter(), true)];
    let mut place = place;
    while let Some((parent, steps, is_top)) = open.last_mut() {
        let Some(step) = steps.next() else {
            open.pop();
            continue;
        };
        let (parent, is_top) = (parent.clone(), *is_top);
        let count = step.children.len();
        let mut body = json!({"children": step.children});
        if let (true, Some(position)) = (is_top, place.wire()) {
            body["position"] = position;
        }
        let sent: Result<Value> =
            request(cx, Method::PATCH, "/blocks/{block_id}/children", Needs::InsertContent)
                .path("block_id", &parent)
                .json_body(&body)
                .json()
                .await;
        let answer = sent.map_err(|error| partly(error, written, &parent))?;
        let ids = created(&answer, count);
        written += count;
        if is_top {
            // What follows stands behind what was put somewhere else than at the end.
            if !matches!(place, Place::End)
                && let Some(last) = ids.last()
            {
                place = Place::After(last.clone());
            }
            top.extend(ids.iter().cloned());
        }
        for (at, later) in step.later.into_iter().rev() {
            let id = ids.get(at).ok_or_else(|| {
                partly(
                    Error::new(ErrorKind::Provider, "the answer does not name the new blocks"),
                    written,
                    &parent,
                )
            })?;
            open.push((id.clone(), later.into_iter(), false));
        }
    }
    Ok(top)
}

/// Ids of the blocks that were made: the answer may list more than these, in front of them.
fn created(answer: &Value, count: usize) -> Vec<String> {
    let all: Vec<String> = answer["results"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|block| super::request::string(&block["id"]))
        .collect();
    let skip = all.len().saturating_sub(count);
    all.into_iter().skip(skip).collect()
}

/// An error after something was written says so, and that a repetition would write it again.
fn partly(error: Error, written: usize, parent: &str) -> Error {
    if written == 0 {
        return error;
    }
    let says = error.public_message().into_owned();
    let mut told = Error::new(error.kind(), "a part of the content was written")
        .retry(error.retry_advice())
        .effect(Effect::Unknown)
        .public(format!(
            "{written} blocks were written before this: {says} What is missing belongs below the block {parent}. Do not repeat the \
             call; look with list_blocks and append the rest."
        ));
    if let Some(status) = error.http_status() {
        told = told.status(status);
    }
    told.caused_by(error)
}

/// An error after a page was made says so, and names it.
pub(super) fn made(error: Error, page: &str) -> Error {
    let says = error.public_message().into_owned();
    let mut told = Error::new(error.kind(), "the page was made, its content was not written whole")
        .retry(error.retry_advice())
        .effect(Effect::Unknown)
        .public(format!(
            "The page {page} was made, but not all of its content was written: {says} Do not repeat the call; append what is missing."
        ));
    if let Some(status) = error.http_status() {
        told = told.status(status);
    }
    told.caused_by(error)
}
