//! What people say of themselves: profile, status, presence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tool_connect_core::{Detail, Error, Result, Run, Tool, ToolArgs, ToolContext};

use super::call::{Done, get, post};

/// A profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// Name that is shown; empty where the full name is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Full name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub real_name: Option<String>,
    /// What they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Pronouns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pronouns: Option<String>,
    /// Status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_text: Option<String>,
    /// Emoji of the status, with colons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_emoji: Option<String>,
    /// When the status goes, in Unix seconds; 0 where it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_expiration: Option<i64>,
}

/// Gets a user's profile: names, title, telephone, status; with `whole` the workspace's own fields too.
///
/// <https://docs.slack.dev/reference/methods/users.profile.get>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("users.profile:read"))]
#[serde(deny_unknown_fields)]
pub struct GetProfile {
    /// Id of the user, such as `U012AB3CD`; the connected account's own if left out.
    #[serde(default)]
    pub user: Option<String>,
    /// Whether to return all that Slack sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetProfile {
    type Output = Detail<Profile>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Profile>> {
        get(cx, "users.profile.get", &self).await?.detail("profile", self.whole)
    }
}

/// Changes the connected user's own profile; what is left out stays. Returns the profile.
///
/// <https://docs.slack.dev/reference/methods/users.profile.set>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("users.profile:write"))]
#[serde(deny_unknown_fields)]
pub struct SetProfile {
    /// Name that is shown.
    #[serde(default)]
    #[schemars(length(max = 80))]
    pub display_name: Option<String>,
    /// Full name.
    #[serde(default)]
    #[schemars(length(max = 80))]
    pub real_name: Option<String>,
    /// What they do.
    #[serde(default)]
    pub title: Option<String>,
    /// Telephone number.
    #[serde(default)]
    pub phone: Option<String>,
    /// Pronouns.
    #[serde(default)]
    pub pronouns: Option<String>,
}

impl Run for SetProfile {
    type Output = Profile;

    async fn run(self, cx: &ToolContext) -> Result<Profile> {
        let fields = [
            ("display_name", self.display_name),
            ("real_name", self.real_name),
            ("title", self.title),
            ("phone", self.phone),
            ("pronouns", self.pronouns),
        ];
        let profile: serde_json::Map<String, serde_json::Value> =
            fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect();
        if profile.is_empty() {
            return Err(Error::invalid_argument("", "must change something: give one of the fields"));
        }
        post(cx, "users.profile.set", &json!({"profile": profile})).await?.member("profile")
    }
}

/// Sets the connected user's own status, or clears it where text and emoji are empty. Returns the profile.
///
/// <https://docs.slack.dev/apis/web-api/user-presence-and-status#custom-status>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("users.profile:write"))]
#[serde(deny_unknown_fields)]
pub struct SetStatus {
    /// What it says; empty for none.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub status_text: String,
    /// Emoji with colons, such as `:train:`; Slack shows `:speech_balloon:` where there is a text alone.
    #[serde(default)]
    #[schemars(regex(pattern = r"^(:[^\s]+:)?$"))]
    pub status_emoji: String,
    /// When it goes by itself, in Unix seconds; it stays if left out.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub status_expiration: Option<i64>,
}

impl Run for SetStatus {
    type Output = Profile;

    async fn run(self, cx: &ToolContext) -> Result<Profile> {
        // Slack clears a status only where all of it is given.
        let profile = json!({
            "status_text": self.status_text, "status_emoji": self.status_emoji,
            "status_expiration": self.status_expiration.unwrap_or(0),
        });
        post(cx, "users.profile.set", &json!({"profile": profile})).await?.member("profile")
    }
}

/// Whether somebody is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Presence {
    /// `active` or `away`.
    pub presence: String,
    /// Whether a client of theirs is connected; told of the account itself alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online: Option<bool>,
    /// Whether they set themselves away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manual_away: Option<bool>,
    /// When they were last active, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_activity: Option<i64>,
}

/// Says whether a user is active or away.
///
/// <https://docs.slack.dev/reference/methods/users.getPresence>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("users:read"))]
#[serde(deny_unknown_fields)]
pub struct GetPresence {
    /// Id of the user, such as `U012AB3CD`; the connected account if left out.
    #[serde(default)]
    pub user: Option<String>,
}

impl Run for GetPresence {
    type Output = Presence;

    async fn run(self, cx: &ToolContext) -> Result<Presence> {
        Ok(get(cx, "users.getPresence", &self).await?.itself(false)?.fields)
    }
}

/// What is shown of somebody's presence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum PresenceMode {
    /// Active while a client is in use.
    #[default]
    Auto,
    /// Away, whatever they do.
    Away,
}

/// Sets whether the connected account is shown as away, or as what it does.
///
/// <https://docs.slack.dev/reference/methods/users.setPresence>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("users:write"))]
#[serde(deny_unknown_fields)]
pub struct SetPresence {
    /// Which.
    pub presence: PresenceMode,
}

impl Run for SetPresence {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        post(cx, "users.setPresence", &self).await?.done()
    }
}
