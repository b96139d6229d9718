//! Printing: sections, steps with their times, a table. Nothing of tool-connect.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example speaks to its reader")]

use std::fmt::Display;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const WIDTH: usize = 100;
static SECTION: AtomicUsize = AtomicUsize::new(1);

pub(crate) fn title(text: &str) {
    println!("\n{text}\n{}", "=".repeat(text.chars().count()));
}

pub(crate) fn section(text: &str) {
    println!("\n{:>2}  {text}", SECTION.fetch_add(1, Ordering::Relaxed));
    println!("    {}", "-".repeat(text.chars().count()));
}

/// A sentence or two, wrapped.
pub(crate) fn say(text: impl Display) {
    let mut line = String::new();
    for word in text.to_string().split_whitespace() {
        if !line.is_empty() && line.chars().count() + word.chars().count() + 5 > WIDTH {
            println!("    {line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    println!("    {line}");
}

/// A name and what there is to say of it.
pub(crate) fn fact(name: &str, text: impl Display) {
    println!("      {name:<12} {text}");
}

/// What was done, what came of it, how long it took.
pub(crate) fn step(what: &str, result: impl Display, took: Duration) {
    println!("      {what:<36} {:<44} {:>8}", result.to_string(), time(took));
}

/// Somebody else's words.
pub(crate) fn quote(text: &str) {
    for line in text.lines() {
        println!("      | {line}");
    }
}

/// Columns as wide as their widest cell; all but the first two are numbers.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) {
    let widths: [usize; N] = std::array::from_fn(|n| {
        rows.iter().map(|row| row[n].chars().count()).chain([head[n].chars().count()]).max().unwrap_or(0)
    });
    let print = |cells: [&str; N]| {
        let line: Vec<String> = cells
            .iter()
            .zip(widths)
            .enumerate()
            .map(
                |(n, (cell, width))| {
                    if n < 2 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                },
            )
            .collect();
        println!("      {}", line.join("   ").trim_end());
    };
    print(head);
    print(widths.map(|width| "-".repeat(width)).each_ref().map(String::as_str));
    for row in rows {
        print(row.each_ref().map(String::as_str));
    }
}

/// The last word.
pub(crate) fn end(text: impl Display) {
    println!();
    say(text);
    println!();
}

pub(crate) fn failed(error: &dyn std::error::Error) {
    eprintln!("\nThe tour ended early: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
}

/// A duration in the unit that suits it.
pub(crate) fn time(took: Duration) -> String {
    let micros = took.as_micros();
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..100_000 => format!("{:.1} ms", took.as_secs_f64() * 1e3),
        100_000..1_000_000 => format!("{:.0} ms", took.as_secs_f64() * 1e3),
        _ => format!("{:.2} s", took.as_secs_f64()),
    }
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: impl Into<u64>, what: &str) -> String {
    let number = number.into();
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Runs something and says how long it took.
pub(crate) async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let start = Instant::now();
    let result = work.await;
    (result, start.elapsed())
}
