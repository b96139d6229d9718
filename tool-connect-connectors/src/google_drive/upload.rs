//! Contents that go to Drive: small files at once, larger ones in pieces that can be resumed.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tool_connect_core::{Effect, Error, ErrorKind, Result, Run, Tool, ToolArgs, ToolContext};

use super::change::{new_id, once, set};
use super::file::{DriveFile, FIELDS};
use crate::google::Upload;
use crate::provider::{File, FileInput};

/// The largest file that Drive takes, in bytes: 5 TB.
const LARGEST: u64 = 5_497_558_138_880;

/// What Google shall make of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum GoogleFormat {
    /// A document, of Word, OpenDocument, HTML, Markdown, text or PDF.
    Document,
    /// A spreadsheet, of Excel, OpenDocument, CSV or TSV.
    Spreadsheet,
    /// A presentation, of PowerPoint or OpenDocument.
    Presentation,
}

impl GoogleFormat {
    fn wire(self) -> &'static str {
        match self {
            Self::Document => "application/vnd.google-apps.document",
            Self::Spreadsheet => "application/vnd.google-apps.spreadsheet",
            Self::Presentation => "application/vnd.google-apps.presentation",
        }
    }
}

fn check(file: &File) -> Result<()> {
    if file.size > LARGEST {
        return Err(Error::new(ErrorKind::TooLarge, "a file is larger than Drive takes")
            .effect(Effect::NotExecuted)
            .public("The file is larger than the 5 TB that Google Drive takes."));
    }
    Ok(())
}

/// Uploads a file of any size, by handle or in Base64, and turns it into a Google document where wanted. Returns it with its id.
///
/// <https://developers.google.com/workspace/drive/api/guides/manage-uploads>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    timeout = "30m",
    scopes("https://www.googleapis.com/auth/drive.file|https://www.googleapis.com/auth/drive")
)]
#[serde(deny_unknown_fields)]
pub struct UploadFile {
    /// The file.
    pub file: FileInput,
    /// Its name in Drive; the file's own if left out.
    #[serde(default)]
    #[schemars(length(min = 1, max = 255))]
    pub name: Option<String>,
    /// Id of the folder that it shall be in; the top of the account's drive if left out.
    #[serde(default)]
    pub parent_id: Option<String>,
    /// Text about it.
    #[serde(default)]
    pub description: Option<String>,
    /// Which Google document to make of it; none if left out.
    #[serde(default)]
    pub convert_to: Option<GoogleFormat>,
}

impl Run for UploadFile {
    type Output = DriveFile;

    async fn run(self, cx: &ToolContext) -> Result<DriveFile> {
        let file = self.file.open("/file", cx).await?;
        check(&file)?;
        let name = self.name.or_else(|| file.name.clone());
        let name =
            name.ok_or_else(|| Error::invalid_argument("/name", "is needed, for the file has none"))?;
        // Google's own documents cannot be made with an id that is there already.
        let id = if self.convert_to.is_some() { None } else { new_id(cx).await? };
        let mut metadata = json!({"name": name});
        set(&mut metadata, "id", id.as_deref());
        set(&mut metadata, "description", self.description.as_deref());
        set(&mut metadata, "mimeType", self.convert_to.map(GoogleFormat::wire));
        if let Some(parent) = &self.parent_id {
            metadata["parents"] = json!([parent]);
        }
        let upload = Upload {
            cx,
            method: Method::POST,
            path: "upload/drive/v3/files",
            values: &[],
            query: &[("supportsAllDrives", "true"), ("fields", FIELDS)],
            metadata: &metadata,
            file: &file,
            repeatable: Some(id.is_some()),
        };
        let made = match upload.send().await {
            Ok(answer) => answer.json().await,
            Err(error) => Err(error),
        };
        once(made, id.as_deref(), cx).await
    }
}

/// Replaces what is in a file by another content; its id, name, folder and sharing stay, and what was in it is an older revision.
/// Returns it.
///
/// <https://developers.google.com/workspace/drive/api/reference/rest/v3/files/update>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    timeout = "30m",
    scopes("https://www.googleapis.com/auth/drive.file|https://www.googleapis.com/auth/drive")
)]
#[serde(deny_unknown_fields)]
pub struct UpdateFileContent {
    /// Id of the file.
    pub file_id: String,
    /// Its new content.
    pub file: FileInput,
}

impl Run for UpdateFileContent {
    type Output = DriveFile;

    async fn run(self, cx: &ToolContext) -> Result<DriveFile> {
        let file = self.file.open("/file", cx).await?;
        check(&file)?;
        let upload = Upload {
            cx,
            method: Method::PATCH,
            path: "upload/drive/v3/files/{file}",
            values: &[("file", &self.file_id)],
            query: &[("supportsAllDrives", "true"), ("fields", FIELDS)],
            metadata: &json!({}),
            file: &file,
            repeatable: Some(false),
        };
        upload.send().await?.json().await
    }
}
