//! A small booking service on this machine, with the moods of a real one. Nothing of tool-connect.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

/// What it takes for a token; any other is refused.
pub(crate) const TOKEN: &str = "demo-token-of-the-quickstart";

pub(crate) struct Service {
    address: SocketAddr,
    moods: Arc<Moods>,
}

#[derive(Default)]
struct Moods {
    requests: AtomicU32,
    flaky: AtomicU32,
    busy: AtomicU32,
    bookings: AtomicU32,
    broken: AtomicBool,
}

impl Service {
    /// Starts it on a free port of the loopback interface; it ends with the process.
    pub(crate) async fn start() -> std::io::Result<Self> {
        let moods = Arc::new(Moods::default());
        let routes = Router::new()
            .route("/flaky", get(flaky))
            .route("/busy", get(busy))
            .route("/slow", get(slow))
            .route("/machine", get(machine))
            .route("/bookings", post(book))
            .with_state(Arc::clone(&moods));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { address, moods })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests have come so far.
    pub(crate) fn requests(&self) -> u32 {
        self.moods.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn bookings(&self) -> u32 {
        self.moods.bookings.load(Ordering::Relaxed)
    }

    /// Breaks the machine, or repairs it.
    pub(crate) fn set_broken(&self, broken: bool) {
        self.moods.broken.store(broken, Ordering::Relaxed);
    }
}

type Shared = State<Arc<Moods>>;

/// Fails twice, then works.
async fn flaky(State(moods): Shared) -> Response {
    moods.requests.fetch_add(1, Ordering::Relaxed);
    if moods.flaky.fetch_add(1, Ordering::Relaxed) < 2 {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    Json(json!({ "mood": "fine again" })).into_response()
}

/// Asks to come back in a second, once.
async fn busy(State(moods): Shared) -> Response {
    moods.requests.fetch_add(1, Ordering::Relaxed);
    if moods.busy.fetch_add(1, Ordering::Relaxed) == 0 {
        return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")]).into_response();
    }
    Json(json!({ "mood": "rested" })).into_response()
}

/// Takes longer than anybody should wait.
async fn slow(State(moods): Shared) -> Response {
    moods.requests.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(30)).await;
    StatusCode::OK.into_response()
}

/// Fails until it is repaired.
async fn machine(State(moods): Shared) -> Response {
    moods.requests.fetch_add(1, Ordering::Relaxed);
    if moods.broken.load(Ordering::Relaxed) {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    Json(json!({ "machine": "runs" })).into_response()
}

/// Books for whoever has the token; twice asked is twice booked.
async fn book(State(moods): Shared, headers: HeaderMap, Json(wish): Json<Value>) -> Response {
    moods.requests.fetch_add(1, Ordering::Relaxed);
    let expected = format!("Bearer {TOKEN}");
    if headers.get("authorization").is_none_or(|sent| sent.as_bytes() != expected.as_bytes()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let number = moods.bookings.fetch_add(1, Ordering::Relaxed) + 1;
    (StatusCode::CREATED, Json(json!({ "number": number, "room": wish["room"], "day": wish["day"] })))
        .into_response()
}
