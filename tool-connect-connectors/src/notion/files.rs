//! Files: sent in one request or in parts, attached as blocks, fetched by handle.

use bytes::{Bytes, BytesMut};
use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tool_connect_core::{Detail, Error, ErrorKind, FileRef, Page, Result, Run, Tool, ToolArgs, ToolContext};

use super::request::{Needs, id, page, paged, request, string};
use crate::provider::{File, FileInput, paged as pages};
use crate::spill::download;

pages! { ListFileUploads => FileUpload }

/// The largest file that Notion takes: <https://developers.notion.com/guides/data-apis/working-with-files-and-media>.
const LARGEST: u64 = 5 * 1024 * 1024 * 1024;
/// A file of more than one part is cut into parts of this size, of which Notion takes 5 to 20 MB.
const PART: u64 = 10 * 1024 * 1024;

/// A file that was sent to Notion, or is being sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileUpload {
    /// Id. `notion://upload/ID` stands for the file in Markdown, icons, covers and file properties, within an hour.
    pub id: String,
    /// `pending`, `uploaded`, `expired` or `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// File name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// Media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_length: Option<u64>,
    /// When it expires unless it is attached, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry_time: Option<String>,
}

/// Sends a file to Notion, by handle of an earlier result or with its bytes. Returns its id: write `notion://upload/ID` as the
/// address of an image or file in Markdown, as icon, cover or in a file property, within an hour.
///
/// <https://developers.notion.com/reference/create-a-file-upload>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, timeout = "10m", cost = 3)]
#[serde(deny_unknown_fields)]
pub struct UploadFile {
    /// The file.
    pub file: FileInput,
}

impl Run for UploadFile {
    type Output = FileUpload;

    async fn run(self, cx: &ToolContext) -> Result<FileUpload> {
        let file = self.file.open("/file", cx).await?;
        send(cx, &file).await
    }
}

fn name_of(file: &File) -> String {
    let name = file.name.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or("file");
    // A file's name, not a path, and nothing that could end the header it stands in.
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    last.chars().filter(|c| !c.is_control()).map(|c| if c == '"' { '\'' } else { c }).take(200).collect()
}

fn type_of(file: &File) -> &str {
    file.media_type
        .as_deref()
        .filter(|kind| !kind.contains(|c: char| c.is_control()))
        .unwrap_or("application/octet-stream")
}

async fn send(cx: &ToolContext, file: &File) -> Result<FileUpload> {
    if file.size > LARGEST {
        return Err(Error::new(ErrorKind::TooLarge, "the file is larger than Notion takes").public(format!(
            "The file has {} bytes; Notion takes up to {LARGEST}, and in free workspaces 5 MiB.",
            file.size
        )));
    }
    if file.size == 0 {
        return Err(Error::invalid_argument("/file", "is empty; Notion takes no empty file"));
    }
    let parts = file.size.div_ceil(PART);
    let mut body = json!({"mode": "single_part", "filename": name_of(file), "content_type": type_of(file)});
    if parts > 1 {
        body["mode"] = json!("multi_part");
        body["number_of_parts"] = json!(parts);
    }
    let made: FileUpload =
        request(cx, Method::POST, "/file_uploads", Needs::InsertContent).json_body(&body).json().await?;
    let mut sent = made.clone();
    for part in 0..parts {
        let bytes = file.piece(cx, part * PART..(part + 1) * PART).await?;
        let number = (parts > 1).then_some(part + 1);
        let (boundary, form) = form(file, &bytes, number);
        sent = request(cx, Method::POST, "/file_uploads/{file_upload_id}/send", Needs::InsertContent)
            .path("file_upload_id", &made.id)
            .header("content-type", format!("multipart/form-data; boundary={boundary}"))
            .body(form)
            .json()
            .await?;
    }
    if parts > 1 {
        sent = request(cx, Method::POST, "/file_uploads/{file_upload_id}/complete", Needs::InsertContent)
            .path("file_upload_id", &made.id)
            .json()
            .await?;
    }
    Ok(sent)
}

