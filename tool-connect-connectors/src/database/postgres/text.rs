//! What kind of statement a text is, by its first word. The transaction holds back what changes something; this keeps out what a
//! transaction does not hold: COPY to a program, SET, LISTEN, and the transaction's own statements.

use tool_connect_core::{Effect, Error, ErrorKind, Result};

use super::super::access::Mode;

const READS: &[&str] = &["select", "with", "values", "table", "show", "explain"];
const CHANGES_ROWS: &[&str] = &["insert", "update", "delete", "merge", "with"];
const CHANGES_SCHEMA: &[&str] =
    &["create", "alter", "drop", "comment", "truncate", "refresh", "reindex", "grant", "revoke"];

/// Refuses a statement that its tool is not for.
pub(super) fn check(sql: &str, mode: Mode) -> Result<()> {
    if sql.contains('\0') {
        return Err(Error::invalid_argument("/sql", "must not contain a NUL character"));
    }
    let word = first_word(sql);
    let (words, message) = match mode {
        Mode::Read => (READS, "`query` runs SELECT, WITH, VALUES, TABLE, SHOW and EXPLAIN"),
        Mode::Rows => {
            (CHANGES_ROWS, "`execute` runs INSERT, UPDATE, DELETE, MERGE, and WITH before one of them")
        }
        Mode::Schema => (
            CHANGES_SCHEMA,
            "`change_schema` runs CREATE, ALTER, DROP, COMMENT, TRUNCATE, REFRESH, REINDEX, GRANT and REVOKE",
        ),
    };
    if words.contains(&word.to_ascii_lowercase().as_str()) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Denied, message).public(message).effect(Effect::NotExecuted))
}

/// Whether the statement can stand in the place of a table.
pub(super) fn is_table(sql: &str) -> bool {
    ["select", "with", "values", "table"].contains(&first_word(sql).to_ascii_lowercase().as_str())
}

/// The first word behind white space, comments and opening parentheses.
fn first_word(sql: &str) -> &str {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
        if let Some(comment) = rest.strip_prefix("--") {
            // Either ends it, as in the server's scanner.
            rest = comment.split_once(['\n', '\r']).map_or("", |(_, after)| after);
        } else if rest.starts_with("/*") {
            rest = after_comment(rest);
        } else {
            break;
        }
    }
    let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

/// What follows a comment; comments of Postgres nest.
fn after_comment(text: &str) -> &str {
    let (mut depth, mut rest) = (0_usize, text);
    loop {
        if let Some(inner) = rest.strip_prefix("/*") {
            (depth, rest) = (depth + 1, inner);
        } else if let Some(outer) = rest.strip_prefix("*/") {
            (depth, rest) = (depth - 1, outer);
            if depth == 0 {
                return rest;
            }
        } else {
            let mut characters = rest.chars();
            if characters.next().is_none() {
                return "";
            }
            rest = characters.as_str();
        }
    }
}

/// The statement without what ends it, so that something can stand behind it.
pub(super) fn body(sql: &str) -> &str {
    sql.trim_end_matches(|c: char| c.is_whitespace() || c == ';')
}

/// A name in double quotes.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_is_found_behind_comments() {
        for (sql, word) in [
            (" select 1", "select"),
            ("-- x\n\n(VALUES (1))", "VALUES"),
            ("/* a /* b */ c */ with x as", "with"),
            ("/* never closed select", ""),
            ("/* a */--b\ncopy x to program 'y'", "copy"),
            ("1", ""),
            ("", ""),
        ] {
            assert_eq!(first_word(sql), word, "{sql}");
        }
    }

    #[test]
    fn each_tool_runs_its_own_statements_alone() {
        for (sql, mode) in [
            ("COPY (SELECT 1) TO PROGRAM 'id'", Mode::Read),
            ("SET ROLE postgres", Mode::Read),
            ("COMMIT", Mode::Read),
            ("DO $$ BEGIN END $$", Mode::Read),
            ("CALL p()", Mode::Rows),
            ("DROP TABLE x", Mode::Rows),
            ("--\rDROP TABLE x /*\ndelete */", Mode::Rows),
            ("DELETE FROM x", Mode::Schema),
            ("", Mode::Read),
        ] {
            let error = check(sql, mode).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Denied, "{sql}");
        }
        assert!(check("select 1", Mode::Read).is_ok() && check("Delete from x", Mode::Rows).is_ok());
        assert!(check("drop table x", Mode::Schema).is_ok());
        assert_eq!(check("select '\0'", Mode::Read).unwrap_err().kind(), ErrorKind::InvalidArguments);
    }

    #[test]
    fn names_cannot_leave_their_quotes() {
        assert_eq!(quoted("a\"; drop"), "\"a\"\"; drop\"");
    }
}
