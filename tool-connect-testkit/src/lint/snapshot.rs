//! What a connector promised when it was released, as a text to commit, and what may not change
//! about it without a sign.

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tool_connect_core::{Annotations, Connector, SchemaSource};

use super::{Finding, report, tools};

/// A connector's promises. Words are left out: a better description breaks nobody.
#[derive(Serialize, Deserialize)]
struct Snapshot {
    connector: String,
    tools: BTreeMap<String, Promise>,
}

#[derive(Serialize, Deserialize)]
struct Promise {
    version: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    annotations: Annotations,
    #[serde(default)]
    input: Value,
    #[serde(default)]
    output: Value,
}

/// Writes down names, aliases, versions, scopes, annotations and the shapes of all schemas, as JSON
/// text in a stable order. Commit it beside the connector and hold the next version to it with
/// [`assert_stable`].
#[must_use]
pub fn snapshot(connector: &dyn Connector) -> String {
    let promises = tools(connector).into_iter().map(|tool| {
        let definition = tool.definition();
        let sorted = |texts: &[std::borrow::Cow<'static, str>]| {
            let mut texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
            texts.sort();
            texts
        };
        let promise = Promise {
            version: definition.version.to_string(),
            aliases: sorted(&definition.aliases),
            scopes: sorted(&definition.scopes),
            annotations: definition.annotations,
            input: shape_of(&definition.input),
            output: definition.output.as_ref().map_or(Value::Null, shape_of),
        };
        (definition.name.to_string(), promise)
    });
    let snapshot = Snapshot { connector: connector.manifest().id.clone(), tools: promises.collect() };
    let mut text = serde_json::to_string_pretty(&snapshot).unwrap_or_default();
    text.push('\n');
    text
}

/// Compares two snapshots, the released one first; returns what must not have happened.
///
/// | rule | what happened |
/// | --- | --- |
/// | `snapshot` | one of the texts is no snapshot |
/// | `renamed` | the connector or a tool has gone, and no alias of another tool keeps its name |
/// | `alias` | a former name works no more, or means another tool now |
/// | `version` | a schema, an annotation or a scope changed and the tool's version did not go up |
/// | `breaking` | what callers send or read today works no more, within the same major version |
///
/// A new tool is no finding.
#[must_use]
pub fn compare(old: &str, new: &str) -> Vec<Finding> {
    let (old, new) = match (read("old", old), read("new", new)) {
        (Ok(old), Ok(new)) => (old, new),
        (old, new) => return old.err().into_iter().chain(new.err()).collect(),
    };
    let mut findings = Vec::new();
    if old.connector != new.connector {
        let message = format!(
            "the connector `{}` is called `{}` now; ids of tools begin with it",
            old.connector, new.connector
        );
        findings.push(Finding::whole("renamed", message));
    }
    for (name, before) in &old.tools {
        match holder(&new, name) {
            None => findings.push(Finding::of(
                name,
                "renamed",
                format!("it is gone; a renamed tool keeps its old name for ever: `aliases(\"{name}\")` on the new one"),
            )),
            Some((holder, after)) => {
                findings.extend(lost_aliases(&new, name, holder, before));
                findings.extend(changes(name, before, after));
            }
        }
    }
    findings
}

/// Fails a test where the connector breaks what a committed snapshot promised, and where the
/// snapshot does not say yet what the connector says now; prints the text to commit.
///
/// ```no_run
/// # fn my_connector() -> Box<dyn tool_connect_core::Connector> { unimplemented!() }
/// # let committed = "";
/// // let committed = include_str!("tools.snapshot.json");
/// tool_connect_testkit::lint::assert_stable(&*my_connector(), committed);
/// ```
///
/// # Panics
/// Where there is a finding of [`compare`], or the snapshot is not the present one.
pub fn assert_stable(connector: &dyn Connector, committed: &str) {
    let current = snapshot(connector);
    if !committed.trim().is_empty() {
        let findings = compare(committed, &current);
        assert!(findings.is_empty(), "{}", report(&connector.manifest().id, &findings));
    }
    let same = |a: &str, b: &str| a.lines().map(str::trim_end).eq(b.lines().map(str::trim_end));
    assert!(
        same(committed.trim_end(), current.trim_end()),
        "the committed snapshot is not the present one; if the change is meant, commit this:\n{current}"
    );
}

fn read(which: &str, text: &str) -> Result<Snapshot, Finding> {
    serde_json::from_str(text)
        .map_err(|e| Finding::whole("snapshot", format!("the {which} text is no snapshot: {e}")))
}

