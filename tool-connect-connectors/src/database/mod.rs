//! The database connector: tables, their columns, and SQL that reads; SQL that writes only where the host allows it.
//! One instance is one database. What keeps a statement in its place is the database itself (a read-only open, an
//! authorizer, a READ ONLY transaction), not a look at the text.

mod access;
mod collect;
mod connector;
mod describe;
mod execute;
mod list;
#[cfg(feature = "database-postgres")]
mod postgres;
mod query;
#[cfg(feature = "database-sqlite")]
mod sqlite;

pub use access::Access;
pub use collect::{Column, StoppedBy};
pub use connector::Database;
#[cfg(feature = "database-postgres")]
pub use connector::PostgresOptions;
pub use describe::{ColumnDescription, DescribeTable, ForeignKey, Index, TableDescription};
pub use execute::{ChangeSchema, Execute, Executed};
pub use list::{ListTables, TableKind, TableName, Tables};
pub use query::{Query, Rows};
