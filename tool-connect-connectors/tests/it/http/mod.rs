//! The HTTP connector over a transport double: what it sends, what it refuses, what it returns.

mod answers;
mod refusals;
mod sends;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tool_connect_connectors::http::{Http, HttpBuilder};
use tool_connect_core::http::{ByteStream, OutboundRequest, Response};
use tool_connect_core::{Connection, ConnectionId, InstanceId, Owner, Principal};

use crate::bench::Bench;

/// Any method at `https://api.example.com/v2`.
fn builder() -> HttpBuilder {
    use http::Method;
    Http::builder().base_url("https://api.example.com/v2").allow_host("*.files.example").allow_methods([
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::DELETE,
    ])
}

fn bench(builder: HttpBuilder) -> Bench {
    Bench::new(&builder.build().unwrap())
}

/// An answer with this body, in pieces; `max_bytes` is what the request asked for.
fn answer(request: &OutboundRequest, status: u16, headers: &[(&str, &str)], body: &[&[u8]]) -> Response {
    let mut head = http::Response::builder().status(status);
    for (name, value) in headers {
        head = head.header(*name, *value);
    }
    let chunks: Vec<_> = body.iter().map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    let body: ByteStream = Box::pin(futures_util::stream::iter(chunks));
    Response::new(head.body(()).unwrap().into_parts().0, body, request.options.max_bytes.unwrap_or(u64::MAX))
}

/// Answers every request with 200 and keeps it.
fn record(bench: &Bench) -> Arc<Mutex<Vec<OutboundRequest>>> {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&sent);
    bench.answer(move |request| {
        let response = answer(&request, 200, &[], &[]);
        kept.lock().unwrap().push(request);
        Ok(response)
    });
    sent
}

/// Puts an account under the calls.
fn connect(bench: &Bench) {
    let principal = Principal::user("acme", "ada").unwrap();
    let id = ConnectionId::new("c1").unwrap();
    let owner = Owner::User(principal.user.clone());
    let connection = Connection::new(id, principal.tenant, owner, InstanceId::new("http").unwrap());
    *bench.shared.connection.lock().unwrap() = Some(connection);
}
