//! Files and directories of a repository, read; they are written in `files.rs`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::http::RequestBuilder;
use tool_connect_core::{Error, ErrorKind, FileRef, Result, Run, Tool, ToolArgs, ToolContext, ToolSet};

use super::page::{on, on_for};
use super::text::{LARGEST, Text, of_bytes, of_text};
use crate::spill::download;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<GetContents>().add::<GetReadme>().add::<ListTree>().add::<DownloadArchive>();
}

/// A file, a directory, a link or a submodule of a repository.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Content {
    /// `file`, `dir`, `symlink` or `submodule`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Name.
    pub name: String,
    /// Path from the root of the repository.
    pub path: String,
    /// SHA of the content: what `write_file` and `delete_file` want to know.
    pub sha: String,
    /// Size in bytes.
    #[serde(default)]
    pub size: u64,
    /// Of a file: its text, where it is UTF-8 and at most 256 KiB long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Of any other file: its content by handle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileRef>,
    /// Of a directory: what is in it, up to 1000 entries; `list_tree` lists more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<Vec<Entry>>,
    /// Of a link: where it leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Of a submodule: its repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submodule_git_url: Option<String>,
    /// Page on GitHub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html_url: Option<String>,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// `file`, `dir`, `symlink` or `submodule`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Name.
    pub name: String,
    /// Path from the root of the repository.
    pub path: String,
    /// SHA of the content.
    pub sha: String,
    /// Size in bytes; 0 of directories.
    #[serde(default)]
    pub size: u64,
}

/// What GitHub sends of it, with the content of a file.
#[derive(Deserialize)]
struct Sent {
    #[serde(rename = "type")]
    kind: String,
    // The root has neither.
    #[serde(default)]
    name: String,
    #[serde(default)]
    path: String,
    sha: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    encoding: Option<String>,
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    entries: Option<Vec<Entry>>,
    #[serde(default)]
    target: Option<String>,
    #[serde(default)]
    submodule_git_url: Option<String>,
    #[serde(default)]
    html_url: Option<String>,
}

impl Sent {
    /// What is known of it, and the content of a file: Base64 up to 1 MiB, above that nothing.
    fn take(self) -> (Content, Option<String>) {
        let content = self.content.filter(|_| self.encoding.as_deref() == Some("base64"));
        let of = Content {
            kind: self.kind,
            name: self.name,
            path: self.path,
            sha: self.sha,
            size: self.size,
            text: None,
            file: None,
            entries: self.entries,
            target: self.target,
            submodule_git_url: self.submodule_git_url,
            html_url: self.html_url,
        };
        (of, content)
    }
}

/// Reads a file or lists a directory, at a branch, tag or commit. Text comes as text; binary files, and text of more than 256 KiB,
/// come by handle. Returns the `sha` that writing wants.
///
/// <https://docs.github.com/en/rest/repos/contents#get-repository-content>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetContents {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Path from the root of the repository; the root itself if left out.
    #[serde(default)]
    pub path: Option<String>,
    /// Branch, tag or commit SHA; the default branch if left out.
    #[serde(default)]
    pub revision: Option<String>,
}

impl Run for GetContents {
    type Output = Content;

    async fn run(self, cx: &ToolContext) -> Result<Content> {
        let path = self.path.as_deref().unwrap_or_default().trim_matches('/');
        // A directory as one object, not as an array.
        let sent: Sent = self.ask(cx, path, "application/vnd.github.object+json").json().await?;
        let (mut content, sent) = sent.take();
        if content.kind != "file" {
            return Ok(content);
        }
        let name = content.name.clone();
        let read = match sent {
            Some(text) => of_bytes(cx, decoded(&text)?, name).await?,
            // More than 1 MiB: the file itself has to be asked for.
            None => {
                let request = self.ask(cx, path, "application/vnd.github.raw+json").max_bytes(LARGEST);
                of_text(cx, request.send().await?, name).await?
            }
        };
        content.hold(read);
        Ok(content)
    }
}

impl GetContents {
    fn ask<'a>(&self, cx: &'a ToolContext, path: &str, accept: &'static str) -> RequestBuilder<'a> {
        let request = match path {
            "" => on_for(cx, Method::GET, "/contents/", &self.owner, &self.repo, accept),
            path => on_for(cx, Method::GET, "/contents/{path}", &self.owner, &self.repo, accept)
                .path("path", path),
        };
        request.query_opt("ref", self.revision.as_deref())
    }
}

