//! Words of a template, and places in texts that exist.

use std::path::Path;

use crate::process::{Failure, Outcome};

/// The longest id of an instance.
const LONGEST: usize = 32;

/// What stands for `{{..}}` in the templates.
pub(super) struct Words {
    pairs: Vec<(&'static str, String)>,
}

impl Words {
    /// `path` is where users import the connector from, `snapshot` where its test finds its promises.
    pub(super) fn new(name: &str, path: String, snapshot: &str) -> Outcome<Self> {
        check(name)?;
        let words: Vec<String> = name.split('_').map(capital).collect();
        Ok(Self {
            pairs: vec![
                // May hold others, so it comes first.
                ("{{snapshot}}", snapshot.to_owned()),
                ("{{name}}", name.to_owned()),
                ("{{domain}}", name.replace('_', "-")),
                ("{{Type}}", words.concat()),
                ("{{title}}", words.join(" ")),
                ("{{path}}", path),
            ],
        })
    }

    /// For a crate of its own, built from a checkout where there is one.
    pub(super) fn of_crate(mut self, name: &str, version: &str, checkout: Option<&Path>) -> Self {
        let from = |package: &str| match checkout {
            None => String::new(),
            Some(root) => format!(", path = {:?}", root.join(package).display().to_string()),
        };
        self.pairs.extend([
            ("{{crate}}", name.to_owned()),
            ("{{version}}", version.to_owned()),
            ("{{core}}", from("tool-connect-core")),
            ("{{testkit}}", from("tool-connect-testkit")),
        ]);
        self
    }

    pub(super) fn type_name(&self) -> &str {
        self.pairs.iter().find(|(word, _)| *word == "{{Type}}").map_or("", |(_, text)| text)
    }

    pub(super) fn fill(&self, template: &str) -> String {
        self.pairs.iter().fold(template.to_owned(), |text, (word, value)| text.replace(word, value))
    }
}

/// An id of an instance that is a module and a feature as well.
fn check(name: &str) -> Outcome {
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    let rest = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    let single = !name.contains("__") && !name.ends_with('_');
    let taken = KEYWORDS.contains(&name);
    if begins && rest && single && !taken && name.len() <= LONGEST {
        return Ok(());
    }
    Err(Failure::new(format!(
        "`{name}` cannot be a connector's name: lower case letters, digits and single `_`, a letter first, at most {LONGEST}, and no word of Rust"
    )))
}

/// Words that no module can be called by, and those of ours that a feature would collide with.
const KEYWORDS: &[&str] = &[
    "as", "async", "await", "box", "break", "const", "continue", "core", "crate", "default", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "macros", "match", "mod", "move", "mut", "oauth", "oidc", "override", "priv", "pub", "ref",
    "reqwest", "return", "self", "sqlite", "static", "struct", "super", "test", "testkit", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// Puts lines behind the line that is `anchor`.
pub(super) fn after_line(text: &str, anchor: &str, lines: &str) -> Outcome<String> {
    place(text, anchor, |line| format!("{line}\n{lines}"))
}

/// Puts a line behind the last one that begins with `anchor`.
pub(super) fn after_last(text: &str, anchor: &str, line: &str) -> Outcome<String> {
    let all: Vec<&str> = text.lines().collect();
    let Some(at) = all.iter().rposition(|line| line.starts_with(anchor)) else { return Err(missing(anchor)) };
    let (before, after) = all.split_at(at + 1);
    let lines = before.iter().copied().chain([line]).chain(after.iter().copied());
    Ok(lines.map(|line| format!("{line}\n")).collect())
}

/// Puts lines before the line that begins with `anchor`, and before the attributes that belong to it.
pub(super) fn before_line(text: &str, anchor: &str, lines: &str) -> Outcome<String> {
    let all: Vec<&str> = text.lines().collect();
    let Some(mut at) = all.iter().position(|line| line.starts_with(anchor)) else {
        return Err(missing(anchor));
    };
    // An attribute may run over several lines, of which the last one alone begins with its bracket.
    while at > 0
        && anchor.ends_with(';')
        && all.get(at - 1).is_some_and(|line| !line.is_empty() && !line.ends_with(';'))
    {
        at -= 1;
    }
    let (before, after) = all.split_at(at);
    Ok(before
        .iter()
        .copied()
        .chain(lines.lines())
        .chain(after.iter().copied())
        .map(|line| format!("{line}\n"))
        .collect())
}

fn place(text: &str, anchor: &str, change: impl Fn(&str) -> String) -> Outcome<String> {
    if !text.lines().any(|line| line == anchor) {
        return Err(missing(anchor));
    }
    let lines = text.lines().map(|line| if line == anchor { change(line) } else { line.to_owned() });
    Ok(lines.map(|line| line + "\n").collect())
}

fn missing(anchor: &str) -> Failure {
    Failure::new(format!(
        "the line `{anchor}` is not there; put the connector in by hand, as CONTRIBUTING.md says"
    ))
}

/// The promises of the template's tools.
pub(super) fn snapshot(name: &str) -> String {
    include_str!("template/snapshot.json.txt").replace("{{name}}", name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_module_or_instance_can_have_are_refused() {
        for name in ["", "Weather", "2fa", "a-b", "a__b", "a_", "_a", "crate", "sqlite", &"a".repeat(33)] {
            assert!(Words::new(name, String::new(), "").is_err(), "{name}");
        }
        let words = Words::new("city_library2", "x::y".to_owned(), "../{{name}}.json").unwrap();
        assert_eq!(
            words.fill("{{Type}} {{title}} {{domain}} {{snapshot}}"),
            "CityLibrary2 City Library2 city-library2 ../city_library2.json"
        );
    }

    #[test]
    fn lines_go_to_their_place_and_a_place_that_is_missing_is_told() {
        assert_eq!(after_line("a\nb\n", "a", "x\ny").unwrap(), "a\nx\ny\nb\n");
        let text = "pub mod a;\n#[cfg(any(\n    b,\n))]\nmod spill;\n";
        assert_eq!(
            before_line(text, "mod spill;", "mod x;").unwrap(),
            "pub mod a;\nmod x;\n#[cfg(any(\n    b,\n))]\nmod spill;\n"
        );
        assert_eq!(after_last("| a\n| b\nc\n", "| ", "| x").unwrap(), "| a\n| b\n| x\nc\n");
        // Only a Rust item has attributes: lines of a manifest above a place are no part of it.
        assert_eq!(
            before_line("[features]\na = []\n# b\nb = []\n", "# b", "x").unwrap(),
            "[features]\na = []\nx\n# b\nb = []\n"
        );
        assert!(after_last("a\n", "b", "x").is_err());
        assert!(after_line("a\n", "b", "x").is_err() && before_line("a\n", "b", "x").is_err());
    }

    #[test]
    fn every_word_of_the_templates_has_a_value() {
        let words =
            Words::new("weather", "w".to_owned(), "s").unwrap().of_crate("c", "0.1.0", Some(Path::new("/")));
        for template in [
            super::super::MOD,
            super::super::CONNECTOR,
            super::super::ITEMS,
            super::super::TESTS,
            super::super::PAGE,
            super::super::MANIFEST,
        ] {
            let filled = words.fill(template);
            assert!(!filled.contains("{{"), "{filled}");
        }
    }
}
