//! The connector that a document makes.

use std::fmt;
use std::sync::{Arc, OnceLock};

use semver::Version;
use serde_json::Value;
use tool_connect_core::{
    AuthScheme, Connector, ConnectorManifest, DynamicTool, Error, ErrorKind, InstanceId, MAX_MODEL_NAME,
    MAX_TOOL_NAME, Result, SchemaSource, ToolDefinition, ToolSet, schema,
};

use super::document::{Document, Head, Method};
use super::method::{self, Built, Kind};
use super::report::{MethodReport, Report};
use super::{names, words};
use crate::operation::Operation;

/// Longest description of a tool, in bytes.
const DESCRIPTION: usize = 500;

/// An API of Google's, from its discovery document.
///
/// ```
/// use tool_connect_connectors::discovery::Discovery;
/// use tool_connect_core::{Connector, ToolSet};
///
/// let document = br#"{
///     "name": "books", "version": "v1", "rootUrl": "https://books.googleapis.com/", "servicePath": "",
///     "description": "Searches for books.", "resources": {"volumes": {"methods": {"get": {
///         "id": "books.volumes.get", "path": "books/v1/volumes/{volumeId}", "httpMethod": "GET",
///         "description": "Gets volume information for a single volume.",
///         "parameters": {"volumeId": {"type": "string", "location": "path", "required": true}}
///     }}}}
/// }"#;
/// let books = Discovery::open(document)?;
/// assert_eq!(books.check().to_string(), "1 of 1 are tools");
/// let mut set = ToolSet::default();
/// books.tools(&mut set);
/// assert_eq!(set.tools()[0].definition().name, "volumes_get");
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Discovery {
    document: Arc<Document>,
    manifest: ConnectorManifest,
    only: Vec<String>,
    scopes: Vec<String>,
}

impl fmt::Debug for Discovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Discovery").field("id", &self.manifest.id).finish_non_exhaustive()
    }
}

impl Discovery {
    /// Reads a document as far as its list of methods.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] that says what is wrong with the document as a whole: larger than 64 MiB, no JSON, of another
    /// protocol, without an address. What is wrong with one method costs that method alone; see [`check`](Self::check).
    pub fn open(bytes: &[u8]) -> Result<Self> {
        let document = Document::open(bytes)?;
        let mut id = names::snake(&document.name);
        id.truncate(tool_connect_core::MAX_INSTANCE_ID);
        let id = id.trim_end_matches('_').to_owned();
        let description = words::cut(&document.description, 300);
        let mut manifest = ConnectorManifest::new(id, Version::new(1, 0, 0), document.title.clone())
            .description(description);
        manifest.base_url = Some(document.root.clone());
        manifest.documentation.clone_from(&document.page);
        manifest.auth = if document.oauth {
            vec![AuthScheme::oauth2("google", std::iter::empty::<String>()), AuthScheme::Bearer]
        } else {
            vec![AuthScheme::ApiKeyQuery { parameter: "key".to_owned() }]
        };
        Ok(Self { document: Arc::new(document), manifest, only: Vec::new(), scopes: Vec::new() })
    }

    /// Sets the connector's id, which is the default instance id; the API's name by default. Long ids leave less room for names.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where it is malformed.
    pub fn id(mut self, id: &str) -> Result<Self> {
        InstanceId::new(id)?;
        self.manifest.id = id.to_owned();
        Ok(self)
    }

    /// Takes only methods of these: a method's id (`drive.files.list`), or a resource with all below it (`drive.files`).
    #[must_use]
    pub fn only<S: Into<String>>(mut self, methods: impl IntoIterator<Item = S>) -> Self {
        self.only.extend(methods.into_iter().map(Into::into));
        self
    }

    /// Says which scopes the host asks for. A method accepts any one of several: its tool then needs the first of these that
    /// it accepts, else the one that its document names with the fewest letters, of those that only read for a read.
    #[must_use]
    pub fn prefer_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// The document's version of the API, `v3` say.
    #[must_use]
    pub fn api_version(&self) -> &str {
        &self.document.version
    }

    /// Makes every tool and says what became of each method.
    #[must_use]
    pub fn check(&self) -> Report {
        let methods = self.chosen().into_iter().map(|(method, kind, tool)| {
            let built = built(&self.document, &method, kind);
            let (problem, notes) = match built {
                Ok(built) => (None, built.notes),
                Err(problem) => (Some(problem), Vec::new()),
            };
            MethodReport { id: method.id.clone(), tool, problem, notes }
        });
        Report { methods: methods.collect(), broken_resources: self.document.broken.clone() }
    }

    /// The operation behind a tool, by the tool's local name.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where there is no such tool, [`ErrorKind::Config`] where its method is broken.
    pub fn operation(&self, tool: &str) -> Result<Operation> {
        let found = self.chosen().into_iter().find(|(_, _, name)| name == tool);
        let (method, kind, _) =
            found.ok_or_else(|| Error::new(ErrorKind::NotFound, "the document has no such tool"))?;
        Ok(built(&self.document, &method, kind).map_err(|why| broken(&method, &why))?.operation)
    }

