//! Addresses of mail (RFC 5322 §3.4).

use tool_connect_core::{Error, Result};

/// One address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) name: Option<String>,
    pub(super) email: String,
}

impl Address {
    /// Reads `ada@example.com` or `Ada Lovelace <ada@example.com>`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.chars().any(char::is_control) {
            return None;
        }
        let (name, email) = match text.strip_suffix('>') {
            Some(rest) => rest.rsplit_once('<')?,
            None => ("", text),
        };
        let email = email.trim();
        let (local, domain) = email.rsplit_once('@')?;
        let is_bad =
            |c: char| c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';' | ':' | '"' | '(' | ')' | '\\');
        if local.is_empty()
            || domain.is_empty()
            || email.len() > 320
            || email.contains(is_bad)
            || local.contains('@')
        {
            return None;
        }
        let name = name.trim().trim_matches('"').replace("\\\"", "\"").replace("\\\\", "\\");
        // A name that stands there encoded (RFC 2047) would be encoded once more.
        let name = (!name.is_empty() && !name.contains("=?")).then_some(name);
        Some(Self { name, email: email.to_owned() })
    }

    /// Reads the addresses of an argument; `pointer` is where they stand.
    pub(super) fn parse_all(pointer: &str, texts: &[String]) -> Result<Vec<Self>> {
        let read = |(at, text): (usize, &String)| {
            Self::parse(text).ok_or_else(|| {
                Error::invalid_argument(
                    format!("{pointer}/{at}"),
                    "must be one address: `ada@example.com` or `Ada Lovelace <ada@example.com>`",
                )
            })
        };
        texts.iter().enumerate().map(read).collect()
    }

    /// Reads the addresses of a header; what cannot be read, such as the name of a group, is left out.
    pub(super) fn of_header(value: &str) -> Vec<Self> {
        let uncommented = |text: &str| match text.trim().strip_suffix(')') {
            Some(rest) => Self::parse(rest.rsplit_once('(').map_or(rest, |(before, _)| before)),
            None => Self::parse(text),
        };
        // A long header may be folded.
        let value: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        split(&value).into_iter().filter_map(uncommented).collect()
    }

    pub(super) fn is(&self, other: &str) -> bool {
        self.email.eq_ignore_ascii_case(other)
    }
}

/// Cuts a list of addresses at commas and semicolons, but for those in quotes, comments and angle brackets.
fn split(value: &str) -> Vec<&str> {
    let (mut parts, mut from, mut depth, mut quoted, mut escaped) = (Vec::new(), 0, 0_u32, false, false);
    for (at, c) in value.char_indices() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match c {
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '(' | '<' if !quoted => depth += 1,
            ')' | '>' if !quoted => depth = depth.saturating_sub(1),
            ',' | ';' if !quoted && depth == 0 => {
                parts.push(&value[from..at]);
                from = at + 1;
            }
            // The name of a group (RFC 5322 §3.4).
            ':' if !quoted && depth == 0 => from = at + 1,
            _ => {}
        }
    }
    parts.push(&value[from..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emails(value: &str) -> Vec<String> {
        Address::of_header(value).into_iter().map(|address| address.email).collect()
    }

    #[test]
    fn addresses_with_and_without_names() {
        let ada = Address::parse(" \"Lovelace, Ada\" <ada@example.com> ").unwrap();
        assert_eq!((ada.name.as_deref(), &*ada.email), (Some("Lovelace, Ada"), "ada@example.com"));
        assert_eq!(Address::parse("ada@example.com").unwrap().name, None);
        assert_eq!(Address::parse("=?utf-8?B?w6Q=?= <a@b.c>").unwrap().name, None);
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@example.com, bob@example.com",
            "ada@example.com\r\nBcc: eve@example.com",
            "Ada\nBcc: x <ada@example.com>",
            "Ada <ada@example.com> x",
            "a b@example.com",
            "<a@b.c><d@e.f",
            "a@b@c",
        ] {
            assert_eq!(Address::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn lists_are_cut_where_addresses_end() {
        assert_eq!(emails("\"A, B\" <a@x.y>, c@x.y (C, D)"), ["a@x.y", "c@x.y"]);
        assert_eq!(emails("a@x.y, b@x.y,, C <c@x.y>"), ["a@x.y", "b@x.y", "c@x.y"]);
        assert_eq!(emails("undisclosed-recipients:;"), [""; 0]);
        assert_eq!(emails("Team: a@x.y, b@x.y;"), ["a@x.y", "b@x.y"]);
        assert_eq!(emails("\"a\\\", b\" <a@x.y>"), ["a@x.y"]);
    }
}
