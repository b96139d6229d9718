//! The tour: what a call goes through, on real files and on a service that misbehaves on purpose.
//!
//! Run it with `cargo run --example quickstart`; it takes a few seconds, needs no account and no
//! network. It keeps its data (one SQLite file and a folder) in `tool-connect-quickstart` below the
//! system's temporary folder, or where `TOOL_CONNECT_HOME` or the first argument says
//! (`cargo run --example quickstart -- some/folder`). Run it twice: the second run finds the first
//! one's data.
//!
//! With `--live github` and a token in `GITHUB_TOKEN` it also calls api.github.com with your account, and only reads there.
//!
//! | file | what it shows |
//! | --- | --- |
//! | `workshop.rs` | how a tool and its connector are written |
//! | `house.rs` | how a host opens the stores and builds the hub |
//! | `calls.rs`, `rules.rs` | how tools are called, and what stands between a call and its tool |
//! | `live.rs` | the same with a service that others run |
//! | `service.rs`, `show.rs` | the misbehaving service and the printing; nothing of ours |

mod calls;
mod house;
mod live;
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
    let Wanted { folder, live } = wanted()?;
    let token = live::token();
    if live && token.is_none() {
        return Err(
            "`--live github` needs a token of yours in GITHUB_TOKEN; without the flag no account is needed"
                .into(),
        );
    }
    show::title("tool-connect: one call through all of its rooms");
    let service = Service::start().await?;
    let house = House::open(folder, &service).await?;

    calls::files(&house).await?;
    calls::mistakes(&house).await?;
    calls::account(&house).await?;
    calls::trouble(&house, &service).await?;
    rules::breaker(&house, &service).await?;
    rules::limit(&house).await?;
    rules::approval(&house).await?;
    rules::replay(&house, &service).await?;
    match token.filter(|_| live) {
        Some(token) => live::github(&house, &token).await?,
        None => show::say(
            "With `-- --live github` and a token in GITHUB_TOKEN, the tour goes on at api.github.com.",
        ),
    }
    house.close().await?;
    Ok(())
}

/// What the command line asks for.
struct Wanted {
    /// Where the data is kept.
    folder: PathBuf,
    /// Whether GitHub is called.
    live: bool,
}

fn wanted() -> Result<Wanted, String> {
    let (mut folder, mut live) = (std::env::var_os("TOOL_CONNECT_HOME").map(PathBuf::from), false);
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        if argument != "--live" {
            folder = Some(argument.into());
        } else if arguments.next().is_some_and(|service| service == "github") {
            live = true;
        } else {
            return Err("`--live` knows one service: --live github".to_owned());
        }
    }
    let folder = folder.unwrap_or_else(|| std::env::temp_dir().join("tool-connect-quickstart"));
    Ok(Wanted { folder, live })
}
