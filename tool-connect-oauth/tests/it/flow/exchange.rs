//! A code for tokens, and the many forms of the answer.

use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tool_connect_core::{Clock, ErrorKind, Result};
use tool_connect_oauth::catalog::{BodyEncoding, ProviderEntry, TimeUnit};
use tool_connect_oauth::flow::{CodeExchange, TokenSet, TokenType, Wanted};

use super::script::Reply;
use super::{Bench, VERIFIER, scopes, url};

async fn answered(answer: Value, change: impl FnOnce(&mut ProviderEntry)) -> (Bench, Result<TokenSet>) {
    let bench = Bench::with([Reply::json(200, answer)], change);
    let result = bench.exchange().await;
    (bench, result)
}

#[tokio::test]
async fn the_request_is_that_of_rfc_6749_and_7636() {
    let bench = Bench::with([Reply::token()], |entry| {
        entry.token_params.insert("audience".into(), "api".into());
        entry.token_params.insert("grant_type".into(), "password".into());
        entry.token_request.headers.insert("x-version".into(), "2".into());
    });
    let resource = [url("https://mcp.example/a"), url("https://mcp.example/b")];
    let wanted = Wanted { resource: &resource, ..Wanted::default() };
    let tokens = bench.exchange_for(wanted).await.expect("tokens");

    let sent = bench.script.only();
    assert_eq!((sent.method.as_str(), sent.url.as_str()), ("POST", "https://as.example/token"));
    assert_eq!(sent.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(sent.header("accept"), Some("application/json"));
    assert_eq!(sent.header("x-version"), Some("2"));
    assert_eq!(sent.field("grant_type").as_deref(), Some("authorization_code"), "the entry changes no grant");
    assert_eq!(sent.field("code").as_deref(), Some("the-code-of-the-callback"));
    assert_eq!(sent.field("code_verifier").as_deref(), Some(VERIFIER));
    assert_eq!(sent.field("redirect_uri").as_deref(), Some("https://app.example/callback"));
    assert_eq!(sent.field("audience").as_deref(), Some("api"));
    assert_eq!(sent.fields("resource"), ["https://mcp.example/a", "https://mcp.example/b"]);

    assert_eq!(tokens.access_token.expose_secret(), "access-token-2");
    assert_eq!(tokens.expires_at, bench.in_seconds(3600));
    assert_eq!(tokens.issuer.as_deref(), Some("https://as.example"));
    assert!(tokens.refresh_token.is_none() && tokens.dpop_key.is_none());
}

#[tokio::test]
async fn oauth_client_06_resources_are_named_in_every_token_request() {
    let resource = [url("https://mcp.example/")];
    let wanted = Wanted { resource: &resource, ..Wanted::default() };
    let bench = Bench::new([Reply::token(), Reply::token(), Reply::token(), Reply::token()]);
    bench.exchange_for(wanted).await.expect("tokens");
    bench.tokens().refresh(&super::old_tokens(), &resource).await.expect("tokens");
    bench.tokens().client_credentials(wanted).await.expect("tokens");
    let (account, _) = super::assertion::es256_account();
    bench.tokens().jwt_bearer(&account, wanted).await.expect("tokens");
    for sent in bench.script.sent() {
        assert_eq!(sent.fields("resource"), ["https://mcp.example/"], "{}", sent.body);
    }
}

#[tokio::test]
async fn oauth_client_01_a_weak_verifier_is_not_sent() {
    for weak in ["short", &"a".repeat(42), &"a".repeat(129), &format!("{}=", "a".repeat(60))] {
        let bench = Bench::new([]);
        let exchange = CodeExchange {
            code: &"c".into(),
            verifier: &weak.into(),
            redirect_uri: &url("https://app.example/callback"),
            wanted: Wanted::default(),
        };
        let error = bench.tokens().exchange(&exchange).await.expect_err("a refusal");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(bench.script.sent().is_empty());
    }
}

#[tokio::test]
async fn a_header_of_the_entry_takes_the_place_of_ours() {
    let bench = Bench::with([Reply::token()], |entry| {
        entry.token_request.headers.insert("Accept".into(), "application/vnd.acme+json".into());
    });
    bench.exchange().await.expect("tokens");
    let accepted: Vec<_> = bench.script.only().headers.get_all("accept").iter().cloned().collect();
    assert_eq!(accepted, ["application/vnd.acme+json"]);
    for (name, value) in [("a b", "x"), ("x-a", "line\nbreak")] {
        let bench = Bench::with([], |entry| {
            entry.token_request.headers.insert(name.into(), value.into());
        });
        assert_eq!(bench.exchange().await.expect_err("a refusal").kind(), ErrorKind::Config);
    }
}

#[tokio::test]
async fn a_body_in_json_where_the_provider_wants_it() {
    let bench = Bench::with([Reply::token()], |entry| entry.token_request.encoding = BodyEncoding::Json);
    let resource = [url("https://a.example/"), url("https://b.example/")];
    bench.exchange_for(Wanted { resource: &resource, ..Wanted::default() }).await.expect("tokens");
    let sent = bench.script.only();
    assert_eq!(sent.header("content-type"), Some("application/json"));
    let body: Value = serde_json::from_str(&sent.body).expect("JSON");
    assert_eq!(body["grant_type"], "authorization_code");
    assert_eq!(body["resource"], json!(["https://a.example/", "https://b.example/"]));
}

#[tokio::test]
async fn oauth_client_21_lifetimes_are_read_in_every_form() {
    let hour = json!({ "access_token": "a", "expires_in": 3600 });
    for (answer, unit, lives) in [
        (hour.clone(), TimeUnit::Seconds, Some(3600)),
        (json!({ "access_token": "a", "expires_in": "3600" }), TimeUnit::Seconds, Some(3600)),
        (json!({ "access_token": "a", "expires_in": 3600.9 }), TimeUnit::Seconds, Some(3600)),
        (json!({ "access_token": "a", "expires_in": 3_600_000 }), TimeUnit::Milliseconds, Some(3600)),
        (json!({ "access_token": "a", "expires_in": " 60 " }), TimeUnit::Seconds, Some(60)),
        (json!({ "access_token": "a", "expires_in": "soon" }), TimeUnit::Seconds, None),
        (json!({ "access_token": "a", "expires_in": 0 }), TimeUnit::Seconds, None),
        (json!({ "access_token": "a", "expires_in": -5 }), TimeUnit::Seconds, None),
        (json!({ "access_token": "a", "expires_in": null }), TimeUnit::Seconds, None),
        (json!({ "access_token": "a", "expires_in": 1e300 }), TimeUnit::Seconds, None),
        (json!({ "access_token": "a", "expires_in": [1] }), TimeUnit::Seconds, None),
        (json!({ "access_token": "a" }), TimeUnit::Seconds, None),
    ] {
        let (bench, tokens) =
            answered(answer.clone(), |entry| entry.token_response.expires_in.unit = unit).await;
        let ends = tokens
            .expect("tokens")
            .expires_at
            .map(|end| end.duration_since(bench.clock.now()).expect("later"));
        assert_eq!(ends.map(|left| left.as_secs()), lives, "{answer}");
    }
}

#[tokio::test]
async fn oauth_client_21_a_missing_lifetime_is_the_providers_usual_one() {
    let lifetime = |entry: &mut ProviderEntry| {
        entry.refresh.access_lifetime = Some(Duration::from_secs(7200));
        entry.refresh.refresh_lifetime = Some(Duration::from_secs(86_400));
    };
    let (bench, tokens) = answered(json!({ "access_token": "a", "refresh_token": "r" }), lifetime).await;
    let tokens = tokens.expect("tokens");
    assert_eq!(tokens.expires_at, bench.in_seconds(7200));
    assert_eq!(tokens.refresh_expires_at, bench.in_seconds(86_400));

    let (_, tokens) = answered(json!({ "access_token": "a" }), |_| {}).await;
    assert_eq!(tokens.expect("tokens").expires_at, None, "a token without an end");
    let (_, tokens) = answered(json!({ "access_token": "a" }), lifetime).await;
    assert_eq!(tokens.expect("tokens").refresh_expires_at, None, "nothing that could end");
}

#[tokio::test]
async fn oauth_client_21_the_servers_clock_does_not_count() {
    // Its clock is five minutes ahead, then five behind; the lifetime is counted from our own.
    for date in ["Thu, 01 Jan 2026 00:05:00 GMT", "Wed, 31 Dec 2025 23:55:00 GMT"] {
        let answer = json!({ "access_token": "a", "expires_in": 3600, "created_at": 1_767_225_900 });
        let bench = Bench::new([Reply::json(200, answer).header("date", date)]);
        assert_eq!(bench.exchange().await.expect("tokens").expires_at, bench.in_seconds(3600));
    }
}

#[tokio::test(start_paused = true)]
async fn oauth_client_21_a_slow_answer_makes_no_token_younger() {
    let bench = Bench::new([Reply::Slow(Duration::from_secs(9), Box::new(Reply::token()))]);
    let asked_at = bench.clock.now();
    let clock = bench.clock.clone();
    let (tokens, ()) = tokio::join!(bench.exchange(), async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        clock.advance(Duration::from_secs(9));
    });
    let ends = tokens.expect("tokens").expires_at.expect("an end");
    assert_eq!(ends, asked_at + Duration::from_secs(3600), "counted from when it was asked for");
}

