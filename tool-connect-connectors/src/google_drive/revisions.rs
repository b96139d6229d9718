//! Older contents.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Page, Result, Run, Tool, ToolContext};

use super::file::User;
use crate::google::{number, page};
use crate::provider::paged;

paged! { ListRevisions => Revision }

/// A content that a file had or has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Revision {
    /// Id of the revision.
    pub id: String,
    /// Since when, RFC 3339.
    #[serde(default, alias = "modifiedTime", skip_serializing_if = "Option::is_none")]
    pub modified_time: Option<String>,
    /// Media type.
    #[serde(default, alias = "mimeType", skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Size in bytes.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Whether it is kept for ever.
    #[serde(default, alias = "keepForever", skip_serializing_if = "std::ops::Not::not")]
    pub keep_forever: bool,
    /// Who made it.
    #[serde(default, alias = "lastModifyingUser", skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
}

/// Lists the contents that a file had, oldest first, a page at a time.
///
/// <https://developers.google.com/workspace/drive/api/reference/rest/v3/revisions/list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes(
        "https://www.googleapis.com/auth/drive.metadata.readonly|https://www.googleapis.com/auth/drive.readonly|https://www.googleapis.com/auth/drive|https://www.googleapis.com/auth/drive.file"
    )
)]
#[serde(deny_unknown_fields)]
pub struct ListRevisions {
    /// Id of the file.
    pub file_id: String,
    /// How many a page holds; 200 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListRevisions {
    type Output = Page<Revision>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Revision>> {
        let fields = "nextPageToken,revisions(id,modifiedTime,mimeType,size,keepForever,lastModifyingUser(displayName,emailAddress))";
        let request = cx
            .http()
            .get("drive/v3/files/{file}/revisions")
            .path("file", &self.file_id)
            .query("pageSize", self.page_size.unwrap_or(200))
            .query("fields", fields);
        page(request, self.cursor.as_deref()).await
    }
}
