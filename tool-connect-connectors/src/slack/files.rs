//! Files: which there are, and what is known of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolContext};

use super::call::{Done, Paging, get, post};
use crate::provider::paged;

paged! { ListFiles => File }

/// A file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct File {
    /// Id, such as `F012AB3CD`, to download it with.
    pub id: String,
    /// File name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mimetype: Option<String>,
    /// Slack's word for the type, such as `pdf` or `python`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filetype: Option<String>,
    /// Size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Id of the user who uploaded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// When it was uploaded, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<i64>,
    /// `hosted` at Slack, a `snippet`, `external` where it lies at another service, `tombstone` where it was deleted, or another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Address that opens it in Slack, for those who may see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permalink: Option<String>,
}

/// Lists files that the account may see, newest first, a page at a time.
///
/// <https://docs.slack.dev/reference/methods/files.list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("files:read"))]
#[serde(deny_unknown_fields)]
pub struct ListFiles {
    /// Only those shared in this conversation, by its id, such as `C012AB3CD`.
    #[serde(default)]
    pub channel: Option<String>,
    /// Only those of this user, by their id, such as `U012AB3CD`.
    #[serde(default)]
    pub user: Option<String>,
    /// Only those of these types: `images`, `pdfs`, `snippets`, `spaces`, `gdocs`, `zips`.
    #[serde(default)]
    pub types: Option<Vec<String>>,
    /// Only those uploaded after this time, in Unix seconds.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9]{1,12}(\.[0-9]{1,9})?$"))]
    pub oldest: Option<String>,
    /// Only those uploaded before this time, in Unix seconds.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9]{1,12}(\.[0-9]{1,9})?$"))]
    pub latest: Option<String>,
    /// How many a page holds; 999 if left out. Slack shows a hundred pages: go on with `latest`, the `created` of the last file.
    #[serde(default)]
    #[schemars(range(min = 1, max = 999))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListFiles {
    type Output = Page<File>;

    async fn run(self, cx: &ToolContext) -> Result<Page<File>> {
        let arguments = json!({
            "channel": self.channel, "user": self.user, "types": self.types, "ts_from": self.oldest,
            "ts_to": self.latest, "count": self.page_size.unwrap_or(999),
            "page": Paging::page(self.cursor.as_deref())?,
        });
        let answer = get(cx, "files.list", &arguments).await?;
        let paging: Option<Paging> = answer.optional("paging")?;
        Ok(Page::new(answer.member("files")?, paging.unwrap_or_default().next()))
    }
}

/// Gets what is known of a file: name, type, size, who uploaded it. download_file gets its bytes.
///
/// <https://docs.slack.dev/reference/methods/files.info>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("files:read"))]
#[serde(deny_unknown_fields)]
pub struct GetFile {
    /// Id of the file, such as `F012AB3CD`.
    pub file: String,
    /// Whether to return all that Slack sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetFile {
    type Output = Detail<File>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<File>> {
        get(cx, "files.info", &self).await?.detail("file", self.whole)
    }
}

/// Deletes a file, wherever it was shared and for good.
///
/// <https://docs.slack.dev/reference/methods/files.delete>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("files:write"))]
#[serde(deny_unknown_fields)]
pub struct DeleteFile {
    /// Id of the file, such as `F012AB3CD`.
    pub file: String,
}

impl Run for DeleteFile {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        post(cx, "files.delete", &self).await?.done()
    }
}
