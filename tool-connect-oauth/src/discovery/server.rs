//! Authorization server metadata (RFC 8414 §2, OpenID Connect Discovery §3), read strictly.

use serde_json::{Map, Value};
use tool_connect_core::{Error, ErrorKind, Result};
use url::{Host, Url};

use super::json::{self, flag, text, texts};

/// What is asked of a server beyond the RFC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// RFC 8414.
    #[default]
    OAuth,
    /// The Model Context Protocol's authorization specification: a server that does not say that it checks PKCE is refused.
    Mcp,
}

/// What an authorization server says of itself, after it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerMetadata {
    /// The issuer, exactly as it was asked for.
    pub issuer: String,
    /// Authorization endpoint.
    pub authorization_endpoint: Option<Url>,
    /// Token endpoint.
    pub token_endpoint: Url,
    /// Client registration endpoint (RFC 7591).
    pub registration_endpoint: Option<Url>,
    /// Revocation endpoint (RFC 7009).
    pub revocation_endpoint: Option<Url>,
    /// Introspection endpoint (RFC 7662).
    pub introspection_endpoint: Option<Url>,
    /// Device authorization endpoint (RFC 8628).
    pub device_authorization_endpoint: Option<Url>,
    /// Pushed authorization request endpoint (RFC 9126).
    pub pushed_authorization_request_endpoint: Option<Url>,
    /// OpenID Connect's userinfo endpoint.
    pub userinfo_endpoint: Option<Url>,
    /// Where its public keys are.
    pub jwks_uri: Option<Url>,
    /// Whether authorization requests must be pushed (RFC 9126 §5).
    pub require_pushed_authorization_requests: bool,
    /// Whether its authorization responses carry `iss` (RFC 9207 §3).
    pub authorization_response_iss_parameter_supported: bool,
    /// Whether a client's id may be the address of its metadata.
    pub client_id_metadata_document_supported: bool,
    /// Scopes that it names.
    pub scopes_supported: Option<Vec<String>>,
    /// Grants; where it names none, those that RFC 8414 §2 says.
    pub grant_types_supported: Vec<String>,
    /// How clients authenticate at the token endpoint; where it names none, `client_secret_basic` (RFC 8414 §2).
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// How PKCE's challenge is made; `None` where it says nothing of PKCE.
    pub code_challenge_methods_supported: Option<Vec<String>>,
    /// What DPoP proofs may be signed with (RFC 9449 §5.1).
    pub dpop_signing_alg_values_supported: Option<Vec<String>>,
    /// What it signs ID tokens with.
    pub id_token_signing_alg_values_supported: Option<Vec<String>>,
}

