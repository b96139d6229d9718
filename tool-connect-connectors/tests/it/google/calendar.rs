//! Google Calendar: promises, a day's work, repetitions, errors.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tool_connect_connectors::google_calendar::GoogleCalendar;
use tool_connect_core::{Effect, ErrorKind};

use super::{Asked, Told, assert_well_made, call, with};

#[test]
fn the_connector_is_well_made() {
    assert_well_made(&GoogleCalendar::new(), include_str!("../../../../docs/connectors/google_calendar.md"));
}

/// A calendar with its events.
#[derive(Default)]
struct Calendar {
    events: Vec<Value>,
}

impl Calendar {
    fn find(&mut self, id: &str) -> Option<&mut Value> {
        self.events.iter_mut().find(|event| event["id"] == id)
    }

    fn answer(&mut self, asked: &Asked) -> Told {
        let line = asked.line();
        let (method, path) = line.split_once(" /calendar/v3/").unwrap();
        let steps: Vec<&str> = path.split('/').collect();
        let body = asked.json();
        match (method, &*steps) {
            ("GET", ["calendars", "primary"]) => {
                Told::json(json!({"id": "ada@example.com", "summary": "Ada"}))
            }
            ("POST", ["freeBusy"]) => Told::json(json!({"calendars": {
                "bob@example.com": {"busy": [{"start": "2026-12-01T09:00:00Z", "end": "2026-12-01T10:00:00Z"}]},
                "nobody@example.com": {"errors": [{"domain": "global", "reason": "notFound"}], "busy": []},
            }})),
            ("POST", ["calendars", "primary", "events"]) => {
                let id = body["id"].as_str().map_or_else(|| format!("e{}", self.events.len()), str::to_owned);
                if self.find(&id).is_some() {
                    return Told::error(409, "duplicate", "The requested identifier already exists.");
                }
                let mut event = body;
                event["id"] = json!(id);
                event["status"] = json!("confirmed");
                event["hangoutLink"] = json!("https://meet.google.com/abc");
                event["attendees"][0]["self"] = json!(true);
                self.events.push(event.clone());
                for at in 1..=2 {
                    self.events.push(json!({"id": format!("{id}_{at}"), "recurringEventId": id, "start": event["start"], "etag": "\"1\""}));
                }
                Told::json(event)
            }
            ("GET", ["calendars", "primary", "events", series, "instances"]) => {
                let instances: Vec<&Value> =
                    self.events.iter().filter(|event| event["recurringEventId"] == *series).collect();
                Told::json(json!({"items": instances}))
            }
            ("GET", ["calendars", "primary", "events", id]) => match self.find(id) {
                Some(event) => Told::json(event.clone()),
                None => Told::error(404, "notFound", "Not Found"),
            },
            ("PATCH", ["calendars", "primary", "events", id]) => {
                let etag = asked.header("if-match").map(str::to_owned);
                let event = self.find(id).unwrap();
                if etag.is_some_and(|etag| event["etag"] != etag.as_str()) {
                    return Told::error(412, "conditionNotMet", "Precondition Failed");
                }
                if body["attendeesOmitted"] == true {
                    event["attendees"][0]["responseStatus"] = body["attendees"][0]["responseStatus"].clone();
                } else {
                    for (name, value) in body.as_object().unwrap() {
                        event[name] = value.clone();
                    }
                }
                event["etag"] = json!("\"2\"");
                Told::json(event.clone())
            }
            ("DELETE", ["calendars", "primary", "events", id]) => {
                let before = self.events.len();
                self.events.retain(|event| event["id"] != *id);
                if self.events.len() == before {
                    return Told::error(410, "deleted", "Resource has been deleted");
                }
                Told::empty(204)
            }
            _ => panic!("{line}"),
        }
    }
}

fn lunch() -> Value {
    json!({
        "summary": "Lunch",
        "start": {"date_time": "2026-12-01T12:00:00", "time_zone": "Europe/Berlin"},
        "end": {"date_time": "2026-12-01T13:00:00", "time_zone": "Europe/Berlin"},
        "attendees": [{"email": "bob@example.com"}, {"email": "cy@example.com"}],
        "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=2"],
        "meet": true,
        "send_updates": "all",
    })
}

