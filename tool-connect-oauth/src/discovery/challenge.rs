//! `WWW-Authenticate` (RFC 9110 §11): what a resource wants instead of the request that it refused.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// Longest header that is read, in bytes.
const MAX_BYTES: usize = 16 * 1024;
/// Most challenges, and most parameters of one.
const MAX_PARTS: usize = 32;

/// One challenge: a scheme, and either one token or parameters.
///
/// ```
/// use tool_connect_oauth::discovery::parse_challenges;
///
/// let header = r#"Negotiate, Bearer realm="api", error="insufficient_scope", scope="read write""#;
/// let challenges = parse_challenges(header).expect("well formed");
/// assert_eq!(challenges[0].scheme, "negotiate");
/// assert_eq!(challenges[1].parameter("scope"), Some("read write"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Challenge {
    /// The scheme's name in lower case: `bearer`, `dpop`.
    pub scheme: String,
    /// The one token that some schemes have instead of parameters (`Negotiate` does).
    pub token: Option<String>,
    /// Parameters in their order, names in lower case, each name once.
    pub parameters: Vec<(String, String)>,
}

impl Challenge {
    /// A parameter's value, unquoted.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether it asks for an OAuth access token (RFC 6750 §3, RFC 9449 §7.1).
    #[must_use]
    pub fn wants_access_token(&self) -> bool {
        matches!(self.scheme.as_str(), "bearer" | "dpop")
    }
}

/// All challenges of an answer, those of several headers included. A header that is malformed counts as not there: an
/// answer that cannot be read asks for nothing.
#[must_use]
pub fn challenges(headers: &HeaderMap) -> Vec<Challenge> {
    let values = headers.get_all(WWW_AUTHENTICATE).iter().take(MAX_PARTS);
    let mut all: Vec<Challenge> =
        values.filter_map(|value| parse_challenges(value.to_str().ok()?)).flatten().collect();
    all.truncate(MAX_PARTS);
    all
}

/// The challenges of one header (RFC 9110 §11.6.1); `None` where it is malformed: no grammar, a parameter twice, too long.
///
/// Commas stand between parameters and between challenges alike; a name followed by `=` is a parameter, anything else
/// begins the next challenge.
#[must_use]
pub fn parse_challenges(header: &str) -> Option<Vec<Challenge>> {
    if header.len() > MAX_BYTES {
        return None;
    }
    let mut input = Input { rest: header };
    let mut found: Vec<Challenge> = Vec::new();
    loop {
        input.commas();
        if input.rest.is_empty() {
            return Some(found);
        }
        let word = input.token()?;
        if let Some(challenge) = found.last_mut().filter(|challenge| challenge.token.is_none())
            && input.equals()
        {
            challenge.push(word, input.value()?)?;
        } else {
            if found.len() == MAX_PARTS {
                return None;
            }
            let mut challenge =
                Challenge { scheme: word.to_ascii_lowercase(), token: None, parameters: Vec::new() };
            if input.spaces() {
                input.first_of(&mut challenge)?;
            }
            found.push(challenge);
        }
        // An element ends with a comma or the header.
        input.spaces();
        if !(input.rest.is_empty() || input.rest.starts_with(',')) {
            return None;
        }
    }
}

impl Challenge {
    fn push(&mut self, name: &str, value: String) -> Option<()> {
        // A parameter must not stand twice: which one counts would depend on the reader.
        if self.parameters.len() == MAX_PARTS || self.parameter(name).is_some() {
            return None;
        }
        self.parameters.push((name.to_ascii_lowercase(), value));
        Some(())
    }
}

struct Input<'h> {
    rest: &'h str,
}

impl<'h> Input<'h> {
    /// Takes the bytes that fit.
    fn take(&mut self, fits: impl Fn(u8) -> bool) -> &'h str {
        let end = self.rest.bytes().position(|byte| !fits(byte)).unwrap_or(self.rest.len());
        // What fits is ASCII, so the place is between two characters.
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// Skips spaces and tabs; whether there were any.
    fn spaces(&mut self) -> bool {
        !self.take(|byte| matches!(byte, b' ' | b'\t')).is_empty()
    }

    /// Skips what stands between the elements of a list; empty elements are allowed (RFC 9110 §5.6.1).
    fn commas(&mut self) {
        self.take(|byte| matches!(byte, b' ' | b'\t' | b','));
    }

    /// RFC 9110 §5.6.2.
    fn token(&mut self) -> Option<&'h str> {
        let token = self.take(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        (!token.is_empty()).then_some(token)
    }

    /// `=` with optional spaces around it; nothing is taken where there is none.
    fn equals(&mut self) -> bool {
        let trimmed = self.rest.trim_start_matches([' ', '\t']);
        let Some(after) = trimmed.strip_prefix('=') else { return false };
        self.rest = after.trim_start_matches([' ', '\t']);
        true
    }

    /// What follows a scheme: nothing, its first parameter, or its one token.
    fn first_of(&mut self, challenge: &mut Challenge) -> Option<()> {
        if self.rest.is_empty() || self.rest.starts_with(',') {
            return Some(());
        }
        let begin = self.rest;
        if let Some(name) = self.token()
            && self.equals()
        {
            // `name=` at the end of an element is a token with its padding, not a parameter without a value.
            let ends = self.rest.is_empty() || self.rest.starts_with(',') || self.rest.starts_with('=');
            if !ends {
                return challenge.push(name, self.value()?);
            }
        }
        self.rest = begin;
        challenge.token = Some(self.token68()?.to_owned());
        Some(())
    }

    /// RFC 9110 §11.2.
    fn token68(&mut self) -> Option<&'h str> {
        let begin = self.rest;
        let text = self.take(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte));
        let padding = self.take(|byte| byte == b'=');
        (!text.is_empty()).then(|| begin.get(..text.len() + padding.len())).flatten()
    }

    /// A token or a quoted string (RFC 9110 §5.6.4).
    fn value(&mut self) -> Option<String> {
        let Some(quoted) = self.rest.strip_prefix('"') else {
            return self.token().map(str::to_owned);
        };
        let mut value = String::new();
        let mut characters = quoted.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = quoted.get(at + 1..)?;
                    return Some(value);
                }
                '\\' => value.push(characters.next()?.1),
                other => value.push(other),
            }
        }
        None
    }
}
