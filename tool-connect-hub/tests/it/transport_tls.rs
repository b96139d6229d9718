//! Whose certificates are trusted: a server with a certificate of a root that only the host knows.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tool_connect_core::{Effect, ErrorKind};
use tool_connect_hub::transport::{NetworkAccess, ReqwestTransport, Roots};

use crate::transport::{Names, get, settings};

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

/// A server for `dev.example` that answers every request with 200.
async fn server() -> SocketAddr {
    let certificate = CertificateDer::from(der(CERTIFICATE));
    let key = PrivateKeyDer::try_from(der(KEY)).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider's versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a certificate and its key");
    let acceptor = TlsAcceptor::from(Arc::new(config));
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

fn transport(roots: Roots) -> ReqwestTransport {
    let mut settings = settings();
    settings.roots = roots;
    let allow = |access: NetworkAccess, name: &str| access.allow(name.parse().expect("a rule"));
    settings.access = allow(allow(NetworkAccess::public(), "dev.example"), "other.example");
    ReqwestTransport::with_resolver(&settings, Names::new([&["127.0.0.1"]])).expect("valid settings")
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
