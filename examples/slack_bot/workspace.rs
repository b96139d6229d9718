//! A workspace inside this process, for those who have none at hand: one channel, two people, and a limit that is used up once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, Request, Response};
use serde_json::{Map, Value, json};
use tool_connect::Result;
use tool_connect::http::{ByteStream, RequestBody, Transport, TransportLimits};

/// The only channel.
pub(crate) const CHANNEL: &str = "C0GENERAL";

/// What people say, one thing after the other.
pub(crate) const SAID: [(&str, &str); 6] = [
    ("U0ADA", "Good morning"),
    ("U0ADA", "<@U0BOT> help"),
    ("U0ADA", "<@U0BOT> who am i"),
    ("U0ADA", "<@U0BOT> remind me: R&amp;D meets"),
    ("U0EVE", "<@U0BOT> say: &lt;!channel&gt; everybody awake?"),
    ("U0EVE", "<@U0BOT> who am i"),
];

#[derive(Default)]
pub(crate) struct Workspace(Mutex<State>);

#[derive(Default)]
struct State {
    messages: Vec<Value>,
    said: usize,
    scheduled: usize,
    requests: usize,
    limited: usize,
}

impl Workspace {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next of the people's messages.
    pub(crate) fn somebody_speaks(&self) {
        let mut state = self.state();
        if let Some((user, text)) = SAID.get(state.said) {
            state.said += 1;
            state.write(json!({"user": user, "text": text}));
        }
    }

    /// The channel as its members see it.
    pub(crate) fn shown(&self) -> String {
        let state = self.state();
        let text = |message: &Value, key: &str| message[key].as_str().unwrap_or_default().to_owned();
        let mut lines = String::new();
        for message in state.messages.iter().filter(|message| message["thread_ts"].is_null()) {
            let eyes = if message["reactions"].is_null() { "" } else { "  [:eyes: 1]" };
            lines.push_str(&format!("  {}: {}{eyes}\n", text(message, "user"), text(message, "text")));
            for reply in state.messages.iter().filter(|reply| reply["thread_ts"] == message["ts"]) {
                lines.push_str(&format!("    {}: {}\n", text(reply, "user"), text(reply, "text")));
            }
        }
        lines
    }

    pub(crate) fn counted(&self) -> String {
        let state = self.state();
        format!(
            "The workspace saw {} requests, {} of them turned away by its limit, and keeps {} message for later.",
            state.requests, state.limited, state.scheduled
        )
    }
}

impl State {
    fn write(&mut self, mut message: Value) -> String {
        let ts = format!("1700000{:03}.000100", self.messages.len() + 1);
        message["ts"] = ts.clone().into();
        self.messages.push(message);
        ts
    }

    fn method(&mut self, name: &str, given: &Value) -> std::result::Result<Value, &'static str> {
        if name.starts_with("conversations.") || name.starts_with("chat.") || name.starts_with("reactions.") {
            let channel = given["channel"].as_str();
            if channel != Some(CHANNEL) {
                return Err("channel_not_found");
            }
        }
        Ok(match name {
            "auth.test" => json!({"user": "helper", "user_id": "U0BOT", "team": "Acme", "team_id": "T0ACME"}),
            "conversations.history" => {
                let oldest = given["oldest"].as_str();
                let here = self.messages.iter().filter(|message| message["thread_ts"].is_null());
                let new: Vec<&Value> = here.filter(|message| message["ts"].as_str() > oldest).collect();
                json!({"messages": new.into_iter().rev().collect::<Vec<_>>()})
            }
            "reactions.add" => {
                let found = self.messages.iter_mut().find(|message| message["ts"] == given["timestamp"]);
                found.ok_or("message_not_found")?["reactions"] = json!([{"name": given["name"], "count": 1}]);
                json!({})
            }
            "users.info" if given["user"] == "U0ADA" => {
                json!({"user": {"id": "U0ADA", "name": "ada", "real_name": "Ada Lovelace", "tz": "Europe/London"}})
            }
            // Eve is of another organization.
            "users.info" => return Err("user_not_visible"),
            // Once, so that the host has something to wait for.
            "chat.postMessage" if self.limited == 0 => {
                self.limited += 1;
                return Err("ratelimited");
            }
            "chat.postMessage" => {
                let message =
                    json!({"user": "helper", "text": given["text"], "thread_ts": given["thread_ts"]});
                json!({"channel": CHANNEL, "ts": self.write(message)})
            }
            "chat.scheduleMessage" => {
                self.scheduled += 1;
                json!({"channel": CHANNEL, "scheduled_message_id": "Q0LATER", "post_at": given["post_at"]})
            }
            _ => return Err("unknown_method"),
        })
    }
}

#[async_trait]
impl Transport for Workspace {
    async fn send(&self, request: Request<RequestBody>, _: &TransportLimits) -> Result<Response<ByteStream>> {
        let (head, body) = request.into_parts();
        let given = match &body {
            RequestBody::Bytes(bytes) => serde_json::from_slice(bytes).unwrap_or_default(),
            _ => {
                let pairs = url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
                Value::Object(pairs.map(|(name, value)| (name.into(), value.into())).collect::<Map<_, _>>())
            }
        };
        let mut state = self.state();
        state.requests += 1;
        let method = head.uri.path().trim_start_matches("/api/");
        let answered = state.method(method, &given);
        let limited = answered == Err("ratelimited");
        let answer = match answered {
            Ok(mut good) => {
                good["ok"] = true.into();
                good
            }
            Err(code) => json!({"ok": false, "error": code}),
        };
        let body: ByteStream = Box::pin(stream::iter([Ok(Bytes::from(answer.to_string()))]));
        let mut response = Response::new(body);
        if limited {
            *response.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
            response.headers_mut().insert("retry-after", HeaderValue::from_static("1"));
        }
        Ok(response)
    }
}
