//! `WWW-Authenticate`: the grammar of RFC 9110 §11, and everything that is not in it.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;
use proptest::prelude::*;
use tool_connect_oauth::discovery::{Challenge, challenges, parse_challenges};

fn parsed(header: &str) -> Vec<Challenge> {
    parse_challenges(header).unwrap_or_else(|| panic!("well formed: {header}"))
}

fn parameters(challenge: &Challenge) -> Vec<(&str, &str)> {
    challenge.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[test]
fn several_challenges_with_parameters_and_tokens() {
    // The example of RFC 9110 §11.6.1, and more.
    let all = parsed(r#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"""#);
    assert_eq!(all.len(), 2);
    assert_eq!(parameters(&all[0]), [("realm", "simple")]);
    assert_eq!(parameters(&all[1]), [("realm", "apps"), ("type", "1"), ("title", r#"Login to "apps""#)]);

    let all = parsed("Negotiate YWJj==, NTLM, Bearer");
    assert_eq!(all.iter().map(|c| c.scheme.as_str()).collect::<Vec<_>>(), ["negotiate", "ntlm", "bearer"]);
    assert_eq!(all[0].token.as_deref(), Some("YWJj=="));
    assert!(all[2].wants_access_token() && !all[0].wants_access_token());

    // One padding sign: a token, not a parameter without a value.
    assert_eq!(parsed("Negotiate YWJ=, Bearer")[0].token.as_deref(), Some("YWJ="));
    // Empty elements, tabs, spaces around the sign.
    let all = parsed(" ,, DPoP algs = \"ES256 RS256\" ,\terror=use_dpop_nonce,,");
    assert_eq!(parameters(&all[0]), [("algs", "ES256 RS256"), ("error", "use_dpop_nonce")]);
    // A comma within quotes ends nothing.
    assert_eq!(parsed(r#"Bearer scope="a,b", error=x"#)[0].parameter("scope"), Some("a,b"));
    assert_eq!(
        parsed(r#"Bearer RESOURCE_metadata="https://r.example/""#)[0].parameter("resource_metadata"),
        Some("https://r.example/")
    );
    assert_eq!(parsed(""), []);
}

#[test]
fn what_is_no_grammar_is_no_challenge() {
    let long = format!("Bearer realm=\"{}\"", "x".repeat(17 * 1024));
    let many = "Bearer, ".repeat(40);
    let wide = format!("Bearer {}", (0..40).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join(", "));
    for header in [
        "Bearer realm=\"open",
        "Bearer realm=\"ends with a backslash\\",
        "Bearer realm=\"a\" error=\"no comma\"",
        "Bearer realm=a b",
        "Bearer realm=\"a\"x",
        "=x",
        "Bearer @@@",
        "\"quoted\"",
        "Bearer realm=a, realm=b",
        "Bearer realm=a, REALM=b",
        &long,
        &many,
        &wide,
    ] {
        assert_eq!(parse_challenges(header), None, "{}", header.chars().take(60).collect::<String>());
    }
}

#[test]
fn several_headers_are_read_and_broken_ones_left_out() {
    let mut headers = HeaderMap::new();
    headers.append(WWW_AUTHENTICATE, "Basic realm=\"a\"".parse().unwrap());
    headers.append(WWW_AUTHENTICATE, "Bearer realm=\"broken".parse().unwrap());
    headers.append(WWW_AUTHENTICATE, http::HeaderValue::from_bytes(b"Bearer realm=\"\xff\"").unwrap());
    headers.append(WWW_AUTHENTICATE, "Bearer error=invalid_token".parse().unwrap());
    let all = challenges(&headers);
    assert_eq!(all.iter().map(|c| c.scheme.as_str()).collect::<Vec<_>>(), ["basic", "bearer"]);
    for _ in 0..100 {
        headers.append(WWW_AUTHENTICATE, "Basic, Basic, Basic".parse().unwrap());
    }
    assert!(challenges(&headers).len() <= 32);
}

proptest! {
    /// Whatever comes, it is read or refused, and what was read can be written and read again.
    #[test]
    fn no_header_breaks_the_parser(header in "\\PC{0,200}|[ \\t,=\"\\\\a-zA-Z0-9+/-]{0,200}") {
        for challenge in parse_challenges(&header).into_iter().flatten() {
            let mut text = challenge.scheme.clone();
            if let Some(token) = &challenge.token {
                text = format!("{text} {token}");
            }
            for (nth, (name, value)) in challenge.parameters.iter().enumerate() {
                let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
                text = format!("{text}{} {name}=\"{quoted}\"", if nth == 0 { "" } else { "," });
            }
            prop_assert_eq!(parse_challenges(&text), Some(vec![challenge]), "{}", text);
        }
    }
}
