//! Canaries through every success and every failure: none comes out.

use secrecy::ExposeSecret;
use serde_json::json;
use tool_connect_core::{Credential, Error, ErrorKind};
use tool_connect_oauth::catalog::{ClientAuth, ClientConfig, JwtAlgorithm};
use tool_connect_oauth::flow::{
    Authorization, CodeExchange, DpopKey, OAuthFailure, Secret, ServiceAccount, TokenSet, Wanted,
};
use tool_connect_testkit::leak::LeakCheck;

use super::script::Reply;
use super::{Bench, VERIFIER, url};

const CODE: &str = "canary-code-1f0c";
const SECRET: &str = "canary-secret 7d/+";
const ACCESS: &str = "canary-access-91ab";
const REFRESH: &str = "canary-refresh-c0de";
const ID: &str = "canary-id-token-33";
const DEVICE: &str = "canary-device-5e5e";

fn canaries() -> LeakCheck {
    let secrets = [CODE, SECRET, ACCESS, REFRESH, ID, DEVICE, VERIFIER];
    secrets.iter().fold(LeakCheck::new(), LeakCheck::secret)
}

fn old() -> TokenSet {
    TokenSet { refresh_token: Some(REFRESH.into()), id_token: Some(ID.into()), ..TokenSet::bearer(ACCESS) }
}

/// Every answer that quotes what it was sent, and some that break off.
fn quoting(sent: &[&str]) -> Vec<Reply> {
    let all = sent.join(" ");
    let form: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let pair = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(format!("client-1:{form}"))
    };
    let split: String = all.chars().flat_map(|c| [c, '\u{1}']).collect();
    let late = format!("{} {all}", "x".repeat(280));
    vec![
        Reply::json(400, json!({ "error": all.clone(), "error_description": "no" })),
        Reply::json(
            400,
            json!({ "error": "invalid_grant", "error_description": format!("got {all} {form} {pair}") }),
        ),
        Reply::json(400, json!({ "error": "invalid_grant", "error_description": split })),
        Reply::json(400, json!({ "error": "invalid_grant", "error_description": late })),
        Reply::json(500, json!({ "error": "server_error", "error_description": all.clone() })),
        Reply::json(400, json!({ "message": all.clone() })),
        Reply::text(200, "text/html", &format!("<html>{all}")),
        Reply::text(502, "text/html", &format!("<html>{all}")),
        Reply::text(
            200,
            "application/json",
            &format!(r#"{{"access_token":"{ACCESS}","refresh_token":"{REFRESH}"#),
        ),
        Reply::json(200, json!({ "access_token": [ACCESS], "refresh_token": REFRESH })),
        Reply::json(200, json!({ "access_token": format!("{ACCESS}\n"), "refresh_token": REFRESH })),
        Reply::bytes(302, all.clone())
            .header("location", format!("https://evil.example/{ACCESS}?{REFRESH}={CODE}")),
        Reply::text(400, "application/x-www-form-urlencoded", &format!("error=x&error_description={all}")),
    ]
}

#[tokio::test]
async fn no_failure_repeats_what_was_sent() {
    let leaks = canaries();
    let _logs = leaks.capture();
    let mut seen = 0;
    for which in 0..quoting(&[]).len() {
        for auth in [ClientAuth::Basic, ClientAuth::Post] {
            let bench = |sent: &[&str]| {
                let client = ClientConfig::confidential("client-1", SECRET).auth(auth.clone());
                Bench::new(quoting(sent).into_iter().skip(which).take(1)).client(client)
            };
            let mut show = |step: &str, error: Error| {
                seen += 1;
                leaks.error(format!("{step}, answer {which}"), &error);
                if let Some(failure) = OAuthFailure::of(&error) {
                    leaks.text(step, format!("{failure} {failure:?}"));
                }
            };
            let exchange = CodeExchange {
                code: &CODE.into(),
                verifier: &VERIFIER.into(),
                redirect_uri: &url("https://app.example/callback"),
                wanted: Wanted::default(),
            };
            let answers = bench(&[CODE, VERIFIER, SECRET]);
            show("exchange", answers.tokens().exchange(&exchange).await.expect_err("a failure"));
            let answers = bench(&[REFRESH, ACCESS, SECRET]);
            show("refresh", answers.tokens().refresh(&old(), &[]).await.expect_err("a failure"));
            if let Err(error) = bench(&[ACCESS, SECRET]).tokens().revoke(&TokenSet::bearer(ACCESS)).await {
                show("revoke", error);
            }
        }
    }
    assert!(seen > 40);
    leaks.assert_clean();
}

