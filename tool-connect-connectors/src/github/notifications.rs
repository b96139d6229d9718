//! Notifications.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Page, Result, Run, Tool, ToolContext, ToolSet};

use super::brief::FullName;
use super::page::{Done, Members, done, page, paged, request};
use crate::provider::paged;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<ListNotifications>().add::<MarkNotificationRead>().add::<MarkNotificationsRead>();
}

paged! { ListNotifications => Notification }

/// News of an issue, a pull request or something else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Notification {
    /// Id of the thread.
    pub id: String,
    /// Why it came: `assign`, `author`, `comment`, `mention`, `review_requested`, `subscribed`, `ci_activity`, ..
    pub reason: String,
    /// Whether it is unread.
    pub unread: bool,
    /// What it is about.
    pub subject: Subject,
    /// Repository, `owner/name`.
    pub repository: FullName,
    /// When it came, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// When it was last read, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_read_at: Option<String>,
}

/// What a notification is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// Title.
    pub title: String,
    /// `Issue`, `PullRequest`, `Release`, `Discussion`, `CheckSuite`, ..
    #[serde(rename = "type")]
    pub kind: String,
    /// Address in the API; it ends in the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Address in the API of the latest comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_comment_url: Option<String>,
}

/// Lists the connected account's notifications, newest first, a page at a time.
///
/// <https://docs.github.com/en/rest/activity/notifications#list-notifications-for-the-authenticated-user>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("notifications|repo"))]
#[serde(deny_unknown_fields)]
pub struct ListNotifications {
    /// Whether to list read ones, too.
    #[serde(default)]
    pub all: Option<bool>,
    /// Whether to list only those of what the account takes part in or is mentioned in.
    #[serde(default)]
    pub participating: Option<bool>,
    /// Only those that came after this time, ISO 8601: `2026-01-02T03:04:05Z`.
    #[serde(default)]
    pub since: Option<String>,
    /// Only those that came before this time, ISO 8601.
    #[serde(default)]
    pub before: Option<String>,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListNotifications {
    type Output = Page<Notification>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Notification>> {
        let request = request(cx, Method::GET, "/notifications")
            .query_opt("all", self.all)
            .query_opt("participating", self.participating)
            .query_opt("since", self.since.as_deref())
            .query_opt("before", self.before.as_deref());
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}

/// Marks one notification as read.
///
/// <https://docs.github.com/en/rest/activity/notifications#mark-a-thread-as-read>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("notifications|repo"))]
#[serde(deny_unknown_fields)]
pub struct MarkNotificationRead {
    /// Id of the thread: `id` of the notification.
    #[schemars(regex(pattern = "^[0-9]+$"))]
    pub thread_id: String,
}

impl Run for MarkNotificationRead {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        done(
            request(cx, Method::PATCH, "/notifications/threads/{thread_id}")
                .path("thread_id", &self.thread_id),
        )
        .await
    }
}

/// Marks all notifications as read, or those that came before a time; of one repository or of all.
///
/// <https://docs.github.com/en/rest/activity/notifications#mark-notifications-as-read>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("notifications|repo"))]
#[serde(deny_unknown_fields)]
pub struct MarkNotificationsRead {
    /// Only those of this repository, `owner/name`.
    #[serde(default)]
    #[schemars(regex(pattern = "^[^/]+/[^/]+$"))]
    pub repository: Option<String>,
    /// Only those that came before this time, ISO 8601; all if left out.
    #[serde(default)]
    pub last_read_at: Option<String>,
}

impl Run for MarkNotificationsRead {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        let body = Members::default().maybe("last_read_at", self.last_read_at.as_ref());
        let request = match self.repository.as_deref().and_then(|name| name.split_once('/')) {
            Some((owner, repo)) => request(cx, Method::PUT, "/repos/{owner}/{repo}/notifications")
                .path("owner", owner)
                .path("repo", repo),
            None => request(cx, Method::PUT, "/notifications"),
        };
        // Without a time GitHub takes the present one: sent again, it would mark what has come meanwhile.
        done(request.json_body(&body).repeatable(self.last_read_at.is_some())).await
    }
}
