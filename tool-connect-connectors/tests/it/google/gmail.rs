//! Gmail: promises, a day's work, pages, errors.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tool_connect_connectors::gmail::{Gmail, ListMessages};
use tool_connect_core::{ErrorKind, InputRequest, Retry, ToolCall, ToolOutcome};

use super::mail::{headers, raw};
use super::{Asked, Told, assert_well_made, call, stored, with};

#[test]
fn the_connector_is_well_made() {
    assert_well_made(&Gmail::new(), include_str!("../../../../docs/connectors/gmail.md"));
}

/// A mailbox.
#[derive(Default)]
struct Mailbox {
    /// Id, thread, labels, and the message as Gmail has it.
    messages: Vec<(String, String, Vec<String>, Value)>,
    labels: Vec<String>,
    drafts: Vec<(String, Value)>,
}

impl Mailbox {
    fn with_an_invitation() -> Self {
        let payload = json!({"mimeType": "multipart/mixed", "headers": [
            {"name": "From", "value": "Bob <bob@example.com>"},
            {"name": "To", "value": "ada@example.com"},
            {"name": "Cc", "value": "\"Cy, the third\" <cy@example.com>"},
            {"name": "Subject", "value": "Budget"},
            {"name": "Message-Id", "value": "<first@example.com>"},
        ], "parts": [
            {"partId": "0", "mimeType": "text/plain", "body": {"size": 4, "data": URL_SAFE_NO_PAD.encode("Yes?")}},
            {"partId": "1", "mimeType": "application/pdf", "filename": "plan.pdf", "body": {"attachmentId": "AT1", "size": 4}},
        ]});
        let labels = ["INBOX", "UNREAD"].map(str::to_owned).to_vec();
        Self { messages: vec![("m1".into(), "t1".into(), labels, payload)], ..Self::default() }
    }

    fn message(&self, id: &str) -> Value {
        let (id, thread, labels, payload) = self.messages.iter().find(|message| message.0 == id).unwrap();
        json!({"id": id, "threadId": thread, "labelIds": labels, "payload": payload})
    }

    fn keep(&mut self, thread: &str, labels: &[&str]) -> Value {
        let id = format!("m{}", self.messages.len() + 1);
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        self.messages.push((id.clone(), thread.to_owned(), labels, json!({})));
        self.message(&id)
    }

    fn answer(&mut self, asked: &Asked) -> Told {
        let line = asked.line();
        let (method, path) = line.split_once(" /gmail/v1/users/me/").unwrap();
        let steps: Vec<&str> = path.split('/').collect();
        let body = asked.json();
        match (method, &*steps) {
            ("GET", ["messages"]) => {
                assert_eq!(asked.query("q").as_deref(), Some("from:bob subject:budget"));
                Told::json(
                    json!({"messages": self.messages.iter().map(|m| json!({"id": m.0, "threadId": m.1})).collect::<Vec<_>>()}),
                )
            }
            ("GET", ["messages", id]) => Told::json(self.message(id)),
            ("GET", ["messages", "m1", "attachments", "AT1"]) => {
                Told::json(json!({"size": 4, "data": "JVBERg=="}))
            }
            ("GET", ["profile"]) => Told::json(json!({"emailAddress": "ADA@example.com", "historyId": "1"})),
            ("POST", ["messages", "send"]) => {
                let thread = body["threadId"].as_str().unwrap_or("t9").to_owned();
                Told::json(self.keep(&thread, &["SENT"]))
            }
            ("POST", ["labels"]) => {
                let name = body["name"].as_str().unwrap().to_owned();
                if self.labels.contains(&name) {
                    return Told::error(409, "aborted", "Label name exists or conflicts");
                }
                self.labels.push(name.clone());
                Told::json(
                    json!({"id": format!("Label_{}", self.labels.len()), "name": name, "type": "user"}),
                )
            }
            ("POST", ["messages", id, "modify"]) => {
                let message = self.messages.iter_mut().find(|message| message.0 == *id).unwrap();
                let list = |name: &str| -> Vec<String> {
                    serde_json::from_value(body[name].clone()).unwrap_or_default()
                };
                message.2.retain(|label| !list("removeLabelIds").contains(label));
                message.2.extend(list("addLabelIds"));
                Told::json(self.message(id))
            }
            ("POST", ["drafts"]) => {
                let id = format!("d{}", self.drafts.len() + 1);
                self.drafts.push((id.clone(), body));
                Told::json(json!({"id": id, "message": {"id": "m0", "threadId": "t5"}}))
            }
            ("POST", ["drafts", "send"]) => {
                let before = self.drafts.len();
                self.drafts.retain(|draft| draft.0 != body["id"].as_str().unwrap());
                if self.drafts.len() == before {
                    return Told::error(404, "notFound", "Requested entity was not found.");
                }
                Told::json(self.keep("t5", &["SENT"]))
            }
            _ => panic!("{line}"),
        }
    }
}

