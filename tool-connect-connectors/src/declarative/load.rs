//! From a text to a connector: size, syntax, what the loader allows.

use std::collections::BTreeMap;
use std::path::Path;

use http::{HeaderName, HeaderValue};
use semver::Version;
use serde_json::Value;
use tool_connect_core::{AuthScheme, ConnectorManifest, Error, ErrorKind, InstanceId, Result};
use url::Url;

use super::builtin;
use super::connector::{Declarative, Entry};
use super::file::{Config, ErrorAnswer, File, OneOrMany};
use super::operation;
use crate::headers::refusal;
use crate::operation::{ErrorRule, Parameter, Place};

/// Largest file, in bytes.
const MAX_FILE: u64 = 256 * 1024;
/// Most tools of a file.
const MAX_TOOLS: usize = 500;

/// A mistake at a place of the file.
pub(super) fn wrong(place: &str, why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Config, format!("`{place}` {why}"))
}

/// Reads declarative files, and says what they may do.
///
/// A file from the host may name what it likes. A file from a tenant ([`Loader::for_tenant`]) may not use providers of the
/// OAuth catalog, which stand for the host's own clients, unless the host names them with the hosts that their tokens may
/// go to. What no file can do: change the address guard, reach private addresses, see a secret.
///
/// ```
/// use tool_connect_connectors::declarative::Loader;
///
/// let text = r#"
///     id = "shop"
///     name = "Shop"
///     description = "Orders of a shop."
///     base_url = "https://{shop}.shop.example/api"
///     config.shop = { description = "The shop's name.", pattern = "[a-z0-9-]+" }
///     auth = { type = "bearer" }
///
///     [tools.get_order]
///     description = "Reads one order by its number."
///     method = "GET"
///     path = "/orders/{number}"
///     args.number = { type = "integer", description = "The order's number." }
/// "#;
/// let shop = Loader::new().config("shop", "acme").from_toml(text)?;
/// assert_eq!(shop.base_url().as_str(), "https://acme.shop.example/api");
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a loader does nothing until it loads"]
pub struct Loader {
    config: BTreeMap<String, String>,
    tenant: bool,
    providers: Vec<(String, String)>,
}

impl Loader {
    /// For files of the host.
    pub fn new() -> Self {
        Self::default()
    }

    /// For files of a tenant: catalog providers only as [`allow_provider`](Self::allow_provider) says, and HTTPS only.
    pub fn for_tenant() -> Self {
        Self { tenant: true, ..Self::default() }
    }

    /// Sets a value of the file's `config`, which the base URL needs: a shop's name, a site.
    pub fn config(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.insert(name.into(), value.into());
        self
    }

    /// Lets a tenant's file use a catalog provider, whose tokens then go to this host alone.
    pub fn allow_provider(mut self, provider: impl Into<String>, host: impl Into<String>) -> Self {
        self.providers.push((provider.into(), host.into()));
        self
    }

