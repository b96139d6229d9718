//! Names: the id rule, and how identifiers become ids, titles and types.

/// Longest local name of a tool, in bytes; `tool-connect-core` has the same bound.
const MAX_NAME: usize = 48;

/// Says what is wrong with a tool's local name.
pub(crate) fn problem_of_name(name: &str) -> Option<String> {
    let problem = if name.is_empty() {
        "is empty".to_owned()
    } else if name.len() > MAX_NAME {
        format!("is longer than {MAX_NAME} bytes")
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        "must begin with a lowercase letter".to_owned()
    } else if !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
        "may hold only a-z, 0-9 and _".to_owned()
    } else if name.contains("__") {
        "must not contain `__`, which stands for the dot in model APIs".to_owned()
    } else if name.ends_with('_') {
        "must not end with `_`".to_owned()
    } else {
        return None;
    };
    Some(problem)
}

/// `CreateIssue` to `create_issue`, `HTTPRequest` to `http_request`.
pub(crate) fn snake_case(ident: &str) -> String {
    let chars: Vec<char> = ident.chars().collect();
    let mut snake = String::with_capacity(ident.len() + 4);
    for (i, c) in chars.iter().enumerate() {
        if c.is_uppercase() {
            let before = i.checked_sub(1).and_then(|i| chars.get(i));
            let after = chars.get(i + 1);
            let starts_word = before.is_some_and(|b| *b != '_' && !b.is_uppercase())
                || before.is_some_and(|b| b.is_uppercase()) && after.is_some_and(|a| a.is_lowercase());
            if starts_word {
                snake.push('_');
            }
            snake.extend(c.to_lowercase());
        } else {
            snake.push(*c);
        }
    }
    snake
}

/// `create_issue` to `CreateIssue`; always an identifier, so `_1` to `Tool1`.
pub(crate) fn pascal_case(ident: &str) -> String {
    let pascal: String = ident.split('_').map(capitalised).collect();
    if pascal.starts_with(char::is_alphabetic) { pascal } else { format!("Tool{pascal}") }
}

/// `create_issue` to `Create issue`.
pub(crate) fn title_case(name: &str) -> String {
    capitalised(&name.replace('_', " "))
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The closest of the known words, where one is close enough to be meant.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (distance(word, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(2))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b.chars()) {
            let up = *cell;
            left = (diagonal + usize::from(x != y)).min(up + 1).min(left + 1);
            *cell = left;
            diagonal = up;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_become_ids() {
        for (ident, id) in [
            ("CreateIssue", "create_issue"),
            ("HTTPRequest", "http_request"),
            ("ListPRs", "list_p_rs"),
            ("Sha256Sum", "sha256_sum"),
            ("Ping", "ping"),
            ("already_snake", "already_snake"),
        ] {
            assert_eq!(snake_case(ident), id);
        }
    }

    #[test]
    fn ids_become_titles_and_types() {
        assert_eq!(title_case("create_issue"), "Create issue");
        assert_eq!(pascal_case("create_issue"), "CreateIssue");
        assert_eq!(pascal_case("sha256_sum"), "Sha256Sum");
        assert_eq!(pascal_case("_1"), "Tool1");
        assert_eq!(pascal_case("__"), "Tool");
    }

    #[test]
    fn the_id_rule() {
        for good in ["a", "create_issue", "sha256", &"a".repeat(48)] {
            assert_eq!(problem_of_name(good), None, "{good}");
        }
        for (bad, word) in [
            ("", "empty"),
            (&*"a".repeat(49), "longer"),
            ("1st", "begin"),
            ("_a", "begin"),
            ("Create", "begin"),
            ("create-issue", "only"),
            ("créer", "only"),
            ("a__b", "`__`"),
            ("a_", "end"),
        ] {
            assert!(problem_of_name(bad).is_some_and(|problem| problem.contains(word)), "{bad}");
        }
    }

    #[test]
    fn a_misspelt_word_finds_its_neighbour() {
        let known = ["read_only", "destructive", "version"];
        assert_eq!(nearest("readonly", &known), Some("read_only"));
        assert_eq!(nearest("verison", &known), Some("version"));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
