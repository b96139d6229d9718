//! Search: <https://docs.github.com/en/search-github/getting-started-with-searching-on-github/understanding-the-search-syntax>.

use http::Method;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tool_connect_core::http::RequestBuilder;
use tool_connect_core::{
    Effect, Error, ErrorKind, Page, Result, Retry, Run, Tool, ToolArgs, ToolContext, ToolSet,
};

use super::brief::FullName;
use super::page::{page_within, paged, request, request_for, word};
use super::{Account, Commit, Direction, Issue, Repository};
use crate::provider::paged;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<SearchIssues>()
        .add::<SearchRepositories>()
        .add::<SearchCode>()
        .add::<SearchCommits>()
        .add::<SearchUsers>();
}

paged! {
    SearchIssues => Issue,
    SearchRepositories => Repository,
    SearchCode => CodeMatch,
    SearchCommits => Commit,
    SearchUsers => Account,
}

/// Searches have a limit of their own: <https://docs.github.com/en/rest/search/search#rate-limit>.
fn search<'a>(cx: &'a ToolContext, path: &str) -> RequestBuilder<'a> {
    request(cx, Method::GET, path).limited_as("search")
}

/// What was found. GitHub shows no more than the first thousand.
#[derive(Deserialize)]
struct Found<T> {
    items: Vec<T>,
    /// Whether time ran out before all was looked at.
    #[serde(default)]
    incomplete_results: bool,
}

/// Sends a search and reads its page. One that ran out of time and found nothing is no answer.
async fn found<T: DeserializeOwned>(request: RequestBuilder<'_>) -> Result<Page<T>> {
    let mut incomplete = false;
    let page = page_within(request, |found: Found<T>| {
        incomplete = found.incomplete_results;
        found.items
    })
    .await?;
    if incomplete && page.items.is_empty() {
        return Err(Error::new(ErrorKind::Provider, "GitHub's search ran out of time")
            .retry(Retry::Backoff)
            .effect(Effect::None)
            .public("GitHub's search ran out of time and found nothing; narrow it, or try again."));
    }
    Ok(page)
}

/// A file that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CodeMatch {
    /// Name of the file.
    pub name: String,
    /// Path of the file.
    pub path: String,
    /// SHA of its content.
    pub sha: String,
    /// Repository, `owner/name`.
    pub repository: FullName,
    /// Page on GitHub.
    pub html_url: String,
    /// The places that were found.
    #[serde(default, deserialize_with = "super::brief::list", skip_serializing_if = "Vec::is_empty")]
    pub text_matches: Vec<TextMatch>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TextMatch {
    /// The lines around it.
    pub fragment: String,
}

/// How found issues are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "kebab-case")]
pub enum IssueSearchSort {
    /// By how many comments they have.
    Comments,
    /// By how many reactions they have.
    Reactions,
    /// By both.
    Interactions,
    /// By when they were opened.
    Created,
    /// By when they were changed.
    Updated,
}

/// How found repositories are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "kebab-case")]
pub enum RepositorySearchSort {
    /// By how many starred them.
    Stars,
    /// By how many forked them.
    Forks,
    /// By how many issues ask for help.
    HelpWantedIssues,
    /// By when they were changed.
    Updated,
}

/// How found users are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "kebab-case")]
pub enum UserSearchSort {
    /// By how many follow them.
    Followers,
    /// By how many repositories they own.
    Repositories,
    /// By when they joined.
    Joined,
}

/// How found commits are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "kebab-case")]
pub enum CommitSearchSort {
    /// By when they were written.
    AuthorDate,
    /// By when they were committed.
    CommitterDate,
}

/// Searches issues and pull requests on all of GitHub, best match first, a page at a time; at most 1000.
///
/// <https://docs.github.com/en/rest/search/search#search-issues-and-pull-requests>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct SearchIssues {
    /// Words and qualifiers, each of which narrows: `repo:owner/name`, `org:name`, `is:issue` or `is:pr` (name one of
    /// both), `is:open`, `label:bug`, `author:login`, `assignee:login`, `mentions:login`, `milestone:"v1"`,
    /// `created:>=2026-01-02`, `in:title`, `no:label`; `-` before one excludes.
    #[schemars(length(min = 1, max = 256))]
    pub query: String,
    /// Order; by match if left out.
    #[serde(default)]
    pub sort: Option<IssueSearchSort>,
    /// Which end first; `desc` if left out.
    #[serde(default)]
    pub order: Option<Direction>,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for SearchIssues {
    type Output = Page<Issue>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Issue>> {
        let request = search(cx, "/search/issues")
            .query("q", &self.query)
            .query_opt("sort", self.sort.map(word))
            .query_opt("order", self.order.map(word))
            // Qualifiers may be combined with AND, OR and brackets; GitHub's own search box reads them so.
            .query("advanced_search", true);
        let request = paged(request, self.page_size, self.cursor.as_deref())?;
        found(request).await
    }
}

