//! Calling tools: by name and by type, right and wrong, on a service that is well and one that is
//! not.

use std::time::Duration;

use serde_json::{Value, json};
use tool_connect::connectors::filesystem::{Listing, Read, Search, Write, WriteMode};
use tool_connect::connectors::http::HttpAnswer;
use tool_connect::{Result, Session, ToolCall};

use crate::house::House;
use crate::service::{Service, TOKEN};
use crate::show::{self, count, say, section, step, timed};
use crate::workshop::BookRoom;

pub(crate) async fn files(house: &House) -> Result<()> {
    section("Real files");
    say("An agent calls by name, with JSON. An app calls by type, and no JSON is written.");
    let session = house.session();

    let (listing, took) = timed(call::<Listing>(&session, "files.list", json!({ "path": "" }))).await;
    step("files.list {\"path\": \"\"}", format!("{} entries in the root", listing?.entries.len()), took);

    let read = Read { path: "Cargo.toml".into(), start_line: Some(1), max_lines: Some(1), ..Read::default() };
    let (content, took) = timed(session.on("files").run(read)).await;
    let line = content?.text.unwrap_or_default();
    step("files: Read Cargo.toml, line 1", format!("\"{}\"", line.trim_end()), took);

    let search = Search {
        query: "impl Connector for".into(),
        glob: Some("*.rs".into()),
        exclude: vec!["target".into(), ".git".into()],
        ..Search::default()
    };
    let (found, took) = timed(session.on("files").run(search)).await;
    let found = found?;
    let matches = count(found.matches.len() as u64, "connector");
    step(
        "files: Search *.rs for connectors",
        format!("{matches} in {}", count(found.files_searched, "file")),
        took,
    );

    let note = Write {
        path: "notes.txt".into(),
        content: Some(format!("run {}\n", house.run)),
        mode: WriteMode::Append,
        ..Write::default()
    };
    let (written, took) = timed(session.on("scratch").run(note)).await;
    step("scratch: Write notes.txt", format!("{} bytes now, on disk before it says so", written?.size), took);

    let escape = json!({ "path": "../../etc/passwd" });
    let (refused, took) = timed(session.call("scratch.read", escape)).await;
    step("scratch.read ../../etc/passwd", kind(refused.err().as_ref()), took);
    Ok(())
}

pub(crate) async fn mistakes(house: &House) -> Result<()> {
    section("What a model sees when it gets it wrong");
    let session = house.session();
    say("It sends files.read a number for a path, line 0, and a field of its own. This goes back to it:");
    let wrong = json!({ "path": 7, "start_line": 0, "encoding": "latin1" });
    if let Err(error) = session.call("files.read", wrong).await {
        show::quote(&error.public_message());
    }
    say("It misspells the tool:");
    if let Err(error) = session.call("files.raed", json!({})).await {
        show::quote(&error.public_message());
    }
    Ok(())
}

pub(crate) async fn account(house: &House) -> Result<()> {
    section("An account, and a tool that was written for this example");
    let session = house.session();
    let booking = || BookRoom { room: "attic".into(), seats: 4, day: "2026-05-04".into() };
    let known = session.connections().await?.iter().any(|c| c.instance.as_str() == "workshop");
    if known {
        say("An earlier run connected Ada's account; its token was sealed in the file, and is opened there.");
    } else {
        say("The workshop wants a token. Ada has connected no account yet, so the call asks for one first:");
        if let Err(error) = session.run(booking()).await {
            let message = error.input_required().map(|required| required.message().into_owned());
            show::quote(&message.unwrap_or_else(|| error.to_string()));
        }
        let connection = house.connect("workshop", TOKEN, "ada@acme.example").await?;
        say(format!("She gives it: connection {} holds it sealed, and it outlives this run.", connection.id));
    }
    let (booking, took) = timed(session.run(booking())).await;
    let booking = booking?;
    step(
        "workshop: BookRoom attic",
        format!("booking {}: {} on {}", booking.number, booking.room, booking.day),
        took,
    );
    say("The token is in the request and nowhere else: tools, logs and errors never see it.");
    Ok(())
}

pub(crate) async fn trouble(house: &House, service: &Service) -> Result<()> {
    section("A service that misbehaves");
    let session = house.session();
    for (path, mood) in [("/flaky", "fails twice"), ("/busy", "\"429, come back in 1 s\"")] {
        let before = service.requests();
        let (answer, took) = timed(call::<HttpAnswer>(&session, "web.request", json!({ "url": path }))).await;
        let sent = count(service.requests() - before, "request");
        step(&format!("{path}: {mood}"), format!("{} after {sent}, one call", answer?.status), took);
    }
    let patient = ToolCall::new("web.request", json!({ "url": "/slow" })).timeout(Duration::from_millis(250));
    let (late, took) = timed(session.execute(patient)).await;
    step("/slow: takes 30 s, may take 250 ms", kind(late.err().as_ref()), took);
    let (elsewhere, took) =
        timed(session.call("web.request", json!({ "url": "http://169.254.169.254/" }))).await;
    step("http://169.254.169.254/", kind(elsewhere.err().as_ref()), took);
    Ok(())
}

/// The same against a real service, where the reader has a token for one.
/// Calls by name and reads the result.
pub(crate) async fn call<T: serde::de::DeserializeOwned>(
    session: &Session,
    tool: &str,
    arguments: Value,
) -> Result<T> {
    session.call(tool, arguments).await?.into_output()?.parse()
}

/// An error as the audit trail names it.
pub(crate) fn kind(error: Option<&tool_connect::Error>) -> String {
    error.map_or_else(|| "went through".to_owned(), |error| format!("refused: {}", error.kind().as_str()))
}
