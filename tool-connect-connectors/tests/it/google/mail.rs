//! What a mail looks like that goes out, and how one that came in is read.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tool_connect_connectors::gmail::Gmail;
use tool_connect_core::ErrorKind;
use tool_connect_testkit::Harness;

use super::{Asked, Told, call, with};

/// Takes every message.
fn takes(asked: &Asked) -> Told {
    match asked.line().as_str() {
        "POST /gmail/v1/users/me/messages/send" => Told::json(json!({"id": "m9", "threadId": "t1"})),
        other => panic!("{other}"),
    }
}

pub(super) fn raw(request: &Value) -> String {
    let raw = request["raw"].as_str().or_else(|| request["message"]["raw"].as_str()).unwrap();
    String::from_utf8(URL_SAFE_NO_PAD.decode(raw).unwrap()).unwrap()
}

/// The headers of a message, unfolded.
pub(super) fn headers(message: &str) -> Vec<String> {
    let head = message.split_once("\r\n\r\n").unwrap().0;
    head.replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n").map(str::to_owned).collect()
}

async fn sent(arguments: Value) -> (Harness, String) {
    let harness = with(Gmail::new(), takes).build().await.unwrap();
    call(&harness, "send_message", arguments, None).await.unwrap();
    let message = raw(&harness.requests()[0].json());
    (harness, message)
}

#[tokio::test]
async fn a_mail_has_the_headers_that_were_asked_for_and_its_parts() {
    let (_harness, message) = sent(json!({
        "to": ["\"Lovelace, Ada\" <ada@example.com>", "bob@example.com"],
        "cc": ["Grün <gruen@example.com>"],
        "bcc": ["eve@example.com"],
        "subject": "Grüße aus Köln",
        "text": "Hällo",
        "html": "<p>Hällo</p>",
        "attachments": [{"base64": "JVBERg==", "name": "Plän \"1\".pdf", "media_type": "application/pdf"}],
    }))
    .await;
    let headers = headers(&message);
    let of = |name: &str| {
        headers
            .iter()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")))
            .unwrap_or_else(|| panic!("{name}: {headers:?}"))
    };
    assert_eq!(of("To"), "\"Lovelace, Ada\" <ada@example.com>, <bob@example.com>");
    assert_eq!(of("Bcc"), "<eve@example.com>");
    assert!(of("Cc").starts_with("=?utf-8?") && of("Cc").ends_with("<gruen@example.com>"), "{}", of("Cc"));
    assert!(of("Subject").starts_with("=?utf-8?"), "{}", of("Subject"));
    assert!(of("Message-ID").ends_with("@tool-connect.invalid>"));
    assert!(of("Date").contains("1970") || of("Date").contains("20"), "{}", of("Date"));
    assert!(of("Content-Type").starts_with("multipart/mixed"));
    assert_eq!(headers.iter().filter(|line| line.starts_with("MIME-Version: 1.0")).count(), 1);
    for part in ["multipart/alternative", "text/plain", "text/html", "application/pdf", "JVBERg=="] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(message.is_ascii(), "what is not ASCII is encoded");
    assert!(message.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])));
}

#[tokio::test]
async fn no_argument_adds_a_header() {
    let refused = [
        (json!({"to": ["a@b.c\r\nBcc: eve@example.com"], "subject": "x"}), "/to/0"),
        (json!({"to": ["A\r\nBcc: eve@example.com <a@b.c>"], "subject": "x"}), "/to/0"),
        (json!({"to": ["a@b.c"], "cc": ["a@b.c\nX: y"], "subject": "x"}), "/cc/0"),
        (json!({"to": ["a@b.c"], "bcc": ["a@b.c, d@e.f"], "subject": "x"}), "/bcc/0"),
        (json!({"to": ["a@b.c"], "subject": "x\r\nBcc: eve@example.com"}), "/subject"),
        (json!({"to": ["a@b.c"], "subject": "x\nBcc: eve@example.com"}), "/subject"),
        (json!({"to": ["a@b.c"], "subject": "x\u{0}"}), "/subject"),
        (json!({"to": ["a@b.c"], "from": "a@b.c\r\nX: y", "subject": "x"}), "/from"),
        (
            json!({"to": ["a@b.c"], "subject": "x", "attachments": [{"base64": "", "name": "a\r\nX: y"}]}),
            "/attachments/0/name",
        ),
        (
            json!({"to": ["a@b.c"], "subject": "x", "attachments": [{"base64": "", "media_type": "text/plain\r\nX: y"}]}),
            "/attachments/0/media_type",
        ),
        (json!({"subject": "x"}), "/to"),
    ];
    let harness = with(Gmail::new(), takes).build().await.unwrap();
    for (arguments, pointer) in refused {
        let error = call(&harness, "send_message", arguments, None).await.unwrap_err();
        assert_eq!((error.kind(), &*error.problems()[0].pointer), (ErrorKind::InvalidArguments, pointer));
        assert!(!error.public_message().contains("eve@"), "no argument's value is told");
    }
    assert!(harness.requests().is_empty());

    // Text is text, whatever it says.
    let (_harness, message) =
        sent(json!({"to": ["a@b.c"], "subject": "x", "text": "a\r\n.\r\nBcc: eve@example.com"})).await;
    assert!(!headers(&message).iter().any(|line| line.starts_with("Bcc")));
}

