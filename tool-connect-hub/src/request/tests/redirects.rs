use tool_connect_core::http::RedirectGuard;
use tool_connect_core::{AuthScheme, Effect, Error, ErrorKind};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_redirect_within_the_origin_is_followed_and_signed() {
    let bench = Bench::new([Step::redirect(302, "/b?c=d"), Step::status(200).body(&["there"])]);
    assert_eq!(bench.get("/a").await.expect("followed").text().await.expect("text"), "there");
    let seen = bench.script.seen();
    assert_eq!(seen[1].url, "https://api.example/b?c=d");
    assert!(seen.iter().all(|seen| seen.authorization().is_some()));
}

#[tokio::test(start_paused = true)]
async fn credentials_do_not_cross_origins() {
    let scheme = AuthScheme::ApiKeyHeader { header: "x-key".into(), prefix: String::new() };
    let bench = Bench::with(
        BenchOptions { scheme, ..BenchOptions::default() },
        [Step::redirect(302, "https://evil.example/x"), Step::redirect(302, "https://evil.example/y")],
    );
    // A tool that brings secrets of its own, against advice.
    let own = built("GET", "/a", |builder| {
        builder
            .header("authorization", "Bearer canary-own")
            .header("cookie", "canary-cookie")
            .header("x-page", "1")
    });
    bench.send(own).await.expect("followed");
    let seen = bench.script.seen();
    assert_eq!(seen[0].headers["x-key"], SECRET);
    assert_eq!(seen[0].headers["authorization"], "Bearer canary-own");
    for hop in &seen[1..] {
        assert!(hop.url.starts_with("https://evil.example/"));
        for name in ["authorization", "cookie", "x-key"] {
            assert!(!hop.headers.contains_key(name), "{name}");
        }
        assert_eq!(hop.headers["x-page"], "1");
    }
}

#[tokio::test(start_paused = true)]
async fn a_redirect_inwards_is_blocked_before_anything_is_sent() {
    for to in [
        "https://127.0.0.1/",
        "https://0x7f.1/",
        "https://[::ffff:169.254.169.254]/",
        "https://localhost/",
        "https://10.0.0.1/",
    ] {
        let bench = Bench::new([Step::redirect(307, to)]);
        let error = bench.get("/a").await.expect_err(to);
        assert_eq!(error.kind(), ErrorKind::Blocked, "{to}");
        assert_eq!(bench.script.seen().len(), 1);
        assert_eq!(bench.stack.breakers().len(), 1, "the refused host leaves no trace");
    }
    let bench = Bench::new([Step::redirect(302, "http://api.example/")]);
    assert_eq!(bench.get("/a").await.expect_err("down from TLS").kind(), ErrorKind::Blocked);
    assert_eq!(bench.script.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hop_that_the_request_forbids_is_not_made() {
    let bench = Bench::new([
        Step::redirect(302, "https://cdn.example/ok"),
        Step::redirect(302, "https://evil.example/"),
    ]);
    let guard = RedirectGuard::new(|url| match url.host_str() {
        Some("cdn.example") => Ok(()),
        _ => Err(Error::new(ErrorKind::Blocked, "not on the list")),
    });
    let error = bench.send(built("GET", "/a", |b| b.redirect_guard(guard))).await.expect_err("forbidden");
    assert_eq!(error.message(), "not on the list");
    let urls: Vec<_> = bench.script.seen().into_iter().map(|seen| seen.url).collect();
    assert_eq!(urls, ["https://api.example/a", "https://cdn.example/ok"]);
}

#[tokio::test(start_paused = true)]
async fn a_loop_ends() {
    let bench = Bench::new((0..20).map(|_| Step::redirect(302, "/a")));
    let error = bench.get("/a").await.expect_err("a loop");
    assert_eq!(error.kind(), ErrorKind::Provider);
    assert!(error.to_string().contains("more than 5 times"), "{error}");
    assert_eq!(bench.script.seen().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_write_becomes_a_read_only_where_the_service_says_so() {
    let bench = Bench::new([Step::redirect(303, "/done")]);
    let request = built("POST", "/a", |builder| builder.header("content-type", "text/plain"));
    bench.send(request).await.expect("followed");
    let seen = bench.script.seen();
    assert_eq!((seen[1].method.as_str(), seen[1].body.len()), ("GET", 0));
    assert!(!seen[1].headers.contains_key("content-type"));

    bench.script.add([Step::redirect(302, "/login")]);
    let error = bench.post("/a").await.expect_err("refused");
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Provider, Effect::Unknown));
    assert_eq!(bench.script.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_was_executed_is_not_repeated_because_a_later_hop_failed() {
    let bench = Bench::new([Step::redirect(303, "/done"), Step::Unreachable]);
    let error = bench.post("/a").await.expect_err("the second hop fails");
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Transport, Effect::Unknown));
    assert_eq!(bench.script.seen().len(), 2);

    bench.script.add([Step::redirect(303, "https://10.0.0.1/")]);
    let error = bench.post("/a").await.expect_err("blocked");
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Blocked, Effect::Unknown));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_a_redirect_has_dropped_stays_dropped_until_the_request_is_made_again() {
    let bench = Bench::new([Step::redirect(303, "/b"), Step::redirect(307, "/c"), Step::status(503)]);
    let put = built("PUT", "/a", |builder| builder.body("the body"));
    bench.send(put).await.expect("the second attempt");
    let sent: Vec<_> = bench.script.seen().into_iter().map(|seen| (seen.method, seen.body)).collect();
    let [get, put] = ["GET", "PUT"].map(str::to_owned);
    let none = bytes::Bytes::new;
    assert_eq!(
        sent,
        [(put.clone(), "the body".into()), (get.clone(), none()), (get, none()), (put, "the body".into())]
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_goes_along_where_it_can_be_copied() {
    let bench = Bench::new([Step::redirect(308, "/b")]);
    bench.post("/a").await.expect("followed");
    assert_eq!(bench.script.seen()[1].body, "the body");

    bench.script.add([Step::redirect(307, "/b")]);
    let once =
        built("PUT", "/a", |b| b.stream(Box::pin(futures_util::stream::iter([Ok("x".into())])), Some(1)));
    assert_eq!(bench.send(once).await.expect_err("cannot be copied").kind(), ErrorKind::Provider);
    assert_eq!(bench.script.seen().len(), 1);
}
