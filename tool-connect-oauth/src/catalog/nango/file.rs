//! A whole file.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value};
use tool_connect_core::{AuthScheme, Error, ErrorKind, OAuthGrant, Result, check_name};

use super::exchange::EXCHANGE;
use super::report::{Reason, Report, ReportEntry, Verdict};
use super::secret::Sent;
use super::template::snake;
use super::work::Work;
use super::{NangoProvider, yaml};
use crate::catalog::ProviderEntry;

/// Largest file that is read, in bytes.
pub const MAX_BYTES: usize = 8 << 20;
/// How many aliases may follow each other.
const MAX_ALIASES: usize = 8;

/// Modes that Nango knows and this library has nothing for, and what to do.
const ELSEWHERE: &[(&str, &str)] = &[
    ("APP", "an installation token of an app: the GitHub connector makes them itself"),
    ("APP_STORE", "a token that is signed for Apple's App Store"),
    ("AWS_SIGV4", "the scheme `aws_sigv4` names its service in the connector: write it there"),
    ("BILL", "a session of BILL's own"),
    ("CUSTOM", "a mixture of an app's installation and OAuth: make an entry for each"),
    ("INSTALL_PLUGIN", "a plugin that users install"),
    ("JWT", "a token that is signed for each request"),
    ("MCP_OAUTH2_GENERIC", "the server is found by what it publishes: docs/oauth.md, discovery"),
    ("OAUTH1", "OAuth 1 (RFC 5849)"),
    ("PERIMETER", "a session of Perimeter 81's own"),
    ("SIGNATURE", "WSSE"),
    ("TABLEAU", "a session of Tableau's own"),
    ("TBA", "OAuth 1 with tokens that an administrator makes"),
];

/// Keys of authentication that mean nothing where there is none.
const AUTHENTICATION: &[&str] = &[
    "auth_type",
    "authorization_url",
    "authorization_url_fragment",
    "authorization_url_skip_encode",
    "authorization_params",
    "default_scopes",
    "disable_pkce",
    "integration_config",
    "proxy.body",
    "refresh_params",
    "request_http_method",
    "request_params",
    "request_url",
    "scope_separator",
    "signature_method",
    "token_request_auth_method",
];

/// A `providers.yaml`, read.
///
/// ```
/// use tool_connect_core::AuthScheme;
/// use tool_connect_oauth::catalog::Catalog;
/// use tool_connect_oauth::catalog::nango::{NangoFile, Verdict};
///
/// let file = NangoFile::parse(r#"
/// acme-crm:
///   display_name: Acme CRM
///   docs: https://acme.example/docs
///   auth_mode: OAUTH2
///   authorization_url: https://${connectionConfig.accountId}.acme.example/authorize
///   token_url: https://${connectionConfig.accountId}.acme.example/token
///   connection_config:
///     accountId: { type: string, title: Account, description: The account's name., pattern: '^[a-z]+$', example: eu }
/// acme-mail:
///   display_name: Acme Mail
///   docs: https://acme.example/docs
///   auth_mode: API_KEY
///   proxy:
///     base_url: https://mail.acme.example
///     headers: { x-api-key: "${apiKey}" }
/// "#)?;
///
/// let catalog = file.add_to(Catalog::builtin()?)?;
/// assert!(catalog.get("acme_crm")?.parameters.contains_key("account_id"));
/// let mail = file.get("acme-mail").expect("it is there");
/// assert_eq!(mail.scheme, Some(AuthScheme::ApiKeyHeader { header: "x-api-key".into(), prefix: String::new() }));
/// assert_eq!((mail.verdict(), file.report().fully), (Verdict::Fully, 2));
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NangoFile {
    providers: Vec<NangoProvider>,
}