impl Content {
    fn hold(&mut self, read: Text) {
        match read {
            Text::Inline(text) => self.text = Some(text),
            Text::Stored(file) => self.file = Some(file),
        }
    }
}

/// Base64 with line breaks, as GitHub sends it.
fn decoded(text: &str) -> Result<Vec<u8>> {
    let text: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(text).map_err(|_| Error::new(ErrorKind::Provider, "the file's content is not Base64"))
}

/// Reads the README of a repository, at a branch, tag or commit.
///
/// <https://docs.github.com/en/rest/repos/contents#get-a-repository-readme>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetReadme {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Branch, tag or commit SHA; the default branch if left out.
    #[serde(default)]
    pub revision: Option<String>,
}

impl Run for GetReadme {
    type Output = Content;

    async fn run(self, cx: &ToolContext) -> Result<Content> {
        let request = on(cx, Method::GET, "/readme", &self.owner, &self.repo);
        let sent: Sent = request.query_opt("ref", self.revision.as_deref()).json().await?;
        let (mut content, sent) = sent.take();
        let name = content.name.clone();
        let read = match sent {
            Some(text) => of_bytes(cx, decoded(&text)?, name).await?,
            // More than 1 MiB.
            None => {
                let accept = "application/vnd.github.raw+json";
                let request = on_for(cx, Method::GET, "/readme", &self.owner, &self.repo, accept)
                    .query_opt("ref", self.revision.as_deref())
                    .max_bytes(LARGEST);
                of_text(cx, request.send().await?, name).await?
            }
        };
        content.hold(read);
        Ok(content)
    }
}

/// The files and directories of a repository.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tree {
    /// SHA of the tree.
    pub sha: String,
    /// Files, directories and submodules.
    pub tree: Vec<TreeEntry>,
    /// Whether there are more than GitHub sends (100 000, or 7 MiB); `get_contents` lists single directories then.
    #[serde(default)]
    pub truncated: bool,
}

/// An entry of a tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TreeEntry {
    /// Path from the root of the repository.
    pub path: String,
    /// `blob` (a file), `tree` (a directory) or `commit` (a submodule).
    #[serde(rename = "type")]
    pub kind: String,
    /// SHA of the content.
    pub sha: String,
    /// Size of a file in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// Lists all files and directories of a repository with their paths, at a branch, tag or commit, or those below a path.
///
/// <https://docs.github.com/en/rest/git/trees#get-a-tree>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListTree {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Branch, tag or commit SHA; the default branch if left out.
    #[serde(default)]
    pub revision: Option<String>,
    /// Only what is below this path.
    #[serde(default)]
    pub path: Option<String>,
}

impl Run for ListTree {
    type Output = Tree;

    async fn run(self, cx: &ToolContext) -> Result<Tree> {
        let request = on(cx, Method::GET, "/git/trees/{tree}", &self.owner, &self.repo);
        let revision = self.revision.as_deref().unwrap_or("HEAD");
        let mut tree: Tree = request.path("tree", revision).query("recursive", 1).json().await?;
        if let Some(path) =
            self.path.as_deref().map(|path| path.trim_matches('/')).filter(|path| !path.is_empty())
        {
            tree.tree.retain(|entry| entry.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')));
        }
        Ok(tree)
    }
}

/// How an archive is packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum ArchiveFormat {
    /// A ZIP file.
    #[default]
    Zip,
    /// A tar file, packed with gzip.
    Tar,
}

/// Downloads all files of a repository at a branch, tag or commit as one archive, by handle.
///
/// <https://docs.github.com/en/rest/repos/contents#download-a-repository-archive-zip>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, timeout = "10m")]
#[serde(deny_unknown_fields)]
pub struct DownloadArchive {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Branch, tag or commit SHA; the default branch if left out.
    #[serde(default)]
    pub revision: Option<String>,
    /// How it is packed; ZIP if left out.
    #[serde(default)]
    pub format: ArchiveFormat,
}

impl Run for DownloadArchive {
    type Output = FileRef;

    async fn run(self, cx: &ToolContext) -> Result<FileRef> {
        let (path, end) = match self.format {
            ArchiveFormat::Zip => ("/zipball/{ref}", "zip"),
            ArchiveFormat::Tar => ("/tarball/{ref}", "tar.gz"),
        };
        let request = on(cx, Method::GET, path, &self.owner, &self.repo);
        let revision = self.revision.as_deref().unwrap_or("HEAD");
        let response = request.path("ref", revision).max_bytes(LARGEST).send().await?;
        download(cx, response, Some(format!("{}.{end}", self.repo))).await
    }
}
