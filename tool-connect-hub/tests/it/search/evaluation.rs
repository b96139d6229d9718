//! How often the right tool is among the first, over the tools of published descriptions: `tests/counterparties/tools.mjs` writes
//! them. Beside it two plain searches, so that the figures say something.
#![allow(clippy::print_stdout, reason = "the figures are what the test is for")]

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use serde::Deserialize;
use serde_json::json;
use tool_connect_core::{
    Annotations, ConnectorManifest, DynamicTool, SchemaSource, ToolDefinition, ToolOutput,
};
use tool_connect_core::{TenantId, title_of};
use tool_connect_hub::{Hub, SearchRequest, Session};

use crate::calls::support::{Kit, ada};

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Tool(Tool),
    Instance { instance: String, title: String },
}

#[derive(Deserialize)]
struct Tool {
    instance: String,
    name: String,
    method: String,
    path: String,
    summary: String,
    description: String,
    parameters: Vec<Parameter>,
    #[serde(default)]
    deprecated: bool,
}

#[derive(Deserialize)]
struct Parameter {
    name: String,
    about: String,
    #[serde(default)]
    values: Vec<String>,
}

#[derive(Deserialize)]
struct Queries {
    queries: Vec<(String, String)>,
}

struct Corpus {
    /// Instance, its title, its tools.
    instances: Vec<(String, String, Vec<Tool>)>,
}

impl Corpus {
    fn read() -> Self {
        const VARIABLE: &str = "TOOL_CONNECT_COUNTERPARTY_TOOLS";
        let path = std::env::var(VARIABLE).unwrap_or_else(|_| {
            panic!("{VARIABLE} is not set: run `cargo xtask counterparty`, which brings the tools")
        });
        let mut instances: Vec<(String, String, Vec<Tool>)> = Vec::new();
        for line in std::fs::read_to_string(path).unwrap().lines() {
            match serde_json::from_str(line).unwrap() {
                Line::Instance { instance, title } => instances.push((instance, title, Vec::new())),
                Line::Tool(tool) => instances.last_mut().unwrap().2.push(tool),
            }
        }
        Self { instances }
    }

    fn tools(&self) -> impl Iterator<Item = &Tool> {
        self.instances.iter().flat_map(|(.., tools)| tools)
    }

    fn texts(&self, withheld: bool) -> impl Iterator<Item = String> {
        let of = move |(_, provider, tools): &(String, String, Vec<Tool>)| -> Vec<String> {
            tools.iter().map(|tool| tool.whole(provider, withheld)).collect()
        };
        self.instances.iter().flat_map(of)
    }

    fn hub(&self, withheld: bool) -> Hub {
        let mut hub = Hub::builder();
        for (instance, title, tools) in &self.instances {
            let manifest = ConnectorManifest::new(instance, semver::Version::new(1, 0, 0), title);
            hub = hub.connector(
                tools.iter().fold(Kit::of(manifest), |kit, tool| kit.dynamic(tool.dynamic(withheld))),
            );
        }
        hub.build().unwrap()
    }
}

impl Tool {
    fn id(&self) -> String {
        format!("{}.{}", self.instance, self.name)
    }

    /// Title and description, as an importer makes them: with the operation's summary, or without a word of it.
    fn words(&self, withheld: bool) -> (String, String) {
        let place = || format!("{} {}", self.method.to_uppercase(), self.path);
        let first = |texts: &[&str]| {
            texts.iter().find(|text| !text.is_empty()).map_or_else(place, |text| (*text).to_owned())
        };
        if !withheld {
            let title = if self.summary.is_empty() { title_of(&self.name) } else { self.summary.clone() };
            return (title, first(&[&self.description, &self.summary]));
        }
        // Many a description begins with the summary.
        let summary = self.summary.trim_end_matches('.');
        let begins =
            self.description.get(..summary.len()).is_some_and(|text| text.eq_ignore_ascii_case(summary));
        let rest = if begins {
            self.description[summary.len()..].trim_start_matches(['.', ' '])
        } else {
            &self.description
        };
        (title_of(&self.name), first(&[rest]))
    }

    /// All that the search is given of it, as one text.
    fn whole(&self, provider: &str, withheld: bool) -> String {
        let (title, description) = self.words(withheld);
        let names = self.parameters.iter().flat_map(|one| std::iter::once(&one.name).chain(&one.values));
        let names: Vec<&str> = names.map(String::as_str).collect();
        format!("{} {provider} {title} {description} {}", self.id(), names.join(" "))
    }

    fn dynamic(&self, withheld: bool) -> DynamicTool {
        let (title, description) = self.words(withheld);
        let properties: serde_json::Map<_, _> = self
            .parameters
            .iter()
            .map(|parameter| {
                let mut schema = json!({ "description": parameter.about });
                if !parameter.values.is_empty() {
                    schema["enum"] = json!(parameter.values);
                }
                (parameter.name.clone(), schema)
            })
            .collect();
        let schema = json!({ "type": "object", "properties": properties }).to_string();
        let annotations = match &*self.method {
            "get" => Annotations::READ,
            method => Annotations { destructive: method == "delete", ..Annotations::default() },
        };
        let mut definition =
            ToolDefinition::new(self.name.clone(), description, SchemaSource::Json(schema.into()))
                .title(title)
                .annotations(annotations);
        if self.deprecated {
            definition = definition.deprecated("the description says so");
        }
        DynamicTool::new(definition, |_, _| async { ToolOutput::of(&()) })
    }
}

