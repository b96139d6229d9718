//! What a statement may touch: asked by SQLite for each part of it, while it is compiled.

use rusqlite::hooks::{AuthAction, Authorization};

use super::super::access::Mode;

/// Pragmas that only tell. A full-text index asks for `data_version` itself.
const TELLING: &[&str] = &[
    "table_list",
    "table_info",
    "table_xinfo",
    "index_list",
    "index_info",
    "index_xinfo",
    "foreign_key_list",
    "collation_list",
    "data_version",
    "function_list",
    "compile_options",
];

/// Functions that load code, or whose arguments are addresses in memory.
const FORBIDDEN: &[&str] = &["load_extension", "fts3_tokenizer"];

pub(super) fn decide(mode: Mode, action: &AuthAction<'_>) -> Authorization {
    use AuthAction as A;
    let allowed = match action {
        A::Select | A::Recursive | A::Read { .. } => true,
        A::Function { function_name } => !FORBIDDEN.contains(&function_name.to_ascii_lowercase().as_str()),
        A::Pragma { pragma_name, .. } => TELLING.contains(&pragma_name.to_ascii_lowercase().as_str()),
        // Those of the schema's own table are the work of statements that change it.
        A::Insert { table_name } | A::Delete { table_name } | A::Update { table_name, .. } => {
            mode == Mode::Schema || (mode == Mode::Rows && !is_schema(table_name))
        }
        // Transactions are ours; other files are nobody's.
        A::Transaction { .. }
        | A::Savepoint { .. }
        | A::Attach { .. }
        | A::Detach { .. }
        | A::Unknown { .. } => false,
        _ => mode == Mode::Schema,
    };
    if allowed { Authorization::Allow } else { Authorization::Deny }
}

fn is_schema(table: &str) -> bool {
    let table = table.to_ascii_lowercase();
    table.starts_with("sqlite_") && table != "sqlite_sequence"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(mode: Mode, action: &AuthAction<'_>) -> bool {
        decide(mode, action) == Authorization::Allow
    }

    #[test]
    fn each_mode_allows_what_the_one_before_does_and_no_more() {
        let insert = AuthAction::Insert { table_name: "item" };
        let schema = AuthAction::Update { table_name: "sqlite_master", column_name: "sql" };
        let drop = AuthAction::DropTable { table_name: "item" };
        for (action, from) in [(insert, 1), (schema, 2), (drop, 2), (AuthAction::Select, 0)] {
            for (at, mode) in [Mode::Read, Mode::Rows, Mode::Schema].into_iter().enumerate() {
                assert_eq!(allowed(mode, &action), at >= from, "{mode:?} {action:?}");
            }
        }
    }

    #[test]
    fn nothing_leaves_the_file_in_any_mode() {
        for mode in [Mode::Read, Mode::Rows, Mode::Schema] {
            for action in [
                AuthAction::Attach { filename: "other.db" },
                AuthAction::Function { function_name: "LOAD_extension" },
                AuthAction::Pragma { pragma_name: "journal_mode", pragma_value: Some("off") },
            ] {
                assert!(!allowed(mode, &action), "{mode:?} {action:?}");
            }
        }
    }
}
