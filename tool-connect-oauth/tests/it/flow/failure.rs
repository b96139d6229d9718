//! What is made of refusals.

use std::time::Duration;

use serde_json::json;
use tool_connect_core::{Effect, Error, ErrorKind, Retry};
use tool_connect_oauth::flow::{Asked, OAuthFailure};

use super::script::Reply;
use super::{Bench, url};

async fn error(reply: Reply) -> Error {
    Bench::new([reply]).exchange().await.expect_err("a failure")
}

#[tokio::test]
async fn each_code_names_the_one_who_can_act() {
    for (code, kind) in [
        ("invalid_grant", ErrorKind::NeedsReauth),
        ("interaction_required", ErrorKind::NeedsReauth),
        ("consent_required", ErrorKind::NeedsReauth),
        ("login_required", ErrorKind::NeedsReauth),
        ("access_denied", ErrorKind::Denied),
        ("invalid_client", ErrorKind::Config),
        ("unauthorized_client", ErrorKind::Config),
        ("invalid_scope", ErrorKind::Config),
        ("invalid_target", ErrorKind::Config),
        ("unsupported_grant_type", ErrorKind::Config),
        ("redirect_uri_mismatch", ErrorKind::Config),
        ("invalid_request", ErrorKind::Provider),
        ("never_heard_of", ErrorKind::Provider),
    ] {
        let error = error(Reply::json(400, json!({ "error": code, "error_description": "so it is" }))).await;
        assert_eq!((error.kind(), error.retry_advice()), (kind, Retry::Never), "{code}");
        assert_eq!((error.http_status(), error.effect_on_provider()), (Some(400), Effect::NotExecuted));
        let text = error.to_string();
        assert!(text.contains("provider `acme`, code exchange") && text.contains(code), "{text}");
        assert!(text.contains("so it is"), "developers see what the provider says");
        assert!(!error.public_message().contains("so it is"), "nobody else does");
        assert_eq!(OAuthFailure::of(&error).map(OAuthFailure::code), Some(code));
    }
    for code in ["server_error", "temporarily_unavailable"] {
        let error = error(Reply::error(code)).await;
        assert_eq!((error.kind(), error.retry_advice()), (ErrorKind::Provider, Retry::Backoff));
    }
}

#[tokio::test]
async fn a_failure_with_status_200_is_one() {
    let slack = Reply::json(200, json!({ "ok": false, "error": "invalid_code" }));
    let error = error(slack).await;
    assert_eq!(OAuthFailure::of(&error).map(OAuthFailure::code), Some("invalid_code"));
    // Also where it stands beside a token, and where it is no text.
    let unreadable = json!({ "access_token": "a", "error": "\u{1}" });
    assert!(OAuthFailure::of(&self::error(Reply::json(200, unreadable)).await).is_some());
    for odd in [
        json!({ "access_token": "a", "error": "no" }),
        json!({ "access_token": "a", "error": { "code": 7 } }),
    ] {
        assert!(OAuthFailure::of(&self::error(Reply::json(200, odd)).await).is_some());
    }
    for fine in [json!({ "access_token": "a", "error": null }), json!({ "access_token": "a", "error": "" })] {
        assert!(Bench::new([Reply::json(200, fine)]).exchange().await.is_ok());
    }
}

#[tokio::test]
async fn oauth_client_20_busy_and_broken_say_when_to_try_again() {
    for (status, kind, effect) in [
        (429, ErrorKind::RateLimited, Effect::NotExecuted),
        (500, ErrorKind::Provider, Effect::Unknown),
        (503, ErrorKind::Provider, Effect::Unknown),
    ] {
        for body in ["", "<html>", "{}", r#"{"error":"invalid_grant"}"#] {
            for (header, advice) in [
                (None, Retry::Backoff),
                (Some("7"), Retry::After(Duration::from_secs(7))),
                (Some("Thu, 01 Jan 2026 00:01:00 GMT"), Retry::After(Duration::from_secs(60))),
                (Some("Wed, 31 Dec 2025 23:00:00 GMT"), Retry::After(Duration::ZERO)),
                (Some("99999999999999999999"), Retry::After(Duration::from_secs(3600))),
                (Some("soon"), Retry::Backoff),
            ] {
                let reply = Reply::bytes(status, body);
                let reply = header.into_iter().fold(reply, |reply, value| reply.header("retry-after", value));
                let error = error(reply).await;
                assert_eq!(
                    (error.kind(), error.retry_advice()),
                    (kind, advice),
                    "{status} {body} {header:?}"
                );
                assert_eq!((error.http_status(), error.effect_on_provider()), (Some(status), effect));
            }
        }
    }
}

