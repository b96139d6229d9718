//! The connector: its manifest and its tools.

use http::response::Parts;
use semver::Version;
use tool_connect_core::{AuthScheme, Connector, ConnectorLimits, ConnectorManifest, Error, ToolSet};
use url::Url;

use super::{
    account, app, assets, assignees, branches, changes, checks, comments, commits, contents, error, files,
    gists, issues, labels, logs, milestones, notifications, organizations, pulls, releases, repositories,
    reviews, runs, search, topics, workflows,
};
use crate::provider::fixed;

/// GitHub: repositories, issues, pull requests, actions, gists, notifications, people, search.
///
/// An account is connected with OAuth (`github` in the provider catalog), or with a token of the user's own. GitHub Enterprise
/// Server is an instance with another base URL, `https://HOST/api/v3/`.
///
/// ```
/// use tool_connect_connectors::github::GitHub;
/// use tool_connect_core::Connector;
///
/// let github = GitHub::new();
/// assert_eq!(github.manifest().probe.as_deref(), Some("get_authenticated_user"));
/// ```
#[derive(Debug)]
pub struct GitHub {
    manifest: ConnectorManifest,
    /// Whether it is an app that acts, and no person.
    is_app: bool,
}

impl GitHub {
    /// The connector for `api.github.com`.
    #[must_use]
    pub fn new() -> Self {
        let manifest = ConnectorManifest::new("github", Version::new(1, 0, 0), "GitHub")
            .description("Works with repositories, issues, pull requests and actions on GitHub.")
            .category("developer_tools")
            .documentation(fixed("https://docs.github.com/en/rest"))
            .base_url(fixed("https://api.github.com/"))
            .origin(fixed("https://uploads.github.com/"))
            .auth(AuthScheme::oauth2("github", [] as [&str; 0]))
            .probe("get_authenticated_user")
            // No more than 100 requests at once: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api.
            .limits(ConnectorLimits::default().concurrency(50));
        Self { manifest, is_app: false }
    }

    /// The connector for an installation of a GitHub App, at GitHub or at the base URL of a server: the app acts, and no person.
    ///
    /// The connection's secret is the app's client id with its private key (`Credential::basic(client_id, pem)`), and its
    /// configuration has `installation`, the installation's number. The token is got with these, and renewed each hour.
    ///
    /// ```
    /// use tool_connect_connectors::github::GitHub;
    /// use tool_connect_core::{AuthScheme, Connector};
    ///
    /// let bot = GitHub::for_installation(None);
    /// assert!(matches!(bot.manifest().auth[0], AuthScheme::TokenExchange(_)));
    /// ```
    ///
    /// <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation>
    #[must_use]
    pub fn for_installation(server: Option<Url>) -> Self {
        let mut manifest = Self::new().manifest;
        if let Some(server) = server {
            manifest.base_url = Some(server);
            manifest.origins.clear();
        }
        let scheme = manifest.base_url.as_ref().map(app::scheme);
        manifest.auth = scheme.into_iter().collect();
        manifest.probe = Some("list_installation_repositories".to_owned());
        Self { manifest, is_app: true }
    }
}

impl Default for GitHub {
    fn default() -> Self {
        Self::new()
    }
}

impl Connector for GitHub {
    fn manifest(&self) -> &ConnectorManifest {
        &self.manifest
    }

    fn tools(&self, set: &mut ToolSet) {
        if self.is_app {
            app::tools(set);
        }
        account::tools(set);
        repositories::tools(set);
        topics::tools(set);
        branches::tools(set);
        commits::tools(set);
        contents::tools(set);
        files::tools(set);
        releases::tools(set);
        assets::tools(set);
        issues::tools(set);
        assignees::tools(set);
        comments::tools(set);
        labels::tools(set);
        milestones::tools(set);
        pulls::tools(set);
        changes::tools(set);
        reviews::tools(set);
        checks::tools(set);
        workflows::tools(set);
        runs::tools(set);
        logs::tools(set);
        gists::tools(set);
        notifications::tools(set);
        organizations::tools(set);
        search::tools(set);
    }

    fn classify(&self, parts: &Parts, body: &[u8]) -> Option<Error> {
        error::read(parts, body)
    }
}
