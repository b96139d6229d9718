//! What the files promise: to those who call their tools, and to those who approve calls.

use serde_json::Value;
use tool_connect_core::{ToolCall, ToolOutcome};
use tool_connect_testkit::{Harness, lint};

use super::{all, calls, load, text, tools};

#[test]
fn every_file_passes_the_lint_and_is_as_it_was_released() {
    for (id, connector) in all() {
        lint::assert_clean(&connector);
        let path = format!("{}/snapshot-{id}.json", env!("CARGO_TARGET_TMPDIR"));
        std::fs::write(path, lint::snapshot(&connector)).unwrap();
    }
    for (id, connector) in all() {
        lint::assert_stable(&connector, &text("snapshots", id));
    }
}

#[test]
fn every_file_says_who_is_connected() {
    for (id, connector) in all() {
        let tools = tools(&connector);
        let probe = tools.iter().find(|tool| tool.definition().name == "whoami");
        let definition = probe.unwrap_or_else(|| panic!("{id} has no whoami")).definition();
        assert!(definition.annotations.read_only, "{id}");
        assert!(definition.input.schema().unwrap().as_value().get("required").is_none(), "{id}");
    }
}

#[test]
fn what_a_tool_is_called_and_what_it_does_agree() {
    for (id, connector) in all() {
        for tool in tools(&connector) {
            let definition = tool.definition();
            let (name, hints) = (&*definition.name, definition.annotations);
            let reads = ["list_", "get_", "search", "describe_", "query", "whoami"];
            assert_eq!(hints.read_only, reads.iter().any(|verb| name.starts_with(verb)), "{id}.{name}");
            // What bills somebody, or changes what visitors see, is for a person to approve, too.
            let destroys = [
                "delete_",
                "void_",
                "cancel_",
                "remove_",
                "create_refund",
                "create_subscription",
                "update_subscription",
                "finalize_invoice",
                "redeploy",
            ];
            assert_eq!(hints.destructive, destroys.iter().any(|verb| name.starts_with(verb)), "{id}.{name}");
            let adds =
                ["create_", "add_comment", "comment_", "send_", "add_invoice_item", "add_project_domain"];
            assert!(
                !(hints.idempotent && adds.iter().any(|verb| name.starts_with(verb))) || hints.read_only,
                "{id}.{name}"
            );
        }
    }
}

#[tokio::test]
async fn a_missing_scope_is_named_and_nothing_is_sent() {
    let mut checked = 0;
    for (id, connector) in all() {
        for tool in tools(&connector) {
            let definition = tool.definition().clone();
            let Some(scope) = definition.scopes.first() else { continue };
            let harness = Harness::builder(load(id)).scopes(["something:else"]).build().await.unwrap();
            let arguments = calls(id)[&*definition.name]["with"].clone();
            let call = ToolCall::new(format!("{id}.{}", definition.name), arguments);
            let ToolOutcome::InputRequired(required) = harness.execute(call).await.unwrap() else {
                panic!("{id}.{} was executed", definition.name);
            };
            let asked: Value = serde_json::to_value(&required.request).unwrap();
            assert!(asked.to_string().contains(&format!("\"{scope}\"")), "{asked}");
            assert!(harness.requests().is_empty());
            checked += 1;
        }
    }
    assert!(checked > 90, "{checked}");
}
