//! A lint for the authors of connectors: what a model, a user and a host need of every tool, as
//! findings that say what to change. [`snapshot`](fn@snapshot) and [`compare`] hold ids and schemas
//! to what was released.

mod schemas;
mod snapshot;

use std::fmt;

use tool_connect_core::{
    AuthScheme, Connector, InstanceId, MAX_TOOL_NAME, RegisteredTool, ToolDefinition, ToolId, ToolSet,
    check_name,
};

pub use snapshot::{assert_stable, compare, snapshot};

/// A description shorter than this, in characters, tells a model too little to choose the tool by.
const SHORTEST_DESCRIPTION: usize = 16;

/// One thing to change.
///
/// ```
/// use tool_connect_testkit::lint::compare;
///
/// let old = r#"{"connector":"files","tools":{"read":{"version":"1.0.0"}}}"#;
/// let new = r#"{"connector":"files","tools":{"get":{"version":"1.0.0"}}}"#;
/// let findings = compare(old, new);
/// assert_eq!(findings[0].rule, "renamed");
/// assert_eq!(findings[0].tool.as_deref(), Some("read"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The tool's local name; `None` where it is about the connector as a whole.
    pub tool: Option<String>,
    /// Which rule, by its stable name: see [`lint`] and [`compare`].
    pub rule: &'static str,
    /// What is wrong and what to change.
    pub message: String,
}

impl Finding {
    fn of(tool: &str, rule: &'static str, message: impl Into<String>) -> Self {
        Self { tool: Some(tool.to_owned()), rule, message: message.into() }
    }

