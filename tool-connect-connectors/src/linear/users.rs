//! The people and apps of a workspace.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolContext};

use super::fields::{page_of, user};
use super::filter::{Contains, Like};
use super::graphql::{Document, Listed, detail, page};
use crate::provider::paged;

paged! { ListUsers => User }

const LIST: Document = concat!(
    "query($page_size: Int = 50, $cursor: String, $include_archived: Boolean, $include_disabled: Boolean, $filter: UserFilter) { \
     answer: users(first: $page_size, after: $cursor, includeArchived: $include_archived, includeDisabled: $include_disabled, \
     filter: $filter) ",
    page_of!(user!()),
    " }"
);
const GET: Document = concat!(
    "query($id: String!, $whole: Boolean = false) { answer: user(id: $id) { ",
    user!(),
    " ... @include(if: $whole) { avatarUrl createdAt updatedAt archivedAt description disableReason createdIssueCount app \
     isAssignable isMe lastSeen owner statusEmoji statusUntilAt title } } }"
);

/// A person or an app of a workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Id, a UUID.
    pub id: String,
    /// Full name.
    pub name: String,
    /// Name that is shown, unique in the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the account is active; one that was deactivated cannot be assigned anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Whether it administers the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<bool>,
    /// Whether it is a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<bool>,
    /// Page on Linear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Time zone, `Europe/Berlin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// What the person says of what they do at the moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_label: Option<String>,
}

/// Lists the users of the workspace, a page at a time; those who were deactivated only where asked for.
///
/// <https://linear.app/developers/pagination>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct ListUsers {
    /// Only those whose name holds this text, whatever its case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only the one with this e-mail address, whatever its case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether those who were deactivated are listed, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_disabled: Option<bool>,
    /// Whether archived ones are listed, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_archived: Option<bool>,
    /// How many a page holds; 50 where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

#[derive(Serialize)]
struct Variables<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    include_disabled: Option<bool>,
    #[serde(flatten)]
    listed: Listed<'a, Filter<'a>>,
}

#[derive(Serialize)]
struct Filter<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Contains<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<Like<'a>>,
}

impl Run for ListUsers {
    type Output = Page<User>;

    async fn run(self, cx: &ToolContext) -> Result<Page<User>> {
        let filter = Filter {
            name: self.name.as_deref().map(Contains::new),
            email: self.email.as_deref().map(Like::new),
        };
        let listed = Listed {
            page_size: self.page_size,
            cursor: self.cursor.as_deref(),
            include_archived: self.include_archived,
            filter,
        };
        page(cx, LIST, &Variables { include_disabled: self.include_disabled, listed }).await
    }
}

/// Gets a user by id: name, e-mail address, whether the account is active.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct GetUser {
    /// Id of the user, a UUID.
    #[schemars(length(min = 1))]
    pub id: String,
    /// Whether to return more of what Linear knows of it, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetUser {
    type Output = Detail<User>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<User>> {
        detail(cx, GET, &self, self.whole).await
    }
}
