//! What derived code calls: one function per kind of constraint, one trait for what it applies to.

use std::fmt;

use regex_lite::Regex;

use super::Pointer;
use crate::problem::Problems;

/// What a `range` applies to.
#[diagnostic::on_unimplemented(
    message = "`range` applies to a number, and `{Self}` is none",
    note = "for the items of a list write `inner(range(..))`"
)]
pub trait Ranged {
    /// The number's type, which is that of the bounds.
    type Number: PartialOrd + Copy + fmt::Display;

    /// The number; none where an optional one is absent.
    fn number(&self) -> Option<Self::Number>;
}

/// What a `length` applies to.
#[diagnostic::on_unimplemented(
    message = "`length` applies to a text or a list, and `{Self}` is neither",
    note = "for the items of a list write `inner(length(..))`"
)]
pub trait Length {
    /// What there is to count; none where an optional value is absent.
    fn measure(&self) -> Option<Measure<'_>>;
}

/// What a `pattern` or a format applies to.
#[diagnostic::on_unimplemented(
    message = "a pattern or a format applies to a text, and `{Self}` is none",
    note = "for the items of a list write `inner(..)` around it"
)]
pub trait Text {
    /// The text; none where an optional one is absent.
    fn text(&self) -> Option<&str>;
}

/// What `inner(..)` applies to.
#[diagnostic::on_unimplemented(
    message = "`inner` applies to the items of a list, and `{Self}` is none",
    note = "write the constraint without `inner`"
)]
pub trait Items {
    /// The type of the items.
    type Item;

    /// Shows each item with its place, where the kind of list has places.
    fn each(&self, at: &Pointer<'_>, show: impl FnMut(&Self::Item, &Pointer<'_>));
}

/// Something that has a length.
#[derive(Clone, Copy, Debug)]
pub enum Measure<'a> {
    /// Counted in Unicode scalar values, as JSON Schema does.
    Text(&'a str),
    /// Counted in items.
    Items(usize),
}

impl Measure<'_> {
    /// A scalar value takes one to four bytes, so most texts need no counting.
    #[inline]
    fn at_least(self, min: usize) -> bool {
        match self {
            Self::Text(text) => {
                text.len().div_ceil(4) >= min || (text.len() >= min && text.chars().count() >= min)
            }
            Self::Items(count) => count >= min,
        }
    }

    #[inline]
    fn at_most(self, max: usize) -> bool {
        match self {
            Self::Text(text) => {
                text.len() <= max || (text.len() <= max.saturating_mul(4) && text.chars().count() <= max)
            }
            Self::Items(count) => count <= max,
        }
    }

    const fn rule(self, text: &'static str, items: &'static str) -> &'static str {
        match self {
            Self::Text(_) => text,
            Self::Items(_) => items,
        }
    }

    const fn unit(self, count: usize) -> &'static str {
        match (self, count) {
            (Self::Text(_), 1) => "character",
            (Self::Text(_), _) => "characters",
            (Self::Items(_), 1) => "item",
            (Self::Items(_), _) => "items",
        }
    }
}

/// Formats of a text that are checked as well as written into the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Something before and something after one `@`, and no white space: no more can be said
    /// without sending a message to it.
    Email,
    /// An absolute URL (WHATWG).
    Uri,
    /// An address of either version.
    Ip,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
}

impl Format {
    fn fits(self, text: &str) -> bool {
        use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
        match self {
            Self::Email => text.split_once('@').is_some_and(|(local, domain)| {
                let plain =
                    |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c == '@');
                plain(local) && plain(domain)
            }),
            Self::Uri => url::Url::parse(text).is_ok(),
            Self::Ip => text.parse::<IpAddr>().is_ok(),
            Self::Ipv4 => text.parse::<Ipv4Addr>().is_ok(),
            Self::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
        }
    }

    const fn noun(self) -> &'static str {
        match self {
            Self::Email => "an email address",
            Self::Uri => "an absolute URL",
            Self::Ip => "an IP address",
            Self::Ipv4 => "an IPv4 address",
            Self::Ipv6 => "an IPv6 address",
        }
    }
}

/// Writes a problem down, out of the way of arguments that are fine.
#[cold]
#[inline(never)]
fn report(at: &Pointer<'_>, problems: &mut Problems, rule: &'static str, message: fmt::Arguments<'_>) {
    problems.push(at.to_string(), rule, message.to_string());
}

/// Checks a number against its bounds, both inclusive.
#[inline]
pub fn range<T: Ranged>(
    value: &T,
    min: Option<T::Number>,
    max: Option<T::Number>,
    at: &Pointer<'_>,
    problems: &mut Problems,
) {
    let Some(number) = value.number() else { return };
    if let Some(min) = min.filter(|min| number < *min) {
        report(at, problems, "minimum", format_args!("must be at least {min}"));
    }
    if let Some(max) = max.filter(|max| number > *max) {
        report(at, problems, "maximum", format_args!("must be at most {max}"));
    }
}

/// Checks a length against its bounds, both inclusive.
#[inline]
pub fn length<T: Length>(
    value: &T,
    min: Option<usize>,
    max: Option<usize>,
    at: &Pointer<'_>,
    problems: &mut Problems,
) {
    let Some(measure) = value.measure() else { return };
    if let Some(min) = min.filter(|min| !measure.at_least(*min)) {
        let rule = measure.rule("minLength", "minItems");
        report(at, problems, rule, format_args!("must have at least {min} {}", measure.unit(min)));
    }
    if let Some(max) = max.filter(|max| !measure.at_most(*max)) {
        let rule = measure.rule("maxLength", "maxItems");
        report(at, problems, rule, format_args!("must have at most {max} {}", measure.unit(max)));
    }
}

/// Checks a text against a pattern, which may match anywhere in it unless it is anchored.
pub fn pattern<T: Text>(value: &T, pattern: &Regex, at: &Pointer<'_>, problems: &mut Problems) {
    if value.text().is_some_and(|text| !pattern.is_match(text)) {
        report(at, problems, "pattern", format_args!("must match the pattern {}", pattern.as_str()));
    }
}

/// Checks a text against a format.
pub fn format<T: Text>(value: &T, format: Format, at: &Pointer<'_>, problems: &mut Problems) {
    if value.text().is_some_and(|text| !format.fits(text)) {
        report(at, problems, "format", format_args!("must be {}", format.noun()));
    }
}

/// Shows each item of a list to `show`.
pub fn each<T: Items>(value: &T, at: &Pointer<'_>, show: impl FnMut(&T::Item, &Pointer<'_>)) {
    value.each(at, show);
}
