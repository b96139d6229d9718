//! What is done with files as a whole: made, copied, moved, renamed, deleted.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tool_connect_core::{Error, ErrorKind, Result, Run, Tool, ToolContext};

use super::file::{DriveFile, FIELDS, FOLDER, get, one};

/// An id for a new file, where the call has an idempotency key: with it the request can be repeated, and makes one file.
pub(super) async fn new_id(cx: &ToolContext) -> Result<Option<String>> {
    #[derive(Deserialize)]
    struct Made {
        #[serde(default)]
        ids: Vec<String>,
    }
    if cx.idempotency_key().is_none() {
        return Ok(None);
    }
    let request = cx.http().get("drive/v3/files/generateIds").query("count", 1).query("type", "files");
    let made: Made = request.json().await?;
    Ok(made.ids.into_iter().next())
}

/// Where a repetition finds the file that the first try made, that is the file.
pub(super) async fn once(made: Result<DriveFile>, id: Option<&str>, cx: &ToolContext) -> Result<DriveFile> {
    match (made, id) {
        (Err(error), Some(id)) if error.kind() == ErrorKind::Conflict => get(cx, id, FIELDS).await,
        (made, _) => made,
    }
}

/// Creates a folder. Returns it with its id. There may be several of one name in a folder.
///
/// <https://developers.google.com/workspace/drive/api/guides/folder>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    scopes("https://www.googleapis.com/auth/drive.file|https://www.googleapis.com/auth/drive")
)]
#[serde(deny_unknown_fields)]
pub struct CreateFolder {
    /// Name.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// Id of the folder that it shall be in; the top of the account's drive if left out.
    #[serde(default)]
    pub parent_id: Option<String>,
    /// Text about it.
    #[serde(default)]
    pub description: Option<String>,
}

impl Run for CreateFolder {
    type Output = DriveFile;

    async fn run(self, cx: &ToolContext) -> Result<DriveFile> {
        let id = new_id(cx).await?;
        let mut body = json!({"name": self.name, "mimeType": FOLDER});
        set(&mut body, "id", id.as_deref());
        set(&mut body, "description", self.description.as_deref());
        if let Some(parent) = &self.parent_id {
            body["parents"] = json!([parent]);
        }
        let made = cx
            .http()
            .post("drive/v3/files")
            .query("supportsAllDrives", true)
            .query("fields", FIELDS)
            .json_body(&body)
            .repeatable(id.is_some())
            .json()
            .await;
        once(made, id.as_deref(), cx).await
    }
}

/// Sets a member, where there is a value for it.
pub(super) fn set(body: &mut Value, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        body[name] = value.into();
    }
}

/// Copies a file. Returns the copy with its id. Folders cannot be copied.
///
/// <https://developers.google.com/workspace/drive/api/reference/rest/v3/files/copy>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    scopes("https://www.googleapis.com/auth/drive.file|https://www.googleapis.com/auth/drive")
)]
#[serde(deny_unknown_fields)]
pub struct CopyFile {
    /// Id of the file.
    pub file_id: String,
    /// Name of the copy; one that says that it is a copy if left out.
    #[serde(default)]
    #[schemars(length(min = 1, max = 255))]
    pub name: Option<String>,
    /// Id of the folder that the copy shall be in; the file's own if left out.
    #[serde(default)]
    pub parent_id: Option<String>,
}

impl Run for CopyFile {
    type Output = DriveFile;

    async fn run(self, cx: &ToolContext) -> Result<DriveFile> {
        let mut body = json!({});
        set(&mut body, "name", self.name.as_deref());
        if let Some(parent) = &self.parent_id {
            body["parents"] = json!([parent]);
        }
        one(cx, Method::POST, "drive/v3/files/{file}/copy", &self.file_id)
            .query("fields", FIELDS)
            .json_body(&body)
            .json()
            .await
    }
}

/// Changes a file's own fields; the same once more changes nothing.
async fn patch(cx: &ToolContext, id: &str, body: &Value) -> Result<DriveFile> {
    one(cx, Method::PATCH, "drive/v3/files/{file}", id)
        .query("fields", FIELDS)
        .json_body(body)
        .repeatable(true)
        .json()
        .await
}

/// Moves a file or folder into another folder. Returns it.
///
/// <https://developers.google.com/workspace/drive/api/guides/folder>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    idempotent,
    scopes("https://www.googleapis.com/auth/drive.file|https://www.googleapis.com/auth/drive")
)]
#[serde(deny_unknown_fields)]
pub struct MoveFile {
    /// Id of the file or folder.
    pub file_id: String,
    /// Id of the folder that it shall be in; `root` for the top of the account's drive.
    pub to_folder_id: String,
}

