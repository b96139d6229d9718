//! HMAC templates: the primitive against RFC 4231, the text against what it should be.

use std::time::{Duration, SystemTime};

use secrecy::SecretString;
use serde_json::json;
use tool_connect_core::{Credential, ErrorKind, HmacScheme};
use tool_connect_oauth::scheme::sign_hmac;

use super::{head, header};

fn scheme(value: serde_json::Value) -> HmacScheme {
    serde_json::from_value(value).unwrap()
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123)
}

/// RFC 4231 §4.2 and §4.3.
#[test]
fn the_vectors_of_rfc_4231_are_met() {
    let first = "\u{0b}".repeat(20);
    let vectors = [
        (
            first.as_str(),
            "Hi There",
            "sha256",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            first.as_str(),
            "Hi There",
            "sha384",
            "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
        ),
        (
            first.as_str(),
            "Hi There",
            "sha512",
            "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4\
          be9d914eeb61f1702e696c203a126854",
        ),
        (
            "Jefe",
            "what do ya want for nothing?",
            "sha256",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            "Jefe",
            "what do ya want for nothing?",
            "sha384",
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
        ),
        (
            "Jefe",
            "what do ya want for nothing?",
            "sha512",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd\
          caeab1a34d4a6b4b636e070a38bce737",
        ),
    ];
    for (key, data, algorithm, expected) in vectors {
        let of = scheme(
            json!({ "algorithm": algorithm, "template": "{body}", "headers": { "x-s": "{signature}" } }),
        );
        let mut parts = head("POST", "https://api.example/", &[]);
        sign_hmac(
            &of,
            &Credential::Token(SecretString::from(key.to_owned())),
            &mut parts,
            Some(data.as_bytes()),
            now(),
        )
        .unwrap();
        assert_eq!(header(&parts, "x-s"), expected, "{algorithm}");
    }
}

#[test]
fn every_placeholder_is_what_it_says() {
    // The template is echoed in a header, so that the text can be read.
    let template = "{method}|{path}|{query}|{path_and_query}|{host}|{timestamp}|{timestamp_millis}|{key_id}|{body}|{body_sha256}";
    let of = scheme(json!({ "template": template, "headers": { "x-text": template } }));
    let mut parts = head("PUT", "https://api.example:8443/a/b?c=d&e", &[]);
    sign_hmac(&of, &Credential::signing_key("k-1", "s"), &mut parts, Some(b"abc"), now()).unwrap();
    assert_eq!(
        header(&parts, "x-text"),
        "PUT|/a/b|c=d&e|/a/b?c=d&e|api.example:8443|1700000000|1700000000123|k-1|abc|\
         ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

#[test]
fn the_nonce_is_fresh_and_the_same_in_text_and_header() {
    let of = scheme(json!({
        "template": "{nonce}", "encoding": "base64", "headers": { "x-n": "{nonce}", "x-s": "{signature}" }
    }));
    let again =
        scheme(json!({ "template": "{body}", "encoding": "base64", "headers": { "x-s": "{signature}" } }));
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..64 {
        let mut parts = head("GET", "https://api.example/", &[]);
        sign_hmac(&of, &Credential::token("s"), &mut parts, None, now()).unwrap();
        let nonce = header(&parts, "x-n").to_owned();
        let mut check = head("GET", "https://api.example/", &[]);
        sign_hmac(&again, &Credential::token("s"), &mut check, Some(nonce.as_bytes()), now()).unwrap();
        assert_eq!(header(&check, "x-s"), header(&parts, "x-s"));
        assert_eq!(nonce.len(), 32);
        assert!(seen.insert(nonce), "a nonce came twice");
    }
}

#[test]
fn what_does_not_fit_is_a_typed_error() {
    let refused = |template: &str, header: &str, credential: &Credential, body: Option<&[u8]>| {
        let of = scheme(json!({ "template": template, "headers": { "x-s": header } }));
        let mut parts = head("GET", "https://api.example/", &[]);
        let error = sign_hmac(&of, credential, &mut parts, body, now()).unwrap_err();
        assert!(parts.headers.is_empty(), "nothing half signed is left");
        assert!(!format!("{error:?} {error}").contains("canary"), "{error}");
        error.kind()
    };
    let key = Credential::signing_key("k\r\nx-evil: 1", "canary");
    assert_eq!(refused("{bdy}", "{signature}", &key, Some(b"")), ErrorKind::Config);
    assert_eq!(refused("{body", "{signature}", &key, Some(b"")), ErrorKind::Config);
    assert_eq!(refused("{signature}", "{signature}", &key, Some(b"")), ErrorKind::Config);
    assert_eq!(refused("{body}", "{key_id} {signature}", &key, Some(b"")), ErrorKind::Config, "line breaks");
    assert_eq!(refused("x", "{body}", &key, Some(b"\xff")), ErrorKind::Config, "not text");
    assert_eq!(refused("{body}", "{signature}", &key, None), ErrorKind::Unsupported);
    assert_eq!(refused("{body_sha256}", "{signature}", &key, None), ErrorKind::Unsupported);
    assert_eq!(
        refused("{key_id}", "{signature}", &Credential::token("canary"), Some(b"")),
        ErrorKind::Config
    );
    assert_eq!(refused("x", "{signature}", &Credential::basic("a", "canary"), Some(b"")), ErrorKind::Config);
}

#[test]
fn a_stream_may_pass_where_the_body_is_not_signed() {
    let of = scheme(json!({ "template": "{timestamp}", "headers": { "x-s": "{signature}" } }));
    let mut parts = head("PUT", "https://api.example/", &[]);
    sign_hmac(&of, &Credential::token("canary"), &mut parts, None, now()).unwrap();
    assert!(!format!("{parts:?}").contains(header(&parts, "x-s")), "the signature is not printed");
}
