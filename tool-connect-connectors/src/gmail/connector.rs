//! The connector: its manifest and its tools.

use semver::Version;
use tool_connect_core::{AuthScheme, ConnectorLimits, ConnectorManifest};

use super::{
    ArchiveMessage, BatchModifyMessages, CreateDraft, CreateLabel, DeleteDraft, DeleteLabel, DownloadMessage,
    ForwardMessage, GetAttachment, GetDraft, GetLabel, GetMessage, GetProfile, GetThread, ListDrafts,
    ListHistory, ListLabels, ListMessages, ListThreads, MarkMessageRead, ModifyMessageLabels,
    ModifyThreadLabels, ReplyToMessage, SendDraft, SendMessage, StarMessage, TrashMessage, TrashThread,
    UntrashMessage, UntrashThread, UpdateDraft, UpdateLabel,
};
use crate::google::connector;
use crate::provider::fixed;

connector! {
    /// Gmail: messages, threads, drafts, labels, attachments.
    ///
    /// An account is connected with OAuth (`google` in the provider catalog).
    ///
    /// ```
    /// use tool_connect_connectors::gmail::Gmail;
    /// use tool_connect_core::Connector;
    ///
    /// let gmail = Gmail::new();
    /// assert_eq!(gmail.manifest().probe.as_deref(), Some("get_profile"));
    /// ```
    Gmail,
    ConnectorManifest::new("gmail", Version::new(1, 0, 0), "Gmail")
        .description("Reads, searches, writes, sends and files mail in Gmail.")
        .category("communication")
        .documentation(fixed("https://developers.google.com/workspace/gmail/api/guides"))
        .base_url(fixed("https://gmail.googleapis.com/"))
        .auth(AuthScheme::oauth2("google", [] as [&str; 0]))
        .probe("get_profile")
        // A user has a limit of concurrent requests that is not published; what is over it is answered with 429:
        // https://developers.google.com/workspace/gmail/api/guides/handle-errors.
        .limits(ConnectorLimits::default().concurrency(20)),
    [
        GetProfile, ListMessages, GetMessage, DownloadMessage, GetAttachment, ListThreads, GetThread, SendMessage,
        ReplyToMessage, ForwardMessage, ListDrafts, GetDraft, CreateDraft, UpdateDraft, SendDraft, DeleteDraft,
        ListLabels, GetLabel, CreateLabel, UpdateLabel, DeleteLabel, ModifyMessageLabels, ModifyThreadLabels,
        BatchModifyMessages, ArchiveMessage, MarkMessageRead, StarMessage, TrashMessage, UntrashMessage, TrashThread,
        UntrashThread, ListHistory,
    ]
}