#[tokio::test]
async fn what_a_server_says_is_cut_and_cleaned() {
    let hostile = format!("line\r\nbreak \u{1b}[31m red \u{202e}turned {}", "x".repeat(5000));
    let error = error(Reply::json(400, json!({ "error": "a\nb", "error_description": hostile }))).await;
    let failure = OAuthFailure::of(&error).expect("a failure");
    assert_eq!(failure.code(), "ab");
    let description = failure.description().expect("a description");
    assert!(description.starts_with("linebreak [31m red turned x"), "{description}");
    assert!(description.chars().count() <= 300);
    assert!(!error.to_string().chars().any(|c| c.is_control() || c == '\u{202e}'));
    let long = self::error(Reply::json(400, json!({ "error": "e".repeat(9999) }))).await;
    assert!(OAuthFailure::of(&long).expect("a failure").code().len() <= 64);
}

#[tokio::test]
async fn pages_and_rubbish_are_told_by_what_they_are() {
    for (reply, says) in [
        (Reply::text(200, "text/html", "<!doctype html><p>the-body"), "an HTML page"),
        (Reply::text(200, "", "  <html>the-body"), "an HTML page"),
        (Reply::text(404, "text/html", "<html>the-body"), "an HTML page"),
        (Reply::bytes(200, ""), "the answer is empty"),
        (Reply::bytes(200, "the-body"), "neither JSON nor HTML"),
        (Reply::bytes(200, r#"{"access_token":"the-body"#), "ends too early"),
        (Reply::bytes(200, r#"[{"access_token":"the-body"}]"#), "no object"),
        (Reply::bytes(200, vec![0xff, 0xfe, 0x00]), "neither JSON nor HTML"),
        (Reply::bytes(403, "the-body"), "neither JSON nor HTML"),
        (Reply::bytes(400, r#"{"message":"the-body"}"#), "JSON"),
    ] {
        let error = error(reply).await;
        let text = format!("{error} {error:?}");
        assert_eq!(error.kind(), ErrorKind::Provider, "{text}");
        assert!(text.contains(says) && text.contains("acme") && text.contains("code exchange"), "{text}");
        assert!(text.contains("check the endpoint"), "{text}");
        assert!(!text.contains("the-body"), "{text}");
    }
}

#[tokio::test]
async fn metadata_and_the_like_are_classified_alike() {
    let bench = Bench::new([
        Reply::json(200, json!({ "issuer": "https://as.example" })),
        Reply::json(400, json!({ "error": "invalid_client_metadata", "error_description": "no" })),
        Reply::bytes(503, ""),
        Reply::text(200, "text/html", "<html>"),
    ]);
    let asked = Asked::new("https://as.example", "metadata");
    let address = url("https://as.example/.well-known/oauth-authorization-server");
    let get = async || bench.http.get(asked, &address).await.and_then(|answer| answer.success(asked));
    let metadata: serde_json::Value = get().await.expect("an answer").json(asked).expect("JSON");
    assert_eq!(metadata["issuer"], "https://as.example");
    let sent = &bench.script.sent()[0];
    assert_eq!((sent.method.as_str(), sent.header("accept")), ("GET", Some("application/json")));
    assert!(sent.header("user-agent").is_some_and(|agent| agent.starts_with("tool-connect/")));

    let refused = get().await.expect_err("a failure");
    assert_eq!(OAuthFailure::of(&refused).map(OAuthFailure::code), Some("invalid_client_metadata"));
    assert_eq!(get().await.expect_err("a failure").retry_advice(), Retry::Backoff);
    let page = get().await.expect("an answer").json::<serde_json::Value>(asked).expect_err("no JSON");
    assert!(page.to_string().contains("HTML"), "{page}");
}
