//! A day's work as one test, with a workspace that remembers: ids flow from answers into later calls.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{Request, Response};
use serde_json::{Map, Value, json};
use tool_connect_connectors::provider::FileInput;
use tool_connect_connectors::slack::{
    AddReaction, ArchiveConversation, CreateConversation, DeleteFile, DeleteMessage, DeleteScheduledMessage,
    DownloadFile, FindUserByEmail, GetMessage, GetPermalink, InviteToConversation, JoinConversation,
    ListConversations, ListMessages, ListPins, ListReplies, ListScheduledMessages, PinMessage,
    RemoveReaction, ScheduleMessage, SearchMessages, SendMessage, SetTopic, Slack, SlackUser,
    UnarchiveConversation, UnpinMessage, UpdateMessage, UploadFile,
};
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{ErrorKind, Result};
use tool_connect_testkit::Harness;

/// A workspace of Slack's, as far as a day needs it.
#[derive(Default)]
struct Workspace(Mutex<State>);

#[derive(Default)]
struct State {
    channels: Vec<Value>,
    /// Each with its `channel`.
    messages: Vec<Value>,
    pins: Vec<Value>,
    scheduled: Vec<Value>,
    files: Vec<(Value, Bytes)>,
    made: u32,
}

impl Workspace {
    fn new() -> Arc<Self> {
        let mut state = State::default();
        for (id, name, member) in
            [("C1", "general", true), ("C2", "random", false), ("C3", "releases", false)]
        {
            state.channels.push(json!({"id": id, "name": name, "is_member": member, "is_archived": false}));
        }
        for text in ["One is out", "Two is near", "Three is a dream"] {
            state.write("C3", json!({"text": text, "user": "U1"}));
        }
        Arc::new(Self(Mutex::new(state)))
    }
}

impl State {
    fn id(&mut self, letter: &str) -> String {
        self.made += 1;
        format!("{letter}{:03}", self.made)
    }

    fn write(&mut self, channel: &str, mut message: Value) -> Value {
        self.made += 1;
        message["ts"] = format!("17000000{:02}.000100", self.made).into();
        message["channel"] = channel.into();
        self.messages.push(message.clone());
        message
    }

