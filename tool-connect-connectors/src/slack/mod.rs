//! Slack, over its Web API: one file per group of tools. `connector.rs` has the two connectors, an app's bot and a user's own
//! account; `call.rs` how methods are asked and answered, `error.rs` what their refusals mean, `transfer.rs` bytes of files.

mod account;
mod bookmarks;
mod call;
mod channels;
mod connector;
mod conversations;
mod error;
mod files;
mod history;
mod messages;
mod pins;
mod profile;
mod reactions;
mod schedule;
mod search;
mod text;
mod transfer;
mod users;
mod views;

pub use account::{Bot, CustomEmoji, GetBot, GetIdentity, GetWorkspace, Identity, ListEmoji, Workspace};
pub use bookmarks::{AddBookmark, Bookmark, ListBookmarks, RemoveBookmark, UpdateBookmark};
pub use call::Done;
pub use channels::{
    ArchiveConversation, CreateConversation, InviteToConversation, JoinConversation, LeaveConversation,
    RemoveFromConversation, RenameConversation, SetPurpose, SetTopic, UnarchiveConversation,
};
pub use connector::{Slack, SlackUser};
pub use conversations::{
    Caption, CloseConversation, Conversation, ConversationType, GetConversation, ListConversations,
    ListMembers, ListUserConversations, MarkRead, OpenConversation,
};
pub use files::{DeleteFile, File, GetFile, ListFiles};
pub use history::{Attachment, Edited, GetMessage, ListMessages, ListReplies, Message};
pub use messages::{
    DeleteMessage, GetPermalink, Permalink, Posted, PostedEphemeral, SendEphemeralMessage, SendMessage,
    UpdateMessage,
};
pub use pins::{ListPins, Pin, PinMessage, UnpinMessage};
pub use profile::{
    GetPresence, GetProfile, Presence, PresenceMode, Profile, SetPresence, SetProfile, SetStatus,
};
pub use reactions::{AddReaction, GetReactions, ListReactions, Reacted, Reaction, RemoveReaction};
pub use schedule::{DeleteScheduledMessage, ListScheduledMessages, ScheduleMessage, Scheduled};
pub use search::{FoundIn, FoundMessage, SearchFiles, SearchMessages, SearchSort, SortDirection};
pub use text::escape;
pub use transfer::{DownloadFile, UploadFile};
pub use users::{FindUserByEmail, GetUser, ListUsergroupMembers, ListUsergroups, ListUsers, User, Usergroup};
pub use views::{OpenView, PublishHomeView, PushView, UpdateView, View};
