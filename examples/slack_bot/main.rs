//! A bot that answers in Slack: it reads a channel, and answers who speaks to it in a thread.
//!
//! ```sh
//! cargo run --example slack_bot                                        # a workspace inside this process, no account, no network
//! SLACK_BOT_TOKEN=xoxb-.. SLACK_CHANNEL=C012AB3CD cargo run --example slack_bot   # your workspace, until Ctrl-C
//! ```
//!
//! The bot needs the scopes `channels:history`, `chat:write`, `reactions:write` and `users:read`, and must be in the channel. Say
//! `@bot help` to it.
#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

mod workspace;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tool_connect::connectors::slack::{
    AddReaction, GetIdentity, GetUser, ListMessages, Message, ScheduleMessage, SendMessage, Slack,
};
use tool_connect::{
    Connection, ConnectionId, Credential, ErrorKind, Hub, InstanceId, Owner, Principal, Result, Retry,
    Session, StaticCredentials,
};

/// So often the channel is read; Slack bears 50 times a minute.
const PAUSE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let given = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let live = given("SLACK_BOT_TOKEN");
    let channel = match (&live, given("SLACK_CHANNEL")) {
        (Some(_), Some(channel)) => channel,
        (Some(_), None) => {
            return Err("SLACK_CHANNEL must hold the id of a channel, such as C012AB3CD".into());
        }
        (None, _) => workspace::CHANNEL.to_owned(),
    };

    // The token stays with the host; tools get a client that is signed with it.
    let credentials = Arc::new(StaticCredentials::new());
    let builder = Hub::builder().connector(Slack::new()).credentials(Arc::clone(&credentials) as _);
    let inside = Arc::new(workspace::Workspace::default());
    let hub = match &live {
        Some(_) => builder.build()?,
        None => builder.transport(Arc::clone(&inside) as _).build()?,
    };
    let ada = Principal::user("acme", "ada")?;
    let owner = Owner::User(ada.user.clone());
    let connection =
        Connection::new(ConnectionId::new("bot")?, ada.tenant.clone(), owner, InstanceId::new("slack")?);
    let connection = hub.put_connection(connection).await?;
    let token = live.clone().unwrap_or_else(|| "xoxb-inside".to_owned());
    credentials.set(connection.tenant, connection.id, Credential::token(token));

    let session = hub.session(ada);
    let me = session.run(GetIdentity::default()).await?;
    println!(
        "I am {} in {}.",
        me.user.as_deref().unwrap_or("a bot"),
        me.team.as_deref().unwrap_or("a workspace")
    );
    let mut bot = Bot { session, me: me.user_id.clone(), channel, seen: seen_until(live.is_some()) };
    if live.is_some() {
        println!("Reading {} every {} s; Ctrl-C ends me.", bot.channel, PAUSE.as_secs());
        loop {
            let pause = bot.look().await;
            tokio::time::sleep(pause).await;
        }
    }
    for _ in workspace::SAID {
        inside.somebody_speaks();
        bot.look().await;
    }
    println!("\nWhat stands in the channel now:\n{}", inside.shown());
    println!("{}", inside.counted());
    Ok(hub.shutdown().await?)
}

/// Where reading begins: with what is said from now on.
fn seen_until(live: bool) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    if live { format!("{now}.000000") } else { "0".to_owned() }
}

struct Bot {
    session: Session,
    /// The bot's own user.
    me: String,
    channel: String,
    /// `ts` of the last message that was read.
    seen: String,
}

impl Bot {
    /// Reads what is new and answers what is meant for the bot. Says how long to wait before the next time.
    async fn look(&mut self) -> Duration {
        match self.answer_all().await {
            Ok(()) => PAUSE,
            // The reader of a limit's error waits as long as it says; others are told, and the bot goes on.
            Err(error) => {
                println!("  ! {}", error.public_message());
                match error.retry_advice() {
                    Retry::After(wait) => wait.max(PAUSE),
                    _ => PAUSE,
                }
            }
        }
    }

    async fn answer_all(&mut self) -> Result<()> {
        let list = ListMessages {
            channel: self.channel.clone(),
            oldest: Some(self.seen.clone()),
            page_size: Some(15),
            ..ListMessages::default()
        };
        // Newest first, and answered in the order in which they were said.
        let mut new = self.session.run(list).await?.items;
        new.reverse();
        for message in new {
            // Before the answer: a message is never answered twice, whatever becomes of the answer.
            self.seen.clone_from(&message.ts);
            let mention = format!("<@{}>", self.me);
            let Some(request) = message.text.strip_prefix(&mention).map(str::trim) else { continue };
            println!("\n{}: {request}", message.user.as_deref().unwrap_or("somebody"));
            if let Err(error) = self.answer(&message, request).await {
                println!("  ! {} ({})", error.public_message(), error.kind().as_str());
            }
        }
        Ok(())
    }

    async fn answer(&self, message: &Message, request: &str) -> Result<()> {
        let eyes = AddReaction { channel: self.channel.clone(), ts: message.ts.clone(), name: "eyes".into() };
        match self.session.run(eyes).await {
            Err(error) if error.kind() != ErrorKind::Conflict => return Err(error),
            _ => println!("  reacted with :eyes:"),
        }
        let (text, plain_text) = if request == "help" {
            ("*help*, *who am i*, *remind me: something*, *say: something*".to_owned(), false)
        } else if request == "who am i" {
            (self.who(message).await?, true)
        } else if let Some(what) = request.strip_prefix("remind me:") {
            (self.remind(what.trim()).await?, true)
        } else if let Some(what) = request.strip_prefix("say:") {
            // Words of others: nothing in them may call everybody, so they go out as plain text.
            (unescaped(what.trim()), true)
        } else {
            ("I do not know that. Try *help*.".to_owned(), false)
        };
        let reply = SendMessage {
            channel: self.channel.clone(),
            text: Some(text),
            plain_text,
            thread_ts: Some(message.thread_ts.clone().unwrap_or_else(|| message.ts.clone())),
            ..SendMessage::default()
        };
        let reply = self.session.run(reply).await?;
        println!("  answered in the thread, ts {}", reply.ts);
        Ok(())
    }

    async fn who(&self, message: &Message) -> Result<String> {
        let Some(user) = message.user.clone() else { return Ok("A bot, like me.".to_owned()) };
        let user = self.session.run(GetUser { user, whole: false }).await?;
        let name = user.real_name.as_deref().or(user.name.as_deref()).unwrap_or("somebody");
        Ok(format!("You are {name}, in {}.", user.tz.as_deref().unwrap_or("no time zone")))
    }

    async fn remind(&self, what: &str) -> Result<String> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let later = ScheduleMessage {
            channel: self.channel.clone(),
            post_at: i64::try_from(now.as_secs()).unwrap_or(i64::MAX).saturating_add(60 * 60),
            text: Some(format!("A reminder: {}", unescaped(what))),
            plain_text: true,
            ..ScheduleMessage::default()
        };
        let waiting = self.session.run(later).await?;
        println!("  scheduled a message, {}", waiting.scheduled_message_id);
        Ok(format!("In an hour I will remind everybody here: {}", unescaped(what)))
    }
}

/// The text that mrkdwn stands for, which the tool escapes again.
fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
