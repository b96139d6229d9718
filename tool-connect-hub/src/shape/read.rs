//! Reads on in a stored result from where it was cut: by items in an array, by fields in an object, by bytes in text.

use std::ops::ControlFlow;

use bytes::Bytes;
use tool_connect_core::store::ResultStore;
use tool_connect_core::{Budget, Error, ErrorKind, Principal, Result, ResultHandle};

use super::Measure;
use super::cut::{self, Cut, CutUnit, Piece};
use super::raw::{self, Kind};
use crate::patience::Patience;

/// The smallest budget, in bytes, within which reading on is sure to get somewhere.
const LEAST: usize = 64;
/// A larger JSON text is read by bytes, for its parts could be found only with all of it in memory.
const MOST_JSON: u64 = 64 << 20;

/// A part of a stored result; made by [`Session::read_result`](crate::Session::read_result).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResultPart {
    /// The part as JSON text: an array of the next items, an object of the next fields, a string of the next text.
    pub body: Bytes,
    /// Where to go on for the rest of what was read; `None` at its end.
    pub next: Option<String>,
    /// Every place where something is missing, those within items included.
    pub cuts: Vec<Cut>,
}

/// A place in a stored result: `pointer#offset`.
struct Position<'a> {
    pointer: &'a str,
    offset: usize,
}

impl<'a> Position<'a> {
    fn parse(text: &'a str) -> Result<Self> {
        let (pointer, offset) = text.rsplit_once('#').unwrap_or((text, "0"));
        let offset = offset.parse().ok().filter(|_| offset.bytes().all(|b| b.is_ascii_digit()));
        match offset {
            Some(offset) if pointer.is_empty() || pointer.starts_with('/') => Ok(Self { pointer, offset }),
            _ => Err(invalid(
                "/from",
                "a position is a JSON pointer, `#` and a number, as a mark in the cut result gives it: `/items#20`; `#0` is the beginning",
            )),
        }
    }
}

pub(crate) async fn read(
    store: &dyn ResultStore,
    patience: Patience,
    principal: &Principal,
    handle: &ResultHandle,
    from: &str,
    measure: &Measure,
) -> Result<ResultPart> {
    let from = Position::parse(from)?;
    if measure.room() < LEAST {
        return Err(too_small());
    }
    let (tenant, user) = (&principal.tenant, &principal.user);
    let meta = patience.with("results", store.meta(tenant, user, handle)).await?.ok_or_else(gone)?;
    let json = meta.media_type == "application/json" && meta.size <= MOST_JSON;
    if !json && !is_text(&meta.media_type) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("`{}` is no text that could be read on; read its bytes", meta.media_type.escape_debug()),
        )
        .public("This result is a file that is no text, so it cannot be read on here."));
    }
    if json {
        let text = patience
            .with("results", store.read(tenant, user, handle, 0..meta.size))
            .await?
            .ok_or_else(gone)?;
        let (pointer, offset, own) = (from.pointer.to_owned(), from.offset, measure.clone());
        let read =
            move || raw::json(&text).map(|raw| part(raw, &Position { pointer: &pointer, offset }, &own));
        if let Some(part) = super::apart(usize::try_from(meta.size).unwrap_or(usize::MAX), read).await? {
            return part;
        }
    }
    if !from.pointer.is_empty() {
        return Err(invalid("/from", "this result is text: a position in it is `#` and a number of bytes"));
    }
    let start = u64::try_from(from.offset).unwrap_or(u64::MAX).min(meta.size);
    let end = start.saturating_add(u64::try_from(measure.room()).unwrap_or(u64::MAX)).min(meta.size);
    let bytes =
        patience.with("results", store.read(tenant, user, handle, start..end)).await?.ok_or_else(gone)?;
    text_part(&bytes, from.offset, usize::try_from(meta.size).unwrap_or(usize::MAX), measure)
}

