//! Whose certificates are trusted: a server with a certificate of a root that only the host knows.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tool_connect_core::http::{RequestBody, Transport};
use tool_connect_core::{Effect, ErrorKind, Retry};
use tool_connect_hub::transport::{HttpTransport, NetworkAccess, Roots};

use crate::transport::{Names, get, limits, settings};

// Made for this test, valid for a century; the key guards nothing else.
const ROOT: &str = "\
    MIIBqjCCAU+gAwIBAgIUBFCQenplteursvCOmAkXiZ/afkAwCgYIKoZIzj0EAwIwITEfMB0GA1UEAwwWdG9vbC1j\
    b25uZWN0IHRlc3Qgcm9vdDAgFw0yNjExMjMxNjIxMDhaGA8yMTI2MTAzMDE2MjEwOFowITEfMB0GA1UEAwwWdG9v\
    bC1jb25uZWN0IHRlc3Qgcm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGTNGxzOLeomj7m2qrba00sRvcVW\
    MaS1LMHppN/k/4G8qyucJ1rON8ib10xAYatVaSbPBBCzW624hIWyJjDDYjOjYzBhMB0GA1UdDgQWBBSa6lNnC6/+\
    V8X75FLr3TU+IVZYAjAfBgNVHSMEGDAWgBSa6lNnC6/+V8X75FLr3TU+IVZYAjAPBgNVHRMBAf8EBTADAQH/MA4G\
    A1UdDwEB/wQEAwICBDAKBggqhkjOPQQDAgNJADBGAiEAlJb4yDohzwaDrr04l+rZcIpqEH7a5LgLY5QwVdr6mbEC\
    IQD8Q2hWXaHeyi6NHEGuqMLloN9Qb9tl9KziEGda+zIPYg==";
const CERTIFICATE: &str = "\
    MIIBtTCCAVugAwIBAgIUW4mlgvVP75ErjNYJ1l/wu9xt2KowCgYIKoZIzj0EAwIwITEfMB0GA1UEAwwWdG9vbC1j\
    b25uZWN0IHRlc3Qgcm9vdDAgFw0yNjExMjMxNjIxMDhaGA8yMTI2MTAzMDE2MjEwOFowFjEUMBIGA1UEAwwLZGV2\
    LmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATvpl9Jk/0HRgTm7J3YkghRWy8gslYj1oXECUjmz7XT\
    KM2S1VOpqMUaxwqwYvutX41ih8wXJxJXYnqxY0sV7E5Xo3oweDAWBgNVHREEDzANggtkZXYuZXhhbXBsZTAJBgNV\
    HRMEAjAAMBMGA1UdJQQMMAoGCCsGAQUFBwMBMB0GA1UdDgQWBBTpKXp0TNL+jWqUgqaqREpD21jhezAfBgNVHSME\
    GDAWgBSa6lNnC6/+V8X75FLr3TU+IVZYAjAKBggqhkjOPQQDAgNIADBFAiEAt/LNxChRb73enE72MxD56yZv6oQI\
    5N2X+9/nnIRP8IECIG1kFokSR+CpyYXTx1ZhYM0NhVVI5EGvSfpc4P1+j/4q";
const KEY: &str = "\
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevbJlGd749T3R4dOoJi4PqiH50CfASSSS7WqFvgf\
    rYWhRANCAATvpl9Jk/0HRgTm7J3YkghRWy8gslYj1oXECUjmz7XTKM2S1VOpqMUaxwqwYvutX41ih8wXJxJXYnqx\
    Y0sV7E5X";

fn der(base64: &str) -> Vec<u8> {
    STANDARD.decode(base64).expect("base64")
}

/// The TLS of a server for `dev.example`.
fn acceptor(protocols: &[&str]) -> TlsAcceptor {
    let certificate = CertificateDer::from(der(CERTIFICATE));
    let key = PrivateKeyDer::try_from(der(KEY)).expect("a key");
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider's versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a certificate and its key");
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// A server for `dev.example` that answers every request with 200.
async fn server() -> SocketAddr {
    let acceptor = acceptor(&[]);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut buffer = [0; 4096];
            if stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                stream.write_all(answer).await.expect("the client reads");
            }
        }
    });
    address
}