#[tokio::test]
async fn a_day_of_meetings() {
    let calendar = Arc::new(Mutex::new(Calendar::default()));
    let service = Arc::clone(&calendar);
    let harness = with(GoogleCalendar::new(), move |asked| service.lock().unwrap().answer(asked))
        .build()
        .await
        .unwrap();
    let day = |tool: &'static str, arguments: Value| call(&harness, tool, arguments, None);

    // The account is the one that was meant.
    let health = harness.session().check("google_calendar").await.unwrap();
    assert!(String::from_utf8_lossy(&health.account).contains("ada@example.com"));

    // When is there time; a calendar that may not be seen is no free one.
    let span = json!({"time_min": "2026-12-01T08:00:00Z", "time_max": "2026-12-01T18:00:00Z", "calendar_ids": ["bob@example.com", "nobody@example.com"]});
    let busy = day("get_free_busy", span).await.unwrap();
    assert_eq!(busy["calendars"]["bob@example.com"]["busy"][0]["end"], "2026-12-01T10:00:00Z");
    assert_eq!(busy["calendars"]["nobody@example.com"]["errors"][0]["reason"], "notFound");

    // Every week, with Bob, by video.
    let series = day("create_event", lunch()).await.unwrap();
    assert_eq!(series["meet_link"], "https://meet.google.com/abc");
    let request = harness.requests()[2].json();
    assert_eq!(request["conferenceData"]["createRequest"]["requestId"].as_str().unwrap().len(), 64);

    // One of them at another time.
    let instances = day("list_event_instances", json!({"event_id": series["id"]})).await.unwrap();
    let second = &instances["items"][1];
    assert_eq!(second["recurring_event_id"], series["id"]);
    let later = json!({
        "event_id": second["id"], "etag": second["etag"],
        "start": {"date_time": "2026-12-08T14:00:00+01:00"}, "end": {"date_time": "2026-12-08T15:00:00+01:00"},
    });
    let moved = day("update_event", later.clone()).await.unwrap();
    assert_eq!(moved["start"]["date_time"], "2026-12-08T14:00:00+01:00");
    // By now it is another state.
    let stale = day("update_event", later).await.unwrap_err();
    assert_eq!(stale.kind(), ErrorKind::Conflict);
    assert!(stale.public_message().contains("new `etag`"), "{}", stale.public_message());

    // Say yes, and then no to all of it.
    let answered =
        day("respond_to_event", json!({"event_id": series["id"], "response": "accepted"})).await.unwrap();
    assert_eq!(answered["attendees"][0]["response_status"], "accepted");
    assert_eq!(answered["attendees"][1]["email"], "cy@example.com", "nobody else is touched");
    day("delete_event", json!({"event_id": series["id"], "send_updates": "all"})).await.unwrap();
    let gone = day("delete_event", json!({"event_id": series["id"]})).await.unwrap_err();
    assert_eq!((gone.kind(), &*gone.public_message()), (ErrorKind::NotFound, "It is deleted already."));
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn an_event_with_a_key_is_created_once() {
    let calendar = Arc::new(Mutex::new(Calendar::default()));
    let (service, first) = (Arc::clone(&calendar), Mutex::new(true));
    let harness = with(GoogleCalendar::new(), move |asked: &Asked| {
        let told = service.lock().unwrap().answer(asked);
        // The first answer is lost on its way.
        if std::mem::take(&mut *first.lock().unwrap()) { Told::Broken } else { told }
    })
    .build()
    .await
    .unwrap();
    let event = call(&harness, "create_event", lunch(), Some("k1")).await.unwrap();
    let id = event["id"].as_str().unwrap();
    assert!(id.len() == 64 && id.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'v')), "{id}");
    let lines: Vec<String> = harness.requests().iter().map(|sent| sent.method.to_string()).collect();
    assert_eq!(lines, ["POST", "POST", "GET"]);
    let series = calendar.lock().unwrap().events.iter().filter(|event| event["summary"] == "Lunch").count();
    assert_eq!(series, 1);

    // Without a key nobody could tell, so it is sent once.
    let harness = with(GoogleCalendar::new(), |_: &Asked| Told::Broken).build().await.unwrap();
    call(&harness, "create_event", lunch(), None).await.unwrap_err();
    assert_eq!(harness.requests().len(), 1);
}

