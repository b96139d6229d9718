//! Connectors from TOML files: what they send, what is refused of them, and what a tenant's file may do.

mod bodies;
pub(crate) mod builtin;
mod mistakes;
mod sends;
mod tenants;

use tool_connect_connectors::declarative::Declarative;
use tool_connect_testkit::lint;

const STRIPE: &str = include_str!("stripe.toml");
const AIRTABLE: &str = include_str!("airtable.toml");
const GITHUB: &str = include_str!("../../../../examples/declarative/github.toml");

#[test]
fn files_of_real_services_load_and_their_tools_pass_the_lint() {
    for (text, tools) in [(STRIPE, 3), (AIRTABLE, 3), (GITHUB, 3)] {
        let connector = Declarative::from_toml(text).unwrap();
        lint::assert_clean(&connector);
        let mut set = tool_connect_core::ToolSet::default();
        tool_connect_core::Connector::tools(&connector, &mut set);
        assert_eq!(set.tools().len(), tools);
    }
}
