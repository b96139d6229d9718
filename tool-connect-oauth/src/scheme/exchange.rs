//! A secret that is exchanged for a token: one request, whose answer holds the token and how long it lives.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Method};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tool_connect_core::{
    Clock, Credential, Error, ErrorKind, ExchangeEncoding, Result, TokenExchange, from_rfc3339,
};
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::config;
use super::place::{header_name, secret_header};
use super::template::{Piece, address, pieces, unknown};
use crate::flow::{Answer, Asked, OAuthHttp, TokenSet, exchange_assertion};

/// No token is trusted for longer than this, whatever an answer says: ten years.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);
/// Placeholders for the parts of the credential; a connection's configuration cannot stand in for them.
const OF_CREDENTIAL: [&str; 4] = ["username", "password", "token", "assertion"];

/// Exchanges the secret of a connection for a token.
///
/// `connection_config` is the connection's configuration. What comes back is kept and renewed like the tokens of OAuth: ask
/// again when it ends. The secret goes into the body or into headers, never into the address.
///
/// # Errors
/// [`ErrorKind::Config`] where scheme, credential and configuration do not fit; [`ErrorKind::NeedsReauth`] where the provider
/// refuses the secret (401, 403); [`ErrorKind::Provider`] for other answers, or one without a token; those of
/// [`OAuthHttp::send`]. None repeats a secret or the answer.
pub async fn exchange(
    http: &OAuthHttp,
    scheme: &TokenExchange,
    credential: &Credential,
    connection_config: &BTreeMap<String, String>,
    clock: &dyn Clock,
) -> Result<TokenSet> {
    let url = address(&scheme.url, |name| {
        // A secret in an address would end up in logs.
        (!OF_CREDENTIAL.contains(&name)).then(|| connection_config.get(name).map(String::as_str)).flatten()
    })?;
    let assertion = assertion(scheme, credential, connection_config, clock.now())?;
    let fill = |template: &str| filled(template, credential, assertion.as_ref(), connection_config);
    let mut headers = HeaderMap::new();
    for (name, template) in &scheme.headers {
        headers.insert(header_name(name)?, secret_header(name, &fill(template)?)?);
    }
    let body = body(scheme, fill)?;

    let host = url.host_str().unwrap_or_default();
    let asked = Asked::new(host, "token exchange");
    let body = (!scheme.fields.is_empty()).then_some(body);
    let answer = http.send(asked, Method::POST, &url, headers, body).await?;
    if matches!(answer.status.as_u16(), 401 | 403) {
        return Err(Error::new(
            ErrorKind::NeedsReauth,
            format!("`{host}` refused the secret when it was to be exchanged for a token; connect the account again"),
        )
        .status(answer.status.as_u16()));
    }
    if !answer.status.is_success() {
        // Its body may quote the request, secret and all: not even an error's source may hold it.
        Answer { body: Bytes::new(), ..answer.clone() }.success(asked)?;
    }
    // Lifetimes count from when the answer is here: a token never counts as alive for longer than it is by this clock.
    parse(scheme, asked, &answer, clock.now())
}

/// The token that is signed with the credential, where the scheme has one.
fn assertion(
    scheme: &TokenExchange,
    credential: &Credential,
    connection_config: &BTreeMap<String, String>,
    now: SystemTime,
) -> Result<Option<SecretString>> {
    let Some(wanted) = &scheme.assertion else { return Ok(None) };
    let Credential::Basic { username, password } = credential else {
        return Err(config(
            "the scheme signs with a private key: give the issuer as user name and the key as password",
        ));
    };
    let subject = wanted.subject.as_deref();
    let subject = subject.map(|text| filled(text, credential, None, connection_config)).transpose()?;
    let names = (username.as_str(), subject.as_ref().map(|text| text.as_str()));
    exchange_assertion(wanted, names, password, now).map(Some)
}

/// The fields, written so that a value stays a value whatever it holds.
fn body(
    scheme: &TokenExchange,
    fill: impl Fn(&str) -> Result<Zeroizing<String>>,
) -> Result<(&'static str, Bytes)> {
    match scheme.encoding {
        ExchangeEncoding::Form => {
            let mut form = form_urlencoded::Serializer::new(String::new());
            for (name, template) in &scheme.fields {
                form.append_pair(name, &fill(template)?);
            }
            Ok(("application/x-www-form-urlencoded", form.finish().into()))
        }
        _ => {
            let fields: BTreeMap<&str, Zeroizing<String>> = scheme
                .fields
                .iter()
                .map(|(name, template)| Ok((name.as_str(), fill(template)?)))
                .collect::<Result<_>>()?;
            let fields: BTreeMap<&str, &str> =
                fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let text = serde_json::to_vec(&fields).map_err(|_| {
                Error::new(ErrorKind::Internal, "the fields of a token exchange cannot be written")
            })?;
            Ok(("application/json", text.into()))
        }
    }
}

/// A template with its values, each put in once.
fn filled(
    template: &str,
    credential: &Credential,
    assertion: Option<&SecretString>,
    connection_config: &BTreeMap<String, String>,
) -> Result<Zeroizing<String>> {
    let unfit = |name: &str| {
        config(format!(
            "the scheme wants the credential's {name}, which this kind of credential does not have"
        ))
    };
    let mut out = Zeroizing::new(String::with_capacity(template.len() + 64));
    for piece in pieces(template)? {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Name("username") => match credential {
                Credential::Basic { username, .. } => out.push_str(username),
                _ => return Err(unfit("username")),
            },
            Piece::Name("password") => match credential {
                Credential::Basic { password, .. } => out.push_str(password.expose_secret()),
                _ => return Err(unfit("password")),
            },
            Piece::Name("token") => match credential {
                Credential::Token(token) => out.push_str(token.expose_secret()),
                _ => return Err(unfit("token")),
            },
            Piece::Name("assertion") => match assertion {
                Some(assertion) => out.push_str(assertion.expose_secret()),
                None => return Err(config("the scheme has a placeholder `{assertion}`, and no `assertion`")),
            },
            Piece::Name(name) => out.push_str(connection_config.get(name).ok_or_else(|| {
                unknown(
                    name,
                    "username, password, token, assertion, and what the connection's configuration has",
                )
            })?),
        }
    }
    Ok(out)
}

/// The token in the answer.
fn parse(scheme: &TokenExchange, asked: Asked<'_>, answer: &Answer, now: SystemTime) -> Result<TokenSet> {
    let body: Value = answer.json(asked)?;
    let token = body.pointer(&scheme.token).and_then(Value::as_str).filter(|token| !token.is_empty());
    let Some(token) = token else {
        return Err(asked.error(
            ErrorKind::Provider,
            format_args!(
                "the answer has no text at `{}`; correct the scheme's pointer",
                scheme.token.escape_debug()
            ),
        ));
    };
    let ends = scheme.expires_at.as_deref().and_then(|pointer| body.pointer(pointer)).and_then(Value::as_str);
    let ends = ends.and_then(from_rfc3339).map(|ends| ends.duration_since(now).unwrap_or_default());
    let lifetime = scheme
        .expires_in
        .as_deref()
        .and_then(|pointer| body.pointer(pointer))
        .and_then(seconds)
        .or(ends)
        .or(scheme.lifetime)
        .map(|lifetime| lifetime.min(LONGEST));
    let mut tokens = TokenSet::bearer(SecretString::from(token.to_owned()));
    tokens.expires_at = lifetime.and_then(|lifetime| now.checked_add(lifetime));
    Ok(tokens)
}

/// A lifetime as a number, or as text that is one.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    (seconds > 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST))
}
