//! A tool in the registry: checked once, with its texts ready to be sent.

use std::collections::{HashMap, HashSet};
use std::hint::black_box;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use aws_lc_rs::digest;
use serde_json::{Value, json};
use tool_connect_core::{
    Annotations, Connector, ConnectorManifest, Error, ErrorKind, InstanceId, RegisteredTool, Result,
    SchemaFn, SchemaSource, ToolDefinition, ToolId, ToolSet, check_name, schema,
};
use tool_connect_tower::Concurrency;

use crate::audit::AuditedTool;
use crate::observe::ToolMetrics;
use crate::request::Endpoint;
use crate::validate::Validator;

/// A connector instance.
pub(crate) struct Instance {
    pub(crate) id: InstanceId,
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) endpoint: Endpoint,
    pub(crate) needs_connection: bool,
    pub(crate) concurrency: Option<Arc<Concurrency>>,
    /// Tells this registration from every other of this process, also from one that it replaces.
    pub(crate) serial: u64,
    /// The instance's key in limiters.
    pub(crate) key: u64,
    /// What the search knows of it.
    pub(crate) search: crate::search::Indexed,
}

impl Instance {
    pub(crate) fn manifest(&self) -> &ConnectorManifest {
        self.connector.manifest()
    }
}

/// A tool of an instance.
pub(crate) struct Entry {
    pub(crate) id: ToolId,
    pub(crate) instance: Arc<Instance>,
    pub(crate) tool: RegisteredTool,
    pub(crate) marks: Marks,
    /// What follows from its schemas: known from the beginning, or made on first use where they are.
    facts: OnceLock<Facts>,
    pub(crate) validator: OnceLock<Arc<Validator>>,
    pub(crate) metrics: ToolMetrics,
}

/// What a call asks of a tool's definition. Here it lies beside what every call reads anyway; the definition, in a large
/// registry, is in no near cache.
#[derive(Clone, Copy)]
pub(crate) struct Marks {
    pub(crate) cost: u32,
    // Bits, for as many bools would cost each entry eight bytes more.
    bits: u8,
}

impl Marks {
    const TIMEOUT: u8 = 1;
    const READ_ONLY: u8 = 1 << 1;
    const CACHED: u8 = 1 << 2;
    const BLOCKING: u8 = 1 << 3;
    const SOUND: u8 = 1 << 4;

    fn of(definition: &ToolDefinition, sound: bool) -> Self {
        let bits = [
            (Self::TIMEOUT, definition.timeout.is_some()),
            (Self::READ_ONLY, definition.annotations.read_only),
            (Self::CACHED, definition.cache.is_some()),
            (Self::BLOCKING, definition.blocking),
            (Self::SOUND, sound),
        ];
        let bits = bits.iter().fold(0, |all, (bit, set)| if *set { all | bit } else { all });
        Self { cost: definition.cost, bits }
    }

    /// Whether it has a time-out of its own.
    pub(crate) fn timeout(self) -> bool {
        self.bits & Self::TIMEOUT != 0
    }

    pub(crate) fn read_only(self) -> bool {
        self.bits & Self::READ_ONLY != 0
    }

    pub(crate) fn cached(self) -> bool {
        self.bits & Self::CACHED != 0
    }

    pub(crate) fn blocking(self) -> bool {
        self.bits & Self::BLOCKING != 0
    }

    /// Whether it was known from the beginning that it works.
    fn sound(self) -> bool {
        self.bits & Self::SOUND != 0
    }
}

/// What follows from a tool's schemas.
struct Facts {
    /// What the audit trail writes of it: id and definition hash.
    audited: Arc<AuditedTool>,
    input: Arc<str>,
    output: Option<Arc<str>>,
    listing: usize,
    /// Why the tool is switched off; empty means that it works.
    broken: Box<[String]>,
}

