//! Notion. What its tools share is in `request.rs` (requests, ids, pages of lists), `objects.rs` (what matters of Notion's objects),
//! `values.rs` and `schema.rs` (values and columns as they are set), `write.rs` (blocks in several requests), `error.rs` and
//! [`markdown`]; each of the other files is a group of tools.

mod blocks;
mod comments;
mod connector;
mod content;
mod data_sources;
mod databases;
mod error;
mod files;
mod filter;
pub mod markdown;
mod objects;
mod pages;
mod property;
mod request;
mod schema;
mod search;
mod users;
mod values;
mod write;

pub use blocks::{
    AppendBlocks, Appended, BlockInfo, DeleteBlock, GetBlock, ListBlocks, RestoreBlock, UpdateBlock,
};
pub use comments::{Comment, CreateComment, DeleteComment, GetComment, ListComments, UpdateComment};
pub use connector::Notion;
pub use content::{
    EditEnhancedMarkdown, EnhancedMarkdown, GetEnhancedMarkdown, PageMarkdown, ReadPageMarkdown, TextEdit,
};
pub use data_sources::{
    CreateDataSource, DataSource, GetDataSource, ListTemplates, QueryDataSource, Rename, RowTime, Sort,
    Template, UpdateDataSource,
};
pub use databases::{CreateDatabase, DataSourceName, Database, GetDatabase, UpdateDatabase};
pub use files::{
    AttachFile, Attached, DownloadFile, FileUpload, GetFileUpload, ImportFile, ListFileUploads, UploadFile,
    UploadStatus,
};
pub use filter::{
    ChoiceIs, Condition, DateIs, ExistenceIs, Filter, Group, Match, MemberIs, NumberIs, Test, TextIs,
    Through, VerificationStatus,
};
pub use objects::{PageInfo, Parent};
pub use pages::{ArchivePage, CreatePage, GetPage, MovePage, RestorePage, UpdatePage};
pub use property::{GetPageProperty, PropertyItem};
pub use schema::{NewOption, NewProperty, OptionColor, Property, PropertyType, RollupFunction};
pub use search::{Direction, Found, ObjectKind, Search};
pub use users::{Bot, GetMe, GetUser, ListUsers, Person, User, WorkspaceLimits};
pub use values::{FileValue, SetProperty};
