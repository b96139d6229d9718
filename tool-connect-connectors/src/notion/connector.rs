//! The connector: its manifest and its tools.

use http::response::Parts;
use semver::Version;
use tool_connect_core::{AuthScheme, Connector, ConnectorLimits, ConnectorManifest, Error, Rate, ToolSet};

use super::*;
use crate::provider::fixed;

/// Notion: pages as Markdown, databases and data sources, blocks, search, comments, users, files.
///
/// An account is connected with OAuth (`notion` in the provider catalog) or with the token of an internal integration.
///
/// ```
/// use tool_connect_connectors::notion::Notion;
/// use tool_connect_core::Connector;
///
/// let notion = Notion::new();
/// assert_eq!(notion.manifest().probe.as_deref(), Some("get_me"));
/// ```
#[derive(Debug)]
pub struct Notion {
    manifest: ConnectorManifest,
}

impl Notion {
    /// The connector for `api.notion.com`.
    #[must_use]
    pub fn new() -> Self {
        let manifest = ConnectorManifest::new("notion", Version::new(1, 0, 0), "Notion")
            .description("Reads and writes pages, databases and comments in a Notion workspace.")
            .category("productivity")
            .documentation(fixed("https://developers.notion.com/reference/intro"))
            .base_url(fixed("https://api.notion.com/v1/"))
            .auth(AuthScheme::oauth2("notion", [] as [&str; 0]))
            .auth(AuthScheme::Bearer)
            .probe("get_me")
            // An average with bursts: https://developers.notion.com/reference/request-limits.
            .limits(ConnectorLimits::default().requests(Rate::per_second(3).burst(10)).concurrency(10));
        Self { manifest }
    }
}

impl Default for Notion {
    fn default() -> Self {
        Self::new()
    }
}

impl Connector for Notion {
    fn manifest(&self) -> &ConnectorManifest {
        &self.manifest
    }

    fn tools(&self, set: &mut ToolSet) {
        set.add::<GetMe>().add::<ListUsers>().add::<GetUser>().add::<Search>();
        set.add::<GetPage>()
            .add::<GetPageProperty>()
            .add::<ReadPageMarkdown>()
            .add::<CreatePage>()
            .add::<UpdatePage>();
        set.add::<MovePage>().add::<ArchivePage>().add::<RestorePage>();
        set.add::<GetEnhancedMarkdown>().add::<EditEnhancedMarkdown>();
        set.add::<ListBlocks>().add::<GetBlock>().add::<AppendBlocks>().add::<UpdateBlock>();
        set.add::<DeleteBlock>().add::<RestoreBlock>();
        set.add::<GetDatabase>().add::<CreateDatabase>().add::<UpdateDatabase>();
        set.add::<GetDataSource>()
            .add::<QueryDataSource>()
            .add::<CreateDataSource>()
            .add::<UpdateDataSource>();
        set.add::<ListTemplates>();
        set.add::<ListComments>()
            .add::<GetComment>()
            .add::<CreateComment>()
            .add::<UpdateComment>()
            .add::<DeleteComment>();
        set.add::<UploadFile>().add::<ImportFile>().add::<GetFileUpload>().add::<ListFileUploads>();
        set.add::<AttachFile>().add::<DownloadFile>();
    }

    fn classify(&self, parts: &Parts, body: &[u8]) -> Option<Error> {
        error::read(parts, body, None)
    }
}