    fn at(&mut self, given: &Value) -> std::result::Result<&mut Value, &'static str> {
        let ts = if given["ts"].is_null() { &given["timestamp"] } else { &given["ts"] };
        let found = self.messages.iter_mut().find(|m| m["channel"] == given["channel"] && m["ts"] == *ts);
        found.ok_or("message_not_found")
    }

    /// The channel; one that can be written in where `writing`.
    fn channel(&mut self, given: &Value, writing: bool) -> std::result::Result<&mut Value, &'static str> {
        let id = if given["channel"].is_null() { &given["channel_id"] } else { &given["channel"] };
        let channel = self.channels.iter_mut().find(|c| c["id"] == *id).ok_or("channel_not_found")?;
        match (channel["is_archived"] == true, channel["is_member"] == true) {
            (true, _) if writing => Err("is_archived"),
            (_, false) if writing => Err("not_in_channel"),
            _ => Ok(channel),
        }
    }

    fn method(&mut self, name: &str, given: &Value) -> std::result::Result<Value, &'static str> {
        let text = |key: &str| given[key].as_str().unwrap_or_default().to_owned();
        Ok(match name {
            "conversations.list" => paged("channels", &self.channels, given),
            "conversations.create" => {
                let id = self.id("C");
                let channel =
                    json!({"id": id, "name": given["name"], "is_member": true, "is_archived": false});
                self.channels.push(channel.clone());
                json!({"channel": channel})
            }
            "conversations.join" => {
                let channel = self.channel(given, false)?;
                channel["is_member"] = true.into();
                json!({"channel": channel})
            }
            "conversations.invite" => json!({"channel": self.channel(given, true)?}),
            "conversations.archive" | "conversations.unarchive" => {
                self.channel(given, false)?["is_archived"] = (name == "conversations.archive").into();
                json!({})
            }
            "conversations.setTopic" => {
                self.channel(given, true)?["topic"] = json!({"value": given["topic"]});
                json!({})
            }
            "conversations.history" | "conversations.replies" => {
                self.channel(given, false)?;
                let thread = given["ts"].as_str();
                let of = |m: &&Value| {
                    let here = m["channel"] == given["channel"];
                    here && match thread {
                        Some(ts) => m["ts"] == ts || m["thread_ts"] == ts,
                        None => m["thread_ts"].is_null(),
                    }
                };
                let mut found: Vec<Value> = self.messages.iter().filter(of).cloned().collect();
                if thread.is_none() {
                    found.reverse();
                }
                if let Some(latest) = given["latest"].as_str() {
                    found.retain(|m| m["ts"].as_str() <= Some(latest));
                }
                paged("messages", &found, given)
            }
            "chat.postMessage" => {
                self.channel(given, true)?;
                let message = json!({"text": given["text"], "bot_id": "B9", "thread_ts": given["thread_ts"]});
                let message = self.write(&text("channel"), message);
                json!({"channel": given["channel"], "ts": message["ts"], "message": message})
            }
            "chat.update" => {
                self.at(given)?["text"] = given["text"].clone();
                json!({"channel": given["channel"], "ts": given["ts"]})
            }
            "chat.delete" => {
                self.at(given)?;
                self.messages.retain(|m| m["ts"] != given["ts"]);
                json!({})
            }
            "chat.getPermalink" => {
                json!({"permalink": format!("https://acme.slack.com/archives/{}/p{}", text("channel"), text("message_ts").replace('.', ""))})
            }
            "chat.scheduleMessage" => {
                let id = self.id("Q");
                let waiting = json!({"id": id, "channel_id": given["channel"], "post_at": given["post_at"], "text": given["text"]});
                self.scheduled.push(waiting);
                json!({"scheduled_message_id": id, "channel": given["channel"], "post_at": given["post_at"]})
            }
            "chat.scheduledMessages.list" => paged("scheduled_messages", &self.scheduled, given),
            "chat.deleteScheduledMessage" => {
                let before = self.scheduled.len();
                self.scheduled.retain(|q| q["id"] != given["scheduled_message_id"]);
                if self.scheduled.len() == before {
                    return Err("invalid_scheduled_message_id");
                }
                json!({})
            }
            "reactions.add" => {
                let name = given["name"].clone();
                let message = self.at(given)?;
                if message["reactions"][0]["name"] == name {
                    return Err("already_reacted");
                }
                message["reactions"] = json!([{"name": name, "count": 1, "users": ["U9"]}]);
                json!({})
            }
            "reactions.remove" => {
                self.at(given)?.as_object_mut().and_then(|m| m.remove("reactions")).ok_or("no_reaction")?;
                json!({})
            }
            "pins.add" => {
                let message = self.at(given)?.clone();
                self.pins.push(json!({"type": "message", "message": message}));
                json!({})
            }
            "pins.list" => json!({"items": self.pins}),
            "pins.remove" => {
                self.pins.retain(|pin| pin["message"]["ts"] != given["timestamp"]);
                json!({})
            }
            "users.lookupByEmail" if given["email"] == "ada@acme.example" => {
                json!({"user": {"id": "U1", "name": "ada", "profile": {"email": given["email"]}}})
            }
            "users.lookupByEmail" => return Err("users_not_found"),
            "files.getUploadURLExternal" => {
                let id = self.id("F");
                let file = json!({"id": id, "name": given["filename"], "mimetype": "text/plain"});
                self.files.push((file, Bytes::new()));
                json!({"file_id": id, "upload_url": format!("https://files.slack.com/upload/v1/{id}")})
            }
            "files.completeUploadExternal" => {
                self.channel(given, true)?;
                let id = &given["files"][0]["id"];
                let (file, bytes) =
                    self.files.iter_mut().find(|(file, _)| file["id"] == *id).ok_or("file_not_found")?;
                file["size"] = bytes.len().into();
                file["url_private"] =
                    format!("https://files.slack.com/files-pri/{}", file["id"].as_str().unwrap()).into();
                let file = file.clone();
                let message = json!({"text": given["initial_comment"], "thread_ts": given["thread_ts"], "files": [file]});
                self.write(&text("channel_id"), message);
                json!({"files": [file]})
            }
            "files.info" => {
                json!({"file": self.files.iter().find(|(f, _)| f["id"] == given["file"]).ok_or("file_not_found")?.0})
            }
            "files.delete" => {
                self.files.retain(|(file, _)| file["id"] != given["file"]);
                json!({})
            }
            "search.messages" => {
                let query = text("query");
                let found = self.messages.iter().filter(|m| m["text"].as_str().unwrap().contains(&query));
                let found: Vec<Value> = found
                    .map(|m| json!({"ts": m["ts"], "text": m["text"], "channel": {"id": m["channel"]}}))
                    .collect();
                json!({"messages": {"matches": found, "paging": {"page": 1, "pages": 1}}})
            }
            _ => return Err("unknown_method"),
        })
    }
}

