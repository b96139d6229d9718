//! Answers that nobody planned for: an error or tokens, never a panic.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tool_connect_oauth::flow::{Secret, TokenSet, Wanted};

use super::Bench;
use super::script::Reply;

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,40}".prop_map(Value::from),
        "[0-9.eE+-]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((name(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "access_token",
        "refresh_token",
        "expires_in",
        "token_type",
        "scope",
        "error",
        "error_description",
        "id_token",
        "device_code",
        "user_code",
        "verification_uri",
        "interval",
        "active",
        "exp",
        "request_uri",
        "authed_user",
    ];
    prop_oneof![4 => proptest::sample::select(KNOWN).prop_map(str::to_owned), 1 => "[a-z_]{0,12}"]
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let object = || {
        vec((name(), value()), 0..8).prop_map(|pairs| {
            Value::Object(pairs.into_iter().collect::<Map<_, _>>()).to_string().into_bytes()
        })
    };
    let cut = (object(), any::<prop::sample::Index>()).prop_map(|(mut bytes, at)| {
        bytes.truncate(at.index(bytes.len()));
        bytes
    });
    let form = vec((name(), "\\PC{0,20}"), 0..6).prop_map(|pairs| {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into_bytes()
    });
    prop_oneof![4 => object(), 1 => cut, 1 => form, 1 => vec(any::<u8>(), 0..200), 1 => value().prop_map(|v| v.to_string().into_bytes())]
}

fn reply() -> impl Strategy<Value = (u16, Vec<u8>, String)> {
    let status = prop_oneof![4 => Just(200), 2 => Just(400), 1 => Just(401), 1 => Just(429), 1 => Just(503), 1 => 100_u16..600];
    let media_type = proptest::sample::select(
        &[
            "application/json",
            "application/x-www-form-urlencoded",
            "text/html",
            "",
            "text/plain; charset=\"x",
        ][..],
    );
    (status, body(), media_type.prop_map(str::to_owned))
}

/// Every request, each with the same answer.
async fn all((status, body, media_type): (u16, Vec<u8>, String)) {
    let replies = (0..16).map(|_| {
        Reply::bytes(status, body.clone())
            .header("content-type", media_type.clone())
            .header("dpop-nonce", "n")
    });
    let bench = Bench::with(replies, |entry| {
        entry.endpoints.par = Some("https://as.example/par".into());
        entry.token_response.extra.insert("user".into(), "/authed_user".into());
    });
    let client = bench.tokens();
    let key = super::dpop_key();
    let shown = |what: String| assert!(what.len() < 20_000);
    let result = bench.exchange_for(Wanted { dpop_key: Some(&key), ..Wanted::default() }).await;
    shown(format!("{result:?}"));
    if let Ok(tokens) = bench.exchange().await {
        TokenSet::from_bytes(&tokens.to_bytes()).expect("what was granted can be kept");
        shown(format!("{:?}", client.refresh(&tokens, &[]).await.map(|_| ())));
    }
    if let Ok(mut device) = client.device_authorize(Wanted::default()).await {
        shown(format!("{:?}", client.device_poll(&mut device).await.map(|_| ())));
    }
    shown(format!("{:?}", client.revoke(&super::old_tokens()).await));
    shown(format!("{:?}", client.introspect(&"token".into()).await.map(|_| ())));
    let wanted = tool_connect_oauth::flow::Authorization::new(super::url("https://app.example/callback"));
    shown(format!("{:?}", client.authorize(&wanted).await.map(|_| ())));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_answer_makes_it_panic(reply in reply()) {
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(all(reply));
    }

    #[test]
    fn no_bytes_make_opening_panic(bytes in vec(any::<u8>(), 0..200), json in value()) {
        let _ = Secret::from_bytes(&bytes);
        let _ = TokenSet::from_bytes(&bytes);
        let _ = Secret::from_bytes(json.to_string().as_bytes());
        let _ = TokenSet::from_bytes(json.to_string().as_bytes());
    }
}

#[tokio::test]
async fn deep_and_wide_answers_are_refused_or_read() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let wide = json!({ "access_token": "a", "x": vec![0; 100_000] }).to_string();
    all((200, deep.clone().into_bytes(), "application/json".into())).await;
    all((400, deep.into_bytes(), "application/json".into())).await;
    all((200, wide.into_bytes(), "application/json".into())).await;
}
