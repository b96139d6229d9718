//! What a call costs, beside what a user would pick instead: one run, one table.
//!
//! Contenders take turns in one process and each ratio is a median over the rounds, so that a busy machine disturbs both
//! sides alike. `README.md` says how to run it and what each row means.

mod alloc;
mod dispatch;
mod durable;
mod everything;
mod http;
mod import;
mod mechanisms;
mod oauth;
mod partner;
mod peers;
mod race;
mod registry;
mod search;
mod subject;
mod table;
mod validation;
mod vault;

use std::process::ExitCode;

use table::Table;

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

const USAGE: &str = "usage: tool-connect-benches [--rounds N] [part ..]; parts: dispatch everything registry search import limiter breaker validation vault durable oauth http";
const PARTS: [&str; 12] = [
    "dispatch",
    "everything",
    "registry",
    "search",
    "import",
    "limiter",
    "breaker",
    "validation",
    "vault",
    "durable",
    "oauth",
    "http",
];

fn main() -> ExitCode {
    http::serve_if_asked();
    let mut rounds = 241;
    let mut wanted: Vec<String> = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--rounds" {
            match arguments.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0) {
                Some(n) => rounds = n,
                None => return refuse("--rounds needs a number above 0"),
            }
        } else if PARTS.contains(&argument.as_str()) {
            wanted.push(argument);
        } else {
            return refuse(&format!("`{argument}` is not known"));
        }
    }
    let is_wanted = |part: &str| wanted.is_empty() || wanted.iter().any(|name| name == part);

    // One thread for what goes on off the path: the audit's sealing, the peers' connections.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime starts");
    metrics::set_global_recorder(everything::Atomics).expect("no other recorder is there");

    let mut table = Table::begin();
    let entered = runtime.enter();
    if is_wanted("dispatch") {
        dispatch::run(&mut table, rounds);
    }
    if is_wanted("everything") {
        everything::run(&mut table, rounds, runtime.handle());
    }
    if is_wanted("registry") {
        registry::run(&mut table, rounds.div_ceil(24));
    }
    if is_wanted("search") {
        search::run(&mut table, rounds);
    }
    if is_wanted("import") {
        import::run(&mut table, rounds.div_ceil(12));
    }
    if is_wanted("limiter") {
        mechanisms::limiter(&mut table, rounds);
    }
    if is_wanted("breaker") {
        mechanisms::breaker(&mut table, rounds);
    }
    if is_wanted("validation") {
        validation::run(&mut table, rounds);
    }
    if is_wanted("vault") {
        vault::run(&mut table, rounds);
    }
    drop(entered);
    if is_wanted("durable") {
        durable::run(&mut table, rounds.div_ceil(24));
    }
    if is_wanted("oauth") {
        oauth::run(&mut table, rounds, &runtime);
    }
    if is_wanted("http") {
        http::run(&mut table, rounds.div_ceil(8));
    }
    table.end();
    ExitCode::SUCCESS
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("{why}\n{USAGE}");
    ExitCode::from(2)
}
