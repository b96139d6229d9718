//! Files: found, and what is known of them.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Error, Page, Result, Run, Tool, ToolContext};

use super::file::{DriveFile, FIELDS, one};
use super::query::{FileOrder, Query};
use crate::google::page;
use crate::provider::paged;

paged! { ListFiles => DriveFile }

/// Lists or searches files and folders, a page at a time. What is given must all hold; without anything it lists all that is not in
/// the trash.
///
/// <https://developers.google.com/workspace/drive/api/reference/rest/v3/files/list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes(
        "https://www.googleapis.com/auth/drive.metadata.readonly|https://www.googleapis.com/auth/drive.readonly|https://www.googleapis.com/auth/drive|https://www.googleapis.com/auth/drive.file"
    )
)]
#[serde(deny_unknown_fields)]
pub struct ListFiles {
    /// The name has a word that begins with this.
    #[serde(default)]
    pub name_contains: Option<String>,
    /// The name is this.
    #[serde(default)]
    pub name: Option<String>,
    /// Name, text or description have these words.
    #[serde(default)]
    pub full_text: Option<String>,
    /// Media type: `application/pdf`, `application/vnd.google-apps.folder`, `application/vnd.google-apps.document`,
    /// `application/vnd.google-apps.spreadsheet`.
    #[serde(default)]
    pub mime_type: Option<String>,
    /// It is in this folder, by id; `root` for the top of the account's drive.
    #[serde(default)]
    pub parent_id: Option<String>,
    /// It changed after this time, RFC 3339: `2026-11-01T00:00:00Z`.
    #[serde(default)]
    pub modified_after: Option<String>,
    /// It belongs to this e-mail address; `me` for the account.
    #[serde(default)]
    pub owner: Option<String>,
    /// Whether it must have been shared with the account by others.
    #[serde(default)]
    pub shared_with_me: bool,
    /// Whether it must have a star.
    #[serde(default)]
    pub starred: bool,
    /// Whether to list what is in the trash instead of what is not.
    #[serde(default)]
    pub trashed: bool,
    /// More, in Drive's own language: `modifiedTime > '2026-01-01T00:00:00' and not name contains 'draft'`.
    #[serde(default)]
    pub query: Option<String>,
    /// Only files of this shared drive, by id.
    #[serde(default)]
    pub drive_id: Option<String>,
    /// Whether to search all shared drives of the account, too.
    #[serde(default)]
    pub all_drives: bool,
    /// In which order; the last changed first if left out, but for `full_text`, which has an order of
    /// its own and takes no other.
    #[serde(default)]
    pub order_by: Option<FileOrder>,
    /// How many a page holds; 50 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListFiles {
    type Output = Page<DriveFile>;

    async fn run(self, cx: &ToolContext) -> Result<Page<DriveFile>> {
        if self.full_text.is_some() && self.order_by.is_some() {
            return Err(Error::invalid_argument(
                "/order_by",
                "cannot be given together with `full_text`, whose matches come in an order of their own",
            ));
        }
        let query = Query::default()
            .text("name contains {}", self.name_contains.as_deref())
            .text("name = {}", self.name.as_deref())
            .text("fullText contains {}", self.full_text.as_deref())
            .text("mimeType = {}", self.mime_type.as_deref())
            .text("{} in parents", self.parent_id.as_deref())
            .text("modifiedTime > {}", self.modified_after.as_deref())
            .text("{} in owners", self.owner.as_deref())
            .when(self.shared_with_me, "sharedWithMe = true")
            .when(self.starred, "starred = true")
            .own(self.query.as_deref())
            .term(if self.trashed { "trashed = true" } else { "trashed = false" })
            .finish();
        // Drive refuses an order together with a search for words.
        let order = match self.order_by {
            None if self.full_text.is_some() => None,
            order => Some(order.unwrap_or(FileOrder::Modified).wire()),
        };
        let corpora = match (&self.drive_id, self.all_drives) {
            (Some(_), _) => Some("drive"),
            (None, true) => Some("allDrives"),
            (None, false) => None,
        };
        let request = cx
            .http()
            .get("drive/v3/files")
            .query("pageSize", self.page_size.unwrap_or(50))
            .query("fields", format!("nextPageToken,files({FIELDS})"))
            .query("supportsAllDrives", true)
            .query("includeItemsFromAllDrives", true)
            .query_opt("q", query)
            .query_opt("orderBy", order)
            .query_opt("corpora", corpora)
            .query_opt("driveId", self.drive_id.as_deref());
        page(request, self.cursor.as_deref()).await
    }
}

/// Gets what is known of a file or folder by its id: name, media type, size, folder, owners, link. `download_file` and `export_file`
/// get what is in it.
///
/// <https://developers.google.com/workspace/drive/api/reference/rest/v3/files/get>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes(
        "https://www.googleapis.com/auth/drive.metadata.readonly|https://www.googleapis.com/auth/drive.readonly|https://www.googleapis.com/auth/drive|https://www.googleapis.com/auth/drive.file"
    )
)]
#[serde(deny_unknown_fields)]
pub struct GetFile {
    /// Id of the file: the part of its address after `/d/` or `/folders/`.
    pub file_id: String,
    /// Whether to return all that Google sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetFile {
    type Output = Detail<DriveFile>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<DriveFile>> {
        one(cx, Method::GET, "drive/v3/files/{file}", &self.file_id)
            .query("fields", if self.whole { "*" } else { FIELDS })
            .detail(self.whole)
            .await
    }
}
