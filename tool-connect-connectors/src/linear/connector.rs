//! The connector: its manifest and its tools.

use http::response::Parts;
use semver::Version;
use tool_connect_core::{AuthScheme, Connector, ConnectorManifest, Error, ToolSet};

use super::*;
use crate::provider::fixed;

/// Linear: issues, projects, cycles, teams, people, documents, attachments.
///
/// An account is connected with OAuth (`linear` in the provider catalog). A user's own API key is another way; an instance
/// says so with [`Linear::api_key`].
///
/// ```
/// use tool_connect_connectors::linear::Linear;
/// use tool_connect_core::Connector;
///
/// let linear = Linear::new();
/// assert_eq!(linear.manifest().probe.as_deref(), Some("get_viewer"));
/// assert_eq!(linear.manifest().auth[1], Linear::api_key());
/// ```
#[derive(Debug)]
pub struct Linear {
    manifest: ConnectorManifest,
}

impl Linear {
    /// The connector.
    #[must_use]
    pub fn new() -> Self {
        let mut manifest = ConnectorManifest::new("linear", Version::new(1, 0, 0), "Linear")
            .description("Works with issues, projects, cycles, teams and documents on Linear.")
            .category("project_management")
            .documentation(fixed("https://linear.app/developers/graphql"))
            .base_url(fixed("https://api.linear.app/"))
            .origin(fixed(files::STORAGE))
            .auth(AuthScheme::oauth2("linear", ["read"]))
            .probe("get_viewer");
        manifest.auth.push(Self::api_key());
        Self { manifest }
    }

    /// How a personal API key is sent: in `authorization`, with nothing before it
    /// (<https://linear.app/developers/graphql#personal-api-keys>). For `InstanceOptions::auth`.
    #[must_use]
    pub fn api_key() -> AuthScheme {
        AuthScheme::ApiKeyHeader { header: "authorization".to_owned(), prefix: String::new() }
    }
}

impl Default for Linear {
    fn default() -> Self {
        Self::new()
    }
}

impl Connector for Linear {
    fn manifest(&self) -> &ConnectorManifest {
        &self.manifest
    }

    fn tools(&self, set: &mut ToolSet) {
        set.add::<GetViewer>().add::<GetOrganization>().add::<ListUsers>().add::<GetUser>();
        set.add::<ListTeams>().add::<GetTeam>().add::<ListWorkflowStates>();
        set.add::<ListIssues>()
            .add::<SearchIssues>()
            .add::<GetIssue>()
            .add::<ListSubIssues>()
            .add::<ListIssueHistory>();
        set.add::<CreateIssue>()
            .add::<UpdateIssue>()
            .add::<AssignIssue>()
            .add::<AddIssueLabel>()
            .add::<RemoveIssueLabel>();
        set.add::<ArchiveIssue>().add::<UnarchiveIssue>().add::<DeleteIssue>();
        set.add::<ListComments>().add::<CreateComment>().add::<UpdateComment>().add::<DeleteComment>();
        set.add::<ListIssueRelations>().add::<CreateIssueRelation>().add::<DeleteIssueRelation>();
        set.add::<ListLabels>().add::<CreateLabel>().add::<UpdateLabel>();
        set.add::<ListProjects>().add::<GetProject>().add::<CreateProject>().add::<UpdateProject>();
        set.add::<ArchiveProject>().add::<UnarchiveProject>().add::<ListProjectStatuses>();
        set.add::<ListProjectUpdates>().add::<CreateProjectUpdate>();
        set.add::<ListMilestones>().add::<CreateMilestone>().add::<UpdateMilestone>();
        set.add::<ListCycles>().add::<GetCycle>().add::<GetCurrentCycle>();
        set.add::<ListDocuments>()
            .add::<GetDocument>()
            .add::<CreateDocument>()
            .add::<UpdateDocument>()
            .add::<DeleteDocument>();
        set.add::<ListAttachments>().add::<CreateAttachment>().add::<DeleteAttachment>();
        set.add::<UploadFile>().add::<DownloadFile>();
        set.add::<ListNotifications>().add::<ArchiveNotification>();
    }

    fn classify(&self, parts: &Parts, body: &[u8]) -> Option<Error> {
        error::read(parts, body)
    }
}
