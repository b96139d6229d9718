//! Contents that come from Drive; they go to the result store.

use std::time::Duration;

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::http::Response;
use tool_connect_core::{Error, FileRef, Result, Run, Tool, ToolArgs, ToolContext};

use super::file::{GOOGLE, get, one};
use crate::spill::Spill;

/// Gets what is in a file, as a handle. Google's own documents have no content of their own: `export_file` is for them.
///
/// <https://developers.google.com/workspace/drive/api/guides/manage-downloads>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    timeout = "30m",
    scopes(
        "https://www.googleapis.com/auth/drive.readonly|https://www.googleapis.com/auth/drive|https://www.googleapis.com/auth/drive.file"
    )
)]
#[serde(deny_unknown_fields)]
pub struct DownloadFile {
    /// Id of the file.
    pub file_id: String,
    /// Whether to get it although Google takes it for malware or spam; only its owner may.
    #[serde(default)]
    pub acknowledge_abuse: bool,
}

impl Run for DownloadFile {
    type Output = FileRef;

    async fn run(self, cx: &ToolContext) -> Result<FileRef> {
        let file = get(cx, &self.file_id, "id,name,mimeType").await?;
        if file.mime_type.starts_with(GOOGLE) {
            return Err(Error::invalid_argument(
                "/file_id",
                "names a Google document, a folder or a shortcut, which have no content of their own; `export_file` turns a document \
                 into a file",
            ));
        }
        let response = one(cx, Method::GET, "drive/v3/files/{file}", &self.file_id)
            .query("alt", "media")
            .query_opt("acknowledgeAbuse", self.acknowledge_abuse.then_some(true))
            .max_bytes(u64::MAX)
            .send()
            .await?;
        store(cx, response, file.mime_type, file.name).await
    }
}

/// Stores a content. Its media type is the one that Drive has noted or was asked for, whatever the answer says.
async fn store(cx: &ToolContext, response: Response, media_type: String, name: String) -> Result<FileRef> {
    let keep = Duration::from_secs(60 * 60);
    let spill = Spill { media_type, name: Some(name), keep, max_bytes: u64::MAX };
    spill.store(cx, response.into_stream()).await
}

/// What to make of a Google document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// PDF; of documents, spreadsheets, presentations and drawings.
    #[default]
    Pdf,
    /// Word; of documents.
    Docx,
    /// OpenDocument text; of documents.
    Odt,
    /// Rich text; of documents.
    Rtf,
    /// Plain text; of documents and presentations.
    Txt,
    /// Markdown; of documents.
    Md,
    /// Web page with its pictures, zipped; of documents and spreadsheets.
    Zip,
    /// EPUB; of documents.
    Epub,
    /// Excel; of spreadsheets.
    Xlsx,
    /// OpenDocument spreadsheet; of spreadsheets.
    Ods,
    /// Values with commas between them; the first sheet of a spreadsheet.
    Csv,
    /// Values with tabs between them; the first sheet of a spreadsheet.
    Tsv,
    /// PowerPoint; of presentations.
    Pptx,
    /// OpenDocument presentation; of presentations.
    Odp,
    /// PNG; of drawings, and the first slide of a presentation.
    Png,
    /// SVG; of drawings, and the first slide of a presentation.
    Svg,
    /// JPEG; of drawings, and the first slide of a presentation.
    Jpg,
}

impl ExportFormat {
    /// Media type, and how a file name ends.
    fn wire(self) -> (&'static str, &'static str) {
        match self {
            Self::Pdf => ("application/pdf", "pdf"),
            Self::Docx => ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
            Self::Odt => ("application/vnd.oasis.opendocument.text", "odt"),
            Self::Rtf => ("application/rtf", "rtf"),
            Self::Txt => ("text/plain", "txt"),
            Self::Md => ("text/markdown", "md"),
            Self::Zip => ("application/zip", "zip"),
            Self::Epub => ("application/epub+zip", "epub"),
            Self::Xlsx => ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
            Self::Ods => ("application/vnd.oasis.opendocument.spreadsheet", "ods"),
            Self::Csv => ("text/csv", "csv"),
            Self::Tsv => ("text/tab-separated-values", "tsv"),
            Self::Pptx => {
                ("application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx")
            }
            Self::Odp => ("application/vnd.oasis.opendocument.presentation", "odp"),
            Self::Png => ("image/png", "png"),
            Self::Svg => ("image/svg+xml", "svg"),
            Self::Jpg => ("image/jpeg", "jpg"),
        }
    }
}

/// Turns a Google document, spreadsheet, presentation or drawing into a file, as a handle. Google exports up to 10 MB.
///
/// <https://developers.google.com/workspace/drive/api/guides/ref-export-formats>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    timeout = "5m",
    scopes(
        "https://www.googleapis.com/auth/drive.readonly|https://www.googleapis.com/auth/drive|https://www.googleapis.com/auth/drive.file"
    )
)]
#[serde(deny_unknown_fields)]
pub struct ExportFile {
    /// Id of the document.
    pub file_id: String,
    /// What to make of it.
    pub format: ExportFormat,
}

impl Run for ExportFile {
    type Output = FileRef;

    async fn run(self, cx: &ToolContext) -> Result<FileRef> {
        let file = get(cx, &self.file_id, "id,name,mimeType").await?;
        if !file.mime_type.starts_with(GOOGLE) {
            return Err(Error::invalid_argument(
                "/file_id",
                "names a file that is no Google document; `download_file` gets what is in it",
            ));
        }
        let (media_type, end) = self.format.wire();
        let response = cx
            .http()
            .get("drive/v3/files/{file}/export")
            .path("file", &self.file_id)
            .query("mimeType", media_type)
            .query("alt", "media")
            .max_bytes(u64::MAX)
            .send()
            .await?;
        store(cx, response, media_type.to_owned(), format!("{}.{end}", file.name)).await
    }
}
