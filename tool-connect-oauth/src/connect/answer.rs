//! What the provider sends the browser back with (RFC 6749 §4.1.2, RFC 9207).

use std::fmt;

use secrecy::SecretString;
use url::form_urlencoded;

use super::random;

/// Longest query that is looked at, in bytes.
const LONGEST: usize = 16 << 10;
/// Longest code, in bytes.
const LONGEST_CODE: usize = 8 << 10;

/// The parameters of a callback. `Debug` prints neither code nor state.
pub(super) struct Answer {
    pub(super) state: String,
    pub(super) iss: Option<String>,
    pub(super) end: End,
}

/// How the consent ended at the provider.
pub(super) enum End {
    /// With a code.
    Code(SecretString),
    /// With an error's code; what else the provider said of it is not for users.
    Error(String),
}

impl Answer {
    /// Reads a query; `None` for one that no provider sends: without state, with a parameter twice, with both a code and an
    /// error, or with neither.
    pub(super) fn parse(query: Option<&str>) -> Option<Self> {
        let query = query.filter(|query| query.len() <= LONGEST)?;
        let [mut state, mut code, mut iss, mut error] = [None, None, None, None];
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "state" => &mut state,
                "code" => &mut code,
                "iss" => &mut iss,
                "error" => &mut error,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return None;
            }
        }
        let end = match (code, error) {
            // RFC 6749 appendix A.11: visible characters.
            (Some(code), None)
                if !code.is_empty()
                    && code.len() <= LONGEST_CODE
                    && code.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) =>
            {
                End::Code(code.into())
            }
            (None, Some(error)) => End::Error(error_code(&error)),
            _ => return None,
        };
        Some(Self { state: state.filter(|state| random::plausible(state))?, iss, end })
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("iss", &self.iss).finish_non_exhaustive()
    }
}

/// An error's code as RFC 6749 §4.1.2.1 has them; anything else is only "an error".
fn error_code(text: &str) -> String {
    let known =
        !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if known { text.to_owned() } else { "error".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: &str = "0123456789012345678901234567890123456789abc";

    fn read(query: &str) -> Option<Answer> {
        Answer::parse(Some(query))
    }

    #[test]
    fn what_a_provider_sends_is_read() {
        let answer =
            read(&format!("code=a%2Fb&state={STATE}&iss=https%3A%2F%2Fas.example%2F&scope=x")).unwrap();
        assert_eq!((answer.state.as_str(), answer.iss.as_deref()), (STATE, Some("https://as.example/")));
        assert!(matches!(answer.end, End::Code(_)));
        assert!(!format!("{answer:?}").contains(STATE));
        let denied = read(&format!("error=access_denied&error_description=no&state={STATE}")).unwrap();
        assert!(matches!(denied.end, End::Error(code) if code == "access_denied"));
        let odd = read(&format!("error=%3Cscript%3E&state={STATE}")).unwrap();
        assert!(matches!(odd.end, End::Error(code) if code == "error"));
    }

    #[test]
    fn hostile_callbacks_are_refused() {
        let long = "x".repeat(LONGEST_CODE + 1);
        for query in [
            String::new(),
            format!("state={STATE}"),
            "code=c".to_owned(),
            format!("code=c&state={STATE}&state={STATE}"),
            format!("code=c&code=d&state={STATE}"),
            format!("code=c&state={STATE}&iss=a&iss=b"),
            format!("code=c&error=access_denied&state={STATE}"),
            format!("code=&state={STATE}"),
            format!("code=%00&state={STATE}"),
            format!("code=%E2%82%AC&state={STATE}"),
            format!("code={long}&state={STATE}"),
            format!("code=c&state={STATE}x"),
            format!("code=c&state={}", "€".repeat(15)),
            format!("code=c&state={STATE}&x={}", "y".repeat(LONGEST)),
        ] {
            assert!(read(&query).is_none(), "{query}");
        }
        assert!(Answer::parse(None).is_none());
    }
}
