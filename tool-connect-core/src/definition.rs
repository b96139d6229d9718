//! What a tool says of itself.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use schemars::Schema;
use serde::{Deserialize, Serialize};

/// What a tool does to the world, in MCP's words; they decide behaviour, so they must be true.
///
/// The default is the careful one: a write that may destroy, may not be repeated, and reaches
/// outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Annotations {
    /// Changes nothing; it may be repeated and cached.
    #[serde(rename = "readOnlyHint")]
    pub read_only: bool,
    /// May destroy or overwrite; meaningful only for writes.
    #[serde(rename = "destructiveHint")]
    pub destructive: bool,
    /// Twice with the same arguments has the effect of once.
    #[serde(rename = "idempotentHint")]
    pub idempotent: bool,
    /// Touches systems outside the host.
    #[serde(rename = "openWorldHint")]
    pub open_world: bool,
}

impl Default for Annotations {
    fn default() -> Self {
        Self { read_only: false, destructive: true, idempotent: false, open_world: true }
    }
}

impl Annotations {
    /// A read: changes nothing, may be repeated.
    pub const READ: Self = Self { read_only: true, destructive: false, idempotent: true, open_world: true };

    /// Whether a whole call may be run again without an idempotency key.
    #[must_use]
    pub const fn repeatable(self) -> bool {
        self.read_only || self.idempotent
    }
}

/// Makes a schema; called once per registered type.
pub type SchemaFn = fn() -> Schema;

/// Where a tool's schema comes from.
#[derive(Clone)]
pub enum SchemaSource {
    /// Generated from a Rust type.
    Typed(SchemaFn),
    /// Given as JSON text, for tools known only at run time.
    Json(Arc<str>),
    /// JSON text that is made when it is first asked for, and kept: for tools by the thousand, of which few are used.
    ///
    /// The Hub registers such a tool without looking at its schemas; what is wrong with them switches it off when it is first
    /// listed or called.
    Lazy(LazySchema),
}

/// The text of a schema, made when it is first asked for; a clone shares it.
///
/// ```
/// use std::sync::{Arc, OnceLock};
/// use tool_connect_core::SchemaSource;
/// let source = SchemaSource::lazy(|| Ok(Arc::from(r#"{"type":"object"}"#)));
/// assert_eq!(source.schema().unwrap().as_value()["type"], "object");
/// ```
#[derive(Clone)]
pub struct LazySchema(Arc<Lazy>);

struct Lazy {
    text: OnceLock<Result<Arc<str>, String>>,
    make: Box<dyn Fn() -> Result<Arc<str>, String> + Send + Sync>,
}

impl LazySchema {
    /// The text; the first time it is made.
    ///
    /// # Errors
    /// A sentence that says why there is none.
    pub fn text(&self) -> Result<Arc<str>, String> {
        self.0.text.get_or_init(|| (self.0.make)()).clone()
    }
}

impl fmt::Debug for LazySchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LazySchema")
    }
}

impl SchemaSource {
    /// JSON text that is made when it is first asked for; see [`Lazy`](Self::Lazy). An error says why there is none.
    #[must_use]
    pub fn lazy(make: impl Fn() -> Result<Arc<str>, String> + Send + Sync + 'static) -> Self {
        Self::Lazy(LazySchema(Arc::new(Lazy { text: OnceLock::new(), make: Box::new(make) })))
    }

    /// The schema as a value.
    ///
    /// # Errors
    /// A sentence that says why the text is not a schema.
    pub fn schema(&self) -> Result<Schema, String> {
        match self {
            Self::Typed(make) => Ok(make()),
            Self::Json(text) => parse(text),
            Self::Lazy(lazy) => parse(&lazy.text()?),
        }
    }
}

fn parse(text: &str) -> Result<Schema, String> {
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|e| format!("the schema is not JSON: {e}"))?;
    Schema::try_from(value).map_err(|_| "the schema is neither an object nor a boolean".to_owned())
}

impl fmt::Debug for SchemaSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Typed(_) => "Typed",
            Self::Json(_) => "Json",
            Self::Lazy(_) => "Lazy",
        })
    }
}

