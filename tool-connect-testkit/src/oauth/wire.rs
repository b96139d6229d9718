//! HTTP/1.1 over loopback: just enough for HTTP clients that are on our side.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, TcpListener};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use url::Url;

use super::OAuthEmulator;
use super::answer::{Asked, Cut, Served};

/// Largest head and largest body, in bytes.
const LIMIT: usize = 1 << 20;

/// A free port of this machine: an origin for issuers before there is a server.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use tool_connect_testkit::oauth::{EmulatedClient, IssuerSettings, Loopback, OAuthEmulator};
///
/// let loopback = Loopback::bind()?;
/// let emulator = OAuthEmulator::new();
/// let issuer = emulator.issuer(
///     IssuerSettings::new(format!("{}/first", loopback.origin())).client(EmulatedClient::public("app")),
/// )?;
/// let server = loopback.serve(&emulator)?; // until it is dropped
/// assert!(issuer.url("token").as_str().starts_with("http://127.0.0.1:"));
/// # drop(server); Ok(()) }
/// ```
#[derive(Debug)]
pub struct Loopback {
    listener: TcpListener,
    origin: String,
}

impl Loopback {
    /// Takes a free port of 127.0.0.1.
    ///
    /// # Errors
    /// Where there is none.
    pub fn bind() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let origin = format!("http://{}", listener.local_addr()?);
        Ok(Self { listener, origin })
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Serves the emulator's issuers on this port, in a task of the runtime that it is called in.
    ///
    /// # Errors
    /// Where the listener cannot be used.
    ///
    /// # Panics
    /// Outside of a tokio runtime with its I/O driver on.
    pub fn serve(self, emulator: &OAuthEmulator) -> io::Result<LoopbackServer> {
        self.listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let emulator = emulator.clone();
        let task = tokio::spawn(async move {
            // Connections end with the server.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                connections.spawn(converse(stream, emulator.clone()));
            }
        });
        Ok(LoopbackServer { task })
    }
}

/// An emulator on a port of this machine; dropped, it stops.
pub struct LoopbackServer {
    task: JoinHandle<()>,
}

impl fmt::Debug for LoopbackServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoopbackServer")
    }
}

impl Drop for LoopbackServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves one connection until its peer goes, or says something that is no request.
async fn converse(mut stream: TcpStream, emulator: OAuthEmulator) {
    let _ = stream.set_nodelay(true);
    let mut left = Vec::new();
    while let Some(asked) = read(&mut stream, &mut left).await {
        let served = emulator.serve(asked);
        if write(&mut stream, served).await.is_none() {
            return;
        }
    }
}

/// One request, whole; `left` is what was read beyond it.
async fn read(stream: &mut TcpStream, left: &mut Vec<u8>) -> Option<Asked> {
    let end = loop {
        if let Some(at) = left.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        more(stream, left).await?;
    };
    let head = String::from_utf8(left[..end].to_vec()).ok()?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.parse::<Method>().ok()?, first.next()?);
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        headers.append(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value.trim()).ok()?);
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text("transfer-encoding").is_some() {
        return None;
    }
    let length: usize = text("content-length").map_or(Some(0), |length| length.parse().ok())?;
    let url = Url::parse(&format!("http://{}{target}", text("host")?)).ok()?;
    while left.len() < end + length {
        more(stream, left).await?;
    }
    let body = Bytes::copy_from_slice(&left[end..end + length]);
    left.drain(..end + length);
    Some(Asked { method, url, headers, body })
}

async fn more(stream: &mut TcpStream, left: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 8 * 1024];
    let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0 && left.len() < LIMIT)?;
    left.extend_from_slice(&buffer[..read]);
    Some(())
}

/// Writes an answer; `None` where the connection must end.
async fn write(stream: &mut TcpStream, served: Served) -> Option<()> {
    if let Some(after) = served.after {
        tokio::time::sleep(after).await;
    }
    let reply = served.reply;
    match served.cut {
        Cut::Broken => return None,
        Cut::Silent => {
            // Until the peer has enough of it.
            while stream.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {}
            return None;
        }
        Cut::Whole | Cut::Half => {}
    }
    let mut answer =
        format!("HTTP/1.1 {} Emulated\r\ncontent-length: {}\r\n", reply.status, reply.body.len());
    for (name, value) in &reply.headers {
        answer.push_str(&format!("{name}: {value}\r\n"));
    }
    answer.push_str("\r\n");
    let whole = served.cut == Cut::Whole;
    let shown = if whole { reply.body.len() } else { reply.body.len() / 2 };
    let bytes = [answer.as_bytes(), &reply.body[..shown]].concat();
    stream.write_all(&bytes).await.ok()?;
    whole.then_some(())
}
