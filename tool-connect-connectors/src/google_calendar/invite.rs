//! Who comes to an event, who is told, and what else may be said of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tool_connect_core::{Error, Result, ToolArgs};

/// Who is told by mail of what is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum SendUpdates {
    /// Everybody who is invited.
    All,
    /// Only those who do not use Google Calendar.
    ExternalOnly,
    /// Nobody.
    None,
}

impl SendUpdates {
    pub(super) fn wire(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::ExternalOnly => "externalOnly",
            Self::None => "none",
        }
    }
}

/// Whether an event's time counts as busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum Transparency {
    /// Busy.
    Opaque,
    /// Free.
    Transparent,
}

/// Who sees an event's details.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Who sees the calendar's other events.
    Default,
    /// Everybody who sees the calendar.
    Public,
    /// Who is invited.
    Private,
    /// As private; for other calendars' sake.
    Confidential,
}

/// Whom to invite.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(deny_unknown_fields)]
pub struct Invitee {
    /// E-mail address.
    #[schemars(length(min = 3, max = 320))]
    pub email: String,
    /// Name.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether they need not come; who was invited before stays what they were if left out.
    #[serde(default)]
    pub optional: Option<bool>,
    /// What they have answered: `needsAction`, `accepted`, `tentative` or `declined`. Left out, the answer of who was invited before
    /// stays.
    #[serde(default)]
    #[schemars(regex(pattern = "^(needsAction|accepted|tentative|declined)$"))]
    pub response_status: Option<String>,
}

/// How a reminder comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum ReminderMethod {
    /// On the screen.
    Popup,
    /// By mail.
    Email,
}

/// A reminder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(deny_unknown_fields)]
pub struct Reminder {
    /// How it comes.
    pub method: ReminderMethod,
    /// How many minutes before the event begins; at most four weeks.
    #[schemars(range(min = 0, max = 40320))]
    pub minutes: u32,
}

/// Refuses what is not one address.
pub(super) fn address(email: &str, pointer: impl FnOnce() -> String) -> Result<()> {
    let bad = email.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | ','));
    if bad || !email.contains('@') {
        return Err(Error::invalid_argument(pointer(), "must be one e-mail address: `ada@example.com`"));
    }
    Ok(())
}

/// Somebody as Google takes them: what is said of them, and nothing else.
pub(super) fn written(invitee: &Invitee) -> Map<String, Value> {
    let fields = [
        ("email", Some(Value::from(invitee.email.as_str()))),
        ("displayName", invitee.name.as_deref().map(Value::from)),
        ("optional", invitee.optional.map(Value::from)),
        ("responseStatus", invitee.response_status.as_deref().map(Value::from)),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireReminders<'a> {
    use_default: bool,
    overrides: &'a [Reminder],
}

impl<'a> WireReminders<'a> {
    pub(super) fn of(reminders: &'a [Reminder]) -> Self {
        Self { use_default: false, overrides: reminders }
    }
}

/// Refuses lines that are no rule of RFC 5545 §3.8.5.
pub(super) fn check_recurrence(lines: &[String]) -> Result<()> {
    for (at, line) in lines.iter().enumerate() {
        let named = ["RRULE", "EXRULE", "RDATE", "EXDATE"]
            .iter()
            .any(|name| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([':', ';'])));
        if !named || line.chars().any(char::is_control) {
            return Err(Error::invalid_argument(
                format!("/recurrence/{at}"),
                "must be one line that begins with `RRULE:`, `RDATE`, `EXDATE` or `EXRULE`; start and end stand elsewhere",
            ));
        }
    }
    Ok(())
}

/// Asks for a Google Meet; the same name asks for the same one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireConference {
    create_request: WireCreate,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireCreate {
    request_id: String,
    conference_solution_key: WireKind,
}

#[derive(Serialize)]
struct WireKind {
    r#type: &'static str,
}

impl WireConference {
    pub(super) fn meet(request_id: String) -> Self {
        Self {
            create_request: WireCreate {
                request_id,
                conference_solution_key: WireKind { r#type: "hangoutsMeet" },
            },
        }
    }
}
