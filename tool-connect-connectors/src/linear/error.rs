//! What Linear's errors mean. They come with status 200 or 400, in `errors` beside what may be there of the data; `extensions`
//! says of which type one is, and has a sentence for people.

use std::collections::BTreeMap;

use http::response::Parts;
use serde::Deserialize;
use serde::de::IgnoredAny;
use tool_connect_core::{Effect, Error, ErrorKind, Retry};

use crate::provider::advice;

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    errors: Vec<Said>,
    #[serde(default)]
    data: Option<BTreeMap<String, Option<IgnoredAny>>>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    message: String,
    #[serde(default)]
    extensions: Extensions,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Extensions {
    #[serde(rename = "type")]
    kind: Option<String>,
    code: Option<String>,
    user_error: bool,
    user_presentable_message: Option<String>,
}

impl Said {
    /// The code, else the type, in one spelling.
    fn code(&self) -> String {
        let Extensions { code, kind, .. } = &self.extensions;
        code.as_ref()
            .or(kind.as_ref())
            .map_or_else(String::new, |code| code.to_ascii_uppercase().replace(' ', "_"))
    }

    fn words(&self) -> String {
        let text = self.extensions.user_presentable_message.as_deref().filter(|text| !text.trim().is_empty());
        advice(text.unwrap_or(&self.message)).trim_end_matches('.').to_owned()
    }

    fn begins_with(&self, text: &str) -> bool {
        self.message.get(..text.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(text))
    }
}

/// Linear's word on an error, where its answer holds one.
pub(super) fn read(parts: &Parts, body: &[u8]) -> Option<Error> {
    // A good answer is whole here, too: the name stands in none, and text has its quotes escaped.
    const NAME: &[u8] = b"\"errors\"";
    if !body.windows(NAME.len()).any(|part| part == NAME) {
        return None;
    }
    let refusal: Refusal = serde_json::from_slice(body).ok()?;
    let first = refusal.errors.first()?;
    let status = parts.status.as_u16();
    // Part of the data is there: what was asked has been done, and something of the answer is missing.
    let in_part = refusal.data.is_some_and(|data| data.values().any(Option::is_some));
    let error = meaning(first, status);
    Some(if in_part {
        let says = error.public_message().trim_end_matches('.').to_owned();
        error
            .effect(Effect::Unknown)
            .public(format!("{says}. Only a part of the answer came, which is not used."))
    } else {
        error
    })
}

fn meaning(said: &Said, status: u16) -> Error {
    let refused = |kind, message| Error::new(kind, message).status(status).effect(Effect::NotExecuted);
    let says = said.words();
    if said.begins_with("entity not found") || says.starts_with("Could not find referenced") {
        return refused(ErrorKind::NotFound, "Linear has no such entity").public(format!(
            "Linear has nothing there that this account may see ({says}): check the id or identifier, and whether it was deleted."
        ));
    }
    if said.begins_with("conflict on insert") {
        return refused(ErrorKind::Conflict, "the id is taken")
            .public(format!("Linear says that it exists already: {says}."));
    }
    if said.begins_with("query too complex") {
        return refused(ErrorKind::InvalidArguments, "the query is too complex")
            .public(format!("Linear finds the query too complex ({says}): ask with a smaller `page_size`."));
    }
    match said.code().as_str() {
        "AUTHENTICATION_ERROR" | "UNAUTHENTICATED" => {
            refused(ErrorKind::NeedsReauth, "Linear refused the credential").public(format!(
                "Linear refuses the account's credential ({says}): connect the account again; one that was deactivated must \
                 be activated by an administrator of the workspace first."
            ))
        }
        "RATELIMITED" => refused(ErrorKind::RateLimited, "Linear's rate limit is used up")
            .retry(Retry::Backoff)
            .public("Linear's rate limit is used up; wait before the next call."),
        "FORBIDDEN" => refused(ErrorKind::Forbidden, "Linear does not let this account do that")
            .public(format!("Linear does not let this account do that: {says}.")),
        "FEATURE_NOT_ACCESSIBLE" | "USAGE_LIMIT_EXCEEDED" => {
            refused(ErrorKind::Forbidden, "the workspace's plan does not include that")
                .public(format!("The workspace's plan does not allow that: {says}."))
        }
        "INPUT_ERROR" | "INVALID_INPUT" | "BAD_USER_INPUT" | "USER_ERROR" | "GRAPHQL_ERROR"
        | "GRAPHQL_VALIDATION_FAILED" | "GRAPHQL_PARSE_FAILED" => invalid(status, &says),
        "INTERNAL_SERVER_ERROR" | "INTERNAL_ERROR" | "LOCK_TIMEOUT" | "NETWORK_ERROR" | "BOOTSTRAP_ERROR" => {
            Error::new(ErrorKind::Provider, "Linear failed")
                .status(status)
                .retry(Retry::Backoff)
                .public("Linear failed to answer; try again later.")
        }
        _ if said.extensions.user_error => invalid(status, &says),
        _ if status == 200 => Error::new(ErrorKind::Provider, "Linear answered with an error of an unknown type")
            .status(status)
            .public(format!("Linear says: {says}.")),
        _ => Error::of_status(status, "Linear answered with an error").public(format!("Linear says: {says}.")),
    }
}

fn invalid(status: u16, says: &str) -> Error {
    Error::new(ErrorKind::InvalidArguments, "Linear refused a value")
        .status(status)
        .effect(Effect::NotExecuted)
        .public(format!("Linear does not accept a value: {says}."))
}
