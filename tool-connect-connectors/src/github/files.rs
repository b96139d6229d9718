//! Files of a repository, written: each write is a commit.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::Method;
use http::response::Parts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::http::{ByteStream, Classify, RequestBuilder};
use tool_connect_core::{Effect, Error, ErrorKind, Result, Run, Tool, ToolContext, ToolSet};

use super::page::{Members, on};
use crate::provider::{File, FileInput, IN_MEMORY};

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<WriteFile>().add::<DeleteFile>();
}

/// GitHub keeps no larger file in a repository, in bytes:
/// <https://docs.github.com/en/repositories/working-with-files/managing-large-files/about-large-files-on-github>.
const LARGEST: u64 = 100 << 20;
/// So much is encoded at once; a multiple of three, so that the pieces join.
const PIECE: u64 = 192 << 10;

/// A commit that wrote or deleted a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileCommit {
    /// The file as it is then; absent where it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<WrittenFile>,
    /// The commit.
    pub commit: MadeCommit,
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WrittenFile {
    /// Path from the root of the repository.
    pub path: String,
    /// SHA of the content, for the next write.
    pub sha: String,
    /// Size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Page on GitHub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html_url: Option<String>,
}

/// A commit that was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MadeCommit {
    /// SHA.
    pub sha: String,
    /// Page on GitHub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html_url: Option<String>,
}

/// Creates or replaces a file with one commit: give `text`, or `file` for anything else. To replace a file, pass the `sha` that
/// `get_contents` returned. Files below `.github/workflows` need the scope `workflow`, too.
///
/// <https://docs.github.com/en/rest/repos/contents#create-or-update-file-contents>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("public_repo|repo"), timeout = "10m")]
#[serde(deny_unknown_fields)]
pub struct WriteFile {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Path from the root of the repository.
    #[schemars(length(min = 1))]
    pub path: String,
    /// Message of the commit.
    #[schemars(length(min = 1))]
    pub message: String,
    /// The file's new content, where it is text.
    #[serde(default)]
    pub text: Option<String>,
    /// The file's new content by handle or in Base64, up to 100 MiB.
    #[serde(default)]
    pub file: Option<FileInput>,
    /// SHA of the content that is replaced, as `get_contents` returned it; left out for a new file.
    #[serde(default)]
    pub sha: Option<String>,
    /// Branch to commit to; the default branch if left out.
    #[serde(default)]
    pub branch: Option<String>,
}

impl Run for WriteFile {
    type Output = FileCommit;

    async fn run(self, cx: &ToolContext) -> Result<FileCommit> {
        let body = Members::default()
            .with("message", &self.message)
            .maybe("sha", self.sha.as_ref())
            .maybe("branch", self.branch.as_ref());
        let request = on(cx, Method::PUT, "/contents/{path}", &self.owner, &self.repo);
        let request = request.path("path", self.path.trim_matches('/'));
        let request = match (self.text, self.file) {
            (Some(text), None) => {
                fits(text.len().try_into().unwrap_or(u64::MAX), "/text")?;
                request.json_body(&body.with("content", STANDARD.encode(text)))
            }
            (None, Some(file)) => {
                let file = file.open("/file", cx).await?;
                fits(file.size, "/file")?;
                if file.size <= IN_MEMORY {
                    let bytes = file.piece(cx, 0..file.size).await?;
                    request.json_body(&body.with("content", STANDARD.encode(bytes)))
                } else {
                    streamed(request, cx, &body, file)?
                }
            }
            _ => return Err(Error::invalid_argument("", "needs `text` or `file`, one of the two")),
        };
        guarded(request).json().await
    }
}

fn fits(size: u64, pointer: &str) -> Result<()> {
    if size <= LARGEST {
        return Ok(());
    }
    let message =
        "is larger than the 100 MiB that GitHub keeps in a repository; attach it to a release instead";
    Err(Error::invalid_argument(pointer, message))
}

/// A body whose last member is the file in Base64, encoded while it is sent.
fn streamed<'a>(
    request: RequestBuilder<'a>,
    cx: &ToolContext,
    body: &Members,
    file: File,
) -> Result<RequestBuilder<'a>> {
    let failed = |_| Error::new(ErrorKind::Internal, "the body cannot be written as JSON");
    let mut head = serde_json::to_string(body).map_err(failed)?;
    // There is a message, so there is a member before.
    head.truncate(head.len().saturating_sub(1));
    head.push_str(",\"content\":\"");
    let encoded = file.size.div_ceil(3).saturating_mul(4);
    let length = encoded.saturating_add(u64::try_from(head.len() + 2).unwrap_or(u64::MAX));
    let (cx, size) = (cx.clone(), file.size);
    let pieces = stream::try_unfold((cx, file, 0_u64), move |(cx, file, at)| async move {
        if at >= size {
            return Ok::<_, Error>(None);
        }
        let piece = file.piece(&cx, at..at.saturating_add(PIECE)).await?;
        if piece.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, "the file expired while it was being sent"));
        }
        let at = at.saturating_add(PIECE);
        Ok(Some((Bytes::from(STANDARD.encode(piece)), (cx, file, at))))
    });
    let ends = |text: String| stream::iter([Ok(Bytes::from(text))]);
    let all: ByteStream = Box::pin(ends(head).chain(pieces).chain(ends("\"}".to_owned())));
    Ok(request.header("content-type", "application/json").stream(all, Some(length)))
}

/// Deletes a file with one commit.
///
/// <https://docs.github.com/en/rest/repos/contents#delete-a-file>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct DeleteFile {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Path from the root of the repository.
    #[schemars(length(min = 1))]
    pub path: String,
    /// Message of the commit.
    #[schemars(length(min = 1))]
    pub message: String,
    /// SHA of the content that is deleted, as `get_contents` returned it.
    #[schemars(length(min = 1))]
    pub sha: String,
    /// Branch to commit to; the default branch if left out.
    #[serde(default)]
    pub branch: Option<String>,
}

impl Run for DeleteFile {
    type Output = FileCommit;

    async fn run(self, cx: &ToolContext) -> Result<FileCommit> {
        let body = Members::default()
            .with("message", &self.message)
            .with("sha", &self.sha)
            .maybe("branch", self.branch.as_ref());
        let request = on(cx, Method::DELETE, "/contents/{path}", &self.owner, &self.repo);
        guarded(request.path("path", self.path.trim_matches('/')).json_body(&body)).json().await
    }
}

/// A commit is made once: asked again after one whose answer was lost, GitHub would say that the file has changed.
fn guarded(request: RequestBuilder<'_>) -> RequestBuilder<'_> {
    request.repeatable(false).classify(Classify::new(changed))
}

/// What is to be done where the file is not the one that the caller knows.
fn changed(parts: &Parts, body: &[u8]) -> Option<Error> {
    let error = match parts.status.as_u16() {
        422 if contains(body, b"wasn't supplied") => {
            Error::invalid_argument("/sha", "is needed, for the file exists: pass the `sha` that `get_contents` returns")
        }
        409 => Error::new(ErrorKind::Conflict, "the file or its branch changed meanwhile").public(
            "The file, or the branch, changed meanwhile. Read the file again with `get_contents`, look at what changed, and \
             pass its new `sha`.",
        ),
        _ => return None,
    };
    Some(error.status(parts.status.as_u16()).effect(Effect::NotExecuted))
}

fn contains(body: &[u8], words: &[u8]) -> bool {
    body.windows(words.len()).any(|window| window == words)
}
