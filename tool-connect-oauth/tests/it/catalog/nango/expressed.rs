//! What a provider becomes: an entry, a scheme, hints for its API.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use secrecy::ExposeSecret as _;
use tool_connect_core::{AuthScheme, ExchangeEncoding, OAuth2Scheme, OAuthGrant, TokenPlace};
use tool_connect_oauth::catalog::nango::{NangoFile, OffsetStep, Pages, Reason, Verdict};
use tool_connect_oauth::catalog::{
    BodyEncoding, Catalog, ClientAuth, ClientAuthMethod, ClientConfig, Method, Pkce, TimeUnit,
};
use tool_connect_oauth::flow::{Authorization, CodeExchange, OAuthHttp, TokenClient, Wanted};
use tool_connect_testkit::ManualClock;
use tool_connect_testkit::oauth::{EmulatedClient, ExpiresIn, IssuerSettings, OAuthEmulator, Quirks};
use url::Url;

use super::{loosened, lost, missing, one};

#[test]
fn an_oauth_provider_becomes_an_entry_with_all_it_says() {
    let provider = one(r#"
auth_mode: OAUTH2
categories: [crm]
authorization_url: https://${connectionConfig.accountId}.acme.example/authorize
token_url: https://${connectionConfig.accountId}.acme.example/token
refresh_url: https://acme.example/renew
authorization_params: { response_type: code, access_type: offline, session: false }
authorization_url_replacements: { client_id: client_key, "redirect_uri=": "redirectUri=" }
token_params: { grant_type: authorization_code }
refresh_params: { grant_type: refresh_token, type: renewal }
scope_separator: ","
default_scopes: [read, write]
disable_pkce: true
body_format: json
token_request_auth_method: basic
expires_in_unit: milliseconds
token_response_metadata: [instance_url, team.id]
connection_config:
  accountId: { type: string, title: Account, description: "The account's name.", pattern: '^[a-z]+$', example: eu, order: 1 }
proxy:
  base_url: https://${connectionConfig.accountId}.acme.example/api
  headers: { x-token: "T ${accessToken}", accept: application/json, x-account: "${connectionConfig.accountId}" }
  query: { version: 2 }
  retry: { after: retry-after, at: [x-reset], remaining: x-left, error_code: ["503", 5xx] }
  paginate: { type: cursor, cursor_path_in_response: meta.next, cursor_name_in_request: cursor, response_path: data, limit_name_in_request: limit, limit: 50 }
  verification: { method: POST, endpoints: ["/me", "/${connectionConfig.accountId}/me"], headers: { a: b }, data: { x: [1] } }
"#);
    assert_eq!(lost(&provider), []);
    assert_eq!(provider.verdict(), Verdict::Fully);
    assert_eq!((provider.id.as_str(), provider.display_name.as_str()), ("acme_crm", "Acme CRM"));
    let scheme =
        OAuth2Scheme { provider: "acme_crm".into(), scopes: vec![], grant: OAuthGrant::AuthorizationCode };
    assert_eq!(provider.scheme, Some(AuthScheme::OAuth2(scheme)));
    let entry = provider.entry.expect("an entry");
    assert_eq!(entry.endpoints.authorize.as_deref(), Some("https://{account_id}.acme.example/authorize"));
    assert_eq!(entry.endpoints.refresh.as_deref(), Some("https://acme.example/renew"));
    assert_eq!(entry.api.as_deref(), Some("https://{account_id}.acme.example/api"));
    assert_eq!(entry.parameters["account_id"].description, "The account's name.");
    assert!(entry.resolve(&BTreeMap::from([("account_id".into(), "evil.example/".into())])).is_err());
    let pairs = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    assert_eq!(entry.authorize_params, pairs(&[("access_type", "offline"), ("session", "false")]));
    assert_eq!(entry.authorize_names, pairs(&[("client_id", "client_key"), ("redirect_uri", "redirectUri")]));
    assert_eq!((entry.token_params.len(), entry.refresh_params), (0, pairs(&[("type", "renewal")])));
    assert_eq!(
        (entry.scopes.separator.as_str(), entry.scopes.always),
        (",", vec!["read".into(), "write".into()])
    );
    assert_eq!((entry.pkce, entry.token_request.encoding), (Pkce::Refused, BodyEncoding::Json));
    assert_eq!(entry.client_auth, [ClientAuthMethod::Basic]);
    assert_eq!(entry.token_response.expires_in.unit, TimeUnit::Milliseconds);
    assert_eq!(
        entry.token_response.extra,
        pairs(&[("instance_url", "/instance_url"), ("team_id", "/team/id")])
    );
    assert_eq!(entry.token_place, TokenPlace { header: "x-token".into(), prefix: "T ".into() });

    let api = provider.api;
    assert_eq!(api.headers, pairs(&[("accept", "application/json"), ("x-account", "{account_id}")]));
    assert_eq!(api.query, pairs(&[("version", "2")]));
    let retry = api.retry.expect("hints");
    assert_eq!((retry.after, retry.at), (vec!["retry-after".into()], vec!["x-reset".into()]));
    assert_eq!((retry.statuses, retry.status_classes), (vec![503], vec![5]));
    let pages = api.pages.expect("pages");
    assert_eq!(pages.pages, Pages::Cursor { pointer: "/meta/next".into(), parameter: "cursor".into() });
    assert_eq!(
        (pages.items.as_deref(), pages.limit_parameter.as_deref(), pages.limit),
        (Some("/data"), Some("limit"), Some(50))
    );
    let verification = api.verification.expect("a request");
    assert_eq!(
        (verification.method, verification.paths),
        (Method::Post, vec!["/me".into(), "/{account_id}/me".into()])
    );
    assert_eq!(verification.json, Some(serde_json::json!({ "x": [1] })));
}

/// The entry that comes out is used like any other.
#[tokio::test]
async fn an_entry_of_a_file_works_from_consent_to_refresh() {
    let provider = one(r#"
auth_mode: OAUTH2
authorization_url: https://as.example/authorize
token_url: https://as.example/token
expires_in_unit: milliseconds
token_response_metadata: [site]
default_scopes: [read]
"#);
    let clock = Arc::new(ManualClock::new());
    let emulator = OAuthEmulator::with_clock(clock.clone());
    let quirks = Quirks {
        expires_in: ExpiresIn::Millis,
        extra: vec![("site".into(), "eu".into())],
        ..Quirks::default()
    };
    let client = EmulatedClient::secret_post("app", "secret-of-app").redirect_uri("https://app.example/back");
    let issuer =
        emulator.issuer(IssuerSettings::new("https://as.example").client(client).quirks(quirks)).unwrap();
    let catalog = Catalog::empty().with_entry(provider.entry.unwrap()).unwrap();
    let resolved = catalog.resolve("acme_crm", &BTreeMap::new()).unwrap();
    let config = ClientConfig::confidential("app", "secret-of-app").auth(ClientAuth::Post);
    let http = OAuthHttp::new(Arc::new(emulator)).clock(clock.clone());
    let tokens = TokenClient::new(&http, &resolved, &config, &*clock);
    let back = Url::parse("https://app.example/back").unwrap();
    let request = tokens.authorize(&Authorization::new(back)).await.unwrap();
    let answer = issuer.visit(&request.url).unwrap();
    let code = answer.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned().into();
    let exchange = CodeExchange {
        code: &code,
        verifier: &request.verifier,
        redirect_uri: &request.redirect_uri,
        wanted: Wanted { scopes: &request.scopes, ..Wanted::default() },
    };
    let first = tokens.exchange(&exchange).await.unwrap();
    assert_eq!((first.extra["site"].as_str(), first.scopes.clone()), ("eu", Some(vec!["read".into()])));
    assert_eq!(first.expires_at, Some(tool_connect_core::Clock::now(&*clock) + Duration::from_secs(3600)));
    let second = tokens.refresh(&first, &[]).await.unwrap();
    assert!(issuer.accepts(second.access_token.expose_secret()));
}

#[test]
fn secrets_go_where_the_file_puts_them_or_it_is_said() {
    let header = |header: &str, prefix: &str| AuthScheme::ApiKeyHeader {
        header: header.into(),
        prefix: prefix.into(),
    };
    for (keys, scheme) in [
        ("auth_mode: API_KEY\nproxy: { headers: { Authorization: 'Bearer ${apiKey}' } }", AuthScheme::Bearer),
        (
            "auth_mode: API_KEY\nproxy: { headers: { authorization: 'Token ${apiKey}' } }",
            header("authorization", "Token "),
        ),
        ("auth_mode: API_KEY\nproxy: { headers: { x-key: '${credentials.secret}' } }", header("x-key", "")),
        (
            "auth_mode: API_KEY\nproxy: { query: { key: '${apiKey}' } }",
            AuthScheme::ApiKeyQuery { parameter: "key".into() },
        ),
        ("auth_mode: BASIC", AuthScheme::Basic),
        (
            "auth_mode: BASIC\nproxy: { headers: { authorization: 'Basic ${base64(${username}:${password})}' } }",
            AuthScheme::Basic,
        ),
        ("auth_mode: NONE", AuthScheme::None),
    ] {
        let provider = one(keys);
        assert_eq!((provider.scheme.as_ref(), lost(&provider)), (Some(&scheme), vec![]), "{keys}");
        assert!(!format!("{:?}", provider.api).contains("${"), "{keys}: nothing of the secret is left");
    }
    for (keys, expected) in [
        ("auth_mode: API_KEY", missing("proxy.headers", Reason::SecretPlace)),
        (
            "auth_mode: API_KEY\nproxy: { body: { key: '${apiKey}' } }",
            missing("proxy.body", Reason::SecretPlace),
        ),
        (
            "auth_mode: API_KEY\nproxy: { headers: { a: 'x${apiKey}y' } }",
            missing("proxy.headers.a", Reason::Template),
        ),
        (
            "auth_mode: API_KEY\nproxy: { headers: { a: '${sha256Hex(${apiKey})}' } }",
            missing("proxy.headers.a", Reason::Template),
        ),
        ("auth_mode: BASIC\nproxy: { headers: { a: '${username}' } }", missing("proxy", Reason::SecretPlace)),
        (
            "auth_mode: BASIC\nproxy: { headers: { authorization: '${awsSigV4(${credentials.username})}' } }",
            missing("proxy.headers.authorization", Reason::Template),
        ),
    ] {
        let provider = one(keys);
        assert_eq!(
            (provider.verdict(), lost(&provider).contains(&expected)),
            (Verdict::Not, true),
            "{keys}: {:?}",
            lost(&provider)
        );
        assert!(!format!("{:?}", provider.api).contains("${"), "{keys}");
    }
    let both = one("auth_mode: API_KEY\nproxy: { headers: { a: '${apiKey}', b: '${apiKey}' } }");
    assert_eq!((both.scheme, both.api.headers.len()), (None, 0));
    let empty =
        one("auth_mode: API_KEY\nproxy: { headers: { authorization: 'Basic ${base64(${apiKey}:)}' } }");
    assert_eq!(lost(&empty), [loosened("proxy.headers.authorization", Reason::Secrets)]);
    assert_eq!(empty.scheme, Some(AuthScheme::Basic));
}

#[test]
fn a_secret_of_the_configuration_gets_into_no_header() {
    let provider = one(r#"
auth_mode: BASIC
connection_config:
  appKey: { type: string, title: Key, description: A key., secret: true }
  site: { type: string, title: Site, description: A site., pattern: '(?!x)y', example: one }
proxy: { base_url: "https://${connectionConfig.site}.acme.example", headers: { x-app-key: "${connectionConfig.appKey}" } }
"#);
    assert_eq!(
        lost(&provider),
        [
            loosened("connection_config.site", Reason::Pattern),
            missing("proxy.headers.x-app-key", Reason::SecretPlace)
        ]
    );
    assert_eq!((provider.verdict(), provider.api.headers.len()), (Verdict::Partly, 0));
}

#[test]
fn two_steps_become_an_exchange() {
    let provider = one(r#"
auth_mode: TWO_STEP
body_format: form
token_url: https://${connectionConfig.site}.acme.example/login
token_params: { grant_type: password, user: "${credentials.login}", pass: "${credentials.key}", app: "${credentials.app}" }
token_headers: { content-type: application/x-www-form-urlencoded, x-site: "${connectionConfig.site}" }
token_response: { token: data.token, token_expiration: data.ttl, token_expiration_strategy: expireIn }
token_expires_in_ms: 60000
connection_config: { site: { type: string, title: Site, description: The site., enum: [eu, us] } }
credentials:
  login: { type: string, title: Login, description: The login. }
  app: { type: string, title: App, description: The app. }
  key: { type: string, title: Key, description: The key., secret: true }
proxy: { headers: { x-session: "${accessToken}" } }
"#);
    // One more part than a credential has, and not secret.
    let moved = "login";
    assert_eq!(lost(&provider), [loosened(&format!("credentials.{moved}"), Reason::Secrets)]);
    let Some(AuthScheme::TokenExchange(exchange)) = provider.scheme else { panic!("{:?}", provider.scheme) };
    assert_eq!(exchange.url, "https://{site}.acme.example/login");
    assert_eq!((exchange.encoding, exchange.token.as_str()), (ExchangeEncoding::Form, "/data/token"));
    let fields: Vec<(&str, &str)> = exchange.fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(
        fields,
        [("app", "{username}"), ("grant_type", "password"), ("pass", "{password}"), ("user", "{login}")]
    );
    assert_eq!(exchange.headers, BTreeMap::from([("x-site".into(), "{site}".into())]));
    assert_eq!(
        (exchange.expires_in.as_deref(), exchange.lifetime),
        (Some("/data/ttl"), Some(Duration::from_secs(60)))
    );
    assert_eq!(exchange.place, TokenPlace { header: "x-session".into(), prefix: String::new() });
    assert_eq!(provider.parameters["site"].pattern, "eu|us");

    let base = "auth_mode: TWO_STEP\ntoken_url: https://acme.example/login\ntoken_response: { token: t }\n";
    for (more, expected) in [
        ("token_request_method: GET", missing("token_request_method", Reason::Exchange)),
        ("additional_steps: [{ token_url: x }]", missing("additional_steps", Reason::Exchange)),
        ("signature: { protocol: RSA }", missing("signature", Reason::Exchange)),
        ("body_format: xml", missing("body_format", Reason::Encoding)),
        ("token_params: { a: { b: c } }", missing("token_params.a", Reason::Nested)),
        ("token_params: { a: '${now:X}' }", missing("token_params.a", Reason::Template)),
        (
            "token_headers: { authorization: 'Basic ${base64(${credentials.a}:${credentials.b})}' }",
            missing("token_headers.authorization", Reason::Template),
        ),
    ] {
        let provider = one(&format!("{base}{more}"));
        assert_eq!((provider.verdict(), lost(&provider)), (Verdict::Not, vec![expected]), "{more}");
    }
}

#[test]
fn a_second_text_is_the_default_of_the_first() {
    let provider = one(r#"
auth_mode: OAUTH2
authorization_url: https://${connectionConfig.host}/a || https://login.acme.example/a
token_url: https://${connectionConfig.host}/t || https://login.acme.example/t
connection_config: { host: { type: string, title: Host, description: The host., format: hostname } }
"#);
    assert_eq!(lost(&provider), []);
    let entry = provider.entry.unwrap();
    let at = |config: &[(&str, &str)]| {
        let config = config.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        entry.resolve(&config).unwrap().endpoints.token.to_string()
    };
    assert_eq!(at(&[]), "https://login.acme.example/t");
    assert_eq!(at(&[("host", "eu.acme.example")]), "https://eu.acme.example/t");
}

#[test]
fn an_alias_is_the_other_with_what_it_says_itself() {
    let file = NangoFile::parse(
        r#"
base:
  display_name: Base
  docs: https://acme.example/docs
  auth_mode: API_KEY
  proxy: { base_url: https://acme.example, headers: { a: "${apiKey}", b: x } }
copy: { display_name: Copy, alias: base, proxy: { base_url: https://copy.example } }
again: { display_name: Again, alias: copy }
lost: { display_name: Lost, alias: nobody }
round: { display_name: Round, alias: and-round }
and-round: { display_name: And, alias: round, auth_mode: BASIC }
8ball: { display_name: Eight, auth_mode: BASIC }
a-b: { display_name: One, auth_mode: BASIC }
a_b: { display_name: Two, auth_mode: BASIC }
no: 7
"#,
    )
    .unwrap();
    let get = |name: &str| file.get(name).unwrap();
    for (name, base) in [("copy", "https://copy.example"), ("again", "https://copy.example")] {
        assert_eq!(get(name).scheme, get("base").scheme, "{name}");
        assert_eq!(get(name).api.base_url.as_deref(), Some(base));
        assert_eq!(get(name).api.headers, get("base").api.headers);
    }
    for name in ["lost", "round", "and-round"] {
        assert!(lost(get(name)).contains(&missing("alias", Reason::Alias)), "{name}: {:?}", lost(get(name)));
        assert_eq!(get(name).verdict(), Verdict::Not, "{name}");
    }
    assert_eq!(get("8ball").id, "p_8ball");
    assert_eq!((get("a-b").verdict(), get("a_b").verdict()), (Verdict::Fully, Verdict::Not));
    assert!(lost(get("no")).contains(&missing("", Reason::Type)));
    let report = file.report();
    assert_eq!((report.fully, report.partly, report.not, report.providers.len()), (5, 0, 5, 10));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["providers"][3]["findings"][0]["outcome"]["missing"], "alias");
}

#[test]
fn hints_say_how_long_to_wait() {
    let provider = one("auth_mode: BASIC\nproxy: { retry: { after: [retry-after, x-wait], at: x-reset } }");
    let retry = provider.api.retry.unwrap();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
    for (name, value, wait) in [
        ("retry-after", "7", Some(7)),
        ("x-wait", " 8 ", Some(8)),
        ("x-reset", "130", Some(30)),
        ("x-reset", "90", Some(0)),
        ("x-reset", "soon", None),
        ("retry-after", "-1", None),
        ("retry-after", "1e300", None),
        ("x-other", "7", None),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        assert_eq!(retry.wait(&headers, now), wait.map(Duration::from_secs), "{name}: {value}");
    }
}

#[test]
fn pages_are_read_in_each_kind() {
    let pages = |keys: &str| {
        one(&format!("auth_mode: BASIC\nproxy: {{ paginate: {{ {keys} }} }}")).api.pages.unwrap().pages
    };
    assert_eq!(
        pages("type: link, link_rel_in_response_header: next"),
        Pages::Link { rel: Some("next".into()), pointer: None }
    );
    assert_eq!(
        pages("type: link, link_path_in_response_body: a.b"),
        Pages::Link { rel: None, pointer: Some("/a/b".into()) }
    );
    assert_eq!(
        pages(
            "type: offset, offset_name_in_request: page, offset_start_value: 1, offset_calculation_method: per-page"
        ),
        Pages::Offset { parameter: "page".into(), start: 1, step: OffsetStep::Pages }
    );
}