fn transport(roots: Roots) -> HttpTransport {
    let mut settings = settings();
    settings.roots = roots;
    let allow = |access: NetworkAccess, name: &str| access.allow(name.parse().expect("a rule"));
    settings.access = allow(allow(NetworkAccess::public(), "dev.example"), "other.example");
    HttpTransport::with_resolver(&settings, Names::new([&["127.0.0.1"]])).expect("valid settings")
}

fn root() -> String {
    format!("-----BEGIN CERTIFICATE-----\n{ROOT}\n-----END CERTIFICATE-----\n")
}

#[tokio::test]
async fn a_root_of_the_hosts_own_is_trusted() {
    let port = server().await.port();
    let url = format!("https://dev.example:{port}/");
    assert_eq!(get(&transport(Roots::Pem(root())), &url).await.expect("trusted").status(), 200);

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("roots.pem");
    std::fs::write(&file, root()).expect("a file");
    assert_eq!(get(&transport(Roots::File(file)), &url).await.expect("trusted").status(), 200);
}

#[tokio::test]
async fn nobody_else_is() {
    let port = server().await.port();
    // The machine's own roots do not know it; if it has none at all, that is said instead.
    let error = get(&transport(Roots::Platform), &format!("https://dev.example:{port}/"))
        .await
        .err()
        .expect("unknown");
    if error.kind() != ErrorKind::Config {
        assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Transport, Effect::NotExecuted));
    }
    let other = format!("https://other.example:{port}/");
    let error = get(&transport(Roots::Pem(root())), &other).await.err().expect("another name");
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Transport, Effect::NotExecuted));
}

/// An HTTP/2 server that reads one request of each connection and then says this; the frames that it was asked in.
async fn second_version(says: &'static [u8]) -> SocketAddr {
    let acceptor = acceptor(&["h2", "http/1.1"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = acceptor.accept(stream).await.expect("a handshake");
            stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.expect("settings");
            let mut preface = [0; 24];
            stream.read_exact(&mut preface).await.expect("a preface");
            assert!(preface.starts_with(b"PRI * HTTP/2.0"), "{preface:?}");
            let mut head = [0; 9];
            // Up to the request's header block (RFC 9113 §6.2).
            while head[3] != 1 {
                stream.read_exact(&mut head).await.expect("a frame");
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
                stream.read_exact(&mut vec![0; length as usize]).await.expect("its payload");
            }
            stream.write_all(says).await.expect("the client reads");
            drop(stream.read(&mut head).await);
        }
    });
    address
}

#[tokio::test]
async fn http_2_is_spoken_and_what_was_refused_unread_was_not_executed() {
    // Frames of stream 1: `:status 200` and the stream's end; a reset; the connection's end with no stream processed.
    let fine: &[u8] = &[0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88];
    let refused: &[u8] = &[0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 7];
    let canceled: &[u8] = &[0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 8];
    let leaving: &[u8] = &[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let whole = || RequestBody::Bytes("a body".into());
    for (says, body, effect) in [
        (fine, RequestBody::Empty, None),
        (fine, whole(), None),
        (refused, RequestBody::Empty, Some(Effect::NotExecuted)),
        (refused, whole(), Some(Effect::NotExecuted)),
        // The head may have gone out, and been all of it, before the connection's end came in.
        (leaving, RequestBody::Empty, Some(Effect::Unknown)),
        (leaving, whole(), Some(Effect::NotExecuted)),
        (canceled, whole(), Some(Effect::Unknown)),
    ] {
        let url = format!("https://dev.example:{}/", second_version(says).await.port());
        let request = http::Request::builder().method("DELETE").uri(url).body(body).expect("a request");
        let sent = transport(Roots::Pem(root())).send(request, &limits()).await;
        match effect {
            None => assert_eq!(sent.expect("an answer").version(), http::Version::HTTP_2),
            Some(effect) => {
                let error = sent.err().expect("no answer");
                let at_once = error.retry_advice() == Retry::After(Duration::ZERO);
                assert_eq!(at_once, effect == Effect::NotExecuted, "{says:?}");
                assert_eq!(
                    (error.kind(), error.effect_on_provider()),
                    (ErrorKind::Transport, effect),
                    "{says:?}"
                );
            }
        }
    }
}