impl NangoFile {
    /// Reads a file's text. What is wrong with one provider stands in its findings and does not keep the others out.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] for more than [`MAX_BYTES`]; [`ErrorKind::Config`] where the text is no YAML, nests too deeply,
    /// means too much by its aliases, or is no mapping of providers.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > MAX_BYTES {
            return Err(too_large(text.len() as u64));
        }
        let refused =
            |why: &str| Error::new(ErrorKind::Config, format!("the providers file cannot be read: {why}"));
        let Value::Object(all) = yaml::read(text).map_err(|why| refused(&why))? else {
            return Err(refused("it is no mapping from names to providers"));
        };
        let taken_over = all.keys().map(|name| taken_over(&all, name));
        if taken_over.fold(0, usize::saturating_add) > yaml::MAX_VALUES {
            return Err(refused("its aliases mean too much"));
        }
        let mut ids = BTreeSet::new();
        let providers = all.keys().map(|name| provider(&all, name, &mut ids)).collect();
        Ok(Self { providers })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and [`ErrorKind::Config`] where it cannot be read.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let unreadable = |error: std::io::Error| {
            Error::new(ErrorKind::Config, format!("{} cannot be read: {error}", path.display()))
                .caused_by(error)
        };
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > MAX_BYTES as u64 {
            return Err(too_large(size));
        }
        Self::parse(&std::fs::read_to_string(path).map_err(unreadable)?)
    }

    /// The providers, in the order of the file.
    #[must_use]
    pub fn providers(&self) -> &[NangoProvider] {
        &self.providers
    }

    /// A provider by its name in the file.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&NangoProvider> {
        self.providers.iter().find(|provider| provider.name == name)
    }

    /// The catalog with the entries of the file whose ids it does not have yet.
    ///
    /// # Errors
    /// None that a file could cause; those of [`with_entry`](crate::catalog::Catalog::with_entry).
    pub fn add_to(&self, mut catalog: crate::catalog::Catalog) -> Result<crate::catalog::Catalog> {
        for entry in self.providers.iter().filter_map(|provider| provider.entry.as_ref()) {
            if catalog.get(&entry.id).is_err() {
                catalog = catalog.with_entry(entry.clone())?;
            }
        }
        Ok(catalog)
    }

    /// What became of each provider and each of its keys.
    #[must_use]
    pub fn report(&self) -> Report<'_> {
        let of = |verdict| self.providers.iter().filter(|provider| provider.verdict() == verdict).count();
        Report {
            fully: of(Verdict::Fully),
            partly: of(Verdict::Partly),
            not: of(Verdict::Not),
            providers: self
                .providers
                .iter()
                .map(|provider| ReportEntry {
                    name: &provider.name,
                    verdict: provider.verdict(),
                    findings: &provider.findings,
                })
                .collect(),
        }
    }
}

fn too_large(size: u64) -> Error {
    Error::new(
        ErrorKind::TooLarge,
        format!("the providers file has {size} bytes, and at most {MAX_BYTES} are read"),
    )
}

/// Reads one provider.
fn provider(all: &Map<String, Value>, name: &str, ids: &mut BTreeSet<String>) -> NangoProvider {
    let id = snake(name);
    let (fields, wrong) = merged(all, name);
    let mut work = Work::new(id.clone(), fields);
    let display_name = work.text("display_name").unwrap_or_else(|| name.to_owned());
    let docs = work.text("docs").unwrap_or_default();
    let auth_mode = work.text("auth_mode").unwrap_or_default();
    let mut sent = Sent::take(&mut work);
    let (mut scheme, mut entry) = match wrong {
        Some((key, reason, why)) => {
            work.missing(key, reason, why);
            (None, None)
        }
        None => authentication(&mut work, &auth_mode, &display_name, &docs, &mut sent),
    };
    if scheme.is_none() {
        // What was not looked at for want of a scheme is no finding of its own.
        work.forget(AUTHENTICATION);
        work.forget(EXCHANGE);
    }
    let mut api = work.facts();
    api.headers = work.plain("proxy.headers", sent.headers);
    api.query = work.plain("proxy.query", sent.query);
    work.finish();
    if let Err(error) = check_name("the provider's id", &id, 48) {
        work.missing("", Reason::Name, error.message().to_owned());
        (scheme, entry) = (None, None);
    } else if !ids.insert(id.clone()) {
        work.missing("", Reason::Name, format!("another provider of the file has the id `{id}`"));
        (scheme, entry) = (None, None);
    }
    if let Some(made) = &mut entry {
        complete(&mut work, made, api.base_url.as_deref());
        if let Err(error) = made.check() {
            work.missing("", Reason::Invalid, error.message().to_owned());
            (scheme, entry) = (None, None);
        }
    }
    NangoProvider {
        name: name.to_owned(),
        id,
        display_name,
        auth_mode,
        scheme,
        entry,
        parameters: work.parameters,
        api,
        findings: work.findings,
    }
}

