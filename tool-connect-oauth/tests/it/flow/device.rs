//! Consent on another device.

use std::time::{Duration, SystemTime};

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::time::Instant;
use tool_connect_core::{Clock, Error, ErrorKind};
use tool_connect_oauth::catalog::ClientConfig;
use tool_connect_oauth::flow::{DeviceCode, DevicePoll, TokenClient, Wanted};

use super::script::Reply;
use super::{Bench, scopes, url};

fn codes() -> Value {
    json!({
        "device_code": "device-code-1", "user_code": "WDJB-MJHT", "verification_uri": "https://as.example/device",
        "verification_uri_complete": "https://as.example/device?user_code=WDJB-MJHT", "expires_in": 1800,
    })
}

/// A client without a secret, and what it was given.
async fn begun(codes: Value, replies: impl IntoIterator<Item = Reply>) -> (Bench, DeviceCode) {
    let bench = Bench::new([Reply::json(200, codes)].into_iter().chain(replies));
    let bench = bench.client(ClientConfig::public("device-1"));
    let asked = scopes(["read"]);
    let device = bench.tokens().device_authorize(Wanted { scopes: &asked, ..Wanted::default() }).await;
    let device = device.expect("codes");
    (bench, device)
}

async fn refused(codes: Value) -> Error {
    let bench = Bench::new([Reply::json(200, codes)]);
    bench.tokens().device_authorize(Wanted::default()).await.expect_err("a refusal")
}

#[tokio::test]
async fn oauth_client_29_a_device_code_is_asked_for() {
    let (bench, device) = begun(codes(), []).await;
    let sent = bench.script.only();
    assert_eq!(sent.url, "https://as.example/device");
    assert_eq!(sent.field("client_id").as_deref(), Some("device-1"));
    assert_eq!(sent.field("scope").as_deref(), Some("read"));
    assert_eq!(device.user_code, "WDJB-MJHT");
    assert_eq!(device.verification_uri, url("https://as.example/device"));
    assert_eq!(device.interval, Duration::from_secs(5), "where the provider does not say");
    assert_eq!(Some(device.expires_at), bench.in_seconds(1800));
    assert!(!format!("{device:?}").contains("device-code-1"));

    let google = json!({
        "device_code": "d", "user_code": "u", "verification_url": "https://g.example/device", "expires_in": "60",
        "interval": "7", "verification_uri_complete": "javascript:alert(1)",
    });
    let (_, device) = begun(google, []).await;
    assert_eq!(device.verification_uri, url("https://g.example/device"));
    assert_eq!((device.interval, device.verification_uri_complete), (Duration::from_secs(7), None));
}

#[tokio::test]
async fn oauth_client_29_a_poll_says_where_it_stands() {
    let (bench, mut device) = begun(
        codes(),
        [
            Reply::error("authorization_pending"),
            Reply::error("slow_down"),
            Reply::error("slow_down"),
            Reply::json(200, json!({ "error": "authorization_pending" })),
            Reply::token(),
        ],
    )
    .await;
    let client = bench.tokens();
    for seconds in [5, 10, 15, 15] {
        assert!(matches!(client.device_poll(&mut device).await, Ok(DevicePoll::Pending)));
        assert_eq!(device.interval, Duration::from_secs(seconds), "slow_down adds five seconds, for good");
    }
    let Ok(DevicePoll::Granted(tokens)) = client.device_poll(&mut device).await else { panic!("tokens") };
    assert_eq!(tokens.access_token.expose_secret(), "access-token-2");
    assert_eq!(tokens.scopes, Some(scopes(["read"])));
    let sent = bench.script.sent().pop().expect("a poll");
    assert_eq!(sent.url, "https://as.example/token");
    assert_eq!(sent.field("grant_type").as_deref(), Some("urn:ietf:params:oauth:grant-type:device_code"));
    assert_eq!(sent.field("device_code").as_deref(), Some("device-code-1"));
}

#[tokio::test]
async fn oauth_client_29_a_decided_or_ended_code_is_told() {
    let (bench, mut device) = begun(
        codes(),
        [Reply::error("access_denied"), Reply::error("expired_token"), Reply::error("invalid_grant")],
    )
    .await;
    let client = bench.tokens();
    assert!(matches!(client.device_poll(&mut device).await, Ok(DevicePoll::Denied)));
    assert!(matches!(client.device_poll(&mut device).await, Ok(DevicePoll::Expired)));
    assert_eq!(client.device_poll(&mut device).await.expect_err("an error").kind(), ErrorKind::NeedsReauth);

    let asked = bench.script.sent().len();
    bench.clock.advance(Duration::from_secs(1800));
    assert!(matches!(client.device_poll(&mut device).await, Ok(DevicePoll::Expired)));
    assert_eq!(bench.script.sent().len(), asked, "a code whose time is up is not sent");
}

