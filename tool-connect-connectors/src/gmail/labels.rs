//! Labels.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Result, Run, Tool, ToolArgs, ToolContext};

use crate::google::Listed;

/// Whether a label stands in the list at the side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum LabelVisibility {
    /// Always.
    #[serde(alias = "labelShow")]
    Show,
    /// While it has unread messages.
    #[serde(alias = "labelShowIfUnread")]
    ShowIfUnread,
    /// Never.
    #[serde(alias = "labelHide")]
    Hide,
}

impl LabelVisibility {
    fn wire(self) -> &'static str {
        match self {
            Self::Show => "labelShow",
            Self::ShowIfUnread => "labelShowIfUnread",
            Self::Hide => "labelHide",
        }
    }
}

/// Whether messages with a label stand in the list of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum MessageVisibility {
    /// They do.
    Show,
    /// They do not.
    Hide,
}

/// A label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Label {
    /// Id, which the tools for messages want: `INBOX`, `Label_7`.
    pub id: String,
    /// Name for people; `Projects/Alpha` stands below `Projects`.
    pub name: String,
    /// `system` or `user`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How many messages have it; not in lists.
    #[serde(default, alias = "messagesTotal", skip_serializing_if = "Option::is_none")]
    pub messages_total: Option<u64>,
    /// How many of them are unread; not in lists.
    #[serde(default, alias = "messagesUnread", skip_serializing_if = "Option::is_none")]
    pub messages_unread: Option<u64>,
}

/// What was deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Deleted {
    /// Its id.
    pub id: String,
}

/// Lists all labels of the mailbox, Gmail's own and the user's, with the ids by which other tools name them.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.labels/list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes(
        "https://www.googleapis.com/auth/gmail.readonly|https://www.googleapis.com/auth/gmail.labels|https://www.googleapis.com/auth/gmail.modify"
    )
)]
#[serde(deny_unknown_fields)]
pub struct ListLabels {}

impl Run for ListLabels {
    type Output = Vec<Label>;

    async fn run(self, cx: &ToolContext) -> Result<Vec<Label>> {
        let listed: Listed<Label> = cx.http().get("gmail/v1/users/me/labels").json().await?;
        Ok(listed.items)
    }
}

/// Gets a label by its id, with how many messages have it and how many of them are unread.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.labels/get>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes(
        "https://www.googleapis.com/auth/gmail.readonly|https://www.googleapis.com/auth/gmail.labels|https://www.googleapis.com/auth/gmail.modify"
    )
)]
#[serde(deny_unknown_fields)]
pub struct GetLabel {
    /// Id of the label: `INBOX`, `Label_7`.
    pub id: String,
    /// Whether to return all that Gmail sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetLabel {
    type Output = Detail<Label>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Label>> {
        cx.http().get("gmail/v1/users/me/labels/{id}").path("id", &self.id).detail(self.whole).await
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label_list_visibility: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_list_visibility: Option<MessageVisibility>,
}

/// Creates a label. Returns it with its id. There can be one of a name.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.labels/create>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    scopes("https://www.googleapis.com/auth/gmail.labels|https://www.googleapis.com/auth/gmail.modify")
)]
#[serde(deny_unknown_fields)]
pub struct CreateLabel {
    /// Name; `Projects/Alpha` stands below `Projects`.
    #[schemars(length(min = 1, max = 225))]
    pub name: String,
    /// Whether it stands in the list at the side; it does if left out.
    #[serde(default)]
    pub label_visibility: Option<LabelVisibility>,
    /// Whether its messages stand in the list of messages; they do if left out.
    #[serde(default)]
    pub message_visibility: Option<MessageVisibility>,
}

impl Run for CreateLabel {
    type Output = Label;

    async fn run(self, cx: &ToolContext) -> Result<Label> {
        let body = Change {
            name: Some(&self.name),
            label_list_visibility: self.label_visibility.map(LabelVisibility::wire),
            message_list_visibility: self.message_visibility,
        };
        cx.http().request(Method::POST, "gmail/v1/users/me/labels").json_body(&body).json().await
    }
}

/// Renames a label of the user's, or changes where it is shown. Returns it.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.labels/patch>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    idempotent,
    scopes("https://www.googleapis.com/auth/gmail.labels|https://www.googleapis.com/auth/gmail.modify")
)]
#[serde(deny_unknown_fields)]
pub struct UpdateLabel {
    /// Id of the label.
    pub id: String,
    /// Its new name.
    #[serde(default)]
    #[schemars(length(min = 1, max = 225))]
    pub name: Option<String>,
    /// Whether it stands in the list at the side.
    #[serde(default)]
    pub label_visibility: Option<LabelVisibility>,
    /// Whether its messages stand in the list of messages.
    #[serde(default)]
    pub message_visibility: Option<MessageVisibility>,
}

impl Run for UpdateLabel {
    type Output = Label;

    async fn run(self, cx: &ToolContext) -> Result<Label> {
        let body = Change {
            name: self.name.as_deref(),
            label_list_visibility: self.label_visibility.map(LabelVisibility::wire),
            message_list_visibility: self.message_visibility,
        };
        let request = cx.http().patch("gmail/v1/users/me/labels/{id}").path("id", &self.id);
        request.json_body(&body).repeatable(true).json().await
    }
}

/// Deletes a label of the user's for good, and takes it off all messages. The messages stay.
///
/// <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.labels/delete>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    idempotent,
    scopes("https://www.googleapis.com/auth/gmail.labels|https://www.googleapis.com/auth/gmail.modify")
)]
#[serde(deny_unknown_fields)]
pub struct DeleteLabel {
    /// Id of the label.
    pub id: String,
}

impl Run for DeleteLabel {
    type Output = Deleted;

    async fn run(self, cx: &ToolContext) -> Result<Deleted> {
        cx.http().delete("gmail/v1/users/me/labels/{id}").path("id", &self.id).send().await?;
        Ok(Deleted { id: self.id })
    }
}