impl Entry {
    #[inline]
    fn facts(&self) -> &Facts {
        match self.facts.get() {
            Some(facts) => facts,
            None => self.find_out(),
        }
    }

    #[cold]
    fn find_out(&self) -> &Facts {
        self.facts.get_or_init(|| Facts::new(&self.id, self.tool.definition(), None))
    }

    pub(crate) fn input_schema(&self) -> &str {
        &self.facts().input
    }

    pub(crate) fn output_schema(&self) -> Option<&str> {
        self.facts().output.as_deref()
    }

    /// What the audit trail writes of it: id and definition hash.
    #[inline]
    pub(crate) fn audited(&self) -> &Arc<AuditedTool> {
        &self.facts().audited
    }

    pub(crate) fn definition_hash(&self) -> &[u8; 32] {
        &self.facts().audited.definition
    }

    /// Why the tool is switched off; empty means that it works.
    #[inline]
    pub(crate) fn broken(&self) -> &[String] {
        if self.marks.sound() { &[] } else { &self.facts().broken }
    }

    /// Why the tool is switched off, as far as it is known: nothing is made for it.
    pub(crate) fn known_broken(&self) -> &[String] {
        self.facts.get().map_or(&[], |facts| &facts.broken)
    }

    /// Appends the tool's MCP listing (`Tool` object) to a JSON text: written from its parts, which
    /// a second copy of would be a sixth of the registry.
    pub(crate) fn write_listing(&self, out: &mut Vec<u8>) {
        let facts = self.facts();
        write_listing(&self.id, self.tool.definition(), &facts.input, facts.output.as_deref(), out);
    }

    /// Reads what the listing is written from, a byte of each cache line, and does nothing with it.
    ///
    /// A large registry does not fit into the near caches, and what one tool is written from lies in
    /// several places. These reads do not wait for each other: done for some tools ahead of writing
    /// them, memory answers many at once, where the writing would wait for one after the other.
    pub(crate) fn touch(&self) {
        const LINE: usize = 64;
        let definition = self.tool.definition();
        let texts = [self.id.as_str(), &definition.title, &definition.description, self.input_schema()];
        let lines = texts.iter().flat_map(|text| text.as_bytes().iter().step_by(LINE));
        black_box((lines.fold(0, |all, byte| all ^ byte), definition.annotations, definition.scopes.len()));
    }

    /// How many bytes the listing has.
    pub(crate) fn listing_len(&self) -> usize {
        self.facts().listing
    }
}

/// Asks the connector for its tools and checks each. What breaks the instance is an error; what
/// breaks one tool switches that tool off.
pub(super) fn build(instance: Instance, texts: &Texts) -> Result<(Arc<Instance>, Vec<Arc<Entry>>)> {
    let mut set = ToolSet::default();
    instance.connector.tools(&mut set);
    let instance = Arc::new(instance);
    let mut names: HashSet<String> = HashSet::new();
    let mut entries = Vec::with_capacity(set.tools().len());
    // In the order of the listing, so that what is listed together lies together in memory.
    let mut tools = set.into_tools();
    tools.sort_by(|a, b| a.definition().name.cmp(&b.definition().name));
    for tool in tools {
        let entry = entry(&instance, tool, texts)?;
        let definition = entry.tool.definition();
        for name in std::iter::once(&definition.name).chain(&definition.aliases) {
            if !names.insert(name.to_string()) {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    format!(
                        "instance `{}` has two tools or aliases named `{name}`; register each name once",
                        instance.id
                    ),
                ));
            }
        }
        entries.push(Arc::new(entry));
    }
    entries.sort_by(|a, b| a.id.cmp(&b.id));
    Ok((instance, entries))
}

