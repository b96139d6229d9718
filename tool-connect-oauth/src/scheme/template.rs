//! Texts with `{placeholders}`. A value is put in once and not looked at again, so that one that looks like a
//! placeholder stays what it is.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tool_connect_core::Result;
use url::{Host, Url};

use super::config;

/// Everything but RFC 3986 §2.3 unreserved characters.
pub(super) const UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A part of a template.
pub(super) enum Piece<'t> {
    /// What stands there.
    Text(&'t str),
    /// A placeholder's name.
    Name(&'t str),
}

/// The parts of a template, in order.
pub(super) fn pieces(template: &str) -> Result<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) =
            after.split_once('}').ok_or_else(|| config("a template of the scheme has an open brace"))?;
        pieces.push(Piece::Text(before));
        pieces.push(Piece::Name(name));
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

/// A placeholder that nothing stands for.
pub(super) fn unknown(name: &str, known: &str) -> tool_connect_core::Error {
    config(format!("the scheme has a placeholder `{{{}}}`; known here: {known}", name.escape_debug()))
}

/// An address from its template. A value in the host may only hold what a host name holds; elsewhere it is
/// percent-encoded and stays one segment, so that no value can lead to another host or another path.
pub(super) fn address<'v>(template: &str, value: impl Fn(&str) -> Option<&'v str>) -> Result<Url> {
    let mut url = String::with_capacity(template.len() + 16);
    for piece in pieces(template)? {
        match piece {
            Piece::Text(text) => url.push_str(text),
            Piece::Name(name) => {
                let value = value(name).ok_or_else(|| {
                    let name = name.escape_debug();
                    config(format!("the connection's configuration lacks `{name}`; connect it again with it"))
                })?;
                let refused = |why: &str| {
                    config(format!("the connection's configuration has a `{}` {why}", name.escape_debug()))
                };
                let in_host = url.split_once("://").is_none_or(|(_, rest)| !rest.contains(['/', '?', '#']));
                if in_host {
                    if !is_host_text(value) {
                        return Err(refused("that is no part of a host name"));
                    }
                    url.push_str(value);
                } else if matches!(value, "" | "." | "..") {
                    // Such a segment would name another resource (RFC 3986 §5.2.4).
                    return Err(refused("that no path can hold"));
                } else {
                    url.extend(utf8_percent_encode(value, UNRESERVED));
                }
            }
        }
    }
    let url = Url::parse(&url).map_err(|e| config(format!("the scheme's address is malformed: {e}")))?;
    let plain = url.scheme() == "http" && is_loopback(&url);
    if (url.scheme() != "https" && !plain) || !url.username().is_empty() || url.password().is_some() {
        return Err(config(
            "the scheme's address must be https (http only on loopback), without user information",
        ));
    }
    Ok(url)
}

/// Labels of letters, digits and hyphens, with dots between them (RFC 1123 §2.1).
fn is_host_text(value: &str) -> bool {
    !value.is_empty()
        && value.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

/// Whether an address stays on this machine by its very form; what a name resolves to is the transport's to judge.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