#[tokio::test]
async fn a_mail_has_the_name_of_its_call() {
    let harness = with(Gmail::new(), takes).build().await.unwrap();
    let mail = json!({"to": ["a@b.c"], "subject": "x", "text": "y"});
    let sent = call(&harness, "send_message", mail.clone(), Some("k1")).await.unwrap();
    let id = sent["message_id"].as_str().unwrap();
    let other = with(Gmail::new(), takes).build().await.unwrap();
    assert_eq!(call(&other, "send_message", mail.clone(), Some("k1")).await.unwrap()["message_id"], id);
    assert_ne!(call(&other, "send_message", mail.clone(), Some("k2")).await.unwrap()["message_id"], id);
    assert_ne!(call(&other, "send_message", mail, None).await.unwrap()["message_id"], id);
    assert!(raw(&harness.requests()[0].json()).contains(&format!("Message-ID: <{id}>")));
    // A repeated call of the same key is answered without a request.
    let mail = json!({"to": ["a@b.c"], "subject": "x", "text": "y"});
    assert_eq!(call(&harness, "send_message", mail, Some("k1")).await.unwrap()["message_id"], id);
    assert_eq!(harness.requests().len(), 1);
}

#[tokio::test]
async fn a_mail_of_which_nobody_knows_is_not_sent_again() {
    for answer in
        [|| Told::Broken, || Told::empty(503), || Told::Answer(200, Vec::new(), b"{\"id\": \"m".to_vec())]
    {
        let harness = with(Gmail::new(), move |_: &Asked| answer()).build().await.unwrap();
        let mail = json!({"to": ["a@b.c"], "subject": "x", "text": "y"});
        let error = call(&harness, "send_message", mail, Some("k1")).await.unwrap_err();
        assert!(error.public_message().contains("in:sent rfc822msgid:"), "{}", error.public_message());
        assert_eq!(harness.requests().len(), 1, "sent once");
    }
    // Where it is proven that nothing was sent, it is.
    let first = std::sync::atomic::AtomicBool::new(true);
    let service = move |asked: &Asked| {
        if first.swap(false, std::sync::atomic::Ordering::Relaxed) {
            return Told::error(429, "rateLimitExceeded", "Too many concurrent requests for user");
        }
        takes(asked)
    };
    let harness = with(Gmail::new(), service).build().await.unwrap();
    let mail = json!({"to": ["a@b.c"], "subject": "x", "text": "y"});
    let ended = call(&harness, "send_message", mail, None).await;
    if let Err(error) = &ended {
        assert_eq!(error.kind(), ErrorKind::RateLimited);
    }
}

#[tokio::test]
async fn a_mail_that_is_too_large_is_not_sent() {
    let harness = with(Gmail::new(), takes).build().await.unwrap();
    let handle = super::stored(&harness, "big.bin", "application/octet-stream", vec![0; 27_000_000]).await;
    let mail = json!({"to": ["a@b.c"], "subject": "x", "attachments": [{"handle": handle}]});
    let error = call(&harness, "send_message", mail, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.public_message().contains("35 MB"), "{}", error.public_message());
    assert!(harness.requests().is_empty());
}

#[tokio::test]
async fn the_text_of_a_mail_is_read_out_of_its_parts() {
    let body = |text: &str| json!({"size": text.len(), "data": URL_SAFE_NO_PAD.encode(text)});
    let part = |kind: &str, text: &str| json!({"mimeType": kind, "body": body(text)});
    let read = |payload: Value| async move {
        let service = move |_: &Asked| {
            Told::json(
                json!({"id": "m1", "threadId": "t1", "internalDate": "1796052896000", "payload": payload}),
            )
        };
        let harness = with(Gmail::new(), service).build().await.unwrap();
        call(&harness, "get_message", json!({"id": "m1", "html": true}), None).await.unwrap()
    };
    let both = read(json!({"mimeType": "multipart/alternative", "parts": [part("text/plain", "plain"), part("text/html", "<b>html</b>")]})).await;
    assert_eq!(
        (&both["text"], &both["html"], &both["date"]),
        (&json!("plain"), &json!("<b>html</b>"), &json!("2026-11-30T15:34:56Z"))
    );
    let html = read(part("text/html", "<style>p{}</style><script>x()</script><p>Dear <b>Ada</b>,</p><ul><li>one<li><a href=\"https://example.com/\">two</a></ul>")).await;
    let text = html["text"].as_str().unwrap();
    assert!(text.contains("Dear **Ada**,") || text.contains("Dear Ada,"), "{text}");
    assert!(text.contains("* one") && text.contains("https://example.com/"), "{text}");
    assert!(!text.contains("x()") && !text.contains("p{}"), "{text}");
    let with_file = read(json!({"mimeType": "multipart/mixed", "parts": [
        part("text/plain", "see"),
        {"partId": "1", "mimeType": "text/plain", "filename": "notes.txt", "body": {"attachmentId": "x", "size": 5}},
        {"partId": "2", "mimeType": "message/rfc822", "filename": "", "body": {"size": 5}, "parts": [part("text/plain", "inner")]},
    ]}))
    .await;
    assert_eq!(with_file["text"], "see");
    assert_eq!(
        with_file["attachments"][0],
        json!({"part_id": "1", "name": "notes.txt", "media_type": "text/plain", "size": 5})
    );
    assert_eq!(with_file["attachments"][1]["part_id"], "2");
    // Nothing that Gmail leaves out is missed.
    assert_eq!(read(json!({})).await["id"], "m1");
}
