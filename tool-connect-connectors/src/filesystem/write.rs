//! `write`: a file's content, whole or appended.

mod append;

use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cap_std::fs::{Dir, Metadata};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{
    Effect, Error, ErrorKind, Problem, Result, ResultHandle, Run, Tool, ToolArgs, ToolContext,
};

use self::append::Appended;
use super::atomic::Staged;
use super::errors::{refused, special};
use super::place::Place;
use super::root::{Root, go_on};

/// Bytes that are taken from the result store at a time.
const CHUNK: u64 = 256 * 1024;

/// Writes a file: creates it, replaces its content, or appends to it. A created or replaced file
/// appears whole or not at all. The content is given in place, or as the handle of an earlier
/// result. A symbolic link is never written through; name the file that it leads to.
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(state = Root, destructive, open_world = false)]
#[serde(deny_unknown_fields)]
pub struct Write {
    /// File to write, relative to the root.
    #[schemars(length(min = 1, max = 4096))]
    pub path: String,
    /// The content; give either this or `from_result`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// How `content` stands for bytes: as UTF-8 text, the default, or as base64.
    #[serde(default)]
    pub encoding: Encoding,
    /// Handle of a result whose bytes are the content; give either this or `content`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub from_result: Option<String>,
    /// What to do with what is there: `create`, the default, refuses where the file exists.
    #[serde(default)]
    pub mode: WriteMode,
    /// Whether to create the directories that lead to the file.
    #[serde(default)]
    pub create_parents: bool,
}

/// How text in the arguments stands for bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ToolArgs, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// As it is.
    #[default]
    Utf8,
    /// Base64 with the standard alphabet and padding (RFC 4648 §4).
    Base64,
}

/// What `write` does with what is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ToolArgs, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WriteMode {
    /// Creates the file; fails if it exists.
    #[default]
    Create,
    /// Creates the file or replaces its content.
    Overwrite,
    /// Creates the file or adds to its end.
    Append,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Written {
    /// Path from the root.
    pub path: String,
    /// How many bytes this call wrote.
    pub bytes: u64,
    /// Size of the file now, in bytes.
    pub size: u64,
    /// Whether the file is new.
    pub created: bool,
}

/// Where the content comes from.
enum Source {
    Inline(Bytes),
    Result(ResultHandle),
}

/// A file that is being written.
enum Target {
    Whole(Staged),
    Grown(Appended),
}

impl Run<Root> for Write {
    type Output = Written;

    async fn run(self, cx: &ToolContext<Root>) -> Result<Written> {
        let source = self.source()?;
        let root = cx.state()?.clone();
        // The whole length is known before anything is touched.
        let length = match &source {
            Source::Inline(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            Source::Result(handle) => self.stored_size(cx, handle).await?,
        };
        let call = cx.clone();
        let (this, mut target) = cx
            .blocking(move || {
                go_on(&call)?;
                let target = self.begin(&root, length)?;
                Ok((self, target))
            })
            .await?;

        let mut at = 0;
        while at < length {
            let chunk = match &source {
                Source::Inline(bytes) => bytes.clone(),
                Source::Result(handle) => next_chunk(cx, handle, at, length).await?,
            };
            at = at.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
            let (call, path) = (cx.clone(), this.path.clone());
            target = cx
                .blocking(move || {
                    go_on(&call)?;
                    let place = Place::new(&path, "/path")?;
                    target.write(&chunk).map_err(|e| refused(e, &place))?;
                    Ok(target)
                })
                .await?;
        }
        let call = cx.clone();
        cx.blocking(move || {
            go_on(&call)?;
            this.finish(target)
        })
        .await
    }
}

impl Write {
    fn source(&self) -> Result<Source> {
        match (&self.content, &self.from_result) {
            (Some(_), Some(_)) => {
                Err(Error::invalid_argument("/from_result", "cannot be given together with `content`"))
            }
            (None, None) => Err(Error::invalid_arguments(vec![Problem::new(
                "/content",
                "required",
                "is missing; give `content`, or the handle of an earlier result as `from_result`",
            )])),
            (Some(content), None) => match self.encoding {
                Encoding::Utf8 => Ok(Source::Inline(content.clone().into())),
                Encoding::Base64 => {
                    STANDARD.decode(content).map(|bytes| Source::Inline(bytes.into())).map_err(|_| {
                        Error::invalid_argument(
                            "/content",
                            "is not base64 with the standard alphabet and padding",
                        )
                    })
                }
            },
            (None, Some(handle)) => ResultHandle::new(handle)
                .map(Source::Result)
                .map_err(|_| Error::invalid_argument("/from_result", "is not a handle")),
        }
    }

    async fn stored_size(&self, cx: &ToolContext<Root>, handle: &ResultHandle) -> Result<u64> {
        let principal = cx.principal();
        let meta = cx.results().meta(&principal.tenant, &principal.user, handle).await?;
        meta.map(|meta| meta.size).ok_or_else(gone)
    }

