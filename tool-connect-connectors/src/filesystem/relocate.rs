//! `move`: another name or place for a file or directory.

use std::io;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Result, Run, Tool, ToolContext};

use super::errors::refused;
use super::place::Place;
use super::rename::rename_new;
use super::root::{Root, go_on};
use super::write::open_parent;

/// Moves or renames a file or directory, in one step. What has the new name already is kept, and the
/// call refused, unless `overwrite` is set. A symbolic link itself is moved, not what it leads to.
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(name = "move", state = Root, destructive, open_world = false)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// File or directory to move, relative to the root.
    #[schemars(length(min = 1, max = 4096))]
    pub from: String,
    /// Its new path, relative to the root; with its name, also where it moves into a directory.
    #[schemars(length(min = 1, max = 4096))]
    pub to: String,
    /// Whether a file, or an empty directory, that has the new name is replaced.
    #[serde(default)]
    pub overwrite: bool,
    /// Whether to create the directories that lead to the new path.
    #[serde(default)]
    pub create_parents: bool,
}

/// What was moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Moved {
    /// The old path, from the root.
    pub from: String,
    /// The new path, from the root.
    pub to: String,
}

impl Run<Root> for Move {
    type Output = Moved;

    async fn run(self, cx: &ToolContext<Root>) -> Result<Moved> {
        let root = cx.state()?.clone();
        let call = cx.clone();
        cx.blocking(move || {
            go_on(&call)?;
            self.relocate(&root)
        })
        .await
    }
}

impl Move {
    fn relocate(&self, root: &Root) -> Result<Moved> {
        let (from, to) = (Place::new(&self.from, "/from")?, Place::new(&self.to, "/to")?);
        let (old_parent, old) = from.split()?;
        let (new_parent, new) = to.split()?;
        let old_parent = root.dir().open_dir(old_parent).map_err(|e| refused(e, &from))?;
        let moved = old_parent.symlink_metadata(old).map_err(|e| refused(e, &from))?;
        let new_parent = open_parent(root.dir(), new_parent, self.create_parents, &to)?;
        let done = if self.overwrite {
            old_parent.rename(old, &new_parent, new)
        } else {
            rename_new(&old_parent, old, &new_parent, new)
        };
        done.map_err(|e| match e.kind() {
            io::ErrorKind::InvalidInput => to.invalid("lies inside of what is moved"),
            io::ErrorKind::IsADirectory => {
                to.invalid("is a directory; give the whole new path, with the name")
            }
            io::ErrorKind::NotADirectory if moved.is_dir() => {
                to.invalid("is a file, and a directory cannot replace it")
            }
            io::ErrorKind::NotFound => refused(e, &from),
            _ => refused(e, &to),
        })?;
        Ok(Moved { from: from.clean(), to: to.clean() })
    }
}
