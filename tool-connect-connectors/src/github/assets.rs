//! Files of releases: uploaded to an address of their own, downloaded by handle.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Error, ErrorKind, FileRef, Result, Run, Tool, ToolContext, ToolSet};
use url::Url;

use super::page::{Done, cloud, done, on, on_for, request};
use super::text::LARGEST;
use crate::provider::{Content, FileInput};
use crate::spill::download;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<UploadReleaseAsset>().add::<DownloadReleaseAsset>().add::<DeleteReleaseAsset>();
}

/// A file of a release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Asset {
    /// Numeric id.
    pub id: u64,
    /// File name.
    pub name: String,
    /// What is shown instead of the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Size in bytes.
    pub size: u64,
    /// Digest of the content, `sha256:..`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// How often it was downloaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub download_count: Option<u64>,
    /// Where people download it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser_download_url: Option<String>,
}

/// Adds a file of less than 2 GiB to a release. A file of the same name is refused; delete that one first.
///
/// <https://docs.github.com/en/rest/releases/assets#upload-a-release-asset>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("public_repo|repo"), timeout = "30m")]
#[serde(deny_unknown_fields)]
pub struct UploadReleaseAsset {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Numeric id of the release.
    pub release_id: u64,
    /// The file.
    pub file: FileInput,
    /// What is shown instead of the name.
    #[serde(default)]
    pub label: Option<String>,
}

impl Run for UploadReleaseAsset {
    type Output = Asset;

    async fn run(self, cx: &ToolContext) -> Result<Asset> {
        let file = self.file.open("/file", cx).await?;
        if file.size == 0 || file.size >= LARGEST {
            let message = "must be a file of at least one byte and less than 2 GiB: GitHub takes no other";
            return Err(Error::invalid_argument("/file", message));
        }
        let Some(name) = file.name.clone().filter(|name| !name.is_empty()) else {
            return Err(Error::invalid_argument(
                "/file/name",
                "is needed: the file was stored without a name",
            ));
        };
        let media_type = file.media_type.as_deref().unwrap_or("application/octet-stream").to_owned();
        let target =
            format!("{}/repos/{{owner}}/{{repo}}/releases/{{release_id}}/assets", uploads(cx.base_url())?);
        let request = request(cx, Method::POST, &target)
            .path("owner", &self.owner)
            .path("repo", &self.repo)
            .path("release_id", self.release_id)
            .template("/repos/{owner}/{repo}/releases/{release_id}/assets")
            .query("name", name)
            .query_opt("label", self.label.as_deref())
            .header("content-type", media_type);
        let request = match file.content(cx).await? {
            Content::Bytes(bytes) => request.body(bytes),
            Content::Stream(stream, length) => request.stream(stream, Some(length)),
        };
        request.json().await
    }
}

/// Where files are uploaded to, by the address of the API: GitHub, GitHub Enterprise Cloud with data residency, or GitHub
/// Enterprise Server.
fn uploads(base: Option<&Url>) -> Result<String> {
    if let Some(rest) = cloud(base) {
        return Ok(format!("https://uploads.{rest}"));
    }
    let base = base.ok_or_else(|| Error::new(ErrorKind::Config, "the instance has no base URL"))?;
    let path = base.path().trim_end_matches('/').trim_end_matches("/v3").trim_end_matches("/api");
    Ok(format!("{}{path}/api/uploads", base.origin().ascii_serialization()))
}

/// Downloads a file of a release, by handle.
///
/// <https://docs.github.com/en/rest/releases/assets#get-a-release-asset>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, timeout = "30m")]
#[serde(deny_unknown_fields)]
pub struct DownloadReleaseAsset {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Numeric id of the file, as it stands in the release.
    pub asset_id: u64,
    /// Name to store it under.
    #[serde(default)]
    pub name: Option<String>,
}

impl Run for DownloadReleaseAsset {
    type Output = FileRef;

    async fn run(self, cx: &ToolContext) -> Result<FileRef> {
        let accept = "application/octet-stream";
        let request = on_for(cx, Method::GET, "/releases/assets/{asset_id}", &self.owner, &self.repo, accept);
        let response = request.path("asset_id", self.asset_id).max_bytes(LARGEST).send().await?;
        download(cx, response, self.name).await
    }
}

/// Deletes a file of a release.
///
/// <https://docs.github.com/en/rest/releases/assets#delete-a-release-asset>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct DeleteReleaseAsset {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Numeric id of the file, as it stands in the release.
    pub asset_id: u64,
}

impl Run for DeleteReleaseAsset {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        let request = on(cx, Method::DELETE, "/releases/assets/{asset_id}", &self.owner, &self.repo);
        done(request.path("asset_id", self.asset_id)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_github_has_its_place_for_uploads() {
        let of = |base: &str| uploads(Some(&base.parse().unwrap())).unwrap();
        assert_eq!(of("https://api.github.com/"), "https://uploads.github.com");
        assert_eq!(of("https://api.acme.ghe.com/"), "https://uploads.acme.ghe.com");
        assert_eq!(of("https://git.acme.example/api/v3/"), "https://git.acme.example/api/uploads");
        assert_eq!(of("https://git.acme.example:8443/api/v3"), "https://git.acme.example:8443/api/uploads");
        assert_eq!(of("http://127.0.0.1:9/"), "http://127.0.0.1:9/api/uploads");
        // No name that only ends like GitHub's gets a credential by another address.
        assert_eq!(of("https://api.evilghe.com/"), "https://api.evilghe.com/api/uploads");
        assert!(uploads(None).is_err());
    }
}