    /// Reads a file of at most 256 KiB.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] that names the file and its mistake.
    pub fn from_path(&self, path: impl AsRef<Path>) -> Result<Declarative> {
        let path = path.as_ref();
        let shown = path.display();
        let unreadable = |error: std::io::Error| {
            Error::new(ErrorKind::Config, format!("{shown} cannot be read: {error}")).caused_by(error)
        };
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > MAX_FILE {
            return Err(too_large(size));
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        self.from_toml(&text)
            .map_err(|error| Error::new(ErrorKind::Config, format!("{shown}: {}", error.message())))
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] that names the line or the key, and what to write there.
    pub fn from_toml(&self, text: &str) -> Result<Declarative> {
        let size = u64::try_from(text.len()).unwrap_or(u64::MAX);
        if size > MAX_FILE {
            return Err(too_large(size));
        }
        let file: File = toml::from_str(text).map_err(|error| syntax(text, &error))?;
        self.build(file)
    }

    /// Loads a file that comes with the crate; see [`builtin`](super::builtin).
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where there is none of this id, or its address needs a value that the loader does not have.
    pub fn builtin(&self, id: &str) -> Result<Declarative> {
        match builtin::ALL.iter().find(|file| file.id == id) {
            Some(file) => self.from_toml(file.toml),
            None => {
                let known: Vec<&str> = builtin::ALL.iter().map(|file| file.id).collect();
                let known = known.join(", ");
                Err(Error::new(
                    ErrorKind::Config,
                    format!("no file of that id comes with the crate; there are: {known}"),
                ))
            }
        }
    }

    fn build(&self, file: File) -> Result<Declarative> {
        InstanceId::new(&file.id).map_err(|error| wrong("id", error.message()))?;
        let version = match &file.version {
            Some(version) => Version::parse(version)
                .map_err(|_| wrong("version", "is no semantic version; write one such as \"1.0.0\""))?,
            None => Version::new(1, 0, 0),
        };
        if file.tools.is_empty() || file.tools.len() > MAX_TOOLS {
            return Err(wrong("tools", format_args!("must hold 1 to {MAX_TOOLS} tools")));
        }
        let used = |placeholder: &str| {
            file.base_url.contains(placeholder)
                || file.query.values().any(|value| value.contains(placeholder))
        };
        let values = self.values(&file.config, used)?;
        let base_url = self.base_url(&file.base_url, &values)?;
        let auth: Vec<AuthScheme> = match file.auth {
            None => vec![AuthScheme::None],
            Some(OneOrMany::One(auth)) => vec![auth.into()],
            Some(OneOrMany::Many(many)) => many.into_iter().map(Into::into).collect(),
        };
        if auth.is_empty() {
            return Err(wrong("auth", "is empty; write `auth = { type = \"none\" }`, or leave it out"));
        }
        for scheme in &auth {
            self.check_auth(scheme, &base_url)?;
        }
        let common = operation::Common {
            headers: headers("headers", &file.headers)?,
            idempotency_header: file
                .idempotency_header
                .as_deref()
                .map(|name| header("idempotency_header", name))
                .transpose()?,
            errors: rules("errors", &file.errors)?,
            query: query(&file.query, &values, &auth)?,
            full: file.full_argument,
            auth: &auth,
        };
        let mut tools: Vec<Entry> = Vec::with_capacity(file.tools.len());
        for (name, tool) in file.tools {
            tools.push(operation::entry(&name, tool, &common)?);
        }
        operation::check_names(&file.id, &tools)?;
        let page = |key: &str, text: Option<String>| {
            text.map(|text| Url::parse(&text).map_err(|_| wrong(key, "is not a URL"))).transpose()
        };
        let mut manifest = ConnectorManifest::new(file.id, version, file.name).description(file.description);
        manifest.limits = file.limits.into();
        manifest.category = file.category;
        manifest.icon = page("icon", file.icon)?;
        manifest.documentation = page("documentation", file.documentation)?;
        manifest.base_url = Some(base_url.clone());
        manifest.auth = auth;
        Ok(Declarative::new(manifest, base_url, tools))
    }

    /// The values of the file's `config`, each under its placeholder.
    fn values(
        &self,
        known: &BTreeMap<String, Config>,
        used: impl Fn(&str) -> bool,
    ) -> Result<Vec<(String, String)>> {
        if let Some(name) = self.config.keys().find(|name| !known.contains_key(*name)) {
            let shown = name.escape_debug();
            return Err(wrong("config", format_args!("has no `{shown}`, for which the loader has a value")));
        }
        let mut values = Vec::with_capacity(known.len());
        for (name, config) in known {
            let place = format!("config.{name}");
            let placeholder = format!("{{{name}}}");
            if !used(&placeholder) {
                return Err(wrong(
                    &place,
                    format_args!("is not used; write `{placeholder}` into `base_url` or `query`"),
                ));
            }
            if config.description.trim().is_empty() {
                return Err(wrong(&format!("{place}.description"), "is empty; say what the value is"));
            }
            let value = self.config.get(name).or(config.default.as_ref()).ok_or_else(|| {
                wrong(&place, format_args!("has no value; give the loader one: {}", config.description))
            })?;
            // Whatever the pattern says: one label of a host or one part of a path, and no way to another.
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
            let dots = value.starts_with('.') || value.ends_with('.') || value.contains("..");
            if value.is_empty() || value.len() > 253 || dots || !value.bytes().all(plain) {
                return Err(wrong(
                    &place,
                    "has a value that may not stand in an address; letters, digits, `-`, `_` and `.` may",
                ));
            }
            if let Some(pattern) = &config.pattern {
                let whole = format!("^(?:{pattern})$");
                let regex = regex::Regex::new(&whole)
                    .map_err(|_| wrong(&format!("{place}.pattern"), "is no regular expression"))?;
                if !regex.is_match(value) {
                    return Err(wrong(&place, format_args!("has a value that does not fit `{pattern}`")));
                }
            }
            values.push((placeholder, value.clone()));
        }
        Ok(values)
    }

    fn base_url(&self, template: &str, values: &[(String, String)]) -> Result<Url> {
        let text = filled("base_url", template, values)?;
        let url = Url::parse(&text).map_err(|error| wrong("base_url", format_args!("is no URL: {error}")))?;
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !matches!(url.scheme(), "http" | "https") || !plain {
            return Err(wrong("base_url", "must be an http or https URL without user, query and fragment"));
        }
        if self.tenant && url.scheme() != "https" {
            return Err(wrong("base_url", "must be an https URL"));
        }
        Ok(url)
    }

    /// What a tenant may not have done with the host's own clients at providers, and with secrets.
    fn check_auth(&self, scheme: &AuthScheme, base_url: &Url) -> Result<()> {
        match scheme {
            AuthScheme::ApiKeyHeader { header: name, .. } => header("auth.header", name).map(drop),
            AuthScheme::ApiKeyQuery { parameter } if parameter.is_empty() => {
                Err(wrong("auth.parameter", "is empty"))
            }
            AuthScheme::OAuth2(oauth) if self.tenant => {
                let host = base_url.host_str().unwrap_or_default();
                let known =
                    self.providers.iter().any(|(provider, to)| *provider == oauth.provider && to == host);
                if known {
                    return Ok(());
                }
                Err(wrong(
                    "auth.provider",
                    "is a provider that this host does not let a tenant's file use at this address; ask its operator",
                ))
            }
            AuthScheme::TokenExchange(exchange) if self.tenant && !exchange.url.starts_with("https://") => {
                Err(wrong("auth.url", "must be an https URL"))
            }
            _ => Ok(()),
        }
    }
}

/// A text with the values of `config` at their placeholders.
fn filled(place: &str, template: &str, values: &[(String, String)]) -> Result<String> {
    let text = values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(name, value));
    if text.contains(['{', '}']) {
        return Err(wrong(place, "has a placeholder that is not in `config`; declare it there"));
    }
    Ok(text)
}

