//! Listing and describing tools, page by page; schemas are texts that were made once.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use tool_connect_core::{Annotations, InstanceId, ToolDefinition, ToolId};

use super::entry::Entry;
use super::snapshot::Snapshot;

/// Which tools to list.
#[derive(Clone, Debug, Default)]
pub struct ListRequest {
    /// Go on after this; a page's `next`.
    pub cursor: Option<String>,
    /// At most so many; all where unset.
    pub limit: Option<usize>,
    /// Only those of this instance.
    pub instance: Option<InstanceId>,
}

/// A page of tools, ordered by id.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ToolPage {
    /// The tools.
    pub tools: Vec<ToolInfo>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
}

/// So many tools are fetched from memory at once: what they are written from fits into the nearest cache.
const AHEAD: usize = 16;

impl ToolPage {
    /// The page as the `tools` array of an MCP `tools/list` result: JSON text. Schemas are copied
    /// from texts that were made when the tools were registered.
    #[must_use]
    pub fn to_json(&self) -> Bytes {
        let size = self.tools.iter().map(|t| t.0.listing_len() + 1).sum::<usize>() + 2;
        let mut out = Vec::with_capacity(size);
        out.push(b'[');
        for tools in self.tools.chunks(AHEAD) {
            tools.iter().for_each(|tool| tool.0.touch());
            for tool in tools {
                if out.len() > 1 {
                    out.push(b',');
                }
                tool.0.write_listing(&mut out);
            }
        }
        out.push(b']');
        out.into()
    }
}

/// What is known of a tool; a clone is one counter.
#[derive(Clone)]
pub struct ToolInfo(pub(crate) Arc<Entry>);

impl fmt::Debug for ToolInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ToolInfo").field(self.id()).finish()
    }
}

impl ToolInfo {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &ToolId {
        &self.0.id
    }

    /// Its definition: description, annotations, scopes, version, time-out.
    #[must_use]
    pub fn definition(&self) -> &ToolDefinition {
        self.0.tool.definition()
    }

    /// What it does to the world.
    #[must_use]
    pub fn annotations(&self) -> Annotations {
        self.definition().annotations
    }

    /// JSON Schema of its arguments, as text.
    #[must_use]
    pub fn input_schema(&self) -> &str {
        self.0.input_schema()
    }

    /// JSON Schema of its structured result, as text.
    #[must_use]
    pub fn output_schema(&self) -> Option<&str> {
        self.0.output_schema()
    }

    /// SHA-256 over all that a model sees of it; changes when the definition does.
    #[must_use]
    pub fn definition_hash(&self) -> &[u8; 32] {
        self.0.definition_hash()
    }

    /// The tool as an MCP `Tool` object: JSON text.
    #[must_use]
    pub fn to_json(&self) -> Bytes {
        let mut out = Vec::with_capacity(self.0.listing_len());
        self.0.write_listing(&mut out);
        out.into()
    }
}

/// Merges a tenant's own tools with the global ones it does not hide, in the order of their ids.
pub(crate) fn page(
    overlay: Option<&Snapshot>,
    global: &Snapshot,
    request: &ListRequest,
    mut visible: impl FnMut(&Entry) -> bool,
) -> ToolPage {
    let after = request.cursor.as_deref().unwrap_or("");
    let own = overlay.map_or(&[][..], Snapshot::entries);
    let skip = |entries: &[Arc<Entry>]| entries.partition_point(|e| e.id.as_str() <= after);
    let (mut own, mut shared) = (&own[skip(own)..], &global.entries()[skip(global.entries())..]);
    let limit = request.limit.unwrap_or(usize::MAX).max(1);
    let mut tools: Vec<ToolInfo> = Vec::with_capacity(limit.min(own.len() + shared.len()));
    let mut more = false;
    loop {
        let take_own = match (own.first(), shared.first()) {
            (None, None) => break,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(a), Some(b)) => a.id <= b.id,
        };
        let list = if take_own { &mut own } else { &mut shared };
        let Some((entry, rest)) = list.split_first() else { break };
        *list = rest;
        let hidden = !take_own && overlay.is_some_and(|o| o.instance(entry.id.instance()).is_some());
        let wanted = request.instance.as_ref().is_none_or(|id| id.as_str() == entry.id.instance());
        // What is not shown need not be made.
        if hidden || !wanted || !visible(entry) || !entry.broken().is_empty() {
            continue;
        }
        if tools.len() == limit {
            more = true;
            break;
        }
        tools.push(ToolInfo(Arc::clone(entry)));
    }
    let next = if more { tools.last().map(|t| t.id().to_string()) } else { None };
    ToolPage { tools, next }
}
