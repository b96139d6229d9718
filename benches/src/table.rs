//! The one table.

use std::fmt::Display;

/// What a ratio (or a count) must reach.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
    /// Shown for comparison.
    None,
}

impl Target {
    fn text(self) -> String {
        match self {
            Self::AtMost(most) => format!("<= {most}"),
            Self::AtLeast(least) => format!(">= {least}"),
            Self::None => String::new(),
        }
    }

    fn mark(self, value: f64) -> &'static str {
        let good = match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
            Self::None => return "",
        };
        if good { "ok" } else { "MISSED" }
    }
}

/// Prints its rows as they are measured, in the form of a Markdown table.
pub(crate) struct Table {
    met: usize,
    missed: usize,
}

impl Table {
    pub(crate) fn begin() -> Self {
        println!(
            "| {:<62} | {:>14} | {:>14} | {:>7} | {:>8} | {:<6} |",
            "what", "this", "beside", "ratio", "target", ""
        );
        println!("| :{:-<61} | {:->13}: | {:->13}: | {:->6}: | {:->7}: | :{:-<5} |", "", "", "", "", "", "");
        Self { met: 0, missed: 0 }
    }

    /// A row; `this` and `beside` are texts with their units, `ratio` is what the target is about.
    pub(crate) fn row(
        &mut self,
        what: &str,
        this: impl Display,
        beside: impl Display,
        ratio: f64,
        target: Target,
    ) {
        let mark = target.mark(ratio);
        match mark {
            "ok" => self.met += 1,
            "MISSED" => self.missed += 1,
            _ => (),
        }
        let (this, beside, wanted) = (this.to_string(), beside.to_string(), target.text());
        println!("| {what:<62} | {this:>14} | {beside:>14} | {ratio:>7.2} | {wanted:>8} | {mark:<6} |");
    }

    pub(crate) fn end(self) {
        println!("\n{} targets met, {} missed.", self.met, self.missed);
    }
}

/// A time per operation, readable.
pub(crate) fn time(ns: f64) -> String {
    match ns {
        _ if ns < 1e3 => format!("{ns:.1} ns"),
        _ if ns < 1e6 => format!("{:.2} us", ns / 1e3),
        _ => format!("{:.2} ms", ns / 1e6),
    }
}

/// Operations per second, readable.
pub(crate) fn rate(ns: f64) -> String {
    format!("{:.0}/s", 1e9 / ns)
}
