//! What is reported as not expressed, and files that are none.

use proptest::prelude::*;
use tool_connect_core::{AuthScheme, ErrorKind, OAuthGrant};
use tool_connect_oauth::catalog::Catalog;
use tool_connect_oauth::catalog::nango::{MAX_BYTES, NangoFile, Outcome, Reason};

use super::{loosened, lost, missing, one};

#[test]
fn what_an_entry_cannot_say_is_found_by_its_key() {
    let base =
        "auth_mode: OAUTH2\nauthorization_url: https://acme.example/a\ntoken_url: https://acme.example/t\n";
    for (more, expected, usable) in [
        (
            "authorization_params: { resource: x }",
            missing("authorization_params.resource", Reason::Reserved),
            true,
        ),
        (
            "authorization_params: { response_type: token }",
            missing("authorization_params.response_type", Reason::Grant),
            false,
        ),
        (
            "authorization_params: { a: '${connectionConfig.b}' }",
            missing("authorization_params.a", Reason::Template),
            false,
        ),
        (
            "authorization_url_replacements: { response_type: '' }",
            missing("authorization_url_replacements.response_type", Reason::Encoding),
            false,
        ),
        ("token_params: { grant_type: password }", missing("token_params.grant_type", Reason::Grant), false),
        ("token_params: { type: code }", loosened("token_params.type", Reason::Wider), true),
        ("token_params: { a: '${connectionConfig.b}' }", missing("token_params.a", Reason::Template), false),
        (
            "token_request_auth_method: custom",
            missing("token_request_auth_method", Reason::ClientAuth),
            false,
        ),
        (
            "require_client_certificate: true",
            missing("require_client_certificate", Reason::ClientCertificate),
            false,
        ),
        ("redirect_uri_metadata: [realmId]", missing("redirect_uri_metadata", Reason::Callback), true),
        (
            "authorization_code_param_in_callback: auth_code",
            missing("authorization_code_param_in_callback", Reason::Callback),
            false,
        ),
        ("authorization_url_fragment: x", missing("authorization_url_fragment", Reason::Encoding), true),
        ("token_expiration_buffer: 60", loosened("token_expiration_buffer", Reason::Expiry), true),
        ("post_connection_script: acmePost", missing("post_connection_script", Reason::Script), true),
        ("webhook_routing_script: acmeHook", missing("webhook_routing_script", Reason::Webhook), true),
        ("from_the_future: 1", missing("from_the_future", Reason::UnknownKey), true),
        ("proxy: { from_the_future: 1 }", missing("proxy.from_the_future", Reason::UnknownKey), true),
        ("scope_separator: 7", missing("scope_separator", Reason::Type), true),
        ("default_scopes: { a: b }", missing("default_scopes", Reason::Type), true),
        ("proxy: [1]", missing("proxy", Reason::Type), true),
        ("proxy: { retry: { error_code: [soon] } }", missing("proxy.retry.error_code", Reason::Type), true),
        ("proxy: { paginate: { type: magic } }", missing("proxy.paginate", Reason::Type), true),
        (
            "proxy: { base_url: 'https://x || https://${connectionConfig.y}' }",
            loosened("proxy.base_url", Reason::Alternative),
            true,
        ),
    ] {
        let provider = one(&format!("{base}{more}"));
        assert_eq!(lost(&provider), [expected], "{more}");
        assert_eq!(provider.entry.is_some(), usable, "{more}");
        assert!(
            provider
                .findings
                .iter()
                .all(|finding| finding.outcome == Outcome::Expressed || finding.text.len() > 5)
        );
    }
}

#[test]
fn an_address_that_leads_astray_makes_no_entry() {
    for token in [
        "http://acme.example/t",
        "javascript:alert(1)",
        "https://user:secret@acme.example/t",
        "https://Acme.example/t",
        "https://acme.example/../t",
        "https://acme.example/{x}/t",
        "https://${connectionConfig.a.b}/t",
        "https://${connectionConfig.a/t",
        "${connectionConfig.link}/t",
    ] {
        let provider = one(&format!("auth_mode: OAUTH2_CC\ntoken_url: '{token}'"));
        assert_eq!((provider.entry, provider.scheme), (None, None), "{token}");
    }
    // The same file with an honest address.
    let provider = one("auth_mode: OAUTH2_CC\ntoken_url: https://acme.example/t");
    assert_eq!(lost(&provider), [loosened("credentials", Reason::Client)]);
    let Some(AuthScheme::OAuth2(scheme)) = provider.scheme else { panic!() };
    assert_eq!(scheme.grant, OAuthGrant::ClientCredentials);
}

