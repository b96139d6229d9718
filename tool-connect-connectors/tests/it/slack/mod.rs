//! Slack: what is sent, what comes of its answers, what goes wrong, and a day's work.

mod bad;
mod counterparty;
mod day;
mod errors;
mod files;
mod pages;
mod tools;

use std::collections::BTreeMap;

use tool_connect_connectors::slack::{Slack, SlackUser};
use tool_connect_core::{Connector, ToolSet};
use tool_connect_testkit::lint;

use crate::provider::{assert_fits_every_dialect, assert_promises};

#[test]
fn the_lint_finds_nothing() {
    lint::assert_clean(&Slack::new());
    lint::assert_clean(&SlackUser::new());
}

#[test]
fn every_model_can_be_given_every_tool() {
    assert_fits_every_dialect(&Slack::new());
    assert_fits_every_dialect(&SlackUser::new());
}

#[test]
fn promises_are_kept() {
    assert_promises(&Slack::new());
    assert_promises(&SlackUser::new());
}

/// Each tool's scopes.
fn tools_of(connector: &dyn Connector) -> BTreeMap<String, String> {
    let mut set = ToolSet::default();
    connector.tools(&mut set);
    set.tools()
        .iter()
        .map(|tool| {
            let definition = tool.definition();
            let scopes: Vec<&str> = definition.scopes.iter().map(AsRef::as_ref).collect();
            (definition.name.to_string(), scopes.join(", ").replace('|', " or "))
        })
        .collect()
}

#[test]
fn the_page_lists_the_tools_with_their_scopes() {
    let page = include_str!("../../../../docs/connectors/slack.md");
    let told = |column: usize| -> BTreeMap<String, String> {
        page.lines()
            .filter_map(|line| {
                let cells: Vec<&str> = line.split('|').map(str::trim).collect();
                let name = cells.get(1)?.strip_prefix('`')?.strip_suffix('`')?;
                // name, scope, tier, bot, user
                (cells.len() == 7 && cells.get(column) == Some(&"yes"))
                    .then(|| (name.to_owned(), cells[2].replace('`', "")))
            })
            .collect()
    };
    assert_eq!(told(4), tools_of(&Slack::new()));
    assert_eq!(told(5), tools_of(&SlackUser::new()));
}