impl ServerMetadata {
    /// Reads and checks metadata that was got for an issuer.
    ///
    /// Its `issuer` must be the one that was asked for, character for character (RFC 8414 §3.3): two spellings of one address
    /// are two issuers. `loopback` says whether `http` endpoints on this machine are accepted.
    ///
    /// # Errors
    /// [`ErrorKind::Blocked`] where it speaks for another issuer; [`ErrorKind::Unsupported`] where the server does not do
    /// what we need; [`ErrorKind::Provider`] where it is malformed. The message names the issuer that was asked for, and
    /// nothing that the server sent.
    pub fn parse(issuer: &str, body: &[u8], profile: Profile, loopback: bool) -> Result<Self> {
        let fail = |kind, why: &str| {
            Error::new(
                kind,
                format!("the metadata of authorization server `{}` {why}", issuer.escape_debug()),
            )
        };
        let malformed = |why: String| fail(ErrorKind::Provider, &format!("is refused: {why}"));
        let map = json::object(body).map_err(|why| fail(ErrorKind::Provider, why))?;
        let text_of = |name| text(&map, name).map_err(malformed);
        if text_of("issuer")? != Some(issuer) {
            return Err(fail(
                ErrorKind::Blocked,
                "names another issuer (RFC 8414 §3.3); give the issuer exactly as the server writes it, and nothing else \
                 that leads there",
            ));
        }
        let endpoint = |name: &'static str| endpoint(&map, name, loopback).map_err(malformed);
        let texts_of = |name| texts(&map, name).map_err(malformed);
        let flag_of = |name| flag(&map, name).map_err(malformed);

        let methods = texts_of("code_challenge_methods_supported")?;
        match &methods {
            Some(methods) if methods.iter().any(|method| method == "S256") => {}
            Some(_) => {
                return Err(fail(
                    ErrorKind::Unsupported,
                    "names PKCE methods without S256, the only one that is used",
                ));
            }
            None if profile == Profile::Mcp => {
                return Err(fail(
                    ErrorKind::Unsupported,
                    "has no `code_challenge_methods_supported`: the server does not say that it checks PKCE, without which \
                     a code may be stolen",
                ));
            }
            None => {}
        }
        let metadata = Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: endpoint("authorization_endpoint")?,
            token_endpoint: endpoint("token_endpoint")?
                .ok_or_else(|| fail(ErrorKind::Unsupported, "has no `token_endpoint`"))?,
            registration_endpoint: endpoint("registration_endpoint")?,
            revocation_endpoint: endpoint("revocation_endpoint")?,
            introspection_endpoint: endpoint("introspection_endpoint")?,
            device_authorization_endpoint: endpoint("device_authorization_endpoint")?,
            pushed_authorization_request_endpoint: endpoint("pushed_authorization_request_endpoint")?,
            userinfo_endpoint: endpoint("userinfo_endpoint")?,
            jwks_uri: endpoint("jwks_uri")?,
            require_pushed_authorization_requests: flag_of("require_pushed_authorization_requests")?,
            authorization_response_iss_parameter_supported: flag_of(
                "authorization_response_iss_parameter_supported",
            )?,
            client_id_metadata_document_supported: flag_of("client_id_metadata_document_supported")?,
            scopes_supported: texts_of("scopes_supported")?,
            grant_types_supported: texts_of("grant_types_supported")?
                .unwrap_or_else(|| vec!["authorization_code".into(), "implicit".into()]),
            token_endpoint_auth_methods_supported: texts_of("token_endpoint_auth_methods_supported")?
                .unwrap_or_else(|| vec!["client_secret_basic".into()]),
            code_challenge_methods_supported: methods,
            dpop_signing_alg_values_supported: texts_of("dpop_signing_alg_values_supported")?,
            id_token_signing_alg_values_supported: texts_of("id_token_signing_alg_values_supported")?,
        };
        if metadata.require_pushed_authorization_requests
            && metadata.pushed_authorization_request_endpoint.is_none()
        {
            return Err(fail(
                ErrorKind::Unsupported,
                "requires pushed authorization requests and names no endpoint for them",
            ));
        }
        Ok(metadata)
    }
}

/// An issuer as an address: `https`, without query and fragment (RFC 8414 §2).
pub(super) fn issuer_url(issuer: &str, loopback: bool) -> Result<Url> {
    let fail = |why: &str| Error::new(ErrorKind::Config, format!("`{}` is no issuer: {why}", shown(issuer)));
    let url = checked(issuer, loopback).map_err(fail)?;
    if url.query().is_some() {
        return Err(fail("an issuer has no query"));
    }
    Ok(url)
}

fn endpoint(map: &Map<String, Value>, name: &'static str, loopback: bool) -> Result<Option<Url>, String> {
    let Some(text) = text(map, name)? else { return Ok(None) };
    checked(text, loopback).map(Some).map_err(|why| format!("`{name}`: {why}"))
}

/// An address to which a request or a browser may be sent, by its form; where its name leads is the transport's to judge.
pub(super) fn checked(text: &str, loopback: bool) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "it is no address")?;
    match url.scheme() {
        "https" => {}
        "http" if loopback && is_loopback(&url) => {}
        _ => return Err("it must be `https` (on this machine `http` where that is allowed)"),
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err("it must hold neither user information nor a fragment");
    }
    Ok(url)
}

pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// A stranger's text for a message: short and harmless.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(200).flat_map(char::escape_debug).collect()
}
