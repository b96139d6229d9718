//! `list`: what is in a directory.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Result, Run, Tool, ToolContext};

use super::cursor;
use super::entry::{Entry, EntryKind, modified};
use super::errors::refused;
use super::pattern::Filter;
use super::place::Place;
use super::root::{Root, go_on};
use super::walk::{Passed, Walk, below};

/// Entries of a page unless the call says otherwise.
const PAGE: u32 = 200;

/// Lists the entries of a directory, in a stable order and page by page: with `depth` also those of
/// the directories below it, each directory before what is in it. Symbolic links are listed, not
/// followed.
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(state = Root, read_only, open_world = false)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Directory to list, relative to the root; the root itself if left out.
    #[serde(default)]
    #[schemars(length(max = 4096))]
    pub path: String,
    /// How many levels to list: 1, the default, lists the directory alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub depth: Option<u32>,
    /// Only entries that match this glob, `*.rs` by name at any depth or `docs/**/*.md` by the path
    /// below the listed directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub glob: Option<String>,
    /// Globs of entries to leave out, with all that is below them: `[".git", "target"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 256)))]
    pub exclude: Vec<String>,
    /// How many entries to return at most; 200 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before, for the page after it; all other arguments stay the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16384))]
    pub cursor: Option<String>,
}

/// A page of a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listing {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Hand it in as `cursor` for the next page; nothing is left if it is missing. A page may be
    /// empty and still have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Directories that the host may not read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unreadable_directories: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Run<Root> for List {
    type Output = Listing;

    async fn run(self, cx: &ToolContext<Root>) -> Result<Listing> {
        let root = cx.state()?.clone();
        let call = cx.clone();
        cx.blocking(move || self.list(&root, &call)).await
    }
}

impl List {
    fn list(&self, root: &Root, cx: &ToolContext<Root>) -> Result<Listing> {
        let place = Place::new(&self.path, "/path")?;
        let filter = Filter::new(self.glob.as_deref(), &self.exclude)?;
        let resume = self.cursor.as_deref().map(cursor::decode).transpose()?;
        let dir = root.dir().open_dir(place.path()).map_err(|e| refused(e, &place))?;
        let wanted = || go_on(cx);
        let mut walk = Walk::new(dir, self.depth.unwrap_or(1), &filter, &wanted);
        if let Some(names) = &resume {
            walk.resume(names);
        }

        let start = place.clean();
        let limit = usize::try_from(self.limit.unwrap_or(PAGE)).unwrap_or(usize::MAX);
        let mut listing = Listing { entries: Vec::new(), next_cursor: None, unreadable_directories: 0 };
        let mut last = None;
        let mut passed = 0;
        while let Some(found) = walk.next(&place)? {
            passed += 1;
            if filter.wants(&found.path) {
                if listing.entries.len() == limit {
                    listing.next_cursor = last;
                    break;
                }
                listing.entries.push(describe(&walk, &start, found));
            }
            if passed == root.limits().entries {
                listing.next_cursor = Some(cursor::encode(&walk.position()));
                break;
            }
            if listing.entries.len() == limit && last.is_none() {
                last = Some(cursor::encode(&walk.position()));
            }
        }
        listing.unreadable_directories = walk.unreadable;
        Ok(listing)
    }
}

fn describe(walk: &Walk<'_>, start: &str, found: Passed) -> Entry {
    // It may be gone by now; then its kind and name are all there is to say.
    let metadata = walk.dir().and_then(|dir| dir.symlink_metadata(&found.name).ok());
    Entry {
        path: below(start, &found.path),
        kind: found.kind,
        size: metadata.as_ref().filter(|_| found.kind == EntryKind::File).map(cap_std::fs::Metadata::len),
        modified: metadata.as_ref().and_then(modified),
        unaddressable: !found.exact,
    }
}
