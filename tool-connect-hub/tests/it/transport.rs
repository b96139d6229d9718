//! The guarded transport against a server that misbehaves. Sockets keep real time, so the bounds
//! here are short.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::io::AsyncWriteExt;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{Effect, Error, ErrorKind, Result};
use tool_connect_hub::transport::{HttpSettings, HttpTransport, NetworkAccess, Resolver, Roots};

use crate::server::{Play, Server};

pub(crate) fn limits() -> TransportLimits {
    let enough = Duration::from_secs(5);
    TransportLimits { connect: enough, head: enough, idle: enough }
}

/// Settings that open loopback; the connect bound is that of [`limits`], so that one client serves.
pub(crate) fn settings() -> HttpSettings {
    let mut settings = HttpSettings::default();
    settings.access = NetworkAccess::public().allow_loopback();
    settings.connect = limits().connect;
    settings
}

fn transport() -> HttpTransport {
    HttpTransport::new(&settings()).expect("valid settings")
}

fn request(method: &str, url: &str) -> http::Request<RequestBody> {
    http::Request::builder().method(method).uri(url).body(RequestBody::Empty).expect("a request")
}

pub(crate) async fn get(transport: &HttpTransport, url: &str) -> Result<http::Response<ByteStream>> {
    transport.send(request("GET", url), &limits()).await
}

async fn body(response: http::Response<ByteStream>) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    let mut body = response.into_body();
    while let Some(chunk) = body.next().await {
        all.extend_from_slice(&chunk?);
    }
    Ok(all)
}

fn gzip_answer(compressed: &[u8]) -> Vec<Play> {
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", compressed.len());
    vec![Play::Write([head.as_bytes(), compressed].concat())]
}

async fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = async_compression::tokio::write::GzipEncoder::new(Vec::new());
    encoder.write_all(bytes).await.expect("memory");
    encoder.shutdown().await.expect("memory");
    encoder.into_inner()
}

#[tokio::test]
async fn requests_and_answers_go_through_whole() {
    let server = Server::start([Play::ok("fine")]).await;
    let transport = transport();
    let mut request = request("POST", &server.url("/a?b=c"));
    request.headers_mut().insert("x-own", "1".parse().expect("a value"));
    *request.body_mut() = RequestBody::Bytes(Bytes::from_static(b"the body"));
    let response = transport.send(request, &limits()).await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert_eq!(body(response).await.expect("a body"), b"fine");

    let chunks = || stream::iter(["one", "two"].map(|chunk| Ok(Bytes::from(chunk))));
    for length in [None, Some(6)] {
        let mut streamed = self::request("PUT", &server.url("/s"));
        *streamed.body_mut() = RequestBody::Stream(Box::pin(chunks()), length);
        body(transport.send(streamed, &limits()).await.expect("an answer")).await.expect("a body");
    }

    let seen = server.requests();
    assert!(seen[0].starts_with("POST /a?b=c HTTP/1.1\r\n") && seen[0].ends_with("the body"), "{}", seen[0]);
    assert!(seen[0].contains("x-own: 1") && seen[0].contains("user-agent: tool-connect/"), "{}", seen[0]);
    assert!(seen[1].contains("transfer-encoding: chunked"), "{}", seen[1]);
    assert!(seen[2].contains("content-length: 6") && seen[2].ends_with("onetwo"), "{}", seen[2]);
    assert_eq!(server.connections(), 1, "the connection is kept");
}

