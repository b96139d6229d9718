//! Whose drive is connected, and which shared ones there are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolContext};

use super::file::User;
use crate::google::{number, page};
use crate::provider::paged;

paged! { ListSharedDrives => SharedDrive }

/// How much room there is, in bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StorageQuota {
    /// In all; absent where there is no limit.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// In use, mail and pictures counted.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "Option::is_none")]
    pub usage: Option<u64>,
    /// In use by files in Drive.
    #[serde(
        default,
        alias = "usageInDrive",
        deserialize_with = "number",
        skip_serializing_if = "Option::is_none"
    )]
    pub usage_in_drive: Option<u64>,
}

/// A drive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct About {
    /// Whose.
    pub user: User,
    /// How much room there is.
    #[serde(default, alias = "storageQuota", skip_serializing_if = "Option::is_none")]
    pub storage_quota: Option<StorageQuota>,
}

/// Says whose drive is connected, and how much room there is in it.
///
/// <https://developers.google.com/workspace/drive/api/reference/rest/v3/about/get>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes(
        "https://www.googleapis.com/auth/drive.metadata.readonly|https://www.googleapis.com/auth/drive.readonly|https://www.googleapis.com/auth/drive|https://www.googleapis.com/auth/drive.file"
    )
)]
#[serde(deny_unknown_fields)]
pub struct GetAbout {
    /// Whether to return all that Google sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetAbout {
    type Output = Detail<About>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<About>> {
        let fields = if self.whole { "*" } else { "user(displayName,emailAddress),storageQuota" };
        cx.http().get("drive/v3/about").query("fields", fields).detail(self.whole).await
    }
}

/// A drive that belongs to a team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SharedDrive {
    /// Id, which is also that of its top folder.
    pub id: String,
    /// Name.
    pub name: String,
}

/// Lists the shared drives that the account takes part in, a page at a time.
///
/// <https://developers.google.com/workspace/drive/api/reference/rest/v3/drives/list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes("https://www.googleapis.com/auth/drive.readonly|https://www.googleapis.com/auth/drive")
)]
#[serde(deny_unknown_fields)]
pub struct ListSharedDrives {
    /// How many a page holds; 50 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListSharedDrives {
    type Output = Page<SharedDrive>;

    async fn run(self, cx: &ToolContext) -> Result<Page<SharedDrive>> {
        let request = cx.http().get("drive/v3/drives").query("pageSize", self.page_size.unwrap_or(50));
        page(request, self.cursor.as_deref()).await
    }
}