/// The tool that a name means: its own, or one that has it as an alias.
fn holder<'a>(snapshot: &'a Snapshot, name: &str) -> Option<(&'a str, &'a Promise)> {
    let own = snapshot.tools.get_key_value(name);
    own.or_else(|| {
        snapshot.tools.iter().find(|(_, promise)| promise.aliases.iter().any(|alias| alias == name))
    })
    .map(|(name, promise)| (name.as_str(), promise))
}

fn lost_aliases(new: &Snapshot, name: &str, now: &str, before: &Promise) -> Vec<Finding> {
    let lost = before.aliases.iter().filter_map(|alias| match holder(new, alias) {
        None => Some(format!("its alias `{alias}` is gone; former names work for ever")),
        Some((other, _)) if other != now => Some(format!("its alias `{alias}` means the tool `{other}` now")),
        Some(_) => None,
    });
    lost.map(|message| Finding::of(name, "alias", message)).collect()
}

fn changes(name: &str, before: &Promise, after: &Promise) -> Vec<Finding> {
    let (Ok(old), Ok(new)) = (before.version.parse::<Version>(), after.version.parse::<Version>()) else {
        return vec![Finding::of(name, "version", "its version is not a semantic version such as 1.0.0")];
    };
    let changed: Vec<&str> = [
        ("input schema", before.input != after.input),
        ("output schema", before.output != after.output),
        ("annotations", before.annotations != after.annotations),
        ("scopes", before.scopes != after.scopes),
    ]
    .into_iter()
    .filter_map(|(what, changed)| changed.then_some(what))
    .collect();
    let mut findings = Vec::new();
    if new < old {
        findings.push(Finding::of(name, "version", format!("its version went back from {old} to {new}")));
    } else if !changed.is_empty() && new == old {
        let message = format!("its {} changed and its version is still {old}; raise it", changed.join(", "));
        findings.push(Finding::of(name, "version", message));
    }
    // Below 1.0.0 the minor version says what the major says later.
    let major = |v: &Version| if v.major == 0 { (0, v.minor) } else { (v.major, 0) };
    if major(&old) == major(&new) {
        findings
            .extend(breaks(before, after).into_iter().map(|message| Finding::of(name, "breaking", message)));
    }
    findings
}

/// What callers of the old form cannot do any more. It looks at fields of the top level, which is
/// where tools change; deeper changes are seen as changes.
fn breaks(before: &Promise, after: &Promise) -> Vec<String> {
    let next = "raise the major version, or keep the old form working";
    let mut messages = Vec::new();
    for field in required(&after.input).filter(|field| !required(&before.input).any(|old| old == *field)) {
        messages.push(format!("the argument `{field}` is required now; {next}"));
    }
    for field in fields(&before.input).filter(|field| !fields(&after.input).any(|new| new == *field)) {
        messages.push(format!("the argument `{field}` is gone; {next}"));
    }
    for field in fields(&before.output).filter(|field| !fields(&after.output).any(|new| new == *field)) {
        messages.push(format!("the result's field `{field}` is gone; {next}"));
    }
    for scope in after.scopes.iter().filter(|scope| !before.scopes.contains(scope)) {
        messages
            .push(format!("it needs the scope `{scope}` now, which connections were not granted; {next}"));
    }
    if before.annotations.read_only && !after.annotations.read_only {
        messages.push(format!("it was a read and writes now; {next}"));
    }
    messages
}

fn fields(schema: &Value) -> impl Iterator<Item = &str> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.as_str())
}

fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// A schema's shape: without words, its keys sorted. A broken schema is the lint's business.
fn shape_of(source: &SchemaSource) -> Value {
    source.schema().map_or(Value::Null, |schema| shape(schema.as_value()))
}

fn shape(schema: &Value) -> Value {
    let Some(map) = schema.as_object() else { return schema.clone() };
    let mut keys: Vec<&String> = map.keys().collect();
    keys.sort();
    let mut shaped = Map::new();
    for key in keys {
        let value = &map[key];
        let value = match (key.as_str(), value) {
            ("title" | "description" | "$comment" | "examples" | "deprecated", _) => continue,
            // Here the keys are names of the author's, which may be `title` too.
            (
                "properties" | "$defs" | "definitions" | "patternProperties" | "dependentSchemas",
                Value::Object(named),
            ) => {
                let mut names: Vec<&String> = named.keys().collect();
                names.sort();
                Value::Object(names.into_iter().map(|name| (name.clone(), shape(&named[name]))).collect())
            }
            ("required", Value::Array(names)) => {
                let mut names = names.clone();
                names.sort_by_key(ToString::to_string);
                Value::Array(names)
            }
            // Values, not schemas.
            ("const" | "enum" | "default", value) => value.clone(),
            (_, Value::Array(schemas)) => Value::Array(schemas.iter().map(shape).collect()),
            (_, value) => shape(value),
        };
        shaped.insert(key.clone(), value);
    }
    Value::Object(shaped)
}
