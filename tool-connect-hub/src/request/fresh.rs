//! What an answer's headers say about serving it again: RFC 9111, as a cache that belongs to one account.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, StatusCode, header};
use tool_connect_tower::retry::parse_retry_after;

/// No answer is served for longer without asking.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// What `cache-control` says, as far as it concerns us. `private` and `s-maxage` speak of shared caches, and this is none;
/// `must-revalidate` forbids what this cache never does, to serve what is stale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CacheControl {
    pub(crate) no_store: bool,
    pub(crate) no_cache: bool,
    pub(crate) max_age: Option<Duration>,
}

impl CacheControl {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut found = Self::default();
        let values = headers.get_all(header::CACHE_CONTROL);
        // What cannot be read is taken as the strictest.
        for directive in values.iter().flat_map(|value| value.to_str().unwrap_or("no-store").split(',')) {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            let is = |known: &str| name.trim().eq_ignore_ascii_case(known);
            if is("no-store") {
                found.no_store = true;
            } else if is("no-cache") {
                // With field names it forbids those fields only; to ask again is allowed nevertheless.
                found.no_cache = true;
            } else if is("max-age") {
                // Of two the shorter, and what is no number is 0 (RFC 9111 §4.2.1).
                let age = Duration::from_secs(value.trim().trim_matches('"').parse().unwrap_or(0));
                found.max_age = Some(found.max_age.map_or(age, |other| other.min(age)));
            }
        }
        found
    }

    /// For how long a value made from this answer may be kept; `None` where the answer says nothing.
    pub(crate) fn bound(headers: &HeaderMap) -> Option<Duration> {
        let found = Self::of(headers);
        if found.no_store || found.no_cache {
            return Some(Duration::ZERO);
        }
        found.max_age.map(|age| age.saturating_sub(self::age(headers)))
    }
}

/// For how long the answer may be served without asking, from when it was asked for.
pub(super) fn lifetime(
    headers: &HeaderMap,
    control: CacheControl,
    now: impl FnOnce() -> SystemTime,
) -> Duration {
    if control.no_cache || control.no_store {
        return Duration::ZERO;
    }
    let stated = control.max_age.or_else(|| {
        let expires = headers.get(header::EXPIRES)?.to_str().ok()?;
        // A bare number is no date, and so in the past.
        parse_retry_after(expires, now()).filter(|_| expires.contains(' '))
    });
    stated.unwrap_or_default().saturating_sub(age(headers)).min(LONGEST)
}

pub(super) fn age(headers: &HeaderMap) -> Duration {
    let age = headers.get(header::AGE).and_then(|age| age.to_str().ok()?.trim().parse().ok());
    Duration::from_secs(age.unwrap_or(0))
}

/// How long the body is, where that is said, in bytes.
pub(super) fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether the answer may be kept at all.
pub(super) fn storable(status: StatusCode, headers: &HeaderMap, control: CacheControl) -> bool {
    let varies = headers.get_all(header::VARY).iter().any(|value| value.as_bytes().contains(&b'*'));
    status == StatusCode::OK
        && !control.no_store
        && !varies
        && !headers.contains_key(header::SET_COOKIE)
        && !headers.contains_key(header::CONTENT_RANGE)
}

/// Whether a request asks for something else than the resource as it is, or handles validators itself.
pub(super) fn own_way(headers: &HeaderMap) -> bool {
    const NAMES: [HeaderName; 6] = [
        header::RANGE,
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        header::IF_MODIFIED_SINCE,
        header::IF_UNMODIFIED_SINCE,
        header::IF_RANGE,
    ];
    headers.keys().any(|name| NAMES.contains(name)) || CacheControl::of(headers).no_store
}

/// Whether a request wants the provider to be asked.
pub(super) fn wants_asking(headers: &HeaderMap) -> bool {
    let control = CacheControl::of(headers);
    control.no_cache || control.max_age.is_some() || headers.contains_key(header::PRAGMA)
}

/// What a 304 says anew of a kept answer (RFC 9111 §3.2).
pub(super) fn renew(kept: &mut HeaderMap, news: &HeaderMap) {
    const OF_THE_BODY: [HeaderName; 4] =
        [header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::CONTENT_TYPE, header::CONTENT_RANGE];
    for name in news.keys().filter(|name| !OF_THE_BODY.contains(name)) {
        kept.remove(name);
        for value in news.get_all(name) {
            kept.append(name.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect()
    }

    fn seconds(pairs: &[(&'static str, &'static str)]) -> u64 {
        let headers = headers(pairs);
        lifetime(&headers, CacheControl::of(&headers), || SystemTime::UNIX_EPOCH).as_secs()
    }

    #[test]
    fn freshness_is_what_the_answer_says_and_never_a_guess() {
        for (pairs, want) in [
            (&[][..], 0),
            (&[("cache-control", "private, Max-Age=\"60\", s-maxage=90")], 60),
            (&[("cache-control", "max-age=60"), ("age", "45")], 15),
            (&[("cache-control", "max-age=60"), ("age", "90")], 0),
            (&[("cache-control", "max-age=60, no-cache")], 0),
            (&[("cache-control", "max-age=60, no-store")], 0),
            (&[("cache-control", "max-age=60, max-age=5")], 5),
            (&[("cache-control", "max-age=soon")], 0),
            (&[("cache-control", "max-age=99999999999")], 24 * 3600),
            (&[("cache-control", "public")], 0),
            (&[("expires", "Thu, 01 Jan 1970 00:00:09 GMT")], 9),
            (&[("expires", "3600")], 0),
            (&[("expires", "0")], 0),
            (&[("expires", "Thu, 01 Jan 1970 00:00:09 GMT"), ("cache-control", "max-age=3")], 3),
            (&[("last-modified", "Thu, 01 Jan 1960 00:00:09 GMT")], 0),
        ] {
            assert_eq!(seconds(pairs), want, "{pairs:?}");
        }
    }

    #[test]
    fn what_must_not_be_kept_is_not() {
        let storable = |status, headers: &HeaderMap| storable(status, headers, CacheControl::of(headers));
        let ok = |pairs: &[_]| storable(StatusCode::OK, &headers(pairs));
        assert!(ok(&[]) && ok(&[("vary", "accept, authorization")]));
        assert!(
            !ok(&[("vary", "accept, *")])
                && !ok(&[("set-cookie", "a=b")])
                && !ok(&[("cache-control", "NO-STORE")])
        );
        assert!(
            !storable(StatusCode::PARTIAL_CONTENT, &headers(&[]))
                && !storable(StatusCode::CREATED, &headers(&[]))
        );
    }

    #[test]
    fn a_bound_is_what_the_answer_says_of_itself() {
        let bound = |pairs: &[_]| CacheControl::bound(&headers(pairs)).map(|bound| bound.as_secs());
        assert_eq!(bound(&[]), None);
        assert_eq!(bound(&[("cache-control", "private")]), None);
        assert_eq!(bound(&[("cache-control", "no-store")]), Some(0));
        assert_eq!(bound(&[("cache-control", "no-cache")]), Some(0));
        assert_eq!(bound(&[("cache-control", "max-age=30"), ("age", "10")]), Some(20));
    }
}
