//! What a host brings: its own login, and a router in which the two endpoints are mounted.

use axum::Router;
use axum::http::header::COOKIE;
use axum::http::request::Parts;
use axum::routing::{any_service, get};
use tokio::net::TcpListener;
use tool_connect::oauth::OAuth;
use tool_connect::oauth::connect::HostSession;
use tool_connect::{Principal, Result};
use url::Url;

/// The host's login: here a cookie that says who it is. A real one looks a session up.
pub(crate) struct Login;

#[async_trait::async_trait]
impl HostSession for Login {
    async fn principal(&self, request: &Parts) -> Result<Option<Principal>> {
        let cookies = request.headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let user = cookies
            .flat_map(|line| line.split("; "))
            .find_map(|pair| pair.strip_prefix("demo_user="))
            .filter(|user| !user.is_empty());
        user.map(|user| Principal::user("acme", user)).transpose()
    }

    fn login(&self, back: &Url) -> Option<Url> {
        let mut login = back.join("/login").ok()?;
        login.query_pairs_mut().append_pair("next", back.as_str());
        Some(login)
    }
}

/// The host before it answers: the provider must know its address first.
pub(crate) struct Host {
    listener: std::sync::Mutex<Option<TcpListener>>,
    pub(crate) public_url: Url,
}

/// Takes the port that is registered at GitHub, or any other.
pub(crate) async fn listen() -> std::io::Result<Host> {
    let listener = match TcpListener::bind("127.0.0.1:4815").await {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind("127.0.0.1:0").await?,
    };
    let address = listener.local_addr()?;
    let public_url = Url::parse(&format!("http://{address}/connect")).map_err(std::io::Error::other)?;
    Ok(Host { listener: std::sync::Mutex::new(Some(listener)), public_url })
}

impl Host {
    /// Serves until the process ends.
    pub(crate) fn serve(&self, oauth: &OAuth) {
        let routes = Router::new()
            .route("/login", get(log_in))
            .route("/connect/start", any_service(oauth.start_service()))
            .route("/connect/callback/{provider}", any_service(oauth.callback_service()));
        let listener = self.listener.lock().ok().and_then(|mut listener| listener.take());
        if let Some(listener) = listener {
            tokio::spawn(async move { axum::serve(listener, routes).await });
        }
    }
}

/// Everybody who asks is Ada: enough for a demonstration, and for nothing else.
async fn log_in(
    axum::extract::Query(query): axum::extract::Query<std::collections::BTreeMap<String, String>>,
) -> axum::response::Response {
    let next =
        query.get("next").filter(|next| next.starts_with("http://127.0.0.1:")).cloned().unwrap_or_default();
    let mut response = axum::response::Response::default();
    *response.status_mut() = axum::http::StatusCode::SEE_OTHER;
    let cookie = "demo_user=ada; Path=/; HttpOnly; SameSite=Lax";
    for (name, value) in [("set-cookie", cookie), ("location", next.as_str())] {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
