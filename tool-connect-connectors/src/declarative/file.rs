//! The file as it is written.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use tool_connect_core::{ConnectorLimits, ErrorKind, Rate};

use super::auth::Auth;

/// A whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
    #[serde(default)]
    pub(super) version: Option<String>,
    pub(super) base_url: String,
    #[serde(default)]
    pub(super) config: BTreeMap<String, Config>,
    #[serde(default)]
    pub(super) category: Option<String>,
    #[serde(default)]
    pub(super) icon: Option<String>,
    #[serde(default)]
    pub(super) documentation: Option<String>,
    #[serde(default)]
    pub(super) auth: Option<OneOrMany<Auth>>,
    #[serde(default)]
    pub(super) limits: Limits,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) query: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) full_argument: bool,
    #[serde(default)]
    pub(super) idempotency_header: Option<String>,
    #[serde(default)]
    pub(super) errors: Vec<ErrorAnswer>,
    pub(super) tools: BTreeMap<String, Tool>,
}

/// `auth = { .. }` or `[[auth]]`.
pub(super) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

// By hand: an untagged enum would say of a mistake only that no variant fits.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Visitor<T> {
            type Value = OneOrMany<T>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a table, or an array of tables")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(OneOrMany::One)
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(serde::de::value::SeqAccessDeserializer::new(seq)).map(OneOrMany::Many)
            }
        }
        deserializer.deserialize_any(Visitor(std::marker::PhantomData))
    }
}

/// A value that the base URL needs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    pub(super) description: String,
    #[serde(default)]
    pub(super) default: Option<String>,
    #[serde(default)]
    pub(super) pattern: Option<String>,
}

/// What the service bears.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    #[serde(default)]
    requests: Option<Rate>,
    #[serde(default)]
    concurrency: Option<u32>,
    #[serde(default, with = "tool_connect_core::duration::option")]
    attempt_timeout: Option<Duration>,
}

impl From<Limits> for ConnectorLimits {
    fn from(file: Limits) -> Self {
        let mut limits = Self::default();
        limits.requests = file.requests;
        limits.concurrency = file.concurrency;
        limits.attempt_timeout = file.attempt_timeout;
        limits
    }
}

/// What an error answer means.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct ErrorAnswer {
    #[serde(default)]
    pub(super) status: Option<u16>,
    #[serde(default)]
    pub(super) pointer: Option<String>,
    #[serde(default)]
    pub(super) equals: Option<toml::Value>,
    #[serde(default)]
    pub(super) missing: Option<String>,
    pub(super) kind: Kind,
    #[serde(default)]
    pub(super) message: Option<String>,
    #[serde(default)]
    pub(super) tell: Vec<String>,
    #[serde(default, with = "tool_connect_core::duration::option")]
    pub(super) wait: Option<Duration>,
    #[serde(default)]
    pub(super) not_executed: bool,
}

/// The kinds of error that a service can answer with.
#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    InvalidArguments,
    NotFound,
    Conflict,
    NeedsReauth,
    Forbidden,
    RateLimited,
    TooLarge,
    Provider,
    Unsupported,
}

impl From<Kind> for ErrorKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::InvalidArguments => Self::InvalidArguments,
            Kind::NotFound => Self::NotFound,
            Kind::Conflict => Self::Conflict,
            Kind::NeedsReauth => Self::NeedsReauth,
            Kind::Forbidden => Self::Forbidden,
            Kind::RateLimited => Self::RateLimited,
            Kind::TooLarge => Self::TooLarge,
            Kind::Provider => Self::Provider,
            Kind::Unsupported => Self::Unsupported,
        }
    }
}

