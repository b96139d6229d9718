//! Token answers in one form, whatever the provider's looked like.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use http::header;
use secrecy::SecretString;
use serde_json::{Map, Value};
use tool_connect_core::{ErrorKind, Result};
use url::form_urlencoded;

use super::failure::{self, OAuthFailure, Sent};
use super::http::{Answer, Asked};
use super::token::{TokenSet, TokenType};
use crate::catalog::{Lifetime, Provider, TimeUnit, TokenResponse};

/// Where GitHub, Microsoft and others say how long a refresh token lives.
const REFRESH_EXPIRES_IN: &str = "/refresh_token_expires_in";
/// Longest text of a further field that is kept, in bytes.
const LONGEST_EXTRA: usize = 4096;

/// Reads the answer of a token endpoint. `sent_at` is our clock's reading before the request went out: lifetimes are counted
/// from there, so that neither the way nor a clock that disagrees makes a token look longer-lived than it is.
pub(super) fn token_set(
    provider: &Provider,
    asked: Asked<'_>,
    answer: &Answer,
    sent: &Sent,
    sent_at: SystemTime,
) -> Result<TokenSet> {
    let quirks = &provider.entry.token_response;
    let body = read(asked, answer, quirks, sent)?;
    let access_token = secret(&body, &quirks.access_token).ok_or_else(|| {
        let what = "the answer holds no access token; check `token_response` of the catalog entry";
        asked.error(ErrorKind::Provider, what).status(answer.status.as_u16())
    })?;
    // RFC 6749 appendix A.12. What does not fit into a header would fail at every call.
    if !secrecy::ExposeSecret::expose_secret(&access_token).bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        let what = "the access token holds characters that no header can carry";
        return Err(asked.error(ErrorKind::Provider, what).status(answer.status.as_u16()));
    }
    let lifetimes = &provider.entry.refresh;
    let ends = |place: &Lifetime, default: Option<Duration>| {
        let lifetime = body.pointer(&place.at).and_then(|value| lifetime(value, place.unit));
        sent_at.checked_add(lifetime.or(default)?)
    };
    let refresh_token = secret(&body, &quirks.refresh_token);
    let said = || quirks.expires_at.as_deref().and_then(|pointer| point_in_time(body.pointer(pointer)?));
    let expires_at = ends(&quirks.expires_in, None).or_else(said);
    let expires_at =
        expires_at.or_else(|| lifetimes.access_lifetime.and_then(|lifetime| sent_at.checked_add(lifetime)));
    // Where no place is named, the usual one counts what the access token's lifetime counts.
    let refresh_place = quirks
        .refresh_expires_in
        .clone()
        .unwrap_or_else(|| Lifetime::new(REFRESH_EXPIRES_IN, quirks.expires_in.unit));
    // A lifetime of a refresh token says nothing where none came.
    let refresh_expires_at =
        refresh_token.as_ref().and_then(|_| ends(&refresh_place, lifetimes.refresh_lifetime));
    Ok(TokenSet {
        expires_at,
        refresh_expires_at,
        scopes: scopes(&body, quirks, &provider.entry.scopes.separator),
        token_type: token_type(&body),
        id_token: secret(&body, "/id_token"),
        issuer: provider.issuer.clone(),
        dpop_key: None,
        extra: extra(&body, quirks),
        access_token,
        refresh_token,
    })
}

/// The body as JSON, if it tells a success.
fn read(asked: Asked<'_>, answer: &Answer, quirks: &TokenResponse, sent: &Sent) -> Result<Value> {
    let body = match serde_json::from_slice::<Value>(&answer.body) {
        Ok(body) if body.is_object() => body,
        Ok(_) | Err(_) if !answer.status.is_success() && !is_form(answer) => {
            return Err(failure::refused_hiding(asked, answer, sent));
        }
        Ok(_) => {
            let what = "the answer is JSON, but no object; check the endpoint's address";
            return Err(asked.error(ErrorKind::Provider, what).status(answer.status.as_u16()));
        }
        Err(_) if is_form(answer) => from_form(&answer.body),
        Err(error) => return Err(failure::unreadable(asked, answer, &error)),
    };
    if let Some(code) = error_code(&body, &quirks.error) {
        let failure = OAuthFailure::from_parts(&code, &body, sent);
        let failure = if quirks.invalid_grant.iter().any(|known| *known == code) {
            failure.meaning("invalid_grant")
        } else {
            failure
        };
        return Err(failure.into_error(asked, answer));
    }
    if !answer.status.is_success() {
        return Err(failure::refused_hiding(asked, answer, sent));
    }
    Ok(body)
}

