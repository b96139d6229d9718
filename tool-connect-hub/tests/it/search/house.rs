//! Connectors of our own invention, in our own words: enough of them that a search can go wrong.

use std::sync::Arc;

use tool_connect_core::{
    Annotations, AuthScheme, ConnectorManifest, DynamicTool, SchemaSource, ToolDefinition, ToolOutput,
};
use tool_connect_hub::{Hub, HubBuilder, SearchRequest, Session};
use tool_connect_testkit::ManualClock;

use crate::calls::support::{Kit, ada, quiet};

/// Name, what it does, names of its parameters.
type Tools = &'static [(&'static str, &'static str, &'static str)];

const CHATTER: Tools = &[
    ("send_message", "Writes into a room, for all who are in it.", "room text"),
    ("list_rooms", "The rooms that the user is in.", "cursor"),
    ("create_room", "Opens a room.", "name private"),
    ("list_members", "Who is in a room.", "room"),
    ("invite_member", "Brings somebody into a room.", "room user"),
    ("search_messages", "Looks for words in what was written.", "query"),
    ("delete_message", "Takes back what was written.", "room message"),
    ("add_reaction", "Puts an emoji below a message.", "message emoji"),
];
const FORGE: Tools = &[
    ("create_issue", "Reports a defect or asks for something.", "repository title body"),
    ("list_issues", "What is open in a repository.", "repository state"),
    ("update_issue", "Changes an issue; closes it with the state `closed`.", "issue state"),
    ("create_issue_comment", "Answers below an issue.", "issue body"),
    ("list_pull_requests", "Proposed changes.", "repository state"),
    ("create_pull_request", "Proposes a change.", "repository head base title"),
    ("merge_pull_request", "Takes a proposed change in.", "number"),
    ("list_reviews", "Who looked at a pull request, and whether they approved.", "number"),
    ("list_branches", "Names of branches.", "repository"),
    ("delete_branch", "Takes a branch away.", "repository branch"),
    ("list_branches_for_commit", "Names of branches that a commit heads.", "repository commit"),
];
const DIARY: Tools = &[
    ("list_events", "What is planned, by day.", "from until"),
    ("create_event", "Plans something, with guests.", "start end guests"),
    ("delete_event", "Takes something off the plan, and tells the guests.", "event"),
    ("update_event", "Moves or changes what is planned.", "event start end"),
    ("query_free_busy", "When people are free.", "people from until"),
];
const PURSE: Tools = &[
    ("create_refund", "Gives money back.", "charge amount"),
    ("list_charges", "Payments that were taken.", "customer status"),
    ("create_customer", "Remembers somebody who buys.", "email name"),
    ("get_balance", "How much money is there.", ""),
    ("cancel_subscription", "Ends what is paid for again and again.", "subscription"),
    ("create_invoice", "Asks a customer for money.", "customer lines"),
    ("send_invoice", "Mails an invoice.", "invoice"),
];
const POST: Tools = &[
    ("send_email", "Mails to one or several.", "to subject body"),
    ("list_messages", "What is in the mailbox.", "label unread"),
    ("trash_message", "Throws a letter away.", "message"),
    ("create_draft", "Writes a letter that is not sent yet.", "to subject body"),
];

fn schema(parameters: &str) -> SchemaSource {
    let properties: serde_json::Map<String, serde_json::Value> = parameters
        .split_whitespace()
        .map(|name| (name.to_owned(), serde_json::json!({ "type": "string" })))
        .collect();
    SchemaSource::Json(Arc::from(
        serde_json::json!({ "type": "object", "properties": properties }).to_string(),
    ))
}

/// A tool that answers with its own name.
pub(crate) fn tool(name: &'static str, about: &'static str, parameters: &str) -> DynamicTool {
    let reads = ["list", "get", "search", "query"].iter().any(|verb| name.starts_with(verb));
    let annotations = match reads {
        true => Annotations::READ,
        false => Annotations { destructive: name.starts_with("delete"), ..Annotations::default() },
    };
    definition(ToolDefinition::new(name, about, schema(parameters)).annotations(annotations))
}

/// A tool of a definition, which answers with its own name.
pub(crate) fn definition(definition: ToolDefinition) -> DynamicTool {
    let name = definition.name.to_string();
    DynamicTool::new(definition, move |_, _| {
        let output = ToolOutput::of(&name);
        async move { output }
    })
}

fn kit(id: &str, title: &str, tools: Tools, scheme: AuthScheme) -> Kit {
    let manifest = ConnectorManifest::new(id, semver::Version::new(1, 0, 0), title).auth(scheme);
    tools
        .iter()
        .fold(Kit::of(manifest), |kit, (name, about, parameters)| kit.dynamic(tool(name, about, parameters)))
}

pub(crate) fn chatter() -> Kit {
    kit("chatter", "Chatter", CHATTER, AuthScheme::None)
}

/// Needs an account.
pub(crate) fn forge() -> Kit {
    kit("forge", "Forge", FORGE, AuthScheme::Bearer)
}

pub(crate) fn diary() -> Kit {
    kit("diary", "Diary Calendar", DIARY, AuthScheme::None)
}

pub(crate) fn purse() -> Kit {
    kit("purse", "Purse", PURSE, AuthScheme::None)
}

pub(crate) fn post() -> Kit {
    kit("post_office", "Post Office", POST, AuthScheme::None)
}

pub(crate) fn builder() -> HubBuilder {
    let clock = Arc::new(ManualClock::new());
    quiet(&clock)
        .connector(chatter())
        .connector(forge())
        .connector(diary())
        .connector(purse())
        .connector(post())
}

pub(crate) fn hub() -> Hub {
    builder().build().unwrap()
}

/// Ids of what is found, in order.
pub(crate) async fn ids(session: &Session, request: SearchRequest) -> Vec<String> {
    session.search(&request).await.unwrap().iter().map(|hit| hit.tool.id().to_string()).collect()
}

/// Ids of the five best that Ada finds.
pub(crate) async fn asked(hub: &Hub, query: &str) -> Vec<String> {
    ids(&hub.session(ada()), SearchRequest::new(query)).await
}
