//! Storage for tool-connect: every storage trait of `tool-connect-core` on SQLite, the embedded
//! default (feature `sqlite`). Further databases are further modules beside it.
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # fn main() -> tool_connect_core::Result<()> {
//! use tool_connect_stores::{SqliteOptions, SqliteStores};
//!
//! let folder = tempfile::tempdir().expect("a temporary folder");
//! let stores = SqliteStores::open(folder.path().join("tools.db"), SqliteOptions::default())?;
//! let bundle = stores.stores(); // what a Hub is built with
//! # drop(bundle);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sqlite"))]
//! # fn main() {}
//! ```

#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteOptions, SqliteStores, Synchronous};
