//! Google Drive, over its REST API: one file per group of tools. `file.rs` has files as a reader wants them, `query.rs` how they
//! are searched, `upload.rs` and `download.rs` their contents.

mod about;
mod change;
mod changes;
mod comments;
mod connector;
mod download;
mod file;
mod files;
mod permissions;
mod query;
mod revisions;
mod upload;

pub use about::{About, GetAbout, ListSharedDrives, SharedDrive, StorageQuota};
pub use change::{
    CopyFile, CreateFolder, DeleteFile, DeletedFile, MoveFile, TrashFile, UntrashFile, UpdateFile,
};
pub use changes::{DriveChange, DriveChanges, GetStartPageToken, ListChanges, StartPageToken};
pub use comments::{Comment, CreateComment, ListComments, QuotedContent, Reply, ReplyAction, ReplyToComment};
pub use connector::GoogleDrive;
pub use download::{DownloadFile, ExportFile, ExportFormat};
pub use file::{DriveFile, Shortcut, User};
pub use files::{GetFile, ListFiles};
pub use permissions::{
    DeletePermission, DeletedPermission, ListPermissions, Permission, PermissionRole, PermissionType,
    ShareFile, UpdatePermission,
};
pub use query::FileOrder;
pub use revisions::{ListRevisions, Revision};
pub use upload::{GoogleFormat, UpdateFileContent, UploadFile};
