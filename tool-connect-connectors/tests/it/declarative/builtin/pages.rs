//! Pages of `docs/connectors/`: each lists exactly its file's tools.

use std::collections::BTreeSet;

use super::{all, tools};

#[test]
fn each_page_lists_the_tools_of_its_file() {
    for (id, connector) in all() {
        let path = format!("{}/../docs/connectors/{id}.md", env!("CARGO_MANIFEST_DIR"));
        let page = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let listed: BTreeSet<String> = page
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name.to_owned()))
            .collect();
        let known: BTreeSet<String> =
            tools(&connector).iter().map(|tool| tool.definition().name.to_string()).collect();
        assert_eq!(listed, known, "{path}");
        for part in ["## Set up", "## Tools", "## What goes wrong"] {
            assert!(page.contains(part), "{path} has no `{part}`");
        }
    }
}
