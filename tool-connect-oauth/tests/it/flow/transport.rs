//! Bounds, and what becomes of failures on the way.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::time::Instant;
use tool_connect_core::{Effect, Error, ErrorKind, Retry};
use tool_connect_oauth::flow::{HttpLimits, Wanted};

use super::script::Reply;
use super::{Bench, dpop_key, old_tokens};

#[tokio::test]
async fn oauth_client_22_no_redirect_of_a_token_request_is_followed() {
    for status in [301, 302, 303, 307, 308, 300, 304] {
        let bench = Bench::new([Reply::json(status, json!({ "access_token": "a" }))
            .header("location", "https://evil.example/token?x=1")]);
        let error = bench.exchange().await.expect_err("a refusal");
        assert_eq!((error.kind(), error.http_status()), (ErrorKind::Provider, Some(status)));
        let text = error.to_string();
        assert!(
            text.contains("redirect") && text.contains("evil.example") && !text.contains("x=1"),
            "{text}"
        );
        assert_eq!(bench.script.sent().len(), 1, "one request, to the endpoint");
    }
}

#[tokio::test]
async fn oauth_client_22_no_other_request_follows_one_either() {
    let away = || Reply::bytes(307, "").header("location", "https://evil.example/");
    let bench = Bench::new([away(), away(), away(), away(), away(), away()]);
    let client = bench.tokens();
    let (account, _) = super::assertion::es256_account();
    client.refresh(&old_tokens(), &[]).await.expect_err("a refusal");
    client.client_credentials(Wanted::default()).await.expect_err("a refusal");
    client.jwt_bearer(&account, Wanted::default()).await.expect_err("a refusal");
    client.device_authorize(Wanted::default()).await.expect_err("a refusal");
    client.revoke(&old_tokens()).await.expect_err("a refusal");
    client.introspect(&"token".into()).await.expect_err("a refusal");
    let hosts: Vec<_> = bench.script.sent().into_iter().map(|sent| super::url(&sent.url)).collect();
    assert!(hosts.len() == 6 && hosts.iter().all(|url| url.host_str() == Some("as.example")));
}

#[tokio::test]
async fn what_a_server_left_unread_is_sent_once_more_and_nothing_else_is() {
    let fails =
        |effect, retry| Reply::Fails(Error::new(ErrorKind::Transport, "gone").effect(effect).retry(retry));
    let at_once = Retry::After(Duration::ZERO);
    let unread = || fails(Effect::NotExecuted, at_once);
    let bench = Bench::new([unread(), Reply::token()]);
    bench.exchange().await.expect("tokens");
    let sent = bench.script.sent();
    assert_eq!((sent.len(), &sent[0].body), (2, &sent[1].body));
    for (replies, requests) in [
        (vec![unread(), unread()], 2),
        (vec![fails(Effect::Unknown, at_once)], 1),
        (vec![fails(Effect::NotExecuted, Retry::Backoff)], 1),
    ] {
        let bench = Bench::new(replies);
        bench.exchange().await.expect_err("no answer");
        assert_eq!(bench.script.sent().len(), requests);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stalls_is_given_up() {
    let hour = Duration::from_secs(3600);
    for stalls in [Reply::Slow(hour, Box::new(Reply::token())), Reply::Drips] {
        let bench = Bench::new([stalls]);
        let begun = Instant::now();
        let error = bench.tokens().refresh(&old_tokens(), &[]).await.expect_err("a time-out");
        assert_eq!(begun.elapsed(), Duration::from_secs(30));
        assert_eq!((error.kind(), error.retry_advice()), (ErrorKind::Transport, Retry::Backoff));
        assert_eq!(error.effect_on_provider(), Effect::Unknown, "the refresh token may be spent");
        assert!(error.to_string().contains("30 s"), "{error}");
        assert_eq!(bench.script.sent().len(), 1, "not sent again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_may_set_other_bounds() {
    let seconds = Duration::from_secs;
    let mut limits = HttpLimits::default();
    let mut bench = Bench::new([Reply::token(), Reply::Drips, Reply::bytes(200, " ".repeat(65))]);
    bench.exchange().await.expect("tokens");
    assert_eq!(bench.script.limits(), limits.phases);
    assert_eq!((limits.phases.connect, limits.total), (seconds(10), seconds(30)));

    limits.total = seconds(3);
    limits.phases.connect = seconds(1);
    limits.max_bytes = 64;
    bench.http = bench.http.limits(limits);
    assert_eq!(bench.http.total_timeout(), seconds(3));
    let begun = Instant::now();
    assert_eq!(bench.exchange().await.expect_err("a time-out").kind(), ErrorKind::Transport);
    assert_eq!((begun.elapsed(), bench.script.limits()), (seconds(3), limits.phases));
    assert_eq!(bench.exchange().await.expect_err("too large").kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn a_body_is_read_up_to_a_mebibyte() {
    let padded = |bytes: usize| {
        let body = r#"{"access_token":"a"}"#;
        Bytes::from(format!("{body}{}", " ".repeat(bytes - body.len())))
    };
    assert!(Bench::new([Reply::bytes(200, padded(1 << 20))]).exchange().await.is_ok());
    for status in [200, 400] {
        let bench = Bench::new([Reply::bytes(status, padded((1 << 20) + 1))]);
        let error = bench.exchange().await.expect_err("too large");
        assert_eq!((error.kind(), error.http_status()), (ErrorKind::TooLarge, Some(status)));
        assert_eq!(error.effect_on_provider(), Effect::Unknown);
        assert!(error.to_string().contains("acme"), "{error}");
    }
}

#[tokio::test]
async fn a_failure_on_the_way_keeps_its_kind_and_says_where() {
    let refused = Error::new(ErrorKind::Transport, "connection refused").effect(Effect::NotExecuted);
    let blocked = Error::new(ErrorKind::Blocked, "inside a private network");
    let broken = Error::new(ErrorKind::Transport, "reset by peer").effect(Effect::NotExecuted);
    for (reply, kind, effect) in [
        (Reply::Fails(refused), ErrorKind::Transport, Effect::NotExecuted),
        (Reply::Fails(blocked), ErrorKind::Blocked, Effect::NotExecuted),
        // Whatever the body's reader thinks: the request was sent.
        (
            Reply::Broken { pieces: vec![Bytes::from_static(b"{\"access_to")], error: broken },
            ErrorKind::Transport,
            Effect::Unknown,
        ),
    ] {
        let bench = Bench::new([reply]);
        let error = bench.exchange().await.expect_err("a failure");
        assert_eq!((error.kind(), error.effect_on_provider()), (kind, effect));
        let text = error.to_string();
        assert!(text.contains("provider: acme") && text.contains("step: code exchange"), "{text}");
        assert_eq!(bench.script.sent().len(), 1);
    }
}

#[tokio::test]
async fn oauth_client_23_tokens_and_codes_are_in_no_address() {
    let key = dpop_key();
    let token = || Reply::json(200, json!({ "access_token": "a", "token_type": "DPoP" }));
    let bench = Bench::new([token(), Reply::token(), Reply::bytes(200, ""), Reply::bytes(200, "")]);
    bench.exchange_for(Wanted { dpop_key: Some(&key), ..Wanted::default() }).await.expect("tokens");
    bench.tokens().refresh(&old_tokens(), &[]).await.expect("tokens");
    bench.tokens().revoke(&old_tokens()).await.expect("revoked");
    for sent in bench.script.sent() {
        assert!(!sent.url.contains('?') && !sent.url.contains('@'), "{}", sent.url);
    }
}