fn authentication(
    work: &mut Work,
    mode: &str,
    name: &str,
    docs: &str,
    sent: &mut Sent,
) -> (Option<AuthScheme>, Option<ProviderEntry>) {
    let grant = match mode {
        "OAUTH2" | "MCP_OAUTH2" => OAuthGrant::AuthorizationCode,
        "OAUTH2_CC" => OAuthGrant::ClientCredentials,
        "API_KEY" => return (work.api_key(sent), None),
        "BASIC" => return (work.basic(sent), None),
        "TWO_STEP" => return (work.exchange(sent), None),
        "NONE" => return (Some(AuthScheme::None), None),
        _ => {
            let known = ELSEWHERE.iter().find(|(known, _)| *known == mode);
            match known {
                Some((_, what)) => {
                    work.missing("auth_mode", Reason::AuthMode, format!("is `{mode}`: {what}"))
                }
                None => {
                    let shown: String = mode.chars().take(40).collect();
                    let why = format!("`{}` is no known way to authenticate", shown.escape_debug());
                    work.missing("auth_mode", Reason::UnknownAuthMode, why);
                }
            }
            return (None, None);
        }
    };
    work.oauth(name, docs, grant, sent).unzip()
}

/// The parameters that the entry's addresses have, and its API where that is an address of the same kind.
fn complete(work: &mut Work, entry: &mut ProviderEntry, base_url: Option<&str>) {
    let used = |text: &str, name: &str| text.contains(&format!("{{{name}}}"));
    let needed = |entry: &ProviderEntry, api: Option<&str>| {
        let addresses: Vec<String> =
            entry.endpoints.iter().map(|(_, text)| text.clone()).chain(api.map(str::to_owned)).collect();
        let parameters = work.parameters.iter();
        let named = parameters.filter(|(name, _)| addresses.iter().any(|address| used(address, name)));
        named.map(|(name, parameter)| (name.clone(), parameter.clone())).collect()
    };
    if let Some(base) = base_url {
        let mut with = entry.clone();
        with.parameters = needed(entry, Some(base));
        with.api = Some(base.to_owned());
        if with.check().is_ok() {
            *entry = with;
            return;
        }
    }
    entry.parameters = needed(entry, None);
}

type Wrong = (&'static str, Reason, String);

/// Of how many values consists what a provider takes over by its aliases.
fn taken_over(all: &Map<String, Value>, name: &str) -> usize {
    let (mut at, mut sum) = (all.get(name), 0_usize);
    for _ in 0..=MAX_ALIASES {
        let Some(Value::String(alias)) = at.and_then(|fields| fields.get("alias")) else { break };
        at = all.get(alias.as_str());
        sum = sum.saturating_add(at.map_or(0, yaml::size));
    }
    sum
}

/// A provider's keys over those of the provider that it is an alias of.
fn merged(all: &Map<String, Value>, name: &str) -> (Map<String, Value>, Option<Wrong>) {
    let mut chain: Vec<&str> = vec![name];
    let mut layers = Vec::new();
    let mut wrong = None;
    while let Some(current) = chain.last().copied() {
        let Some(Value::Object(fields)) = all.get(current) else {
            let shown: String = current.chars().take(60).collect();
            let why = format!("`{}` is no provider of the file", shown.escape_debug());
            let key = if chain.len() > 1 { "alias" } else { "" };
            wrong = Some((key, if key.is_empty() { Reason::Type } else { Reason::Alias }, why));
            break;
        };
        layers.push(fields);
        let Some(Value::String(alias)) = fields.get("alias") else { break };
        if chain.contains(&alias.as_str()) || chain.len() > MAX_ALIASES {
            wrong = Some((
                "alias",
                Reason::Alias,
                "its aliases go in a circle, or there are too many".to_owned(),
            ));
            break;
        }
        chain.push(alias);
    }
    let mut fields = Map::new();
    for layer in layers.into_iter().rev() {
        for (key, value) in layer {
            match (fields.get_mut(key), value) {
                (Some(Value::Object(under)), Value::Object(over))
                    if matches!(key.as_str(), "proxy" | "connection_config" | "credentials") =>
                {
                    under.extend(over.clone());
                }
                _ => {
                    fields.insert(key.clone(), value.clone());
                }
            }
        }
    }
    fields.remove("alias");
    (fields, wrong)
}
