//! Security schemes as authentication schemes, and what a description says of OAuth as data for who connects accounts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tool_connect_core::{AuthScheme, OAuth2Scheme, OAuthGrant};
use url::Url;

use super::document::{Document, Version};
use super::documents::Documents;

/// What a description says of an OAuth 2 or OpenID Connect server: data for a catalog entry of the host's.
///
/// The catalog itself knows more (how clients authenticate, what yields a refresh token); this is where to begin for a service
/// that it does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OAuthDescription {
    /// The scheme's name in the description.
    pub scheme: String,
    /// How the first token is got.
    pub grant: OAuthGrant,
    /// The authorization endpoint (RFC 6749 §3.1).
    pub authorize: Option<Url>,
    /// The token endpoint (RFC 6749 §3.2).
    pub token: Option<Url>,
    /// Where refresh tokens are used, if elsewhere.
    pub refresh: Option<Url>,
    /// The device authorization endpoint (RFC 8628 §3.1).
    pub device: Option<Url>,
    /// OpenID Connect metadata (Discovery 1.0 §4), where the description names it.
    pub openid_configuration: Option<Url>,
    /// Scopes, and what each is for.
    pub scopes: BTreeMap<String, String>,
}

/// One scheme of the description.
#[derive(Clone, Debug)]
pub(super) struct Scheme {
    pub(super) name: String,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Simple(AuthScheme),
    OAuth,
    /// Something that a Hub's schemes do not have.
    Unknown(String),
}

/// A requirement: all of these schemes together, each with its scopes.
pub(super) type Requirement = BTreeMap<String, Vec<String>>;

/// The schemes of the description, by name.
pub(super) fn schemes(documents: &Documents) -> Vec<Scheme> {
    let Value::Object(all) = definitions(documents) else { return Vec::new() };
    all.into_iter()
        .map(|(name, value)| {
            let value = documents.follow(&documents.main, value).map(|(_, value)| value).unwrap_or_default();
            Scheme { kind: kind(&value), name }
        })
        .collect()
}

fn definitions(documents: &Documents) -> Value {
    let main = &documents.main;
    match main.version {
        Version::V2 => main.top("securityDefinitions"),
        _ => Value::Object(main.section("securitySchemes")),
    }
}

fn kind(value: &Value) -> Kind {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("type") {
        "basic" => Kind::Simple(AuthScheme::Basic),
        "http" => match text("scheme").to_ascii_lowercase().as_str() {
            "basic" => Kind::Simple(AuthScheme::Basic),
            "bearer" => Kind::Simple(AuthScheme::Bearer),
            other => Kind::Unknown(format!("HTTP authentication `{}`", super::documents::shown(other))),
        },
        "apiKey" => match (text("in"), text("name")) {
            (_, "") => Kind::Unknown("an API key without a name".to_owned()),
            // A key in this header is a token; what stands before it is told in words, if at all.
            ("header", name) if name.eq_ignore_ascii_case("authorization") => {
                let words = text("description").to_ascii_lowercase();
                match words.contains("bearer") {
                    true => Kind::Simple(AuthScheme::Bearer),
                    false => Kind::Simple(AuthScheme::ApiKeyHeader {
                        header: name.to_owned(),
                        prefix: String::new(),
                    }),
                }
            }
            ("header", name) => {
                Kind::Simple(AuthScheme::ApiKeyHeader { header: name.to_owned(), prefix: String::new() })
            }
            ("query", name) => Kind::Simple(AuthScheme::ApiKeyQuery { parameter: name.to_owned() }),
            ("cookie", name) => Kind::Simple(AuthScheme::ApiKeyHeader {
                header: "cookie".to_owned(),
                prefix: format!("{name}="),
            }),
            (place, _) => Kind::Unknown(format!("an API key in `{}`", super::documents::shown(place))),
        },
        "oauth2" | "openIdConnect" => Kind::OAuth,
        other => Kind::Unknown(format!("`{}`", super::documents::shown(other))),
    }
}

/// What the description says of OAuth.
pub(super) fn oauth(documents: &Documents) -> Vec<OAuthDescription> {
    let Value::Object(all) = definitions(documents) else { return Vec::new() };
    let mut found = Vec::new();
    for (name, value) in all {
        let Ok((_, value)) = documents.follow(&documents.main, value) else { continue };
        match value.get("type").and_then(Value::as_str) {
            Some("openIdConnect") => {
                let mut one = empty(&name, OAuthGrant::AuthorizationCode);
                one.openid_configuration = url(&documents.main, value.get("openIdConnectUrl"));
                found.push(one);
            }
            Some("oauth2") if documents.main.version == Version::V2 => {
                let grant = match value.get("flow").and_then(Value::as_str) {
                    Some("application") => OAuthGrant::ClientCredentials,
                    _ => OAuthGrant::AuthorizationCode,
                };
                found.push(flow(documents, &name, grant, &value));
            }
            Some("oauth2") => {
                for (flow_name, grant) in [
                    ("authorizationCode", OAuthGrant::AuthorizationCode),
                    ("deviceAuthorization", OAuthGrant::DeviceCode),
                    ("clientCredentials", OAuthGrant::ClientCredentials),
                    // Superseded (RFC 9700 §2.1.2): its authorization endpoint serves the code grant too.
                    ("implicit", OAuthGrant::AuthorizationCode),
                ] {
                    if let Some(said) = value.pointer(&format!("/flows/{flow_name}")) {
                        found.push(flow(documents, &name, grant, said));
                    }
                }
            }
            _ => {}
        }
    }
    found
}

