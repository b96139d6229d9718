//! Listing 10,000 tools, and the memory of a registry that holds them.

use std::hint::black_box;

use tool_connect_hub::{Hub, ListRequest};

use crate::alloc::kept;
use crate::dispatch::caller;
use crate::peers;
use crate::race::{Contender, now, race};
use crate::subject::Numbers;
use crate::table::{Table, Target, time};

const TOOLS: usize = 10_000;

pub(crate) fn run(table: &mut Table, rounds: usize) {
    let hub = Hub::builder().build().expect("the hub is built");
    let (registered, ours) = kept(|| hub.add(Numbers::new(TOOLS)).expect("the connector is added"));
    assert_eq!(registered.tools, TOOLS, "no tool is quarantined");
    drop(registered);
    let (router, theirs) = kept(|| peers::router(TOOLS, true));
    let session = hub.session(caller());
    let list = || now(session.tools(&ListRequest::default())).expect("the list is made").to_json();
    let text: serde_json::Value = serde_json::from_slice(&list()).expect("the list is JSON");
    assert_eq!(text.as_array().map(Vec::len), Some(TOOLS), "all tools are listed");
    drop(text);
    let [fast, slow] = race(
        rounds,
        1,
        [
            Contender::new(|n| (0..n).for_each(|_| drop(black_box(list())))),
            Contender::new(|n| (0..n).for_each(|_| drop(black_box(peers::list(&router))))),
        ],
    );
    let megabytes = |bytes: i64| format!("{:.1} MB", bytes as f64 / 1e6);
    let what = "list 10000 tools as JSON / rmcp list_all serialised";
    table.row(what, time(fast.ns()), time(slow.ns()), fast.over(&slow), Target::AtMost(0.1));
    let what = "memory of a registry of 10000 tools / rmcp";
    table.row(what, megabytes(ours), megabytes(theirs), ours as f64 / theirs as f64, Target::AtMost(0.25));
}
