//! Attachments: addresses that stand at an issue.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tool_connect_core::{Page, Result, Run, Tool, ToolContext};

use super::fields::{attachment, page_of, payload_of};
use super::graphql::{Document, create, page_within, remove};
use super::{Done, IssueRef, Named};
use crate::provider::paged;

paged! { ListAttachments => Attachment }

const LIST: Document = concat!(
    "query($issue_id: String!, $page_size: Int = 50, $cursor: String, $include_archived: Boolean) { answer: issue(id: $issue_id) { \
     page: attachments(first: $page_size, after: $cursor, includeArchived: $include_archived) ",
    page_of!(attachment!()),
    " } }"
);
const CREATE: Document = concat!(
    "mutation($id: String, $issue_id: String!, $title: String!, $url: String!, $subtitle: String) { \
     answer: attachmentCreate(input: {id: $id, issueId: $issue_id, title: $title, url: $url, subtitle: $subtitle}) ",
    payload_of!("attachment", attachment!()),
    " }"
);
const CREATED: Document =
    concat!("query($id: String!) { answer: attachment(id: $id) { ", attachment!(), " } }");
const DELETE: Document = "mutation($id: String!) { answer: attachmentDelete(id: $id) { success } }";

/// An address that stands at an issue: a pull request, a page, a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attachment {
    /// Id, a UUID.
    pub id: String,
    /// Title.
    pub title: String,
    /// What stands below the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtitle: Option<String>,
    /// The address; one of an issue has it once.
    pub url: String,
    /// Which service it comes from: `github`, `slack`, `api`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_type: Option<String>,
    /// What its source says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// Who attached it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<Named>,
    /// The issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<IssueRef>,
    /// When it was attached (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
}

/// Lists the attachments of an issue with their ids, a page at a time.
///
/// <https://linear.app/developers/attachments>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct ListAttachments {
    /// Id of the issue, a UUID, or its identifier, `ENG-123`.
    #[schemars(length(min = 1))]
    pub issue_id: String,
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

impl Run for ListAttachments {
    type Output = Page<Attachment>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Attachment>> {
        page_within(cx, LIST, &self).await
    }
}

/// Attaches an address to an issue: a page, a pull request, a file that `upload_file` returned. If the issue has the address already,
/// that attachment is updated. Returns it.
///
/// <https://linear.app/developers/attachments>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct CreateAttachment {
    /// Id of the issue, a UUID, or its identifier, `ENG-123`.
    #[schemars(length(min = 1))]
    pub issue_id: String,
    /// Title.
    #[schemars(length(min = 1))]
    pub title: String,
    /// The address.
    #[schemars(url)]
    pub url: String,
    /// What stands below the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtitle: Option<String>,
}

impl Run for CreateAttachment {
    type Output = Attachment;

    async fn run(self, cx: &ToolContext) -> Result<Attachment> {
        create(cx, CREATE, CREATED, &self).await
    }
}

/// Takes an attachment off its issue; what its address leads to stays.
///
/// <https://linear.app/developers/attachments>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct DeleteAttachment {
    /// Id of the attachment, a UUID; `list_attachments` has it.
    #[schemars(length(min = 1))]
    pub id: String,
}

impl Run for DeleteAttachment {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        remove(cx, DELETE, self.id).await
    }
}
