//! The document, as far as it is read at once: everything below a method stays text until it is asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde_json::value::RawValue;
use tool_connect_core::{Error, ErrorKind, Result};
use url::Url;

/// Largest document, in bytes.
const MAX: usize = 64 * 1024 * 1024;
/// Deepest nesting of resources.
const MAX_DEPTH: usize = 16;

/// Raw JSON by name.
pub(super) type Raws = BTreeMap<String, Box<RawValue>>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Top {
    #[serde(default)]
    protocol: Option<String>,
    name: String,
    version: String,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    documentation_link: Option<String>,
    root_url: String,
    #[serde(default)]
    service_path: String,
    #[serde(default)]
    auth: Option<Auth>,
    #[serde(default)]
    parameters: Raws,
    #[serde(default)]
    schemas: Raws,
    #[serde(default)]
    methods: Raws,
    #[serde(default)]
    resources: Raws,
}

#[derive(Deserialize)]
struct Auth {
    #[serde(default)]
    oauth2: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize, Default)]
struct Resource {
    #[serde(default)]
    methods: Raws,
    #[serde(default)]
    resources: Raws,
}

/// A document.
pub(super) struct Document {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) page: Option<Url>,
    pub(super) root: Url,
    /// Between the root and a method's path, without slashes around it.
    pub(super) service_path: String,
    pub(super) oauth: bool,
    pub(super) parameters: Raws,
    pub(super) schemas: Raws,
    pub(super) methods: Vec<Arc<Method>>,
    /// Resources that cannot be read, by their path.
    pub(super) broken: Vec<String>,
    /// Patterns that were compiled, and whether they could be: methods share them.
    patterns: Mutex<BTreeMap<String, bool>>,
}

/// A method: its head, and the text of the rest.
pub(super) struct Method {
    /// Its id, or where it stands if it has none.
    pub(super) id: String,
    /// What is known of it, or why it is none.
    pub(super) head: std::result::Result<Head, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Head {
    #[serde(default)]
    pub(super) id: Option<String>,
    pub(super) path: String,
    pub(super) http_method: String,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) parameters: Option<Box<RawValue>>,
    #[serde(default)]
    pub(super) request: Option<Box<RawValue>>,
    #[serde(default)]
    pub(super) response: Option<Box<RawValue>>,
    #[serde(default)]
    pub(super) scopes: Vec<String>,
    #[serde(default)]
    pub(super) deprecated: bool,
    #[serde(default)]
    pub(super) api_version: Option<String>,
    #[serde(default)]
    pub(super) supports_media_download: bool,
    #[serde(default)]
    pub(super) media_upload: Option<MediaUpload>,
}

#[derive(Deserialize)]
pub(super) struct MediaUpload {
    #[serde(default)]
    pub(super) protocols: Protocols,
}

#[derive(Deserialize, Default)]
pub(super) struct Protocols {
    #[serde(default)]
    pub(super) simple: Option<Protocol>,
    #[serde(default)]
    pub(super) resumable: Option<Protocol>,
}

#[derive(Deserialize)]
pub(super) struct Protocol {
    pub(super) path: String,
}

impl Document {
    pub(super) fn open(bytes: &[u8]) -> Result<Self> {
        let wrong = |why: String| Error::new(ErrorKind::Config, format!("the discovery document {why}"));
        if bytes.len() > MAX {
            return Err(wrong(format!("has {} bytes; at most {MAX} are read", bytes.len())));
        }
        let top: Top = serde_json::from_slice(bytes).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            match error.classify() {
                serde_json::error::Category::Data => {
                    wrong(format!("does not have the form of one ({place}): {error}"))
                }
                serde_json::error::Category::Eof => wrong(format!("ends too early ({place})")),
                _ => wrong(format!("is not JSON ({place})")),
            }
        })?;
        if top.protocol.as_deref().is_some_and(|protocol| protocol != "rest") {
            return Err(wrong("describes another protocol than REST".to_owned()));
        }
        let root = Url::parse(&top.root_url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none())
            .ok_or_else(|| wrong("has a `rootUrl` that is no http or https URL".to_owned()))?;
        let (mut methods, mut broken) = (Vec::new(), Vec::new());
        let above = Resource { methods: top.methods, resources: top.resources };
        walk(&top.name, above, 0, &mut methods, &mut broken);
        Ok(Self {
            title: top.title.unwrap_or_else(|| top.name.clone()),
            name: top.name,
            version: top.version,
            description: top.description.unwrap_or_default(),
            page: top.documentation_link.and_then(|link| Url::parse(&link).ok()),
            root,
            service_path: top.service_path.trim_matches('/').to_owned(),
            oauth: top.auth.is_some_and(|auth| auth.oauth2.is_some()),
            parameters: top.parameters,
            schemas: top.schemas,
            methods,
            broken,
            patterns: Mutex::default(),
        })
    }

    /// Whether a pattern compiles.
    pub(super) fn is_pattern(&self, pattern: &str) -> bool {
        let mut known = self.patterns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(pattern) {
            return *known;
        }
        let compiles = regex::Regex::new(pattern).is_ok();
        known.insert(pattern.to_owned(), compiles);
        compiles
    }
}

fn walk(
    above: &str,
    resource: Resource,
    depth: usize,
    methods: &mut Vec<Arc<Method>>,
    broken: &mut Vec<String>,
) {
    for (name, raw) in resource.methods {
        let head: std::result::Result<Head, String> = serde_json::from_str(raw.get())
            .map_err(|error| format!("it does not have the form of a method: {error}"));
        let id = head.as_ref().ok().and_then(|head| head.id.clone());
        let id = id.unwrap_or_else(|| format!("{above}.{name}"));
        methods.push(Arc::new(Method { id, head }));
    }
    for (name, raw) in resource.resources {
        let place = format!("{above}.{name}");
        match serde_json::from_str::<Resource>(raw.get()) {
            Ok(inner) if depth < MAX_DEPTH => walk(&place, inner, depth + 1, methods, broken),
            _ => broken.push(place),
        }
    }
}
