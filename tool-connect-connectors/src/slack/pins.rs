//! Pinned messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tool_connect_core::{Result, Run, Tool, ToolContext};

use super::Message;
use super::call::{Done, get, post};

/// Something pinned to a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pin {
    /// `message`, or another kind.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    /// When it was pinned, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<i64>,
    /// Id of the user who pinned it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
}

/// Pins a message to its channel.
///
/// <https://docs.slack.dev/reference/methods/pins.add>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("pins:write"))]
#[serde(deny_unknown_fields)]
pub struct PinMessage {
    /// Id of the conversation, such as `C012AB3CD`.
    pub channel: String,
    /// `ts` of the message, such as `1512085950.000216`.
    #[schemars(regex(pattern = r"^[0-9]{1,12}\.[0-9]{1,9}$"))]
    pub ts: String,
}

impl Run for PinMessage {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        let arguments = json!({"channel": self.channel, "timestamp": self.ts});
        post(cx, "pins.add", &arguments).await?.done()
    }
}

/// Takes a pinned message's pin away; the message stays.
///
/// <https://docs.slack.dev/reference/methods/pins.remove>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("pins:write"))]
#[serde(deny_unknown_fields)]
pub struct UnpinMessage {
    /// Id of the conversation, such as `C012AB3CD`.
    pub channel: String,
    /// `ts` of the message, such as `1512085950.000216`.
    #[schemars(regex(pattern = r"^[0-9]{1,12}\.[0-9]{1,9}$"))]
    pub ts: String,
}

impl Run for UnpinMessage {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        let arguments = json!({"channel": self.channel, "timestamp": self.ts});
        post(cx, "pins.remove", &arguments).await?.done()
    }
}

/// Lists what is pinned to a channel, all at once.
///
/// <https://docs.slack.dev/reference/methods/pins.list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("pins:read"))]
#[serde(deny_unknown_fields)]
pub struct ListPins {
    /// Id of the conversation, such as `C012AB3CD`.
    pub channel: String,
}

impl Run for ListPins {
    type Output = Vec<Pin>;

    async fn run(self, cx: &ToolContext) -> Result<Vec<Pin>> {
        get(cx, "pins.list", &self).await?.member("items")
    }
}