#[test]
fn modes_without_a_counterpart_are_told_from_unknown_ones() {
    for mode in
        ["OAUTH1", "JWT", "APP", "TBA", "SIGNATURE", "CUSTOM", "AWS_SIGV4", "BILL", "MCP_OAUTH2_GENERIC"]
    {
        let provider = one(&format!(
            "auth_mode: {mode}\nrequest_url: https://acme.example\nproxy: {{ base_url: https://acme.example }}"
        ));
        assert_eq!(lost(&provider), [missing("auth_mode", Reason::AuthMode)], "{mode}");
        assert_eq!(provider.api.base_url.as_deref(), Some("https://acme.example"), "what is known is kept");
    }
    for keys in ["auth_mode: TELEPATHY", "auth_mode: ''", "categories: [x]"] {
        assert_eq!(lost(&one(keys)), [missing("auth_mode", Reason::UnknownAuthMode)], "{keys}");
    }
    assert!(lost(&one("auth_mode: [OAUTH2]")).contains(&missing("auth_mode", Reason::Type)));
}

#[test]
fn a_file_that_is_none_is_refused_with_a_reason() {
    for (text, why) in [
        ("", "the document is empty"),
        ("[1, 2]", "no mapping"),
        ("acme: [", "malformed"),
        ("acme: {}\nacme: {}\n", "the key `acme` is there twice"),
        (&"a: ".repeat(3), "malformed"),
    ] {
        let error = NangoFile::parse(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{text}");
        assert!(error.message().contains(why), "{text}: {}", error.message());
    }
    let large = "#".repeat(20 << 20);
    assert_eq!(NangoFile::parse(&large).unwrap_err().kind(), ErrorKind::TooLarge);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("providers.yaml");
    std::fs::write(&path, vec![b'#'; MAX_BYTES + 1]).unwrap();
    assert_eq!(NangoFile::from_file(&path).unwrap_err().kind(), ErrorKind::TooLarge);
    assert!(
        NangoFile::from_file(folder.path().join("none.yaml")).unwrap_err().message().contains("none.yaml")
    );
    let mut bomb = "a0: &a0 { x: y, z: y }\n".to_owned();
    for n in 1..40 {
        bomb.push_str(&format!("a{n}: &a{n} {{ x: *a{0}, z: *a{0} }}\n", n - 1));
    }
    assert!(NangoFile::parse(&bomb).unwrap_err().message().contains("means more than"));
    // So do aliases of providers: each takes over all of the other.
    let mut bomb = String::from("b:\n");
    (0..2_000).for_each(|n| bomb.push_str(&format!("  k{n}: 1\n")));
    (0..2_000).for_each(|n| bomb.push_str(&format!("p{n}: {{ alias: b }}\n")));
    assert!(NangoFile::parse(&bomb).unwrap_err().message().contains("aliases mean too much"));
}

proptest! {
    /// Whatever stands in a provider, nothing panics, nothing of a secret's place is kept, and each entry is one the catalog takes.
    #[test]
    fn anything_may_stand_there(
        mode in "OAUTH2|OAUTH2_CC|API_KEY|BASIC|TWO_STEP|NONE|[A-Z_]{0,9}",
        key in "authorization_url|token_url|token_params|proxy|connection_config|alias|default_scopes|[a-z_]{1,12}",
        value in "'https://\\$\\{connectionConfig\\.[a-zA-Z]{1,8}\\}[a-z./]{0,12}'|\\{ headers: \\{ a: '\\$\\{apiKey\\}' \\} \\}|\\[[a-z, ]{0,9}\\]|[0-9]{1,20}|'[^'\\n]{0,30}'|\\{ [a-z]{1,5}: \\{ [a-z]{1,5}: [a-z0-9]{0,5} \\} \\}",
    ) {
        let text = format!("acme:\n  display_name: Acme\n  auth_mode: '{mode}'\n  token_url: https://acme.example/t\n  {key}2: 1\n  {key}: {value}\n");
        if let Ok(file) = NangoFile::parse(&text) {
            for provider in file.providers() {
                let kept = format!("{:?}", provider.api).contains("apiKey");
                prop_assert!(!kept);
                if let Some(entry) = &provider.entry {
                    prop_assert!(entry.check().is_ok());
                }
            }
            prop_assert!(file.add_to(Catalog::empty()).is_ok());
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}|[a-z:{}\\[\\]&*!|>'\" \\n-]{0,200}") {
        let _ = NangoFile::parse(&text);
    }
}
