//! A connector from a TOML file: `github.toml` beside this text, explained line by line in `docs/declarative.md`.
//!
//! Run it with `cargo run --example declarative`. It needs no account and no network: a small server on this machine answers
//! as GitHub does. `cargo run --example declarative -- --live` asks GitHub itself.
#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

use axum::Router;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json};
use axum::routing::get;
use serde_json::{Value, json};
use tool_connect::connectors::declarative::{Declarative, Loader};
use tool_connect::transport::NetworkAccess;
use tool_connect::{Hub, InstanceOptions, Principal, TenantId};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/declarative/github.toml");

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let live = std::env::args().any(|argument| argument == "--live");
    let github = Declarative::from_path(FILE)?;
    let mut options = InstanceOptions::default();
    if !live {
        options = options.base_url(stand_in().await?).network(NetworkAccess::public().allow_loopback());
    }
    let hub = Hub::builder().instance(github, options).build()?;
    let ada = hub.session(Principal::user("acme", "ada")?);

    let named = json!({"owner": "rust-lang", "repo": "rust"});
    let repository: Value =
        ada.call("github_public.get_repository", named.clone()).await?.into_output()?.parse()?;
    println!("{}: {}", repository["full_name"], repository["description"]);

    // A page and the next one: `next` goes back as `page`.
    let mut wanted = named;
    wanted["page_size"] = 2.into();
    for _ in 0..2 {
        let page: Value =
            ada.call("github_public.list_issues", wanted.clone()).await?.into_output()?.parse()?;
        for issue in page["items"].as_array().into_iter().flatten() {
            println!("  #{} {}", issue["number"], issue["title"]);
        }
        println!("  next: {}", page["next"]);
        wanted["page"] = page["next"].clone();
    }

    // The file's own words for an error; nothing of the service's answer is passed on.
    let nothing = json!({"query": "user:nobody-of-this-name-4711"});
    match ada.call("github_public.search_repositories", nothing).await {
        Ok(outcome) => println!("found: {}", outcome.into_output()?.parse::<Value>()?["items"]),
        Err(error) => println!("refused: {}", error.public_message()),
    }

    // A tenant's file: only that tenant has its tools, and what would be unsafe is refused with its mend.
    let own = "id = 'notes'\nname = 'Notes'\ndescription = 'Notes of the team.'\nbase_url = 'https://notes.example'\n\
               [tools.list_notes]\ndescription = 'Lists the notes of the team.'\nmethod = 'GET'\npath = '/notes'\n";
    let tenant = TenantId::new("acme")?;
    let registered =
        hub.add_instance(Loader::for_tenant().from_toml(own)?, InstanceOptions::default().tenant(tenant))?;
    println!("{} has {} tool of its own", registered.instance, registered.tools);
    let other = hub.session(Principal::user("other", "eve")?);
    if let Err(error) = other.call("notes.list_notes", "{}").await {
        println!("another tenant: {}", error.public_message());
    }
    if let Err(error) = Loader::for_tenant().from_toml(&own.replace("base_url", "base_ulr")) {
        println!("a mistake: {}", error.message().split(", expected").next().unwrap_or_default());
    }
    Ok(())
}

/// Answers as GitHub does, with two issues a page.
async fn stand_in() -> std::result::Result<url::Url, Box<dyn std::error::Error>> {
    let issues = |Path((owner, repo)): Path<(String, String)>, Query(query): Query<Vec<(String, String)>>| async move {
        let page = query.iter().find(|(name, _)| name == "page").and_then(|(_, page)| page.parse().ok());
        let page: u64 = page.unwrap_or(1);
        let issue = |number: u64| json!({"number": number, "title": format!("Issue {number} of {owner}/{repo}"), "body": "..", "user": {"login": "ada", "id": 7}});
        let link = format!("</repositories/1/issues?page={}>; rel=\"next\"", page + 1);
        ([("link", link)], Json(json!([issue(2 * page - 1), issue(2 * page)])))
    };
    let repository = |Path((owner, repo)): Path<(String, String)>| async move {
        Json(
            json!({"full_name": format!("{owner}/{repo}"), "description": "Empowering everyone.", "node_id": "..", "stargazers_count": 1}),
        )
    };
    let search = || async {
        (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"message": "Validation Failed"}))).into_response()
    };
    let routes = Router::new()
        .route("/repos/{owner}/{repo}", get(repository))
        .route("/repos/{owner}/{repo}/issues", get(issues))
        .route("/search/repositories", get(search));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(address.parse()?)
}
