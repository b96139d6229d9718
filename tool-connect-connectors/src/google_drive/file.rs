//! Files as a reader wants them.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::ToolContext;
use tool_connect_core::http::RequestBuilder;

use crate::google::number;

/// What of a file Google is asked for.
pub(super) const FIELDS: &str = "id,name,mimeType,size,parents,description,createdTime,modifiedTime,owners(displayName,\
                                 emailAddress),webViewLink,shared,starred,trashed,driveId,md5Checksum,shortcutDetails";
/// What makes a file a folder.
pub(super) const FOLDER: &str = "application/vnd.google-apps.folder";
/// What the media types of Google's own documents begin with; they have no content of their own.
pub(super) const GOOGLE: &str = "application/vnd.google-apps.";

/// Somebody.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Name.
    #[serde(default, alias = "displayName", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// E-mail address.
    #[serde(default, alias = "emailAddress", skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// Where a shortcut leads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Shortcut {
    /// Id of the file.
    #[serde(alias = "targetId")]
    pub target_id: String,
    /// Its media type.
    #[serde(default, alias = "targetMimeType", skip_serializing_if = "Option::is_none")]
    pub target_mime_type: Option<String>,
}

/// A file or folder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DriveFile {
    /// Id, which stays.
    pub id: String,
    /// Name; several in one folder may have the same.
    #[serde(default)]
    pub name: String,
    /// Media type; a folder's is `application/vnd.google-apps.folder`, and Google's documents have such ones, too.
    #[serde(default, alias = "mimeType")]
    pub mime_type: String,
    /// Size in bytes; folders have none.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Ids of the folders that it is in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<String>,
    /// Text about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it was made, RFC 3339.
    #[serde(default, alias = "createdTime", skip_serializing_if = "Option::is_none")]
    pub created_time: Option<String>,
    /// When it last changed, RFC 3339.
    #[serde(default, alias = "modifiedTime", skip_serializing_if = "Option::is_none")]
    pub modified_time: Option<String>,
    /// Whose it is; files of shared drives have no owner.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<User>,
    /// Page in Google Drive.
    #[serde(default, alias = "webViewLink", skip_serializing_if = "Option::is_none")]
    pub web_link: Option<String>,
    /// Whether others have access.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// Whether the account gave it a star.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub starred: bool,
    /// Whether it is in the trash.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trashed: bool,
    /// Id of the shared drive that it is in.
    #[serde(default, alias = "driveId", skip_serializing_if = "Option::is_none")]
    pub drive_id: Option<String>,
    /// MD5 of its content.
    #[serde(default, alias = "md5Checksum", skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
    /// Where it leads, for a shortcut.
    #[serde(default, alias = "shortcutDetails", skip_serializing_if = "Option::is_none")]
    pub shortcut: Option<Shortcut>,
}

/// A request for one file, in the account's own drive or in a shared one.
pub(super) fn one<'a>(cx: &'a ToolContext, method: Method, path: &str, id: &str) -> RequestBuilder<'a> {
    cx.http().request(method, path).path("file", id).query("supportsAllDrives", true)
}

/// What is known of a file.
pub(super) async fn get(cx: &ToolContext, id: &str, fields: &str) -> tool_connect_core::Result<DriveFile> {
    one(cx, Method::GET, "drive/v3/files/{file}", id).query("fields", fields).json().await
}
