//! Protected resource metadata (RFC 9728 §2), read strictly.

use tool_connect_core::{Error, ErrorKind, Result};
use url::Url;

use super::json::{self, flag, text, texts};
use super::server::shown;

/// Most authorization servers that are looked at.
const MAX_SERVERS: usize = 16;

/// What a protected resource says of itself, after it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResourceMetadata {
    /// The resource's identifier: what `resource` in authorization and token requests must be (RFC 8707 §2).
    pub resource: String,
    /// Issuers of the authorization servers that give tokens for it, the preferred one first.
    pub authorization_servers: Vec<String>,
    /// Scopes that it names.
    pub scopes_supported: Option<Vec<String>>,
    /// Whether it wants tokens that are bound with DPoP.
    pub dpop_bound_access_tokens_required: bool,
}

impl ResourceMetadata {
    /// Reads and checks metadata that was got for a resource.
    ///
    /// Its `resource` must be the identifier that was asked for (RFC 9728 §3.3): a resource that could name another one
    /// would be given tokens that are meant for that one. Only a slash for an empty path makes no difference.
    ///
    /// # Errors
    /// [`ErrorKind::Blocked`] where it speaks for another resource; [`ErrorKind::Unsupported`] where it names no
    /// authorization server; [`ErrorKind::Provider`] where it is malformed.
    pub fn parse(asked: &Url, body: &[u8]) -> Result<Self> {
        let fail = |kind, why: &str| {
            Error::new(kind, format!("the metadata of resource `{}` {why}", shown(asked.as_str())))
        };
        let malformed = |why: String| fail(ErrorKind::Provider, &format!("is refused: {why}"));
        let map = json::object(body).map_err(|why| fail(ErrorKind::Provider, why))?;
        let resource = text(&map, "resource").map_err(malformed)?.unwrap_or_default();
        let same = resource == asked.as_str()
            || (asked.path() == "/"
                && asked.query().is_none()
                && asked.as_str().strip_suffix('/') == Some(resource));
        if !same {
            return Err(fail(
                ErrorKind::Blocked,
                "names another resource (RFC 9728 §3.3); its tokens would be good for that one",
            ));
        }
        let mut servers = texts(&map, "authorization_servers").map_err(malformed)?.unwrap_or_default();
        servers.truncate(MAX_SERVERS);
        if servers.is_empty() {
            return Err(fail(ErrorKind::Unsupported, "names no authorization server"));
        }
        Ok(Self {
            resource: resource.to_owned(),
            authorization_servers: servers,
            scopes_supported: texts(&map, "scopes_supported").map_err(malformed)?,
            dpop_bound_access_tokens_required: flag(&map, "dpop_bound_access_tokens_required")
                .map_err(malformed)?,
        })
    }
}
