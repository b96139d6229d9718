//! What the checks of a derived tool cost beside the decode, and beside a JSON Schema validator.

use std::hint::black_box;

use jsonschema::Validator;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tool_connect_core::{Problems, Result, Run, Tool, ToolContext};

use crate::race::{Contender, race};
use crate::subject::TEXT;
use crate::table::{Table, Target, time};

/// Creates an issue; ranges and lengths.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ranges {
    #[schemars(length(min = 1, max = 39))]
    owner: String,
    #[schemars(length(min = 1, max = 100))]
    repo: String,
    #[schemars(length(min = 1, max = 256))]
    title: String,
    #[schemars(range(min = 1, max = 1_000_000))]
    number: u32,
    draft: bool,
}

impl Run for Ranges {
    type Output = bool;
    async fn run(self, _cx: &ToolContext) -> Result<bool> {
        Ok(self.draft)
    }
}

/// Creates an issue; a pattern too.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Pattern {
    #[schemars(regex(pattern = "^[a-zA-Z0-9-]{1,39}$"))]
    owner: String,
    #[schemars(length(min = 1, max = 100))]
    repo: String,
    #[schemars(length(min = 1, max = 256))]
    title: String,
    #[schemars(range(min = 1, max = 1_000_000))]
    number: u32,
    draft: bool,
}

impl Run for Pattern {
    type Output = bool;
    async fn run(self, _cx: &ToolContext) -> Result<bool> {
        Ok(self.draft)
    }
}

fn checked<T: Tool>(text: &str) -> T {
    let tool: T = serde_json::from_str(text).expect("the text decodes");
    let mut problems = Problems::default();
    tool.check(&mut problems);
    assert!(problems.is_empty(), "the arguments are in order");
    tool
}

fn by_schema<T: Tool>(validator: &Validator, text: &str) -> T {
    let value: Value = serde_json::from_str(text).expect("the text is JSON");
    assert!(validator.is_valid(&value), "the arguments are in order");
    serde_json::from_value(value).expect("the value decodes")
}

fn contest<T: Tool>(table: &mut Table, rounds: usize, what: &str) {
    let schema = T::definition().input.schema().expect("the tool has a schema");
    let validator = jsonschema::validator_for(schema.as_value()).expect("the schema compiles");
    let [decode, check, value] = race(
        rounds,
        1_000,
        [
            Contender::new(|n| {
                (0..n).for_each(|_| {
                    drop(black_box(serde_json::from_str::<T>(black_box(TEXT)).expect("the text decodes")))
                });
            }),
            Contender::new(|n| (0..n).for_each(|_| drop(black_box(checked::<T>(black_box(TEXT)))))),
            Contender::new(|n| {
                (0..n).for_each(|_| drop(black_box(by_schema::<T>(&validator, black_box(TEXT)))))
            }),
        ],
    );
    let base = time(decode.ns());
    let text = format!("decode and check, {what} / decode");
    table.row(&text, time(check.ns()), &base, check.over(&decode), Target::AtMost(1.1));
    let text = format!("Value, jsonschema, from_value, {what} / decode");
    table.row(&text, time(value.ns()), &base, value.over(&decode), Target::None);
}

pub(crate) fn run(table: &mut Table, rounds: usize) {
    contest::<Ranges>(table, rounds, "ranges and lengths");
    contest::<Pattern>(table, rounds, "with a pattern");
}
