//! What Postgres says, as errors that tell the caller what to change. Its message may repeat what the caller wrote, so it is for the
//! caller and not for logs; its detail may hold what stands in rows, and is for nobody.

use tokio_postgres::Error as PgError;
use tokio_postgres::error::{DbError, SqlState};
use tool_connect_core::{Effect, Error, ErrorKind, Problem, Retry};

use super::super::access::Mode;

/// The database cannot be reached, or does not let the role in. Nothing has been run.
pub(super) fn unreachable(error: PgError) -> Error {
    let refused = error.as_db_error().map(DbError::code);
    let (kind, message) = match refused.map(SqlState::code) {
        Some(code) if code.starts_with("28") => (
            ErrorKind::Config,
            "the database does not let the configured role in; the host must check its password and rights",
        ),
        Some("3D000") => (ErrorKind::Config, "the configured database does not exist on its server"),
        Some("53300") => (ErrorKind::Overloaded, "the database has no connection left; try again shortly"),
        _ => (ErrorKind::Transport, "the database cannot be reached"),
    };
    Error::new(kind, message).effect(Effect::NotExecuted).caused_by(error)
}

/// A statement failed.
pub(super) fn refused(error: PgError, mode: Mode) -> Error {
    let Some(told) = error.as_db_error() else {
        // The connection broke while the statement ran.
        let effect = if mode == Mode::Read { Effect::None } else { Effect::Unknown };
        return Error::new(ErrorKind::Transport, "the connection to the database was lost")
            .effect(effect)
            .caused_by(error);
    };
    let (state, text) = (told.code(), told.message());
    let (kind, message) = meaning(state.code(), mode);
    let base = match kind {
        ErrorKind::InvalidArguments => Error::invalid_arguments(vec![Problem::new("/sql", "sql", message)]),
        _ => Error::new(kind, message),
    };
    let hint = match *state {
        SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_COLUMN => {
            "; `list_tables` and `describe_table` show what there is"
        }
        _ => "",
    };
    let retry = if state.code().starts_with("40") { Retry::Backoff } else { base.retry_advice() };
    // A statement that failed has been rolled back.
    base.public(format!("{message}: {text}{hint}"))
        .retry(retry)
        .effect(Effect::NotExecuted)
        .with("sqlstate", state.code())
}

fn meaning(code: &str, mode: Mode) -> (ErrorKind, &'static str) {
    match code {
        "25006" => (ErrorKind::Denied, "`query` only reads, and this statement would change something"),
        "42501" => (ErrorKind::Forbidden, "the database's role may not do this"),
        "57014" => (
            ErrorKind::DeadlineExceeded,
            "the statement ran too long and was stopped, without effect; ask for less, or use an index",
        ),
        "55P03" => (
            ErrorKind::Conflict,
            "another transaction holds a lock that the statement needs; try again shortly",
        ),
        "54000" | "54001" | "54011" | "54023" => {
            (ErrorKind::TooLarge, "the statement is too large or too deeply nested")
        }
        "0A000" => (ErrorKind::Unsupported, "the database does not support this"),
        _ => match code.get(..2) {
            Some("42" | "22" | "26" | "2F") => {
                (ErrorKind::InvalidArguments, "the database does not understand the statement or a value")
            }
            Some("23") => (ErrorKind::Conflict, "a constraint of the table forbids it"),
            Some("40") => (ErrorKind::Conflict, "another transaction got in the way; try again"),
            Some("53") => (ErrorKind::Overloaded, "the database is short of room, memory or connections"),
            Some("57") => (ErrorKind::Transport, "the database is going away"),
            Some("25") if mode == Mode::Read => {
                (ErrorKind::Denied, "`query` runs no statement of transactions")
            }
            _ => (ErrorKind::Storage, "the database reported an error"),
        },
    }
}
