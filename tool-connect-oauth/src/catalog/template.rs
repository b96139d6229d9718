//! `{name}` in addresses, filled so that a value stays where the address has it.

use std::collections::BTreeMap;

use regex_lite::Regex;
use tool_connect_core::{Error, ErrorKind, Result};
use url::Url;

use super::entry::{Parameter, ProviderEntry};

/// Longest value of a parameter, in bytes: a host name is no longer.
const MAX_VALUE: usize = 253;

/// Fills the addresses of one entry with the values of one connection.
pub(super) struct Filler<'a> {
    entry: &'a ProviderEntry,
    values: BTreeMap<&'a str, &'a str>,
}

impl<'a> Filler<'a> {
    /// Checks every declared parameter's value against its pattern. Other values of the configuration are left alone: they
    /// may be the connector's.
    pub(super) fn new(entry: &'a ProviderEntry, config: &'a BTreeMap<String, String>) -> Result<Self> {
        let mut values = BTreeMap::new();
        for (name, parameter) in &entry.parameters {
            let Some(value) = config.get(name).or(parameter.default.as_ref()) else {
                return Err(unfit(entry, name, parameter, "is missing"));
            };
            let pattern = compiled(entry, name, parameter)?;
            if value.len() > MAX_VALUE || !plain(value) || !pattern.is_match(value) {
                return Err(unfit(entry, name, parameter, "does not fit"));
            }
            values.insert(name.as_str(), value.as_str());
        }
        Ok(Self { entry, values })
    }

    /// The text with every `{name}` replaced.
    pub(super) fn text(&self, key: &str, template: &str) -> Result<String> {
        fill(template, |name| self.values.get(name).copied()).map_err(|why| {
            Error::new(ErrorKind::Config, format!("provider `{}`: `{key}` {why}", self.entry.id))
        })
    }

    /// The address with every `{name}` replaced, checked: `https` (or this machine's own where the entry allows it), no user
    /// name, no fragment, and exactly the host that the text says.
    pub(super) fn url(&self, key: &str, template: &str) -> Result<Url> {
        let text = self.text(key, template)?;
        checked(&text, self.entry.allow_loopback).map_err(|why| {
            Error::new(ErrorKind::Config, format!("provider `{}`: `{key}` {why}", self.entry.id))
        })
    }
}

/// The parameter's pattern, for the whole value.
pub(super) fn compiled(entry: &ProviderEntry, name: &str, parameter: &Parameter) -> Result<Regex> {
    Regex::new(&format!("^(?:{})$", parameter.pattern)).map_err(|error| {
        Error::new(
            ErrorKind::Config,
            format!("provider `{}`: `parameters.{name}.pattern` is no regular expression: {error}", entry.id),
        )
    })
}

/// Says which value is wrong and what it should be like; never the value itself, which somebody typed.
fn unfit(entry: &ProviderEntry, name: &str, parameter: &Parameter, why: &str) -> Error {
    let mend =
        format!("`{name}` {why}. {} For example `{}`.", parameter.description.trim_end(), parameter.example);
    Error::new(ErrorKind::Config, format!("provider `{}`: the connection's value {mend}", entry.id))
        .public(format!("The value {mend}"))
        .with("provider", &entry.id)
        .with("parameter", name)
}

/// Characters that mean themselves anywhere in an address. Whatever the pattern says, nothing else may go in, and no value
/// may be a step in a path.
pub(super) fn plain(value: &str) -> bool {
    !value.is_empty()
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'~'))
        && !value.contains("..")
        && value != "."
}

/// Replaces `{name}`; the error says what is wrong with the text.
fn fill<'v>(template: &str, value: impl Fn(&str) -> Option<&'v str>) -> Result<String, String> {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').ok_or("has a `{` without its `}`")?;
        filled.push_str(before);
        filled.push_str(value(name).ok_or_else(|| {
            format!(
                "holds `{{{name}}}`, which `parameters` does not declare: declare it or write the text itself"
            )
        })?);
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Parses an address and checks that it goes where its text says.
pub(super) fn checked(text: &str, allow_loopback: bool) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("is no address: {error}"))?;
    let host = url.host_str().ok_or("has no host")?;
    match url.scheme() {
        "https" => {}
        "http" if allow_loopback && loopback(&url) => {}
        "http" if loopback(&url) => {
            return Err("is not `https`; set `allow_loopback = true` in the entry for development".into());
        }
        _ => return Err("must be `https`".into()),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user name or a password".into());
    }
    if url.fragment().is_some() {
        return Err("must not hold a fragment (`#`)".into());
    }
    // What the parser made of it must be what was written: no other spelling of a host (upper case, percent signs,
    // Unicode), nothing that ends the host early, no steps in the path.
    let written = text.split_once("://").map_or("", |(_, rest)| rest);
    let end = written.find(['/', '?']).unwrap_or(written.len());
    let (authority, rest) = written.split_at(end);
    let same_host = authority == host
        || authority.rsplit_once(':').is_some_and(|(name, port)| {
            name == host && url.port_or_known_default().is_some_and(|p| p.to_string() == port)
        });
    if !same_host {
        return Err("names its host in a way that could be misread; write it in lower case, as it is".into());
    }
    let path = rest.split('?').next().unwrap_or_default();
    if path != url.path() && !(path.is_empty() && url.path() == "/") {
        return Err("has a path that could be misread; write it without `.`, `..` and spaces".into());
    }
    Ok(url)
}

fn loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
