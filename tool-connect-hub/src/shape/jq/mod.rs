//! jq filters over results, by jaq, held to what can be bounded: no definitions, loops and updates, and every step of the
//! rest takes from a fixed amount of work, so that a filter ends whatever it says. It does no input and output and knows
//! neither environment nor time, for no function that does is offered to it.

mod allowed;
#[cfg(test)]
mod tests;
mod work;

use std::cell::Cell;
use std::fmt::Write as _;

use bytes::Bytes;
use jaq_core::load::parse::Def;
use jaq_core::load::{self, Arena, File, Lexer, Loader, Parser};
use jaq_core::{Compiler, Ctx, Vars, unwrap_valr};
use tokio::sync::oneshot;
use tool_connect_core::{Error, ErrorKind, Result};

use self::allowed::{FUNCTIONS, HELPERS, allowed};
use self::work::{DEEPEST, Data, Jq, OWN, Work, functions};
use super::raw;

/// Longest filter, in bytes, and how deep its brackets go: its parser and its evaluation are as deep as its text.
const MOST_SOURCE: usize = 2_000;
const MOST_BRACKETS: usize = 32;
/// Stack of the thread that a filter runs on, in bytes; taken only as far as it is used.
const STACK: usize = 64 << 20;
/// Work that every filter may do, and what each byte of the result adds to it. A value counts for each of its parts.
const WORK: usize = 200_000;
const WORK_PER_BYTE: usize = 4;
const MOST_WORK: usize = 200_000_000;

/// The name under which the filter is run; no filter can call it.
const MAIN: &str = "whole_filter";

/// A filter that was read and may run.
pub(super) struct Filter(String);

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArguments`] that names the place in the filter.
    pub(super) fn parse(source: &str) -> Result<Self> {
        if source.len() > MOST_SOURCE {
            return Err(refused(source, None, "a filter has at most 2000 bytes"));
        }
        let mut depth = 0_usize;
        for (at, byte) in source.bytes().enumerate() {
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > MOST_BRACKETS {
                return Err(refused(source, source.get(at..), "the brackets are nested more than 32 deep"));
            }
        }
        let source = source.to_owned();
        let reading =
            thread().spawn(move || prepare(&source).map(|_| Self(source))).map_err(|e| no_thread(&e))?;
        reading.join().unwrap_or_else(|_| Err(broken()))
    }

    /// What the filter makes of a result: its one value, or an array of several.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArguments`] where it fails on this result or takes too much work.
    pub(super) async fn run(&self, text: Bytes) -> Result<Bytes> {
        let source = self.0.clone();
        let (tell, answer) = oneshot::channel();
        let work = move || {
            let done = evaluate(&source, &text, &|| tell.is_closed());
            // Nobody may be waiting any more.
            let _ = tell.send(done);
        };
        thread().spawn(work).map_err(|e| no_thread(&e))?;
        answer.await.unwrap_or_else(|_| Err(broken()))
    }
}

fn thread() -> std::thread::Builder {
    std::thread::Builder::new().name("tool-connect-jq".to_owned()).stack_size(STACK)
}

/// A filter's own text and what was made of it.
fn prepare(source: &str) -> Result<jaq_core::Filter<Jq>> {
    let tokens = Lexer::new(source)
        .lex()
        .map_err(|errors| refused(source, errors.first().map(|(_, rest)| *rest), "this is not jq"))?;
    let term = Parser::new(&tokens).parse(|parser| parser.term()).map_err(|errors| {
        let found = errors.first();
        let what =
            found.map_or_else(String::new, |(expected, _)| format!(": {} is expected", expected.as_str()));
        let rest = found.and_then(|(_, token)| token.map(|token| token.0));
        refused(source, rest, &format!("this is not jq{what}"))
    })?;
    let body = allowed(source, term)?;
    let known = |def: &Def<&'static str>| {
        HELPERS.contains(&def.name)
            || def.name == "recurse"
            || FUNCTIONS.contains(&(def.name, def.args.len())) && !OWN.contains(&def.name)
    };
    let mut defs: Vec<Def<&str>> = jaq_core::defs().chain(jaq_std::defs()).filter(known).collect();
    defs.push(Def { name: MAIN, args: Vec::new(), body });
    let arena = Arena::default();
    let modules = Loader::new(defs).load(&arena, File { code: MAIN, path: () }).map_err(|_| broken())?;
    Compiler::default().with_funs(functions()).compile(modules).map_err(|errors| {
        let found = errors.first().and_then(|(_, errors)| errors.first());
        let (name, what) = found.map_or(("", "name"), |(name, undefined)| (*name, undefined.as_str()));
        refused(source, None, &format!("there is no {what} `{name}`"))
    })
}

/// Runs a filter over a result.
fn evaluate(source: &str, text: &[u8], gone: &dyn Fn() -> bool) -> Result<Bytes> {
    let filter = prepare(source)?;
    if depth(text) > DEEPEST {
        return Err(failed("the result is nested too deep for a filter"));
    }
    let input = jaq_json::read::parse_single(text).map_err(|_| failed("the result is not JSON"))?;
    let most = text.len().saturating_mul(WORK_PER_BYTE).saturating_add(WORK).min(MOST_WORK);
    let work = Work { left: Cell::new(most), gone };
    let context = Ctx::<Jq>::new(Data { lut: &filter.lut, work: &work }, Vars::new([]));
    let (mut out, mut count) = (String::new(), 0_usize);
    for made in filter.id.run((context, input)).map(unwrap_valr) {
        if work.left.get() == 0 {
            break;
        }
        // What an error of jq says may hold the result's values.
        let value = made.map_err(|_| match work.left.get() {
            0 => exhausted(),
            _ => failed("the filter does not fit the result: a value is of another type than it expects"),
        })?;
        if work.weigh(&value, 0).is_err() {
            break;
        }
        let separator = if count > 0 { "," } else { "" };
        let _ = write!(out, "{separator}{value}");
        count += 1;
    }
    if work.left.get() == 0 {
        return Err(exhausted());
    }
    let out = if count == 1 { out } else { format!("[{out}]") };
    match raw::json(out.as_bytes()) {
        Some(_) => Ok(out.into()),
        None => Err(failed("the filter makes what is no JSON, as an object whose names are no text")),
    }
}

fn exhausted() -> Error {
    failed(
        "the filter takes too much work for a result of this size; choose less, or without going through all pairs",
    )
}

/// How deep the brackets of a JSON text go.
fn depth(text: &[u8]) -> usize {
    let (mut depth, mut most, mut inside, mut escaped) = (0_usize, 0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            b'[' | b'{' if !inside => {
                depth += 1;
                most = most.max(depth);
            }
            b']' | b'}' if !inside => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    most
}

fn refused(source: &str, rest: Option<&str>, what: &str) -> Error {
    let at = rest.map_or(source.len(), |rest| load::span(source, rest).start);
    let place = if rest.is_some() { format!(" (at byte {at})") } else { String::new() };
    Error::invalid_argument("/shape/projection/jq", format!("{what}{place}"))
}

fn failed(what: &'static str) -> Error {
    Error::invalid_argument("/shape/projection/jq", what)
}

fn broken() -> Error {
    Error::new(ErrorKind::Internal, "a jq filter could not be run")
}

fn no_thread(error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Internal, format!("a thread cannot be started: {}", error.kind()))
}
