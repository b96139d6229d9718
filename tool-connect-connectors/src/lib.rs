//! Connectors for tool-connect, a folder and a feature each.
//!
//! | feature | connector | what its tools do |
//! | --- | --- | --- |
//! | `database-sqlite`, `database-postgres` | [`database::Database`] | one database: list and describe tables, SQL that reads, SQL that writes where allowed |
//! | `declarative` | [`declarative::Declarative`] | the tools that a TOML file describes; [files of some services](declarative::builtin) come with the crate |
//! | `discovery` | [`discovery::Discovery`] | the methods of a Google discovery document |
//! | `filesystem` | [`filesystem::Filesystem`] | files below one directory: list, read, write, search, stat, move, delete |
//! | `github` | [`github::GitHub`] | repositories, issues, pull requests and more on GitHub |
//! | `gmail` | [`gmail::Gmail`] | messages, threads, drafts, labels and attachments of Gmail |
//! | `google_calendar` | [`google_calendar::GoogleCalendar`] | calendars, events, invitations and free/busy of Google Calendar |
//! | `google_drive` | [`google_drive::GoogleDrive`] | files, folders, sharing and comments of Google Drive |
//! | `http` | [`http::Http`] | one guarded HTTP request to allowed hosts |
//! | `linear` | [`linear::Linear`] | issues, projects, cycles, teams, documents and more on Linear |
//! | `notion` | [`notion::Notion`] | pages as Markdown, databases and data sources, blocks, search, comments and files on Notion |
//! | `openapi` | [`openapi::OpenApi`] | the operations of an OpenAPI description |
//! | `slack` | [`slack::Slack`], [`slack::SlackUser`] | messages, channels, people, files and more on Slack, as a bot or as a user |
//!
//! `operation` is what importers and declarative files end in: an HTTP operation as data, [`operation::Operation`].
//!
//! No feature is on by default. A connector knows the contracts of `tool-connect-core` and nothing
//! of the host: no HTTP client, no store, no credential.

#[cfg(any(feature = "database-postgres", feature = "database-sqlite"))]
pub mod database;
#[cfg(feature = "declarative")]
pub mod declarative;
#[cfg(feature = "discovery")]
pub mod discovery;
#[cfg(feature = "filesystem")]
pub mod filesystem;
#[cfg(feature = "github")]
pub mod github;
#[cfg(feature = "gmail")]
pub mod gmail;
#[cfg(feature = "google")]
mod google;
#[cfg(feature = "google_calendar")]
pub mod google_calendar;
#[cfg(feature = "google_drive")]
pub mod google_drive;
#[cfg(any(feature = "http", feature = "operation"))]
mod headers;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "linear")]
pub mod linear;
#[cfg(feature = "notion")]
pub mod notion;
#[cfg(feature = "openapi")]
pub mod openapi;
#[cfg(feature = "operation")]
pub mod operation;
#[cfg(feature = "provider")]
pub mod provider;
#[cfg(any(feature = "google", feature = "operation"))]
mod resumable;
#[cfg(feature = "slack")]
pub mod slack;
#[cfg(any(
    feature = "database-postgres",
    feature = "database-sqlite",
    feature = "filesystem",
    feature = "http",
    feature = "provider"
))]
mod spill;