#[tokio::test]
async fn nothing_prints_what_it_holds() {
    let leaks = canaries();
    let _logs = leaks.capture();
    let answer = json!({
        "access_token": ACCESS, "refresh_token": REFRESH, "id_token": ID, "expires_in": 60, "team": SECRET,
    });
    let bench = Bench::with([Reply::json(200, answer)], |entry| {
        entry.token_response.extra.insert("team".into(), "/team".into());
    });
    let tokens = bench.exchange().await.expect("tokens");
    assert_eq!(tokens.access_token.expose_secret(), ACCESS);
    leaks.text("tokens", format!("{tokens:?} {tokens:#?}"));
    let account = ServiceAccount::new("robot", SECRET, JwtAlgorithm::Rs256);
    for secret in [
        Secret::from(tokens.clone()),
        Secret::from(Credential::token(SECRET)),
        Secret::from(Credential::basic("u", SECRET)),
        Secret::from(Credential::signing_key("k", SECRET)),
        Secret::ServiceAccount { account: account.clone(), tokens: Some(tokens.clone()) },
    ] {
        leaks.text("a secret", format!("{secret:?} {secret:#?}"));
        let again = Secret::from_bytes(&secret.to_bytes().expect("bytes")).expect("a secret");
        leaks.text("a secret again", format!("{again:?}"));
    }
    leaks.text("an account", format!("{account:?}"));

    let client = ClientConfig::confidential("client-1", SECRET);
    let bench = Bench::new([Reply::json(
        200,
        json!({ "device_code": DEVICE, "user_code": "U", "verification_uri": "https://a.example/", "expires_in": 9 }),
    )])
    .client(client);
    leaks.text("a client", format!("{:?} {:?}", bench.tokens(), bench.http));
    let device = bench.tokens().device_authorize(Wanted::default()).await.expect("codes");
    leaks.text("a device code", format!("{device:?}"));

    let wanted = Authorization::new(url("https://app.example/callback")).scopes(["openid"]).dpop();
    let request = bench.tokens().authorize(&wanted).await.expect("a request");
    let printed = format!("{request:?} {request:#?}");
    let key = DpopKey::from_secret(request.dpop_key.as_ref().expect("a key")).expect("a key");
    for secret in [&request.state, &request.verifier, request.nonce.as_ref().expect("one"), key.secret()] {
        assert!(!printed.contains(secret.expose_secret()), "{printed}");
    }
    assert!(!format!("{key:?}").contains(key.secret().expose_secret()));
    leaks.assert_clean();
}

#[test]
fn damaged_bytes_are_not_repeated() {
    let leaks = canaries();
    for bytes in [
        format!(r#"{{"tokens":{{"access_token":"{ACCESS}""#),
        format!(r#"{{"{ACCESS}":1}}"#),
        format!(r#"{{"static":{{"{ACCESS}":1}}}}"#),
        format!(r#""{ACCESS}""#),
    ] {
        let error = Secret::from_bytes(bytes.as_bytes()).expect_err("no secret");
        assert_eq!(error.kind(), ErrorKind::Vault);
        leaks.error("opening", &error);
        leaks.error("opening tokens", &TokenSet::from_bytes(bytes.as_bytes()).expect_err("no tokens"));
    }
    let file = format!(r#"{{"client_email":"{ACCESS}","private_key":["{SECRET}"]}}"#);
    leaks.error("a key file", &ServiceAccount::from_key_file(&file.into()).expect_err("no key file"));
    leaks.assert_clean();
}
