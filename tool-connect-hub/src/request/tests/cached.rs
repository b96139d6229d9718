//! Answers that serve again: to whom, for how long, and what ends it.

use tool_connect_core::ErrorKind;

use super::*;
use crate::request::{HttpCacheMode, HttpCacheSettings};

fn bench(mode: HttpCacheMode, steps: impl IntoIterator<Item = Step>) -> Bench {
    let mut settings = HttpSettings::default();
    settings.cache.mode = mode;
    Bench::with(BenchOptions { settings, ..BenchOptions::default() }, steps)
}

fn tagged(body: &'static str) -> Step {
    Step::status(200).with("etag", "\"one\"").with("x-page", "1").body(&[body])
}

fn unchanged() -> Step {
    Step::status(304).with("etag", "\"one\"").with("x-page", "2").body(&[])
}

async fn text(bench: &Bench, target: &str) -> String {
    bench.get(target).await.expect("an answer").text().await.expect("text")
}

impl Bench {
    /// Whether the last request asked if what is kept has changed.
    fn asked_for_news(&self) -> bool {
        let seen = self.script.seen();
        let last = seen.last().expect("a request");
        last.headers.contains_key("if-none-match") || last.headers.contains_key("if-modified-since")
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_not_changed_is_served_again_and_asked_for_each_time() {
    let kept =
        tagged("all of it").with("cache-control", "private, max-age=60").with("last-modified", "yesterday");
    let bench = bench(HttpCacheMode::default(), [kept, unchanged(), unchanged()]);
    assert_eq!(text(&bench, "/a").await, "all of it");
    assert!(!bench.asked_for_news());
    let again = bench.get("/a").await.expect("served");
    assert_eq!((again.status().as_u16(), again.header("x-page")), (200, Some("2")));
    assert_eq!(again.text().await.expect("text"), "all of it");
    let seen = bench.script.seen();
    assert_eq!(seen[0].headers["if-none-match"], "\"one\"");
    assert_eq!(seen[0].headers["if-modified-since"], "yesterday");
    assert!(seen[0].authorization().is_some());
    assert_eq!(text(&bench, "/a").await, "all of it");
    assert!(bench.asked_for_news());
}

#[tokio::test(start_paused = true)]
async fn a_change_replaces_what_was_kept() {
    let changed = Step::status(200).with("etag", "\"two\"").body(&["new"]);
    let bench = bench(
        HttpCacheMode::Validate,
        [tagged("old"), changed, Step::status(304).with("etag", "W/\"two\"").body(&[])],
    );
    assert_eq!(text(&bench, "/a").await, "old");
    assert_eq!(text(&bench, "/a").await, "new");
    assert_eq!(text(&bench, "/a").await, "new");
    assert_eq!(bench.script.seen()[2].headers["if-none-match"], "\"two\"");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_ignores_validators_is_not_kept_for_nothing() {
    let steps = || [tagged("one"), tagged("two"), tagged("three"), tagged("four")];
    let bench = bench(HttpCacheMode::Validate, steps());
    for (body, asks) in [("one", false), ("two", true), ("three", false), ("four", false)] {
        assert_eq!(text(&bench, "/a").await, body);
        assert_eq!(bench.asked_for_news(), asks, "{body}");
    }
    // It may have learned better.
    tokio::time::advance(Duration::from_secs(600)).await;
    bench.script.add([tagged("five"), unchanged()]);
    for (body, asks) in [("five", false), ("five", true)] {
        assert_eq!(text(&bench, "/a").await, body);
        assert_eq!(bench.asked_for_news(), asks, "{body}");
    }
    // Another credential's answer says nothing of that.
    let bench = self::bench(HttpCacheMode::Validate, steps());
    assert_eq!(text(&bench, "/a").await, "one");
    bench.set_secret("c1", "another");
    for body in ["two", "three"] {
        assert_eq!(text(&bench, "/a").await, body);
        assert!(bench.asked_for_news(), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fresh_answer_needs_no_question_until_it_is_stale() {
    let fresh = |body| tagged(body).with("cache-control", "max-age=60").with("age", "10");
    let mut bench = bench(HttpCacheMode::Fresh, [fresh("first"), fresh("second"), fresh("third")]);
    assert_eq!(text(&bench, "/a").await, "first");
    tokio::time::advance(Duration::from_secs(49)).await;
    assert_eq!(text(&bench, "/a").await, "first");
    assert_eq!(bench.script.seen().len(), 1);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(text(&bench, "/a").await, "second");
    assert!(bench.asked_for_news());
    let asking = built("GET", "/a", |builder| builder.header("cache-control", "no-cache"));
    bench.send(asking).await.expect("an answer");
    assert_eq!(bench.script.seen().len(), 1);
    // A tool that writes may write back what it read.
    bench.reads = false;
    text(&bench, "/a").await;
    assert_eq!(bench.script.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_served_without_asking_says_how_old_it_is() {
    let bench =
        bench(HttpCacheMode::Fresh, [tagged("kept").with("cache-control", "max-age=60").with("age", "10")]);
    assert_eq!(text(&bench, "/a").await, "kept");
    tokio::time::advance(Duration::from_millis(30_500)).await;
    let served = bench.get("/a").await.expect("served");
    assert_eq!((served.header("age"), bench.script.seen().len()), (Some("41"), 1));
    // What is made of it is kept for what is left.
    let left = crate::request::fresh::CacheControl::bound(served.headers());
    assert_eq!(left, Some(Duration::from_secs(19)));
}

#[tokio::test(start_paused = true)]
async fn a_304_makes_an_answer_fresh_again() {
    let steps = [tagged("kept"), unchanged().with("cache-control", "max-age=5")];
    let bench = bench(HttpCacheMode::Fresh, steps);
    for _ in 0..3 {
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(text(&bench, "/a").await, "kept");
    }
    assert_eq!(bench.script.seen().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_write_through_the_connection_ends_what_was_fresh() {
    let fresh = || tagged("kept").with("cache-control", "max-age=60");
    let mut bench = bench(HttpCacheMode::Fresh, [fresh()]);
    for (target, failing) in [("/a", false), ("/elsewhere", true)] {
        text(&bench, "/a").await;
        tokio::time::advance(Duration::from_secs(1)).await;
        bench.script.seen();
        bench.script.add([if failing { Step::Breaks } else { Step::status(201) }, fresh()]);
        let _ = bench.post(target).await;
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(text(&bench, "/a").await, "kept");
        assert_eq!(bench.script.seen().len(), 2, "{target}");
    }
    // Whoever writes elsewhere says nothing about this account.
    let ours = bench.connection.replace(connection("c2"));
    bench.set_secret("c2", "canary-2");
    bench.post("/a").await.expect("written");
    bench.script.seen();
    bench.connection = ours;
    assert_eq!(text(&bench, "/a").await, "kept");
    assert_eq!(bench.script.seen().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_for_before_a_write_ended_is_not_fresh() {
    let fresh = |body| tagged(body).with("cache-control", "max-age=60");
    let slow = Step::After(Duration::from_secs(2), Box::new(fresh("before")));
    let bench = bench(HttpCacheMode::Fresh, [slow, Step::status(201), fresh("after")]);
    let reading = text(&bench, "/a");
    let writing = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        bench.post("/a").await.expect("written");
    };
    let (read, ()) = tokio::join!(reading, writing);
    assert_eq!(read, "before");
    assert_eq!(text(&bench, "/a").await, "after");
}

#[tokio::test(start_paused = true)]
async fn nobody_else_is_served_what_one_account_was() {
    for mode in [HttpCacheMode::Validate, HttpCacheMode::Fresh] {
        let fresh = || tagged("secret of c1").with("cache-control", "max-age=600");
        let mut bench = bench(mode, [fresh()]);
        text(&bench, "/a").await;
        bench.script.seen();
        let afresh = async |bench: &Bench, who: &str| {
            bench.script.add([Step::status(200).with("etag", "\"one\"").body(&["another's"])]);
            assert_eq!(text(bench, "/a").await, "another's", "{who}");
            assert!(!bench.asked_for_news(), "{who}");
        };
        bench.set_secret("c2", "canary-2");
        let ours = bench.connection.replace(connection("c2"));
        afresh(&bench, "another connection").await;

        let mut again = ours.clone().expect("a connection");
        again.version += 1;
        bench.connection = Some(again);
        afresh(&bench, "connected again").await;

        bench.connection = None;
        afresh(&bench, "no connection").await;
        bench.user = UserId::new("bob").expect("an id");
        afresh(&bench, "another user without a connection").await;

        let tenant = std::mem::replace(&mut bench.tenant, TenantId::new("globex").expect("an id"));
        afresh(&bench, "another tenant").await;
        bench.tenant = tenant;

        let manifest = ConnectorManifest::new("service", semver::Version::new(1, 0, 0), "Service");
        let connector =
            std::mem::replace(&mut bench.endpoint.connector, Arc::new(Service(manifest, |_, _| None)));
        bench.connection = ours;
        afresh(&bench, "another instance").await;
        bench.endpoint.connector = connector;

        for languages in [&["fr"][..], &["de"], &["de", "fr"], &["fr", "de"]] {
            let body: &'static str = languages.concat().leak();
            bench.script.add([tagged(body)]);
            let other = built("GET", "/a", |builder| {
                languages
                    .iter()
                    .fold(builder, |builder, language| builder.header("accept-language", language))
            });
            let read = bench.send(other).await.expect("an answer").text().await.expect("text");
            assert_eq!((read.as_str(), bench.asked_for_news()), (body, false));
        }

        // Two users of one connection see one account.
        bench.script.add([unchanged()]);
        assert_eq!(text(&bench, "/a").await, "secret of c1");
    }
}

#[tokio::test(start_paused = true)]
async fn another_credential_gets_an_answer_of_its_own() {
    for mode in [HttpCacheMode::Validate, HttpCacheMode::Fresh] {
        let fresh = tagged("of the old account").with("cache-control", "max-age=600");
        let whole = Step::status(200).with("etag", "\"one\"").body(&["of the new account"]);
        let bench = bench(mode, [fresh, unchanged(), whole, unchanged()]);
        text(&bench, "/a").await;
        bench.set_secret("c1", "canary-another");
        // Even where the provider takes the old validator for one of this account.
        assert_eq!(text(&bench, "/a").await, "of the new account");
        let seen = bench.script.seen();
        assert_eq!(seen.len(), 3);
        assert!(!seen[2].headers.contains_key("if-none-match"));
        assert_eq!(text(&bench, "/a").await, "of the new account");
    }
}

#[tokio::test(start_paused = true)]
async fn a_304_for_another_state_is_asked_again_in_full() {
    let odd = Step::status(304).with("etag", "\"three\"").body(&[]);
    let bench = bench(HttpCacheMode::Validate, [tagged("one"), odd, Step::status(200).body(&["three"])]);
    text(&bench, "/a").await;
    assert_eq!(text(&bench, "/a").await, "three");
    assert_eq!(bench.script.seen().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_must_not_be_kept_is_asked_for_in_full() {
    let cache =
        HttpCacheSettings { mode: HttpCacheMode::Fresh, max_body_bytes: 8, ..HttpCacheSettings::default() };
    let settings = HttpSettings { cache, ..HttpSettings::default() };
    for (what, step) in [
        ("no-store", tagged("x").with("cache-control", "no-store")),
        ("vary", tagged("x").with("vary", "*")),
        ("a cookie", tagged("x").with("set-cookie", "a=b")),
        ("no validator, no freshness", Step::status(200).body(&["x"])),
        ("a part", Step::status(206).with("etag", "\"one\"").body(&["x"])),
        ("too large", tagged("").body(&["12345", "6789"])),
    ] {
        let bench =
            Bench::with(BenchOptions { settings: settings.clone(), ..BenchOptions::default() }, [step]);
        let first = text(&bench, "/a").await;
        assert_eq!(first.len(), if what == "too large" { 9 } else { 1 });
        text(&bench, "/a").await;
        assert!(!bench.asked_for_news(), "{what}");
    }
    let bench = Bench::with(
        BenchOptions { settings: settings.clone(), ..BenchOptions::default() },
        [tagged("unread"), tagged("read")],
    );
    drop(bench.get("/a").await.expect("an answer"));
    text(&bench, "/a").await;
    assert!(!bench.asked_for_news(), "a body that nobody read to its end");
    text(&bench, "/a").await;
    assert!(bench.asked_for_news(), "the same in order");
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_not_kept_and_takes_no_validator_along() {
    let bench = bench(
        HttpCacheMode::Validate,
        [tagged("here"), Step::redirect(302, "/b"), tagged("there"), Step::redirect(302, "/b"), unchanged()],
    );
    text(&bench, "/a").await;
    assert_eq!(text(&bench, "/a").await, "there");
    let seen = bench.script.seen();
    assert!(seen[1].headers.contains_key("if-none-match") && !seen[2].headers.contains_key("if-none-match"));
    // A 304 that nobody asked for is no answer.
    assert!(bench.get("/a").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_brings_its_own_validator_keeps_it() {
    let bench = bench(HttpCacheMode::Validate, [tagged("kept"), unchanged()]);
    text(&bench, "/a").await;
    let own = built("GET", "/a", |builder| builder.header("if-none-match", "\"mine\""));
    assert_eq!(bench.send(own).await.expect_err("no body").kind(), ErrorKind::Provider);
    assert_eq!(bench.script.seen()[1].headers["if-none-match"], "\"mine\"");
}

#[tokio::test(start_paused = true)]
async fn it_is_off_where_it_is_switched_off_and_under_layers_of_the_host() {
    struct Nothing;
    impl PerRequest for Nothing {}
    let off = bench(HttpCacheMode::Off, [tagged("x")]);
    let layered = Bench::with(
        BenchOptions { layers: vec![Arc::new(Nothing)], ..BenchOptions::default() },
        [tagged("x")],
    );
    for bench in [off, layered] {
        text(&bench, "/a").await;
        text(&bench, "/a").await;
        assert!(!bench.asked_for_news());
    }
}
