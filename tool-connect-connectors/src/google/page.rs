//! Lists in pages: each of Google's calls its items differently, and all hand out a token for the next page.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tool_connect_core::http::RequestBuilder;
use tool_connect_core::{Page, Result};

/// A list as Google sends it.
#[derive(Deserialize)]
pub(crate) struct Listed<T> {
    #[serde(
        alias = "messages",
        alias = "threads",
        alias = "drafts",
        alias = "labels",
        alias = "history",
        alias = "files",
        alias = "permissions",
        alias = "comments",
        alias = "revisions",
        alias = "changes",
        alias = "drives"
    )]
    // An empty list is left out.
    #[serde(default = "Vec::new")]
    pub(crate) items: Vec<T>,
    #[serde(default, rename = "nextPageToken")]
    pub(crate) next_page_token: Option<String>,
    /// Where to go on with what changes from now on.
    #[serde(default, alias = "nextSyncToken", alias = "newStartPageToken", alias = "historyId")]
    pub(crate) later: Option<String>,
}

/// Asks for the page that begins at the cursor.
pub(crate) fn from<'a>(request: RequestBuilder<'a>, cursor: Option<&str>) -> RequestBuilder<'a> {
    request.query_opt("pageToken", cursor)
}

/// Sends the request and reads a page.
pub(crate) async fn page<T: DeserializeOwned>(
    request: RequestBuilder<'_>,
    cursor: Option<&str>,
) -> Result<Page<T>> {
    let listed: Listed<T> = from(request, cursor).json().await?;
    Ok(Page::new(listed.items, listed.next_page_token.filter(|token| !token.is_empty())))
}
