//! GitHub Actions: logs and artifacts, by handle.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{FileRef, Page, Result, Run, Tool, ToolContext, ToolSet};

use super::page::{on, page_within, paged};
use super::text::LARGEST;
use crate::provider::paged;
use crate::spill::download;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<DownloadRunLogs>().add::<DownloadJobLogs>().add::<ListArtifacts>().add::<DownloadArtifact>();
}

paged! { ListArtifacts => Artifact }

/// A file that a run left.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Artifact {
    /// Numeric id.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Size in bytes.
    pub size_in_bytes: u64,
    /// Whether it is gone.
    pub expired: bool,
    /// When it was made, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it goes, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

/// Downloads the logs of a run as a ZIP file with a text file for each job, by handle.
///
/// <https://docs.github.com/en/rest/actions/workflow-runs#download-workflow-run-logs>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, timeout = "30m")]
#[serde(deny_unknown_fields)]
pub struct DownloadRunLogs {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Numeric id of the run.
    pub run_id: u64,
}

impl Run for DownloadRunLogs {
    type Output = FileRef;

    async fn run(self, cx: &ToolContext) -> Result<FileRef> {
        let request = on(cx, Method::GET, "/actions/runs/{run_id}/logs", &self.owner, &self.repo);
        let response = request.path("run_id", self.run_id).max_bytes(LARGEST).send().await?;
        download(cx, response, Some(format!("run-{}-logs.zip", self.run_id))).await
    }
}

/// Downloads the log of a job as text, by handle.
///
/// <https://docs.github.com/en/rest/actions/workflow-jobs#download-job-logs-for-a-workflow-run>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, timeout = "30m")]
#[serde(deny_unknown_fields)]
pub struct DownloadJobLogs {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Numeric id of the job.
    pub job_id: u64,
}

impl Run for DownloadJobLogs {
    type Output = FileRef;

    async fn run(self, cx: &ToolContext) -> Result<FileRef> {
        let request = on(cx, Method::GET, "/actions/jobs/{job_id}/logs", &self.owner, &self.repo);
        let response = request.path("job_id", self.job_id).max_bytes(LARGEST).send().await?;
        download(cx, response, Some(format!("job-{}.log", self.job_id))).await
    }
}

/// Lists the files that a run left, a page at a time.
///
/// <https://docs.github.com/en/rest/actions/artifacts#list-workflow-run-artifacts>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListArtifacts {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Numeric id of the run.
    pub run_id: u64,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListArtifacts {
    type Output = Page<Artifact>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Artifact>> {
        let request = on(cx, Method::GET, "/actions/runs/{run_id}/artifacts", &self.owner, &self.repo)
            .path("run_id", self.run_id);
        page_within(paged(request, self.page_size, self.cursor.as_deref())?, |OfArtifacts { artifacts }| {
            artifacts
        })
        .await
    }
}

/// Downloads a file that a run left, as a ZIP file, by handle.
///
/// <https://docs.github.com/en/rest/actions/artifacts#download-an-artifact>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, timeout = "30m")]
#[serde(deny_unknown_fields)]
pub struct DownloadArtifact {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Numeric id of the artifact.
    pub artifact_id: u64,
}

impl Run for DownloadArtifact {
    type Output = FileRef;

    async fn run(self, cx: &ToolContext) -> Result<FileRef> {
        let request = on(cx, Method::GET, "/actions/artifacts/{artifact_id}/zip", &self.owner, &self.repo);
        let response = request.path("artifact_id", self.artifact_id).max_bytes(LARGEST).send().await?;
        download(cx, response, Some(format!("artifact-{}.zip", self.artifact_id))).await
    }
}

#[derive(Deserialize)]
struct OfArtifacts {
    artifacts: Vec<Artifact>,
}
