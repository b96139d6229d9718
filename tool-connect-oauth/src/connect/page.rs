//! The pages that a consent can end on: small, without scripts, with nothing in them that was not escaped.

use std::sync::LazyLock;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use tool_connect_core::{Error, ErrorKind, Result};

/// What the services answer with.
pub type PageBody = Full<Bytes>;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:34em;margin:12vh auto;padding:0 1em;\
color:#1b1b1f;background:#fff}h1{font-size:1.4em}a{color:#0b57d0}\
@media(prefers-color-scheme:dark){body{color:#e3e3e8;background:#1b1b1f}a{color:#a8c7fa}}";

/// Nothing is loaded, run or framed; of styles only the one above.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(digest::digest(&digest::SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// A page: a heading, sentences, and where to go from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) status: StatusCode,
    pub(super) title: String,
    pub(super) text: Vec<String>,
    /// One of those that the host allows.
    pub(super) link: Option<String>,
}

impl Page {
    pub(super) fn new(status: StatusCode, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { status, title: title.into(), text: vec![text.into()], link: None }
    }

    pub(super) fn and(mut self, text: impl Into<String>) -> Self {
        self.text.push(text.into());
        self
    }

    pub(super) fn response(&self) -> Response<PageBody> {
        let mut html = String::from("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
        html.push_str("<meta name=\"viewport\" content=\"width=device-width\"><title>");
        escape(&self.title, &mut html);
        html.push_str("</title><style>");
        html.push_str(STYLE);
        html.push_str("</style></head><body><main><h1>");
        escape(&self.title, &mut html);
        html.push_str("</h1>");
        for text in &self.text {
            html.push_str("<p>");
            escape(text, &mut html);
            html.push_str("</p>");
        }
        if let Some(link) = &self.link {
            html.push_str("<p><a href=\"");
            escape(link, &mut html);
            html.push_str("\">Go back</a></p>");
        }
        html.push_str("</main></body></html>");
        let mut response = Response::new(Full::from(html));
        *response.status_mut() = self.status;
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        guarded(response)
    }
}

/// A redirect that the next request is a plain GET after.
pub(super) fn redirect(to: &str) -> Result<Response<PageBody>> {
    let location = HeaderValue::try_from(to)
        .map_err(|_| Error::new(ErrorKind::Config, "the address to go on to does not fit into a header"))?;
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(guarded(response))
}

/// The address of this request holds a ticket or a code: nothing keeps it and nobody hears of it.
fn guarded(mut response: Response<PageBody>) -> Response<PageBody> {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    response
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Controls and what turns the direction of text around have no business on a page.
            c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                out.push(' ')
            }
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn everything_on_a_page_is_escaped_and_guarded() {
        let hostile = "<script>alert('1')</script>\" onload=x\u{202e}\n&";
        let mut page = Page::new(StatusCode::OK, hostile, hostile);
        page.link = Some(format!("/{hostile}"));
        let response = page.response();
        for (name, value) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(response.headers()[name], value);
        }
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"));
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let html = String::from_utf8(body.to_vec()).unwrap();
        assert!(
            !html.contains("<script") && !html.contains("\" onload") && !html.contains('\u{202e}'),
            "{html}"
        );
        assert_eq!(html.matches("&lt;script&gt;").count(), 4);
    }
}
