//! The certified authorization server of `tests/counterparties/`, which `cargo xtask counterparty` and `cargo xtask test` start.
//! A test against it is `#[ignore]`d with the reason `needs a counterparty` and has `counterparty` in its name.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;

use serde::Deserialize;
use serde_json::Value;
use url::Url;

/// What the server told when it was ready. Its secrets are made at each start.
#[derive(Deserialize)]
pub(crate) struct AuthorizationServer {
    /// Its issuer, `http://127.0.0.1:` and a port; metadata is at the well-known places below.
    pub(crate) issuer: String,
    /// The redirect URI of its clients; with any port, as they are native.
    pub(crate) redirect_uri: String,
    /// The beginning of every resource (RFC 8707) that it knows; tokens for one are JWTs.
    pub(crate) resource: String,
    /// Users who may log in.
    pub(crate) accounts: Vec<String>,
    /// `public`, `basic`, `post`, `jwt`, `brief` (tokens of one second), `par` (pushed requests only), `dpop` (bound tokens
    /// only), `device`, `service` (client credentials).
    pub(crate) clients: BTreeMap<String, Client>,
    /// The key of the client `jwt`.
    pub(crate) client_key: ClientKey,
}

/// A client of the server.
#[derive(Deserialize)]
pub(crate) struct Client {
    /// Its secret, where it has one. Those of `basic` and `service` are wrong unless form-encoded (RFC 6749 §2.3.1).
    pub(crate) secret: Option<String>,
}

/// A private key for `private_key_jwt`.
#[derive(Deserialize)]
pub(crate) struct ClientKey {
    /// PKCS#8, PEM.
    pub(crate) pem: String,
    pub(crate) kid: String,
    pub(crate) alg: String,
}

/// The running server. A test that is run without it fails.
pub(crate) fn authorization_server() -> AuthorizationServer {
    serde_json::from_str(&told("TOOL_CONNECT_COUNTERPARTY_OIDC")).expect("the server told what we expect")
}

/// What `cargo xtask` hands over in a variable.
pub(crate) fn told(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run `cargo xtask counterparty`, which brings the counterparties")
    })
}

/// A bare GET, so that this module stands on nothing that it tests.
fn get(url: &Url) -> (u16, Value) {
    let address = (url.host_str().expect("a host"), url.port().expect("a port"));
    let mut stream = TcpStream::connect(address).expect("the server listens");
    write!(stream, "GET {} HTTP/1.0\r\nHost: {}:{}\r\n\r\n", url.path(), address.0, address.1).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

#[test]
#[ignore = "needs a counterparty"]
fn counterparty_authorization_server_answers_with_its_metadata() {
    let server = authorization_server();
    let well_known = Url::parse(&server.issuer).unwrap().join("/.well-known/openid-configuration").unwrap();
    let (status, metadata) = get(&well_known);
    assert_eq!(status, 200);
    assert_eq!(metadata["issuer"], server.issuer);
    for endpoint in [
        "authorization_endpoint",
        "token_endpoint",
        "device_authorization_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
        "pushed_authorization_request_endpoint",
        "registration_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
    ] {
        assert!(metadata[endpoint].as_str().is_some_and(|url| url.starts_with(&server.issuer)), "{endpoint}");
    }
    assert_eq!(metadata["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    assert_eq!(metadata["response_types_supported"], serde_json::json!(["code"]));
    assert!(metadata["dpop_signing_alg_values_supported"].is_array());
}

#[test]
#[ignore = "needs a counterparty"]
fn counterparty_authorization_server_tells_all_that_its_users_need() {
    let server = authorization_server();
    assert_eq!(server.redirect_uri, "http://127.0.0.1/callback");
    assert!(server.resource.starts_with("https://"));
    assert!(server.accounts.iter().any(|account| account == "ada"));
    for (name, secret) in
        [("public", false), ("basic", true), ("post", true), ("jwt", false), ("brief", false), ("par", false)]
    {
        assert_eq!(server.clients[name].secret.is_some(), secret, "{name}");
    }
    for name in ["dpop", "device", "service"] {
        assert!(server.clients.contains_key(name), "{name}");
    }
    assert!(server.client_key.pem.starts_with("-----BEGIN PRIVATE KEY-----"));
    assert_eq!(server.client_key.alg, "ES256");
    assert!(!server.client_key.kid.is_empty());
    // Without a token the API answers as a provider's does.
    let (status, body) = get(&Url::parse(&server.issuer).unwrap().join("/api/whoami").unwrap());
    assert_eq!((status, body["error"].as_str()), (401, Some("invalid_token")));
}
