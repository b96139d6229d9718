//! The fields that documents ask for, as text that the compiler puts together. They are renamed to the names that our records
//! have, so what Linear sends is read as it is. The same lists serve `Issue` and `IssueSearchResult`, which share no fragment.

use serde::{Deserialize, Deserializer};

/// A list inside of a record: `{"nodes": [..]}` as Linear sends it, or the plain list that we return.
pub(super) fn nodes<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum List<T> {
        Nodes { nodes: Vec<T> },
        Plain(Vec<T>),
    }
    Ok(match List::deserialize(from)? {
        List::Nodes { nodes } | List::Plain(nodes) => nodes,
    })
}

/// A page of a list around the fields of its items.
macro_rules! page_of {
    ($($fields:expr),+) => {
        concat!("{ nodes { ", $($fields),+, " } pageInfo { hasNextPage endCursor } }")
    };
}

/// What a mutation returns around the fields of what it changed.
macro_rules! payload_of {
    ($field:literal, $($fields:expr),+) => {
        concat!("{ success entity: ", $field, " { ", $($fields),+, " } }")
    };
}

macro_rules! issue {
    () => {
        "id identifier title url priority priority_label: priorityLabel estimate due_date: dueDate created_at: createdAt \
         updated_at: updatedAt completed_at: completedAt canceled_at: canceledAt archived_at: archivedAt \
         state { id name type } team { id key name } assignee { id name } project { id name } cycle { id number name } \
         parent { id identifier title } labels(first: 20) { nodes { id name } }"
    };
}

macro_rules! issue_ref {
    () => {
        "id identifier title"
    };
}

macro_rules! comment {
    () => {
        "id body url created_at: createdAt edited_at: editedAt resolved_at: resolvedAt user { id name } bot: botActor { id name } \
         issue { id identifier title } parent { id }"
    };
}

macro_rules! relation {
    () => {
        "id type issue { id identifier title } related_issue: relatedIssue { id identifier title }"
    };
}

macro_rules! label {
    () => {
        "id name color description is_group: isGroup retired_at: retiredAt team { id key name } parent { id name }"
    };
}

macro_rules! team {
    () => {
        "id key name description timezone cycles_enabled: cyclesEnabled triage_enabled: triageEnabled \
         issue_estimation_type: issueEstimationType archived_at: archivedAt retired_at: retiredAt"
    };
}

macro_rules! user {
    () => {
        "id name display_name: displayName email active admin guest url timezone status_label: statusLabel"
    };
}

macro_rules! project {
    () => {
        "id name slug_id: slugId url description priority progress health start_date: startDate target_date: targetDate \
         created_at: createdAt updated_at: updatedAt completed_at: completedAt canceled_at: canceledAt archived_at: archivedAt \
         trashed status { id name type } lead { id name } teams(first: 20) { nodes { id key name } }"
    };
}

macro_rules! project_update {
    () => {
        "id body health url created_at: createdAt edited_at: editedAt user { id name } project { id name }"
    };
}

macro_rules! milestone {
    () => {
        "id name description status progress target_date: targetDate archived_at: archivedAt project { id name }"
    };
}

macro_rules! cycle {
    () => {
        "id number name description starts_at: startsAt ends_at: endsAt completed_at: completedAt progress \
         is_active: isActive is_next: isNext is_previous: isPrevious archived_at: archivedAt team { id key name }"
    };
}

macro_rules! document {
    () => {
        "id title slug_id: slugId url created_at: createdAt updated_at: updatedAt archived_at: archivedAt trashed \
         creator { id name } project { id name } team { id key name } issue { id identifier title }"
    };
}

macro_rules! attachment {
    () => {
        "id title subtitle url source_type: sourceType metadata created_at: createdAt creator { id name } \
         issue { id identifier title }"
    };
}

pub(super) use {
    attachment, comment, cycle, document, issue, issue_ref, label, milestone, page_of, payload_of, project,
    project_update, relation, team, user,
};