impl Run for MoveFile {
    type Output = DriveFile;

    async fn run(self, cx: &ToolContext) -> Result<DriveFile> {
        let now = get(cx, &self.file_id, "id,parents").await?;
        // `root` is another name of a folder that has an id: the file may be there already.
        let to = match self.to_folder_id.as_str() {
            "root" => get(cx, "root", "id").await?.id,
            _ => self.to_folder_id,
        };
        let leaves: Vec<&str> =
            now.parents.iter().map(String::as_str).filter(|parent| *parent != to).collect();
        let leaves = (!leaves.is_empty()).then(|| leaves.join(","));
        one(cx, Method::PATCH, "drive/v3/files/{file}", &self.file_id)
            .query("addParents", &to)
            .query_opt("removeParents", leaves)
            .query("fields", FIELDS)
            .json_body(&json!({}))
            .json()
            .await
    }
}

/// Renames a file or folder, or changes its description or its star; what is left out stays. Returns it.
///
/// <https://developers.google.com/workspace/drive/api/reference/rest/v3/files/update>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    idempotent,
    scopes("https://www.googleapis.com/auth/drive.file|https://www.googleapis.com/auth/drive")
)]
#[serde(deny_unknown_fields)]
pub struct UpdateFile {
    /// Id of the file or folder.
    pub file_id: String,
    /// Its new name.
    #[serde(default)]
    #[schemars(length(min = 1, max = 255))]
    pub name: Option<String>,
    /// Text about it.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether it has a star.
    #[serde(default)]
    pub starred: Option<bool>,
}

impl Run for UpdateFile {
    type Output = DriveFile;

    async fn run(self, cx: &ToolContext) -> Result<DriveFile> {
        let mut body = Map::new();
        body.extend(self.name.map(|name| ("name".to_owned(), name.into())));
        body.extend(self.description.map(|text| ("description".to_owned(), text.into())));
        body.extend(self.starred.map(|starred| ("starred".to_owned(), starred.into())));
        if body.is_empty() {
            return Err(Error::invalid_argument(
                "/name",
                "must be given, unless `description` or `starred` is",
            ));
        }
        patch(cx, &self.file_id, &Value::Object(body)).await
    }
}

/// Moves a file or folder to the trash, where Drive deletes it after 30 days; `untrash_file` brings it back.
///
/// <https://developers.google.com/workspace/drive/api/guides/delete>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    idempotent,
    scopes("https://www.googleapis.com/auth/drive.file|https://www.googleapis.com/auth/drive")
)]
#[serde(deny_unknown_fields)]
pub struct TrashFile {
    /// Id of the file or folder.
    pub file_id: String,
}

impl Run for TrashFile {
    type Output = DriveFile;

    async fn run(self, cx: &ToolContext) -> Result<DriveFile> {
        patch(cx, &self.file_id, &json!({"trashed": true})).await
    }
}

/// Takes a file or folder out of the trash.
///
/// <https://developers.google.com/workspace/drive/api/guides/delete>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    idempotent,
    scopes("https://www.googleapis.com/auth/drive.file|https://www.googleapis.com/auth/drive")
)]
#[serde(deny_unknown_fields)]
pub struct UntrashFile {
    /// Id of the file or folder.
    pub file_id: String,
}

impl Run for UntrashFile {
    type Output = DriveFile;

    async fn run(self, cx: &ToolContext) -> Result<DriveFile> {
        patch(cx, &self.file_id, &json!({"trashed": false})).await
    }
}

/// What was deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeletedFile {
    /// Id of the file or folder.
    pub id: String,
}

/// Deletes a file, or a folder with all that is in it, for good, past the trash. `trash_file` can be undone.
///
/// <https://developers.google.com/workspace/drive/api/reference/rest/v3/files/delete>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    idempotent,
    scopes("https://www.googleapis.com/auth/drive.file|https://www.googleapis.com/auth/drive")
)]
#[serde(deny_unknown_fields)]
pub struct DeleteFile {
    /// Id of the file or folder.
    pub file_id: String,
}

impl Run for DeleteFile {
    type Output = DeletedFile;

    async fn run(self, cx: &ToolContext) -> Result<DeletedFile> {
        one(cx, Method::DELETE, "drive/v3/files/{file}", &self.file_id).send().await?;
        Ok(DeletedFile { id: self.file_id })
    }
}
