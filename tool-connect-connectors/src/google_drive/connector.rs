//! The connector: its manifest and its tools.

use semver::Version;
use tool_connect_core::{AuthScheme, ConnectorLimits, ConnectorManifest};

use super::{
    CopyFile, CreateComment, CreateFolder, DeleteFile, DeletePermission, DownloadFile, ExportFile, GetAbout,
    GetFile, GetStartPageToken, ListChanges, ListComments, ListFiles, ListPermissions, ListRevisions,
    ListSharedDrives, MoveFile, ReplyToComment, ShareFile, TrashFile, UntrashFile, UpdateFile,
    UpdateFileContent, UpdatePermission, UploadFile,
};
use crate::google::connector;
use crate::provider::fixed;

connector! {
    /// Google Drive: files, folders, sharing, comments.
    ///
    /// An account is connected with OAuth (`google` in the provider catalog).
    ///
    /// ```
    /// use tool_connect_connectors::google_drive::GoogleDrive;
    /// use tool_connect_core::Connector;
    ///
    /// let drive = GoogleDrive::new();
    /// assert_eq!(drive.manifest().probe.as_deref(), Some("get_about"));
    /// ```
    GoogleDrive,
    ConnectorManifest::new("google_drive", Version::new(1, 0, 0), "Google Drive")
        .description("Finds, reads, uploads, exports, moves and shares files in Google Drive.")
        .category("files")
        .documentation(fixed("https://developers.google.com/workspace/drive/api/guides/about-sdk"))
        .base_url(fixed("https://www.googleapis.com/"))
        .auth(AuthScheme::oauth2("google", [] as [&str; 0]))
        .probe("get_about")
        .limits(ConnectorLimits::default().concurrency(20)),
    [
        GetAbout, ListFiles, GetFile, CreateFolder, UploadFile, UpdateFileContent, DownloadFile, ExportFile, CopyFile,
        MoveFile, UpdateFile, TrashFile, UntrashFile, DeleteFile, ShareFile, ListPermissions, UpdatePermission,
        DeletePermission, ListComments, CreateComment, ReplyToComment, ListRevisions, GetStartPageToken, ListChanges,
        ListSharedDrives,
    ]
}
