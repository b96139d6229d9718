//! Organizations, their members and teams.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolArgs, ToolContext, ToolSet};

use super::Account;
use super::page::{page, paged, request, word};
use crate::provider::paged;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<ListMyOrganizations>()
        .add::<ListUserOrganizations>()
        .add::<GetOrganization>()
        .add::<ListOrganizationMembers>()
        .add::<ListTeams>();
}

paged! {
    ListMyOrganizations => Organization,
    ListUserOrganizations => Organization,
    ListOrganizationMembers => Account,
    ListTeams => Team,
}

/// An organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Organization {
    /// Login.
    pub login: String,
    /// Numeric id.
    pub id: u64,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Web site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blog: Option<String>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Public e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// How many public repositories it owns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_repos: Option<u64>,
    /// Page on GitHub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html_url: Option<String>,
}

/// A team of an organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Team {
    /// Numeric id.
    pub id: u64,
    /// Name in addresses.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `closed` (all members of the organization see it) or `secret`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<String>,
    /// What its members may do in its repositories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    /// Page on GitHub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html_url: Option<String>,
}

/// Which members to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum MemberRole {
    /// All.
    All,
    /// Only owners.
    Admin,
    /// Only those who are not owners.
    Member,
}

/// Lists the organizations of the connected account, a page at a time.
///
/// <https://docs.github.com/en/rest/orgs/orgs#list-organizations-for-the-authenticated-user>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read:org|write:org|admin:org|user"))]
#[serde(deny_unknown_fields)]
pub struct ListMyOrganizations {
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListMyOrganizations {
    type Output = Page<Organization>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Organization>> {
        let request = request(cx, Method::GET, "/user/orgs");
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}

/// Lists the organizations that a user is publicly a member of, a page at a time.
///
/// <https://docs.github.com/en/rest/orgs/orgs#list-organizations-for-a-user>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListUserOrganizations {
    /// Login of the user.
    #[schemars(length(min = 1))]
    pub username: String,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListUserOrganizations {
    type Output = Page<Organization>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Organization>> {
        let request = request(cx, Method::GET, "/users/{username}/orgs").path("username", &self.username);
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}

/// Gets an organization: name, description, web site, counts.
///
/// <https://docs.github.com/en/rest/orgs/orgs#get-an-organization>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetOrganization {
    /// Login of the organization.
    #[schemars(length(min = 1))]
    pub organization: String,
    /// Whether to return all that GitHub sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetOrganization {
    type Output = Detail<Organization>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Organization>> {
        request(cx, Method::GET, "/orgs/{organization}")
            .path("organization", &self.organization)
            .detail(self.whole)
            .await
    }
}

/// Lists the members of an organization, a page at a time. Who is not a member, or connected without the scope
/// `read:org`, sees public members only.
///
/// <https://docs.github.com/en/rest/orgs/members#list-organization-members>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListOrganizationMembers {
    /// Login of the organization.
    #[schemars(length(min = 1))]
    pub organization: String,
    /// Which members; all if left out.
    #[serde(default)]
    pub role: Option<MemberRole>,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListOrganizationMembers {
    type Output = Page<Account>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Account>> {
        let request = request(cx, Method::GET, "/orgs/{organization}/members")
            .path("organization", &self.organization)
            .query_opt("role", self.role.map(word));
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}

/// Lists the teams of an organization that the connected account may see, a page at a time.
///
/// <https://docs.github.com/en/rest/teams/teams#list-teams>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read:org|write:org|admin:org"))]
#[serde(deny_unknown_fields)]
pub struct ListTeams {
    /// Login of the organization.
    #[schemars(length(min = 1))]
    pub organization: String,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListTeams {
    type Output = Page<Team>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Team>> {
        let request =
            request(cx, Method::GET, "/orgs/{organization}/teams").path("organization", &self.organization);
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}
