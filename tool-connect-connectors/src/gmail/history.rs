//! What changed in the mailbox.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::http::Classify;
use tool_connect_core::{Effect, Error, Result, Run, Tool, ToolArgs, ToolContext};

use super::Sent;
use crate::google::{Listed, from};

/// A kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum HistoryType {
    /// A message came or was sent.
    MessageAdded,
    /// A message was deleted for good.
    MessageDeleted,
    /// A message got a label.
    LabelAdded,
    /// A label was taken off a message.
    LabelRemoved,
}

impl HistoryType {
    fn wire(self) -> &'static str {
        match self {
            Self::MessageAdded => "messageAdded",
            Self::MessageDeleted => "messageDeleted",
            Self::LabelAdded => "labelAdded",
            Self::LabelRemoved => "labelRemoved",
        }
    }
}

/// A message that changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LabelChange {
    /// The message, with the labels that it has now.
    pub message: Sent,
    /// Ids of the labels that were added or taken off.
    #[serde(default, alias = "labelIds", skip_serializing_if = "Vec::is_empty")]
    pub label_ids: Vec<String>,
}

/// What changed at one point of the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryRecord {
    /// Where in the history.
    pub id: String,
    /// Messages that came or were sent.
    #[serde(default, alias = "messagesAdded", skip_serializing_if = "Vec::is_empty")]
    pub messages_added: Vec<LabelChange>,
    /// Messages that were deleted for good.
    #[serde(default, alias = "messagesDeleted", skip_serializing_if = "Vec::is_empty")]
    pub messages_deleted: Vec<LabelChange>,
    /// Messages that got labels.
    #[serde(default, alias = "labelsAdded", skip_serializing_if = "Vec::is_empty")]
    pub labels_added: Vec<LabelChange>,
    /// Messages that lost labels.
    #[serde(default, alias = "labelsRemoved", skip_serializing_if = "Vec::is_empty")]
    pub labels_removed: Vec<LabelChange>,
}

/// A page of the mailbox's history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MailHistory {
    /// What changed, oldest first.
    pub items: Vec<HistoryRecord>,
    /// What to pass as `cursor` to get the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Where the history stands now: `start_history_id` of the next look, after the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history_id: Option<String>,
}

/// Lists what changed in the mailbox since a point of its history, oldest first, a page at a time: messages that came and went,
/// labels.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.history/list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes("https://www.googleapis.com/auth/gmail.readonly|https://www.googleapis.com/auth/gmail.modify")
)]
#[serde(deny_unknown_fields)]
pub struct ListHistory {
    /// `history_id` of `get_profile` or of an earlier list. Gmail keeps about a week.
    #[schemars(regex(pattern = "^[0-9]+$"))]
    pub start_history_id: String,
    /// Only these kinds of change.
    #[serde(default)]
    pub types: Vec<HistoryType>,
    /// Only messages with this label, by id.
    #[serde(default)]
    pub label_id: Option<String>,
    /// How many a page holds; 100 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 500))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListHistory {
    type Output = MailHistory;

    async fn run(self, cx: &ToolContext) -> Result<MailHistory> {
        let mut request = cx
            .http()
            .get("gmail/v1/users/me/history")
            .query("startHistoryId", &self.start_history_id)
            .query("maxResults", self.page_size.unwrap_or(100))
            .query_opt("labelId", self.label_id.as_deref())
            .classify(Classify::new(|parts, _| {
                (parts.status == 404).then(|| {
                    Error::of_status(404, "the history does not reach back that far").effect(Effect::None).public(
                        "Gmail's history does not reach back that far: list the messages again, and go on with the `history_id` \
                         that `get_profile` names.",
                    )
                })
            }));
        for kind in &self.types {
            request = request.query("historyTypes", kind.wire());
        }
        let listed: Listed<HistoryRecord> = from(request, self.cursor.as_deref()).json().await?;
        Ok(MailHistory { items: listed.items, next_cursor: listed.next_page_token, history_id: listed.later })
    }
}
