//! A call may move between threads while it waits.

use std::rc::Rc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Result, Run, Tool, ToolContext};

/// Holds on to a thread.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Sticky {}

impl Run for Sticky {
    type Output = u8;
    async fn run(self, _cx: &ToolContext) -> Result<u8> {
        let local = Rc::new(1);
        std::future::ready(()).await;
        Ok(*local)
    }
}

fn main() {}
