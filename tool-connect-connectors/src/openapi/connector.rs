//! The connector that an import is: its manifest, and a tool for each operation that was chosen.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use http::Method;
use serde_json::Value;
use tool_connect_core::{
    Annotations, Connector, ConnectorManifest, DynamicTool, Error, ErrorKind, Result, SchemaSource,
    ToolContext, ToolDefinition, ToolOutput, ToolSet,
};
use url::Url;

use super::build::{self, Built, Setting};
use super::document::Entry;
use super::documents::Documents;
use super::report::{OperationReport, Problem, Reason, Report};
use super::words::sentence;
use super::{effect, names, select};
use crate::operation::Operation;

/// A description as a connector: what `hub.add(..)` takes.
#[derive(Clone)]
pub struct Api {
    manifest: ConnectorManifest,
    shared: Arc<Shared>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("id", &self.manifest.id).field("tools", &self.shared.tools.len()).finish()
    }
}

/// What the tools of an import share.
pub(super) struct Shared {
    pub(super) documents: Arc<Documents>,
    pub(super) pinned: bool,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) credentials: Vec<(String, String)>,
    pub(super) consumes: Vec<String>,
    pub(super) description_bytes: usize,
    pub(super) schema_bytes: usize,
    pub(super) output_bytes: usize,
    pub(super) pages: bool,
    pub(super) tools: Vec<Slot>,
    pub(super) notes: Vec<String>,
}

/// An operation that was chosen.
pub(super) struct Slot {
    pub(super) entry: usize,
    pub(super) name: String,
    pub(super) scopes: Vec<String>,
    built: OnceLock<Result<Arc<Built>, Problem>>,
    /// The operation as it is run, with the schema of its answers.
    ready: OnceLock<Arc<Operation>>,
}

impl Slot {
    pub(super) fn new(entry: usize, name: String, scopes: Vec<String>) -> Self {
        Self { entry, name, scopes, built: OnceLock::new(), ready: OnceLock::new() }
    }
}

impl Api {
    pub(super) fn new(manifest: ConnectorManifest, shared: Shared) -> Self {
        Self { manifest, shared: Arc::new(shared) }
    }

    /// Where requests go.
    #[must_use]
    pub fn base_url(&self) -> Option<&Url> {
        self.manifest.base_url.as_ref()
    }

    /// The local names of the tools, each with its method and path.
    pub fn names(&self) -> impl Iterator<Item = (&str, &Method, &str)> {
        let main = &self.shared.documents.main;
        self.shared.tools.iter().filter_map(move |slot| {
            let entry = main.entries.get(slot.entry)?;
            let item = main.items.get(entry.item)?;
            Some((slot.name.as_str(), &entry.method, &*item.path))
        })
    }

    /// Reads every operation that was chosen and says what became of it. Nothing is kept.
    #[must_use]
    pub fn check(&self) -> Report {
        let shared = &self.shared;
        let main = &shared.documents.main;
        let mut report = Report { notes: shared.notes.clone(), ..Report::default() };
        for slot in &shared.tools {
            let Some(entry) = main.entries.get(slot.entry) else { continue };
            let (problem, notes) = match shared.build(slot, entry) {
                Ok(built) => (shared.unusable(&built, &main.pointer(entry)), built.notes),
                Err(problem) => (Some(problem), Vec::new()),
            };
            report.operations.push(OperationReport {
                method: entry.method.clone(),
                path: main.items.get(entry.item).map(|item| item.path.to_string()).unwrap_or_default(),
                operation_id: entry.id.as_deref().map(str::to_owned),
                tool: slot.name.clone(),
                problem,
                notes,
            });
        }
        report
    }
}

impl Connector for Api {
    fn manifest(&self) -> &ConnectorManifest {
        &self.manifest
    }

    fn tools(&self, set: &mut ToolSet) {
        for at in 0..self.shared.tools.len() {
            if let Some(tool) = tool(&self.shared, at) {
                set.add_dynamic(tool);
            }
        }
    }
}

/// The tool of an operation: what the index knows of it. All else is made when it is asked for.
fn tool(shared: &Arc<Shared>, at: usize) -> Option<DynamicTool> {
    let slot = shared.tools.get(at)?;
    let entry = shared.documents.main.entries.get(slot.entry)?;
    let lazily = Arc::clone(shared);
    let input = SchemaSource::lazy(move || lazily.input(at));
    let mut definition = ToolDefinition::new(slot.name.clone(), shared.words(entry), input)
        .annotations(shared.annotations(slot, entry))
        .scopes(slot.scopes.iter().cloned());
    let summary = select::home(&shared.documents.main, entry).string(entry.summary);
    let title = sentence(summary.as_deref().unwrap_or_default(), 80);
    // A title that the description repeats says nothing, and one made of a name that was cut says too little.
    if !title.is_empty() && !plainly(&definition.description, &title) {
        definition = definition.title(title.trim_end_matches('.').to_owned());
    } else if let Some(words) = names::uncut(&shared.documents.main, entry, &slot.name, 80) {
        definition = definition.title(words);
    }
    if entry.deprecated {
        definition = definition.deprecated("the service's description says so");
    }
    let shared = Arc::clone(shared);
    Some(DynamicTool::new(definition, move |arguments, cx| run(Arc::clone(&shared), at, arguments, cx)))
}

