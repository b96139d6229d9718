//! What a provider's answer says of its limits: the forms that most services use.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, header};
use tool_connect_tower::retry::parse_retry_after;

/// A wait that no header can exceed, so that a mistaken one does not close a connection for good.
pub(super) const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// How many requests are left, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) remaining: u64,
    pub(super) reset: Duration,
}

const DRAFT: HeaderName = HeaderName::from_static("ratelimit");

/// Separate fields that say how many are left and until when. A service may have several windows: of all requests, of those to
/// one endpoint, and of points that requests cost.
static FAMILIES: [Family; 6] = [
    Family::new("ratelimit-remaining", "ratelimit-reset", false),
    Family::new("x-ratelimit-remaining", "x-ratelimit-reset", false),
    Family::new("x-rate-limit-remaining", "x-rate-limit-reset", false),
    Family::new("x-ratelimit-requests-remaining", "x-ratelimit-requests-reset", false),
    Family::new("x-ratelimit-endpoint-requests-remaining", "x-ratelimit-endpoint-requests-reset", false),
    Family::new("x-ratelimit-complexity-remaining", "x-ratelimit-complexity-reset", true),
];

struct Family {
    remaining: HeaderName,
    reset: HeaderName,
    /// Whether points are left, not requests.
    points: bool,
}

impl Family {
    const fn new(remaining: &'static str, reset: &'static str, points: bool) -> Self {
        Self { remaining: HeaderName::from_static(remaining), reset: HeaderName::from_static(reset), points }
    }

    fn window(&self, headers: &HeaderMap, now: SystemTime) -> Option<Window> {
        let remaining = text(headers, &self.remaining).and_then(first_number)?;
        let reset = text(headers, &self.reset)?;
        // Points become requests of the size that this one had.
        let cost = if self.points { cost(headers) } else { 1.0 };
        Some(Window { remaining: whole(remaining / cost), reset: until(reset, now)? })
    }
}

/// Reads a window from `RateLimit` (the IETF draft, its present and its earlier form), the separate
/// `RateLimit-*` fields, and the `X-RateLimit-*` and `X-Rate-Limit-*` families. Of several windows
/// the one that binds first.
pub(super) fn window(headers: &HeaderMap, now: SystemTime) -> Option<Window> {
    // Most answers have few headers and none of these: to compare their names is cheaper than to look for each of ours.
    let named = headers.keys().filter_map(|name| match FAMILIES.iter().find(|one| one.remaining == *name) {
        Some(family) => family.window(headers, now),
        None if *name == DRAFT => draft(headers),
        None => None,
    });
    earliest(named)
}

/// What the field of the draft says, in either form.
fn draft(headers: &HeaderMap) -> Option<Window> {
    let values = headers.get_all(&DRAFT).iter().filter_map(|value| value.to_str().ok());
    let listed = values.flat_map(|text| split_outside_quotes(text, ','));
    let items = listed.filter_map(item);
    // The earlier form is one item spread over the list: `limit=100, remaining=50, reset=50`.
    earliest(items.chain(text(headers, &DRAFT).and_then(spread)))
}

/// The window that binds first.
fn earliest(windows: impl Iterator<Item = Window>) -> Option<Window> {
    windows
        .map(|window| Window { reset: window.reset.min(LONGEST), ..window })
        .min_by_key(|window| (window.remaining, std::cmp::Reverse(window.reset)))
}

/// Retry-After in both forms, held within reason.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    parse_retry_after(value, now).map(|wait| wait.min(LONGEST))
}

/// `"default";r=50;t=30`
fn item(text: &str) -> Option<Window> {
    let (mut remaining, mut reset) = (None, None);
    for parameter in split_outside_quotes(text, ';').skip(1) {
        match parameter.trim().split_once('=') {
            Some(("r", value)) => remaining = first_number(value),
            Some(("t", value)) => reset = first_number(value),
            _ => {}
        }
    }
    Some(Window { remaining: whole(remaining?), reset: seconds(reset?) })
}

/// `limit=100, remaining=50, reset=5`
fn spread(text: &str) -> Option<Window> {
    let value = |name: &str| {
        let pairs = text.split(',').filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(|(n, _)| *n == name).find_map(|(_, value)| first_number(value))
    };
    Some(Window { remaining: whole(value("remaining")?), reset: seconds(value("reset")?) })
}

/// Splits a list, minding quoted strings.
fn split_outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '"';
        c == separator && !quoted
    })
}

