//! Client id metadata documents: a client whose id is the address of what it says of itself.
//!
//! Source: <https://datatracker.ietf.org/doc/draft-ietf-oauth-client-id-metadata-document/>.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use serde_json::json;
use tool_connect_core::{Error, ErrorKind, Result};
use tower::Service;
use url::Url;

use super::json;
use super::registration::ClientMetadata;
use crate::catalog::ClientConfig;

/// A client's metadata and the address that is its id.
///
/// ```
/// use tool_connect_oauth::discovery::{ClientDocument, ClientMetadata};
///
/// let metadata = ClientMetadata::new("Acme", ["https://app.example/oauth/callback".parse().expect("a URL")]);
/// let document = ClientDocument::new("https://app.example/oauth/client.json", metadata)?;
/// let service = document.service(); // mount it at `/oauth/client.json`
/// # let _ = service;
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientDocument {
    id: Url,
    text: String,
    metadata: ClientMetadata,
}

impl ClientDocument {
    /// A document at an address: `https`, with a path, without user information, query, fragment or steps in the path.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where the address is no client id, or where there is no redirect URI.
    pub fn new(client_id: &str, metadata: ClientMetadata) -> Result<Self> {
        let id = client_id_url(client_id).map_err(|why| {
            Error::new(ErrorKind::Config, format!("the client id {why} (client id metadata documents)"))
        })?;
        if metadata.redirect_uris.is_empty() {
            return Err(Error::new(ErrorKind::Config, "a client id metadata document needs a redirect URI"));
        }
        let mut document = serde_json::to_value(&metadata)
            .map_err(|_| Error::new(ErrorKind::Internal, "a client's metadata cannot be written"))?;
        document["client_id"] = json!(id.as_str());
        // There is no secret that could be in a public document.
        document["token_endpoint_auth_method"] = json!("none");
        Ok(Self { id, text: document.to_string(), metadata })
    }

    /// The client id: the document's address.
    #[must_use]
    pub fn client_id(&self) -> &Url {
        &self.id
    }

    /// The client for the flows: public, because the document is.
    #[must_use]
    pub fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::public(self.id.as_str());
        client.redirect_uri = self.metadata.redirect_uris.first().cloned();
        client
    }

    /// The document's text.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.text
    }

    /// A service that answers with the document, to be mounted at [`client_id`](Self::client_id)'s path. It asks for no
    /// login: authorization servers fetch it.
    #[must_use]
    pub fn service(&self) -> ClientDocumentService {
        ClientDocumentService { path: Arc::from(self.id.path()), text: Bytes::from(self.text.clone()) }
    }

    /// Checks a document as an authorization server does: that what was got from an address calls itself by it.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where the address is no client id; [`ErrorKind::Blocked`] where the document names another;
    /// [`ErrorKind::Provider`] where it is malformed or holds a secret.
    pub fn check(client_id: &str, body: &[u8]) -> Result<()> {
        client_id_url(client_id)
            .map_err(|why| Error::new(ErrorKind::Config, format!("the client id {why}")))?;
        let malformed =
            |why: &str| Error::new(ErrorKind::Provider, format!("the client id metadata document {why}"));
        let map = json::object(body).map_err(malformed)?;
        if map.get("client_id").and_then(serde_json::Value::as_str) != Some(client_id) {
            return Err(Error::new(
                ErrorKind::Blocked,
                "the client id metadata document names another client than its address",
            ));
        }
        if map.contains_key("client_secret") {
            return Err(malformed("holds a secret, which is public there"));
        }
        match json::texts(&map, "redirect_uris") {
            Ok(Some(uris)) if !uris.is_empty() => Ok(()),
            _ => Err(malformed("has no redirect URIs")),
        }
    }
}

fn client_id_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "is no address")?;
    if url.scheme() != "https" {
        return Err("must be `https`");
    }
    if url.path() == "/" {
        return Err("must have a path");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must hold no user information");
    }
    if url.fragment().is_some() || url.query().is_some() {
        return Err("must hold neither query nor fragment");
    }
    // Also catches steps in the path, which the parser takes out, and other spellings of the host.
    if url.as_str() != text {
        return Err("must be written as addresses are compared: lower-case host, no `.` or `..` in the path");
    }
    Ok(url)
}

/// Answers with a [`ClientDocument`] at its path, with 404 elsewhere.
///
/// Routers that strip the prefix of what they mount (`axum`'s `nest_service`) hand over `/`, which is answered too.
#[derive(Clone, Debug)]
pub struct ClientDocumentService {
    path: Arc<str>,
    text: Bytes,
}

impl<B> Service<Request<B>> for ClientDocumentService {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let here = matches!(request.uri().path(), "/" | "") || request.uri().path() == &*self.path;
        let mut answer = Response::new(Full::default());
        if !here {
            *answer.status_mut() = StatusCode::NOT_FOUND;
        } else if request.method() != Method::GET && request.method() != Method::HEAD {
            *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        } else {
            let headers = answer.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
            headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
            if request.method() == Method::GET {
                *answer.body_mut() = Full::new(self.text.clone());
            }
        }
        ready(Ok(answer))
    }
}
