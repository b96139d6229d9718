//! What must not happen: each guard of the checklist, by its number.

use std::time::Duration;

use http::StatusCode;
use tool_connect_core::{ErrorKind, Principal};
use tool_connect_testkit::oauth::{Decision, Endpoint, IssParameter, Quirks};
use url::Url;

use super::support::*;

fn changed(url: &Url, name: &str, value: Option<&str>) -> Url {
    let mut url = url.clone();
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().filter(|(n, _)| n != name).collect();
    url.query_pairs_mut().clear().extend_pairs(pairs).extend_pairs(value.map(|value| (name, value)));
    url
}

#[tokio::test]
async fn oauth_client_03_a_wrong_issuer_stops_it_and_its_text_is_not_shown() {
    for (iss, promised, refused) in [
        (IssParameter::Sent, true, None),
        (IssParameter::Absent, false, None),
        (
            IssParameter::Withheld,
            true,
            Some("the answer does not name its issuer, which this provider promises"),
        ),
        (IssParameter::Other("https://evil.example".into()), false, Some("the answer is another issuer's")),
        (IssParameter::Other("https://one.example/".into()), true, Some("the answer is another issuer's")),
    ] {
        let quirks = Quirks { iss: iss.clone(), ..Quirks::default() };
        let house = House::with(
            |settings| settings.quirks(quirks),
            |builder| if promised { builder.require_iss("acme") } else { builder },
        );
        let mut browser = Browser::of(&ada());
        let ticket = house.ticket(&ada(), house.request(&[])).await;
        let answer = house.to_provider_and_back(&mut browser, &ticket).await;
        let seen = browser.open(&house.oauth, &answer).await;
        match refused {
            None => assert_eq!(seen.status, StatusCode::OK, "{iss:?}"),
            Some(reason) => {
                assert_eq!((seen.status, house.token_requests()), (StatusCode::FORBIDDEN, 0), "{iss:?}");
                assert_eq!(house.failures(), [reason]);
                assert!(!seen.html.contains("evil"), "{}", seen.html);
            }
        }
    }
    // Also where the other issuer sends an error: its words are not for our pages.
    let house = House::new();
    let mut browser = Browser::of(&ada());
    let ticket = house.ticket(&ada(), house.request(&[])).await;
    house.issuer.next_user(Decision::Deny);
    let answer = house.to_provider_and_back(&mut browser, &ticket).await;
    let answer = changed(&answer, "iss", Some("https://evil.example"));
    let answer = changed(&answer, "error", Some("call_0800_hotline"));
    let answer = changed(&answer, "error_description", Some("Call 0800 now"));
    let seen = browser.open(&house.oauth, &answer).await;
    assert_eq!(seen.status, StatusCode::FORBIDDEN);
    assert!(!seen.html.contains("0800"), "{}", seen.html);
}

