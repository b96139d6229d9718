//! What SQLite says, as errors that tell the caller what to change. Its message may repeat what the caller wrote, so it is for the
//! caller and not for logs.

use rusqlite::{Error as SqlError, ErrorCode};
use tool_connect_core::{Effect, Error, ErrorKind, Problem};

use super::super::access::Mode;

/// The statement does more than the tool may.
pub(super) fn denied(mode: Mode) -> Error {
    let message = match mode {
        Mode::Read => {
            "`query` only reads; a statement that changes something, an ATTACH, a transaction or such a PRAGMA is not run"
        }
        Mode::Rows => {
            "`execute` inserts, updates and deletes rows; it changes no schema, attaches no file and begins no transaction"
        }
        Mode::Schema => "`change_schema` attaches no file, begins no transaction and sets no PRAGMA",
    };
    Error::new(ErrorKind::Denied, message).public(message).effect(Effect::NotExecuted)
}

pub(super) fn refused(error: SqlError, mode: Mode) -> Error {
    match &error {
        SqlError::MultipleStatement => {
            return Error::invalid_argument("/sql", "must be one statement; call again for the next");
        }
        SqlError::NulError(_) => return Error::invalid_argument("/sql", "must not contain a NUL character"),
        _ => {}
    }
    let code = error.sqlite_error_code();
    let told = match &error {
        SqlError::SqliteFailure(_, Some(text)) => text.clone(),
        SqlError::SqlInputError { msg, .. } => msg.clone(),
        _ => String::new(),
    };
    let (kind, message) = match code {
        Some(ErrorCode::AuthorizationForStatementDenied | ErrorCode::ReadOnly) => return denied(mode),
        Some(ErrorCode::OperationInterrupted) => (ErrorKind::Canceled, "the call was given up"),
        Some(ErrorCode::ConstraintViolation) => (ErrorKind::Conflict, "a constraint of the table forbids it"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (ErrorKind::Overloaded, "another program holds the database's lock; try again shortly")
        }
        Some(ErrorCode::DiskFull) => {
            (ErrorKind::Storage, "there is no room left on the disk, and nothing was changed")
        }
        Some(ErrorCode::TooBig | ErrorCode::OutOfMemory) => (
            ErrorKind::TooLarge,
            "a value of the statement is too large; ask for less of it, with substr() say",
        ),
        Some(ErrorCode::TypeMismatch) => {
            (ErrorKind::InvalidArguments, "a value has the wrong type for its column")
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            (ErrorKind::Storage, "the file is damaged, or is no database")
        }
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            (ErrorKind::Config, "the database's file cannot be opened as it must be")
        }
        Some(ErrorCode::Unknown) | None => {
            (ErrorKind::InvalidArguments, "SQLite does not understand the statement")
        }
        Some(_) => (ErrorKind::Storage, "the database reported an error"),
    };
    let named = if told.is_empty() { message.to_owned() } else { format!("{message}: {told}") };
    let base = match kind {
        ErrorKind::InvalidArguments => Error::invalid_arguments(vec![Problem::new("/sql", "sql", message)]),
        _ => Error::new(kind, message),
    };
    let missing = told.starts_with("no such table") || told.starts_with("no such column");
    let named = if missing {
        format!("{named}; `list_tables` and `describe_table` show what there is")
    } else {
        named
    };
    // A statement of SQLite is done as a whole or not at all.
    base.public(named).effect(Effect::NotExecuted).with("code", code.map_or(0, |code| code as i32))
}