/// What every request has in its query.
fn query(
    given: &BTreeMap<String, String>,
    values: &[(String, String)],
    auth: &[AuthScheme],
) -> Result<Vec<Parameter>> {
    let each = given.iter().map(|(name, template)| {
        let place = format!("query.{name}");
        if auth
            .iter()
            .any(|scheme| matches!(scheme, AuthScheme::ApiKeyQuery { parameter } if parameter == name))
        {
            return Err(wrong(&place, "stands where the host puts the credential; leave it out"));
        }
        let mut parameter = Parameter::new(name, Place::Query);
        parameter.default = Some(Value::String(filled(&place, template, values)?));
        parameter.fixed = true;
        Ok(parameter)
    });
    each.collect()
}

fn too_large(size: u64) -> Error {
    Error::new(
        ErrorKind::Config,
        format!("the file has {size} bytes; a connector may have at most {MAX_FILE}"),
    )
}

fn syntax(text: &str, error: &toml::de::Error) -> Error {
    let place = error.span().map_or(String::new(), |span| {
        let before = text.get(..span.start).unwrap_or(text);
        let line = before.matches('\n').count();
        let shown: String = text.lines().nth(line).unwrap_or_default().trim().chars().take(80).collect();
        format!("line {} (`{shown}`): ", line + 1)
    });
    Error::new(ErrorKind::Config, format!("{place}{}", error.message()))
}

