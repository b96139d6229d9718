//! The connector that a file makes.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use tool_connect_core::{
    Connector, ConnectorManifest, DynamicTool, Result, ToolContext, ToolDefinition, ToolOutput, ToolSet,
};
use url::Url;

use super::load::Loader;
use crate::operation::Operation;

/// A connector from a TOML file.
///
/// ```
/// use tool_connect_connectors::declarative::Declarative;
/// use tool_connect_core::{Connector, ToolSet};
///
/// let weather = Declarative::from_toml(r#"
///     id = "weather"
///     name = "Weather"
///     description = "Weather forecasts for any place."
///     base_url = "https://api.weather.example/v1"
///
///     [tools.get_forecast]
///     description = "Returns the forecast for a place, hour by hour."
///     method = "GET"
///     path = "/forecast"
///     args.latitude = { type = "number", min = -90, max = 90, required = true, description = "Degrees north." }
///     args.longitude = { type = "number", min = -180, max = 180, required = true, description = "Degrees east." }
/// "#)?;
/// let mut set = ToolSet::default();
/// weather.tools(&mut set);
/// assert_eq!(set.tools()[0].definition().name, "get_forecast");
///
/// let error = Declarative::from_toml("id = \"weather\"\nbase_ulr = \"https://api.weather.example\"").unwrap_err();
/// assert!(error.message().starts_with("line 2 (`base_ulr"));
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Declarative {
    manifest: ConnectorManifest,
    base_url: Url,
    tools: Vec<Entry>,
}

/// A tool, ready to be registered.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) definition: ToolDefinition,
    pub(super) action: Arc<Action>,
}

/// What a tool does.
#[derive(Debug)]
pub(super) struct Action {
    pub(super) operation: Operation,
    /// Arguments that are filled in where they are missing: defaults of a body, and what is always the same.
    pub(super) filled: Vec<(String, Value)>,
}

impl Action {
    async fn run(&self, mut arguments: Value, cx: &ToolContext) -> Result<ToolOutput> {
        if let Some(arguments) = arguments.as_object_mut() {
            for (name, value) in &self.filled {
                arguments.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        self.operation.run(arguments, cx).await
    }
}

impl Declarative {
    pub(super) fn new(manifest: ConnectorManifest, base_url: Url, tools: Vec<Entry>) -> Self {
        Self { manifest, base_url, tools }
    }

    /// Reads the text of a host's file; [`Loader`] is for files of tenants, and for values of the base URL.
    ///
    /// # Errors
    /// As [`Loader::from_toml`].
    pub fn from_toml(text: &str) -> Result<Self> {
        Loader::new().from_toml(text)
    }

    /// Reads a host's file.
    ///
    /// # Errors
    /// As [`Loader::from_path`].
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self> {
        Loader::new().from_path(path)
    }

    /// Loads a file that comes with the crate; one whose address needs a value is loaded by [`Loader::builtin`].
    ///
    /// # Errors
    /// As [`Loader::builtin`].
    ///
    /// ```
    /// use tool_connect_connectors::declarative::Declarative;
    ///
    /// let stripe = Declarative::builtin("stripe")?;
    /// assert_eq!(stripe.base_url().as_str(), "https://api.stripe.com/v1");
    /// # Ok::<(), tool_connect_core::Error>(())
    /// ```
    pub fn builtin(id: &str) -> Result<Self> {
        Loader::new().builtin(id)
    }

    /// Where the requests go.
    #[must_use]
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }
}

impl Connector for Declarative {
    fn manifest(&self) -> &ConnectorManifest {
        &self.manifest
    }

    fn tools(&self, set: &mut ToolSet) {
        for Entry { definition, action } in &self.tools {
            let action = Arc::clone(action);
            set.add_dynamic(DynamicTool::new(definition.clone(), move |arguments, cx| {
                let action = Arc::clone(&action);
                async move { action.run(arguments, &cx).await }
            }));
        }
    }
}
