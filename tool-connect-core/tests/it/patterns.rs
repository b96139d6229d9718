//! Patterns are matched by code that the derive writes out, or by the general matcher: to the same end.

use regex_lite::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Pointer, Problems, ToolArgs};

/// For each pattern a type that has it, and whether it takes a text.
macro_rules! patterns {
    ($($name:ident $pattern:literal)*) => {
        $(
            #[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
            struct $name(#[schemars(regex(pattern = $pattern))] String);
        )*

        const PATTERNS: &[(&str, fn(&str) -> bool)] = &[$(
            ($pattern, |text| {
                let mut problems = Problems::default();
                $name(text.to_owned()).check_at(&Pointer::root(), &mut problems);
                problems.is_empty()
            }),
        )*];
    };
}

patterns! {
    Run "^[a-z]+$"
    Bounded "^[a-c_-]{2,3}$"
    Steps r"^[a-z]-\d$"
    Open "^[a-z]{2}"
    Optional "^a?-?0?$"
    Exact r"^\d{2}-\d$"
    AtLeast "^[a-z]{2,}-$"
    Empty "^$"
    Anything "^"
    Negated "^[^a-c]+$"
    NegatedSteps "^.-.$"
    NegatedBounded "^[^-]{1,2}-$"
    Foreign "^ä[0-9ä]?$"
    Escapes r"^[\w.]+-\]$"
    Spaces r"^\S+ $"
    // The general matcher's.
    Anywhere "[a-z]"
    Choice "^(?:a|-0)+$"
    SecondTry "^[a-z]+a$"
    Lazy "^a+?$"
}

#[test]
fn each_pattern_takes_what_the_general_matcher_takes() {
    let alphabet = ['a', 'c', 'z', '0', '9', '-', '_', '.', ']', '\n', ' ', 'ä'];
    let mut texts = vec![String::new()];
    let mut longest = texts.clone();
    for _ in 0..4 {
        longest =
            longest.iter().flat_map(|text| alphabet.iter().map(move |c| format!("{text}{c}"))).collect();
        texts.extend_from_slice(&longest);
    }
    for (pattern, takes) in PATTERNS {
        let general = Regex::new(pattern).unwrap();
        let mut taken = 0;
        for text in &texts {
            let expected = general.is_match(text);
            assert_eq!(takes(text), expected, "{pattern} on {text:?}");
            taken += usize::from(expected);
        }
        assert!(taken > 0, "{pattern} takes nothing that was tried");
    }
}

#[test]
fn dates_and_slugs_are_taken() {
    #[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Real {
        #[schemars(regex(pattern = r"^\d{4}-\d{2}-\d{2}$"))]
        date: String,
        #[schemars(regex(pattern = "^[a-z0-9]+(?:-[a-z0-9]+)*$"))]
        slug: Option<String>,
    }

    for (date, slug, problems) in [
        ("2026-11-23", Some("a-slug-9"), 0),
        ("2026-11-23", None, 0),
        ("2026-11-2", Some("a--b"), 2),
        ("２026-11-23", Some("-a"), 2),
    ] {
        let mut found = Problems::default();
        let real = Real { date: date.into(), slug: slug.map(Into::into) };
        real.check_at(&Pointer::root(), &mut found);
        assert_eq!(found.into_vec().len(), problems, "{date} {slug:?}");
    }
}
