use tool_connect_core::{Error, ErrorKind};

use super::*;

#[tokio::test(start_paused = true)]
async fn the_connector_has_the_first_word() {
    fn classify(parts: &http::response::Parts, body: &[u8]) -> Option<Error> {
        let known = parts.headers.get("x-kind").is_some() && body == b"{\"code\":\"gone\"}";
        known.then(|| Error::new(ErrorKind::NotFound, "the issue was moved").public("The issue was moved."))
    }
    let answer = || Step::status(422).body(&["{\"code\":", "\"gone\"}"]);
    let bench = Bench::with(
        BenchOptions { classify, ..BenchOptions::default() },
        [answer().with("x-kind", 1), answer()],
    );
    let error = bench.post("/a").await.expect_err("422");
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::NotFound, Some(422)));
    assert_eq!(error.public_message(), "The issue was moved.");

    let error = bench.post("/a").await.expect_err("422");
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::Provider, Some(422)));
    assert!(!format!("{error} {error:?}").contains("gone"), "the provider's body stays out");
    assert!(error.to_string().contains("host: api.example"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_huge_error_body_is_cut() {
    fn classify(_: &http::response::Parts, body: &[u8]) -> Option<Error> {
        Some(Error::new(ErrorKind::Provider, format!("{} bytes", body.len())))
    }
    static CHUNK: [u8; 50_000] = [b'x'; 50_000];
    let chunk = std::str::from_utf8(&CHUNK).expect("ASCII");
    let bench = Bench::with(
        BenchOptions { classify, ..BenchOptions::default() },
        [Step::status(400).body(&[chunk; 9])],
    );
    assert_eq!(bench.get("/a").await.expect_err("400").message(), "65536 bytes");
}

#[tokio::test(start_paused = true)]
async fn a_body_over_the_cap_is_refused() {
    let settings =
        HttpSettings { max_response_bytes: 8, max_response_bytes_hard: 16, ..HttpSettings::default() };
    let chunks = &["12345", "67890", "12345", "67890"][..];
    let steps = || [Step::status(200).body(chunks)];
    let bench = Bench::with(BenchOptions { settings, ..BenchOptions::default() }, []);

    bench.script.add(steps());
    let response = bench.get("/a").await.expect("a head");
    assert_eq!(response.text().await.expect_err("20 bytes").kind(), ErrorKind::TooLarge);

    // A request cannot lift the hard cap.
    bench.script.add(steps());
    let response =
        bench.send(built("GET", "/a", |builder| builder.max_bytes(1 << 30))).await.expect("a head");
    assert_eq!(response.bytes().await.expect_err("20 bytes").kind(), ErrorKind::TooLarge);

    // What is announced is not read at all.
    bench.script.add([Step::status(200).with("content-length", 20).body(chunks)]);
    let error = bench.get("/a").await.expect_err("announced");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("8 bytes"), "{error}");

    bench.script.add([Step::status(200).with("content-length", 20).body(&[])]);
    assert!(bench.send(request("HEAD", "/a")).await.is_ok(), "a HEAD has no body");

    let small = &chunks[..1];
    bench.script.add([Step::status(200).body(small)]);
    assert_eq!(bench.get("/a").await.expect("a head").bytes().await.expect("5 bytes"), "12345");
}

#[tokio::test(start_paused = true)]
async fn an_address_inwards_is_refused_before_anything_else() {
    let bench = Bench::new([]);
    for target in
        ["https://10.0.0.1/", "http://api.example/", "https://u:canary@api.example/", "https://[::1]/"]
    {
        let error = bench.get(target).await.expect_err(target);
        assert_eq!(error.kind(), ErrorKind::Blocked);
        assert!(!error.to_string().contains("canary"));
    }
    assert!(bench.script.seen().is_empty() && bench.stack.breakers().is_empty());

    let allowed = NetworkAccess::public().allow_loopback();
    let bench = Bench::with(BenchOptions { allowed, ..BenchOptions::default() }, []);
    assert!(bench.get("http://127.0.0.1:8080/").await.is_ok());
    assert_eq!(bench.script.seen()[0].authorization(), None, "opened, but not trusted");
}

#[tokio::test(start_paused = true)]
async fn an_error_body_that_never_ends_is_not_waited_for() {
    fn classify(_: &http::response::Parts, body: &[u8]) -> Option<Error> {
        Some(Error::new(ErrorKind::Provider, format!("{} bytes", body.len())))
    }
    let bench = Bench::with(BenchOptions { classify, ..BenchOptions::default() }, [Step::Drips(400)]);
    let start = tokio::time::Instant::now();
    let error = bench.get("/a").await.expect_err("400");
    assert_eq!(start.elapsed(), Duration::from_secs(30));
    assert_eq!(error.message(), "3 bytes", "what came by then is looked at");
}