    /// Looks at what is there and begins the file.
    fn begin(&self, root: &Root, length: u64) -> Result<Target> {
        let place = Place::new(&self.path, "/path")?;
        let (parent, name) = place.split()?;
        // What is too large already by itself creates no directories.
        check_size(length, root, &place)?;
        let parent = open_parent(root.dir(), parent, self.create_parents, &place)?;
        let existing = replaceable(&parent, Path::new(name), &place)?;
        if self.mode == WriteMode::Append {
            let before = existing.as_ref().map_or(0, Metadata::len);
            check_size(before.saturating_add(length), root, &place)?;
        }
        let target = match (self.mode, existing) {
            (WriteMode::Create, Some(_)) => {
                return Err(refused(io::ErrorKind::AlreadyExists.into(), &place).public(format!(
                    "`{}` exists already; choose another name, or `mode: overwrite` or `append`.",
                    place.shown()
                )));
            }
            (WriteMode::Append, existing) => {
                Target::Grown(Appended::begin(&parent, name, existing.is_none(), &place)?)
            }
            (WriteMode::Create, None) => {
                Target::Whole(Staged::begin(parent, None).map_err(|e| refused(e, &place))?)
            }
            (WriteMode::Overwrite, existing) => {
                let permissions = existing.map(|metadata| metadata.permissions());
                Target::Whole(Staged::begin(parent, permissions).map_err(|e| refused(e, &place))?)
            }
        };
        Ok(target)
    }

    fn finish(&self, target: Target) -> Result<Written> {
        let place = Place::new(&self.path, "/path")?;
        let (_, name) = place.split()?;
        let (bytes, size, created) = match target {
            Target::Whole(staged) => {
                let bytes = staged.bytes();
                let created = staged
                    .publish(name, self.mode == WriteMode::Overwrite)
                    .map_err(|e| refused(e, &place))?;
                (bytes, bytes, created)
            }
            Target::Grown(appended) => {
                appended.finish().map_err(|e| refused(e, &place).effect(Effect::Unknown))?
            }
        };
        Ok(Written { path: place.clean(), bytes, size, created })
    }
}

impl Target {
    fn write(&mut self, data: &[u8]) -> io::Result<()> {
        match self {
            Self::Whole(staged) => staged.write(data),
            Self::Grown(appended) => appended.write(data),
        }
    }
}

fn check_size(size: u64, root: &Root, place: &Place<'_>) -> Result<()> {
    let cap = root.limits().write_bytes;
    if size > cap {
        let message = format!("the file would have {size} bytes, and at most {cap} may be written");
        return Err(place.error(ErrorKind::TooLarge, message));
    }
    Ok(())
}

async fn next_chunk(cx: &ToolContext<Root>, handle: &ResultHandle, at: u64, length: u64) -> Result<Bytes> {
    let principal = cx.principal();
    let range = at..at.saturating_add(CHUNK).min(length);
    let chunk = cx.results().read(&principal.tenant, &principal.user, handle, range).await?;
    // An entry that ends early would never end the loop.
    chunk.filter(|chunk| !chunk.is_empty()).ok_or_else(gone)
}

fn gone() -> Error {
    let message = "there is no such result, or it has expired; make it again and pass its new handle";
    Error::new(ErrorKind::NotFound, message)
        .public("`from_result`: there is no such result, or it has expired; make it again and pass its new handle.")
        .effect(Effect::NotExecuted)
}

/// Opens the directory that a changed thing is in.
pub(super) fn open_parent(root: &Dir, parent: &Path, create: bool, place: &Place<'_>) -> Result<Dir> {
    match root.open_dir(parent) {
        Ok(dir) => Ok(dir),
        Err(e) if e.kind() == io::ErrorKind::NotFound && create => {
            root.create_dir_all(parent).and_then(|()| root.open_dir(parent)).map_err(|e| refused(e, place))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(place.error(
            ErrorKind::NotFound,
            "the directory for it does not exist; set `create_parents` to create it",
        )),
        Err(e) => Err(refused(e, place)),
    }
}

/// What has the name now, if that may be written.
fn replaceable(parent: &Dir, name: &Path, place: &Place<'_>) -> Result<Option<Metadata>> {
    let metadata = match parent.symlink_metadata(name) {
        Ok(metadata) => metadata,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(refused(e, place)),
    };
    if metadata.is_file() {
        Ok(Some(metadata))
    } else if metadata.is_dir() {
        Err(place.invalid("is a directory; name a file"))
    } else if metadata.is_symlink() {
        Err(place.error(
            ErrorKind::Conflict,
            "is a symbolic link; name the file that it leads to (see `stat`), or delete it",
        ))
    } else {
        Err(special(place))
    }
}