    fn whole(rule: &'static str, message: impl Into<String>) -> Self {
        Self { tool: None, rule, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tool {
            Some(tool) => write!(f, "{tool}: {} [{}]", self.message, self.rule),
            None => write!(f, "{} [{}]", self.message, self.rule),
        }
    }
}

/// Reads all that a connector says of itself and returns what to change; empty means nothing.
///
/// | rule | what it asks for |
/// | --- | --- |
/// | `manifest` | a valid id, a name, a sentence of description; a base URL over https |
/// | `name` | valid, unique tool names and aliases that fit into the names of model APIs |
/// | `description` | one that is there, long enough to choose by, and more than the title |
/// | `schema` | a valid JSON Schema, of an object for arguments |
/// | `dialect` | a schema that every model API accepts once it is normalised |
/// | `fields` | a description on every field of the arguments |
/// | `output` | a schema of the result |
/// | `annotations` | hints that agree with each other, with the cache and with the tool's verb |
/// | `scopes` | where some tools declare scopes, all do |
/// | `version` | a semantic version |
/// | `cost` | a cost of at least 1 |
///
/// ```
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// use tool_connect_core::{Connector, ConnectorManifest, Result, Run, Tool, ToolContext, ToolSet};
/// use tool_connect_testkit::lint::lint;
///
/// /// Greets.
/// #[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
/// #[tool(read_only)]
/// #[serde(deny_unknown_fields)]
/// struct Greet {
///     name: String,
/// }
/// # impl Run for Greet {
/// #     type Output = String;
/// #     async fn run(self, _cx: &ToolContext) -> Result<String> { Ok(self.name) }
/// # }
///
/// struct Greeter(ConnectorManifest);
/// impl Connector for Greeter {
///     fn manifest(&self) -> &ConnectorManifest {
///         &self.0
///     }
///     fn tools(&self, set: &mut ToolSet) {
///         set.add::<Greet>();
///     }
/// }
///
/// let manifest = ConnectorManifest::new("greeter", semver::Version::new(1, 0, 0), "Greeter")
///     .description("Greets people by name.");
/// let findings = lint(&Greeter(manifest));
/// let rules: Vec<_> = findings.iter().map(|f| f.rule).collect();
/// assert_eq!(rules, ["description", "fields"]);
/// ```
#[must_use]
pub fn lint(connector: &dyn Connector) -> Vec<Finding> {
    let mut findings = manifest(connector);
    let tools = tools(connector);
    if tools.is_empty() {
        findings.push(Finding::whole("manifest", "the connector has no tools"));
    }
    let instance = InstanceId::new(&connector.manifest().id).ok();
    for tool in &tools {
        let definition = tool.definition();
        findings.extend(names(definition, instance.as_ref()));
        findings.extend(words(definition));
        findings.extend(schemas::findings(definition));
        findings.extend(schemas::dialects(definition));
        findings.extend(annotations(definition));
        if definition.version.parse::<semver::Version>().is_err() {
            let message =
                format!("the version `{}` is not a semantic version such as 1.0.0", definition.version);
            findings.push(Finding::of(&definition.name, "version", message));
        }
        if definition.cost == 0 {
            findings.push(Finding::of(
                &definition.name,
                "cost",
                "the cost is 0; every call costs at least 1",
            ));
        }
    }
    findings.extend(doubles(&tools));
    findings.extend(scopes(connector, &tools));
    findings
}

/// What the schemas of a connector's tools lose for each model API, as findings of the rule `loosened`: constraints that move into
/// a description, values that travel as JSON text, descriptions that are cut. Nothing has to be changed; it is for an author
/// who wants a model to see all of it.
///
/// ```
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// use tool_connect_core::{Connector, ConnectorManifest, Result, Run, Tool, ToolContext, ToolSet};
/// use tool_connect_testkit::lint::notes;
///
/// /// Greets somebody by name.
/// #[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
/// #[tool(read_only)]
/// #[serde(deny_unknown_fields)]
/// struct Greet {
///     /// Whom to greet.
///     #[schemars(length(min = 1))]
///     name: String,
/// }
/// # impl Run for Greet {
/// #     type Output = String;
/// #     async fn run(self, _cx: &ToolContext) -> Result<String> { Ok(self.name) }
/// # }
///
/// struct Greeter(ConnectorManifest);
/// impl Connector for Greeter {
///     fn manifest(&self) -> &ConnectorManifest {
///         &self.0
///     }
///     fn tools(&self, set: &mut ToolSet) {
///         set.add::<Greet>();
///     }
/// }
///
/// let notes = notes(&Greeter(ConnectorManifest::new("greeter", semver::Version::new(1, 0, 0), "Greeter")));
/// let strict = "for openai-strict: /properties/name: `minLength` is said in the description";
/// assert!(notes.iter().any(|note| note.message == strict));
/// ```
#[must_use]
pub fn notes(connector: &dyn Connector) -> Vec<Finding> {
    tools(connector).iter().flat_map(|tool| schemas::notes(tool.definition())).collect()
}

/// Fails a test where [`lint`] finds anything, and prints each finding.
///
/// # Panics
/// Where there is a finding: that is what it is for.
pub fn assert_clean(connector: &dyn Connector) {
    assert_clean_but(connector, &[]);
}

/// As [`assert_clean`], but for findings of these rules: for a connector that breaks one on purpose.
///
/// # Panics
/// Where there is a finding of another rule, and where a rule that is let through has none: an
/// exception that nobody needs would hide the next finding.
pub fn assert_clean_but(connector: &dyn Connector, accepted: &[&str]) {
    let (let_through, findings): (Vec<_>, Vec<_>) =
        lint(connector).into_iter().partition(|finding| accepted.contains(&finding.rule));
    assert!(findings.is_empty(), "{}", report(&connector.manifest().id, &findings));
    for rule in accepted {
        assert!(
            let_through.iter().any(|finding| finding.rule == *rule),
            "the rule `{rule}` finds nothing any more; take it out of the accepted ones"
        );
    }
}

fn report(connector: &str, findings: &[Finding]) -> String {
    let mut text = format!("connector `{connector}`: {} finding(s)", findings.len());
    for finding in findings {
        text.push_str(&format!("\n  - {finding}"));
    }
    text
}

fn tools(connector: &dyn Connector) -> Vec<RegisteredTool> {
    let mut set = ToolSet::default();
    connector.tools(&mut set);
    set.into_tools()
}

fn manifest(connector: &dyn Connector) -> Vec<Finding> {
    let manifest = connector.manifest();
    let mut findings = Vec::new();
    let mut find = |message: String| findings.push(Finding::whole("manifest", message));
    if let Err(error) = InstanceId::new(&manifest.id) {
        find(error.message().to_owned());
    }
    if manifest.name.trim().is_empty() {
        find("the name is empty; give the service's name as people write it".to_owned());
    }
    if manifest.description.trim().chars().count() < SHORTEST_DESCRIPTION {
        find("the description is missing or too short; say in one sentence what the tools can do".to_owned());
    }
    if manifest.auth.is_empty() {
        find("there is no way to authenticate; a service without one says `AuthScheme::None`".to_owned());
    }
    if let Some(url) = &manifest.base_url {
        let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if url.scheme() != "https" && !here {
            find(format!(
                "the base URL is {}, so credentials would travel in clear; use https",
                url.scheme()
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            find("the base URL holds a credential; it belongs to a connection".to_owned());
        }
    }
    findings
}

fn names(definition: &ToolDefinition, instance: Option<&InstanceId>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (what, name) in std::iter::once(("tool name", &definition.name))
        .chain(definition.aliases.iter().map(|alias| ("alias", alias)))
    {
        let valid = match instance {
            Some(instance) => {
                check_name(what, name, MAX_TOOL_NAME).and_then(|()| ToolId::new(instance, name).map(drop))
            }
            None => check_name(what, name, MAX_TOOL_NAME),
        };
        if let Err(error) = valid {
            findings.push(Finding::of(&definition.name, "name", error.message()));
        }
    }
    findings
}

/// Names that two tools claim, or one tool twice.
fn doubles(tools: &[RegisteredTool]) -> Vec<Finding> {
    let mut seen = std::collections::BTreeSet::new();
    let mut findings = Vec::new();
    for tool in tools {
        let definition = tool.definition();
        for name in std::iter::once(&definition.name).chain(&definition.aliases) {
            if !seen.insert(name.clone()) {
                let message = format!("`{name}` is there twice among names and aliases; each may stand once");
                findings.push(Finding::of(&definition.name, "name", message));
            }
        }
    }
    findings
}

fn words(definition: &ToolDefinition) -> Vec<Finding> {
    let description = definition.description.trim();
    let message = if description.is_empty() {
        "the description is empty: a model cannot know when to use the tool".to_owned()
    } else if description.chars().count() < SHORTEST_DESCRIPTION {
        format!(
            "the description is shorter than {SHORTEST_DESCRIPTION} characters; say what the tool does and to what"
        )
    } else if plain(description) == plain(&definition.title) {
        "the description only repeats the title; say what the tool does and to what".to_owned()
    } else {
        return Vec::new();
    };
    vec![Finding::of(&definition.name, "description", message)]
}

/// A text without case and punctuation, for comparison.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Verbs that read, at the beginning of a name.
const READING: &[&str] =
    &["count", "describe", "fetch", "find", "get", "list", "read", "search", "show", "stat"];
/// Verbs that write.
const WRITING: &[&str] = &[
    "add", "archive", "cancel", "create", "delete", "edit", "insert", "move", "post", "purge", "put",
    "remove", "rename", "replace", "send", "set", "update", "upload", "write",
];
/// Verbs that take something away.
const DESTROYING: &[&str] = &["delete", "destroy", "drop", "erase", "purge", "remove", "wipe"];

fn annotations(definition: &ToolDefinition) -> Vec<Finding> {
    let hints = definition.annotations;
    let verb = definition.name.split('_').next().unwrap_or_default();
    let mut messages = Vec::new();
    if hints.read_only && hints.destructive {
        messages.push("it says both read-only and destructive; a read destroys nothing".to_owned());
    }
    if hints.read_only && !hints.idempotent {
        messages.push("it says read-only and not idempotent; a read can always be repeated".to_owned());
    }
    if definition.cache.is_some() && !hints.read_only {
        messages.push("its result may be cached although it writes; only reads can be".to_owned());
    }
    if hints.read_only && (WRITING.contains(&verb) || DESTROYING.contains(&verb)) {
        messages.push(format!("it says read-only, and its name begins with `{verb}`; one of them misleads"));
    }
    if !hints.read_only && READING.contains(&verb) {
        messages.push(format!(
            "its name begins with `{verb}`, and it counts as a write; say `read_only` if it changes nothing"
        ));
    }
    if !hints.read_only && !hints.destructive && DESTROYING.contains(&verb) {
        messages.push(format!("its name begins with `{verb}`, and it says that it destroys nothing"));
    }
    messages.into_iter().map(|message| Finding::of(&definition.name, "annotations", message)).collect()
}

/// Scopes belong to bearer tokens. A service may have none; where one tool declares some, a tool
/// without would be called with any token and fail at the provider.
fn scopes(connector: &dyn Connector, tools: &[RegisteredTool]) -> Vec<Finding> {
    let manifest = connector.manifest();
    let bare = |tool: &&RegisteredTool| tool.definition().scopes.is_empty();
    if !manifest.auth.contains(&AuthScheme::Bearer) || tools.iter().all(|tool| bare(&tool)) {
        return Vec::new();
    }
    tools
        .iter()
        .filter(bare)
        .map(|tool| {
            Finding::of(
                &tool.definition().name,
                "scopes",
                "it declares no scopes although other tools do; name those that its requests need",
            )
        })
        .collect()
}