#[tokio::test]
async fn what_google_would_misread_is_refused_here() {
    let harness =
        with(GoogleCalendar::new(), |asked: &Asked| panic!("{}", asked.line())).build().await.unwrap();
    let with_lunch = |name: &str, value: Value| {
        let mut lunch = lunch();
        lunch[name] = value;
        lunch
    };
    let cases = [
        ("create_event", with_lunch("start", json!({"date": "2026-12-01"})), "/end"),
        (
            "create_event",
            with_lunch("start", json!({"date_time": "2026-12-01T12:00:00Z"})),
            "/start/time_zone",
        ),
        ("create_event", with_lunch("start", json!({"date": "1.12.2026"})), "/start/date"),
        ("create_event", with_lunch("recurrence", json!(["FREQ=WEEKLY"])), "/recurrence/0"),
        ("create_event", with_lunch("recurrence", json!(["RRULE:FREQ=DAILY\nATTENDEE:x"])), "/recurrence/0"),
        ("create_event", with_lunch("attendees", json!([{"email": "Bob"}])), "/attendees/0/email"),
        ("list_events", json!({"time_min": "2026-12-01"}), "/time_min"),
        ("list_events", json!({"series": true, "order_by": "start_time"}), "/order_by"),
        (
            "get_free_busy",
            json!({"time_min": "2026-12-01T00:00:00", "time_max": "2026-12-02T00:00:00Z"}),
            "/time_min",
        ),
        ("share_calendar", json!({"role": "reader", "scope_type": "user"}), "/scope_value"),
        (
            "share_calendar",
            json!({"role": "reader", "scope_type": "default", "scope_value": "x"}),
            "/scope_value",
        ),
        ("get_event", json!({"event_id": ".."}), "/event"),
        (
            "update_event",
            json!({"event_id": "e1", "add_attendees": [{"email": "Bob"}]}),
            "/add_attendees/0/email",
        ),
        ("update_event", json!({"event_id": "e1", "remove_attendees": ["Bob"]}), "/remove_attendees/0"),
        (
            "update_event",
            json!({"event_id": "e1", "attendees": [], "remove_attendees": ["bob@example.com"]}),
            "/attendees",
        ),
    ];
    for (tool, arguments, pointer) in cases {
        let error = call(&harness, tool, arguments, None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{tool} {error}");
        assert_eq!(error.problems()[0].pointer, pointer, "{tool}");
    }
}

#[tokio::test]
async fn a_sync_token_that_expired_says_so() {
    let service = |_: &Asked| {
        Told::error(410, "fullSyncRequired", "Sync token is no longer valid, a full sync is required.")
    };
    let harness = with(GoogleCalendar::new(), service).build().await.unwrap();
    let error = call(&harness, "sync_events", json!({"sync_token": "old"}), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.public_message().contains("begin again without one"), "{}", error.public_message());
}

#[tokio::test]
async fn an_invitation_is_answered_by_who_was_invited() {
    let service = |_: &Asked| Told::json(json!({"id": "e1", "attendees": [{"email": "bob@example.com"}]}));
    let harness = with(GoogleCalendar::new(), service).build().await.unwrap();
    let error = call(&harness, "respond_to_event", json!({"event_id": "e1", "response": "declined"}), None)
        .await
        .unwrap_err();
    assert_eq!((error.kind(), &*error.problems()[0].pointer), (ErrorKind::InvalidArguments, "/event_id"));
    assert_eq!(harness.requests().len(), 1);
}

/// An event with three guests, who have answered.
fn answered_event(omitted: bool) -> Value {
    json!({"id": "e1", "etag": "\"1\"", "attendeesOmitted": omitted, "attendees": [
        {"email": "ada@example.com", "self": true, "organizer": true, "responseStatus": "accepted"},
        {"email": "Bob@example.com", "displayName": "Bob", "optional": true, "responseStatus": "declined",
         "comment": "On a train", "additionalGuests": 2},
        {"email": "cy@example.com", "responseStatus": "tentative"},
    ]})
}

#[tokio::test]
async fn guests_come_and_go_and_the_others_answers_stay() {
    let whole = answered_event(false)["attendees"].clone();
    let (ada, bob, cy) = (&whole[0], &whole[1], &whole[2]);
    let mut renamed = bob.clone();
    (renamed["displayName"], renamed["optional"]) = (json!("Robert"), json!(false));
    let dot = json!({"email": "dot@example.com"});
    let cases = [
        (json!({"add_attendees": [{"email": "dot@example.com"}]}), json!([ada, bob, cy, dot])),
        (json!({"remove_attendees": ["CY@example.com", "nobody@example.com"]}), json!([ada, bob])),
        // Who is there already is not invited twice.
        (
            json!({"add_attendees": [{"email": "bob@example.com", "name": "Robert", "optional": false}]}),
            json!([ada, renamed, cy]),
        ),
        (
            json!({"add_attendees": [{"email": "dot@example.com"}], "remove_attendees": ["bob@example.com"]}),
            json!([ada, cy, dot]),
        ),
        // The whole list, said without what was answered.
        (
            json!({"attendees": [{"email": "bob@example.com"}, {"email": "dot@example.com"}]}),
            json!([bob, dot]),
        ),
        (json!({"attendees": []}), json!([])),
    ];
    for (mut arguments, written) in cases {
        let harness =
            with(GoogleCalendar::new(), |_: &Asked| Told::json(answered_event(false))).build().await.unwrap();
        arguments["event_id"] = json!("e1");
        call(&harness, "update_event", arguments.clone(), None).await.unwrap();
        let sent = harness.requests();
        assert_eq!(sent[1].json(), json!({"attendees": written}), "{arguments}");
        // Only while it is what was read.
        assert_eq!(sent[1].headers["if-match"], "\"1\"", "{arguments}");
        harness.finish().await.unwrap();
    }
}

#[tokio::test]
async fn an_answer_that_comes_in_between_is_not_lost() {
    let answered = Arc::new(Mutex::new(Calendar { events: vec![answered_event(false)] }));
    let service = Arc::clone(&answered);
    let harness = with(GoogleCalendar::new(), move |asked: &Asked| {
        let mut calendar = service.lock().unwrap();
        let told = calendar.answer(asked);
        // Cy accepts right after the list was read.
        if asked.line().starts_with("GET") {
            let event = calendar.find("e1").unwrap();
            event["attendees"][2]["responseStatus"] = json!("accepted");
            event["etag"] = json!("\"2\"");
        }
        told
    })
    .build()
    .await
    .unwrap();
    let add = json!({"event_id": "e1", "add_attendees": [{"email": "dot@example.com"}]});
    let error = call(&harness, "update_event", add, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let event = answered.lock().unwrap().find("e1").unwrap().clone();
    assert_eq!(event["attendees"].as_array().unwrap().len(), 3);
    assert_eq!(event["attendees"][2]["responseStatus"], "accepted");
}

#[tokio::test]
async fn no_etag_of_the_callers_stands_in_for_the_state_that_was_read() {
    for (read, given, kind) in [
        (Some("\"1\""), "*", ErrorKind::Conflict),
        (Some("\"2\""), "\"1\"", ErrorKind::Conflict),
        (None, "\"1\"", ErrorKind::Provider),
    ] {
        let harness = with(GoogleCalendar::new(), move |_: &Asked| {
            let mut event = answered_event(false);
            event.as_object_mut().unwrap().remove("etag");
            if let Some(read) = read {
                event["etag"] = json!(read);
            }
            Told::json(event)
        });
        let harness = harness.build().await.unwrap();
        let add = json!({"event_id": "e1", "add_attendees": [{"email": "dot@example.com"}], "etag": given});
        let error = call(&harness, "update_event", add, None).await.unwrap_err();
        assert_eq!((error.kind(), error.effect_on_provider()), (kind, Effect::NotExecuted), "{given}");
        assert_eq!(harness.requests().len(), 1, "nothing was written");
    }
}

#[tokio::test]
async fn a_list_that_google_does_not_show_is_not_written() {
    let harness =
        with(GoogleCalendar::new(), |_: &Asked| Told::json(answered_event(true))).build().await.unwrap();
    let remove = json!({"event_id": "e1", "remove_attendees": ["cy@example.com"]});
    let error = call(&harness, "update_event", remove, None).await.unwrap_err();
    assert_eq!((error.kind(), &*error.problems()[0].pointer), (ErrorKind::InvalidArguments, "/event_id"));
    assert_eq!(harness.requests().len(), 1);
}
