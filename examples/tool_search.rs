//! An agent among thousands of tools: six definitions in its context, and with them it searches, reads what it found, and calls.
//!
//! Run it with `cargo run --example tool_search`. The agent is scripted and the services are made up, so nothing needs a network.
#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

use std::sync::Arc;

use serde_json::{Value, json};
use tool_connect::store::{Grant, Subject, ToolPattern};
use tool_connect::{
    Annotations, AuthScheme, Connector, ConnectorManifest, DynamicTool, Hub, MetaTools, Principal, Result,
    SchemaSource, ToolDefinition, ToolOutcome, ToolOutput, ToolSet,
};

/// A service whose tools are data: name, what it does, arguments.
struct Service {
    manifest: ConnectorManifest,
    tools: Vec<(String, String, Vec<&'static str>)>,
}

impl Service {
    fn new(id: &str, name: &str, tools: &[(&str, &str, &[&'static str])]) -> Self {
        Self {
            manifest: ConnectorManifest::new(id, semver::Version::new(1, 0, 0), name),
            tools: tools
                .iter()
                .map(|(name, about, of)| ((*name).to_owned(), (*about).to_owned(), of.to_vec()))
                .collect(),
        }
    }
}

impl Connector for Service {
    fn manifest(&self) -> &ConnectorManifest {
        &self.manifest
    }

    fn tools(&self, set: &mut ToolSet) {
        for (name, about, arguments) in &self.tools {
            let properties: serde_json::Map<String, Value> =
                arguments.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" }))).collect();
            let schema = json!({ "type": "object", "properties": properties, "required": arguments });
            let reads = ["list", "get", "search"].iter().any(|verb| name.starts_with(verb));
            let destructive = name.starts_with("delete");
            let annotations =
                if reads { Annotations::READ } else { Annotations { destructive, ..Annotations::default() } };
            let input = SchemaSource::Json(Arc::from(schema.to_string()));
            let done = name.replace('_', " ");
            set.add_dynamic(DynamicTool::new(
                ToolDefinition::new(name.clone(), about.clone(), input).annotations(annotations),
                move |arguments, _| {
                    let output = ToolOutput::of(&json!({ "did": done, "with": arguments }));
                    async move { output }
                },
            ));
        }
    }
}

/// What fills a registry: thousands of tools that have nothing to do with what is asked, and share its words.
fn warehouses() -> impl Iterator<Item = Service> {
    (1..=40).map(|number| {
        let mut service = Service::new(&format!("warehouse_{number}"), &format!("Warehouse {number}"), &[]);
        for thing in
            ["shelf", "pallet", "truck", "scanner", "shift", "parcel", "supplier", "gate", "label", "dock"]
        {
            for verb in ["list", "get", "create", "update", "delete"] {
                for place in ["", "_history", "_comment", "_report"] {
                    let name = format!("{verb}_{thing}{place}");
                    let about = format!("{verb}s what is known of a {thing}{}.", place.replace('_', " "));
                    service.tools.push((name, about, vec!["id"]));
                }
            }
        }
        service
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let chat = Service::new(
        "chat",
        "Team Chat",
        &[
            ("send_message", "Writes into a channel, for all who are in it.", &["channel", "text"]),
            ("list_members", "Who is in a channel.", &["channel"]),
            ("delete_channel", "Closes a channel for ever.", &["channel"]),
        ],
    );
    let code = Service::new(
        "forge",
        "Forge",
        &[
            ("create_issue", "Reports a defect.", &["repository", "title"]),
            ("list_reviews", "Who looked at a pull request, and whether they approved.", &["pull_request"]),
            ("merge_pull_request", "Takes a proposed change in.", &["pull_request"]),
        ],
    );
    let mut money =
        Service::new("till", "Till", &[("create_refund", "Gives a customer money back.", &["payment"])]);
    money.manifest.auth = vec![AuthScheme::Bearer];
    let hub = warehouses()
        .fold(Hub::builder().connector(chat).connector(code).connector(money), |hub, one| hub.connector(one));
    let hub = hub.build()?;

    let agent = Principal::user("acme", "ada")?.acting_through("helper")?;
    for tools in ["chat.*", "forge.list_reviews", "till.*", "warehouse_1.*"] {
        let subject = Subject::of(&agent).into_iter().find(|subject| matches!(subject, Subject::Agent(_)));
        if let Some(subject) = subject {
            let tools = ToolPattern::new(tools)?;
            hub.grant(Grant {
                tenant: agent.tenant.clone(),
                subject,
                tools,
                connection: None,
                expires: None,
            })
            .await?;
        }
    }
    let bytes = hub.prepare_search(&agent.tenant).await?;
    let tools = hub.session(agent).meta_tools();
    println!("The registry holds 8,007 tools; their index takes {} KB.", bytes / 1024);
    println!(
        "The agent sees {} definitions, {} bytes of JSON.\n",
        tools.definitions().len(),
        tools.to_json().len()
    );

    println!("\"Let the others in our channel know that we are done.\"");
    show(&tools, "send a message to the channel").await?;
    let told = call(&tools, "describe_tools", json!({ "tools": ["chat.send_message"] })).await?;
    println!("  it reads the schema: {}", told["tools"][0]["inputSchema"]["required"]);
    let message =
        json!({ "tool": "chat.send_message", "arguments": { "channel": "general", "text": "done" } });
    println!("  and calls it: {}\n", call(&tools, "call_tool", message).await?["did"]);

    println!("\"Who approved this pull request, and who is in the channel?\"");
    show(&tools, "who approved this PR").await?;
    let several = json!({ "calls": [
        { "tool": "forge.list_reviews", "arguments": { "pull_request": "7" } },
        { "tool": "chat.list_members", "arguments": { "channel": "general" } },
        { "tool": "forge.merge_pull_request", "arguments": { "pull_request": "7" } },
    ] });
    for one in call(&tools, "call_tools", several).await?["results"].as_array().into_iter().flatten() {
        let why = one["error"]["message"].as_str().map(|why| format!(": {why}")).unwrap_or_default();
        println!("  {} {}{why}", one["tool"], one["status"]);
    }

    println!("\n\"File a bug.\"");
    show(&tools, "create an issue on forge").await?;
    println!("  forge.create_issue was not granted, so it is not among them.");

    println!("\n\"Give the customer their money back.\"");
    show(&tools, "refund a payment").await?;
    let refund = json!({ "tool": "till.create_refund", "arguments": { "payment": "p1" } });
    if let ToolOutcome::InputRequired(required) = tools.call("call_tool", refund).await? {
        println!("  the call waits: {}", required.message());
    }
    hub.shutdown().await
}

async fn call(tools: &MetaTools, name: &str, arguments: Value) -> Result<Value> {
    tools.call(name, arguments).await?.into_output()?.parse()
}

async fn show(tools: &MetaTools, query: &str) -> Result<()> {
    println!("  search_tools {query:?}");
    for hit in call(tools, "search_tools", json!({ "query": query, "limit": 3 })).await?["tools"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let connected = if hit["connected"] == true { "" } else { " (not connected)" };
        println!(
            "    {}{connected}: {}",
            hit["tool"].as_str().unwrap_or_default(),
            hit["description"].as_str().unwrap_or_default()
        );
    }
    Ok(())
}
