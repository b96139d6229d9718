//! Schemes that are not OAuth: against published vectors, and against values that want to be more than values.

mod exchange;
mod hmac;
mod sigv4;

use http::request::Parts;

/// A request's head.
fn head(method: &str, url: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).expect("a valid request").into_parts().0
}

fn header<'a>(parts: &'a Parts, name: &str) -> &'a str {
    parts.headers.get(name).expect("the header is there").to_str().expect("text")
}
