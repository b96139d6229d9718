//! New tokens for a refresh token.

use std::time::{Duration, SystemTime};

use secrecy::ExposeSecret;
use serde_json::json;
use tool_connect_core::{Effect, ErrorKind};
use tool_connect_oauth::flow::{OAuthFailure, TokenSet};

use super::script::Reply;
use super::{Bench, old_tokens, scopes};

#[tokio::test]
async fn oauth_client_18_no_new_refresh_token_keeps_the_old_one() {
    let bench = Bench::new([Reply::token()]);
    let mut old = old_tokens();
    old.refresh_expires_at = bench.in_seconds(1000);
    old.extra.insert("instance_url".into(), "https://i.example".into());
    old.id_token = Some("h.p.s".into());
    let new = bench.tokens().refresh(&old, &[]).await.expect("tokens");

    let sent = bench.script.only();
    assert_eq!(sent.field("grant_type").as_deref(), Some("refresh_token"));
    assert_eq!(sent.field("refresh_token").as_deref(), Some("refresh-token-1"));
    assert_eq!(sent.field("scope"), None, "the same scopes as before");
    assert_eq!(new.access_token.expose_secret(), "access-token-2");
    assert_eq!(new.refresh_token.as_ref().expect("the old one").expose_secret(), "refresh-token-1");
    assert_eq!(new.refresh_expires_at, old.refresh_expires_at);
    assert_eq!(new.scopes, Some(scopes(["read", "write"])));
    assert_eq!(new.extra["instance_url"], "https://i.example");
    assert!(new.id_token.is_none(), "an old ID token proves nothing");
}

#[tokio::test]
async fn oauth_client_18_a_new_refresh_token_takes_the_place_of_the_old_one() {
    let answer = json!({ "access_token": "a", "refresh_token": "refresh-token-2", "scope": "read" });
    let bench = Bench::new([Reply::json(200, answer)]);
    let old = TokenSet { refresh_expires_at: bench.in_seconds(1000), ..old_tokens() };
    let new = bench.tokens().refresh(&old, &[]).await.expect("tokens");
    assert_eq!(new.refresh_token.expect("the new one").expose_secret(), "refresh-token-2");
    assert_eq!(new.refresh_expires_at, None, "the old one's end is not the new one's");
    assert_eq!(new.scopes, Some(scopes(["read"])), "narrowed");
}

#[tokio::test]
async fn what_cannot_be_refreshed_is_not_sent() {
    let bench = Bench::new([]);
    let without = TokenSet::bearer("a");
    let error = bench.tokens().refresh(&without, &[]).await.expect_err("a refusal");
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::NeedsReauth, Effect::NotExecuted));
    assert!(bench.script.sent().is_empty());
}

#[tokio::test]
async fn oauth_client_25_tokens_of_another_issuer_are_not_sent() {
    let bench = Bench::new([]);
    let old = TokenSet { issuer: Some("https://as.example/".into()), ..old_tokens() };
    let error = bench.tokens().refresh(&old, &[]).await.expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(bench.script.sent().is_empty(), "an issuer is compared letter for letter");
}

#[tokio::test]
async fn oauth_client_19_invalid_grant_says_that_the_user_must_consent_again() {
    let bench = Bench::with([Reply::error("invalid_grant"), Reply::error("bad_refresh_token")], |entry| {
        entry.token_response.invalid_grant = vec!["bad_refresh_token".into()];
    });
    for said in [None, Some("the provider's code is bad_refresh_token")] {
        let error = bench.tokens().refresh(&old_tokens(), &[]).await.expect_err("a refusal");
        assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::NeedsReauth, Effect::NotExecuted));
        let failure = OAuthFailure::of(&error).expect("an OAuth failure");
        assert_eq!((failure.code(), failure.description()), ("invalid_grant", said));
    }
}

#[tokio::test]
async fn oauth_client_20_busy_broken_and_misconfigured_never_mean_consent_again() {
    let code = |code: &str| json!({ "error": code });
    for reply in [
        Reply::json(429, code("invalid_grant")),
        Reply::json(500, code("invalid_grant")),
        Reply::json(503, code("invalid_grant")),
        Reply::json(400, code("invalid_client")),
        Reply::json(401, code("invalid_client")),
        Reply::json(400, code("unauthorized_client")),
        Reply::json(400, code("temporarily_unavailable")),
        Reply::json(400, code("invalid_request")),
        Reply::text(200, "text/html", "<html>invalid_grant</html>"),
        Reply::text(400, "text/html", "<html>invalid_grant</html>"),
        Reply::text(401, "text/plain", "invalid_grant"),
        Reply::bytes(200, ""),
        Reply::bytes(400, r#"{"error":"invalid_grant"#),
    ] {
        let bench = Bench::new([reply]);
        let error = bench.tokens().refresh(&old_tokens(), &[]).await.expect_err("a failure");
        assert_ne!(error.kind(), ErrorKind::NeedsReauth, "{error}");
    }
}

#[test]
fn tokens_survive_the_vault() {
    let end = SystemTime::UNIX_EPOCH + Duration::from_millis(1_767_225_600_123);
    let mut set = TokenSet { expires_at: Some(end), refresh_expires_at: Some(end), ..old_tokens() };
    set.dpop_key = Some(super::dpop_key());
    set.id_token = Some("h.p.s".into());
    set.extra.insert("team".into(), "T\"1".into());
    let again = TokenSet::from_bytes(&set.to_bytes()).expect("tokens");
    assert_eq!(again.access_token.expose_secret(), "access-token-1");
    assert_eq!(again.refresh_token.expect("one").expose_secret(), "refresh-token-1");
    assert_eq!((again.expires_at, again.refresh_expires_at), (Some(end), Some(end)));
    assert_eq!((again.scopes, again.issuer), (set.scopes, set.issuer));
    assert_eq!(again.id_token.expect("one").expose_secret(), "h.p.s");
    assert_eq!(again.dpop_key.expect("one").expose_secret(), set.dpop_key.expect("one").expose_secret());
    assert_eq!(again.extra, set.extra);

    let later = br#"{"access_token":"a","added_by_a_later_version":[1]}"#;
    assert!(TokenSet::from_bytes(later).is_ok(), "two versions may run side by side");
    for broken in [&b""[..], b"{}", b"[]", b"\xff", br#"{"access_token":7}"#] {
        assert_eq!(TokenSet::from_bytes(broken).expect_err("no tokens").kind(), ErrorKind::Vault);
    }
}

#[test]
fn a_token_ends_a_margin_before_its_end() {
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
    let set = TokenSet { expires_at: Some(end), ..TokenSet::bearer("a") };
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let margin = Duration::from_secs(60);
    assert!(!set.expired(at(939), margin) && set.expired(at(940), margin) && set.expired(at(2000), margin));
    assert!(!TokenSet::bearer("a").expired(at(u64::from(u32::MAX)), margin), "no end");
}
