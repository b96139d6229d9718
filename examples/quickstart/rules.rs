//! What stands between a call and its tool: breaker, limit, approval, idempotency.

use std::time::Duration;

use serde_json::json;
use tool_connect::connectors::filesystem::{Write, WriteMode};
use tool_connect::connectors::http::HttpAnswer;
use tool_connect::store::{Decision, Grant, Subject, ToolPattern};
use tool_connect::{
    EventKind, InputRequest, LimitOf, PlanId, Rate, Result, Retry, Served, Session, ToolCall, ToolOutcome,
};

use crate::calls::kind;
use crate::house::House;
use crate::service::Service;
use crate::show::{self, count, say, section, step, timed};

pub(crate) async fn breaker(house: &House, service: &Service) -> Result<()> {
    section("A circuit breaker");
    let session = house.session();
    let ask = || session.call("machine.request", json!({ "url": "/machine" }));

    service.set_broken(true);
    let mut refused = None;
    for name in ["the machine is broken: first call", "second call", "third call"] {
        let before = service.requests();
        let (result, took) = timed(ask()).await;
        let sent = count(service.requests() - before, "request");
        step(name, format!("{}, {sent} sent", status(&result)), took);
        refused = result.err();
    }
    if let Some(error) = refused {
        show::quote(&error.public_message());
    }

    service.set_broken(false);
    say("The machine is repaired. The breaker lets one call try once its time is over:");
    tokio::time::sleep(Duration::from_millis(450)).await;
    let (result, took) = timed(ask()).await;
    step("fourth call", status(&result), took);
    let states: Vec<String> = house
        .events()
        .into_iter()
        .filter_map(|event| match event {
            EventKind::BreakerChanged { instance, state, .. } if instance.as_str() == "machine" => {
                Some(state)
            }
            _ => None,
        })
        .collect();
    show::fact("its states", format!("closed → {}", states.join(" → ")));
    Ok(())
}

/// The status that the service answered with, or why it was not asked.
fn status(result: &Result<ToolOutcome>) -> String {
    match result {
        Ok(ToolOutcome::Complete(output)) => match output.parse::<HttpAnswer>() {
            Ok(answer) => format!("answered {}", answer.status),
            Err(error) => kind(Some(&error)),
        },
        Ok(_) => "waits".to_owned(),
        Err(error) => kind(Some(error)),
    }
}

pub(crate) async fn limit(house: &House) -> Result<()> {
    section("A rate limit");
    let trial = PlanId::new("trial")?;
    house.hub.limits().set(LimitOf::Plan(trial.clone()), Rate::per_second(4).burst(3))?;
    say("Limits change while calls run. The plan `trial` now has 4 calls a second, 3 of them at once.");
    let session = house.hub.session(house.ada.clone().with_plan(trial));
    let stat = || session.call("files.stat", json!({ "path": "README.md" }));
    let mut passed = 0_u64;
    let (refused, took) = loop {
        match timed(stat()).await {
            (Ok(_), _) if passed < 20 => passed += 1,
            (result, took) => break (result, took),
        }
    };
    let after = format!("call {}", passed + 1);
    step(&after, kind(refused.as_ref().err()), took);
    let wait = match refused.map_err(|error| (error.public_message().into_owned(), error.retry_advice())) {
        Err((message, Retry::After(wait))) => {
            show::quote(&message);
            wait
        }
        _ => Duration::ZERO,
    };
    tokio::time::sleep(wait).await;
    let (answer, took) = timed(stat()).await;
    answer?;
    step(&format!("{} later", show::time(wait)), "answered", took);
    Ok(())
}

pub(crate) async fn approval(house: &House) -> Result<()> {
    section("An agent, a grant, an approval");
    let ada = house.session();
    let draft = Write {
        path: "draft.txt".into(),
        content: Some("To be deleted.\n".into()),
        mode: WriteMode::Overwrite,
        ..Write::default()
    };
    ada.on("scratch").run(draft).await?;
    let agent = house.hub.session(house.ada.clone().acting_through("tidy_bot")?);
    let delete = || agent.call("scratch.delete", json!({ "path": "draft.txt" }));

    let grant = Grant {
        tenant: house.ada.tenant.clone(),
        subject: Subject::Agent("tidy_bot".try_into()?),
        tools: ToolPattern::new("scratch.*")?,
        connection: None,
        expires: None,
    };
    // What an earlier run granted is still granted; here it shall begin anew.
    house.hub.revoke(&grant.tenant, &grant.subject, &grant.tools, None).await?;

    let (denied, took) = timed(delete()).await;
    step("tidy_bot deletes draft.txt", kind(denied.err().as_ref()), took);
    house.hub.grant(grant).await?;
    say("An agent may do nothing until it is granted something. Ada grants it `scratch.*`.");

    let (outcome, took) = timed(delete()).await;
    let ToolOutcome::InputRequired(required) = outcome? else {
        say("It was deleted without anybody being asked; this should not happen.");
        return Ok(());
    };
    step("tidy_bot tries again", "waits for a person", took);
    show::quote(&required.message());
    if let InputRequest::Approve { approval, .. } = &required.request {
        let (decided, took) = timed(ada.decide(approval, Decision::Approve)).await;
        decided?;
        step("Ada approves", "for this very call, once", took);
    }
    let same = required.call.clone();
    let (outcome, took) = timed(agent.resume(required)).await;
    outcome?.into_output()?;
    step("the call goes on", "draft.txt is gone", took);
    if let Some(call) = same {
        let (again, took) = timed(agent.execute(*call)).await;
        step("the approval is used again", kind(again.err().as_ref()), took);
    }
    Ok(())
}

pub(crate) async fn replay(house: &House, service: &Service) -> Result<()> {
    section("The same write twice");
    say(
        "A caller that lost the answer asks again under the same key. The service would book twice; the hub does not.",
    );
    let session = house.session();
    let key = format!("booking-of-run-{}", house.run);
    for attempt in ["first", "second"] {
        let before = service.bookings();
        let (result, took) = timed(book(&session, &key)).await;
        let (booking, served) = result?;
        let made = count(service.bookings() - before, "booking");
        step(&format!("{attempt} call, key {key}"), format!("{served}: {booking}; {made} made"), took);
    }
    if house.run > 1 {
        let before = service.bookings();
        let (result, took) = timed(book(&session, "booking-of-run-1")).await;
        let (booking, served) = result?;
        let made = count(service.bookings() - before, "booking");
        step("the first run's key", format!("{served}: {booking}; {made} made"), took);
        say("The first run's process is gone. Its result came from the file (keys are kept for a day).");
    }
    Ok(())
}

async fn book(session: &Session, key: &str) -> Result<(String, &'static str)> {
    let arguments = json!({ "room": "cellar", "seats": 6, "day": "2026-05-05" });
    let call = ToolCall::new("workshop.book_room", arguments).idempotency_key(key);
    let output = session.execute(call).await?.into_output()?;
    let served = match output.served {
        Served::Fresh => "made",
        Served::Replay => "replayed",
        Served::Cache => "cached",
    };
    let number = output.parse::<serde_json::Value>()?["number"].to_string();
    Ok((format!("booking {number}"), served))
}
