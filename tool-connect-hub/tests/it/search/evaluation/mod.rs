//! How often the right tool is among the first, over the tools that the importer makes of published descriptions: `corpus` imports
//! them. Beside it plain searches, so that the figures say something.
#![allow(clippy::print_stdout, reason = "the figures are what the test is for")]

mod corpus;
mod plain;

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use serde::Deserialize;
use tool_connect_core::TenantId;
use tool_connect_core::schema::dialect::{Dialect, How, lint, normalise};
use tool_connect_hub::{ListRequest, SearchRequest, Session, ToolInfo};

use corpus::{Corpus, Imported};
use plain::Plain;

#[derive(Deserialize)]
struct Queries {
    queries: Vec<(String, String)>,
}

/// The plain searches by name: over the words of ids, over all that ours is given, and over the same cut at underscores too.
fn plain(tools: &[Imported]) -> [(&'static str, Plain); 3] {
    [
        ("names only", Plain::new(tools.iter().map(|tool| tool.id.replace(['.', '_'], " ")))),
        ("plain BM25", Plain::new(tools.iter().map(|tool| tool.text.clone()))),
        ("plain BM25, cut at underscores", Plain::new(tools.iter().map(|tool| tool.text.replace('_', " ")))),
    ]
}

/// How many were found first, among five, among ten.
#[derive(Default)]
struct Share {
    asked: u32,
    within: [u32; 3],
}

impl Share {
    fn count(&mut self, place: Option<usize>) {
        self.asked += 1;
        for (within, most) in self.within.iter_mut().zip([1, 5, 10]) {
            *within += u32::from(place.is_some_and(|place| place < most));
        }
    }

    fn percent(&self) -> [f64; 3] {
        self.within.map(|within| 100.0 * f64::from(within) / f64::from(self.asked))
    }
}

fn report(shares: &BTreeMap<&str, Share>) {
    for (name, share) in shares {
        let [one, five, ten] = share.percent();
        println!("{name}: of {} among the first 1 {one:.1} %, 5 {five:.1} %, 10 {ten:.1} %", share.asked);
    }
}

async fn found(session: &Session, query: &str) -> Vec<String> {
    let hits = session.search(&SearchRequest::new(query).limit(10)).await.unwrap();
    hits.iter().map(|hit| hit.tool.id().to_string()).collect()
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_what_people_ask_is_among_the_first_five() {
    let begun = Instant::now();
    let Corpus { hub, session, tools } = Corpus::import(false).await;
    println!("{} tools imported in {:?}", tools.len(), begun.elapsed());
    assert!(tools.len() >= 10_000, "{} tools", tools.len());
    let begun = Instant::now();
    let bytes = hub.prepare_search(&TenantId::new("acme").unwrap()).await.unwrap();
    println!("indexed in {:?}, {} bytes a tool", begun.elapsed(), bytes / tools.len());
    let plain = plain(&tools);
    let queries: Queries = toml::from_str(include_str!("queries.toml")).unwrap();
    assert!(queries.queries.len() >= 200);
    let mut shares: BTreeMap<&str, Share> = BTreeMap::new();
    for (place, (query, wanted)) in queries.queries.iter().enumerate() {
        let good = |id: &str| wanted.split_whitespace().any(|good| good == id);
        for good in wanted.split_whitespace() {
            assert!(tools.iter().any(|tool| tool.id == good), "there is no tool {good:?}");
        }
        let ours = found(&session, query).await.iter().position(|id| good(id));
        shares.entry("ours, all").or_default().count(ours);
        let half = if place % 2 == 0 { "ours, tuned on" } else { "ours, held out" };
        shares.entry(half).or_default().count(ours);
        for (name, search) in &plain {
            let place = search.search(query).iter().position(|tool| good(&tools[*tool].id));
            shares.entry(name).or_default().count(place);
        }
    }
    report(&shares);
    assert!(shares["ours, all"].percent()[1] >= 95.0);
    assert!(shares["ours, held out"].percent()[1] >= 92.0);
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_every_schema_of_them_fits_every_dialect() {
    let Corpus { session, .. } = Corpus::import(false).await;
    let listed = session.tools(&ListRequest::default()).await.unwrap().tools;
    let schemas: HashMap<&str, &ToolInfo> = listed.iter().map(|tool| (tool.input_schema(), tool)).collect();
    for (schema, tool) in &schemas {
        let schema = serde_json::from_str(schema).unwrap();
        for dialect in Dialect::ALL {
            let normalised = normalise(&schema, dialect);
            assert_eq!(lint(normalised.schema(), dialect), [], "{} for {}", tool.id(), dialect.as_str());
            let replaced = normalised.loosened().iter().find(|one| one.how == How::Replaced);
            assert_eq!(replaced, None, "{} for {}", tool.id(), dialect.as_str());
        }
    }
    println!("{} tools with {} schemas, in every dialect", listed.len(), schemas.len());
    assert!(listed.len() >= 10_000 && schemas.len() >= 9_000);
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_a_summary_that_is_not_indexed_finds_its_operation() {
    let Corpus { session, tools, .. } = Corpus::import(true).await;
    let mut times: HashMap<String, u32> = HashMap::new();
    tools.iter().for_each(|tool| *times.entry(tool.summary.to_lowercase()).or_default() += 1);
    // Summaries of at least three words that no other operation has, evenly over all instances.
    let own: Vec<usize> = (0..tools.len())
        .filter(|at| {
            let summary = &tools[*at].summary;
            summary.split_whitespace().count() >= 3 && times[&summary.to_lowercase()] == 1
        })
        .collect();
    const SAMPLE: usize = 2_400;
    assert!(own.len() >= SAMPLE);
    let plain = plain(&tools);
    let mut shares: BTreeMap<&str, Share> = BTreeMap::new();
    for at in 0..SAMPLE {
        let wanted = own[at * own.len() / SAMPLE];
        let Imported { id, summary, .. } = &tools[wanted];
        let ours = found(&session, summary).await;
        shares.entry("ours").or_default().count(ours.iter().position(|found| found == id));
        for (name, search) in &plain {
            let place = search.search(summary).iter().position(|found| *found == wanted);
            shares.entry(name).or_default().count(place);
        }
    }
    report(&shares);
    assert!(shares["ours"].percent()[1] >= shares["plain BM25"].percent()[1] + 10.0);
}
