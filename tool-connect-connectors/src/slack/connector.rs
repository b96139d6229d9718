//! The connectors: their manifests and their tools.

use http::response::Parts;
use semver::Version;
use tool_connect_core::{AuthScheme, Connector, ConnectorLimits, ConnectorManifest, Error, ToolSet};

use super::{
    AddBookmark, AddReaction, ArchiveConversation, CloseConversation, CreateConversation, DeleteFile,
    DeleteMessage, DeleteScheduledMessage, DownloadFile, FindUserByEmail, GetBot, GetConversation, GetFile,
    GetIdentity, GetMessage, GetPermalink, GetPresence, GetProfile, GetReactions, GetUser, GetWorkspace,
    InviteToConversation, JoinConversation, LeaveConversation, ListBookmarks, ListConversations, ListEmoji,
    ListFiles, ListMembers, ListMessages, ListPins, ListReactions, ListReplies, ListScheduledMessages,
    ListUserConversations, ListUsergroupMembers, ListUsergroups, ListUsers, MarkRead, OpenConversation,
    OpenView, PinMessage, PublishHomeView, PushView, RemoveBookmark, RemoveFromConversation, RemoveReaction,
    RenameConversation, ScheduleMessage, SearchFiles, SearchMessages, SendEphemeralMessage, SendMessage,
    SetPresence, SetProfile, SetPurpose, SetStatus, SetTopic, UnarchiveConversation, UnpinMessage,
    UpdateBookmark, UpdateMessage, UpdateView, UploadFile, error,
};
use crate::provider::fixed;

/// Slack as an app's bot: messages, channels, reactions, pins, bookmarks, people, files, views.
///
/// A workspace is connected with OAuth (`slack` in the provider catalog), or with a bot token. What only a user's own token
/// does (search, status, profile) is [`SlackUser`].
///
/// ```
/// use tool_connect_connectors::slack::Slack;
/// use tool_connect_core::Connector;
///
/// assert_eq!(Slack::new().manifest().probe.as_deref(), Some("get_identity"));
/// ```
#[derive(Debug)]
pub struct Slack {
    manifest: ConnectorManifest,
}

/// Slack as one of its users: it reads what they may read, writes in their name, searches, and sets their status.
///
/// An account is connected with OAuth (`slack_user` in the provider catalog), or with a user token. The tools are those of
/// [`Slack`] that mean the same for a person, and those that need one. Where both are registered, say which is meant:
/// `session.on("slack_user")`.
///
/// ```
/// use tool_connect_connectors::slack::SlackUser;
/// use tool_connect_core::Connector;
///
/// assert_eq!(SlackUser::new().manifest().id, "slack_user");
/// ```
#[derive(Debug)]
pub struct SlackUser {
    manifest: ConnectorManifest,
}

fn manifest(id: &str, name: &str) -> ConnectorManifest {
    ConnectorManifest::new(id, Version::new(1, 0, 0), name)
        .category("communication")
        .documentation(fixed("https://docs.slack.dev/apis/web-api/"))
        .base_url(fixed("https://slack.com/api/"))
        .origin(fixed("https://files.slack.com/"))
        .auth(AuthScheme::oauth2(id, [] as [&str; 0]))
        .probe("get_identity")
        // Slack names no number; its limits are by method and minute, and answers tell when one is used up.
        .limits(ConnectorLimits::default().concurrency(20))
}

impl Slack {
    /// The connector for an app's bot, in any workspace.
    #[must_use]
    pub fn new() -> Self {
        let about =
            "Sends messages, works with channels, people and files in a Slack workspace as an app's bot.";
        Self { manifest: manifest("slack", "Slack").description(about) }
    }
}

impl Default for Slack {
    fn default() -> Self {
        Self::new()
    }
}

impl SlackUser {
    /// The connector for a user's own account, in any workspace.
    #[must_use]
    pub fn new() -> Self {
        let about =
            "Reads, searches and writes in a Slack workspace as one of its users, and sets their status.";
        Self { manifest: manifest("slack_user", "Slack (own account)").description(about) }
    }
}

impl Default for SlackUser {
    fn default() -> Self {
        Self::new()
    }
}

/// The tools that mean the same for a bot and for a user, and need scopes of the same names.
fn common(set: &mut ToolSet) {
    set.add::<GetIdentity>().add::<GetWorkspace>().add::<ListEmoji>().add::<GetBot>();
    set.add::<SendMessage>()
        .add::<SendEphemeralMessage>()
        .add::<UpdateMessage>()
        .add::<DeleteMessage>()
        .add::<GetPermalink>()
        .add::<ScheduleMessage>()
        .add::<ListScheduledMessages>()
        .add::<DeleteScheduledMessage>();
    set.add::<ListConversations>()
        .add::<ListUserConversations>()
        .add::<GetConversation>()
        .add::<ListMembers>()
        .add::<OpenConversation>()
        .add::<CloseConversation>()
        .add::<InviteToConversation>()
        .add::<SetTopic>()
        .add::<SetPurpose>();
    set.add::<ListMessages>().add::<ListReplies>().add::<GetMessage>();
    set.add::<AddReaction>().add::<RemoveReaction>().add::<GetReactions>().add::<ListReactions>();
    set.add::<PinMessage>().add::<UnpinMessage>().add::<ListPins>();
    set.add::<AddBookmark>().add::<UpdateBookmark>().add::<ListBookmarks>().add::<RemoveBookmark>();
    set.add::<ListUsers>()
        .add::<GetUser>()
        .add::<FindUserByEmail>()
        .add::<GetProfile>()
        .add::<GetPresence>()
        .add::<SetPresence>()
        .add::<ListUsergroups>()
        .add::<ListUsergroupMembers>();
    set.add::<UploadFile>().add::<DownloadFile>().add::<ListFiles>().add::<GetFile>().add::<DeleteFile>();
}

impl Connector for Slack {
    fn manifest(&self) -> &ConnectorManifest {
        &self.manifest
    }

    fn tools(&self, set: &mut ToolSet) {
        common(set);
        set.add::<CreateConversation>()
            .add::<ArchiveConversation>()
            .add::<UnarchiveConversation>()
            .add::<RenameConversation>()
            .add::<RemoveFromConversation>()
            .add::<JoinConversation>()
            .add::<LeaveConversation>();
        set.add::<OpenView>().add::<PushView>().add::<UpdateView>().add::<PublishHomeView>();
    }

    fn classify(&self, parts: &Parts, body: &[u8]) -> Option<Error> {
        error::read(parts, body)
    }
}

impl Connector for SlackUser {
    fn manifest(&self) -> &ConnectorManifest {
        &self.manifest
    }

    fn tools(&self, set: &mut ToolSet) {
        common(set);
        set.add::<SearchMessages>().add::<SearchFiles>();
        set.add::<SetProfile>().add::<SetStatus>().add::<MarkRead>();
    }

    fn classify(&self, parts: &Parts, body: &[u8]) -> Option<Error> {
        error::read(parts, body)
    }
}
