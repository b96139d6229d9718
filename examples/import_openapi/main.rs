//! Any service that has an OpenAPI description, as tools.
//!
//! ```sh
//! cargo run --example import_openapi                      # a small description, and the service to it on this machine
//! cargo run --example import_openapi -- FILE              # what becomes of a description of yours
//! cargo run --example import_openapi -- FILE --search "create issue"
//! cargo run --example import_openapi -- FILE --call TOOL '{"owner": "ada"}'
//! cargo run --example import_openapi -- FOLDER            # a table over all descriptions below it
//! ```
//!
//! `--call` sends a real request, without an account.
#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

mod folder;
mod service;

use std::path::Path;

use tool_connect::connectors::openapi::{Api, OpenApi};
use tool_connect::testkit::Harness;
use tool_connect::transport::NetworkAccess;
use tool_connect::{AuthScheme, Connector, Hub, InstanceOptions, ListRequest, Principal};

type Outcome<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let Some(file) = arguments.next() else { return tour().await };
    let path = Path::new(&file);
    if path.is_dir() {
        return folder::table(path);
    }
    let api = OpenApi::open(std::fs::read(path)?)?;
    match arguments.next().as_deref() {
        None => {
            println!("{} {}: {}", api.title(), api.version(), api.check());
            Ok(())
        }
        Some("--search") => {
            let words = arguments.next().ok_or("--search needs words")?;
            for operation in api.connector("api").words(&words).build()?.names() {
                println!("{:<48} {} {}", operation.0, operation.1, operation.2);
            }
            Ok(())
        }
        Some("--call") => {
            let tool = arguments.next().ok_or("--call needs the name of a tool")?;
            let given = arguments.next().unwrap_or_else(|| "{}".to_owned());
            call(api.connector("api").auth([AuthScheme::None]).build()?, &tool, &given).await
        }
        Some(other) => Err(format!("`{other}` is not known: --search WORDS or --call TOOL JSON").into()),
    }
}

/// Calls a tool of somebody's service, without an account.
async fn call(api: Api, tool: &str, given: &str) -> Outcome {
    let hub = Hub::builder().connector(api).build()?;
    let session = hub.session(Principal::user("acme", "ada")?);
    let output = session.call(&format!("api.{tool}"), given.to_owned()).await?;
    println!("{}", String::from_utf8_lossy(&output.into_output()?.to_json()?));
    Ok(hub.shutdown().await?)
}

/// Everything once, with a service on this machine.
async fn tour() -> Outcome {
    // Opening finds the operations and reads none of them.
    let api = OpenApi::open(include_str!("depot.yaml"))?;
    println!("{} has {} operations:", api.title(), api.operations().count());
    for operation in api.operations() {
        let mark = if operation.is_deprecated() { " (deprecated)" } else { "" };
        println!("  {} {}{mark}: {}", operation.method(), operation.path(), operation.summary());
    }

    // Reading them all says what cannot be a tool, and where the reason stands.
    println!("\nChecked: {}", api.check());

    // The host chooses, and has the last word on where requests go.
    let service = service::start().await?;
    let depot = api.connector("depot").tag("parcels").variable("port", service.port.to_string()).build()?;
    println!("\n{} at {}:", depot.manifest().name, service.address());
    // The address guard keeps requests out of this machine's network, unless the host opens it for an instance.
    let here = InstanceOptions::default().network(NetworkAccess::public().allow_loopback());
    let harness = Harness::builder(depot).instance(here).transport(service.transport()).build().await?;
    for tool in harness.session().tools(&ListRequest::default()).await?.tools {
        let hints = tool.annotations();
        let effect = match (hints.read_only, hints.destructive) {
            (true, _) => "reads",
            (false, false) => "adds",
            (false, true) => "may destroy",
        };
        println!("  {} ({effect}): {}", tool.id(), tool.input_schema());
    }

    println!("\nCalls:");
    for (tool, arguments) in [
        ("take_parcel", serde_json::json!({"label": "books, 2nd half", "grams": 1200})),
        ("list_parcels", serde_json::json!({})),
        ("list_parcels", serde_json::json!({"page": "2"})),
        ("give_parcel", serde_json::json!({"number": 1})),
        // Not in the description: refused here, and not sent.
        ("take_parcel", serde_json::json!({"label": "socks", "owner": "eve"})),
    ] {
        match harness.call(tool, arguments.clone()).await {
            Ok(output) => println!("  {tool} {arguments} → {}", String::from_utf8_lossy(&output.to_json()?)),
            Err(error) => println!("  {tool} {arguments} → refused: {}", error.public_message()),
        }
    }
    println!("\nThe service saw {} requests, each with the account's token.", harness.requests().len());
    harness.finish().await?;
    Ok(())
}