#[tokio::test]
async fn a_day_of_mail() {
    let mailbox = Arc::new(Mutex::new(Mailbox::with_an_invitation()));
    let service = Arc::clone(&mailbox);
    let harness =
        with(Gmail::new(), move |asked| service.lock().unwrap().answer(asked)).build().await.unwrap();
    let day = |tool: &'static str, arguments: Value| call(&harness, tool, arguments, None);

    // The account is the one that was meant.
    let health = harness.session().check("gmail").await.unwrap();
    assert!(String::from_utf8_lossy(&health.account).contains("ADA@example.com"));

    // Search, and read what was found.
    let found = day("list_messages", json!({"query": "from:bob subject:budget"})).await.unwrap();
    let found = &found["items"][0];
    assert_eq!((&found["subject"], &found["from"]), (&json!("Budget"), &json!("Bob <bob@example.com>")));
    let message = day("get_message", json!({"id": found["id"]})).await.unwrap();
    assert_eq!((&message["text"], &message["attachments"][0]["name"]), (&json!("Yes?"), &json!("plan.pdf")));
    let part = &message["attachments"][0]["part_id"];
    let file = day("get_attachment", json!({"message_id": message["id"], "part_id": part})).await.unwrap();
    assert_eq!(
        (&file["name"], &file["size"], &file["media_type"]),
        (&json!("plan.pdf"), &json!(4), &json!("application/pdf"))
    );

    // Answer everybody with a file.
    let handle = stored(&harness, "answer.txt", "text/plain", b"42".to_vec()).await;
    let answer =
        json!({"id": message["id"], "reply_all": true, "text": "Yes.", "attachments": [{"handle": handle}]});
    let answer = day("reply_to_message", answer).await.unwrap();
    assert_eq!(answer["thread_id"], message["thread_id"]);
    let request = harness.requests().last().unwrap().json();
    assert_eq!(request["threadId"], "t1");
    let head = headers(&raw(&request));
    for line in [
        "To: \"Bob\" <bob@example.com>",
        "Cc: \"Cy, the third\" <cy@example.com>",
        "Subject: Re: Budget",
        "In-Reply-To: <first@example.com>",
        "References: <first@example.com>",
    ] {
        assert!(head.iter().any(|have| have == line), "{line}: {head:?}");
    }
    assert!(raw(&request).contains("filename=\"answer.txt\""));

    // Send it on, its file with it.
    day("forward_message", json!({"id": message["id"], "to": ["dan@example.com"], "text": "See below."}))
        .await
        .unwrap();
    let forwarded = raw(&harness.requests().last().unwrap().json());
    assert!(
        forwarded.contains("Subject: Fwd: Budget")
            && forwarded.contains("JVBERg==")
            && forwarded.contains("Yes?")
    );

    // File it away.
    let label = day("create_label", json!({"name": "Budget"})).await.unwrap();
    let again = day("create_label", json!({"name": "Budget"})).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Conflict);
    day("modify_message_labels", json!({"id": message["id"], "add": [label["id"]]})).await.unwrap();
    day("mark_message_read", json!({"id": message["id"]})).await.unwrap();
    let filed = day("archive_message", json!({"id": message["id"]})).await.unwrap();
    assert_eq!(filed["label_ids"], json!(["Label_1"]));

    // Draft, and send; what was sent is not sent again.
    let draft = day("create_draft", json!({"to": ["eve@example.com"], "subject": "Plan", "text": "Soon."}))
        .await
        .unwrap();
    let sent = day("send_draft", json!({"id": draft["id"]})).await.unwrap();
    assert_eq!((&sent["thread_id"], &sent["label_ids"]), (&json!("t5"), &json!(["SENT"])));
    let twice = day("send_draft", json!({"id": draft["id"]})).await.unwrap_err();
    assert_eq!(twice.kind(), ErrorKind::NotFound);
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_walk_goes_on_after_a_rate_limit() {
    let asked_for = Arc::new(Mutex::new(Vec::new()));
    let pages = Arc::clone(&asked_for);
    let service = move |asked: &Asked| {
        let cursor = asked.query("pageToken").unwrap_or_default();
        let mut pages = pages.lock().unwrap();
        pages.push(cursor.clone());
        match (&*cursor, pages.len()) {
            ("", _) => {
                Told::json(json!({"messages": [{"id": "m1", "threadId": "t1"}], "nextPageToken": "two"}))
            }
            ("two", 2) => {
                Told::error(429, "rateLimitExceeded", "User-rate limit exceeded.").header("retry-after", "7")
            }
            ("two", _) => Told::json(json!({"messages": [{"id": "m2", "threadId": "t2"}]})),
            other => panic!("{other:?}"),
        }
    };
    let harness = with(Gmail::new(), service)
        .hub(|hub| hub.configure(|settings| settings.http.retry.max_attempts = 1))
        .build()
        .await
        .unwrap();
    let list = ListMessages { ids_only: true, ..ListMessages::default() };
    let mut walk = tool_connect_core::items(list, |page| harness.run(page));
    assert_eq!(walk.next().await.unwrap().unwrap().id, "m1");
    let limited = walk.next().await.unwrap().unwrap_err();
    assert_eq!(
        (limited.kind(), limited.retry_advice()),
        (ErrorKind::RateLimited, Retry::After(std::time::Duration::from_secs(7)))
    );
    harness.clock().advance(std::time::Duration::from_secs(8));
    assert_eq!(walk.next().await.unwrap().unwrap().id, "m2");
    assert!(walk.next().await.is_none());
    drop(walk);
    assert_eq!(*asked_for.lock().unwrap(), ["", "two", "two"]);
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_missing_scope_is_asked_for_by_name() {
    let readonly = "https://www.googleapis.com/auth/gmail.readonly";
    let harness =
        with(Gmail::new(), |asked| panic!("{}", asked.line())).scopes([readonly]).build().await.unwrap();
    let mail = json!({"to": ["a@b.c"], "subject": "x"});
    let outcome = harness
        .execute(ToolCall::new("gmail.send_message", serde_json::to_vec(&mail).unwrap()))
        .await
        .unwrap();
    let ToolOutcome::InputRequired(required) = outcome else { panic!("{outcome:?}") };
    let InputRequest::Connect { scopes, .. } = &required.request else { panic!("{:?}", required.request) };
    assert_eq!(scopes, &["https://www.googleapis.com/auth/gmail.send"], "the least that does");
}

#[tokio::test]
async fn a_wider_scope_is_enough() {
    let modify = "https://www.googleapis.com/auth/gmail.modify";
    let service = |asked: &Asked| match asked.method.as_str() {
        "GET" => Told::json(json!({"id": "m1", "threadId": "t1"})),
        _ => Told::json(json!({"id": "m2", "threadId": "t1"})),
    };
    let harness = with(Gmail::new(), service).scopes([modify]).build().await.unwrap();
    call(&harness, "get_message", json!({"id": "m1"}), None).await.unwrap();
    call(&harness, "send_message", json!({"to": ["a@b.c"], "subject": "x"}), None).await.unwrap();
}

#[tokio::test]
async fn errors_of_a_mailbox_say_what_to_do() {
    let challenge = "Bearer realm=\"https://accounts.google.com/\", error=\"insufficient_scope\", \
                     scope=\"https://www.googleapis.com/auth/gmail.send https://mail.google.com/\"";
    let told: Vec<(Told, ErrorKind, &str)> = vec![
        (
            Told::error(400, "failedPrecondition", "Mail service not enabled"),
            ErrorKind::Provider,
            "Mail service not enabled",
        ),
        (
            Told::error(400, "invalidArgument", "Invalid to header"),
            ErrorKind::InvalidArguments,
            "Invalid to header",
        ),
        (
            Told::error(403, "insufficientPermissions", "Insufficient Permission")
                .header("www-authenticate", challenge),
            ErrorKind::Forbidden,
            "https://www.googleapis.com/auth/gmail.send, https://mail.google.com/",
        ),
        (
            Told::error(403, "domainPolicy", "The domain administrators have disabled Gmail apps."),
            ErrorKind::Forbidden,
            "administrator",
        ),
        (
            Told::error(403, "dailyLimitExceeded", "Daily Limit Exceeded"),
            ErrorKind::RateLimited,
            "within a day",
        ),
        (
            Told::error(429, "userRateLimitExceeded", "User-rate limit exceeded"),
            ErrorKind::RateLimited,
            "wait before",
        ),
        (Told::error(401, "authError", "Account has been deleted"), ErrorKind::NeedsReauth, "connect"),
    ];
    for (answer, kind, says) in told {
        let answer = Mutex::new(Some(answer));
        let harness =
            with(Gmail::new(), move |_: &Asked| answer.lock().unwrap().take().unwrap_or(Told::empty(401)))
                .hub(|hub| hub.configure(|settings| settings.http.retry.max_attempts = 1))
                .build()
                .await
                .unwrap();
        let error =
            call(&harness, "send_message", json!({"to": ["a@b.c"], "subject": "x"}), None).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.public_message().contains(says), "{}", error.public_message());
    }
    let harness =
        with(Gmail::new(), |_: &Asked| Told::error(404, "notFound", "Requested entity was not found."))
            .build()
            .await
            .unwrap();
    let error = call(&harness, "list_history", json!({"start_history_id": "7"}), None).await.unwrap_err();
    assert!(error.public_message().contains("`get_profile`"), "{}", error.public_message());
    let error = call(&harness, "get_attachment", json!({"message_id": "m1", "part_id": "3"}), None)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_message_that_went_meanwhile_keeps_its_place_in_the_list() {
    let service = |asked: &Asked| match asked.url.path() {
        "/gmail/v1/users/me/messages" => {
            Told::json(json!({"messages": [{"id": "m1", "threadId": "t1"}, {"id": "m2", "threadId": "t2"}]}))
        }
        "/gmail/v1/users/me/messages/m1" => Told::error(404, "notFound", "Requested entity was not found."),
        _ => Told::json(json!({"id": "m2", "threadId": "t2", "snippet": "hi"})),
    };
    let harness = with(Gmail::new(), service).build().await.unwrap();
    let page = call(&harness, "list_messages", json!({}), None).await.unwrap();
    assert_eq!(
        page["items"],
        json!([{"id": "m1", "thread_id": "t1"}, {"id": "m2", "thread_id": "t2", "snippet": "hi"}])
    );
}

#[tokio::test]
async fn an_answer_to_a_message_of_ones_own_goes_to_the_same_people() {
    let original = |labels: Value, more: Value| {
        let mut heads = vec![
            json!({"name": "From", "value": "Ada <ada@example.com>"}),
            json!({"name": "To", "value": "bob@example.com"}),
        ];
        heads.extend(more.as_array().unwrap().clone());
        json!({"id": "m1", "threadId": "t1", "labelIds": labels, "payload": {"headers": heads}})
    };
    let reply_to = json!([{"name": "Reply-To", "value": "list@example.com"}]);
    for (message, to) in [
        (original(json!(["SENT"]), json!([])), "To: <bob@example.com>"),
        (original(json!(["INBOX"]), json!([])), "To: \"Ada\" <ada@example.com>"),
        (original(json!(["INBOX"]), reply_to), "To: <list@example.com>"),
    ] {
        let service = move |asked: &Asked| match asked.method.as_str() {
            "GET" => Told::json(message.clone()),
            _ => Told::json(json!({"id": "m2", "threadId": "t1"})),
        };
        let harness = with(Gmail::new(), service).build().await.unwrap();
        call(&harness, "reply_to_message", json!({"id": "m1", "text": "x"}), None).await.unwrap();
        let head = headers(&raw(&harness.requests()[1].json()));
        assert!(head.iter().any(|line| line == to), "{to}: {head:?}");
    }
}
