//! What changed in a drive.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Result, Run, Tool, ToolContext};

use super::file::{DriveFile, FIELDS};
use crate::google::Listed;

/// Where to begin to look for changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StartPageToken {
    /// `cursor` of the first `list_changes`, which has what changes from now on.
    #[serde(alias = "startPageToken")]
    pub start_page_token: String,
}

/// Says from where `list_changes` has what changes from now on.
///
/// <https://developers.google.com/workspace/drive/api/reference/rest/v3/changes/getStartPageToken>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes(
        "https://www.googleapis.com/auth/drive.metadata.readonly|https://www.googleapis.com/auth/drive.readonly|https://www.googleapis.com/auth/drive|https://www.googleapis.com/auth/drive.file"
    )
)]
#[serde(deny_unknown_fields)]
pub struct GetStartPageToken {
    /// Id of a shared drive; the account's own files and all that is shared with it if left out.
    #[serde(default)]
    pub drive_id: Option<String>,
}

impl Run for GetStartPageToken {
    type Output = StartPageToken;

    async fn run(self, cx: &ToolContext) -> Result<StartPageToken> {
        cx.http()
            .get("drive/v3/changes/startPageToken")
            .query("supportsAllDrives", true)
            .query_opt("driveId", self.drive_id.as_deref())
            .json()
            .await
    }
}

/// A file that changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DriveChange {
    /// Id of the file.
    #[serde(default, alias = "fileId", skip_serializing_if = "Option::is_none")]
    pub file_id: Option<String>,
    /// When, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Whether it is gone: deleted, or no longer shared with the account.
    #[serde(default)]
    pub removed: bool,
    /// As it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<DriveFile>,
}

/// A page of changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DriveChanges {
    /// What changed, oldest first.
    pub items: Vec<DriveChange>,
    /// What to pass as `cursor` to get the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// On the last page: `cursor` of the next look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later_cursor: Option<String>,
}

/// Lists what changed in the drive since an earlier look, oldest first, a page at a time.
///
/// <https://developers.google.com/workspace/drive/api/guides/manage-changes>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes(
        "https://www.googleapis.com/auth/drive.metadata.readonly|https://www.googleapis.com/auth/drive.readonly|https://www.googleapis.com/auth/drive|https://www.googleapis.com/auth/drive.file"
    )
)]
#[serde(deny_unknown_fields)]
pub struct ListChanges {
    /// `start_page_token` of `get_start_page_token`, `next_cursor` of the page before, or `later_cursor` of an earlier look.
    pub cursor: String,
    /// Id of a shared drive, as it was given to `get_start_page_token`.
    #[serde(default)]
    pub drive_id: Option<String>,
    /// How many a page holds; 100 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    pub page_size: Option<u32>,
}

impl Run for ListChanges {
    type Output = DriveChanges;

    async fn run(self, cx: &ToolContext) -> Result<DriveChanges> {
        let listed: Listed<DriveChange> = cx
            .http()
            .get("drive/v3/changes")
            .query("pageToken", &self.cursor)
            .query("pageSize", self.page_size.unwrap_or(100))
            .query("supportsAllDrives", true)
            .query("includeItemsFromAllDrives", true)
            .query_opt("driveId", self.drive_id.as_deref())
            .query(
                "fields",
                format!("nextPageToken,newStartPageToken,changes(fileId,time,removed,file({FIELDS}))"),
            )
            .json()
            .await?;
        Ok(DriveChanges {
            items: listed.items,
            next_cursor: listed.next_page_token,
            later_cursor: listed.later,
        })
    }
}