/// Time as the paused runtime has it.
#[derive(Debug)]
struct RuntimeClock(Instant);

impl Clock for RuntimeClock {
    fn monotonic(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).expect("short")
    }

    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.0.elapsed()
    }
}

async fn waited(
    codes: Value,
    replies: impl IntoIterator<Item = Reply>,
) -> (tool_connect_core::Result<()>, u64, usize) {
    let bench = Bench::new([Reply::json(200, codes)].into_iter().chain(replies));
    let clock = RuntimeClock(Instant::now());
    let client = TokenClient::new(&bench.http, &bench.provider, &bench.client, &clock);
    let device = client.device_authorize(Wanted::default()).await.expect("codes");
    let result = client.device_wait(device).await.map(drop);
    (result, clock.0.elapsed().as_secs(), bench.script.sent().len() - 1)
}

#[tokio::test(start_paused = true)]
async fn oauth_client_29_waiting_keeps_the_providers_pace() {
    let replies = [Reply::error("authorization_pending"), Reply::error("slow_down"), Reply::token()];
    let (result, seconds, polls) = waited(codes(), replies).await;
    result.expect("tokens");
    assert_eq!((seconds, polls), (5 + 5 + 10, 3));
}

#[tokio::test(start_paused = true)]
async fn oauth_client_29_waiting_stops_at_the_end() {
    let pending = || (0..100).map(|_| Reply::error("authorization_pending"));
    let mut short = codes();
    short["expires_in"] = 22.into();
    let (result, seconds, polls) = waited(short, pending()).await;
    assert_eq!(result.expect_err("ended").kind(), ErrorKind::NeedsReauth);
    assert_eq!((seconds, polls), (25, 4));

    let (result, seconds, polls) = waited(codes(), [Reply::error("access_denied")]).await;
    assert_eq!(result.expect_err("denied").kind(), ErrorKind::Denied);
    assert_eq!((seconds, polls), (5, 1));
    let (result, _, polls) = waited(codes(), [Reply::error("expired_token")]).await;
    assert_eq!((result.expect_err("ended").kind(), polls), (ErrorKind::NeedsReauth, 1));
    let (result, _, polls) = waited(codes(), [Reply::error("invalid_client")]).await;
    assert_eq!((result.expect_err("misconfigured").kind(), polls), (ErrorKind::Config, 1));
}

#[tokio::test(start_paused = true)]
async fn oauth_client_29_a_provider_in_trouble_is_asked_less_often() {
    let replies = [
        Reply::Fails(Error::new(ErrorKind::Transport, "no route")),
        Reply::bytes(503, ""),
        Reply::bytes(429, "").header("retry-after", "60"),
        Reply::token(),
    ];
    let (result, seconds, polls) = waited(codes(), replies).await;
    result.expect("tokens");
    assert_eq!((seconds, polls), (5 + 10 + 20 + 60, 4));
}

#[tokio::test]
async fn hostile_codes_are_refused() {
    let with = |name: &str, value: Value| {
        let mut codes = codes();
        codes[name] = value;
        codes
    };
    for codes in [
        with("verification_uri", json!("javascript:alert(1)")),
        with("verification_uri", json!("http://as.example/device")),
        with("verification_uri", json!("data:text/html,x")),
        with("verification_uri", json!("not an address")),
        with("user_code", json!("")),
        with("user_code", json!("A\u{202e}B")),
        with("user_code", json!("x".repeat(65))),
        with("device_code", json!("")),
        with("device_code", Value::Null),
        with("expires_in", json!([])),
        json!([]),
        json!({}),
    ] {
        assert_eq!(refused(codes.clone()).await.kind(), ErrorKind::Provider, "{codes}");
    }
    let (_, device) = begun(with("interval", json!(0)), []).await;
    assert_eq!(device.interval, Duration::from_secs(1), "never a busy loop");
    let (_, device) = begun(with("interval", json!(1e300)), []).await;
    assert_eq!(device.interval, Duration::from_secs(5));
    let (bench, device) = begun(with("expires_in", json!(1e300)), []).await;
    assert_eq!(Some(device.expires_at), bench.in_seconds(24 * 3600));

    let bench = Bench::with([], |entry| entry.endpoints.device = None);
    let error = bench.tokens().device_authorize(Wanted::default()).await.expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}
