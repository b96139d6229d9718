//! Opening a large OpenAPI description, beside what reading it costs in other ways.

use std::cell::RefCell;
use std::hint::black_box;
use std::path::PathBuf;

use serde::de::IgnoredAny;
use tool_connect_connectors::openapi::OpenApi;

use crate::alloc::kept;
use crate::race::{Contender, race};
use crate::table::{Table, Target, time};

/// Path of GitHub's description (npm `@octokit/openapi`, `generated/api.github.com.json`); `cargo xtask bench` sets it.
const FILE: &str = "TOOL_CONNECT_BENCH_OPENAPI";

pub(crate) fn run(table: &mut Table, rounds: usize) {
    let Some(file) = std::env::var_os(FILE).map(PathBuf::from) else {
        println!("import: left out; name GitHub's description in {FILE}");
        return;
    };
    let text = std::fs::read_to_string(&file).expect("the description is read");
    // Opening keeps the text that it is given; copying it is not part of it.
    let stock = RefCell::new(Vec::new());
    let restock = || stock.borrow_mut().extend([text.clone(), text.clone()]);
    let open = || {
        OpenApi::open(stock.borrow_mut().pop().expect("a copy is there")).expect("the description is opened")
    };
    let [lexed, opened, value, typed] = race(
        rounds,
        1,
        [
            Contender::new(|n| {
                (0..n).for_each(|_| drop(black_box(serde_json::from_str::<IgnoredAny>(&text))))
            }),
            Contender::new(|n| (0..n).for_each(|_| drop(black_box(open()))))
                .before(restock)
                .after(|| stock.borrow_mut().clear()),
            Contender::new(|n| {
                (0..n).for_each(|_| drop(black_box(serde_json::from_str::<serde_json::Value>(&text))))
            }),
            Contender::new(|n| {
                (0..n).for_each(|_| drop(black_box(serde_json::from_str::<openapiv3::OpenAPI>(&text))))
            }),
        ],
    );
    table.row(
        "open GitHub's description / lexing it",
        time(opened.ns()),
        time(lexed.ns()),
        opened.over(&lexed),
        Target::AtMost(3.0),
    );
    table.row(
        "open GitHub's description / serde_json::Value",
        time(opened.ns()),
        time(value.ns()),
        opened.over(&value),
        Target::None,
    );
    table.row(
        "open GitHub's description / openapiv3",
        time(opened.ns()),
        time(typed.ns()),
        opened.over(&typed),
        Target::None,
    );

    // The text counts: it stays as long as the description does.
    let (api, ours) = kept(|| OpenApi::open(text.clone()).expect("the description is opened"));
    let (tree, theirs) = kept(|| serde_json::from_str::<serde_json::Value>(&text).expect("it is JSON"));
    drop(tree);
    let megabytes = |bytes: i64| format!("{:.1} MB", bytes as f64 / 1e6);
    let what = "memory of GitHub's description, open / serde_json::Value";
    table.row(what, megabytes(ours), megabytes(theirs), ours as f64 / theirs as f64, Target::AtMost(0.3));

    let [checked, lexed] = race(
        rounds.min(3),
        1,
        [
            Contender::new(|n| (0..n).for_each(|_| assert_eq!(api.check().imported(), 1223))),
            Contender::new(|n| {
                (0..n).for_each(|_| drop(black_box(serde_json::from_str::<IgnoredAny>(&text))))
            }),
        ],
    );
    table.row(
        "check GitHub's 1223 operations / lexing it",
        time(checked.ns()),
        time(lexed.ns()),
        checked.over(&lexed),
        Target::None,
    );
}
