//! Schemas of imported tools: many, and many of them the same.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use schemars::Schema;
use tool_connect_core::{RegisteredTool, SchemaSource, ToolDefinition};

use crate::dialects::assert_fits_every_dialect;

/// The schemas of many imported tools. One that several tools have is held against the rules once.
#[derive(Default)]
pub(crate) struct Imported {
    tools: AtomicUsize,
    schemas: Mutex<HashSet<Arc<str>>>,
}

impl Imported {
    /// The schema of a tool from this place; `None` where another had the same.
    pub(crate) fn new_schema(&self, place: &str, tool: &RegisteredTool) -> Option<Schema> {
        let ToolDefinition { name, input, .. } = &**tool.definition();
        let SchemaSource::Lazy(source) = input else { panic!("{place}: {name} is not imported") };
        let text = source.text().unwrap_or_else(|why| panic!("{place}: {name}: {why}"));
        self.tools.fetch_add(1, Ordering::Relaxed);
        let is_new = self.schemas.lock().unwrap().insert(text);
        is_new.then(|| input.schema().unwrap())
    }

    /// Holds a tool's schema against every dialect, unless it was held already.
    pub(crate) fn assert_fits(&self, place: &str, tool: &RegisteredTool) {
        if let Some(schema) = self.new_schema(place, tool) {
            assert_fits_every_dialect(&format!("{place}: {}", tool.definition().name), &schema);
        }
    }

    /// How many tools, and how many schemas they have among them.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.tools.load(Ordering::Relaxed), self.schemas.lock().unwrap().len())
    }
}

/// Works on each, with a thread for each core.
pub(crate) fn on_every_core<T: Sync>(all: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(one);
                }
            });
        }
    });
}
