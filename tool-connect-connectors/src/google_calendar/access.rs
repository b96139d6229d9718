//! Who may see and change a calendar.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Error, Page, Result, Run, Tool, ToolArgs, ToolContext};

use super::create::or_primary;
use crate::google::page;
use crate::provider::paged;

paged! { ListCalendarAccess => AccessRule }

/// Whom a rule is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scope {
    /// `default` for everybody, `user`, `group` or `domain`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Address of the user or group, or the domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A rule of who may do what with a calendar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccessRule {
    /// Id of the rule: `user:ada@example.com`.
    pub id: String,
    /// `none`, `freeBusyReader`, `reader`, `writer` or `owner`.
    pub role: String,
    /// For whom.
    pub scope: Scope,
}

/// What somebody may do with a calendar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum AccessRole {
    /// See when it is taken.
    #[default]
    FreeBusyReader,
    /// See events; private ones without details.
    Reader,
    /// See and change events.
    Writer,
    /// All of that, and share the calendar.
    Owner,
}

impl AccessRole {
    fn wire(self) -> &'static str {
        match self {
            Self::FreeBusyReader => "freeBusyReader",
            Self::Reader => "reader",
            Self::Writer => "writer",
            Self::Owner => "owner",
        }
    }
}

/// What kind of somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum ScopeType {
    /// A person.
    #[default]
    User,
    /// A group.
    Group,
    /// Everybody of a domain.
    Domain,
    /// Everybody.
    Default,
}

impl ScopeType {
    fn wire(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Domain => "domain",
            Self::Default => "default",
        }
    }
}

/// Lists who may see and change a calendar, a page at a time.
///
/// <https://developers.google.com/workspace/calendar/api/v3/reference/acl/list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes(
        "https://www.googleapis.com/auth/calendar.acls.readonly|https://www.googleapis.com/auth/calendar.acls|https://www.googleapis.com/auth/calendar"
    )
)]
#[serde(deny_unknown_fields)]
pub struct ListCalendarAccess {
    /// Id of the calendar; the account's own if left out.
    #[serde(default)]
    pub calendar_id: Option<String>,
    /// How many a page holds; 100 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 250))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListCalendarAccess {
    type Output = Page<AccessRule>;

    async fn run(self, cx: &ToolContext) -> Result<Page<AccessRule>> {
        let request = cx
            .http()
            .get("calendars/{calendar}/acl")
            .path("calendar", or_primary(self.calendar_id.as_deref()))
            .query("maxResults", self.page_size.unwrap_or(100));
        page(request, self.cursor.as_deref()).await
    }
}

/// Lets somebody see or change a calendar, or changes what they may. Returns the rule.
///
/// <https://developers.google.com/workspace/calendar/api/v3/reference/acl/insert>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    idempotent,
    scopes("https://www.googleapis.com/auth/calendar.acls|https://www.googleapis.com/auth/calendar")
)]
#[serde(deny_unknown_fields)]
pub struct ShareCalendar {
    /// Id of the calendar; the account's own if left out.
    #[serde(default)]
    pub calendar_id: Option<String>,
    /// What they may do.
    pub role: AccessRole,
    /// What kind of somebody.
    pub scope_type: ScopeType,
    /// Address of the user or group, or the domain; not for everybody.
    #[serde(default)]
    pub scope_value: Option<String>,
    /// Whether they are told by mail.
    #[serde(default)]
    pub notify: bool,
}

impl Run for ShareCalendar {
    type Output = AccessRule;

    async fn run(self, cx: &ToolContext) -> Result<AccessRule> {
        #[derive(Serialize)]
        struct Rule<'a> {
            role: &'static str,
            scope: Whom<'a>,
        }
        #[derive(Serialize)]
        struct Whom<'a> {
            r#type: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            value: Option<&'a str>,
        }
        if (self.scope_type == ScopeType::Default) == self.scope_value.is_some() {
            return Err(Error::invalid_argument(
                "/scope_value",
                "must say who, unless `scope_type` is `default`, which is everybody",
            ));
        }
        let rule = Rule {
            role: self.role.wire(),
            scope: Whom { r#type: self.scope_type.wire(), value: self.scope_value.as_deref() },
        };
        cx.http()
            .post("calendars/{calendar}/acl")
            .path("calendar", or_primary(self.calendar_id.as_deref()))
            .query("sendNotifications", self.notify)
            .json_body(&rule)
            .json()
            .await
    }
}

/// What was taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CalendarUnshared {
    /// Id of the rule.
    pub rule_id: String,
}

/// Takes back what somebody may do with a calendar.
///
/// <https://developers.google.com/workspace/calendar/api/v3/reference/acl/delete>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    idempotent,
    scopes("https://www.googleapis.com/auth/calendar.acls|https://www.googleapis.com/auth/calendar")
)]
#[serde(deny_unknown_fields)]
pub struct UnshareCalendar {
    /// Id of the calendar; the account's own if left out.
    #[serde(default)]
    pub calendar_id: Option<String>,
    /// Id of the rule, as `list_calendar_access` names it.
    pub rule_id: String,
}

impl Run for UnshareCalendar {
    type Output = CalendarUnshared;

    async fn run(self, cx: &ToolContext) -> Result<CalendarUnshared> {
        cx.http()
            .delete("calendars/{calendar}/acl/{rule}")
            .path("calendar", or_primary(self.calendar_id.as_deref()))
            .path("rule", &self.rule_id)
            .send()
            .await?;
        Ok(CalendarUnshared { rule_id: self.rule_id })
    }
}