#[tokio::test]
async fn how_long_a_refresh_token_lives() {
    let answer = json!({ "access_token": "a", "refresh_token": "r", "refresh_token_expires_in": 15_897_600 });
    let (bench, tokens) = answered(answer, |_| {}).await;
    assert_eq!(tokens.expect("tokens").refresh_expires_at, bench.in_seconds(15_897_600));
    let answer = json!({ "access_token": "a", "refresh_token": "r", "x": { "left": "60" } });
    let named = |entry: &mut ProviderEntry| entry.token_response.refresh_expires_in = Some("/x/left".into());
    let (bench, tokens) = answered(answer.clone(), named).await;
    assert_eq!(tokens.expect("tokens").refresh_expires_at, bench.in_seconds(60));
    // Each lifetime counts what its own place says.
    let counted = |entry: &mut ProviderEntry| {
        entry.token_response.expires_in.unit = TimeUnit::Milliseconds;
        named(entry);
    };
    let (bench, tokens) = answered(answer, counted).await;
    assert_eq!(tokens.expect("tokens").refresh_expires_at, bench.in_seconds(60));
}

#[tokio::test]
async fn oauth_client_15_granted_scopes_are_read_in_every_form() {
    let comma = |entry: &mut ProviderEntry| entry.token_response.scope_separator = Some(",".into());
    let space = |_: &mut ProviderEntry| {};
    let asked = scopes(["asked"]);
    for (scope, separator, granted) in [
        (json!("read write"), space as fn(&mut ProviderEntry), scopes(["read", "write"]).to_vec()),
        (json!("read,write"), comma, scopes(["read", "write"])),
        (json!("read, write"), comma, scopes(["read", "write"])),
        (json!(["read", "write", "read"]), space, scopes(["read", "write"])),
        (json!(""), space, Vec::new()),
        (json!([]), space, Vec::new()),
        (json!(null), space, asked.clone()),
    ] {
        let bench =
            Bench::with([Reply::json(200, json!({ "access_token": "a", "scope": scope }))], separator);
        let wanted = Wanted { scopes: &asked, ..Wanted::default() };
        assert_eq!(bench.exchange_for(wanted).await.expect("tokens").scopes, Some(granted), "{scope}");
    }
    let bench =
        Bench::with([Reply::json(200, json!({ "access_token": "a", "scope": "not scopes" }))], |entry| {
            entry.token_response.names_scopes = false;
        });
    let wanted = Wanted { scopes: &asked, ..Wanted::default() };
    assert_eq!(bench.exchange_for(wanted).await.expect("tokens").scopes, Some(asked.clone()));
}

