//! The Retry-After header in both of its forms, RFC 9110 §10.2.3.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Reads the value of a Retry-After header: a number of seconds, or an HTTP date (RFC 9110 §5.6.7, all three formats).
///
/// A date is turned into the time from `now`, zero if it has passed. `None` for anything else. The caller caps the wait,
/// as [`RetryPolicy`](super::RetryPolicy) does.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tool_connect_tower::retry::parse_retry_after;
///
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT
/// assert_eq!(parse_retry_after("120", now), Some(Duration::from_secs(120)));
/// assert_eq!(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now), Some(Duration::from_secs(60)));
/// assert_eq!(parse_retry_after("soon", now), None);
/// ```
#[must_use]
pub fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim_matches([' ', '\t']);
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number too large for any clock still means "wait", so it is not dropped.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let date = Duration::from_secs(http_date(value, since_epoch.as_secs())?);
    Some(date.saturating_sub(since_epoch))
}

/// Seconds since 1970 of an HTTP date; `now` only decides the century of a two-digit year.
fn http_date(value: &str, now: u64) -> Option<u64> {
    let (day_name, rest) = value.split_once(' ')?;
    if let Some(name) = day_name.strip_suffix(',') {
        if DAYS.contains(&name) {
            imf_fixdate(rest)
        } else if LONG_DAYS.contains(&name) {
            rfc850(rest, now)
        } else {
            None
        }
    } else if DAYS.contains(&day_name) {
        asctime(rest)
    } else {
        None
    }
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const LONG_DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `06 Nov 1994 08:49:37 GMT`
fn imf_fixdate(text: &str) -> Option<u64> {
    let [day, month, year, time, zone] = parts(text, ' ')?;
    seconds(number(year, 4)?, month, number(day, 2)?, time, zone)
}

/// `06-Nov-94 08:49:37 GMT`, where a date more than 50 years ahead means the century before.
fn rfc850(text: &str, now: u64) -> Option<u64> {
    let [date, time, zone] = parts(text, ' ')?;
    let [day, month, year] = parts(date, '-')?;
    let this_year = 1970 + now / 31_556_952;
    let year = this_year - this_year % 100 + number(year, 2)?;
    let year = if year > this_year + 50 { year - 100 } else { year };
    seconds(year, month, number(day, 2)?, time, zone)
}

/// `Nov  6 08:49:37 1994`
fn asctime(text: &str) -> Option<u64> {
    let (month, rest) = text.split_once(' ')?;
    let [day, time, year] = parts(rest.strip_prefix(' ').unwrap_or(rest), ' ')?;
    let digits = if rest.starts_with(' ') { 1 } else { 2 };
    seconds(number(year, 4)?, month, number(day, digits)?, time, "GMT")
}

fn parts<const N: usize>(text: &str, separator: char) -> Option<[&str; N]> {
    let mut found = text.split(separator);
    let mut parts = [""; N];
    for part in &mut parts {
        *part = found.next()?;
    }
    found.next().is_none().then_some(parts)
}

fn number(text: &str, digits: usize) -> Option<u64> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

fn seconds(year: u64, month: &str, day: u64, time: &str, zone: &str) -> Option<u64> {
    let month = MONTHS.iter().position(|name| *name == month)?;
    let [hour, minute, second] = parts(time, ':')?;
    let (hour, minute, second) = (number(hour, 2)?, number(minute, 2)?, number(second, 2)?);
    let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    // A leap second, 60, counts as the second that follows.
    let valid = zone == "GMT" && year >= 1970 && hour < 24 && minute < 60 && second <= 60;
    if !valid || day == 0 || day > *lengths.get(month)? {
        return None;
    }
    let earlier = year - 1;
    let leap_days = earlier / 4 - earlier / 100 + earlier / 400 - 477;
    let days = (year - 1970) * 365 + leap_days + lengths.iter().take(month).sum::<u64>() + day - 1;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn the_three_date_formats_of_rfc_9110_name_the_same_second() {
        for date in
            ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        {
            assert_eq!(parse_retry_after(date, at(784_111_700)), Some(Duration::from_secs(77)), "{date}");
        }
    }

    #[test]
    fn days_are_counted_through_leap_years_and_centuries() {
        let known = [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
            ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
            ("Mon, 23 Nov 2026 15:00:00 GMT", 1_795_446_000),
        ];
        for (date, seconds) in known {
            assert_eq!(http_date(date, 0), Some(seconds), "{date}");
        }
    }

    #[test]
    fn a_date_that_has_passed_means_now() {
        assert_eq!(
            parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", at(1_795_446_000)),
            Some(Duration::ZERO)
        );
    }

    #[test]
    fn two_digit_years_fall_within_fifty_years() {
        let in_2026 = 1_795_446_000;
        assert_eq!(
            http_date("Sunday, 01-Jan-30 00:00:00 GMT", in_2026),
            http_date("Tue, 01 Jan 2030 00:00:00 GMT", 0)
        );
        assert_eq!(
            http_date("Sunday, 01-Jan-94 00:00:00 GMT", in_2026),
            http_date("Sat, 01 Jan 1994 00:00:00 GMT", 0)
        );
    }

    #[test]
    fn numbers_of_any_size_are_waits() {
        assert_eq!(parse_retry_after(" 0 ", at(0)), Some(Duration::ZERO));
        assert_eq!(parse_retry_after("99999999999999999999999", at(0)), Some(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn everything_else_is_nothing() {
        let wrong = [
            "",
            " ",
            "-5",
            "1.5",
            "+3",
            "soon",
            "5 s",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 31 Nov 1994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Mon, 29 Feb 2100 00:00:00 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "Son, 06 Nov 1994 08:49:37 GMT",
            "Sun Nov 6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37 GMT x",
            "١٢٠",
        ];
        for value in wrong {
            assert_eq!(parse_retry_after(value, at(0)), None, "{value:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".*", day in 0_u32..40, year in 0_u32..10_000, now in 0_u64..1 << 40) {
            let _ = parse_retry_after(&text, at(now));
            let _ = parse_retry_after(&format!("Sun, {day:02} Feb {year:04} 08:49:37 GMT"), at(now));
            let _ = parse_retry_after(&format!("Sunday, {day:02}-Feb-{:02} 08:49:37 GMT", year % 100), at(now));
        }
    }
}
