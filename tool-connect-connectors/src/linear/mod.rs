//! Linear, over its GraphQL API: one file per group of tools, each document a constant beside its tool. `graphql.rs` sends and
//! reads, `fields.rs` has the fields that documents share, `filter.rs` typed filters, `ids.rs` the ids that make writes happen
//! once, `error.rs` what Linear's errors mean.

mod account;
mod attachments;
mod comments;
mod connector;
mod cycles;
mod documents;
mod error;
mod fields;
mod files;
mod filter;
mod graphql;
mod history;
mod ids;
mod issue_changes;
mod issues;
mod labels;
mod notifications;
mod project_changes;
mod project_parts;
mod projects;
mod refs;
mod relations;
mod teams;
mod users;

pub use account::{GetOrganization, GetViewer, Organization, Viewer, Workspace};
pub use attachments::{Attachment, CreateAttachment, DeleteAttachment, ListAttachments};
pub use comments::{Comment, CommentRef, CreateComment, DeleteComment, ListComments, UpdateComment};
pub use connector::Linear;
pub use cycles::{CurrentCycle, Cycle, CycleTime, GetCurrentCycle, GetCycle, ListCycles};
pub use documents::{CreateDocument, DeleteDocument, Document, GetDocument, ListDocuments, UpdateDocument};
pub use files::{DownloadFile, UploadFile, UploadedFile};
pub use history::{IssueChange, ListIssueHistory};
pub use issue_changes::{
    AddIssueLabel, ArchiveIssue, AssignIssue, CreateIssue, DeleteIssue, IssueField, RemoveIssueLabel,
    UnarchiveIssue, UpdateIssue,
};
pub use issues::{GetIssue, Issue, ListIssues, ListSubIssues, OrderBy, SearchIssues};
pub use labels::{CreateLabel, Label, ListLabels, UpdateLabel};
pub use notifications::{ArchiveNotification, ListNotifications, Notification};
pub use project_changes::{ArchiveProject, CreateProject, ProjectField, UnarchiveProject, UpdateProject};
pub use project_parts::{
    CreateMilestone, CreateProjectUpdate, Health, ListMilestones, ListProjectUpdates, Milestone,
    ProjectUpdate, UpdateMilestone,
};
pub use projects::{
    GetProject, ListProjectStatuses, ListProjects, Project, ProjectStatus, ProjectStatusType,
};
pub use refs::{CycleRef, Done, IssueRef, Named, StateRef, TeamRef};
pub use relations::{
    CreateIssueRelation, DeleteIssueRelation, Direction, IssueRelation, ListIssueRelations, RelationType,
};
pub use teams::{GetTeam, ListTeams, ListWorkflowStates, StateType, Team, WorkflowState};
pub use users::{GetUser, ListUsers, User};
