//! Whose mailbox is connected.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Result, Run, Tool, ToolContext};

/// A mailbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// The account's e-mail address.
    #[serde(alias = "emailAddress")]
    pub email_address: String,
    /// How many messages there are.
    #[serde(default, alias = "messagesTotal", skip_serializing_if = "Option::is_none")]
    pub messages_total: Option<u64>,
    /// How many threads there are.
    #[serde(default, alias = "threadsTotal", skip_serializing_if = "Option::is_none")]
    pub threads_total: Option<u64>,
    /// Where the mailbox's history stands now, for `list_history`.
    #[serde(default, alias = "historyId", skip_serializing_if = "Option::is_none")]
    pub history_id: Option<String>,
}

/// Says whose mailbox is connected: its address, how much is in it, and where its history stands.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users/getProfile>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes(
        "https://www.googleapis.com/auth/gmail.readonly|https://www.googleapis.com/auth/gmail.compose|https://www.googleapis.com/auth/gmail.modify"
    )
)]
#[serde(deny_unknown_fields)]
pub struct GetProfile {
    /// Whether to return all that Gmail sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetProfile {
    type Output = Detail<Profile>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Profile>> {
        cx.http().get("gmail/v1/users/me/profile").detail(self.whole).await
    }
}
