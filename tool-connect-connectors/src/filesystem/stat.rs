//! `stat`: what a path names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Result, Run, Tool, ToolContext, rfc3339};

use super::entry::{EntryKind, modified};
use super::errors::refused;
use super::place::Place;
use super::root::{Root, links};

/// Says what a path names: its kind, size and times. A symbolic link at the end of the path is
/// described, not followed.
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(state = Root, read_only, open_world = false)]
#[serde(deny_unknown_fields)]
pub struct Stat {
    /// Path of a file or directory, relative to the root.
    #[schemars(length(max = 4096))]
    pub path: String,
}

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatResult {
    /// Path from the root.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Size in bytes.
    pub size: u64,
    /// When its content changed last, RFC 3339 in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    /// When it was made, where the file system keeps that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Whether nobody may write to it.
    pub read_only: bool,
    /// How many names (hard links) it has.
    pub names: u64,
    /// Where a symbolic link leads, relative to the link; missing where it leads out of the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

impl Run<Root> for Stat {
    type Output = StatResult;

    async fn run(self, cx: &ToolContext<Root>) -> Result<StatResult> {
        let root = cx.state()?.clone();
        cx.blocking(move || self.stat(&root)).await
    }
}

impl Stat {
    fn stat(&self, root: &Root) -> Result<StatResult> {
        let place = Place::new(&self.path, "/path")?;
        let metadata = root.dir().symlink_metadata(place.path()).map_err(|e| refused(e, &place))?;
        let kind = EntryKind::of(metadata.file_type());
        let target = match kind {
            // A link that leads out, or is gone by now, has no target to speak of.
            EntryKind::Symlink if root.dir().metadata(place.path()).is_ok() => {
                root.dir().read_link(place.path()).ok().map(|target| target.to_string_lossy().into_owned())
            }
            _ => None,
        };
        Ok(StatResult {
            path: place.clean(),
            kind,
            size: metadata.len(),
            modified: modified(&metadata),
            created: metadata.created().ok().map(|time| rfc3339(time.into_std())),
            read_only: metadata.permissions().readonly(),
            names: links(&metadata),
            target,
        })
    }
}
