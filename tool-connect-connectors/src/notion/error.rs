//! What Notion's error answers mean: <https://developers.notion.com/reference/status-codes>.

use http::response::Parts;
use serde::Deserialize;
use tool_connect_core::{Effect, Error, ErrorKind, Problem, Retry};

use super::request::Needs;
use crate::provider::advice;

#[derive(Deserialize)]
struct Refusal {
    code: String,
    #[serde(default)]
    message: String,
}

/// Notion's word on an error, where its body is one of Notion's; `needs` is what the request needs to be allowed.
pub(super) fn read(parts: &Parts, body: &[u8], needs: Option<Needs>) -> Option<Error> {
    let refusal: Refusal = serde_json::from_slice(body).ok()?;
    let status = parts.status.as_u16();
    let says = advice(refusal.message.trim_end_matches('.'));
    let error = Error::of_status(status, "Notion refused the request");
    let refused = Error::new(ErrorKind::InvalidArguments, "Notion refused a value")
        .status(status)
        .effect(Effect::NotExecuted);
    Some(match refusal.code.as_str() {
        "validation_error" if in_trash(&refusal.message) => Error::new(ErrorKind::Conflict, "the object is in the trash")
            .status(status)
            .effect(Effect::NotExecuted)
            .public("It is in Notion's trash and cannot be changed there; restore it first, with restore_page or restore_block."),
        "validation_error" => match place(&refusal.message) {
            Some(pointer) => {
                let problem = Problem::new(pointer, "refused", format!("is refused: {says}"));
                refused.public("Notion does not accept a value.").with_problems(vec![problem])
            }
            None => refused.public(format!("Notion does not accept a value: {says}.")),
        },
        "restricted_resource" => {
            let needs = needs.map_or_else(String::new, |needs| {
                format!(
                    " The connection needs the capability `{}`; who owns it sets that in Notion's developer settings, and the \
                     account is connected again.",
                    needs.words()
                )
            });
            error.effect(Effect::NotExecuted).public(format!("Notion does not let this connection do that: {says}.{needs}"))
        }
        "object_not_found" => error.effect(Effect::NotExecuted).public(
            "Notion has nothing of that id that this connection may see. Check the id, and that it is of the right kind: a \
             database's id is not that of its data source. Else somebody shares the page with the connection: in Notion, the \
             page's menu, Connections.",
        ),
        // The transaction could not be completed, says Notion, and that one may try again.
        "conflict_error" => error
            .retry(Retry::Backoff)
            .effect(Effect::NotExecuted)
            .public(format!("Something else changed it at the same time, and Notion changed nothing: {says}. Try again.")),
        "rate_limited" => Error::new(ErrorKind::RateLimited, "Notion's rate limit is used up")
            .status(status)
            .retry(Retry::Backoff)
            .effect(Effect::NotExecuted)
            .public("Notion's rate limit, three requests a second on average, is used up; wait before the next call."),
        "invalid_json" | "invalid_request_url" | "invalid_request" | "missing_version" | "invalid_beta" => {
            error.effect(Effect::NotExecuted).public(format!("Notion does not take the request: {says}."))
        }
        "internal_server_error" | "service_unavailable" | "service_overload" | "database_connection_unavailable"
        | "gateway_timeout" => error.public(
            "Notion has a problem of its own. Look whether a write took place before you repeat it.",
        ),
        _ => return None,
    })
}

fn in_trash(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    // A property or a page may be called so.
    let says = ["is archived", "archived ancestor", "is in trash", "in the trash", "is trashed"];
    says.iter().any(|words| message.contains(words))
        && !message.contains("failed validation")
        && !message.starts_with("could not find")
}

/// The argument that a message names, where one of ours is meant: `body.filter.or[0] should be ..`, `path.page_id ..`.
fn place(message: &str) -> Option<String> {
    let named = message.split_whitespace().find_map(|word| {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ']');
        ["body.", "path.", "query."].into_iter().find_map(|part| word.strip_prefix(part))
    })?;
    let first = named.split(['.', '[', ':']).next()?;
    Some(match first {
        "start_cursor" => "/cursor".to_owned(),
        "children" => "/markdown".to_owned(),
        "initial_data_source" => "/properties".to_owned(),
        "page_id" | "block_id" | "database_id" | "data_source_id" | "user_id" | "comment_id"
        | "page_size" | "filter" | "sorts" | "properties" | "title" | "description" | "icon" | "cover"
        | "query" | "discussion_id" => format!("/{first}"),
        _ => return None,
    })
}
