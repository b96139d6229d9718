//! A call by name and typed, with nothing switched on, beside the floor and rmcp's router.

use std::hint::black_box;

use bytes::Bytes;
use tool_connect_core::{Arguments, Body, Principal, ToolOutcome, ToolOutput};
use tool_connect_hub::audit::AuditMode;
use tool_connect_hub::{Hub, Session};

use crate::peers::{self, Rmcp};
use crate::race::{Contender, Measured, now, race};
use crate::subject::{CreateIssue, Numbers, One, TEXT, ids};
use crate::table::{Table, Target, time};

/// Short samples: on a busy machine most of them end before somebody else's turn.
const OPS: usize = 1_000;

/// Calls by name with raw JSON; the result is JSON text.
pub(crate) fn call(session: &Session, id: &str) {
    let text = Arguments::Raw(Bytes::from_static(TEXT.as_bytes()));
    match now(session.call(id, text)) {
        Ok(ToolOutcome::Complete(output)) => drop(black_box(json(output))),
        other => panic!("the call came to something else: {other:?}"),
    }
}

/// The result's text, which the floor returns too.
pub(crate) fn json(output: ToolOutput) -> Bytes {
    match output.body {
        Body::Json(text) => text,
        other => panic!("the result is not JSON text: {other:?}"),
    }
}

fn bare(tools: usize, timeout: bool) -> Hub {
    Hub::builder()
        .connector(Numbers::new(tools))
        .connector(One::new())
        .configure(|settings| {
            settings.audit.mode = AuditMode::Off;
            if !timeout {
                settings.default_timeout = None;
            }
        })
        .build()
        .expect("the hub is built")
}

pub(crate) fn caller() -> Principal {
    Principal::user("acme", "ada").expect("valid ids")
}

pub(crate) fn run(table: &mut Table, rounds: usize) {
    let mut small: Option<Measured> = None;
    for tools in [10, 1_000, 10_000] {
        let (floor, boxed) = (peers::floor(tools), peers::boxed(tools));
        let hub = bare(tools, true);
        let session = hub.session(caller());
        let (plain, prefixed) = (ids("", tools), ids("tracker.", tools));
        let pick = |names: &[String], k: usize| -> usize { k % names.len() };
        let sync = Contender::new(|n| {
            for k in 0..n {
                let _ = black_box(floor[&plain[pick(&plain, k)]](TEXT));
            }
        });
        let boxes = Contender::new(|n| {
            for k in 0..n {
                let _ = black_box(now(boxed[&plain[pick(&plain, k)]](TEXT)));
            }
        });
        let by_name = Contender::new(|n| {
            for k in 0..n {
                call(&session, &prefixed[pick(&prefixed, k)]);
            }
        });
        let of = |what: &str| format!("{what}, {tools} tools / boxed floor");
        if tools != 1_000 {
            let [_, floor, name] = race(rounds, OPS, [sync, boxes, by_name]);
            let target = Target::AtMost(1.4);
            table.row(&of("call by name"), time(name.ns()), time(floor.ns()), name.over(&floor), target);
            if let Some(small) = &small {
                let ratio = name.ns() / small.ns();
                let what = "call by name, 10000 tools / 10 tools (cache misses included)";
                table.row(what, time(name.ns()), time(small.ns()), ratio, Target::None);
            } else {
                small = Some(name);
            }
            continue;
        }
        let patient = bare(tools, false);
        let patient = patient.session(caller());
        let (text, structured) = (Rmcp::new(tools, false), Rmcp::new(tools, true));
        let [sync, floor, name, no_timeout, typed, text, structured] = race(
            rounds,
            OPS,
            [
                sync,
                boxes,
                by_name,
                Contender::new(|n| {
                    for k in 0..n {
                        call(&patient, &prefixed[pick(&prefixed, k)]);
                    }
                }),
                Contender::new(|n| {
                    for _ in 0..n {
                        let issue = now(session.on("one").run(CreateIssue::example()));
                        drop(black_box(issue.expect("the tool answers")));
                    }
                }),
                Contender::new(|n| {
                    for k in 0..n {
                        drop(black_box(text.call(&plain[pick(&plain, k)], TEXT)));
                    }
                }),
                Contender::new(|n| {
                    for k in 0..n {
                        drop(black_box(structured.call(&plain[pick(&plain, k)], TEXT)));
                    }
                }),
            ],
        );
        let base = time(floor.ns());
        table.row("boxed floor / synchronous floor", &base, time(sync.ns()), floor.over(&sync), Target::None);
        table.row(&of("call by name"), time(name.ns()), &base, name.over(&floor), Target::AtMost(1.4));
        let what = "allocations of a call by name / of the boxed floor";
        table.row(
            what,
            name.allocations,
            floor.allocations,
            name.allocations / floor.allocations,
            Target::None,
        );
        table.row(
            "allocations of a call by name (as the ratio)",
            name.allocations,
            "",
            name.allocations,
            Target::AtMost(6.0),
        );
        table.row(
            &of("without default time-out"),
            time(no_timeout.ns()),
            &base,
            no_timeout.over(&floor),
            Target::None,
        );
        table.row(&of("typed both ways"), time(typed.ns()), &base, typed.over(&floor), Target::None);
        table.row(
            "typed both ways / by name",
            time(typed.ns()),
            time(name.ns()),
            typed.over(&name),
            Target::AtMost(1.0),
        );
        table.row(&of("rmcp ToolRouter, text"), time(text.ns()), &base, text.over(&floor), Target::None);
        table.row(
            &of("rmcp ToolRouter, structured"),
            time(structured.ns()),
            &base,
            structured.over(&floor),
            Target::None,
        );
        let what = "call by name / rmcp ToolRouter, structured";
        table.row(what, time(name.ns()), time(structured.ns()), name.over(&structured), Target::None);
    }
}