fn entry(instance: &Arc<Instance>, tool: RegisteredTool, texts: &Texts) -> Result<Entry> {
    let definition = tool.definition();
    let id = ToolId::new(&instance.id, &definition.name)?;
    for alias in &definition.aliases {
        check_name("alias", alias, tool_connect_core::MAX_TOOL_NAME)?;
    }
    let lazy = |source: &SchemaSource| matches!(source, SchemaSource::Lazy(_));
    let facts = OnceLock::new();
    if !lazy(&definition.input) && !definition.output.as_ref().is_some_and(lazy) {
        let _ = facts.set(Facts::new(&id, definition, Some(texts)));
    }
    Ok(Entry {
        metrics: ToolMetrics::default(),
        marks: Marks::of(definition, facts.get().is_some_and(|facts: &Facts| facts.broken.is_empty())),
        id,
        instance: Arc::clone(instance),
        tool,
        facts,
        validator: OnceLock::new(),
    })
}

impl Facts {
    fn new(id: &ToolId, definition: &ToolDefinition, texts: Option<&Texts>) -> Self {
        let mut broken = Vec::new();
        if definition.description.trim().is_empty() {
            broken.push("the description is empty: a model cannot know when to use the tool".to_owned());
        }
        if definition.version.parse::<semver::Version>().is_err() {
            broken.push(format!("the version `{}` is not a semantic version", definition.version));
        }
        if definition.cost == 0 {
            broken.push("the cost is 0: every call must cost at least 1".to_owned());
        }
        let annotations = definition.annotations;
        if annotations.read_only && annotations.destructive {
            broken.push("the tool says both read-only and destructive".to_owned());
        }
        if definition.cache.is_some() && !annotations.read_only {
            broken.push("only a read-only tool may be cached".to_owned());
        }
        let mut text = |source: &SchemaSource, which: Which| {
            let checked = match texts {
                Some(texts) => texts.of(source, which),
                None => Checked::new(source, which),
            };
            broken.extend(checked.problems.iter().map(|p| format!("{} schema: {p}", which.name())));
            checked.text
        };
        let input = text(&definition.input, Which::Input);
        let output = definition.output.as_ref().map(|output| text(output, Which::Output));
        let mut seen = Vec::with_capacity(input.len() + 512);
        write_listing(id, definition, &input, output.as_deref(), &mut seen);
        let listing = seen.len();
        seen.extend_from_slice(definition.version.as_bytes());
        let hash = digest::digest(&digest::SHA256, &seen);
        let mut definition_hash = [0; 32];
        definition_hash.copy_from_slice(hash.as_ref());
        let audited = Arc::new(AuditedTool { id: id.clone(), definition: definition_hash });
        Self { audited, input, output, listing, broken: broken.into_boxed_slice() }
    }
}

/// A schema's text and what is wrong with it.
#[derive(Clone)]
struct Checked {
    text: Arc<str>,
    problems: Arc<[String]>,
}

impl Checked {
    /// A broken schema is replaced by one that accepts nothing.
    fn new(source: &SchemaSource, which: Which) -> Self {
        let schema = match source.schema() {
            Ok(schema) => schema,
            Err(why) => return Self { text: Arc::from("false"), problems: Arc::from([why]) },
        };
        let text = match source {
            // The text is kept as it came, shared with the definition.
            SchemaSource::Json(text) => Arc::clone(text),
            SchemaSource::Lazy(lazy) => lazy.text().unwrap_or_else(|_| Arc::from("false")),
            SchemaSource::Typed(_) => Arc::from(schema.as_value().to_string()),
        };
        let problems = match which {
            Which::Input => schema::problems_of_input(&schema),
            Which::Output => schema::problems_of(&schema),
        };
        Self { text, problems: problems.into() }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Which {
    Input,
    Output,
}

impl Which {
    const fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
        }
    }
}

/// Texts of the schemas of Rust types: made once per type, however many tools have it.
#[derive(Default)]
pub(super) struct Texts(Mutex<HashMap<(SchemaFn, Which), Checked, foldhash::fast::RandomState>>);

