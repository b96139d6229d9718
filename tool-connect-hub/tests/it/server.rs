//! A small HTTP server that does what it is told, byte by byte.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does once it has read a request.
#[derive(Clone)]
pub(crate) enum Play {
    /// Writes these bytes.
    Write(Vec<u8>),
    /// Waits.
    Wait(Duration),
    /// Leaves the connection open and silent.
    Stall,
    /// Closes the connection; otherwise the next request on it is read.
    Close,
}

impl Play {
    pub(crate) fn text(text: &str) -> Vec<Self> {
        vec![Self::Write(text.as_bytes().to_vec())]
    }

    pub(crate) fn ok(body: &str) -> Vec<Self> {
        Self::text(&format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
    }

    pub(crate) fn status(status: u16, headers: &str) -> Vec<Self> {
        Self::text(&format!("HTTP/1.1 {status} X\r\n{headers}content-length: 0\r\n\r\n"))
    }
}

/// Plays its script, one entry for each request; the last entry again and again.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    script: Mutex<Vec<Vec<Play>>>,
    requests: Mutex<Vec<String>>,
    connections: Mutex<u32>,
    /// Peers that have gone away while the server stalled.
    gone: tokio::sync::Notify,
}

impl Server {
    pub(crate) async fn start(script: impl IntoIterator<Item = Vec<Play>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let mut script: Vec<_> = script.into_iter().collect();
        script.reverse();
        let state = Arc::new(State {
            script: Mutex::new(script),
            requests: Mutex::default(),
            connections: Mutex::default(),
            gone: tokio::sync::Notify::new(),
        });
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *shared.connections.lock().expect("not poisoned") += 1;
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Heads and bodies of the requests, as they came.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.state.requests.lock().expect("not poisoned").clone()
    }

    /// Waits until so many requests have come.
    pub(crate) async fn asked(&self, requests: usize) {
        while self.requests().len() < requests {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Waits until the peer of a stalled connection has closed it.
    pub(crate) async fn peer_gone(&self) {
        self.state.gone.notified().await;
    }

    pub(crate) fn connections(&self) -> u32 {
        *self.state.connections.lock().expect("not poisoned")
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>) {
    while let Some(request) = read(&mut stream).await {
        state.requests.lock().expect("not poisoned").push(request);
        let plays = {
            let mut script = state.script.lock().expect("not poisoned");
            if script.len() > 1 { script.pop() } else { script.last().cloned() }
        };
        for play in plays.unwrap_or_default() {
            match play {
                Play::Write(bytes) => {
                    if stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Play::Wait(time) => tokio::time::sleep(time).await,
                Play::Stall => {
                    // Nothing more is said; the peer's end of it shows when reading ends.
                    while stream.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {}
                    state.gone.notify_one();
                    return;
                }
                Play::Close => return,
            }
        }
    }
}

/// One request with a body of known length; `None` once the peer is gone.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
            let whole = if chunked { body.ends_with("0\r\n\r\n") } else { body.len() >= length.unwrap_or(0) };
            if whole {
                return Some(text.into_owned());
            }
        }
        let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
    }
}
