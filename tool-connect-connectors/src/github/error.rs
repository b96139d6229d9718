//! What GitHub's error answers mean:
//! <https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api>.

use std::time::Duration;

use http::StatusCode;
use http::response::Parts;
use serde::Deserialize;
use tool_connect_core::{Effect, Error, ErrorKind, Retry};

use crate::provider::advice;

/// How long to wait at least where a secondary limit was met and GitHub names no time.
const A_MINUTE: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
struct Refusal {
    message: String,
    #[serde(default, deserialize_with = "super::brief::list")]
    errors: Vec<Detail>,
}

/// One thing that is wrong with a request; some endpoints give a sentence instead.
#[derive(Deserialize)]
#[serde(untagged)]
enum Detail {
    Field {
        #[serde(default)]
        field: Option<String>,
        #[serde(default)]
        code: Option<String>,
        #[serde(default)]
        message: Option<String>,
    },
    Sentence(String),
}

impl Detail {
    fn words(&self) -> Option<String> {
        match self {
            Self::Sentence(text) | Self::Field { message: Some(text), .. } => Some(advice(text)),
            Self::Field { field: Some(field), code: Some(code), .. } => {
                let code = match code.as_str() {
                    "missing" => "names something that is not there",
                    "missing_field" => "is missing",
                    "already_exists" => "exists already",
                    "invalid" => "is not valid",
                    "unprocessable" => "cannot be used",
                    "too_large" => "is too large",
                    other => &advice(other).replace('_', " "),
                };
                Some(format!("`{}` {code}", advice(field)))
            }
            Self::Field { .. } => None,
        }
    }
}

/// GitHub's word on an error, where its body is one of GitHub's.
pub(super) fn read(parts: &Parts, body: &[u8]) -> Option<Error> {
    let refusal: Refusal = serde_json::from_slice(body).ok()?;
    let status = parts.status.as_u16();
    let says = {
        let details: Vec<String> = refusal.errors.iter().filter_map(Detail::words).collect();
        let first = advice(&refusal.message);
        let first = first.trim_end_matches('.');
        if details.is_empty() { first.to_owned() } else { format!("{first} ({})", details.join("; ")) }
    };
    let error = Error::of_status(status, "GitHub refused the request").effect(Effect::NotExecuted);
    let of_kind =
        |kind| Error::new(kind, "GitHub refused the request").status(status).effect(Effect::NotExecuted);
    Some(match status {
        403 | 429 if limited(parts, &refusal.message) => {
            let error = of_kind(ErrorKind::RateLimited);
            let error = if used_up(parts) || parts.headers.contains_key("retry-after") {
                // The request stack reads the time from the headers.
                error.retry(Retry::Backoff)
            } else {
                error.retry(Retry::After(A_MINUTE))
            };
            error.public("GitHub's rate limit is used up; wait before the next call.")
        }
        403 if suspended(&refusal.message) => of_kind(ErrorKind::NeedsReauth).public(format!(
            "GitHub has suspended this account, or the app's access to it: {says}. Connect another account, or ask GitHub's \
             support."
        )),
        403 => {
            let error = error
                .public(format!("GitHub does not let this account do that: {says}.{}", permission(parts)));
            lacking(error, parts)
        }
        // Also the answer to a token without the scope for what is private there.
        404 => {
            let error = error.public(format!(
                "GitHub has nothing there that this account may see: check owner, repository and number, and whether the \
                 account has access.{}",
                permission(parts)
            ));
            lacking(error, parts)
        }
        405 => of_kind(ErrorKind::Conflict).public(format!("GitHub cannot do that now: {says}.")),
        409 => error.public(format!("GitHub says that it conflicts: {says}.")),
        422 => of_kind(ErrorKind::InvalidArguments)
            .public(format!("GitHub does not accept a value: {says}.")),
        400 | 410 | 413 | 451 => error.public(format!("GitHub says: {says}.")),
        _ => return None,
    })
}

/// Both limits: <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>.
fn limited(parts: &Parts, message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    used_up(parts)
        || parts.headers.contains_key("retry-after")
        || parts.status.as_u16() == 429
        || message.contains("rate limit")
        || message.contains("abuse detection")
}

fn used_up(parts: &Parts) -> bool {
    parts.headers.get("x-ratelimit-remaining").is_some_and(|left| left == "0")
}

fn suspended(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("account was suspended") || message.contains("installation has been suspended")
}