/// A page of a list, by an offset.
fn paged(name: &str, all: &[Value], given: &Value) -> Value {
    let number = |key: &str| given[key].as_str().and_then(|text| text.parse().ok());
    let (from, limit): (usize, usize) = (number("cursor").unwrap_or(0), number("limit").unwrap());
    let end = all.len().min(from + limit);
    let next = if end < all.len() { end.to_string() } else { String::new() };
    json!({name: all[from..end], "response_metadata": {"next_cursor": next}})
}

#[async_trait]
impl Transport for Workspace {
    async fn send(&self, request: Request<RequestBody>, _: &TransportLimits) -> Result<Response<ByteStream>> {
        let (head, body) = request.into_parts();
        let body = match body {
            RequestBody::Bytes(bytes) => bytes,
            RequestBody::Stream(mut stream, _) => {
                let mut all = Vec::new();
                while let Some(piece) = stream.next().await {
                    all.extend_from_slice(&piece?);
                }
                all.into()
            }
            _ => Bytes::new(),
        };
        let mut state = self.0.lock().unwrap();
        let answer = |bytes: Bytes| Ok(Response::new(Box::pin(stream::iter([Ok(bytes)])) as ByteStream));
        let last = head.uri.path().rsplit('/').next().unwrap_or_default().to_owned();
        if head.uri.host() == Some("files.slack.com") {
            let known = head.headers.contains_key("authorization");
            let (_, bytes) = state.files.iter_mut().find(|(file, _)| file["id"] == last.as_str()).unwrap();
            if head.method == "POST" {
                assert!(!known, "an upload carries no token");
                *bytes = body;
                return answer(Bytes::from_static(b"OK"));
            }
            assert!(known, "a download carries the token");
            return answer(bytes.clone());
        }
        assert!(head.headers.contains_key("authorization"));
        let pairs = |text: &[u8]| -> Value {
            let pairs = url::form_urlencoded::parse(text);
            pairs.map(|(k, v)| (k.into_owned(), Value::from(v.into_owned()))).collect::<Map<_, _>>().into()
        };
        let given = match serde_json::from_slice(&body) {
            Ok(given) => given,
            Err(_) if head.method == "POST" => pairs(&body),
            Err(_) => pairs(head.uri.query().unwrap_or_default().as_bytes()),
        };
        let answered = match state.method(&last, &given) {
            Ok(mut good) => {
                good["ok"] = true.into();
                good
            }
            Err(code) => json!({"ok": false, "error": code}),
        };
        answer(answered.to_string().into())
    }
}