/// The code of a failure, which some providers send with status 200.
fn error_code<'a>(body: &'a Value, pointer: &str) -> Option<Cow<'a, str>> {
    match body.pointer(pointer)? {
        Value::Null | Value::Bool(false) => None,
        Value::Number(number) if number.as_f64() == Some(0.0) => None,
        Value::Number(number) => Some(number.to_string().into()),
        // Providers whose errors are numbers have 0 for "none", some as text.
        Value::String(code) if code.is_empty() || code == "0" => None,
        Value::String(code) => Some(code.into()),
        _ => Some(failure::UNSPECIFIED.into()),
    }
}

/// Whether the body is a form: some providers answer so, whatever they are asked for.
fn is_form(answer: &Answer) -> bool {
    let said = answer
        .header(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"));
    said || answer.body.starts_with(b"access_token=") || answer.body.starts_with(b"error=")
}

fn from_form(body: &[u8]) -> Value {
    let pairs = form_urlencoded::parse(body);
    Value::Object(pairs.map(|(name, value)| (name.into_owned(), value.into())).collect::<Map<_, _>>())
}

fn secret(body: &Value, pointer: &str) -> Option<SecretString> {
    body.pointer(pointer)?.as_str().filter(|text| !text.is_empty()).map(SecretString::from)
}

/// A lifetime as a number or as text that is one. Zero and less are no lifetime: providers write that for "no end" and for
/// "not known".
fn lifetime(value: &Value, unit: TimeUnit) -> Option<Duration> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        _ => return None,
    };
    let seconds = match unit {
        TimeUnit::Milliseconds => number / 1000.0,
        _ => number,
    };
    Duration::try_from_secs_f64(seconds).ok().filter(|lifetime| !lifetime.is_zero())
}

/// A time as seconds since 1970, a number or text that is one, or as RFC 3339 has it in UTC.
fn point_in_time(value: &Value) -> Option<SystemTime> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => match text.trim().parse::<f64>() {
            Ok(seconds) => seconds,
            Err(_) => return humantime::parse_rfc3339(text.trim()).ok(),
        },
        _ => return None,
    };
    let since = Duration::try_from_secs_f64(seconds).ok().filter(|since| !since.is_zero())?;
    SystemTime::UNIX_EPOCH.checked_add(since)
}

/// RFC 6749 §5.1 wants a type; what is neither absent nor `DPoP` is taken for a bearer token, whatever the provider calls it
/// (`bot`, `user`).
fn token_type(body: &Value) -> TokenType {
    match body.get("token_type").and_then(Value::as_str) {
        Some(name) if name.eq_ignore_ascii_case("dpop") => TokenType::Dpop,
        _ => TokenType::Bearer,
    }
}

fn scopes(body: &Value, quirks: &TokenResponse, asked_separator: &str) -> Option<Vec<String>> {
    if !quirks.names_scopes {
        return None;
    }
    let separator = quirks.scope_separator.as_deref().unwrap_or(asked_separator);
    let separator = if separator.is_empty() { " " } else { separator };
    let names: Vec<&str> = match body.pointer(&quirks.scope)? {
        Value::String(text) => text.split(separator).collect(),
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let mut scopes: Vec<String> = Vec::new();
    for name in names.into_iter().flat_map(str::split_whitespace) {
        if !scopes.iter().any(|known| known == name) {
            scopes.push(name.to_owned());
        }
    }
    Some(scopes)
}

fn extra(body: &Value, quirks: &TokenResponse) -> std::collections::BTreeMap<String, String> {
    let text = |pointer: &String| match body.pointer(pointer)? {
        Value::String(text) if text.len() <= LONGEST_EXTRA => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    };
    quirks.extra.iter().filter_map(|(name, pointer)| Some((name.clone(), text(pointer)?))).collect()
}
