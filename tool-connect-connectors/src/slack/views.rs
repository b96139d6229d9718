//! Views: modals that answer an interaction, and the app's home page.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tool_connect_core::{Detail, Error, Result, Run, Tool, ToolContext};

use super::call::post;

/// A view that is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct View {
    /// Id, such as `V012AB3CD`, to update it with.
    pub id: String,
    /// `modal` or `home`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its state: given with an update, it keeps the update from overwriting a later one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Name that the app gave it for its interactions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_id: Option<String>,
    /// Id that the app gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Id of the view that the stack began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_view_id: Option<String>,
}

/// Opens a modal in answer to an interaction. Returns the view with its id and hash.
///
/// <https://docs.slack.dev/reference/methods/views.open>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false)]
#[serde(deny_unknown_fields)]
pub struct OpenView {
    /// `trigger_id` of the interaction; good for three seconds and once.
    pub trigger_id: String,
    /// The view (<https://docs.slack.dev/reference/views>): `type`, `title`, `blocks` and more.
    pub view: Map<String, Value>,
    /// Whether to return all that Slack sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

/// Lays a further modal over the one that is open, in answer to an interaction with that. Returns the view with its id and hash.
///
/// <https://docs.slack.dev/reference/methods/views.push>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false)]
#[serde(deny_unknown_fields)]
pub struct PushView {
    /// `trigger_id` of the interaction; good for three seconds and once.
    pub trigger_id: String,
    /// The view (<https://docs.slack.dev/reference/views>).
    pub view: Map<String, Value>,
    /// Whether to return all that Slack sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

/// Replaces what an open modal shows. Returns the view with its new hash.
///
/// <https://docs.slack.dev/reference/methods/views.update>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent)]
#[serde(deny_unknown_fields)]
pub struct UpdateView {
    /// Id of the view, such as `V012AB3CD`; or `external_id`.
    #[serde(default)]
    pub view_id: Option<String>,
    /// Id that the app gave the view.
    #[serde(default)]
    pub external_id: Option<String>,
    /// The view (<https://docs.slack.dev/reference/views>).
    pub view: Map<String, Value>,
    /// `hash` of the view that is to be replaced; where it changed meanwhile, nothing is done.
    #[serde(default)]
    pub hash: Option<String>,
    /// Whether to return all that Slack sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

/// Shows a view as the app's home page to one user, in the place of what was there. Returns the view with its id and hash.
///
/// <https://docs.slack.dev/reference/methods/views.publish>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent)]
#[serde(deny_unknown_fields)]
pub struct PublishHomeView {
    /// Id of the user, such as `U012AB3CD`.
    pub user_id: String,
    /// The view (<https://docs.slack.dev/reference/views>), of type `home`.
    pub view: Map<String, Value>,
    /// `hash` of the view that is to be replaced; where it changed meanwhile, nothing is done.
    #[serde(default)]
    pub hash: Option<String>,
    /// Whether to return all that Slack sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

async fn shown(
    cx: &ToolContext,
    method: &'static str,
    arguments: impl Serialize,
    whole: bool,
) -> Result<Detail<View>> {
    post(cx, method, &arguments).await?.detail("view", whole)
}

impl Run for OpenView {
    type Output = Detail<View>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<View>> {
        shown(cx, "views.open", &self, self.whole).await
    }
}

impl Run for PushView {
    type Output = Detail<View>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<View>> {
        shown(cx, "views.push", &self, self.whole).await
    }
}

impl Run for UpdateView {
    type Output = Detail<View>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<View>> {
        if self.view_id.is_some() == self.external_id.is_some() {
            return Err(Error::invalid_argument("/view_id", "must be given, or `external_id`, and not both"));
        }
        shown(cx, "views.update", &self, self.whole).await
    }
}

impl Run for PublishHomeView {
    type Output = Detail<View>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<View>> {
        shown(cx, "views.publish", &self, self.whole).await
    }
}
