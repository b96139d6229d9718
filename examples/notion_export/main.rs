//! A tree of Notion pages as Markdown files: pages, the pages below them, and the rows of databases on them, with links between
//! the files.
//!
//! ```sh
//! cargo run --example notion_export                                  # a small workspace on this machine; no account, no network
//! NOTION_TOKEN=ntn_.. cargo run --example notion_export -- PAGE      # a page of yours, by id or address
//! NOTION_TOKEN=ntn_.. cargo run --example notion_export -- PAGE DIR  # into this folder
//! ```
//!
//! The token is that of an internal integration (<https://www.notion.so/my-integrations>) that the page is shared with. Files go into
//! `notion-export` below `TOOL_CONNECT_HOME`, or else below the system's temporary folder.
#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

mod export;
mod stand_in;

use std::path::PathBuf;
use std::sync::Arc;

use tool_connect::connectors::notion::Notion;
use tool_connect::transport::NetworkAccess;
use tool_connect::{
    AuthScheme, Connection, ConnectionId, Credential, Hub, InstanceId, InstanceOptions, Owner, Principal,
    StaticCredentials,
};

pub(crate) type Outcome<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let page = arguments.next();
    let folder = arguments.next().map_or_else(default_folder, PathBuf::from);
    let token = std::env::var("NOTION_TOKEN").ok().filter(|token| !token.trim().is_empty());

    let mut options = InstanceOptions::default().auth(AuthScheme::Bearer);
    let (page, token) = match (page, token) {
        (Some(page), Some(token)) => (page, token),
        (Some(_), None) => {
            return Err("set NOTION_TOKEN to the token of an integration that the page is shared with".into());
        }
        (None, _) => {
            println!("Without a page: a small workspace on this machine.\n");
            let here = stand_in::start().await?;
            // The address guard keeps requests out of this machine's network, unless the host opens it for an instance.
            options = options.base_url(here).network(NetworkAccess::public().allow_loopback());
            (stand_in::HOME.to_owned(), "no-secret".to_owned())
        }
    };

    // A host that lets its users connect accounts has a vault; here the token is in the environment.
    let secrets = Arc::new(StaticCredentials::new());
    let hub =
        Hub::builder().credentials(Arc::clone(&secrets) as _).instance(Notion::new(), options).build()?;
    let ada = Principal::user("acme", "ada")?;
    let (id, owner) = (ConnectionId::new("ada_notion")?, Owner::User(ada.user.clone()));
    let connection = Connection::new(id, ada.tenant.clone(), owner, InstanceId::new("notion")?);
    let connection = hub.put_connection(connection).await?;
    secrets.set(connection.tenant.clone(), connection.id.clone(), Credential::token(token.trim()));

    let session = hub.session(ada);
    let checked = session.check("notion").await?;
    println!("Connected as {}\n", String::from_utf8_lossy(&checked.account));
    let exported = export::run(&session, &page, &folder).await?;
    println!("\n{} files, {} bytes, by {} calls.", exported.files, exported.bytes, exported.reads);
    println!("\n{}:\n", exported.first.display());
    for line in std::fs::read_to_string(folder.join(&exported.first))?.lines() {
        println!("  {line}");
    }
    Ok(hub.shutdown().await?)
}

fn default_folder() -> PathBuf {
    let home = std::env::var_os("TOOL_CONNECT_HOME").map_or_else(std::env::temp_dir, PathBuf::from);
    home.join("notion-export")
}
