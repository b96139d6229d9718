//! Whose account is connected, and to which workspace.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Result, Run, Tool, ToolContext};

use super::graphql::{Document, detail};

const VIEWER: Document = "query($whole: Boolean = false) { answer: viewer { id name display_name: displayName email active admin guest \
     organization { id name url_key: urlKey } \
     ... @include(if: $whole) { avatarUrl createdAt updatedAt archivedAt description createdIssueCount isAssignable lastSeen owner \
     statusEmoji statusLabel statusUntilAt timezone title url } } }";

const ORGANIZATION: Document = "query($whole: Boolean = false) { answer: organization { id name url_key: urlKey user_count: userCount \
     created_at: createdAt roadmap_enabled: roadmapEnabled customers_enabled: customersEnabled \
     ... @include(if: $whole) { updatedAt archivedAt logoUrl createdIssueCount customerCount fiscalYearStartMonth gitBranchFormat \
     previousUrlKeys projectUpdateReminderFrequencyInWeeks releasesEnabled samlEnabled scimEnabled trialEndsAt workingDays \
     deletionRequestedAt allowedFileUploadContentTypes } } }";

/// The connected account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Viewer {
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
    /// Whether the account is active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Whether it administers the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<bool>,
    /// Whether it is a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<bool>,
    /// The workspace.
    pub organization: Workspace,
}

/// A workspace, in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Workspace {
    /// Id, a UUID.
    pub id: String,
    /// Name.
    pub name: String,
    /// What stands in its addresses: `https://linear.app/URL_KEY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_key: Option<String>,
}

/// A workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Organization {
    /// Id, a UUID.
    pub id: String,
    /// Name.
    pub name: String,
    /// What stands in its addresses: `https://linear.app/URL_KEY`.
    pub url_key: String,
    /// How many people are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_count: Option<u32>,
    /// When it was made (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// Whether roadmaps are used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roadmap_enabled: Option<bool>,
    /// Whether customers and their needs are used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customers_enabled: Option<bool>,
}

/// Says whose account is connected, and in which workspace: ids, names, e-mail address.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct GetViewer {
    /// Whether to return more of what Linear knows of it, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetViewer {
    type Output = Detail<Viewer>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Viewer>> {
        detail(cx, VIEWER, &self, self.whole).await
    }
}

/// Gets the workspace of the connected account: name, address key, number of people.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct GetOrganization {
    /// Whether to return more of what Linear knows of it, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetOrganization {
    type Output = Detail<Organization>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Organization>> {
        detail(cx, ORGANIZATION, &self, self.whole).await
    }
}
