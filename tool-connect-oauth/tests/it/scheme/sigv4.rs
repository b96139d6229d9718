//! AWS Signature Version 4 against AWS's own vectors.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use http::request::Parts;
use serde::Deserialize;
use tool_connect_core::{AwsSigV4, Credential, ErrorKind, Result};
use tool_connect_oauth::scheme::sign_sigv4;

use super::{head, header};

/// 2015-08-30T12:36:00Z, the suite's time.
const SUITE: u64 = 1_440_938_160;
/// 2013-05-24T00:00:00Z, that of S3's examples.
const S3: u64 = 1_369_353_600;

#[derive(Deserialize)]
struct Suite {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
    sign_body: bool,
    token: Option<String>,
    signature: String,
}

fn scheme(service: &str, region: &str) -> AwsSigV4 {
    AwsSigV4 { service: service.into(), region: region.into() }
}

fn key() -> Credential {
    Credential::signing_key("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
}

fn s3_key() -> Credential {
    Credential::signing_key("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn sign(of: &AwsSigV4, key: &Credential, parts: &mut Parts, body: Option<&[u8]>, time: u64) -> Result<()> {
    sign_sigv4(of, key, &BTreeMap::new(), parts, body, at(time))
}

fn signature(parts: &Parts) -> &str {
    header(parts, "authorization").rsplit_once("Signature=").expect("a signature").1
}

/// The published suite, all of its cases that an HTTP request of ours can be.
#[test]
fn every_vector_of_the_published_suite_is_met() {
    let suite: Suite = serde_json::from_str(include_str!("aws_vectors.json")).unwrap();
    assert_eq!(suite.vectors.len(), 27);
    for vector in suite.vectors {
        let target = vector.target.replace('ሴ', "%E1%88%B4");
        let mut parts = head(&vector.method, &format!("https://example.amazonaws.com{target}"), &[]);
        for (name, value) in &vector.headers {
            let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
            parts.headers.append(name, value.trim().parse().unwrap());
        }
        if vector.sign_body {
            let digest = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e";
            parts.headers.insert("x-amz-content-sha256", digest.parse().unwrap());
        }
        let mut key = key();
        if let Credential::SigningKey { session, .. } = &mut key {
            *session = vector.token.map(Into::into);
        }
        sign(&scheme("service", "us-east-1"), &key, &mut parts, Some(vector.body.as_bytes()), SUITE).unwrap();
        assert_eq!(signature(&parts), vector.signature, "{}", vector.name);
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>, its four examples.
#[test]
fn the_examples_of_s3_are_met() {
    let bucket = "https://examplebucket.s3.amazonaws.com";
    let put: &[(&str, &str)] =
        &[("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")];
    let cases = [
        (
            "GET",
            "/test.txt",
            &[("range", "bytes=0-9")][..],
            &b""[..],
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "PUT",
            "/test$file.text",
            put,
            b"Welcome to Amazon S3.",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        ("GET", "/?lifecycle", &[], b"", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        (
            "GET",
            "/?max-keys=2&prefix=J",
            &[],
            b"",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ];
    for (method, target, headers, body, expected) in cases {
        let mut parts = head(method, &format!("{bucket}{target}"), headers);
        sign(&scheme("s3", "us-east-1"), &s3_key(), &mut parts, Some(body), S3).unwrap();
        assert_eq!(signature(&parts), expected, "{method} {target}");
    }
}

/// `double-url-encode` of the suite: a path that is encoded already is encoded once more, except for S3.
#[test]
fn the_path_is_encoded_twice_except_for_s3() {
    let path = "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-west-2%3A892717189312%3Afunction%3Amy-rusty-fun/invocations";
    let url = format!("https://lambda.us-east-2.amazonaws.com{path}");
    let mut parts = head("POST", &url, &[]);
    // 2021-05-11T15:40:45Z.
    sign(&scheme("lambda", "us-east-2"), &key(), &mut parts, Some(b""), 1_620_747_645).unwrap();
    assert_eq!(signature(&parts), "4b93abbcc68be32bd64c18e2c71150660ab4c29bbd6c32a383a7517a88fc1804");

    // For S3 `%24` and `$` are one object, whose key is encoded once.
    let signed = |path: &str| {
        let mut parts = head(
            "PUT",
            &format!("https://examplebucket.s3.amazonaws.com{path}"),
            &[("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
        );
        sign(&scheme("s3", "us-east-1"), &s3_key(), &mut parts, Some(b"Welcome to Amazon S3."), S3).unwrap();
        signature(&parts).to_owned()
    };
    assert_eq!(signed("/test%24file.text"), signed("/test$file.text"));
    // S3's keys may hold what looks like steps in a path.
    assert_ne!(signed("/a/../b"), signed("/b"));
    assert_ne!(signed("/a//b"), signed("/a/b"));
}

#[test]
fn a_stream_is_unsigned_payload_for_s3_only() {
    let mut parts = head("PUT", "https://examplebucket.s3.amazonaws.com/big", &[]);
    sign(&scheme("s3", "us-east-1"), &s3_key(), &mut parts, None, S3).unwrap();
    assert_eq!(header(&parts, "x-amz-content-sha256"), "UNSIGNED-PAYLOAD");

    let mut parts = head("POST", "https://lambda.us-east-2.amazonaws.com/", &[]);
    let error = sign(&scheme("lambda", "us-east-2"), &key(), &mut parts, None, S3).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(parts.headers.is_empty(), "nothing half signed is left: {parts:?}");
}

#[test]
fn what_hops_change_is_not_signed_and_what_was_there_is_replaced() {
    let mut parts = head(
        "GET",
        "https://example.amazonaws.com/",
        &[
            ("user-agent", "x"),
            ("accept-encoding", "gzip"),
            ("authorization", "Bearer of another"),
            ("x-amz-date", "20000101T000000Z"),
            ("x-amz-security-token", "of another"),
        ],
    );
    sign(&scheme("service", "us-east-1"), &key(), &mut parts, Some(b""), SUITE).unwrap();
    // The signature of `get-vanilla`: as if none of it had been there.
    assert_eq!(signature(&parts), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    assert!(!parts.headers.contains_key("x-amz-security-token"));
}

#[test]
fn a_plus_in_the_query_is_a_space() {
    let mut plus = head("GET", "https://example.amazonaws.com/?q=a+b%2Bc", &[]);
    let mut percent = head("GET", "https://example.amazonaws.com/?q=a%20b%2Bc", &[]);
    sign(&scheme("service", "us-east-1"), &key(), &mut plus, Some(b""), SUITE).unwrap();
    sign(&scheme("service", "us-east-1"), &key(), &mut percent, Some(b""), SUITE).unwrap();
    assert_eq!(plus.uri.query(), Some("q=a%20b%2Bc"));
    assert_eq!(signature(&plus), signature(&percent));
}

#[test]
fn the_port_is_signed_where_it_is_not_the_usual_one() {
    let of = |url: &str| {
        let mut parts = head("GET", url, &[]);
        sign(&scheme("service", "us-east-1"), &key(), &mut parts, Some(b""), SUITE).unwrap();
        signature(&parts).to_owned()
    };
    assert_eq!(of("https://example.amazonaws.com/"), of("https://example.amazonaws.com:443/"));
    assert_ne!(of("https://example.amazonaws.com/"), of("https://example.amazonaws.com:8443/"));
}

#[test]
fn the_region_may_come_from_the_connection() {
    let mut parts = head("GET", "https://example.amazonaws.com/", &[]);
    let of = scheme("service", "{region}");
    let config = BTreeMap::from([("region".to_owned(), "us-east-1".to_owned())]);
    sign_sigv4(&of, &key(), &config, &mut parts, Some(b""), at(SUITE)).unwrap();
    assert_eq!(signature(&parts), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");

    for hostile in ["", "us-east-1/s3", "us-east-1\r\nx: y", "a b", "{region}"] {
        let config = BTreeMap::from([("region".to_owned(), hostile.to_owned())]);
        let error = sign_sigv4(&of, &key(), &config, &mut parts, Some(b""), at(SUITE)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{hostile}");
    }
    let error = sign_sigv4(&of, &key(), &BTreeMap::new(), &mut parts, Some(b""), at(SUITE)).unwrap_err();
    assert!(error.to_string().contains("`region`"), "{error}");
}

#[test]
fn redaction_of_what_is_signed() {
    let mut parts = head("GET", "https://example.amazonaws.com/", &[]);
    let secret = Credential::SigningKey {
        id: "AKIDEXAMPLE".into(),
        secret: "canary-secret".to_owned().into(),
        session: Some("canary-session".to_owned().into()),
    };
    sign(&scheme("service", "us-east-1"), &secret, &mut parts, Some(b""), SUITE).unwrap();
    let printed = format!("{parts:?}");
    assert!(!printed.contains("canary") && !printed.contains("Signature="), "{printed}");

    let error =
        sign(&scheme("service", "us-east-1"), &Credential::token("canary"), &mut parts, None, 0).unwrap_err();
    assert!(!format!("{error:?} {error}").contains("canary"));
}
