//! From text to an entry that makes sense, or a sentence that says which key does not.

use std::collections::BTreeMap;

use tool_connect_core::{Error, ErrorKind, Result, check_name};

use super::entry::{Probe, ProviderEntry};
use super::template::compiled;

/// Longest id of an entry.
const MAX_ID: usize = 48;

/// Reads an entry; `file` is named in errors.
pub(super) fn parse(text: &str, file: &str) -> Result<ProviderEntry> {
    let entry: ProviderEntry = toml::from_str(text).map_err(|error| {
        let place = error.span().map_or(String::new(), |span| {
            let before = text.get(..span.start).unwrap_or(text);
            let line = before.matches('\n').count();
            let shown = text.lines().nth(line).unwrap_or_default().trim();
            if shown.is_empty() {
                format!(", line {}", line + 1)
            } else {
                format!(", line {} (`{}`)", line + 1, shown.chars().take(80).collect::<String>())
            }
        });
        Error::new(ErrorKind::Config, format!("{file}{place}: {}", error.message()))
    })?;
    let checked = entry.check().and_then(|()| explained(&entry));
    checked.map_err(|error| Error::new(ErrorKind::Config, format!("{file}: {}", error.message())))?;
    Ok(entry)
}

/// What a file owes its readers, and an entry made of a server's metadata does not: what each scope allows.
fn explained(entry: &ProviderEntry) -> Result<()> {
    match entry.scopes.known.iter().find(|(_, meaning)| meaning.trim().is_empty()) {
        None => Ok(()),
        Some((scope, _)) => Err(Error::new(
            ErrorKind::Config,
            format!(
                "provider `{}`: `scopes.known.\"{scope}\"` is empty: say what the scope allows",
                entry.id
            ),
        )),
    }
}

impl ProviderEntry {
    /// Checks what types cannot say: the id, patterns, pointers, that every address resolves with the parameters' examples.
    /// The catalog does so with every entry.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] that names the key, and what is expected there.
    pub fn check(&self) -> Result<()> {
        check_name("the provider's id", &self.id, MAX_ID)?;
        let wrong = |key: &str, why: &str| {
            Err(Error::new(ErrorKind::Config, format!("provider `{}`: `{key}` {why}", self.id)))
        };
        if self.name.trim().is_empty() {
            return wrong("name", "is empty: people read it where they connect");
        }
        if self.scopes.separator.is_empty() {
            return wrong("scopes.separator", "is empty: it must keep two scopes apart");
        }
        if self.client_auth.is_empty() {
            return wrong(
                "client_auth",
                "is empty: name at least one of `none`, `basic`, `post`, `private_key_jwt`",
            );
        }
        for reserved in RESERVED {
            if self.authorize_params.contains_key(*reserved) {
                return wrong(
                    &format!("authorize_params.{reserved}"),
                    "is the library's to set; take it out of the entry",
                );
            }
        }
        for (key, names) in
            [("authorize_names", &self.authorize_names), ("token_request.names", &self.token_request.names)]
        {
            let mut theirs: Vec<&str> = names.values().map(String::as_str).collect();
            theirs.sort_unstable();
            if theirs.windows(2).any(|pair| pair[0] == pair[1]) || theirs.iter().any(|name| name.is_empty()) {
                return wrong(key, "gives two parameters one name, or an empty one");
            }
        }
        for (name, parameter) in &self.parameters {
            check_name("the parameter", name, MAX_ID)?;
            let pattern = compiled(self, name, parameter)?;
            for (key, value) in
                [("example", Some(&parameter.example)), ("default", parameter.default.as_ref())]
            {
                if value.is_some_and(|value| !pattern.is_match(value)) {
                    return wrong(
                        &format!("parameters.{name}.{key}"),
                        "does not match the pattern beside it",
                    );
                }
            }
        }
        for (key, pointer) in self.pointers() {
            if !(pointer.is_empty() || pointer.starts_with('/')) {
                return wrong(&key, "is no JSON pointer (RFC 6901): it begins with `/`, as in `/user/id`");
            }
        }
        if let Some(probe) = &self.probe {
            if probe.id.is_empty() {
                return wrong("probe.id", "is empty: name the JSON pointer to the account's id");
            }
            if probe.label.is_empty() {
                return wrong(
                    "probe.label",
                    "is empty: name the JSON pointer to what people know the account by",
                );
            }
            let kept = |pointer: &&String| self.token_response.extra.values().any(|kept| kept == *pointer);
            if probe.request.is_none()
                && let Some(lost) = probe.id.iter().chain(&probe.label).find(|pointer| !kept(pointer))
            {
                return wrong(
                    "probe",
                    &format!(
                        "has no request and reads `{lost}`, which is not kept: name it in `token_response.extra`"
                    ),
                );
            }
            if let Some(json) = probe.request.as_ref().and_then(|request| request.json.as_deref())
                && serde_json::from_str::<serde_json::Value>(json).is_err()
            {
                return wrong("probe.request.json", "is no JSON");
            }
        }
        self.resolve(&self.example_config()).map(|_| ())
    }

    /// A configuration made of the parameters' examples.
    #[must_use]
    pub fn example_config(&self) -> BTreeMap<String, String> {
        self.parameters.iter().map(|(name, parameter)| (name.clone(), parameter.example.clone())).collect()
    }

    /// Every JSON pointer with its key.
    fn pointers(&self) -> Vec<(String, &str)> {
        let answer = &self.token_response;
        let mut pointers = vec![
            ("token_response.access_token".to_owned(), answer.access_token.as_str()),
            ("token_response.refresh_token".to_owned(), answer.refresh_token.as_str()),
            ("token_response.expires_in".to_owned(), answer.expires_in.at.as_str()),
            ("token_response.scope".to_owned(), answer.scope.as_str()),
            ("token_response.error".to_owned(), answer.error.as_str()),
        ];
        if let Some(pointer) = &answer.expires_at {
            pointers.push(("token_response.expires_at".to_owned(), pointer));
        }
        if let Some(lifetime) = &answer.refresh_expires_in {
            pointers.push(("token_response.refresh_expires_in".to_owned(), &lifetime.at));
        }
        for (name, pointer) in &answer.extra {
            pointers.push((format!("token_response.extra.{name}"), pointer));
        }
        if let Some(Probe { id, label, .. }) = &self.probe {
            pointers.extend(id.iter().map(|pointer| ("probe.id".to_owned(), pointer.as_str())));
            pointers.extend(label.iter().map(|pointer| ("probe.label".to_owned(), pointer.as_str())));
        }
        pointers
    }
}

/// Parameters of an authorization request that carry its security.
const RESERVED: &[&str] = &[
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "resource",
    "response_type",
    "scope",
    "state",
];