/// A form of a part's number and its bytes (RFC 7578).
fn form(file: &File, bytes: &Bytes, number: Option<u64>) -> (String, Bytes) {
    // Made of the bytes, so that they cannot hold it but by a collision (RFC 2046 §5.1.1).
    let boundary: String = Sha256::digest(bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let mut form = BytesMut::with_capacity(bytes.len() + 512);
    if let Some(number) = number {
        let head = format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"part_number\"\r\n\r\n{number}\r\n"
        );
        form.extend_from_slice(head.as_bytes());
    }
    let head = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{}\"\r\ncontent-type: {}\r\n\r\n",
        name_of(file),
        type_of(file)
    );
    form.extend_from_slice(head.as_bytes());
    form.extend_from_slice(bytes);
    form.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    (boundary, form.freeze())
}

/// Lets Notion fetch a file from an address on the web. Returns its id; `get_file_upload` tells when it is there.
///
/// <https://developers.notion.com/reference/create-a-file-upload>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false)]
#[serde(deny_unknown_fields)]
pub struct ImportFile {
    /// Public address over https.
    #[schemars(regex(pattern = "^https://"))]
    pub url: String,
    /// File name with extension.
    #[schemars(length(min = 1, max = 900))]
    pub filename: String,
}

impl Run for ImportFile {
    type Output = FileUpload;

    async fn run(self, cx: &ToolContext) -> Result<FileUpload> {
        let body = json!({"mode": "external_url", "external_url": self.url, "filename": self.filename});
        request(cx, Method::POST, "/file_uploads", Needs::InsertContent).json_body(&body).json().await
    }
}

/// Returns a file upload: whether it is there yet, expired or failed.
///
/// <https://developers.notion.com/reference/retrieve-a-file-upload>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetFileUpload {
    /// Id of the file upload.
    pub file_upload_id: String,
    /// Whether to return all that Notion sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetFileUpload {
    type Output = Detail<FileUpload>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<FileUpload>> {
        let upload = id("/file_upload_id", &self.file_upload_id)?;
        let request = request(cx, Method::GET, "/file_uploads/{file_upload_id}", Needs::InsertContent);
        request.path("file_upload_id", upload).detail(self.whole).await
    }
}

/// State of a file upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum UploadStatus {
    /// Not sent whole yet.
    Pending,
    /// There.
    Uploaded,
    /// Not attached in time.
    Expired,
    /// An import that went wrong.
    Failed,
}

impl UploadStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Uploaded => "uploaded",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }
}

/// Lists the file uploads of this connection, a page at a time.
///
/// <https://developers.notion.com/reference/list-file-uploads>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListFileUploads {
    /// Only those of this state.
    #[serde(default)]
    pub status: Option<UploadStatus>,
    /// How many on a page; 100 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListFileUploads {
    type Output = Page<FileUpload>;

    async fn run(self, cx: &ToolContext) -> Result<Page<FileUpload>> {
        let request = request(cx, Method::GET, "/file_uploads", Needs::InsertContent)
            .query_opt("status", self.status.map(UploadStatus::as_str));
        page(paged(request, self.page_size, self.cursor.as_deref())).await
    }
}

/// A file that stands on a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attached {
    /// Id of the new block.
    pub block_id: String,
    /// Its type: `image`, `video`, `audio`, `pdf` or `file`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Id of the file upload.
    pub file_upload_id: String,
}

/// Sends a file and puts it at the end of a page or a block: an image, video, sound or PDF as such, anything else as a file.
///
/// <https://developers.notion.com/guides/data-apis/uploading-small-files>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, timeout = "10m", cost = 4)]
#[serde(deny_unknown_fields)]
pub struct AttachFile {
    /// Id or address of the page or block.
    pub block_id: String,
    /// The file.
    pub file: FileInput,
    /// Caption as plain text.
    #[serde(default)]
    #[schemars(length(max = 2000))]
    pub caption: Option<String>,
}

impl Run for AttachFile {
    type Output = Attached;

