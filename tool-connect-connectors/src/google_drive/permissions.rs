//! Sharing.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tool_connect_core::{Error, Page, Result, Run, Tool, ToolArgs, ToolContext};

use super::change::set;
use super::file::one;
use crate::google::page;
use crate::provider::paged;

paged! { ListPermissions => Permission }

const FIELDS: &str = "id,type,role,emailAddress,domain,displayName,expirationTime";

/// What somebody may do with a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Permission {
    /// Id of the permission, for this file.
    pub id: String,
    /// `user`, `group`, `domain` or `anyone`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `reader`, `commenter`, `writer`, `fileOrganizer`, `organizer` or `owner`.
    pub role: String,
    /// Address of the user or group.
    #[serde(default, alias = "emailAddress", skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Name.
    #[serde(default, alias = "displayName", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it ends, RFC 3339.
    #[serde(default, alias = "expirationTime", skip_serializing_if = "Option::is_none")]
    pub expiration_time: Option<String>,
}

/// What somebody may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum PermissionRole {
    /// Read.
    #[default]
    Reader,
    /// Read and comment.
    Commenter,
    /// Read, comment and change.
    Writer,
    /// In a shared drive: also move files.
    FileOrganizer,
    /// In a shared drive: also say who takes part.
    Organizer,
    /// Own it instead of the account; only for a user of the same kind of account.
    Owner,
}

impl PermissionRole {
    fn wire(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Commenter => "commenter",
            Self::Writer => "writer",
            Self::FileOrganizer => "fileOrganizer",
            Self::Organizer => "organizer",
            Self::Owner => "owner",
        }
    }

    /// What Google wants to hear before it gives a file away.
    fn transfers(self) -> Option<bool> {
        (self == Self::Owner).then_some(true)
    }
}

/// With whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum PermissionType {
    /// A person, by `email`.
    #[default]
    User,
    /// A group, by `email`.
    Group,
    /// Everybody of a `domain`.
    Domain,
    /// Everybody who has the link.
    Anyone,
}

impl PermissionType {
    fn wire(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Domain => "domain",
            Self::Anyone => "anyone",
        }
    }
}

/// Shares a file or folder with a person, a group, a domain, or everybody who has the link. Returns the permission.
///
/// <https://developers.google.com/workspace/drive/api/guides/manage-sharing>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(scopes("https://www.googleapis.com/auth/drive.file|https://www.googleapis.com/auth/drive"))]
#[serde(deny_unknown_fields)]
pub struct ShareFile {
    /// Id of the file or folder.
    pub file_id: String,
    /// What they may do.
    pub role: PermissionRole,
    /// With whom.
    pub with: PermissionType,
    /// Address of the person or group.
    #[serde(default)]
    pub email: Option<String>,
    /// The domain: `example.com`.
    #[serde(default)]
    pub domain: Option<String>,
    /// Whether they are told by mail; where a file is given away, they always are.
    #[serde(default)]
    pub notify: bool,
    /// What to say in that mail.
    #[serde(default)]
    pub message: Option<String>,
}

impl Run for ShareFile {
    type Output = Permission;

    async fn run(self, cx: &ToolContext) -> Result<Permission> {
        let by_email = matches!(self.with, PermissionType::User | PermissionType::Group);
        if by_email != self.email.is_some() {
            return Err(Error::invalid_argument(
                "/email",
                "must be given for a `user` or `group`, and for nobody else",
            ));
        }
        if (self.with == PermissionType::Domain) != self.domain.is_some() {
            return Err(Error::invalid_argument(
                "/domain",
                "must be given for a `domain`, and for nobody else",
            ));
        }
        if self.message.is_some() && !self.notify {
            return Err(Error::invalid_argument("/message", "needs `notify`: there is no mail without"));
        }
        let notify = self.notify || self.role == PermissionRole::Owner;
        let mut body = json!({"role": self.role.wire(), "type": self.with.wire()});
        set(&mut body, "emailAddress", self.email.as_deref());
        set(&mut body, "domain", self.domain.as_deref());
        one(cx, Method::POST, "drive/v3/files/{file}/permissions", &self.file_id)
            // Google takes it for people and groups alone.
            .query_opt("sendNotificationEmail", by_email.then_some(notify))
            .query_opt("emailMessage", self.message.as_deref())
            .query_opt("transferOwnership", self.role.transfers())
            .query("fields", FIELDS)
            .json_body(&body)
            .json()
            .await
    }
}

/// Lists who may do what with a file or folder, a page at a time.
///
/// <https://developers.google.com/workspace/drive/api/reference/rest/v3/permissions/list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes(
        "https://www.googleapis.com/auth/drive.metadata.readonly|https://www.googleapis.com/auth/drive.readonly|https://www.googleapis.com/auth/drive|https://www.googleapis.com/auth/drive.file"
    )
)]
#[serde(deny_unknown_fields)]
pub struct ListPermissions {
    /// Id of the file or folder.
    pub file_id: String,
    /// How many a page holds; 100 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListPermissions {
    type Output = Page<Permission>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Permission>> {
        let request = one(cx, Method::GET, "drive/v3/files/{file}/permissions", &self.file_id)
            .query("pageSize", self.page_size.unwrap_or(100))
            .query("fields", format!("nextPageToken,permissions({FIELDS})"));
        page(request, self.cursor.as_deref()).await
    }
}

/// Changes what somebody may do with a file or folder. Returns the permission.
///
/// <https://developers.google.com/workspace/drive/api/reference/rest/v3/permissions/update>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    idempotent,
    scopes("https://www.googleapis.com/auth/drive.file|https://www.googleapis.com/auth/drive")
)]
#[serde(deny_unknown_fields)]
pub struct UpdatePermission {
    /// Id of the file or folder.
    pub file_id: String,
    /// Id of the permission, as `list_permissions` names it.
    pub permission_id: String,
    /// What they may do.
    pub role: PermissionRole,
}

impl Run for UpdatePermission {
    type Output = Permission;

    async fn run(self, cx: &ToolContext) -> Result<Permission> {
        one(cx, Method::PATCH, "drive/v3/files/{file}/permissions/{permission}", &self.file_id)
            .path("permission", &self.permission_id)
            .query_opt("transferOwnership", self.role.transfers())
            .query("fields", FIELDS)
            .json_body(&json!({"role": self.role.wire()}))
            .repeatable(true)
            .json()
            .await
    }
}

/// What was taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeletedPermission {
    /// Id of the permission.
    pub permission_id: String,
}

/// Takes back what somebody may do with a file or folder.
///
/// <https://developers.google.com/workspace/drive/api/reference/rest/v3/permissions/delete>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    idempotent,
    scopes("https://www.googleapis.com/auth/drive.file|https://www.googleapis.com/auth/drive")
)]
#[serde(deny_unknown_fields)]
pub struct DeletePermission {
    /// Id of the file or folder.
    pub file_id: String,
    /// Id of the permission, as `list_permissions` names it.
    pub permission_id: String,
}

impl Run for DeletePermission {
    type Output = DeletedPermission;

    async fn run(self, cx: &ToolContext) -> Result<DeletedPermission> {
        one(cx, Method::DELETE, "drive/v3/files/{file}/permissions/{permission}", &self.file_id)
            .path("permission", &self.permission_id)
            .send()
            .await?;
        Ok(DeletedPermission { permission_id: self.permission_id })
    }
}
