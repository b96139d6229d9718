//! The tour: what a call goes through, on real files and on a service that misbehaves on purpose.
//!
//! Run it with `cargo run --example quickstart`; it takes a few seconds, needs no account and no
//! network. It keeps its data (one SQLite file and a folder) in `tool-connect-quickstart` below the
//! system's temporary folder, or where `TOOL_CONNECT_HOME` or the first argument says
//! (`cargo run --example quickstart -- some/folder`). Run it twice: the second run finds the first
//! one's data.
//!
//! | file | what it shows |
//! | --- | --- |
//! | `workshop.rs` | how a tool and its connector are written |
//! | `house.rs` | how a host opens the stores and builds the hub |
//! | `calls.rs`, `rules.rs` | how tools are called, and what stands between a call and its tool |
//! | `service.rs`, `show.rs` | the misbehaving service and the printing; nothing of ours |

mod calls;
mod house;
mod rules;
mod service;
mod show;
mod workshop;

use std::path::PathBuf;
use std::process::ExitCode;

use house::House;
use service::Service;

#[tokio::main]
async fn main() -> ExitCode {
    match tour().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            show::failed(&*error);
            ExitCode::FAILURE
        }
    }
}

async fn tour() -> Result<(), Box<dyn std::error::Error>> {
    show::title("tool-connect: one call through all of its rooms");
    let service = Service::start().await?;
    let house = House::open(folder(), &service).await?;

    calls::files(&house).await?;
    calls::mistakes(&house).await?;
    calls::account(&house).await?;
    calls::trouble(&house, &service).await?;
    rules::breaker(&house, &service).await?;
    rules::limit(&house).await?;
    rules::approval(&house).await?;
    rules::replay(&house, &service).await?;
    calls::real_service(&house).await?;
    house.close().await?;
    Ok(())
}

/// Where the data is kept.
fn folder() -> PathBuf {
    std::env::args_os()
        .nth(1)
        .or_else(|| std::env::var_os("TOOL_CONNECT_HOME"))
        .map_or_else(|| std::env::temp_dir().join("tool-connect-quickstart"), PathBuf::from)
}
