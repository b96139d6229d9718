//! What a host says of an import: which operations, where to, as whom.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Method;
use semver::Version;
use serde_json::Value;
use tool_connect_core::{
    AuthScheme, ConnectorManifest, Error, ErrorKind, InstanceId, MAX_MODEL_NAME, Result,
};
use url::Url;

use super::connector::{Api, Shared, Slot};
use super::open::OpenApi;
use super::report::{Problem, Reason, Report};
use super::security::{self, Requirement};
use super::select::{self, Selection};
use super::words::sentence;
use super::{build, names, servers};

/// Chooses operations of a description and says how they become tools; [`OpenApi::connector`].
///
/// Without a choice every operation becomes a tool that is neither deprecated nor kept from the public. Choices of one kind add
/// up, those of different kinds must agree.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ApiBuilder {
    api: OpenApi,
    id: String,
    base_url: Option<Url>,
    variables: BTreeMap<String, String>,
    selection: Selection,
    auth: Option<Vec<AuthScheme>>,
    provider: Option<String>,
    description_bytes: usize,
    schema_bytes: usize,
    output_bytes: usize,
    pages: bool,
}

impl ApiBuilder {
    pub(super) fn new(api: OpenApi, id: String) -> Self {
        Self {
            api,
            id,
            base_url: None,
            variables: BTreeMap::new(),
            selection: Selection::default(),
            auth: None,
            provider: None,
            description_bytes: 500,
            schema_bytes: 32 * 1024,
            output_bytes: 8 * 1024,
            pages: true,
        }
    }

    /// Says where requests go, instead of the description's servers, also of those that single operations name.
    pub fn base_url(mut self, url: Url) -> Self {
        self.base_url = Some(url);
        self
    }

