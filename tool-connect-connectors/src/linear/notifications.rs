//! Notifications of the connected account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Page, Result, Run, Tool, ToolContext};

use super::fields::{issue_ref, page_of};
use super::graphql::{Document, page, remove};
use super::{Done, IssueRef, Named};
use crate::provider::paged;

paged! { ListNotifications => Notification }

const LIST: Document = concat!(
    "query($page_size: Int = 50, $cursor: String, $include_archived: Boolean) { \
     answer: notifications(first: $page_size, after: $cursor, includeArchived: $include_archived) ",
    page_of!(
        "id type title subtitle url created_at: createdAt read_at: readAt snoozed_until: snoozedUntilAt \
         archived_at: archivedAt actor { id name } ... on IssueNotification { issue { ",
        issue_ref!(),
        " } }"
    ),
    " }"
);
const ARCHIVE: Document = "mutation($id: String!) { answer: notificationArchive(id: $id) { success } }";

/// Something that the connected account is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Notification {
    /// Id, a UUID.
    pub id: String,
    /// What happened: `issueAssignedToYou`, `issueNewComment`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What stands below the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtitle: Option<String>,
    /// Page on Linear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Named>,
    /// The issue that it is about, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<IssueRef>,
    /// When it came (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it was read (RFC 3339); absent where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<String>,
    /// Until when it is put off (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<String>,
    /// When it was archived (RFC 3339); absent where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<String>,
}

/// Lists the notifications of the connected account, a page at a time, the latest first.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct ListNotifications {
    /// Whether archived ones are listed, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_archived: Option<bool>,
    /// How many a page holds; 50 where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl Run for ListNotifications {
    type Output = Page<Notification>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Notification>> {
        page(cx, LIST, &self).await
    }
}

/// Archives a notification: it leaves the inbox.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct ArchiveNotification {
    /// Id of the notification, a UUID.
    #[schemars(length(min = 1))]
    pub id: String,
}

impl Run for ArchiveNotification {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        remove(cx, ARCHIVE, self.id).await
    }
}
