//! `${...}` in the file's texts, and what of it has a counterpart here.

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// What stands there.
    Text(String),
    /// `${connectionConfig.name}`.
    Config(String),
    /// `${credentials.name}`; `${apiKey}` is the credential `apiKey`, likewise `${username}` and `${password}`.
    Credential(String),
    /// `${accessToken}`.
    AccessToken,
    /// Anything else, as it stands.
    Other(String),
}

/// The parts of a text; an error says what is malformed.
pub(super) fn parts(text: &str) -> Result<Vec<Part>, &'static str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        let end = closing(after).ok_or("has a `${` without its `}`")?;
        let (inner, behind) = after.split_at(end);
        parts.push(part(inner.trim()));
        rest = behind.get(1..).unwrap_or_default();
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Ok(parts)
}

/// Where the brace that is open closes; others may be within.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn part(inner: &str) -> Part {
    let is_name = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    match inner.split_once('.') {
        None if matches!(inner, "apiKey" | "username" | "password") => Part::Credential(inner.to_owned()),
        None if inner == "accessToken" => Part::AccessToken,
        Some(("connectionConfig", name)) if is_name(name) => Part::Config(name.to_owned()),
        Some(("credentials", name)) if is_name(name) => Part::Credential(name.to_owned()),
        _ => Part::Other(inner.to_owned()),
    }
}

/// `Basic ${base64(${a}:${b})}`: the names of the two credentials.
pub(super) fn basic(text: &str) -> Option<(String, String)> {
    let inner = text.trim().strip_prefix("Basic ${base64(")?.strip_suffix(")}")?;
    match parts(inner).ok()?.as_slice() {
        [Part::Credential(user), Part::Text(colon), Part::Credential(password)] if colon == ":" => {
            Some((user.clone(), password.clone()))
        }
        _ => None,
    }
}

/// A name of the file's as names are here: `account_id` for `accountId` and `account-id`.
pub(super) fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut before = ' ';
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            if before.is_ascii_lowercase() || before.is_ascii_digit() {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
        } else if c.is_ascii_lowercase() || c.is_ascii_digit() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        before = c;
    }
    let out = out.trim_matches('_').replace("__", "_");
    if out.starts_with(|c: char| c.is_ascii_digit()) { format!("p_{out}") } else { out }
}

/// A path with dots as a JSON pointer (RFC 6901).
pub(super) fn pointer(path: &str) -> String {
    path.split('.').map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart() {
        use Part::{AccessToken, Config, Credential, Other, Text};
        let all = |text| parts(text).unwrap();
        assert_eq!(
            all("https://${connectionConfig.site}/x"),
            [Text("https://".into()), Config("site".into()), Text("/x".into())]
        );
        assert_eq!(all("Bearer ${apiKey}"), [Text("Bearer ".into()), Credential("apiKey".into())]);
        assert_eq!(all("${ credentials.key }"), [Credential("key".into())]);
        assert_eq!(all("${accessToken}"), [AccessToken]);
        for other in ["${now:X}", "${connectionConfig.a.b}", "${base64(${apiKey}:)}", "${}", "${x}"] {
            assert!(matches!(all(other).as_slice(), [Other(_)]), "{other}");
        }
        assert!(parts("https://${connectionConfig.site").is_err());
        let both = ("a".to_owned(), "b".to_owned());
        assert_eq!(basic("Basic ${base64(${credentials.a}:${credentials.b})}"), Some(both));
        assert_eq!(basic("Basic ${base64(${apiKey}:)}"), None);
    }

    #[test]
    fn names_and_paths_are_as_they_are_here() {
        for (theirs, ours) in [
            ("accountId", "account_id"),
            ("accounts-server", "accounts_server"),
            ("API_KEY", "api_key"),
            ("8x8", "p_8x8"),
            ("a--b_", "a_b"),
            ("", ""),
        ] {
            assert_eq!(snake(theirs), ours, "{theirs}");
        }
        assert_eq!(pointer("data.next~page/x"), "/data/next~0page~1x");
    }
}