#[tokio::test]
async fn a_day_of_work() {
    let workspace = Workspace::new();
    let bot = Harness::builder(Slack::new()).transport(Arc::clone(&workspace) as _).build().await.unwrap();

    // Find the channel among all, whatever a page holds.
    let list = ListConversations {
        page_size: Some(2),
        exclude_archived: Some(true),
        ..ListConversations::default()
    };
    let channels: Vec<_> = bot.session().items(list).map(Result::unwrap).collect().await;
    let channel = channels.into_iter().find(|c| c.name.as_deref() == Some("releases")).unwrap().id;

    // The bot is not in it, is told what to do, and does it.
    let hello =
        SendMessage { channel: channel.clone(), text: Some("Four is out".into()), ..SendMessage::default() };
    let error = bot.run(hello.clone()).await.unwrap_err();
    assert!(error.public_message().contains("join_conversation"), "{error}");
    assert_eq!(bot.run(JoinConversation { channel: channel.clone() }).await.unwrap().is_member, Some(true));

    // Read what was said, page by page.
    let history = ListMessages { channel: channel.clone(), page_size: Some(1), ..ListMessages::default() };
    let said: Vec<String> = bot.session().items(history).map(|m| m.unwrap().text).collect().await;
    assert_eq!(said, ["Three is a dream", "Two is near", "One is out"]);

    // Post, reply in the thread, react, pin.
    let posted = bot.run(hello).await.unwrap();
    let at = posted.ts.clone();
    let reply = SendMessage {
        channel: channel.clone(),
        text: Some("Thanks to R&D".into()),
        plain_text: true,
        thread_ts: Some(at.clone()),
        ..SendMessage::default()
    };
    let reply = bot.run(reply).await.unwrap();
    let eyes = AddReaction { channel: channel.clone(), ts: at.clone(), name: "eyes".into() };
    bot.run(eyes.clone()).await.unwrap();
    assert_eq!(bot.run(eyes).await.unwrap_err().kind(), ErrorKind::Conflict);
    bot.run(PinMessage { channel: channel.clone(), ts: at.clone() }).await.unwrap();
    let pins = bot.run(ListPins { channel: channel.clone() }).await.unwrap();
    assert_eq!(pins[0].message.as_ref().unwrap().ts, at);

    // A file into the thread, and back.
    let upload = UploadFile {
        file: FileInput::bytes(b"what is new", "notes.txt"),
        channel: Some(channel.clone()),
        thread_ts: Some(at.clone()),
        initial_comment: Some("Notes".into()),
        ..UploadFile::default()
    };
    let file = bot.run(upload).await.unwrap();
    let got = bot.run(DownloadFile { file: file.id.clone() }).await.unwrap();
    assert_eq!((got.name.as_deref(), got.size), (Some("notes.txt"), 11));
    let thread = ListReplies { channel: channel.clone(), ts: at.clone(), ..ListReplies::default() };
    let thread: Vec<_> = bot.session().items(thread).map(Result::unwrap).collect().await;
    assert_eq!(
        thread.iter().map(|m| m.text.as_str()).collect::<Vec<_>>(),
        ["Four is out", "Thanks to R&amp;D", "Notes"]
    );
    assert_eq!(
        (thread[0].reactions[0].name.as_str(), thread[2].files[0].id.as_str()),
        ("eyes", file.id.as_str())
    );

    // Correct it; schedule a reminder; tell who is responsible; say what is going on.
    let update = UpdateMessage {
        channel: channel.clone(),
        ts: at.clone(),
        text: Some("Four is out!".into()),
        ..UpdateMessage::default()
    };
    bot.run(update).await.unwrap();
    let get = GetMessage { channel: channel.clone(), ts: at.clone(), ..GetMessage::default() };
    assert_eq!(bot.run(get).await.unwrap().text, "Four is out!");
    let later = ScheduleMessage {
        channel: channel.clone(),
        post_at: 1_900_000_000,
        text: Some("Five?".into()),
        ..ScheduleMessage::default()
    };
    let later = bot.run(later).await.unwrap();
    let waiting = bot.run(ListScheduledMessages::default()).await.unwrap();
    assert_eq!(waiting.items[0].scheduled_message_id, later.scheduled_message_id);
    let ada = bot.run(FindUserByEmail { email: "ada@acme.example".into(), whole: false }).await.unwrap();
    let unknown =
        bot.run(FindUserByEmail { email: "eve@acme.example".into(), whole: false }).await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
    bot.run(SetTopic { channel: channel.clone(), topic: "Four".into() }).await.unwrap();
    let link = bot.run(GetPermalink { channel: channel.clone(), ts: at.clone() }).await.unwrap().permalink;
    assert!(link.contains(&at.replace('.', "")), "{link}");

    // A channel for the next one, with her in it, and given up again.
    let next = CreateConversation { name: "release-5".into(), is_private: None };
    let next = bot.run(next).await.unwrap().id;
    let invite = InviteToConversation { channel: next.clone(), users: vec![ada.id.clone()], force: None };
    bot.run(invite).await.unwrap();
    bot.run(ArchiveConversation { channel: next.clone() }).await.unwrap();
    let too_late = SetTopic { channel: next.clone(), topic: "Five".into() };
    let error = bot.run(too_late.clone()).await.unwrap_err();
    assert!(error.public_message().contains("unarchive_conversation"), "{error}");
    bot.run(UnarchiveConversation { channel: next }).await.unwrap();
    bot.run(too_late).await.unwrap();

    // Search takes a user's own account, on the same workspace.
    let user =
        Harness::builder(SlackUser::new()).transport(Arc::clone(&workspace) as _).build().await.unwrap();
    let search = SearchMessages { query: "Four".into(), ..SearchMessages::default() };
    let found = user.run(search.clone()).await.unwrap();
    assert_eq!(
        (found.items[0].ts.as_str(), found.items[0].channel.id.as_str()),
        (at.as_str(), channel.as_str())
    );

    // Clean up.
    let take_back =
        DeleteScheduledMessage { channel: channel.clone(), scheduled_message_id: later.scheduled_message_id };
    bot.run(take_back.clone()).await.unwrap();
    assert_eq!(bot.run(take_back).await.unwrap_err().kind(), ErrorKind::NotFound);
    bot.run(UnpinMessage { channel: channel.clone(), ts: at.clone() }).await.unwrap();
    bot.run(RemoveReaction { channel: channel.clone(), ts: at.clone(), name: "eyes".into() }).await.unwrap();
    bot.run(DeleteFile { file: file.id }).await.unwrap();
    for ts in [reply.ts, at] {
        bot.run(DeleteMessage { channel: channel.clone(), ts }).await.unwrap();
    }
    assert!(user.run(search).await.unwrap().items.is_empty());
    assert!(bot.run(ListPins { channel }).await.unwrap().is_empty());
    user.finish().await.unwrap();
    bot.finish().await.unwrap();
}
