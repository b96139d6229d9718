//! Typed tools mostly run without a wait before them; not where their thread or the audit trail forbids it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Effect, ErrorKind, Result, Run, Tool, ToolContext};
use tool_connect_hub::RolePolicy;
use tool_connect_hub::audit::AuditMode;
use tool_connect_testkit::ManualClock;

use super::faults::Faults;
use super::support::{Kit, ada, audited, hub_of};

/// Says on which thread it runs.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, blocking)]
#[serde(deny_unknown_fields)]
struct Where {}

impl Run for Where {
    type Output = String;

    async fn run(self, _cx: &ToolContext) -> Result<String> {
        Ok(format!("{:?}", std::thread::current().id()))
    }
}

#[tokio::test]
async fn a_typed_tool_that_blocks_has_a_thread_of_its_own() {
    let hub = hub_of(Kit::new("busy").tool::<Where>());
    let thread = hub.session(ada()).run(Where {}).await.unwrap();
    assert_ne!(thread, format!("{:?}", std::thread::current().id()));
}

static WRITTEN: AtomicUsize = AtomicUsize::new(0);

/// Writes.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false)]
#[serde(deny_unknown_fields)]
struct Write {}

impl Run for Write {
    type Output = usize;

    async fn run(self, _cx: &ToolContext) -> Result<usize> {
        Ok(WRITTEN.fetch_add(1, Ordering::SeqCst) + 1)
    }
}

#[tokio::test]
async fn a_typed_write_does_not_run_before_its_intent_is_durable() {
    let (clock, faults) = (Arc::new(ManualClock::new()), Faults::default());
    let hub = audited(&clock, AuditMode::FailClosed)
        .stores(faults.stores(Arc::clone(&clock) as _))
        .connector(Kit::new("notes").tool::<Write>())
        .configure(|s| s.policy = RolePolicy::new().approve(tool_connect_hub::ApproveWhen::Never))
        .build()
        .unwrap();
    let session = hub.session(ada());
    faults.fail("audit.append", usize::MAX);
    let refused = session.run(Write {}).await.unwrap_err();
    assert_eq!(
        (refused.kind(), refused.effect_on_provider()),
        (ErrorKind::AuditUnavailable, Effect::NotExecuted)
    );
    assert_eq!(WRITTEN.load(Ordering::SeqCst), 0);
    faults.mend();
    assert_eq!(session.run(Write {}).await.unwrap(), 1);
}
