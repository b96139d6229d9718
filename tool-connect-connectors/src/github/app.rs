//! GitHub Apps: what an installation may reach, and how it proves itself.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{
    AuthScheme, ExchangeAssertion, ExchangeEncoding, JwtAlgorithm, Page, Result, Run, TokenExchange,
    TokenPlace, Tool, ToolContext, ToolSet,
};
use url::Url;

use super::Repository;
use super::page::{page_within, paged as with_page, request};
use crate::provider::paged;

paged! { ListInstallationRepositories => Repository }

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<ListInstallationRepositories>();
}

/// How an installation proves itself at the API of this address: a token of the app's key is exchanged for one of the
/// installation, which ends after an hour.
pub(super) fn scheme(api: &Url) -> AuthScheme {
    let url =
        format!("{}/app/installations/{{installation}}/access_tokens", api.as_str().trim_end_matches('/'));
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    AuthScheme::TokenExchange(TokenExchange {
        url,
        encoding: ExchangeEncoding::Json,
        fields: BTreeMap::new(),
        // GitHub takes no more than ten minutes.
        assertion: Some(Box::new(ExchangeAssertion {
            algorithm: JwtAlgorithm::Rs256,
            lifetime: Duration::from_secs(9 * 60),
            audience: None,
            subject: None,
        })),
        headers: BTreeMap::from([
            header("authorization", "Bearer {assertion}"),
            header("accept", "application/vnd.github+json"),
        ]),
        token: "/token".to_owned(),
        expires_in: None,
        expires_at: Some("/expires_at".to_owned()),
        lifetime: None,
        place: TokenPlace::default(),
    })
}

/// Lists the repositories that this installation of the app may reach, a page at a time.
///
/// <https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-app-installation>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListInstallationRepositories {
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListInstallationRepositories {
    type Output = Page<Repository>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Repository>> {
        #[derive(Deserialize)]
        struct Sent {
            repositories: Vec<Repository>,
        }
        let request = request(cx, Method::GET, "/installation/repositories");
        let request = with_page(request, self.page_size, self.cursor.as_deref())?;
        page_within(request, |sent: Sent| sent.repositories).await
    }
}
