//! Reactions to messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tool_connect_core::{Page, Result, Run, Tool, ToolContext};

use super::call::{Done, get, post};
use super::{File, Message};
use crate::provider::paged;

paged! { ListReactions => Reacted }

/// An emoji under a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reaction {
    /// Name of the emoji, without colons.
    pub name: String,
    /// How many reacted with it.
    #[serde(default)]
    pub count: u64,
    /// Ids of users who did; not always all of them.
    #[serde(default)]
    pub users: Vec<String>,
}

/// Something that was reacted to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reacted {
    /// `message` or `file`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Id of the conversation of a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    /// The file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<File>,
}

/// Adds an emoji under a message, as the connected account.
///
/// <https://docs.slack.dev/reference/methods/reactions.add>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("reactions:write"))]
#[serde(deny_unknown_fields)]
pub struct AddReaction {
    /// Id of the conversation, such as `C012AB3CD`.
    pub channel: String,
    /// `ts` of the message, such as `1512085950.000216`.
    #[schemars(regex(pattern = r"^[0-9]{1,12}\.[0-9]{1,9}$"))]
    pub ts: String,
    /// Name of the emoji without colons, such as `thumbsup`; with a skin tone `thumbsup::skin-tone-6`.
    #[schemars(regex(pattern = r"^[^:\s]+(::skin-tone-[2-6])?$"))]
    pub name: String,
}

impl Run for AddReaction {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        let arguments = json!({"channel": self.channel, "timestamp": self.ts, "name": self.name});
        post(cx, "reactions.add", &arguments).await?.done()
    }
}

/// Takes an emoji of the connected account away from under a message.
///
/// <https://docs.slack.dev/reference/methods/reactions.remove>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("reactions:write"))]
#[serde(deny_unknown_fields)]
pub struct RemoveReaction {
    /// Id of the conversation, such as `C012AB3CD`.
    pub channel: String,
    /// `ts` of the message, such as `1512085950.000216`.
    #[schemars(regex(pattern = r"^[0-9]{1,12}\.[0-9]{1,9}$"))]
    pub ts: String,
    /// Name of the emoji without colons, such as `thumbsup`.
    #[schemars(regex(pattern = r"^[^:\s]+(::skin-tone-[2-6])?$"))]
    pub name: String,
}

impl Run for RemoveReaction {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        let arguments = json!({"channel": self.channel, "timestamp": self.ts, "name": self.name});
        post(cx, "reactions.remove", &arguments).await?.done()
    }
}

/// Gets the reactions to a message, each with those who reacted.
///
/// <https://docs.slack.dev/reference/methods/reactions.get>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("reactions:read"))]
#[serde(deny_unknown_fields)]
pub struct GetReactions {
    /// Id of the conversation, such as `C012AB3CD`.
    pub channel: String,
    /// `ts` of the message, such as `1512085950.000216`.
    #[schemars(regex(pattern = r"^[0-9]{1,12}\.[0-9]{1,9}$"))]
    pub ts: String,
}

impl Run for GetReactions {
    type Output = Vec<Reaction>;

    async fn run(self, cx: &ToolContext) -> Result<Vec<Reaction>> {
        #[derive(Deserialize)]
        struct Item {
            #[serde(default)]
            reactions: Vec<Reaction>,
        }
        let arguments = json!({"channel": self.channel, "timestamp": self.ts, "full": true});
        Ok(get(cx, "reactions.get", &arguments).await?.member::<Item>("message")?.reactions)
    }
}

/// Lists what a user reacted to, a page at a time.
///
/// <https://docs.slack.dev/reference/methods/reactions.list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("reactions:read"))]
#[serde(deny_unknown_fields)]
pub struct ListReactions {
    /// Id of the user, such as `U012AB3CD`; the connected account if left out.
    #[serde(default)]
    pub user: Option<String>,
    /// How many a page holds at most; 100 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 999))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListReactions {
    type Output = Page<Reacted>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Reacted>> {
        get(cx, "reactions.list", &self).await?.page("items")
    }
}