/// Searches repositories on all of GitHub, best match first, a page at a time; at most 1000.
///
/// <https://docs.github.com/en/rest/search/search#search-repositories>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct SearchRepositories {
    /// Words and qualifiers, each of which narrows: `user:login`, `org:name`, `language:rust`, `topic:cli`,
    /// `license:mit`, `stars:>100`, `pushed:>=2026-01-02`, `in:name`, `archived:false`, `is:public`; `-` before one
    /// excludes.
    #[schemars(length(min = 1, max = 256))]
    pub query: String,
    /// Order; by match if left out.
    #[serde(default)]
    pub sort: Option<RepositorySearchSort>,
    /// Which end first; `desc` if left out.
    #[serde(default)]
    pub order: Option<Direction>,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for SearchRepositories {
    type Output = Page<Repository>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Repository>> {
        let request = search(cx, "/search/repositories")
            .query("q", &self.query)
            .query_opt("sort", self.sort.map(word))
            .query_opt("order", self.order.map(word));
        let request = paged(request, self.page_size, self.cursor.as_deref())?;
        found(request).await
    }
}

/// Searches the content of files on default branches, a page at a time; at most 1000, of files up to 384 KB. Ten
/// searches a minute are allowed.
///
/// <https://docs.github.com/en/rest/search/search#search-code>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct SearchCode {
    /// Words and qualifiers, each of which narrows: `repo:owner/name`, `org:name`, `user:login`, `language:rust`,
    /// `path:src`, `filename:Cargo.toml`, `extension:rs`, `in:file`, `in:path`. A word is needed beside the qualifiers.
    #[schemars(length(min = 1, max = 256))]
    pub query: String,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for SearchCode {
    type Output = Page<CodeMatch>;

    async fn run(self, cx: &ToolContext) -> Result<Page<CodeMatch>> {
        let request = request_for(cx, Method::GET, "/search/code", "application/vnd.github.text-match+json")
            .limited_as("code_search");
        let request = paged(request.query("q", &self.query), self.page_size, self.cursor.as_deref())?;
        found(request).await
    }
}

/// Searches commits on default branches by their messages, best match first, a page at a time; at most 1000.
///
/// <https://docs.github.com/en/rest/search/search#search-commits>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct SearchCommits {
    /// Words and qualifiers, each of which narrows: `repo:owner/name`, `org:name`, `author:login`,
    /// `author-email:address`, `author-date:>=2026-01-02`, `hash:sha`, `merge:false`.
    #[schemars(length(min = 1, max = 256))]
    pub query: String,
    /// Order; by match if left out.
    #[serde(default)]
    pub sort: Option<CommitSearchSort>,
    /// Which end first; `desc` if left out.
    #[serde(default)]
    pub order: Option<Direction>,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for SearchCommits {
    type Output = Page<Commit>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Commit>> {
        let request = search(cx, "/search/commits")
            .query("q", &self.query)
            .query_opt("sort", self.sort.map(word))
            .query_opt("order", self.order.map(word));
        let request = paged(request, self.page_size, self.cursor.as_deref())?;
        found(request).await
    }
}

/// Searches users and organizations, best match first, a page at a time; at most 1000.
///
/// <https://docs.github.com/en/rest/search/search#search-users>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct SearchUsers {
    /// Words and qualifiers, each of which narrows: `type:user` or `type:org`, `in:login`, `in:email`, `fullname:"Ada
    /// Lovelace"`, `location:berlin`, `language:rust`, `repos:>10`, `followers:>100`.
    #[schemars(length(min = 1, max = 256))]
    pub query: String,
    /// Order; by match if left out.
    #[serde(default)]
    pub sort: Option<UserSearchSort>,
    /// Which end first; `desc` if left out.
    #[serde(default)]
    pub order: Option<Direction>,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for SearchUsers {
    type Output = Page<Account>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Account>> {
        let request = search(cx, "/search/users")
            .query("q", &self.query)
            .query_opt("sort", self.sort.map(word))
            .query_opt("order", self.order.map(word));
        let request = paged(request, self.page_size, self.cursor.as_deref())?;
        found(request).await
    }
}