/// A header's name that a file may set.
pub(super) fn header(place: &str, name: &str) -> Result<HeaderName> {
    HeaderName::try_from(name).map_err(|_| wrong(place, "is not the name of a header"))
}

/// Headers that are sent with every request.
pub(super) fn headers(
    place: &str,
    given: &BTreeMap<String, String>,
) -> Result<Vec<(HeaderName, HeaderValue)>> {
    let each = given.iter().map(|(name, value)| {
        let place = format!("{place}.{name}");
        let name = header(&place, name)?;
        if let Some(why) = refusal(&name) {
            return Err(wrong(&place, why));
        }
        let value = HeaderValue::try_from(value)
            .map_err(|_| wrong(&place, "holds a character that a header cannot carry"))?;
        Ok((name, value))
    });
    each.collect()
}

/// A JSON pointer.
pub(super) fn pointer(place: &str, text: &str) -> Result<String> {
    if text.is_empty() || text.starts_with('/') {
        return Ok(text.to_owned());
    }
    Err(wrong(place, "is no JSON pointer; write one such as \"/data/items\""))
}

/// What error answers mean.
pub(super) fn rules(place: &str, given: &[ErrorAnswer]) -> Result<Vec<ErrorRule>> {
    let each = given.iter().enumerate().map(|(at, answer)| {
        let place = format!("{place}[{at}]");
        let mut rule = ErrorRule::status(0, answer.kind.into());
        rule.status = answer.status;
        rule.message.clone_from(&answer.message);
        rule.body = match (&answer.pointer, &answer.equals) {
            (Some(at), Some(value)) => {
                Some((pointer(&format!("{place}.pointer"), at)?, json(&format!("{place}.equals"), value)?))
            }
            (Some(at), None) => {
                rule.present = Some(pointer(&format!("{place}.pointer"), at)?);
                None
            }
            (None, None) if answer.status.is_none() && answer.missing.is_none() => {
                return Err(wrong(&place, "fits every error; give it a `status` or a `pointer`"));
            }
            (None, None) => None,
            (None, Some(_)) => {
                return Err(wrong(&place, "has `equals` and no `pointer`; say where it stands"));
            }
        };
        if let Some(at) = &answer.missing {
            rule.missing = Some(pointer(&format!("{place}.missing"), at)?);
        }
        for at in &answer.tell {
            rule.tell.push(pointer(&format!("{place}.tell"), at)?);
        }
        rule.not_executed = answer.not_executed;
        rule.wait = answer.wait;
        if answer.wait.is_some() && rule.kind != ErrorKind::RateLimited {
            return Err(wrong(&format!("{place}.wait"), "is for the kind `rate_limited`"));
        }
        if answer.status.is_some_and(|status| !(100..600).contains(&status)) {
            return Err(wrong(&format!("{place}.status"), "is no HTTP status"));
        }
        Ok(rule)
    });
    each.collect()
}

/// A TOML value as JSON.
pub(super) fn json(place: &str, value: &toml::Value) -> Result<Value> {
    match value {
        toml::Value::Datetime(_) => Err(wrong(place, "is a date; write it as text")),
        toml::Value::Float(number) if !number.is_finite() => Err(wrong(place, "is no number of JSON")),
        toml::Value::Array(items) => items.iter().map(|item| json(place, item)).collect(),
        toml::Value::Table(table) => {
            let each = table.iter().map(|(key, value)| Ok((key.clone(), json(place, value)?)));
            each.collect::<Result<serde_json::Map<_, _>>>().map(Value::Object)
        }
        plain => serde_json::to_value(plain).map_err(|_| wrong(place, "cannot be written as JSON")),
    }
}