/// What the token lacks, as far as GitHub's headers tell:
/// <https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#insufficient-scopes>.
fn permission(parts: &Parts) -> String {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(advice);
    // The organization wants the token to be authorized for its single sign-on, at an address that it names.
    if let Some(page) = header("x-github-sso").as_deref().and_then(|sso| sso.split_once("url=")) {
        return format!(" The organization wants single sign-on; authorize the token at {}.", page.1);
    }
    if let Some(needs) = header("x-accepted-github-permissions").filter(|needs| !needs.is_empty()) {
        return format!(" The app needs the permissions {needs}.");
    }
    let Some(takes) = scopes(parts, "x-accepted-oauth-scopes").filter(|takes| !takes.is_empty()) else {
        return String::new();
    };
    let has = scopes(parts, "x-oauth-scopes").unwrap_or_default();
    if !takes.iter().any(|scope| grants(&has, scope)) {
        let takes = takes.join(", ");
        return format!(
            " The token needs one of these scopes: {takes}; connect the account again to grant it."
        );
    }
    // One of the scopes is there, and what is private takes a larger one.
    if takes.contains(&"repo") && !grants(&has, "repo") {
        return " A private repository needs the scope repo; connect the account again to grant it."
            .to_owned();
    }
    String::new()
}

/// The error, with the scope that would help where the headers prove that one is lacking. A token without scopes of its own, such as
/// an app's, has no header that says what it was granted, or an empty one; a list that is empty says that no scope is needed.
fn lacking(error: Error, parts: &Parts) -> Error {
    let (Some(takes), Some(has)) =
        (scopes(parts, "x-accepted-oauth-scopes"), scopes(parts, "x-oauth-scopes"))
    else {
        return error;
    };
    // Single sign-on and an app's permissions are no matter of scopes.
    let app = parts.headers.get("x-accepted-github-permissions").is_some_and(|needs| !needs.is_empty());
    if has.is_empty()
        || app
        || parts.headers.contains_key("x-github-sso")
        || takes.iter().any(|scope| grants(&has, scope))
    {
        return error;
    }
    // What is public is seen without any scope, so that what is not seen is private.
    let mut takes = takes;
    takes.retain(|scope| parts.status != StatusCode::NOT_FOUND || *scope != "public_repo");
    // The least that does: a scope that includes none of the others, one that only reads before one that writes.
    let mut least =
        takes.iter().filter(|scope| !takes.iter().any(|other| other != *scope && includes(scope, other)));
    let reads = least.clone().find(|scope| scope.starts_with("read:"));
    match reads.or_else(|| least.next()) {
        Some(scope) => error.lacks_scopes([*scope]),
        None => error,
    }
}

/// The scopes that a header lists; `None` where it is not there or lists what is no scope.
fn scopes<'a>(parts: &'a Parts, header: &str) -> Option<Vec<&'a str>> {
    let text = parts.headers.get(header)?.to_str().ok()?;
    let scopes: Vec<&str> = text.split(',').map(str::trim).filter(|scope| !scope.is_empty()).collect();
    let is_scope = |scope: &&str| {
        scope.len() <= 64 && scope.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":_-.".contains(&byte))
    };
    scopes.iter().all(is_scope).then_some(scopes)
}

fn grants(has: &[&str], scope: &str) -> bool {
    has.iter().any(|has| *has == scope || includes(has, scope))
}

/// Whether a scope includes another:
/// <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps#available-scopes>.
fn includes(larger: &str, scope: &str) -> bool {
    match larger {
        "repo" => {
            matches!(
                scope,
                "repo:status" | "repo_deployment" | "public_repo" | "repo:invite" | "security_events"
            )
        }
        "user" => matches!(scope, "read:user" | "user:email" | "user:follow"),
        "project" => scope == "read:project",
        _ => match (larger.split_once(':'), scope.split_once(':')) {
            (Some(("admin", of)), Some(("write" | "read", what))) => of == what,
            (Some(("write", of)), Some(("read", what))) => of == what,
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_lacking_only_where_the_headers_prove_it() {
        let lacking = |status: u16, headers: &[(&'static str, &str)]| {
            let mut answer = http::Response::new(());
            *answer.status_mut() = StatusCode::from_u16(status).unwrap();
            for (name, value) in headers {
                answer.headers_mut().insert(*name, value.parse().unwrap());
            }
            lacking(Error::of_status(status, "no"), &answer.into_parts().0).lacking_scopes().to_vec()
        };
        let (has, takes) = (("x-oauth-scopes", "gist"), ("x-accepted-oauth-scopes", "public_repo, repo"));
        assert_eq!(lacking(403, &[has, takes]), ["public_repo"]);
        // What is public would have been seen.
        assert_eq!(lacking(404, &[has, takes]), ["repo"]);
        for proves_nothing in [
            &[takes][..],
            // The token of an app.
            &[("x-oauth-scopes", ""), takes],
            &[has, takes, ("x-accepted-github-permissions", "issues=write")],
            &[has, takes, ("x-github-sso", "required; url=https://github.com/orgs/acme/sso")],
            &[("x-oauth-scopes", "repo"), takes],
            &[has, ("x-accepted-oauth-scopes", "")],
        ] {
            assert!(lacking(403, proves_nothing).is_empty(), "{proves_nothing:?}");
        }
    }
}
