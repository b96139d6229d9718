//! What the documents cost, as Linear counts (<https://linear.app/developers/rate-limiting>): a property a tenth of a point, an object
//! a point, and a list what stands in it as often as it may have items. A query of more than 10,000 points is refused.

use serde_json::{Value, json};
use tool_connect_connectors::linear::Linear;
use tool_connect_testkit::{Answer, Harness};

use super::cases;

/// The most that one query may cost.
const MOST: u64 = 10_000;

struct Counter<'a> {
    rest: &'a str,
    variables: &'a Value,
}

impl Counter<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', ',', '\n']);
    }

    fn takes(&mut self, text: &str) -> bool {
        self.skip();
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn name(&mut self) -> String {
        self.skip();
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap();
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        name.to_owned()
    }

    /// What stands in round brackets, if there are any.
    fn arguments(&mut self) -> String {
        self.skip();
        if !self.rest.starts_with('(') {
            return String::new();
        }
        let end = self.rest.find(')').unwrap();
        let (inner, rest) = (&self.rest[1..end], &self.rest[end + 1..]);
        assert!(!inner.contains('('));
        self.rest = rest;
        inner.to_owned()
    }

    fn directives(&mut self) {
        while self.takes("@") {
            self.name();
            self.arguments();
        }
    }

    /// How many items a list may have.
    fn items(&self, arguments: &str) -> u64 {
        let Some((_, first)) = arguments.split_once("first: ") else { return 50 };
        let first = first.split(',').next().unwrap().trim();
        match first.strip_prefix('$') {
            Some(name) => self.variables[name].as_u64().unwrap_or_else(|| panic!("no variable {name}")),
            None => first.parse().unwrap(),
        }
    }

    /// What stands in braces, in tenths of points, and whether it is a list; whatever a directive leaves out counts, too.
    fn selection(&mut self) -> (u64, bool) {
        assert!(self.takes("{"), "{}", self.rest);
        let (mut points, mut list) = (0, false);
        while !self.takes("}") {
            if self.takes("...") {
                if self.takes("on ") {
                    self.name();
                }
                self.directives();
                points += self.selection().0;
                continue;
            }
            let mut name = self.name();
            if self.takes(":") {
                name = self.name();
            }
            list |= name == "nodes";
            let arguments = self.arguments();
            self.directives();
            self.skip();
            points += if self.rest.starts_with('{') {
                let (inner, is_list) = self.selection();
                10 + if is_list { self.items(&arguments) * inner } else { inner }
            } else {
                1
            };
        }
        (points, list)
    }
}

fn points(document: &str, variables: &Value) -> u64 {
    let begin = document.find('{').unwrap();
    // Defaults of variables have no braces, so the first one opens the operation.
    let mut counter = Counter { rest: &document[begin..], variables };
    let points = counter.selection().0;
    assert_eq!(counter.rest.trim(), "", "a second operation");
    points.div_ceil(10)
}

#[test]
fn points_are_counted_as_linear_counts_them() {
    let count = |text: &str| points(text, &json!({"n": 10}));
    assert_eq!(count("query { viewer { id name } }"), 2);
    // 1 for `a`, 1 for the list, and 1.1 ten times; 50 times where nothing is said.
    assert_eq!(count("query { a { issues(first: $n) { nodes { id } } } }"), 13);
    assert_eq!(count("query { issues { nodes { id } } }"), 56);
    // 1, and twice: 1 for `nodes`, 1 for the inner list with 3.3 in it.
    assert_eq!(
        count("query { issues(first: 2, a: 1) { nodes { x: labels(first: 3) { nodes { id } } } } }"),
        12
    );
    assert_eq!(count("query($a: Int = 1) { x { ... @include(if: $a) { id } ... on Y { z { id } } } }"), 3);
}

#[tokio::test]
async fn no_query_costs_more_than_linear_lets_pass() {
    let mut dearest = (0, "");
    for (tool, arguments) in cases() {
        let harness = Harness::builder(Linear::new())
            .answer("POST", "/graphql", Answer::json(200, json!({"data": null})))
            .build()
            .await
            .unwrap();
        let refused = harness.call(tool, arguments).await;
        assert!(refused.is_err(), "{tool} needs no answer");
        let sent = harness.requests();
        let (query, variables) = (&sent[0].json()["query"], &sent[0].json()["variables"]);
        let cost = points(query.as_str().unwrap(), variables);
        assert!(cost <= MOST, "{tool}: {cost}");
        if cost > dearest.0 {
            dearest = (cost, tool);
        }
        harness.finish().await.unwrap();
    }
    // The lists of issues are what costs most.
    assert!((1_000..5_000).contains(&dearest.0), "{dearest:?}");
}
