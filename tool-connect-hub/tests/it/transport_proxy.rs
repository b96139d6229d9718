//! Proxies: none unless asked for, and then guarded.

use std::process::Command;

use tool_connect_core::ErrorKind;
use tool_connect_hub::transport::{HttpTransport, NetworkAccess, ProxySettings};

use crate::server::{Play, Server};
use crate::transport::{Names, get, settings};

/// Run by [`the_environment_is_not_asked`] with proxies in the environment; alone it proves little.
#[tokio::test]
async fn a_request_goes_straight_to_its_host() {
    let server = Server::start([Play::ok("straight")]).await;
    let transport = HttpTransport::new(&settings()).expect("valid settings");
    assert_eq!(get(&transport, &server.url("/")).await.expect("an answer").status(), 200);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn the_environment_is_not_asked() {
    let proxy = Server::start([Play::status(502, "")]).await;
    let name = concat!(module_path!(), "::a_request_goes_straight_to_its_host");
    let (_, name) = name.split_once("::").expect("the binary's name comes first");
    let mut child = Command::new(std::env::current_exe().expect("this binary"));
    child.args(["--exact", name]).env("RUST_TEST_THREADS", "1");
    for variable in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(variable, proxy.url(""));
    }
    for variable in ["NO_PROXY", "no_proxy"] {
        child.env_remove(variable);
    }
    let output =
        tokio::task::spawn_blocking(move || child.output()).await.expect("no panic").expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    assert_eq!(proxy.connections(), 0);
}

async fn through(proxy: &Server, address: &str) -> HttpTransport {
    let mut settings = settings();
    // The proxy itself is on loopback, which stays closed for what tools ask for.
    settings.access = NetworkAccess::public();
    settings.proxy = ProxySettings::try_from(proxy.url("")).expect("a proxy");
    HttpTransport::with_resolver(&settings, Names::new([&[address]])).expect("valid settings")
}

#[tokio::test]
async fn the_guard_sees_what_a_proxy_is_asked_for() {
    let proxy = Server::start([Play::status(502, "")]).await;
    for inside in ["10.0.0.1", "127.0.0.1", "169.254.169.254"] {
        let error = get(&through(&proxy, inside).await, "https://evil.example/").await.err().expect(inside);
        assert_eq!(error.kind(), ErrorKind::Blocked, "{inside}");
        let literal = format!("https://{inside}/");
        let error = get(&through(&proxy, "1.1.1.1").await, &literal).await.err().expect(inside);
        assert_eq!(error.kind(), ErrorKind::Blocked, "{inside}");
    }
    assert_eq!(proxy.connections(), 0);

    let error = get(&through(&proxy, "1.1.1.1").await, "https://api.example/")
        .await
        .err()
        .expect("the proxy says 502");
    // On a machine without root certificates nothing is asked at all.
    if error.kind() != ErrorKind::Config {
        assert_eq!(error.kind(), ErrorKind::Transport);
        assert!(proxy.requests()[0].starts_with("CONNECT api.example:443 "), "{:?}", proxy.requests());
    }
}
