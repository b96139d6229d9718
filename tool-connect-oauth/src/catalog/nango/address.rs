//! Texts with values of the configuration: addresses, and headers without secrets.

use super::report::Reason;
use super::template::{Part, parts};
use super::work::Work;
use crate::catalog::template::plain;

impl Work {
    /// A text with `{name}` for `${connectionConfig.name}`; `None`, and a finding, where it holds anything else. Of two
    /// texts with `||` between them the second gives the first one's value a default, if they are alike but for it; else one of
    /// them is taken.
    pub(super) fn filled(&mut self, key: &str, text: &str) -> Option<String> {
        let choices: Vec<&str> = text.split("||").map(str::trim).filter(|text| !text.is_empty()).collect();
        let (first, others) = choices.split_first()?;
        let mut taken = *first;
        if let Some(other) = others.first() {
            match default_of(first, other) {
                // A value that an address could not take cannot be its default: then the text itself is what is usable.
                Some((name, default)) if others.len() == 1 && plain(default) => {
                    self.parameter(&name, Some(default));
                }
                _ => {
                    // What needs nothing of a connection works for most of them.
                    taken = others.iter().find(|text| !text.contains("${")).unwrap_or(first);
                    self.loosened(key, Reason::Alternative, format!("only `{taken}` is taken"));
                }
            }
        }
        self.plainly(key, taken)
    }

    fn plainly(&mut self, key: &str, text: &str) -> Option<String> {
        let parts = match parts(text) {
            Ok(parts) => parts,
            Err(why) => {
                self.missing(key, Reason::Template, why);
                return None;
            }
        };
        let mut out = String::with_capacity(text.len());
        for part in parts {
            match part {
                Part::Text(text) if !text.contains(['{', '}']) => out.push_str(&text),
                Part::Config(name) if self.is_secret(&name) => {
                    let what =
                        format!("holds `{name}`, which is secret, and a connection's configuration is not");
                    self.missing(key, Reason::SecretPlace, what);
                    return None;
                }
                Part::Config(name) => {
                    let ours = self.parameter(&name, None);
                    out.push_str(&format!("{{{ours}}}"));
                }
                Part::Credential(name) => {
                    self.missing(key, Reason::SecretPlace, format!("holds the credential `{name}`"));
                    return None;
                }
                Part::AccessToken => {
                    self.missing(key, Reason::SecretPlace, "holds the access token");
                    return None;
                }
                Part::Text(other) | Part::Other(other) => {
                    let shown: String = other.chars().take(60).collect();
                    self.missing(
                        key,
                        Reason::Template,
                        format!("holds `{shown}`, which is only known at run time"),
                    );
                    return None;
                }
            }
        }
        Some(out)
    }

    /// Takes an address.
    pub(super) fn address(&mut self, key: &str) -> Option<String> {
        let text = self.text(key)?;
        let filled = self.filled(key, &text)?;
        self.expressed(key);
        Some(filled)
    }
}

/// The only value of the configuration in `first`, and what it is in `other`, which is the same text with that value.
fn default_of<'o>(first: &str, other: &'o str) -> Option<(String, &'o str)> {
    if other.contains("${") {
        return None;
    }
    let parts = parts(first).ok()?;
    let at = parts.iter().position(|part| !matches!(part, Part::Text(_)))?;
    let (before, rest) = parts.split_at(at);
    let (Part::Config(name), after) = (rest.first()?, rest.get(1..)?) else { return None };
    let text = |parts: &[Part]| match parts {
        [] => Some(String::new()),
        [Part::Text(text)] => Some(text.clone()),
        _ => None,
    };
    let default = other.strip_prefix(text(before)?.as_str())?.strip_suffix(text(after)?.as_str())?;
    (!default.is_empty()).then(|| (name.clone(), default))
}

#[cfg(test)]
mod tests {
    use super::default_of;

    #[test]
    fn a_default_is_what_the_other_text_has_there() {
        let host = "https://${connectionConfig.host}/token";
        assert_eq!(default_of(host, "https://a.example/token"), Some(("host".into(), "a.example")));
        assert_eq!(default_of("${connectionConfig.v}", "2"), Some(("v".into(), "2")));
        for (first, other) in [
            (host, "https://a.example/other"),
            (host, "https:///token"),
            (host, "https://${connectionConfig.site}/token"),
            ("https://${connectionConfig.a}.${connectionConfig.b}/", "https://a.b/"),
            ("${apiKey}", "x"),
            ("https://a.example", "https://a.example"),
        ] {
            assert_eq!(default_of(first, other), None, "{first}");
        }
    }
}
