//! A browser that does what a user would: it follows redirects, keeps cookies, and says yes where it is asked. Plain HTTP on
//! this machine, and nothing of tool-connect.

use std::collections::BTreeMap;
use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

/// More redirects than any consent has.
const REDIRECTS: usize = 20;

pub(crate) struct Browser {
    /// By the server's address, then by name.
    cookies: BTreeMap<String, BTreeMap<String, String>>,
    user: &'static str,
}

pub(crate) struct Page {
    html: String,
}

impl Page {
    pub(crate) fn title(&self) -> &str {
        let title = self.html.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
        title.map_or("a page without a title", |(title, _)| title)
    }
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Browser {
    pub(crate) fn logged_in_as(user: &'static str) -> Self {
        Self { cookies: BTreeMap::new(), user }
    }

    /// Opens an address and goes wherever it leads.
    pub(crate) async fn open(&mut self, url: &str) -> io::Result<Page> {
        let mut url = Url::parse(url).map_err(io::Error::other)?;
        let mut form: Option<String> = None;
        for _ in 0..REDIRECTS {
            let answer = self.send(&url, form.take()).await?;
            let location = answer.headers.iter().find(|(name, _)| name == "location");
            if let (300..=399, Some((_, to))) = (answer.status, location) {
                url = url.join(to).map_err(io::Error::other)?;
                if url.path().starts_with("/interaction/") {
                    // The certified server asks who it is and whether they agree.
                    form = Some(format!("account={}&decision=allow", self.user));
                }
                continue;
            }
            return Ok(Page { html: answer.body });
        }
        Err(io::Error::other("it goes in circles"))
    }

    async fn send(&mut self, url: &Url, form: Option<String>) -> io::Result<Answer> {
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(io::Error::other("an address without a host"));
        };
        let server = format!("{host}:{port}");
        let jar = self.cookies.entry(server.clone()).or_default();
        jar.insert("demo_user".to_owned(), self.user.to_owned());
        let cookies: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let method = if form.is_some() { "POST" } else { "GET" };
        let form = form.unwrap_or_default();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\ncookie: {}\r\naccept: text/html\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            cookies.join("; "),
            form.len(),
        );
        let mut stream = TcpStream::connect(&server).await?;
        stream.write_all(request.as_bytes()).await?;
        let text = read(&mut stream).await?;
        let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| io::Error::other("no HTTP answer"))?;
        let mut lines = head.split("\r\n");
        let status =
            lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        for (_, cookie) in headers.iter().filter(|(name, _)| name == "set-cookie") {
            if let Some((name, value)) = cookie.split(';').next().and_then(|pair| pair.split_once('=')) {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(Answer { status: status.unwrap_or(0), headers, body: body.to_owned() })
    }
}

/// An answer, up to the length that it names, or to the end.
async fn read(stream: &mut TcpStream) -> io::Result<String> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut chunk).await?;
        bytes.extend_from_slice(chunk.get(..read).unwrap_or_default());
        let text = String::from_utf8_lossy(&bytes);
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length:").map(str::to_owned)
            });
            length
                .and_then(|length| length.trim().parse().ok())
                .is_some_and(|length: usize| body.len() >= length)
        });
        if read == 0 || whole {
            return Ok(text.into_owned());
        }
    }
}