fn empty(name: &str, grant: OAuthGrant) -> OAuthDescription {
    OAuthDescription {
        scheme: name.to_owned(),
        grant,
        authorize: None,
        token: None,
        refresh: None,
        device: None,
        openid_configuration: None,
        scopes: BTreeMap::new(),
    }
}

fn flow(documents: &Documents, name: &str, grant: OAuthGrant, said: &Value) -> OAuthDescription {
    let at = |key: &str| url(&documents.main, said.get(key));
    let scopes = said.get("scopes").and_then(Value::as_object);
    OAuthDescription {
        authorize: at("authorizationUrl"),
        token: at("tokenUrl"),
        refresh: at("refreshUrl"),
        device: at("deviceAuthorizationUrl"),
        scopes: scopes
            .into_iter()
            .flatten()
            .map(|(scope, words)| (scope.clone(), words.as_str().unwrap_or_default().to_owned()))
            .collect(),
        ..empty(name, grant)
    }
}

fn url(document: &Document, value: Option<&Value>) -> Option<Url> {
    let text = value?.as_str()?;
    match &document.url {
        Some(base) => base.join(text).ok(),
        None => Url::parse(text).ok(),
    }
}

/// A list of requirements, any of which is enough.
pub(super) fn requirements(value: &Value) -> Vec<Requirement> {
    let Value::Array(all) = value else { return Vec::new() };
    all.iter()
        .filter_map(Value::as_object)
        .map(|one| {
            one.iter()
                .map(|(scheme, scopes)| {
                    let scopes = scopes.as_array().into_iter().flatten();
                    (scheme.clone(), scopes.filter_map(Value::as_str).map(str::to_owned).collect())
                })
                .collect()
        })
        .collect()
}

/// The ways to authenticate that the chosen operations ask for, best first, and what could not be taken over.
pub(super) fn auth(
    schemes: &[Scheme],
    asked: &[Vec<Requirement>],
    provider: Option<&str>,
) -> (Vec<AuthScheme>, Vec<String>) {
    let mut notes = Vec::new();
    let nobody_asks = asked.iter().all(Vec::is_empty);
    let mut wanted: Vec<&Scheme> = Vec::new();
    for requirement in asked.iter().flatten() {
        if requirement.len() > 1 {
            let names: Vec<&str> = requirement.keys().map(String::as_str).collect();
            let note = format!("asks for {} together; a connection holds one of them", names.join(" and "));
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        for name in requirement.keys() {
            match schemes.iter().find(|scheme| scheme.name == *name) {
                Some(scheme) if !wanted.iter().any(|known| known.name == scheme.name) => wanted.push(scheme),
                Some(_) => {}
                None => {
                    let note = format!("asks for `{}`, which is not defined", super::documents::shown(name));
                    if !notes.contains(&note) {
                        notes.push(note);
                    }
                }
            }
        }
    }
    // Schemes that are defined and asked for nowhere are meant for all, or they would not stand there.
    if nobody_asks {
        wanted = schemes.iter().collect();
    }
    let mut found: Vec<AuthScheme> = Vec::new();
    for scheme in wanted {
        let one = match &scheme.kind {
            Kind::Simple(scheme) => scheme.clone(),
            Kind::OAuth => match provider {
                Some(provider) => AuthScheme::OAuth2(OAuth2Scheme {
                    provider: provider.to_owned(),
                    scopes: Vec::new(),
                    grant: OAuthGrant::AuthorizationCode,
                }),
                // Without an entry, a token that was got elsewhere is a bearer token (RFC 6750).
                None => AuthScheme::Bearer,
            },
            Kind::Unknown(what) => {
                notes.push(format!(
                    "the scheme `{}` is {what}, which is not supported",
                    super::documents::shown(&scheme.name)
                ));
                continue;
            }
        };
        if !found.contains(&one) {
            found.push(one);
        }
    }
    // A consent is better than a pasted secret, a header better than a logged query.
    found.sort_by_key(|scheme| match scheme {
        AuthScheme::OAuth2(_) => 0,
        AuthScheme::ApiKeyQuery { .. } => 2,
        _ => 1,
    });
    if found.is_empty() {
        found.push(AuthScheme::None);
    }
    (found, notes)
}

/// The scopes that an operation needs: of the alternatives with OAuth, the one that asks for least.
pub(super) fn scopes(schemes: &[Scheme], requirements: &[Requirement]) -> Vec<String> {
    let is_oauth =
        |name: &str| schemes.iter().any(|scheme| scheme.name == name && scheme.kind == Kind::OAuth);
    let of = |requirement: &Requirement| -> Option<BTreeSet<String>> {
        let mut with = requirement.iter().filter(|(name, _)| is_oauth(name)).peekable();
        with.peek()?;
        Some(with.flat_map(|(_, scopes)| scopes.iter().cloned()).collect())
    };
    let least = requirements.iter().filter_map(of).min_by_key(BTreeSet::len);
    least.into_iter().flatten().collect()
}

/// The parameters that are credentials, by where they go and their name: the host's to add.
pub(super) fn credentials(documents: &Documents) -> Vec<(String, String)> {
    let Value::Object(all) = definitions(documents) else { return Vec::new() };
    all.values()
        .filter(|value| value.get("type").is_some_and(|t| t == "apiKey"))
        .filter_map(|value| {
            let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
            Some((text("in")?, text("name")?.to_ascii_lowercase()))
        })
        .collect()
}