    /// Each method that was chosen, once for each of its tools, with the tool's name.
    fn chosen(&self) -> Vec<(Arc<Method>, Kind, String)> {
        let all: Vec<(&Arc<Method>, Kind)> = self
            .document
            .methods
            .iter()
            .flat_map(|method| {
                let kinds = method.head.as_ref().map_or_else(|_| vec![Kind::Plain], method::kinds);
                kinds.into_iter().map(move |kind| (method, kind))
            })
            .collect();
        let ids: Vec<(&str, &str)> =
            all.iter().map(|(method, kind)| (method.id.as_str(), kind.suffix())).collect();
        let room = MAX_TOOL_NAME.min(MAX_MODEL_NAME.saturating_sub(2 + self.manifest.id.len()));
        let names = names::of(&ids, room);
        let chosen = |id: &str| {
            let within = |one: &String| {
                id.strip_prefix(one.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            self.only.is_empty() || self.only.iter().any(within)
        };
        let named = all.into_iter().zip(names).map(|((method, kind), name)| (Arc::clone(method), kind, name));
        named.filter(|(method, _, _)| chosen(&method.id)).collect()
    }

    /// The scope that a tool needs: any one of those that are listed will do.
    fn scope(&self, head: &Head, reads: bool) -> Option<String> {
        if let Some(preferred) = self.scopes.iter().find(|scope| head.scopes.contains(*scope)) {
            return Some(preferred.clone());
        }
        let rank = |scope: &&String| {
            let only_reads = scope.ends_with(".readonly") || scope.ends_with(".read-only");
            // `cloud-platform` opens everything of the account, and old ones are addresses of products.
            (only_reads != reads, scope.contains("cloud-platform") || !scope.contains("/auth/"), scope.len())
        };
        head.scopes.iter().min_by_key(rank).cloned()
    }

    fn definition(
        &self,
        method: &Arc<Method>,
        head: &Head,
        kind: Kind,
        name: String,
        input: SchemaSource,
    ) -> ToolDefinition {
        let annotations = method::annotations(&method.id, head, kind);
        let what = match kind {
            Kind::Plain => "",
            Kind::Upload => "Uploads a file. ",
            Kind::Download => "Downloads the file itself. ",
        };
        let said = head.description.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let said = said.map_or_else(|| format!("Calls the method `{}`.", method.id), str::to_owned);
        let description = words::cut(&format!("{what}{said}"), DESCRIPTION);
        let mut definition = ToolDefinition::new(name, description, input)
            .annotations(annotations)
            .scopes(self.scope(head, annotations.read_only));
        if head.deprecated {
            definition = definition.deprecated("The API's description says that this method is deprecated.");
        }
        definition
    }
}

fn broken(method: &Method, why: &str) -> Error {
    Error::new(ErrorKind::Config, format!("the method `{}` cannot be called: {why}", method.id))
}

/// A method, built and looked through.
fn built(document: &Document, method: &Method, kind: Kind) -> std::result::Result<Built, String> {
    let head = method.head.as_ref().map_err(Clone::clone)?;
    let built = method::build(document, &method.id, head, kind)?;
    let schema = schemars::Schema::try_from(Value::Object(built.input.clone()))
        .map_err(|_| "its arguments have no schema".to_owned())?;
    match schema::problems_of_input(&schema).into_iter().next() {
        Some(problem) => Err(format!("the schema of its arguments cannot be used: {problem}")),
        None => Ok(built),
    }
}

impl Connector for Discovery {
    fn manifest(&self) -> &ConnectorManifest {
        &self.manifest
    }

    fn tools(&self, set: &mut ToolSet) {
        for (method, kind, name) in self.chosen() {
            let Ok(head) = &method.head else { continue };
            let input = {
                let (document, method) = (Arc::clone(&self.document), Arc::clone(&method));
                SchemaSource::lazy(move || {
                    let built = built(&document, &method, kind)?;
                    Ok(Value::Object(built.input).to_string().into())
                })
            };
            let definition = self.definition(&method, head, kind, name, input);
            let document = Arc::clone(&self.document);
            let method = Arc::clone(&method);
            let operation: Arc<OnceLock<std::result::Result<Operation, String>>> = Arc::default();
            set.add_dynamic(DynamicTool::new(definition, move |arguments, cx| {
                let (document, method, operation) =
                    (Arc::clone(&document), Arc::clone(&method), Arc::clone(&operation));
                async move {
                    let made = operation
                        .get_or_init(|| built(&document, &method, kind).map(|built| built.operation));
                    let operation = made.as_ref().map_err(|why| broken(&method, why))?;
                    operation.run(arguments, &cx).await
                }
            }));
        }
    }
}