#[tokio::test]
async fn a_body_of_another_length_than_was_said_is_an_error() {
    for (length, how) in [(5, "longer"), (3, "longer"), (7, "shorter")] {
        let server = Server::start([Play::ok("fine")]).await;
        let mut streamed = request("PUT", &server.url("/s"));
        let chunks = stream::iter(["one", "two"].map(|chunk| Ok(Bytes::from(chunk))));
        *streamed.body_mut() = RequestBody::Stream(Box::pin(chunks), Some(length));
        let error = transport().send(streamed, &limits()).await.err().expect("a wrong length");
        assert_eq!(
            (error.kind(), error.effect_on_provider()),
            (ErrorKind::InvalidArguments, Effect::Unknown)
        );
        assert!(error.to_string().contains(how), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let server = Server::start([vec![Play::Stall]]).await;
    let mut settings = settings();
    settings.connect = Duration::from_millis(500);
    let transport = HttpTransport::new(&settings).expect("valid settings");
    let bounds =
        TransportLimits { connect: settings.connect, head: Duration::from_millis(50), idle: limits().idle };
    let error = transport.send(request("GET", &server.url("/")), &bounds).await.err().expect("silence");
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Transport, Effect::Unknown));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_body_that_stalls_or_breaks_off_is_an_error() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nsome\r\n";
    for (text, end, said) in [
        (head, Play::Stall, "stalled"),
        (head, Play::Close, "broke off"),
        (chunked, Play::Stall, "stalled"),
        (chunked, Play::Close, "broke off"),
    ] {
        let server = Server::start([vec![Play::Write(text.into()), end]]).await;
        let bounds = TransportLimits { idle: Duration::from_millis(100), ..limits() };
        let response = transport().send(request("GET", &server.url("/")), &bounds).await.expect("a head");
        let read =
            tokio::time::timeout(limits().idle, body(response)).await.expect("the body ends by itself");
        let error = read.expect_err(said);
        assert_eq!(error.kind(), ErrorKind::Transport);
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[tokio::test]
async fn a_slow_body_is_fine_as_long_as_something_comes() {
    let mut plays = Play::text("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n");
    for letter in ["a", "b", "c", "d"] {
        plays.push(Play::Wait(Duration::from_millis(300)));
        plays.extend(Play::text(letter));
    }
    let server = Server::start([plays]).await;
    let bounds = TransportLimits { idle: Duration::from_secs(1), ..limits() };
    let response = transport().send(request("GET", &server.url("/")), &bounds).await.expect("a head");
    assert_eq!(body(response).await.expect("1.2 s in all"), b"abcd");
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_answer_may_have_done_something() {
    let server = Server::start([vec![Play::Close]]).await;
    let error = get(&transport(), &server.url("/")).await.err().expect("no answer");
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Transport, Effect::Unknown));
}

#[tokio::test]
async fn a_refused_connection_has_done_nothing() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/?key=canary-9c2e", free.local_addr().expect("an address"));
    drop(free);
    let error = get(&transport(), &url).await.err().expect("nobody is there");
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Transport, Effect::NotExecuted));
    assert!(!whole_text(&error).contains("canary-9c2e"), "{}", whole_text(&error));

    // Nobody speaks TLS there: not a byte of the request was sent.
    let plain = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("https://{}/", plain.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await);
        }
    });
    let error = get(&transport(), &url).await.err().expect("no TLS");
    // On a machine without root certificates nothing is asked at all.
    if error.kind() != ErrorKind::Config {
        assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Transport, Effect::NotExecuted));
    }
}

#[tokio::test]
async fn gzip_is_decoded() {
    let text = "a text that is compressed ".repeat(100);
    let server = Server::start([gzip_answer(&gzip(text.as_bytes()).await)]).await;
    let response = get(&transport(), &server.url("/")).await.expect("a head");
    assert!(!response.headers().contains_key("content-encoding"));
    assert!(!response.headers().contains_key("content-length"));
    assert_eq!(body(response).await.expect("a body"), text.as_bytes());
    assert!(server.requests()[0].contains("accept-encoding: gzip"));

    let mut own = request("GET", &server.url("/"));
    own.headers_mut().insert("accept-encoding", "gzip, br".parse().expect("a value"));
    let response = transport().send(own, &limits()).await.expect("a head");
    assert_eq!(response.headers()["content-encoding"], "gzip", "who asks for a coding gets it");
}

#[tokio::test]
async fn a_damaged_or_cut_gzip_body_is_an_error() {
    let whole = gzip("a text that is compressed ".repeat(100).as_bytes()).await;
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    for bytes in [&whole[..whole.len() - 9], &whole[..4], &damaged] {
        let server = Server::start([gzip_answer(bytes)]).await;
        let response = get(&transport(), &server.url("/")).await.expect("a head");
        assert_eq!(body(response).await.expect_err("not whole").kind(), ErrorKind::Transport);
    }
}