/// A tool.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tool {
    #[serde(default)]
    pub(super) title: Option<String>,
    pub(super) description: String,
    pub(super) method: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) read_only: Option<bool>,
    #[serde(default)]
    pub(super) destructive: Option<bool>,
    #[serde(default)]
    pub(super) idempotent: Option<bool>,
    #[serde(default)]
    pub(super) scopes: Vec<String>,
    #[serde(default)]
    pub(super) version: Option<String>,
    #[serde(default)]
    pub(super) aliases: Vec<String>,
    #[serde(default, with = "tool_connect_core::duration::option")]
    pub(super) timeout: Option<Duration>,
    #[serde(default)]
    pub(super) cost: Option<u32>,
    #[serde(default, with = "tool_connect_core::duration::option")]
    pub(super) cache: Option<Duration>,
    #[serde(default)]
    pub(super) deprecated: Option<String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) idempotency_header: Option<String>,
    #[serde(default)]
    pub(super) args: BTreeMap<String, Arg>,
    #[serde(default)]
    pub(super) body: Option<BodyOf>,
    #[serde(default)]
    pub(super) pagination: Option<Pages>,
    #[serde(default)]
    pub(super) result: ResultOf,
    #[serde(default)]
    pub(super) errors: Vec<ErrorAnswer>,
}

/// An argument, or what an argument holds.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Arg {
    #[serde(default, rename = "type")]
    pub(super) kind: Option<Type>,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default, rename = "enum")]
    pub(super) choices: Option<Vec<toml::Value>>,
    #[serde(default)]
    pub(super) min: Option<toml::Value>,
    #[serde(default)]
    pub(super) max: Option<toml::Value>,
    #[serde(default)]
    pub(super) pattern: Option<String>,
    #[serde(default)]
    pub(super) format: Option<String>,
    #[serde(default)]
    pub(super) default: Option<toml::Value>,
    #[serde(default)]
    pub(super) items: Option<Box<Arg>>,
    #[serde(default)]
    pub(super) properties: BTreeMap<String, Arg>,
    #[serde(default)]
    pub(super) schema: Option<toml::Value>,
    #[serde(default)]
    pub(super) value: Option<toml::Value>,
    #[serde(default, rename = "in")]
    pub(super) place: Option<In>,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) style: Option<Style>,
    #[serde(default)]
    pub(super) explode: Option<bool>,
    #[serde(default)]
    pub(super) allow_reserved: bool,
    #[serde(default)]
    pub(super) allow_empty: bool,
    #[serde(default)]
    pub(super) media_type: Option<String>,
    #[serde(default)]
    pub(super) at: Option<String>,
    #[serde(default)]
    pub(super) template: Option<toml::Value>,
}

/// What an argument is.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Type {
    String,
    Integer,
    Number,
    Boolean,
    Array,
    Object,
    File,
}

/// Where an argument goes.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum In {
    Path,
    Query,
    Header,
    Cookie,
    Body,
}

/// How an argument is written.
#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(super) enum Style {
    Simple,
    Label,
    Matrix,
    Form,
    SpaceDelimited,
    PipeDelimited,
    DeepObject,
    Json,
}

/// The body of a tool's request.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct BodyOf {
    #[serde(default)]
    pub(super) encoding: How,
    #[serde(default)]
    pub(super) argument: Option<String>,
    #[serde(default)]
    pub(super) media_type: Option<String>,
    #[serde(default)]
    pub(super) required: Option<bool>,
}

/// How a body is written.
#[derive(Deserialize, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum How {
    #[default]
    Json,
    Form,
    Multipart,
    Text,
    Binary,
}

/// How pages follow each other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pages {
    pub(super) next: Next,
    #[serde(default)]
    pub(super) pointer: Option<String>,
    #[serde(default)]
    pub(super) header: Option<String>,
    #[serde(default)]
    pub(super) first: Option<u64>,
    #[serde(default)]
    pub(super) parameter: Option<String>,
    #[serde(default)]
    pub(super) items: Option<String>,
    #[serde(default)]
    pub(super) has_more: Option<String>,
    #[serde(default, rename = "in")]
    pub(super) place: Option<In>,
}

/// What tells of the next page.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Next {
    Cursor,
    Url,
    Link,
    Header,
    Page,
    Offset,
    LastItem,
    LeastItem,
}

/// What is made of the answer.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct ResultOf {
    #[serde(default)]
    pub(super) pointer: Option<String>,
    #[serde(default)]
    pub(super) fields: Vec<String>,
    #[serde(default)]
    pub(super) accept: Vec<String>,
    #[serde(default)]
    pub(super) schema: Option<toml::Value>,
    #[serde(default)]
    pub(super) texts: Vec<String>,
}
