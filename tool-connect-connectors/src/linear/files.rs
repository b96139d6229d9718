//! Files in Linear's storage: up by a signed address, down with the account's credential
//! (<https://linear.app/developers/file-storage-authentication>).

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::http::Classify;
use tool_connect_core::{Error, ErrorKind, FileRef, Result, Retry, Run, Tool, ToolContext};

use super::graphql::{Document, change};
use crate::provider::{Content, FileInput};
use crate::spill;

/// Where Linear keeps files.
pub(super) const STORAGE: &str = "https://uploads.linear.app/";
/// The transport writes these.
const OURS: [&str; 3] = ["content-length", "host", "transfer-encoding"];

const UPLOAD: Document = "mutation($content_type: String!, $filename: String!, $size: Int!) { \
     answer: fileUpload(contentType: $content_type, filename: $filename, size: $size) { \
     success entity: uploadFile { asset_url: assetUrl upload_url: uploadUrl headers { key value } } } }";

/// A file in Linear's storage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UploadedFile {
    /// Where it is: to be put into a text, `![name](url)`, or attached with `create_attachment`. People of the workspace can open it.
    pub url: String,
    /// Name.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Size in bytes.
    pub size: u64,
}

/// Uploads a file to Linear's storage and returns its address, to be put into a text or attached to an issue. How large files may be
/// depends on the workspace's plan; Linear says so before anything is sent.
///
/// <https://linear.app/developers/how-to-upload-a-file-to-linear>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct UploadFile {
    /// The file; it needs a name.
    pub file: FileInput,
}

#[derive(Serialize)]
struct Wanted<'a> {
    content_type: &'a str,
    filename: &'a str,
    size: i32,
}

#[derive(Deserialize)]
struct Place {
    asset_url: String,
    upload_url: String,
    #[serde(default)]
    headers: Vec<Header>,
}

#[derive(Deserialize)]
struct Header {
    key: String,
    value: String,
}

impl Run for UploadFile {
    type Output = UploadedFile;

    async fn run(self, cx: &ToolContext) -> Result<UploadedFile> {
        let file = self.file.open("/file", cx).await?;
        let size = sendable(file.size)?;
        let name = file.name.clone().filter(|name| !name.is_empty());
        let name =
            name.ok_or_else(|| Error::invalid_argument("/file/name", "is needed: the file has no name"))?;
        let media_type = file.media_type.clone().unwrap_or_else(|| "application/octet-stream".to_owned());
        let wanted = Wanted { content_type: &media_type, filename: &name, size };
        let place: Place = change(cx, UPLOAD, &wanted).await?;

        // Signed for this file alone: the account's credential stays here.
        let mut put = cx
            .http()
            .request(Method::PUT, literal(&place.upload_url))
            .template("/upload")
            .anonymous()
            .classify(Classify::new(|parts, _| Some(refused(parts.status.as_u16()))));
        let named = |name: &str| place.headers.iter().any(|header| header.key.eq_ignore_ascii_case(name));
        if !named("content-type") {
            put = put.header("content-type", &media_type);
        }
        if !named("cache-control") {
            put = put.header("cache-control", "public, max-age=31536000");
        }
        for Header { key, value } in &place.headers {
            if !OURS.iter().any(|ours| key.eq_ignore_ascii_case(ours)) {
                put = put.header(key, value);
            }
        }
        match file.content(cx).await? {
            Content::Bytes(bytes) => put.body(bytes),
            Content::Stream(stream, length) => put.stream(stream, Some(length)),
        }
        .send()
        .await?;
        Ok(UploadedFile { url: place.asset_url, name, media_type, size: size.unsigned_abs().into() })
    }
}

/// A size as Linear takes it: GraphQL's `Int` has 32 bits and a sign.
fn sendable(size: u64) -> Result<i32> {
    i32::try_from(size).map_err(|_| {
        Error::invalid_argument("/file", "has 2 GiB or more, which is more than Linear can be told")
    })
}

/// The storage is no API of Linear's: what it says is not for the caller, and no account is at fault.
fn refused(status: u16) -> Error {
    let error = Error::new(ErrorKind::Provider, "the storage did not take the file").status(status);
    let error = if status >= 500 { error.retry(Retry::Backoff) } else { error };
    error.public("Linear's storage did not take the file; upload it again.")
}

/// Downloads a file from Linear's storage, as addresses in texts and attachments name it. It goes to the result store; what comes
/// back is its handle, media type and size.
///
/// <https://linear.app/developers/file-storage-authentication>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct DownloadFile {
    /// The address, `https://uploads.linear.app/..`.
    #[schemars(regex(pattern = "^https://uploads\\.linear\\.app/."))]
    pub url: String,
    /// Name that the file shall have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Run for DownloadFile {
    type Output = FileRef;

    async fn run(self, cx: &ToolContext) -> Result<FileRef> {
        let response =
            cx.http().get(&literal(&self.url)).template("/asset").max_bytes(u64::MAX).send().await?;
        spill::download(cx, response, self.name).await
    }
}

/// An address as a target, in which braces are no placeholders.
fn literal(address: &str) -> String {
    address.replace('{', "%7B").replace('}', "%7D")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_too_large_is_refused_at_once() {
        assert_eq!(sendable(2_147_483_647).unwrap(), i32::MAX);
        let error = sendable(2_147_483_648).unwrap_err();
        assert_eq!(error.problems()[0].pointer, "/file");
    }
}
