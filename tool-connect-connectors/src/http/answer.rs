//! An answer as the caller sees it.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tool_connect_core::http::Response;
use tool_connect_core::{Error, ErrorKind, FileRef, Result, ToolContext};
use url::Url;

use super::origin::Origin;
use super::rules::Rules;
use crate::headers::is_shown;
use crate::spill::{Begun, Spill};

/// What a service answered: the body as `json`, `text` or `file`, none of them where it is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HttpAnswer {
    /// Status code, 2xx for success.
    pub status: u16,
    /// Headers that are of use to a caller, by name in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body, if it is JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
    /// The body, if it is another text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The body by handle, if it is long or not text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileRef>,
}

/// Reads an answer: as much in place as the cap allows, else all of it into the result store.
pub(super) async fn read(
    response: Response,
    cx: &ToolContext<Rules>,
    rules: &Rules,
    url: &Url,
) -> Result<HttpAnswer> {
    let status = response.status();
    if status == StatusCode::UNAUTHORIZED && carried_credential(cx, rules, url) {
        return Err(Error::new(
            ErrorKind::NeedsReauth,
            "the service refused the connected account's credential",
        )
        .public("The service refused the connected account's credential; connect the account again.")
        .status(status.as_u16()));
    }
    let mut answer =
        HttpAnswer { status: status.as_u16(), headers: shown(response.headers()), ..HttpAnswer::default() };
    let content_type =
        response.header(header::CONTENT_TYPE.as_str()).unwrap_or_default().to_ascii_lowercase();
    let own = rules.get();
    let inline = usize::try_from(own.inline_bytes).unwrap_or(usize::MAX);

    let begun = Begun::read(response, inline).await.map_err(|e| told(e, own.max_bytes))?;
    if begun.is_whole() && in_place(&mut answer, &begun.bytes, &content_type) {
        return Ok(answer);
    }
    let spill = Spill {
        media_type: if content_type.is_empty() {
            "application/octet-stream".to_owned()
        } else {
            content_type
        },
        name: file_name(url),
        keep: own.keep,
        max_bytes: own.max_bytes,
    };
    answer.file = Some(spill.store(cx, begun.into_stream()).await.map_err(|e| told(e, own.max_bytes))?);
    Ok(answer)
}

/// Puts a short body into the answer; `false` where it is not text.
fn in_place(answer: &mut HttpAnswer, body: &Bytes, content_type: &str) -> bool {
    if body.is_empty() {
        return true;
    }
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence == "application/json" || essence.ends_with("+json") {
        // What only claims to be JSON is shown as the text that it is.
        if let Ok(value) = serde_json::from_slice(body) {
            answer.json = Some(value);
            return true;
        }
    }
    match std::str::from_utf8(body) {
        Ok(text) if !text.contains('\0') => {
            answer.text = Some(text.to_owned());
            true
        }
        _ => false,
    }
}

fn shown(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut shown: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| is_shown(name)) {
        let value = String::from_utf8_lossy(value.as_bytes());
        // Repeated headers are one list (RFC 9110 §5.3).
        shown
            .entry(name.as_str().to_owned())
            .and_modify(|before| {
                before.push_str(", ");
                before.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    shown
}

/// Whether the host signed the request: there is an account, and the URL is at the base URL's origin.
fn carried_credential(cx: &ToolContext<Rules>, rules: &Rules, url: &Url) -> bool {
    let base = rules.get().base_url.as_ref().and_then(Origin::of);
    cx.connection().is_some() && base.is_some_and(|base| base.covers(url))
}

fn told(error: Error, cap: u64) -> Error {
    if error.kind() != ErrorKind::TooLarge {
        return error;
    }
    let message =
        format!("the answer is larger than {cap} bytes; ask for less of it: a page, a range, fewer fields");
    error.public(message)
}

/// The last part of the URL's path, as a name for the file.
fn file_name(url: &Url) -> Option<String> {
    let name = url.path_segments()?.next_back()?;
    (!name.is_empty() && name.len() <= 128).then(|| name.to_owned())
}