    async fn run(self, cx: &ToolContext) -> Result<Attached> {
        let parent = id("/block_id", &self.block_id)?;
        let file = self.file.open("/file", cx).await?;
        let kind = match type_of(&file) {
            "application/pdf" => "pdf",
            kind if kind.starts_with("image/") => "image",
            kind if kind.starts_with("video/") => "video",
            kind if kind.starts_with("audio/") => "audio",
            _ => "file",
        };
        let upload = send(cx, &file).await?;
        let mut payload = json!({"type": "file_upload", "file_upload": {"id": upload.id}});
        if let Some(caption) = &self.caption {
            payload["caption"] = super::values::title(caption);
        }
        let body = json!({"children": [{"type": kind, kind: payload}]});
        let answer: Value = request(cx, Method::PATCH, "/blocks/{block_id}/children", Needs::InsertContent)
            .path("block_id", parent)
            .json_body(&body)
            .json()
            .await?;
        let block = answer["results"].as_array().and_then(|all| all.last());
        let block_id = block.and_then(|block| string(&block["id"])).unwrap_or_default();
        Ok(Attached { block_id, kind: kind.to_owned(), file_upload_id: upload.id })
    }
}

/// Fetches the file of an image, video, audio, PDF or file block, or of a page's file property. Returns a handle, by which the app
/// and other tools read it for an hour.
///
/// <https://developers.notion.com/reference/file-object>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, timeout = "10m")]
#[serde(deny_unknown_fields)]
pub struct DownloadFile {
    /// Id of the block, which `notion://file/ID` names; this or `page_id`.
    #[serde(default)]
    pub block_id: Option<String>,
    /// Id or address of the page whose property holds the file.
    #[serde(default)]
    pub page_id: Option<String>,
    /// Name of that property.
    #[serde(default)]
    pub property: Option<String>,
    /// Name of the file among those of the property; the first if left out.
    #[serde(default)]
    pub filename: Option<String>,
}

impl Run for DownloadFile {
    type Output = FileRef;

    async fn run(self, cx: &ToolContext) -> Result<FileRef> {
        let object = self.object(cx).await?;
        let name = string(&object["name"]);
        // What Notion keeps has an address signed for an hour, elsewhere; the credential is not for there.
        let url = string(&object["file"]["url"]).or_else(|| string(&object["external"]["url"]));
        let url = url.filter(|url| url.starts_with("https://")).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "no file")
                .public("There is no file that can be fetched over https.")
        })?;
        let name = name.or_else(|| name_in(&url));
        // Braces in it are no placeholders.
        let address = url.replace('{', "%7B").replace('}', "%7D");
        let response = cx.http().get(&address).template("file").anonymous().max_bytes(LARGEST).send().await?;
        download(cx, response, name).await
    }
}

/// The last segment of an address's path.
fn name_in(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    let last = url.path_segments()?.next_back()?;
    let name = percent_encoding::percent_decode_str(last).decode_utf8().ok()?.into_owned();
    (!name.is_empty()).then_some(name)
}

impl DownloadFile {
    /// Notion's file object.
    async fn object(&self, cx: &ToolContext) -> Result<Value> {
        match (&self.block_id, &self.page_id) {
            (Some(block), None) => {
                let text = super::markdown::file_of(block).unwrap_or(block);
                let block = id("/block_id", text)?;
                let request = request(cx, Method::GET, "/blocks/{block_id}", Needs::ReadContent);
                let mut value: Value = request.path("block_id", block).json().await?;
                let kind = string(&value["type"]).unwrap_or_default();
                Ok(value.get_mut(kind.as_str()).map(Value::take).unwrap_or_default())
            }
            (None, Some(page)) => {
                let page = id("/page_id", page)?;
                let Some(property) = &self.property else {
                    return Err(Error::invalid_argument(
                        "/property",
                        "is missing; it says which file of the page",
                    ));
                };
                let request = request(cx, Method::GET, "/pages/{page_id}", Needs::ReadContent);
                let value: Value = request.path("page_id", page).json().await?;
                let files = value["properties"][property.as_str()]["files"].as_array();
                let files = files.ok_or_else(|| {
                    Error::invalid_argument("/property", "is not a property of the page that holds files")
                })?;
                let wanted = |file: &&Value| self.filename.as_deref().is_none_or(|name| file["name"] == name);
                files.iter().find(wanted).cloned().ok_or_else(|| {
                    Error::invalid_argument("/filename", "is not the name of a file of that property")
                })
            }
            _ => Err(Error::invalid_argument("/block_id", "either this or `page_id` must be given")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_is_a_name() {
        assert_eq!(name_in("https://x.example/a/b%20c.pdf?sig=1").as_deref(), Some("b c.pdf"));
        assert_eq!(name_in("https://x.example/"), None);
    }
}
