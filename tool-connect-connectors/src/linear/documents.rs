//! Documents.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolContext};

use super::fields::{document, page_of, payload_of};
use super::filter::{Contains, Which};
use super::graphql::{self, Listed, change, create, detail, page, remove};
use super::{Done, IssueRef, Named, TeamRef};
use crate::provider::paged;

paged! { ListDocuments => Document }

const LIST: graphql::Document = concat!(
    "query($page_size: Int = 50, $cursor: String, $include_archived: Boolean, $filter: DocumentFilter) { \
     answer: documents(first: $page_size, after: $cursor, includeArchived: $include_archived, filter: $filter) ",
    page_of!(document!()),
    " }"
);
const GET: graphql::Document = concat!(
    "query($id: String!, $whole: Boolean = false) { answer: document(id: $id) { ",
    document!(),
    " content updated_by: updatedBy { id name } ... @include(if: $whole) { color documentContentId hiddenAt icon sortOrder summary \
     cycle { id number name } initiative { id name } } } }"
);
const CREATE: graphql::Document = concat!(
    "mutation($id: String, $title: String!, $content: String, $project_id: String, $team_id: String, $issue_id: String, \
     $icon: String) { answer: documentCreate(input: {id: $id, title: $title, content: $content, projectId: $project_id, \
     teamId: $team_id, issueId: $issue_id, icon: $icon}) ",
    payload_of!("document", document!()),
    " }"
);
const CREATED: graphql::Document =
    concat!("query($id: String!) { answer: document(id: $id) { ", document!(), " } }");
const UPDATE: graphql::Document = concat!(
    "mutation($id: String!, $title: String, $content: String, $project_id: String, $icon: String) { \
     answer: documentUpdate(id: $id, input: {title: $title, content: $content, projectId: $project_id, icon: $icon}) ",
    payload_of!("document", document!()),
    " }"
);
const DELETE: graphql::Document = "mutation($id: String!) { answer: documentDelete(id: $id) { success } }";

/// A document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    /// Id, a UUID.
    pub id: String,
    /// Title.
    pub title: String,
    /// Text in Markdown; lists leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// What stands in its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug_id: Option<String>,
    /// Page on Linear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The project it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Named>,
    /// The team it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamRef>,
    /// The issue it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<IssueRef>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<Named>,
    /// Who changed it last; lists leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_by: Option<Named>,
    /// When it was made (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it was last changed (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// When it was archived (RFC 3339); absent where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<String>,
    /// Whether it lies in the trash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trashed: Option<bool>,
}

/// Lists documents, a page at a time, the newest first.
///
/// <https://linear.app/developers/filtering>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct ListDocuments {
    /// Only those of this project: its id or its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Only those whose title holds this text, whatever its case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Whether archived ones are listed, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_archived: Option<bool>,
    /// How many a page holds; 50 where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

#[derive(Serialize)]
struct Filter<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<Which<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<Contains<'a>>,
}

impl Run for ListDocuments {
    type Output = Page<Document>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Document>> {
        let filter = Filter {
            project: self.project.as_deref().map(Which::named),
            title: self.title.as_deref().map(Contains::new),
        };
        let variables = Listed {
            page_size: self.page_size,
            cursor: self.cursor.as_deref(),
            include_archived: self.include_archived,
            filter,
        };
        page(cx, LIST, &variables).await
    }
}

/// Gets a document with its text in Markdown, by id or by what stands in its address.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct GetDocument {
    /// Id of the document, a UUID, or its `slug_id`.
    #[schemars(length(min = 1))]
    pub id: String,
    /// Whether to return more of what Linear knows of it, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetDocument {
    type Output = Detail<Document>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Document>> {
        detail(cx, GET, &self, self.whole).await
    }
}

/// Creates a document in a project, a team or an issue; name one of the three. Returns it with its id and page.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct CreateDocument {
    /// Title.
    #[schemars(length(min = 1))]
    pub title: String,
    /// Text in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Id of the project it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Id of the team it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// Id or identifier of the issue it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue_id: Option<String>,
    /// Icon, by Linear's name of it or as an emoji, `:eagle:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
}

impl Run for CreateDocument {
    type Output = Document;

    async fn run(self, cx: &ToolContext) -> Result<Document> {
        create(cx, CREATE, CREATED, &self).await
    }
}

/// Changes a document: what is given replaces what is there. Returns it.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct UpdateDocument {
    /// Id of the document, a UUID, or its `slug_id`.
    #[schemars(length(min = 1))]
    pub id: String,
    /// Title.
    #[schemars(length(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Text in Markdown, all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Id of the project to move it to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Icon, by Linear's name of it or as an emoji, `:eagle:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
}

impl Run for UpdateDocument {
    type Output = Document;

    async fn run(self, cx: &ToolContext) -> Result<Document> {
        change(cx, UPDATE, &self).await
    }
}

/// Puts a document into the trash.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct DeleteDocument {
    /// Id of the document, a UUID, or its `slug_id`.
    #[schemars(length(min = 1))]
    pub id: String,
}

impl Run for DeleteDocument {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        remove(cx, DELETE, self.id).await
    }
}