/// How many points the request cost that was answered; one at least.
fn cost(headers: &HeaderMap) -> f64 {
    const COST: HeaderName = HeaderName::from_static("x-complexity");
    text(headers, &COST).and_then(first_number).map_or(1.0, |points| points.max(1.0))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The number that a value begins with: `50`, `12.5`, `100;w=60`, `40, 100;w=60`.
fn first_number(value: &str) -> Option<f64> {
    let value = value.trim();
    let end = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    value.get(..end)?.parse().ok().filter(|number: &f64| number.is_finite())
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // A cast from float saturates, and the text has no sign.
fn whole(number: f64) -> u64 {
    number as u64
}

fn seconds(number: f64) -> Duration {
    Duration::try_from_secs_f64(number).unwrap_or(LONGEST).min(LONGEST)
}

/// A reset as services write it: seconds from now, or a point in time in seconds or milliseconds
/// since 1970. The three do not overlap for the next centuries.
fn until(value: &str, now: SystemTime) -> Option<Duration> {
    let number = first_number(value)?;
    let epoch = if number > 1e12 {
        number / 1e3
    } else if number > 1e9 {
        number
    } else {
        return Some(seconds(number));
    };
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(seconds((epoch - since.as_secs_f64()).max(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_446_000;

    fn read(pairs: &[(&str, &str)]) -> Option<(u64, u64)> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name = http::HeaderName::try_from(*name).expect("a name");
            headers.append(name, value.parse().expect("a value"));
        }
        window(&headers, UNIX_EPOCH + Duration::from_secs(NOW)).map(|w| (w.remaining, w.reset.as_secs()))
    }

    #[test]
    fn the_common_forms_are_read() {
        // GitHub: a point in time.
        let reset = (NOW + 90).to_string();
        let github =
            [("x-ratelimit-limit", "5000"), ("x-ratelimit-remaining", "4987"), ("x-ratelimit-reset", &reset)];
        assert_eq!(read(&github), Some((4987, 90)));
        let millis = format!("{}", (NOW + 7) * 1000);
        assert_eq!(read(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &millis)]), Some((0, 7)));
        // Discord: a fraction, and Okta's spelling.
        assert_eq!(read(&[("x-rate-limit-remaining", "1"), ("x-rate-limit-reset", "2.9")]), Some((1, 2)));
        // The IETF draft in its three forms.
        assert_eq!(read(&[("ratelimit", r#""default";r=50;t=30"#)]), Some((50, 30)));
        assert_eq!(read(&[("ratelimit", "limit=100, remaining=3, reset=5")]), Some((3, 5)));
        assert_eq!(
            read(&[
                ("ratelimit-limit", "100, 100;w=60"),
                ("ratelimit-remaining", "7"),
                ("ratelimit-reset", "50")
            ]),
            Some((7, 50))
        );
    }

    #[test]
    fn points_are_read_as_requests_of_the_size_that_was_answered() {
        let reset = ((NOW + 90) * 1000).to_string();
        let later = ((NOW + 3600) * 1000).to_string();
        let both = |left: &'static str, points: &'static str| {
            [
                ("x-complexity", "300"),
                ("x-ratelimit-requests-remaining", left),
                ("x-ratelimit-requests-reset", &reset),
                ("x-ratelimit-complexity-limit", "250000"),
                ("x-ratelimit-complexity-remaining", points),
                ("x-ratelimit-complexity-reset", &later),
            ]
            .map(|(name, value)| (name, value.to_owned()))
        };
        let read = |pairs: &[(&str, String)]| {
            let pairs: Vec<(&str, &str)> =
                pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
            read(&pairs)
        };
        assert_eq!(read(&both("900", "249700")), Some((832, 3600)), "points bind first");
        assert_eq!(read(&both("8", "249700")), Some((8, 90)), "requests bind first");
        assert_eq!(read(&both("8", "299")), Some((0, 3600)), "no other of that size");
        assert_eq!(read(&both("0", "0")), Some((0, 3600)), "the longer wait of two");
        // Without a cost a point is a request; one of nothing or of nonsense is no divisor.
        for cost in ["0", "many", "0.2"] {
            let odd = [
                ("x-complexity", cost.to_owned()),
                ("x-ratelimit-complexity-remaining", "7".to_owned()),
                ("x-ratelimit-complexity-reset", "5".to_owned()),
            ];
            assert_eq!(read(&odd), Some((7, 5)), "{cost}");
        }
        // One endpoint's own window.
        let endpoint = [
            ("x-ratelimit-endpoint-requests-remaining", "0".to_owned()),
            ("x-ratelimit-endpoint-requests-reset", "60".to_owned()),
        ];
        assert_eq!(read(&endpoint), Some((0, 60)));
    }

    #[test]
    fn of_several_windows_the_tightest_counts() {
        assert_eq!(read(&[("ratelimit", r#""a,;r=0;t=1";r=9;t=60, "day";r=2;t=3600"#)]), Some((2, 3600)));
        assert_eq!(read(&[("ratelimit", r#""a";r=0;t=5"#), ("ratelimit", r#""b";r=0;t=9"#)]), Some((0, 9)));
    }

    #[test]
    fn half_of_it_or_nonsense_is_nothing() {
        assert_eq!(read(&[("x-ratelimit-remaining", "5")]), None);
        assert_eq!(read(&[("x-ratelimit-remaining", "-5"), ("x-ratelimit-reset", "1")]), None);
        assert_eq!(read(&[("x-ratelimit-remaining", "many"), ("x-ratelimit-reset", "soon")]), None);
        assert_eq!(read(&[("ratelimit", r#""default""#)]), None);
    }

    #[test]
    fn no_header_closes_a_connection_for_more_than_a_day() {
        let far = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "99999999999999999999")];
        assert_eq!(read(&far), Some((0, LONGEST.as_secs())));
        assert_eq!(read(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1000")]), Some((0, 1000)));
        assert_eq!(
            read(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1600000000")]),
            Some((0, 0))
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(remaining in "[ -~]{0,40}", reset in "[ -~]{0,40}") {
            for (first, second) in [("x-ratelimit-remaining", "x-ratelimit-reset"), ("ratelimit", "retry-after")] {
                let mut headers = HeaderMap::new();
                headers.insert(first, remaining.parse().expect("printable"));
                headers.insert(second, reset.parse().expect("printable"));
                let read = window(&headers, SystemTime::now());
                proptest::prop_assert!(read.is_none_or(|window| window.reset <= LONGEST));
                proptest::prop_assert!(retry_after(&headers, SystemTime::now()).is_none_or(|wait| wait <= LONGEST));
            }
        }
    }
}