#[tokio::test]
async fn a_nested_token_is_found_where_the_entry_says() {
    // Slack's user token.
    let answer = json!({
        "ok": true, "access_token": "bot-token", "team": { "id": "T1", "name": "Team" }, "is_enterprise_install": false,
        "authed_user": { "id": "U1", "access_token": "user-token", "refresh_token": "user-refresh", "scope": "a,b",
            "expires_in": 43_200, "token_type": "user" },
    });
    let (bench, tokens) = answered(answer, |entry| {
        let places = &mut entry.token_response;
        places.access_token = "/authed_user/access_token".into();
        places.refresh_token = "/authed_user/refresh_token".into();
        places.expires_in = "/authed_user/expires_in".into();
        places.scope = "/authed_user/scope".into();
        places.scope_separator = Some(",".into());
        places.extra =
            [("team", "/team/id"), ("enterprise", "/is_enterprise_install"), ("missing", "/nowhere")]
                .map(|(name, place)| (name.to_owned(), place.to_owned()))
                .into();
    })
    .await;
    let tokens = tokens.expect("tokens");
    assert_eq!(tokens.access_token.expose_secret(), "user-token");
    assert_eq!(tokens.refresh_token.expect("one").expose_secret(), "user-refresh");
    assert_eq!(tokens.expires_at, bench.in_seconds(43_200));
    assert_eq!(tokens.scopes, Some(scopes(["a", "b"])));
    assert_eq!(tokens.token_type, TokenType::Bearer);
    let kept: Vec<_> = tokens.extra.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(kept, ["enterprise=false", "team=T1"]);
}