/// Plain BM25 over one text per tool: words are cut at what is no letter, digit or underscore, and counted.
struct Plain {
    words: HashMap<String, Vec<(usize, f32)>>,
    lengths: Vec<f32>,
}

fn plain_words(text: &str) -> impl Iterator<Item = String> {
    let text = text.to_lowercase();
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    words.into_iter()
}

impl Plain {
    fn new(texts: impl Iterator<Item = String>) -> Self {
        let mut plain = Self { words: HashMap::new(), lengths: Vec::new() };
        for (tool, text) in texts.enumerate() {
            let mut counts: HashMap<String, f32> = HashMap::new();
            plain_words(&text).for_each(|word| *counts.entry(word).or_default() += 1.0);
            plain.lengths.push(counts.values().sum());
            counts
                .into_iter()
                .for_each(|(word, count)| plain.words.entry(word).or_default().push((tool, count)));
        }
        plain
    }

    fn search(&self, query: &str) -> Vec<usize> {
        let all = self.lengths.len() as f32;
        let usual = self.lengths.iter().sum::<f32>() / all;
        let mut scores: HashMap<usize, f32> = HashMap::new();
        for tools in plain_words(query).filter_map(|word| self.words.get(&word)) {
            let with = tools.len() as f32;
            let rarity = (1.0 + (all - with + 0.5) / (with + 0.5)).ln();
            for (tool, count) in tools {
                let length = 0.25 + 0.75 * self.lengths[*tool] / usual;
                *scores.entry(*tool).or_default() += rarity * count * 2.2 / (count + 1.2 * length);
            }
        }
        let mut found: Vec<_> = scores.into_iter().collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.into_iter().take(10).map(|(tool, _)| tool).collect()
    }
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

/// `*` stands for anything.
fn fits(pattern: &str, id: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == id,
        Some((before, after)) => id.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).any(|at| rest.get(at..).is_some_and(|rest| fits(after, rest)))
        }),
    }
}

async fn found(session: &Session, query: &str) -> Vec<String> {
    let hits = session.search(&SearchRequest::new(query).limit(10)).await.unwrap();
    hits.iter().map(|hit| hit.tool.id().to_string()).collect()
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_what_people_ask_is_among_the_first_five() {
    let corpus = Corpus::read();
    let ids: Vec<String> = corpus.tools().map(Tool::id).collect();
    assert!(ids.len() >= 10_000, "{} tools", ids.len());
    let hub = corpus.hub(false);
    let begun = Instant::now();
    let bytes = hub.prepare_search(&TenantId::new("acme").unwrap()).await.unwrap();
    println!("{} tools indexed in {:?}, {} bytes a tool", ids.len(), begun.elapsed(), bytes / ids.len());
    let session = hub.session(ada());
    let names = Plain::new(corpus.tools().map(|tool| tool.id().replace(['.', '_'], " ")));
    let plain = Plain::new(corpus.texts(false));
    let queries: Queries = toml::from_str(include_str!("queries.toml")).unwrap();
    assert!(queries.queries.len() >= 200);
    let mut shares: BTreeMap<&str, Share> = BTreeMap::new();
    for (place, (query, wanted)) in queries.queries.iter().enumerate() {
        let good = |id: &String| wanted.split_whitespace().any(|pattern| fits(pattern, id));
        assert!(ids.iter().any(good), "no tool fits what is wanted for {query:?}");
        let ours = found(&session, query).await.iter().position(good);
        let of = |found: Vec<usize>| found.iter().position(|tool| good(&ids[*tool]));
        shares.entry("ours, all").or_default().count(ours);
        shares
            .entry(if place % 2 == 0 { "ours, tuned on" } else { "ours, held out" })
            .or_default()
            .count(ours);
        shares.entry("names only").or_default().count(of(names.search(query)));
        shares.entry("plain BM25").or_default().count(of(plain.search(query)));
    }
    report(&shares);
    assert!(shares["ours, all"].percent()[1] >= 95.0);
    assert!(shares["ours, held out"].percent()[1] >= 92.0);
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_a_summary_that_is_not_indexed_finds_its_operation() {
    let corpus = Corpus::read();
    let mut times: HashMap<String, u32> = HashMap::new();
    corpus.tools().for_each(|tool| *times.entry(tool.summary.to_lowercase()).or_default() += 1);
    // Summaries of at least three words that no other operation has, evenly over all instances.
    let own: Vec<(usize, &Tool)> = corpus
        .tools()
        .enumerate()
        .filter(|(_, tool)| {
            tool.summary.split_whitespace().count() >= 3 && times[&tool.summary.to_lowercase()] == 1
        })
        .collect();
    const SAMPLE: usize = 2_400;
    assert!(own.len() >= SAMPLE);
    let hub = corpus.hub(true);
    let session = hub.session(ada());
    let names = Plain::new(corpus.tools().map(|tool| tool.id().replace(['.', '_'], " ")));
    let plain = Plain::new(corpus.texts(true));
    let mut shares: BTreeMap<&str, Share> = BTreeMap::new();
    for at in 0..SAMPLE {
        let (number, tool) = own[at * own.len() / SAMPLE];
        let id = tool.id();
        let ours = found(&session, &tool.summary).await;
        shares.entry("ours").or_default().count(ours.iter().position(|found| *found == id));
        let of = |found: Vec<usize>| found.iter().position(|found| *found == number);
        shares.entry("names only").or_default().count(of(names.search(&tool.summary)));
        shares.entry("plain BM25").or_default().count(of(plain.search(&tool.summary)));
    }
    report(&shares);
    assert!(shares["ours"].percent()[1] >= shares["plain BM25"].percent()[1] + 10.0);
}
