//! What one record says of another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something with a name: a user, a project, a label, an app.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Named {
    /// Id, a UUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A team, in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TeamRef {
    /// Id, a UUID.
    pub id: String,
    /// Key, which its issues' identifiers begin with: `ENG`.
    pub key: String,
    /// Name.
    pub name: String,
}

/// A workflow state, or a project's status, in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StateRef {
    /// Id, a UUID.
    pub id: String,
    /// Name.
    pub name: String,
    /// What it means, whatever its name: `started`, `completed`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A cycle, in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CycleRef {
    /// Id, a UUID.
    pub id: String,
    /// Number within the team.
    pub number: u32,
    /// Name, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// An issue, in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IssueRef {
    /// Id, a UUID.
    pub id: String,
    /// Identifier, `ENG-123`.
    pub identifier: String,
    /// Title.
    pub title: String,
}

/// What was taken away, or put aside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Done {
    /// Its id, as the call named it.
    pub id: String,
}