/// A part of a JSON text.
fn part(raw: &str, from: &Position<'_>, measure: &Measure) -> Result<ResultPart> {
    let value = locate(raw, from.pointer)?;
    let made = measure.fitting(|room| cut::cut(value, from.pointer, from.offset, room), |piece| &piece.text);
    let Piece { text, cuts } = made.ok_or_else(too_small)?;
    let next = cuts.iter().find(|cut| cut.pointer == from.pointer);
    if next.is_some_and(|cut| cut.next <= from.offset) {
        return Err(Error::new(
            ErrorKind::TooLarge,
            "nothing of what comes next fits into the budget; give a larger one",
        )
        .public("Nothing of what comes next fits into the budget; give a larger one."));
    }
    let next = next.map(Cut::position);
    Ok(ResultPart { body: text.into(), next, cuts })
}

/// A part of a text that begins at `start` of `of` bytes.
fn text_part(bytes: &[u8], start: usize, of: usize, measure: &Measure) -> Result<ResultPart> {
    // The budget may end within a character; more than that is no text.
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) if e.error_len().is_none() => {
            bytes.get(..e.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok()).unwrap_or_default()
        }
        Err(e) if e.valid_up_to() == 0 && bytes.first().is_some_and(|b| b & 0xC0 == 0x80) => {
            return Err(invalid("/from", "the position lies within a character; use one that a part gave"));
        }
        Err(_) => {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "the stored result is no UTF-8 text; read its bytes",
            )
            .public("This result is no text, so it cannot be read on here."));
        }
    };
    let made = measure.fitting(
        |room| {
            let mut shown = text.get(..cut::floor(text, room)).unwrap_or_default();
            // As a JSON string it takes more.
            loop {
                let body = cut::quoted(shown);
                match body.len().checked_sub(room) {
                    None | Some(0) => break (body, shown.len()),
                    Some(over) => {
                        let less = shown.len().saturating_sub(over.div_ceil(6).max(1));
                        shown = shown.get(..cut::floor(shown, less)).unwrap_or_default();
                    }
                }
            }
        },
        |(body, _)| body,
    );
    let (body, length) = made.ok_or_else(too_small)?;
    if length == 0 && start < of {
        // What stands still would be asked for for ever.
        if !text.is_empty() {
            return Err(too_small());
        }
        return Err(Error::new(ErrorKind::Unsupported, "the stored result ends within a character").public(
            "This result ends within a character; there is no more of it that could be read on here.",
        ));
    }
    let next = start.saturating_add(length);
    let cut = Cut { pointer: String::new(), next, of, unit: CutUnit::Bytes };
    let cuts = if next < of { vec![cut] } else { Vec::new() };
    Ok(ResultPart { body: body.into(), next: cuts.first().map(Cut::position), cuts })
}

/// The value at a JSON pointer.
fn locate<'a>(raw: &'a str, pointer: &str) -> Result<&'a str> {
    let mut at = raw;
    for token in pointer.split('/').skip(1) {
        let name = token.replace("~1", "/").replace("~0", "~");
        let mut found = None;
        // The text is JSON, so the walk cannot fail; what is of another kind has no parts.
        let _ = match raw::kind(at) {
            Kind::Array => match name.parse::<usize>() {
                Ok(index) => raw::items(at, index, |_, item| {
                    found = Some(item);
                    ControlFlow::Break(())
                }),
                Err(_) => Ok(0),
            },
            Kind::Object => raw::fields(at, 0, |_, written, value| {
                if raw::text(written).is_some_and(|known| known == name) {
                    found = Some(value);
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            }),
            Kind::Text | Kind::Scalar => Ok(0),
        };
        at = found.ok_or_else(|| invalid("/from", "the result has no value at this position"))?;
    }
    Ok(at)
}

fn is_text(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence.starts_with("text/")
        || essence.ends_with("+json")
        || essence.ends_with("+xml")
        || matches!(
            essence,
            "application/json" | "application/xml" | "application/yaml" | "application/x-ndjson"
        )
}

fn invalid(pointer: &str, message: &str) -> Error {
    Error::invalid_argument(pointer, message)
}

fn too_small() -> Error {
    let least = Budget::Bytes(LEAST).in_bytes();
    Error::invalid_argument("/budget", format!("reading on needs a budget of at least {least} bytes"))
}

fn gone() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "this user has no result under this handle, or it has expired; make the call again",
    )
    .public("There is no such result, or it has expired; make the call again.")
}