/// Whether a description says what the title says and no more.
fn plainly(description: &str, title: &str) -> bool {
    let plain = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    plain(description) == plain(title)
}

async fn run(shared: Arc<Shared>, at: usize, arguments: Value, cx: ToolContext) -> Result<ToolOutput> {
    let operation = shared.operation(at)?;
    operation.run(arguments, &cx).await
}

impl Shared {
    fn setting(&self, annotations: Annotations, entry: &Entry) -> Setting<'_> {
        // A read that writes must not be sent twice because its method is one of reads, nor the other way round.
        let by_method = entry.method.is_idempotent();
        let repeatable = annotations.read_only || annotations.idempotent;
        Setting {
            documents: &self.documents,
            pinned: self.pinned,
            variables: &self.variables,
            credentials: &self.credentials,
            consumes: &self.consumes,
            schema_bytes: self.schema_bytes,
            pages: self.pages,
            repeatable: (repeatable != by_method).then_some(repeatable),
        }
    }

    fn build(&self, slot: &Slot, entry: &Entry) -> Result<Built, Problem> {
        build::build(&self.setting(self.annotations(slot, entry), entry), entry)
    }

    fn annotations(&self, slot: &Slot, entry: &Entry) -> Annotations {
        let home = select::home(&self.documents.main, entry);
        let summary =
            home.string(entry.summary).or_else(|| home.string(entry.description)).unwrap_or_default();
        effect::annotations(&entry.method, &slot.name, &summary, entry.read_only)
    }

    /// The tool's description: summary and description, or at least what is sent.
    fn words(&self, entry: &Entry) -> String {
        let home = select::home(&self.documents.main, entry);
        let summary = sentence(&home.string(entry.summary).unwrap_or_default(), self.description_bytes);
        let said = sentence(&home.string(entry.description).unwrap_or_default(), self.description_bytes);
        let path = self.documents.main.items.get(entry.item).map_or("", |item| &item.path);
        let whole = match (summary.is_empty(), said.is_empty()) {
            (true, true) => String::new(),
            (true, false) => said,
            (false, true) => summary,
            (false, false) if said.starts_with(summary.trim_end_matches('.')) => said,
            (false, false) => format!("{}. {said}", summary.trim_end_matches(['.', ' '])),
        };
        let whole = sentence(&whole, self.description_bytes);
        // Too short to choose a tool by, or nothing but its name.
        if whole.chars().count() < 24 {
            let request = sentence(&format!("{} {path}", entry.method), 120);
            return if whole.is_empty() {
                format!("Sends {request}.")
            } else {
                format!("{} ({request}).", whole.trim_end_matches('.'))
            };
        }
        whole
    }

    fn built(&self, at: usize) -> Result<Arc<Built>, Problem> {
        let missing = || Problem {
            reason: Reason::Syntax,
            message: "there is no such operation".to_owned(),
            place: String::new(),
        };
        let slot = self.tools.get(at).ok_or_else(missing)?;
        let entry = self.documents.main.entries.get(slot.entry).ok_or_else(missing)?;
        slot.built.get_or_init(|| self.build(slot, entry).map(Arc::new)).clone()
    }

    fn input(&self, at: usize) -> Result<Arc<str>, String> {
        self.built(at).map(|built| Arc::clone(&built.input)).map_err(|problem| problem.to_string())
    }

    fn operation(&self, at: usize) -> Result<Arc<Operation>> {
        let built = self.built(at).map_err(|problem| Error::new(ErrorKind::Config, problem.to_string()))?;
        let Some(slot) = self.tools.get(at) else {
            return Err(Error::new(ErrorKind::Internal, "there is no such operation"));
        };
        let ready = slot.ready.get_or_init(|| {
            let mut operation = built.operation.clone();
            if self.output_bytes > 0
                && let Some(entry) = self.documents.main.entries.get(slot.entry)
            {
                let setting = self.setting(self.annotations(slot, entry), entry);
                operation.answer.schema = build::output(&setting, entry, self.output_bytes);
            }
            Arc::new(operation)
        });
        Ok(Arc::clone(ready))
    }

    /// What the registry would find wrong with the schema.
    fn unusable(&self, built: &Built, pointer: &str) -> Option<Problem> {
        let schema = SchemaSource::Json(Arc::clone(&built.input)).schema();
        let message = match schema {
            Ok(schema) => tool_connect_core::schema::problems_of_input(&schema).into_iter().next()?,
            Err(why) => why,
        };
        Some(Problem { reason: Reason::Schema, message, place: pointer.to_owned() })
    }
}