impl Texts {
    fn of(&self, source: &SchemaSource, which: Which) -> Checked {
        match source {
            SchemaSource::Typed(make) => {
                let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                made.entry((*make, which)).or_insert_with(|| Checked::new(source, which)).clone()
            }
            SchemaSource::Json(_) | SchemaSource::Lazy(_) => Checked::new(source, which),
        }
    }
}

/// Writes an MCP `Tool` object. Ids need no escaping.
fn write_listing(
    id: &ToolId,
    definition: &ToolDefinition,
    input: &str,
    output: Option<&str>,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(b"{\"name\":\"");
    out.extend_from_slice(id.as_str().as_bytes());
    out.extend_from_slice(b"\",\"title\":");
    write_text(&definition.title, out);
    out.extend_from_slice(b",\"description\":");
    match &definition.deprecated {
        None => write_text(&definition.description, out),
        Some(note) => write_text(&format!("{}\n\nDeprecated: {note}", definition.description), out),
    }
    out.extend_from_slice(hints(definition.annotations).as_bytes());
    if !definition.scopes.is_empty() {
        out.extend_from_slice(b",\"_meta\":");
        out.extend_from_slice(json!({ "tool-connect/scopes": definition.scopes }).to_string().as_bytes());
    }
    out.extend_from_slice(b",\"inputSchema\":");
    out.extend_from_slice(input.as_bytes());
    if let Some(output) = output {
        out.extend_from_slice(b",\"outputSchema\":");
        out.extend_from_slice(output.as_bytes());
    }
    out.push(b'}');
}

/// The annotations of a listing. There are sixteen texts of it, each written once: a listing is made
/// of few long pieces, for many short ones cost as much as the schema.
fn hints(annotations: Annotations) -> &'static str {
    static HINTS: LazyLock<[String; 16]> = LazyLock::new(|| {
        std::array::from_fn(|bits| {
            let [read, destroy, repeat, open] = [1, 2, 4, 8].map(|bit| bits & bit != 0);
            format!(
                ",\"annotations\":{{\"readOnlyHint\":{read},\"destructiveHint\":{destroy},\
                 \"idempotentHint\":{repeat},\"openWorldHint\":{open}}}"
            )
        })
    });
    let Annotations { read_only, destructive, idempotent, open_world } = annotations;
    let bits = [read_only, destructive, idempotent, open_world].into_iter().rev();
    &HINTS[bits.fold(0, |bits, hint| (bits << 1) | usize::from(hint))]
}

/// Writes a JSON string; most need no escaping and are copied as they are.
fn write_text(text: &str, out: &mut Vec<u8>) {
    // Not `any`, which stops early and therefore looks at one byte at a time.
    let escapes = text.bytes().fold(false, |found, b| found | (b < b' ') | (b == b'"') | (b == b'\\'));
    if !escapes {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(Value::from(text).to_string().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hint_stands_under_its_own_name() {
        let none = Annotations { read_only: false, destructive: false, idempotent: false, open_world: false };
        for (name, annotations) in [
            ("readOnlyHint", Annotations { read_only: true, ..none }),
            ("destructiveHint", Annotations { destructive: true, ..none }),
            ("idempotentHint", Annotations { idempotent: true, ..none }),
            ("openWorldHint", Annotations { open_world: true, ..none }),
        ] {
            let text = format!("{{{}}}", hints(annotations).trim_start_matches(','));
            let value: Value = serde_json::from_str(&text).unwrap();
            let told = value["annotations"].as_object().unwrap();
            assert_eq!(told.len(), 4);
            assert!(told.iter().all(|(key, hint)| *hint == Value::Bool(key == name)), "{text}");
        }
    }

    #[test]
    fn texts_are_escaped_where_they_must_be() {
        for text in ["plain", "quo\"te", "back\\slash", "line\nbreak", "bell\u{7}", "ä€😀", ""] {
            let mut out = Vec::new();
            write_text(text, &mut out);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
