//! Patterns must mean the same in Rust and in JSON Schema, whose dialect is ECMA-262.

mod simple;

pub(crate) use simple::Simple;

/// Says why a pattern cannot be used.
pub(crate) fn problem_of(pattern: &str) -> Option<String> {
    if let Err(error) = regex_lite::Regex::new(pattern) {
        let hint = if pattern.contains("(?=")
            || pattern.contains("(?!")
            || pattern.contains("(?<=")
            || pattern.contains("(?<!")
        {
            ", because a pattern must be checked in linear time"
        } else if pattern.contains("\\p") || pattern.contains("\\P") {
            ": list the ranges, such as `[a-zA-Z]`"
        } else {
            ""
        };
        return Some(format!("this pattern is not a regular expression: {error}{hint}"));
    }
    foreign(pattern).map(|(found, instead)| {
        format!("`{found}` means something else in JSON Schema, whose patterns are ECMA-262: {instead}")
    })
}

/// Finds what this regular expression library knows and ECMA-262 does not.
fn foreign(pattern: &str) -> Option<(&'static str, &'static str)> {
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        let tail = rest.get(c.len_utf8()..).unwrap_or_default();
        if c == '\\' {
            let escaped = tail.chars().next();
            match escaped {
                Some('A') => return Some(("\\A", "anchor with `^`")),
                Some('z') => return Some(("\\z", "anchor with `$`")),
                Some('a') => return Some(("\\a", "write `\\x07`")),
                Some('U') => return Some(("\\U", "write the character itself")),
                Some('x' | 'u') if tail.get(1..2) == Some("{") => {
                    return Some(("\\x{..}", "write the character itself, or `\\xHH`"));
                }
                Some('b') if tail.get(1..2) == Some("{") => return Some(("\\b{..}", "write `\\b`")),
                _ => {}
            }
            rest = tail.get(escaped.map_or(0, char::len_utf8)..).unwrap_or_default();
            continue;
        }
        if in_class {
            match c {
                '[' => return Some(("[ inside a class", "escape it: `\\[`")),
                ']' => in_class = false,
                _ => {}
            }
        } else if c == '[' {
            in_class = true;
            // A `]` that comes first is literal here, and ends the class there.
            if tail.starts_with(']') || tail.starts_with("^]") {
                return Some(("] first in a class", "escape it: `\\]`"));
            }
        } else if c == '(' && tail.starts_with('?') && !tail.starts_with("?:") {
            if tail.starts_with("?P<") {
                return Some(("(?P<name>", "write `(?<name>`, or `(?:` without a name"));
            }
            if !tail.starts_with("?<") {
                return Some(("(?flags)", "spell it out, such as `[Aa]` for both cases"));
            }
        }
        rest = tail;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_patterns_are_fine() {
        for pattern in [
            "^[a-z][a-z0-9-]*$",
            r"^\d{4}-\d{2}-\d{2}$",
            r"^(?:a|b)+\.[^/]*$",
            r"\[x\]",
            r"[\[\]&-]",
            "^(?<year>[0-9]{4})$",
            "ü+",
        ] {
            assert_eq!(problem_of(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn broken_and_foreign_patterns_are_named() {
        for (pattern, word) in [
            ("[a-z", "not a regular expression"),
            ("(?=a)", "look-around"),
            (r"^\p{L}+$", "list the ranges"),
            (r"\Aabc", "`^`"),
            (r"abc\z", "`$`"),
            ("(?i)abc", "both cases"),
            ("(?P<x>a)", "(?<name>"),
            ("[[:alpha:]]", "escape it"),
            ("[a-z&&[^x]]", "intersection"),
            ("[]a]", r"`\]`"),
            (r"\x{1F600}", "the character itself"),
        ] {
            let problem = problem_of(pattern);
            assert!(problem.as_ref().is_some_and(|p| p.contains(word)), "{pattern}: {problem:?}");
        }
    }
}