    /// Sets a variable of the servers, instead of its default.
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Chooses operations with this tag.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.selection.tags.push(tag.into());
        self
    }

    /// Chooses operations by path: `/repos` with everything below it, or a pattern in which `*` stands for one segment and `**`
    /// for any number.
    pub fn path(mut self, pattern: impl Into<String>) -> Self {
        self.selection.paths.push(pattern.into());
        self
    }

    /// Chooses operations by method.
    pub fn method(mut self, method: Method) -> Self {
        self.selection.methods.push(method);
        self
    }

    /// Chooses an operation by its id.
    pub fn operation(mut self, id: impl Into<String>) -> Self {
        self.selection.ids.push(id.into());
        self
    }

    /// Chooses operations in whose path, id, tags or texts all these words stand.
    pub fn words(mut self, words: &str) -> Self {
        self.selection.words.extend(words.split_whitespace().map(str::to_lowercase));
        self
    }

    /// Takes deprecated operations too.
    pub fn with_deprecated(mut self) -> Self {
        self.selection.deprecated = true;
        self
    }

    /// Takes operations too that the description keeps from the public.
    pub fn with_hidden(mut self) -> Self {
        self.selection.hidden = true;
        self
    }

    pub(super) fn choose(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// Sets the ways to authenticate, best first, instead of those of the description.
    pub fn auth(mut self, schemes: impl IntoIterator<Item = AuthScheme>) -> Self {
        self.auth = Some(schemes.into_iter().collect());
        self
    }

    /// Names the catalog entry that stands for the description's OAuth; without one its tokens are bearer tokens that somebody
    /// brings. Tools then need the scopes that the description names.
    pub fn oauth_provider(mut self, entry: impl Into<String>) -> Self {
        self.provider = Some(entry.into());
        self
    }

    /// Longest description of a tool, in bytes; 500 by default. Longer ones are cut at a sentence.
    pub fn description_bytes(mut self, bytes: usize) -> Self {
        self.description_bytes = bytes;
        self
    }

    /// Largest schema of a tool's arguments, in bytes; 32 KiB by default. Larger ones lose descriptions first, then depth.
    pub fn schema_bytes(mut self, bytes: usize) -> Self {
        self.schema_bytes = bytes;
        self
    }

    /// Largest schema of a tool's result, in bytes; 8 KiB by default, 0 for none. It is looser than the description's where that
    /// is larger.
    pub fn output_bytes(mut self, bytes: usize) -> Self {
        self.output_bytes = bytes;
        self
    }

    /// Leaves pages to the caller: parameters such as `page` and `cursor` stay arguments, answers are as they came.
    pub fn without_pages(mut self) -> Self {
        self.pages = false;
        self
    }

    /// Makes the connector. Nothing of the operations is read yet.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where the id is malformed, no operation is chosen, or no server can be used and there is no base URL.
    pub fn build(self) -> Result<Api> {
        let config = |why: String| Error::new(ErrorKind::Config, why);
        InstanceId::new(&self.id)?;
        if let Some(url) = &self.base_url
            && !matches!(url.scheme(), "http" | "https")
        {
            return Err(config("the base URL must be of http or https".to_owned()));
        }
        let base = match &self.base_url {
            Some(url) => url.clone(),
            None => servers::main(&self.api.documents.main, &self.variables).map_err(config)?,
        };
        let api = self.assemble(Some(base));
        if api.names().next().is_none() {
            return Err(config("no operation of the description is chosen".to_owned()));
        }
        Ok(api)
    }

    /// Reads all that is chosen and says what became of each operation. Nothing is kept.
    #[must_use]
    pub fn check(self) -> Report {
        let mut problems: Vec<Problem> = self.api.problems.to_vec();
        if self.base_url.is_none()
            && let Err(message) = servers::main(&self.api.documents.main, &self.variables)
        {
            problems.push(Problem { reason: Reason::Server, message, place: "/servers".to_owned() });
        }
        let api = self.assemble(None);
        Report { problems, ..api.check() }
    }

    fn assemble(self, base: Option<Url>) -> Api {
        let documents = Arc::clone(&self.api.documents);
        let main = &documents.main;
        // Two bytes stand for the dot in the names of model APIs.
        let longest = names::LONGEST.min(MAX_MODEL_NAME.saturating_sub(self.id.len() + 2)).max(12);
        let names = names::of(main, longest);
        let schemes = security::schemes(&documents);
        let everywhere = security::requirements(&main.top("security"));
        let mut asked: Vec<Vec<Requirement>> = Vec::new();
        let mut tools = Vec::new();
        for (entry, (at, name)) in main.entries.iter().zip(names.into_iter().enumerate()) {
            if !self.selection.takes(main, entry) {
                continue;
            }
            let requirements = match entry.security {
                Some(span) => security::requirements(&select::home(main, entry).value(span)),
                None => everywhere.clone(),
            };
            let scopes = match &self.provider {
                Some(_) => security::scopes(&schemes, &requirements),
                None => Vec::new(),
            };
            asked.push(requirements);
            tools.push(Slot::new(at, name, scopes));
        }
        let (found, notes) = security::auth(&schemes, &asked, self.provider.as_deref());
        let auth = self.auth.clone().unwrap_or(found);
        let manifest = manifest(&self, base, auth);
        let credentials = security::credentials(&documents);
        let consumes = build::texts(&main.top("consumes"));
        let shared = Shared {
            pinned: self.base_url.is_some(),
            variables: self.variables,
            description_bytes: self.description_bytes,
            schema_bytes: self.schema_bytes,
            output_bytes: self.output_bytes,
            pages: self.pages,
            documents,
            credentials,
            consumes,
            tools,
            notes,
        };
        Api::new(manifest, shared)
    }
}

fn manifest(builder: &ApiBuilder, base: Option<Url>, auth: Vec<AuthScheme>) -> ConnectorManifest {
    let api = &builder.api;
    let title = sentence(&api.title(), 80);
    let title = if title.is_empty() { builder.id.clone() } else { title };
    let version = api.version().trim_start_matches('v').parse().unwrap_or(Version::new(1, 0, 0));
    let said = sentence(&api.description(), 300);
    let description = if said.len() < 16 { format!("The operations of {title}.") } else { said };
    let mut manifest = ConnectorManifest::new(builder.id.clone(), version, title).description(description);
    manifest.auth = auth;
    manifest.base_url = base;
    let pages = api.documents.main.top("externalDocs");
    manifest.documentation = pages.get("url").and_then(Value::as_str).and_then(|url| Url::parse(url).ok());
    manifest
}