/// What a tool says of itself: names, words, schemas, and what the stacks need to know.
///
/// The name is local; the instance gives the prefix of the id.
///
/// ```
/// use tool_connect_core::{Annotations, ToolDefinition, SchemaSource, schema};
/// let definition = ToolDefinition::new("ping", "Answers pong.", SchemaSource::Typed(schema::input::<()>))
///     .annotations(Annotations::READ)
///     .version("1.1.0")
///     .aliases(["are_you_there"]);
/// assert_eq!(definition.name, "ping");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ToolDefinition {
    /// Local name, `[a-z][a-z0-9_]*`.
    pub name: Cow<'static, str>,
    /// Short title for people.
    pub title: Cow<'static, str>,
    /// What it does, for the model.
    pub description: Cow<'static, str>,
    /// What it does to the world.
    pub annotations: Annotations,
    /// Scopes that the connection must have been granted. Where one of several will do they stand in one text,
    /// `public_repo|repo`, first the one to ask for.
    pub scopes: Vec<Cow<'static, str>>,
    /// Semantic version of the definition; not part of the id.
    pub version: Cow<'static, str>,
    /// Former names that go on working for ever.
    pub aliases: Vec<Cow<'static, str>>,
    /// Time-out of a call; the Hub's default where unset.
    pub timeout: Option<Duration>,
    /// What a call takes from each limit; 1 by default.
    pub cost: u32,
    /// How long a result may be served again to the same principal; only for reads.
    pub cache: Option<Duration>,
    /// Runs where it may block its thread.
    pub blocking: bool,
    /// Why not to use it any more, and what instead.
    pub deprecated: Option<Cow<'static, str>>,
    /// Schema of the arguments.
    pub input: SchemaSource,
    /// Schema of the structured result.
    pub output: Option<SchemaSource>,
}

impl ToolDefinition {
    /// A definition with careful defaults: a write that may destroy, version 1.0.0, cost 1.
    #[must_use]
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        description: impl Into<Cow<'static, str>>,
        input: SchemaSource,
    ) -> Self {
        let name = name.into();
        Self {
            title: Cow::Owned(title_of(&name)),
            name,
            description: description.into(),
            annotations: Annotations::default(),
            scopes: Vec::new(),
            version: Cow::Borrowed("1.0.0"),
            aliases: Vec::new(),
            timeout: None,
            cost: 1,
            cache: None,
            blocking: false,
            deprecated: None,
            input,
            output: None,
        }
    }

    /// Gives back what its texts have room for and do not use: a registry may hold ten thousand.
    pub(crate) fn shrink(&mut self) {
        for text in [&mut self.name, &mut self.title, &mut self.description] {
            if let Cow::Owned(text) = text {
                text.shrink_to_fit();
            }
        }
    }

    /// Sets the title.
    #[must_use]
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.title = title.into();
        self
    }

    /// Sets the annotations.
    #[must_use]
    pub fn annotations(mut self, annotations: Annotations) -> Self {
        self.annotations = annotations;
        self
    }

    /// Sets the scopes that the connection needs.
    #[must_use]
    pub fn scopes<S: Into<Cow<'static, str>>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The scopes to ask for, beside those that are asked for anyway, so that the tool may be called: of alternatives the first.
    ///
    /// ```
    /// # use tool_connect_core::{SchemaSource, ToolDefinition, schema};
    /// # let input = SchemaSource::Typed(schema::input::<()>);
    /// let tool = ToolDefinition::new("create_issue", "Creates an issue.", input).scopes(["public_repo|repo"]);
    /// assert!(tool.scopes_beside(&[]).eq(["public_repo"]));
    /// assert_eq!(tool.scopes_beside(&["repo".to_owned()]).next(), None);
    /// ```
    pub fn scopes_beside<'a>(&'a self, asked: &[String]) -> impl Iterator<Item = &'a str> {
        crate::connection::lacking(asked, self.scopes.iter().map(AsRef::as_ref))
    }

    /// Sets the semantic version of the definition.
    #[must_use]
    pub fn version(mut self, version: impl Into<Cow<'static, str>>) -> Self {
        self.version = version.into();
        self
    }

    /// Sets the former names.
    #[must_use]
    pub fn aliases<S: Into<Cow<'static, str>>>(mut self, aliases: impl IntoIterator<Item = S>) -> Self {
        self.aliases = aliases.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the time-out of a call.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets what a call takes from each limit.
    #[must_use]
    pub fn cost(mut self, cost: u32) -> Self {
        self.cost = cost;
        self
    }

    /// Lets a result be served again to the same principal for this long.
    #[must_use]
    pub fn cache(mut self, ttl: Duration) -> Self {
        self.cache = Some(ttl);
        self
    }

    /// Says that the tool blocks its thread.
    #[must_use]
    pub fn blocking(mut self, blocking: bool) -> Self {
        self.blocking = blocking;
        self
    }

    /// Says why not to use it any more, and what instead.
    #[must_use]
    pub fn deprecated(mut self, note: impl Into<Cow<'static, str>>) -> Self {
        self.deprecated = Some(note.into());
        self
    }

    /// Sets the schema of the structured result.
    #[must_use]
    pub fn output(mut self, output: SchemaSource) -> Self {
        self.output = Some(output);
        self
    }
}

/// `create_issue` to `Create issue`.
#[must_use]
pub fn title_of(name: &str) -> String {
    let mut title = name.replace('_', " ");
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    title
}
