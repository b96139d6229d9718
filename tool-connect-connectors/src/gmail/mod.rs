//! Gmail, over its REST API: one file per group of tools. `message.rs` has messages as a reader wants them, `body.rs` their
//! text, `address.rs` and `compose.rs` what is written, `deliver.rs` how it goes out.

mod account;
mod address;
mod attachments;
mod body;
mod changes;
mod compose;
mod connector;
mod deliver;
mod drafts;
mod forward;
mod history;
mod labels;
mod message;
mod messages;
mod reply;
mod threads;

pub use account::{GetProfile, Profile};
pub use attachments::{DownloadMessage, GetAttachment};
pub use changes::{
    ArchiveMessage, BatchModified, BatchModifyMessages, Changed, MarkMessageRead, ModifyMessageLabels,
    ModifyThreadLabels, StarMessage, TrashMessage, TrashThread, UntrashMessage, UntrashThread,
};
pub use connector::Gmail;
pub use deliver::{SendMessage, Sent};
pub use drafts::{
    CreateDraft, DeleteDraft, Draft, DraftRef, GetDraft, ListDrafts, SavedDraft, SendDraft, UpdateDraft,
};
pub use forward::ForwardMessage;
pub use history::{HistoryRecord, HistoryType, LabelChange, ListHistory, MailHistory};
pub use labels::{
    CreateLabel, DeleteLabel, Deleted, GetLabel, Label, LabelVisibility, ListLabels, MessageVisibility,
    UpdateLabel,
};
pub use message::{Attachment, Message, MessageSummary};
pub use messages::{GetMessage, ListMessages};
pub use reply::ReplyToMessage;
pub use threads::{GetThread, ListThreads, Thread, ThreadSummary};