#[tokio::test]
async fn a_gzip_bomb_is_stopped_early() {
    let bomb = gzip(&vec![0; 8 << 20]).await;
    let server = Server::start([gzip_answer(&bomb)]).await;
    let mut answer = get(&transport(), &server.url("/")).await.expect("a head").into_body();
    let mut read = 0;
    let error = loop {
        match answer.next().await.expect("an error comes first") {
            Ok(chunk) => read += chunk.len(),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(read < 2 << 20, "{read} bytes were decompressed");
    assert!(answer.next().await.is_none(), "and it ends there");
}

/// Answers each look-up with the next of its lists, the last one again and again.
pub(crate) struct Names {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

impl Names {
    pub(crate) fn new<const N: usize>(answers: [&[&str]; N]) -> Arc<Self> {
        let parse = |list: &&[&str]| list.iter().map(|text| text.parse().expect("an address")).collect();
        Arc::new(Self { answers: answers.iter().map(parse).collect(), asked: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, _name: &str) -> io::Result<Vec<IpAddr>> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed).min(self.answers.len() - 1);
        Ok(self.answers[asked].clone())
    }
}

/// Opens `name` for plain http without loopback, so that the server can be asked by a name.
fn by_name(rules: &[&str], names: Arc<Names>) -> HttpTransport {
    let mut settings = settings();
    settings.access = rules
        .iter()
        .fold(NetworkAccess::public(), |access, rule| access.allow(rule.parse().expect("a rule")));
    HttpTransport::with_resolver(&settings, names).expect("valid settings")
}

#[tokio::test]
async fn a_name_that_leads_inwards_is_blocked() {
    let server = Server::start([Play::ok("secret")]).await;
    let port = server.address.port();
    for inside in
        ["127.0.0.1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254", "fd00:ec2::254", "64:ff9b::7f00:1"]
    {
        let transport = by_name(&[], Names::new([&[inside]]));
        let error = get(&transport, &format!("https://evil.example:{port}/")).await.err().expect(inside);
        assert_eq!(
            (error.kind(), error.effect_on_provider()),
            (ErrorKind::Blocked, Effect::NotExecuted),
            "{inside}"
        );
        assert!(error.to_string().contains("evil.example"), "{error}");
    }
    // A name that was opened may lead to loopback, and still not to metadata.
    let opened = by_name(&["dev.example"], Names::new([&["127.0.0.1"], &["169.254.169.254"]]));
    let url = format!("http://dev.example:{port}/");
    let response = get(&opened, &url).await.expect("opened");
    assert_eq!(body(response).await.expect("a body"), b"secret");
    let fresh = by_name(&["dev.example"], Names::new([&["169.254.169.254"]]));
    assert_eq!(get(&fresh, &url).await.err().expect("metadata").kind(), ErrorKind::Blocked);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn an_address_is_judged_in_every_form_by_the_transport_itself() {
    let server = Server::start([Play::ok("secret")]).await;
    let port = server.address.port();
    // Were a name of these asked for, it would lead to the server.
    let transport = by_name(&["opened.example"], Names::new([&["127.0.0.1"]]));
    for url in [
        format!("https://127.0.0.1:{port}/"),
        format!("https://0x7f.1:{port}/"),
        format!("https://2130706433:{port}/"),
        format!("https://[::ffff:127.0.0.1]:{port}/"),
        format!("https://localhost:{port}/"),
        format!("https://me@opened.example:{port}/"),
        format!("http://closed.example:{port}/"),
    ] {
        let error = get(&transport, &url).await.err().expect("closed");
        let judged = (error.kind(), error.effect_on_provider());
        assert_eq!(judged, (ErrorKind::Blocked, Effect::NotExecuted), "{url}");
    }
    for url in ["/relative", "opened.example", "ftp://opened.example/"] {
        let error = get(&transport, url).await.err().expect("no URL for a request");
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{url}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_handshake_that_never_ends_counts_as_connecting() {
    let server = Server::start([vec![Play::Stall]]).await;
    let mut settings = settings();
    settings.connect = Duration::from_millis(100);
    let transport = HttpTransport::new(&settings).expect("valid settings");
    let bounds = TransportLimits { connect: settings.connect, ..limits() };
    let url = server.url("/").replace("http:", "https:");
    let error = transport.send(request("GET", &url), &bounds).await.err().expect("no handshake");
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Transport, Effect::NotExecuted));
    assert!(error.to_string().contains("in time"), "{error}");
}

#[tokio::test]
async fn refused_addresses_are_left_out_of_the_connection() {
    let server = Server::start([Play::ok("fine")]).await;
    // Were 127.0.0.2 tried, nobody would answer there; were 10.0.0.1 tried, the time would run out.
    let names = Names::new([&["169.254.169.254", "127.0.0.1"]]);
    let transport = by_name(&["dev.example"], names);
    let response = get(&transport, &format!("http://dev.example:{}/", server.address.port()))
        .await
        .expect("one is left");
    assert_eq!(body(response).await.expect("a body"), b"fine");
}

#[tokio::test]
async fn a_name_that_changes_its_mind_gains_nothing() {
    let server = Server::start([Play::ok("secret")]).await;
    // First a public address (nobody answers in time there), then inwards.
    let names = Names::new([&["192.0.2.1"], &["127.0.0.1"]]);
    let transport = by_name(&[], Arc::clone(&names));
    let url = format!("https://rebind.example:{}/", server.address.port());
    for _ in 0..3 {
        assert_eq!(get(&transport, &url).await.err().expect("refused").kind(), ErrorKind::Blocked);
    }
    assert_eq!(names.asked.load(Ordering::Relaxed), 3, "each connection is checked anew");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn an_unknown_name_is_said_so() {
    let transport = by_name(&[], Names::new([&[]]));
    let error = get(&transport, "https://nowhere.example/").await.err().expect("unknown");
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Transport, Effect::NotExecuted));
    assert!(error.to_string().contains("nowhere.example"), "{error}");
}

#[tokio::test]
async fn what_is_opened_for_one_request_is_not_open_for_another() {
    let server = Server::start([Play::ok("fine")]).await;
    let names = Names::new([&["127.0.0.1"]]);
    let mut closed = settings();
    closed.access = NetworkAccess::public();
    let transport = HttpTransport::with_resolver(&closed, names).expect("valid settings");
    let url = format!("http://dev.example:{}/", server.address.port());

    let mut opened = request("GET", &url);
    opened.extensions_mut().insert(NetworkAccess::public().allow("dev.example".parse().expect("a rule")));
    body(transport.send(opened, &limits()).await.expect("opened")).await.expect("a body");
    // A warm connection to the very same host is there now.
    assert_eq!(get(&transport, &url).await.err().expect("closed").kind(), ErrorKind::Blocked);
    let tls = url.replace("http:", "https:");
    assert_eq!(get(&transport, &tls).await.err().expect("closed").kind(), ErrorKind::Blocked);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn redirects_are_answers() {
    let server = Server::start([Play::status(302, "location: /b\r\n")]).await;
    let response = get(&transport(), &server.url("/a")).await.expect("an answer");
    assert_eq!((response.status().as_u16(), server.requests().len()), (302, 1));
}

#[tokio::test]
async fn a_hosts_own_client_is_guarded_as_far_as_it_can_be() {
    let server = Server::start([Play::status(302, "location: /b\r\n"), Play::ok("b")]).await;
    let access = NetworkAccess::public().allow_loopback();
    let client = || reqwest::Client::builder().no_proxy();
    let careless = HttpTransport::from_client(client().build().expect("a client"), &access);
    let error = get(&careless, &server.url("/a")).await.err().expect("it followed the redirect");
    assert_eq!(error.kind(), ErrorKind::Blocked);

    let careful = client().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let careful = HttpTransport::from_client(careful, &access);
    assert_eq!(body(get(&careful, &server.url("/a")).await.expect("an answer")).await.expect("a body"), b"b");
    assert_eq!(get(&careful, "https://10.0.0.1/").await.err().expect("inwards").kind(), ErrorKind::Blocked);
}

#[test]
fn roots_that_cannot_be_read_are_named() {
    for roots in [
        Roots::Pem("nonsense".into()),
        Roots::File("/no/such/file.pem".into()),
        Roots::PlatformAnd(String::new()),
    ] {
        let mut settings = HttpSettings::default();
        settings.roots = roots;
        let error = HttpTransport::new(&settings).expect_err("no certificate");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("`roots`"), "{error}");
    }
}

fn whole_text(error: &Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text.push_str(&format!(" {next} {next:?}"));
        cause = next.source();
    }
    text
}
