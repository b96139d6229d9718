//! A description that is open: what it offers, before anything of it is a tool.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::Method;
use serde_json::Value;
use tool_connect_core::{Error, ErrorKind, Result};
use url::Url;

use super::builder::ApiBuilder;
use super::document::{Document, Entry};
use super::documents::{self, Caps, Documents, Loader};
use super::report::{Problem, Reason, Report};
use super::security::{self, OAuthDescription};
use super::select::{self, Selection};

/// A description that is open: its operations are known by place and name, and none is read yet.
///
/// A clone shares all of it.
#[derive(Clone, Debug)]
pub struct OpenApi {
    pub(super) documents: Arc<Documents>,
    pub(super) problems: Arc<[Problem]>,
}

/// How a description is opened; [`OpenApi::options`].
#[derive(Clone, Default)]
#[must_use = "options do nothing until `open`"]
pub struct OpenOptions {
    url: Option<Url>,
    caps: Caps,
    loader: Option<Loader>,
}

impl fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenOptions")
            .field("url", &self.url)
            .field("caps", &self.caps)
            .finish_non_exhaustive()
    }
}

impl OpenOptions {
    /// Where the description comes from: what relative servers and references are relative to. Nothing is fetched from there.
    pub fn url(mut self, url: Url) -> Self {
        self.url = Some(url);
        self
    }

    /// Sets the caps.
    pub fn caps(mut self, caps: Caps) -> Self {
        self.caps = caps;
        self
    }

    /// Largest document, in bytes; 32 MiB by default.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.caps.max_bytes = bytes;
        self
    }

    /// Supplies the documents that the description refers to, by address; without this, references to others lead nowhere.
    ///
    /// The address is a URL, or a name relative to the description's where that has no URL (`..` leads no higher than there).
    /// Which addresses to serve is the host's decision.
    pub fn documents(mut self, load: impl Fn(&str) -> Result<Vec<u8>> + Send + Sync + 'static) -> Self {
        self.loader = Some(Arc::new(load));
        self
    }

    /// Opens a description.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where it is too large, neither JSON nor YAML, or no OpenAPI description of a known version. A broken
    /// operation is no error here; [`OpenApi::check`] names it.
    pub fn open(self, description: impl Into<Vec<u8>>) -> Result<OpenApi> {
        let config = |why: String| Error::new(ErrorKind::Config, why);
        let text = documents::json(description.into(), self.caps.max_bytes).map_err(config)?;
        let name = self.url.as_ref().map(Url::to_string).unwrap_or_default();
        let document = Document::index(name, self.url, text).map_err(config)?;
        let mut documents = Documents::new(document, self.loader, self.caps);
        let problems = documents.gather_items();
        let (found, most) = (documents.main.entries.len(), documents.caps().max_operations);
        if found > most {
            return Err(config(format!(
                "the description has {found} operations or more and at most {most} are read; raise `max_operations`"
            )));
        }
        let problems = problems.into_iter().map(|(place, message)| Problem {
            reason: Reason::Reference,
            message,
            place,
        });
        Ok(OpenApi { problems: problems.collect(), documents: Arc::new(documents) })
    }
}

impl OpenApi {
    /// Opens a description with the default caps: JSON or YAML, of OpenAPI 2.0, 3.0 or 3.1.
    ///
    /// JSON is read once, to find its operations; each is parsed when it is first used. YAML is turned into JSON first.
    ///
    /// # Errors
    /// See [`OpenOptions::open`].
    pub fn open(description: impl Into<Vec<u8>>) -> Result<Self> {
        Self::options().open(description)
    }

    /// Says where a description comes from, and what it may refer to.
    pub fn options() -> OpenOptions {
        OpenOptions::default()
    }

    /// The title of the service.
    #[must_use]
    pub fn title(&self) -> String {
        self.info("title")
    }

    /// What the description says of the service, as it stands there.
    #[must_use]
    pub fn description(&self) -> String {
        self.info("description")
    }

    /// The version of the service's interface, as it stands there.
    #[must_use]
    pub fn version(&self) -> String {
        self.info("version")
    }

    fn info(&self, member: &str) -> String {
        match self.documents.main.top("info").get(member) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        }
    }

    /// The operations, in the order of the description.
    pub fn operations(&self) -> impl Iterator<Item = OperationInfo<'_>> {
        let document = &*self.documents.main;
        document.entries.iter().map(move |entry| OperationInfo { document, entry })
    }

    /// What the description says of OAuth, for a catalog entry of the host's.
    #[must_use]
    pub fn oauth(&self) -> Vec<OAuthDescription> {
        security::oauth(&self.documents)
    }

    /// Makes a connector of this id (and default instance id) of the operations that are then chosen.
    pub fn connector(&self, id: impl Into<String>) -> ApiBuilder {
        ApiBuilder::new(self.clone(), id.into())
    }

    /// Reads everything, also what is deprecated or hidden, and says what became of each operation.
    #[must_use]
    pub fn check(&self) -> Report {
        self.connector("api").choose(Selection::everything()).check()
    }
}

/// What is known of an operation before it is read.
#[derive(Clone, Copy)]
pub struct OperationInfo<'a> {
    document: &'a Document,
    entry: &'a Entry,
}

impl fmt::Debug for OperationInfo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method(), self.path())
    }
}

impl<'a> OperationInfo<'a> {
    /// Its method.
    #[must_use]
    pub fn method(&self) -> &'a Method {
        &self.entry.method
    }

    /// Its path, with placeholders.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.document.items.get(self.entry.item).map_or("", |item| &item.path)
    }

    /// Its id in the description.
    #[must_use]
    pub fn operation_id(&self) -> Option<&'a str> {
        self.entry.id.as_deref()
    }

    /// Its summary, as it stands there.
    #[must_use]
    pub fn summary(&self) -> Cow<'a, str> {
        select::home(self.document, self.entry).string(self.entry.summary).unwrap_or_default()
    }

    /// Its description, as it stands there.
    #[must_use]
    pub fn description(&self) -> Cow<'a, str> {
        select::home(self.document, self.entry).string(self.entry.description).unwrap_or_default()
    }

    /// Its tags.
    #[must_use]
    pub fn tags(&self) -> Vec<String> {
        select::tags(self.document, self.entry)
    }

    /// Whether it is not to be used any more.
    #[must_use]
    pub fn is_deprecated(&self) -> bool {
        self.entry.deprecated
    }

    /// Whether the description keeps it from the public: `x-internal` and the like.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.entry.hidden
    }
}