#[tokio::test]
async fn oauth_client_07_state_is_single_use() {
    let house = House::new();
    let mut browser = Browser::of(&ada());
    let ticket = house.ticket(&ada(), house.request(&[])).await;
    let answer = house.to_provider_and_back(&mut browser, &ticket).await;
    let mut again = browser.clone();
    assert_eq!(browser.open(&house.oauth, &answer).await.status, StatusCode::OK);
    assert_eq!(again.open(&house.oauth, &answer).await.status, StatusCode::GONE);
    assert_eq!(house.token_requests(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn oauth_client_07_of_many_callbacks_at_once_one_is_used() {
    let house = std::sync::Arc::new(House::new());
    let mut browser = Browser::of(&ada());
    let ticket = house.ticket(&ada(), house.request(&[])).await;
    let answer = house.to_provider_and_back(&mut browser, &ticket).await;
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (house, mut browser, answer) = (house.clone(), browser.clone(), answer.clone());
            tokio::spawn(async move { browser.open(&house.oauth, &answer).await.status })
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        won += u32::from(task.await.expect("no panic") == StatusCode::OK);
    }
    assert_eq!((won, house.token_requests()), (1, 1));
    house.connection().await;
}

#[tokio::test]
async fn oauth_client_07_states_and_tickets_are_random_and_end_after_ten_minutes() {
    let house = House::new();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let ticket = house.ticket(&ada(), house.request(&[])).await;
        let location = Browser::of(&ada()).open(&house.oauth, &ticket).await.location().expect("a redirect");
        for (name, value) in ticket.query_pairs().chain(location.query_pairs()) {
            if name == "ticket" || name == "state" {
                assert_eq!(value.len(), 43, "256 bits");
                assert!(seen.insert(value.into_owned()));
            }
        }
    }
    let ten_minutes = Duration::from_secs(600);
    let ticket = house.ticket(&ada(), house.request(&[])).await;
    house.clock.advance(ten_minutes);
    assert_eq!(Browser::of(&ada()).open(&house.oauth, &ticket).await.status, StatusCode::GONE);
    let mut browser = Browser::of(&ada());
    let ticket = house.ticket(&ada(), house.request(&[])).await;
    let answer = house.to_provider_and_back(&mut browser, &ticket).await;
    house.clock.advance(ten_minutes);
    assert_eq!(browser.open(&house.oauth, &answer).await.status, StatusCode::GONE);
    assert_eq!(house.token_requests(), 0);
    for time in [Duration::ZERO, ten_minutes + Duration::from_secs(1)] {
        for change in [
            tool_connect_oauth::OAuthBuilder::ticket_time as fn(_, _) -> _,
            tool_connect_oauth::OAuthBuilder::state_time,
        ] {
            let error =
                change(tool_connect_oauth::OAuth::builder().public_url(house.oauth.redirect_uri("x")), time)
                    .build()
                    .expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            assert!(error.to_string().contains("ten minutes"), "{error}");
        }
    }
}

#[tokio::test]
async fn oauth_client_07_a_ticket_is_single_use() {
    let house = House::new();
    let ticket = house.ticket(&ada(), house.request(&[])).await;
    assert_eq!(Browser::of(&ada()).open(&house.oauth, &ticket).await.status, StatusCode::SEE_OTHER);
    assert_eq!(Browser::of(&ada()).open(&house.oauth, &ticket).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn oauth_client_08_another_user_or_browser_makes_no_token_request() {
    let strangers: [(&str, Option<Principal>); 4] = [
        ("a user of the tenant", Some(principal("acme", "bob"))),
        ("a user of the same name elsewhere", Some(principal("globex", "ada"))),
        ("an agent", Some(ada().acting_through("bot").expect("valid"))),
        ("nobody", None),
    ];
    for (who, stranger) in strangers {
        let house = House::new();
        let ticket = house.ticket(&ada(), house.request(&[])).await;
        let mut other = Browser { principal: stranger, ..Browser::default() };
        let seen = other.open(&house.oauth, &ticket).await;
        assert_ne!(seen.location().map(|to| to.host_str() == Some("one.example")), Some(true), "{who}");
        // The ticket is still its owner's; now the stranger gets the answer, cookies and all.
        let mut browser = Browser::of(&ada());
        let answer = house.to_provider_and_back(&mut browser, &ticket).await;
        other.cookies = browser.cookies.clone();
        let seen = other.open(&house.oauth, &answer).await;
        assert!(seen.status.is_client_error(), "{who}: {}", seen.status);
        assert_eq!(house.token_requests(), 0, "{who}");
        assert!(house.connections("acme").await.is_empty() && house.connections("globex").await.is_empty());
        assert_eq!(browser.open(&house.oauth, &answer).await.status, StatusCode::OK, "{who} spoilt nothing");
    }
}

#[tokio::test]
async fn oauth_client_08_the_same_user_in_another_browser_makes_no_token_request() {
    let house = House::new();
    let mut browser = Browser::of(&ada());
    let ticket = house.ticket(&ada(), house.request(&[])).await;
    let answer = house.to_provider_and_back(&mut browser, &ticket).await;
    let (name, value) = browser.cookies.first_key_value().expect("a binding");
    let wrong = [None, Some(String::new()), Some(value.replace(&value[..1], "-")), Some(format!("{value}x"))];
    for value in wrong {
        let mut other = Browser::of(&ada());
        other.cookies.extend(value.map(|value| (name.clone(), value)));
        let seen = other.open(&house.oauth, &answer).await;
        assert_eq!((seen.status, house.token_requests()), (StatusCode::FORBIDDEN, 0));
    }
    assert_eq!(browser.open(&house.oauth, &answer).await.status, StatusCode::OK);
}

#[tokio::test]
async fn oauth_client_09_an_answer_at_another_providers_address_is_refused() {
    let house = House::new();
    let mut browser = Browser::of(&ada());
    let ticket = house.ticket(&ada(), house.request(&[])).await;
    let mut answer = house.to_provider_and_back(&mut browser, &ticket).await;
    for path in
        ["/connect/callback/other", "/connect/callback/", "/connect/callback/acme/", "/connect/callback/ACME"]
    {
        let mut browser = browser.clone();
        answer.set_path(path);
        let seen = browser.open(&house.oauth, &answer).await;
        assert!(seen.status.is_client_error(), "{path}");
        assert_eq!(house.token_requests(), 0, "{path}");
    }
}

#[tokio::test]
async fn oauth_client_09_two_providers_cannot_share_a_redirect_uri() {
    let own = |uri: &str| client("app").redirect_uri(uri.parse().expect("a URL"));
    for (uri, fine) in
        [("https://app.example/oauth/done/acme", true), ("https://app.example/oauth/done", false)]
    {
        let clients = tool_connect_oauth::catalog::StaticClients::new().with("acme", own(uri));
        let house = House::with(|settings| settings, |builder| builder.clients(clients));
        let ticket = house.connect.ticket(&ada(), house.request(&[])).await;
        assert_eq!(ticket.is_ok(), fine, "{uri}");
        if let Err(error) = ticket {
            assert!(error.to_string().contains("must end in `/acme`"), "{error}");
        }
    }
}

#[tokio::test]
async fn oauth_client_12_places_to_return_to_match_exactly() {
    let house = House::new();
    for (place, fine) in [
        (BACK, true),
        ("https://app.example/settings/", false),
        ("https://app.example/settings?x=1", false),
        ("https://app.example/Settings", false),
        ("https://app.example.evil.example/settings", false),
        ("//app.example/settings", false),
        ("/settings", false),
        ("javascript:alert(1)", false),
        ("", false),
    ] {
        let mut request = house.request(&[]);
        request.return_to = Some(place.to_owned());
        match house.connect.ticket(&ada(), request).await {
            Ok(_) => assert!(fine, "{place}"),
            Err(error) => assert!(!fine && error.kind() == ErrorKind::Denied, "{place}: {error}"),
        }
    }
}

#[tokio::test]
async fn oauth_client_15_narrower_scopes_are_stored_and_said() {
    let house = House::new();
    house.issuer.next_user(Decision::Narrow(vec!["read".to_owned()]));
    let seen = house.consent(&ada(), house.request(&["write", "admin"])).await;
    seen.says("You did not give all permissions");
    seen.says("write, admin");
    let connection = house.connection().await;
    assert_eq!(connection.scopes, Some(vec!["read".to_owned()]));
    assert_eq!(connection.missing(["read", "write"]), ["write"], "a tool that needs it can say so");
}

#[tokio::test]
async fn oauth_client_16_step_up_asks_for_the_union_three_times_at_most() {
    let house = House::new();
    house.consent(&ada(), house.request(&["write"])).await;
    let connection = house.connection().await;
    let more = || {
        let mut request = house.request(&["admin"]);
        request.connection = Some(connection.id.clone());
        request
    };
    for attempt in 1..=3 {
        house.issuer.next_user(Decision::Narrow(vec!["read".to_owned(), "write".to_owned()]));
        assert_eq!(house.consent(&ada(), more()).await.status, StatusCode::OK, "attempt {attempt}");
        let asked = house.issuer.requests(Endpoint::Authorize);
        let scopes = asked.last().and_then(|request| request.parameter("scope")).expect("scopes");
        assert_eq!(scopes, "read write admin", "what was granted and what is needed");
    }
    let error = house.connect.ticket(&ada(), more()).await.expect_err("asked often enough");
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
    // Other scopes are another question, and after an hour it may be asked again.
    let mut other = more();
    other.scopes = vec!["delete".to_owned()];
    house.ticket(&ada(), other).await;
    house.clock.advance(Duration::from_secs(3600));
    house.consent(&ada(), more()).await;
    assert_eq!(house.connection().await.missing(["read", "write", "admin"]), Vec::<String>::new());
}

#[tokio::test]
async fn oauth_client_16_scopes_that_a_provider_refuses_against_the_record_are_asked_for_three_times_at_most()
{
    let house = House::new();
    house.consent(&ada(), house.request(&["write"])).await;
    let connection = house.connection().await;
    let again = |refused| {
        let mut request = house.request(&["write"]);
        request.connection = Some(connection.id.clone());
        request.refused = refused;
        request
    };
    for _ in 1..=3 {
        house.consent(&ada(), again(true)).await;
    }
    let error = house.connect.ticket(&ada(), again(true)).await.expect_err("asked often enough");
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
    // Who only connects anew is no step up.
    house.ticket(&ada(), again(false)).await;
}

#[tokio::test]
async fn oauth_client_16_tickets_made_ahead_do_not_get_around_it() {
    let house = House::new();
    house.consent(&ada(), house.request(&[])).await;
    let mut request = house.request(&["admin"]);
    request.connection = Some(house.connection().await.id);
    let mut tickets = Vec::new();
    for _ in 0..5 {
        tickets.push(house.ticket(&ada(), request.clone()).await);
    }
    let mut sent = 0;
    for ticket in tickets {
        let seen = Browser::of(&ada()).open(&house.oauth, &ticket).await;
        sent += u32::from(seen.status == StatusCode::SEE_OTHER);
    }
    assert_eq!(sent, 3);
}

#[tokio::test]
async fn malformed_callbacks_make_no_token_request() {
    let house = House::new();
    let mut browser = Browser::of(&ada());
    let ticket = house.ticket(&ada(), house.request(&[])).await;
    let answer = house.to_provider_and_back(&mut browser, &ticket).await;
    let query = answer.query().expect("a query").to_owned();
    let state = answer.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();
    for wrong in [
        String::new(),
        format!("{query}&code=another"),
        format!("{query}&state={state}"),
        format!("{query}&error=access_denied"),
        format!("state={state}"),
        "code=x".to_owned(),
        format!("code=x&state={}", state.to_lowercase() + "x"),
        "%ff%fe&&&===".to_owned(),
        "a".repeat(60_000),
    ] {
        let mut url = answer.clone();
        url.set_query(Some(&wrong));
        let seen = browser.open(&house.oauth, &url).await;
        assert!(seen.status.is_client_error(), "{wrong}: {}", seen.status);
    }
    assert_eq!(house.token_requests(), 0);
    assert_eq!(
        browser.open(&house.oauth, &answer).await.status,
        StatusCode::OK,
        "none of it spoilt the right one"
    );
}
