//! `tool-connect-tower` alone: rate limit and circuit breaker around an axum service, retries in
//! front of a client. No hub, no tool, no connector; only `http::Request` and tower's traits.
//!
//! Run it with `cargo run --example middleware_alone`. Requests go over a real socket of this
//! machine; it takes about two seconds.
#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderName, Request, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
// An app without the rest depends on `tool_connect_tower` and finds the same there.
use tool_connect::middleware::breaker::{Breaker, BreakerSettings, Open, Window};
use tool_connect::middleware::limit::{In, Refused};
use tool_connect::middleware::retry::HttpRetry;
use tool_connect::middleware::{
    BreakerLayer, Limit, Limiter, RateLimitLayer, RetryLayer, ServerErrors, hash_key,
};
use tower::{ServiceBuilder, ServiceExt, service_fn};

/// The service to protect.
#[derive(Default)]
struct Work {
    broken: AtomicBool,
    runs: AtomicU32,
}

async fn work(State(work): State<Arc<Work>>) -> StatusCode {
    work.runs.fetch_add(1, Ordering::Relaxed);
    if work.broken.load(Ordering::Relaxed) { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let work_state = Arc::new(Work::default());

    // Each client (by a header here) has 5 requests a second, 3 of them at once.
    let limiter = Limiter::shared();
    let clients = limiter.define("client", Limit::per_second(5).with_burst(3)?)?;
    let by_client = |request: &Request<Body>| request.headers().get("x-client").map(hash_key);

    // Four failures in a row, and the service is left alone for half a second.
    let settings = BreakerSettings {
        window: Window::Calls(4),
        minimum_calls: 4,
        failure_rate: 1.0,
        open_for: Duration::from_millis(500),
        half_open_permits: 1,
        ..BreakerSettings::default()
    };
    let breaker = Arc::new(Breaker::new(settings)?);

    // The service's error stays `Infallible`: refusals are answers. The last layer is the outermost.
    let app = Router::new()
        .route("/work", get(work))
        .with_state(Arc::clone(&work_state))
        .layer(BreakerLayer::new(Arc::clone(&breaker)).classify_with(ServerErrors).refuse_with(
            |why: Open| Ok::<_, Infallible>(refusal(StatusCode::SERVICE_UNAVAILABLE, why.retry_after, &why)),
        ))
        .layer(RateLimitLayer::new(limiter, In(clients, by_client)).refuse_with(|why: Refused| {
            Ok::<_, Infallible>(refusal(StatusCode::TOO_MANY_REQUESTS, why.retry_after(), &why))
        }));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });

    println!("Rate limit: each client has 5 requests a second, 3 of them at once");
    for n in 1..=4 {
        show(&format!("ada, request {n}"), &ask(address, "ada").await?);
    }
    show("bob, request 1", &ask(address, "bob").await?);

    println!("\nRetry: a client that waits as long as Retry-After says");
    let client = ServiceBuilder::new()
        .layer(RetryLayer::new(HttpRetry::new()))
        .service(service_fn(move |request| send(address, request)));
    while ask(address, "cleo").await?.status() == StatusCode::OK {}
    let start = Instant::now();
    let answer = client.oneshot(request_of("cleo")?).await?;
    show(&format!("cleo, after {:.1} s", start.elapsed().as_secs_f64()), &answer);

    println!("\nCircuit breaker: the service breaks, and is left alone until it may have recovered");
    work_state.broken.store(true, Ordering::Relaxed);
    let before = work_state.runs.load(Ordering::Relaxed);
    for n in 1..=6 {
        show(&format!("request {n}"), &ask(address, &format!("client {n}")).await?);
    }
    let runs = work_state.runs.load(Ordering::Relaxed) - before;
    println!("  the service ran {runs} times; the breaker is {}", breaker.state().as_str());
    work_state.broken.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(550)).await;
    show("half a second later", &ask(address, "dora").await?);
    println!("  the breaker is {}", breaker.state().as_str());
    Ok(())
}

/// An answer in place of the service's own, with when to come back.
fn refusal(
    status: StatusCode,
    wait: Option<Duration>,
    why: &dyn std::fmt::Display,
) -> axum::response::Response {
    let seconds = wait.map_or(0, |wait| wait.as_secs_f64().ceil() as u64);
    (status, [("retry-after", seconds.to_string())], why.to_string()).into_response()
}

fn show(what: &str, answer: &Response<String>) {
    let wait = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
    let wait = wait.map_or_else(String::new, |seconds| format!(", come back in {seconds} s"));
    println!("  {what:<20} {}{wait}", answer.status());
}

fn request_of(client: &str) -> axum::http::Result<Request<()>> {
    Request::get("/work").header("x-client", client).body(())
}

async fn ask(address: SocketAddr, client: &str) -> Result<Response<String>, Box<dyn Error>> {
    Ok(send(address, request_of(client)?).await?)
}

/// A client of a few lines, so that the example needs none: close the connection, read to the end.
async fn send(address: SocketAddr, request: Request<()>) -> std::io::Result<Response<String>> {
    let mut socket = TcpStream::connect(address).await?;
    let mut text = format!("GET {} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n", request.uri());
    for (name, value) in request.headers() {
        text.push_str(&format!("{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes())));
    }
    socket.write_all(format!("{text}\r\n").as_bytes()).await?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await?;
    parse(&answer).ok_or_else(|| std::io::Error::other("the answer is no HTTP"))
}

fn parse(answer: &str) -> Option<Response<String>> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?;
    let mut response = Response::new(body.to_owned());
    *response.status_mut() = status.parse().ok()?;
    for line in lines {
        let (name, value) = line.split_once(':')?;
        response.headers_mut().insert(name.parse::<HeaderName>().ok()?, value.trim().parse().ok()?);
    }
    Some(response)
}