#[tokio::test]
async fn an_answer_as_a_form_is_read() {
    let body = "access_token=gho_16C7e42F&scope=repo%2Cgist&token_type=bearer";
    for media_type in ["application/x-www-form-urlencoded; charset=utf-8", "text/plain"] {
        let bench = Bench::with([Reply::text(200, media_type, body)], |entry| {
            entry.token_response.scope_separator = Some(",".into());
        });
        let tokens = bench.exchange().await.expect("tokens");
        assert_eq!(tokens.access_token.expose_secret(), "gho_16C7e42F");
        assert_eq!(tokens.scopes, Some(scopes(["repo", "gist"])));
    }
    let refused = Reply::text(
        200,
        "application/x-www-form-urlencoded",
        "error=bad_verification_code&error_description=no",
    );
    let error = Bench::new([refused]).exchange().await.expect_err("a failure");
    assert!(error.to_string().contains("bad_verification_code"), "{error}");
}

#[tokio::test]
async fn json_under_another_media_type_is_json() {
    for media_type in ["text/javascript; charset=utf-8", "text/html", ""] {
        let bench = Bench::new([Reply::text(200, media_type, r#"{"access_token":"a"}"#)]);
        assert!(bench.exchange().await.is_ok(), "{media_type}");
    }
}

#[tokio::test]
async fn an_answer_without_a_usable_token_is_an_error() {
    for answer in [
        json!({}),
        json!({ "access_token": "" }),
        json!({ "access_token": null }),
        json!({ "access_token": 7 }),
        json!({ "access_token": "line\nbreak" }),
        json!({ "access_token": "é" }),
        json!([]),
        json!("access_token"),
        json!(null),
    ] {
        let (_, result) = answered(answer.clone(), |_| {}).await;
        let error = result.expect_err("no token");
        assert_eq!(error.kind(), ErrorKind::Provider, "{answer}");
        assert!(error.to_string().contains("provider `acme`, code exchange"), "{error}");
    }
}

#[tokio::test]
async fn an_id_token_comes_along() {
    let (_, tokens) = answered(json!({ "access_token": "a", "id_token": "h.p.s" }), |_| {}).await;
    assert_eq!(tokens.expect("tokens").id_token.expect("one").expose_secret(), "h.p.s");
}

#[tokio::test]
async fn an_end_that_is_named_counts_where_no_lifetime_is() {
    for (answer, seconds) in [
        (json!({ "access_token": "a", "ends": 1_767_225_660 }), Some(60)),
        (json!({ "access_token": "a", "ends": "1767225660" }), Some(60)),
        (json!({ "access_token": "a", "ends": "2026-01-01T00:01:00Z" }), Some(60)),
        (json!({ "access_token": "a", "ends": 1_767_225_660, "expires_in": 30 }), Some(30)),
        (json!({ "access_token": "a", "ends": 0 }), Some(7200)),
        (json!({ "access_token": "a", "ends": "soon" }), Some(7200)),
        (json!({ "access_token": "a", "ends": 1e300 }), Some(7200)),
    ] {
        let told = answer.to_string();
        let (bench, tokens) = answered(answer, |entry| {
            entry.token_response.expires_at = Some("/ends".into());
            entry.refresh.access_lifetime = Some(Duration::from_secs(7200));
        })
        .await;
        assert_eq!(tokens.expect("tokens").expires_at, seconds.and_then(|s| bench.in_seconds(s)), "{told}");
    }
}

#[tokio::test]
async fn a_provider_that_reads_addresses_gets_the_fields_there_under_its_names() {
    let bench = Bench::with([Reply::token(), Reply::token()], |entry| {
        entry.token_request.encoding = BodyEncoding::Query;
        entry.token_request.names.insert("client_secret".into(), "secret".into());
        entry.client_auth = vec![tool_connect_oauth::catalog::ClientAuthMethod::Post];
        entry.endpoints.refresh = Some("https://as.example/renew".into());
        entry.token_params.insert("type".into(), "code".into());
        entry.refresh_params.insert("type".into(), "renewal".into());
    });
    bench.exchange().await.expect("tokens");
    bench.tokens().refresh(&super::old_tokens(), &[]).await.expect("tokens");
    let sent = bench.script.sent();
    let query = |index: usize| -> std::collections::BTreeMap<String, String> {
        url(&sent[index].url).query_pairs().into_owned().collect()
    };
    assert!(sent.iter().all(|sent| sent.method == "GET" && sent.body.is_empty()));
    assert_eq!((url(&sent[0].url).path(), url(&sent[1].url).path()), ("/token", "/renew"));
    for index in [0, 1] {
        assert_eq!(query(index)["secret"], "client-secret-1");
        assert!(!query(index).contains_key("client_secret"));
    }
    assert_eq!((query(0)["type"].as_str(), query(1)["type"].as_str()), ("code", "renewal"));
}

#[tokio::test]
async fn a_secret_is_not_shown_to_a_provider_of_public_clients() {
    let bench = Bench::with([Reply::token()], |entry| {
        entry.client_auth = vec![tool_connect_oauth::catalog::ClientAuthMethod::None];
    });
    bench.exchange().await.expect("tokens");
    let sent = bench.script.only();
    assert_eq!(sent.header("authorization"), None);
    assert!(!sent.body.contains("client-secret-1"));
    assert_eq!(sent.field("client_id").as_deref(), Some("client-1"));
}

#[tokio::test]
async fn an_error_that_is_a_number_is_one_unless_it_is_nothing() {
    let with = |code: Value| json!({ "access_token": "a", "code": code });
    for nothing in [json!(0), json!("0"), json!(""), json!(null), json!(false)] {
        let (_, tokens) = answered(with(nothing), |entry| entry.token_response.error = "/code".into()).await;
        tokens.expect("tokens");
    }
    let (_, refused) = answered(with(json!(40029)), |entry| {
        entry.token_response.error = "/code".into();
        entry.token_response.invalid_grant = vec!["40029".into()];
    })
    .await;
    assert_eq!(refused.expect_err("a refusal").kind(), ErrorKind::NeedsReauth);
}
