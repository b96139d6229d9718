//! The service that `depot.yaml` describes, on a free port of this machine; what others would run elsewhere.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{delete, get};
use axum::{Json, Router};
use serde_json::{Value, json};
use tool_connect::HttpSettings;
use tool_connect::http::Transport;
use tool_connect::transport::{HttpTransport, NetworkAccess};

type Parcels = Arc<Mutex<Vec<Value>>>;

pub(crate) struct Service {
    pub(crate) port: u16,
    transport: Arc<dyn Transport>,
}

impl Service {
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// The way there: a Hub's own transport, opened to this machine.
    pub(crate) fn transport(&self) -> Arc<dyn Transport> {
        Arc::clone(&self.transport)
    }
}

pub(crate) async fn start() -> crate::Outcome<Service> {
    let parcels: Parcels = Arc::new(Mutex::new(vec![
        json!({"number": 1, "label": "a lamp", "grams": 900}),
        json!({"number": 2, "label": "books, 1st half", "grams": 1500}),
    ]));
    let routes = Router::new()
        .route("/v1/parcels", get(list).post(take))
        .route("/v1/parcels/{number}", delete(give))
        .with_state(parcels);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let mut settings = HttpSettings::default();
    settings.access = NetworkAccess::public().allow_loopback();
    Ok(Service { port, transport: Arc::new(HttpTransport::new(&settings)?) })
}

fn known(headers: &HeaderMap) -> Result<(), StatusCode> {
    let token = headers.get("authorization").and_then(|value| value.to_str().ok());
    token.filter(|token| token.starts_with("Bearer ")).map(drop).ok_or(StatusCode::UNAUTHORIZED)
}

async fn list(
    State(parcels): State<Parcels>,
    headers: HeaderMap,
    Query(query): Query<std::collections::HashMap<String, String>>,
) -> Result<Json<Value>, StatusCode> {
    known(&headers)?;
    let parcels = parcels.lock().unwrap_or_else(PoisonError::into_inner);
    let from: usize = query.get("cursor").and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    let page: Vec<&Value> = parcels.iter().skip(from).take(2).collect();
    let next = (from + 2 < parcels.len()).then(|| (from + 2).to_string());
    Ok(Json(json!({ "parcels": page, "next_cursor": next })))
}

async fn take(
    State(parcels): State<Parcels>,
    headers: HeaderMap,
    Json(mut parcel): Json<Value>,
) -> Result<(StatusCode, Json<Value>), StatusCode> {
    known(&headers)?;
    let mut parcels = parcels.lock().unwrap_or_else(PoisonError::into_inner);
    parcel["number"] = json!(parcels.len() + 1);
    parcels.push(parcel.clone());
    Ok((StatusCode::CREATED, Json(parcel)))
}

async fn give(
    State(parcels): State<Parcels>,
    headers: HeaderMap,
    Path(number): Path<u64>,
) -> Result<StatusCode, StatusCode> {
    known(&headers)?;
    let mut parcels = parcels.lock().unwrap_or_else(PoisonError::into_inner);
    let before = parcels.len();
    parcels.retain(|parcel| parcel["number"] != number);
    if parcels.len() < before { Ok(StatusCode::NO_CONTENT) } else { Err(StatusCode::NOT_FOUND) }
}
