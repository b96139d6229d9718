//! Labels of a repository, and of its issues.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Page, Result, Run, Tool, ToolContext, ToolSet};

use super::page::{Done, Members, done, on, page, paged};
use crate::provider::paged;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<ListLabels>()
        .add::<CreateLabel>()
        .add::<UpdateLabel>()
        .add::<DeleteLabel>()
        .add::<AddLabels>()
        .add::<RemoveLabel>();
}

paged! { ListLabels => Label }

/// A label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Label {
    /// Name.
    pub name: String,
    /// Colour, six hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The labels that an issue has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Labels {
    /// Labels.
    #[serde(default, deserialize_with = "super::brief::list", skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
}

/// Lists the labels that a repository has, a page at a time.
///
/// <https://docs.github.com/en/rest/issues/labels#list-labels-for-a-repository>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListLabels {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListLabels {
    type Output = Page<Label>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Label>> {
        let request = on(cx, Method::GET, "/labels", &self.owner, &self.repo);
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}

/// Creates a label in a repository.
///
/// <https://docs.github.com/en/rest/issues/labels#create-a-label>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct CreateLabel {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Name.
    #[schemars(length(min = 1, max = 50))]
    pub name: String,
    /// Colour, six hexadecimal digits without `#`; GitHub chooses one if left out.
    #[serde(default)]
    #[schemars(regex(pattern = "^[0-9a-fA-F]{6}$"))]
    pub color: Option<String>,
    /// What it is for.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub description: Option<String>,
}

impl Run for CreateLabel {
    type Output = Label;

    async fn run(self, cx: &ToolContext) -> Result<Label> {
        on(cx, Method::POST, "/labels", &self.owner, &self.repo)
            .json_body(
                &Members::default()
                    .with("name", &self.name)
                    .maybe("color", self.color.as_ref())
                    .maybe("description", self.description.as_ref()),
            )
            .json()
            .await
    }
}

/// Changes a label of a repository; what is left out stays.
///
/// <https://docs.github.com/en/rest/issues/labels#update-a-label>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct UpdateLabel {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Name that it has.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Name that it shall have.
    #[serde(default)]
    #[schemars(length(min = 1, max = 50))]
    pub new_name: Option<String>,
    /// Colour, six hexadecimal digits without `#`.
    #[serde(default)]
    #[schemars(regex(pattern = "^[0-9a-fA-F]{6}$"))]
    pub color: Option<String>,
    /// What it is for.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub description: Option<String>,
}

impl Run for UpdateLabel {
    type Output = Label;

    async fn run(self, cx: &ToolContext) -> Result<Label> {
        on(cx, Method::PATCH, "/labels/{name}", &self.owner, &self.repo)
            .path("name", &self.name)
            .json_body(
                &Members::default()
                    .maybe("new_name", self.new_name.as_ref())
                    .maybe("color", self.color.as_ref())
                    .maybe("description", self.description.as_ref()),
            )
            .json()
            .await
    }
}

/// Deletes a label from a repository, and from all of its issues.
///
/// <https://docs.github.com/en/rest/issues/labels#delete-a-label>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct DeleteLabel {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Name.
    #[schemars(length(min = 1))]
    pub name: String,
}

impl Run for DeleteLabel {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        done(on(cx, Method::DELETE, "/labels/{name}", &self.owner, &self.repo).path("name", &self.name)).await
    }
}

/// Adds labels to an issue or pull request; a label that the repository does not have yet is made. Returns all that it
/// has then.
///
/// <https://docs.github.com/en/rest/issues/labels#add-labels-to-an-issue>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct AddLabels {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the issue or pull request.
    pub number: u64,
    /// Names of labels.
    #[serde(default)]
    #[schemars(length(min = 1, max = 100))]
    pub labels: Vec<String>,
}

impl Run for AddLabels {
    type Output = Labels;

    async fn run(self, cx: &ToolContext) -> Result<Labels> {
        let request = on(cx, Method::POST, "/issues/{number}/labels", &self.owner, &self.repo);
        let body = Members::default().with("labels", &self.labels);
        let labels = request.path("number", self.number).json_body(&body).json().await?;
        Ok(Labels { labels })
    }
}

/// Takes a label off an issue or pull request. Returns those that are left.
///
/// <https://docs.github.com/en/rest/issues/labels#remove-a-label-from-an-issue>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct RemoveLabel {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the issue or pull request.
    pub number: u64,
    /// Name of the label.
    #[schemars(length(min = 1))]
    pub name: String,
}

impl Run for RemoveLabel {
    type Output = Labels;

    async fn run(self, cx: &ToolContext) -> Result<Labels> {
        let request = on(cx, Method::DELETE, "/issues/{number}/labels/{name}", &self.owner, &self.repo);
        let labels = request.path("number", self.number).path("name", &self.name).json().await?;
        Ok(Labels { labels })
    }
}
