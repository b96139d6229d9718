//! A constraint stands in the schema and is checked in Rust, and both say the same.

use std::collections::BTreeSet;
use std::num::NonZeroU8;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tool_connect_core::{Pointer, Problem, Problems, Result, Run, Tool, ToolArgs, ToolContext};

const MOST: usize = 3;

/// Takes one of each.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Constrained {
    #[schemars(range(min = 1, max = 100))]
    count: u32,
    #[schemars(range(min = -5))]
    offset: i64,
    #[schemars(range(min = 0, max = 1))]
    score: Option<f64>,
    #[schemars(range(max = 9))]
    digit: NonZeroU8,
    #[schemars(length(min = 2, max = 4))]
    code: String,
    #[schemars(length(equal = 3))]
    exact: Option<String>,
    #[schemars(length(min = 1, max = MOST), inner(length(max = 2), regex(pattern = "^[a-z]*$")))]
    tags: Vec<String>,
    #[schemars(inner(range(min = 0, max = 9)))]
    grid: Option<Vec<f32>>,
    #[schemars(length(max = 2))]
    set: BTreeSet<u8>,
    #[schemars(regex(pattern = r"^\d{4}-\d{2}$"))]
    month: Option<String>,
    #[validate(range(min = 1))]
    validated: u8,
}

impl Default for Constrained {
    fn default() -> Self {
        Self {
            count: 1,
            offset: 0,
            score: None,
            digit: NonZeroU8::MIN,
            code: "abc".into(),
            exact: None,
            tags: vec!["a".into()],
            grid: None,
            set: BTreeSet::new(),
            month: None,
            validated: 1,
        }
    }
}

impl Run for Constrained {
    type Output = ();
    async fn run(self, _cx: &ToolContext) -> Result<()> {
        Ok(())
    }
}

/// What the tool finds wrong with arguments that its type accepts.
fn problems(arguments: Value) -> Option<Vec<Problem>> {
    let tool: Constrained = serde_json::from_value(arguments).ok()?;
    let mut problems = Problems::default();
    tool.check(&mut problems);
    Some(problems.into_vec())
}

/// Every field with values on both sides of each bound.
fn samples() -> Vec<Value> {
    let fields = [
        ("count", json!([0, 1, 2, 99, 100, 101, -1, 1.5, "1", null])),
        ("offset", json!([-6, -5, -4, 9_000_000_000_i64, "x"])),
        ("score", json!([-0.1, 0, 0.0, 0.5, 1, 1.0, 1.01, null, "1"])),
        ("digit", json!([0, 1, 9, 10, 256])),
        ("code", json!(["", "a", "ab", "abcd", "abcde", "üß", "日本語だ", "日本語だよ", "👩", "👩👩", 5])),
        ("exact", json!(["ab", "abc", "abcd", "äöü", null])),
        ("tags", json!([[], ["a"], ["a", "b", "c"], ["a", "b", "c", "d"], ["abc"], ["A"], ["a", 1], null])),
        ("grid", json!([[], [0, 9], [-0.5], [9.5], null, ["x"]])),
        ("set", json!([[], [1, 2], [1, 2, 3]])),
        ("month", json!(["2024-01", "2024-1", "x2024-01", "2024-01\n", "", null])),
        ("validated", json!([0, 1, 255, 256])),
        ("unknown", json!([1])),
    ];
    fields
        .into_iter()
        .flat_map(|(field, values)| {
            let Value::Array(values) = values else { panic!("samples are lists") };
            values.into_iter().map(move |value| json!({ field: value }))
        })
        .collect()
}

#[test]
fn the_check_and_the_schema_agree() {
    let schema = Constrained::definition().input.schema().unwrap().to_value();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let (mut accepted, mut refused) = (0, 0);
    for arguments in samples() {
        let found = problems(arguments.clone());
        let fits = found.as_ref().is_some_and(Vec::is_empty);
        assert_eq!(fits, validator.is_valid(&arguments), "{arguments}: {found:?}");
        if fits {
            accepted += 1;
        } else {
            refused += 1;
        }
    }
    assert!(accepted > 20 && refused > 20, "{accepted} accepted, {refused} refused");
}

#[test]
fn each_problem_has_its_place_its_rule_and_a_mend() {
    let found = problems(json!({
        "count": 101, "offset": -6, "score": 1.5, "code": "a", "exact": "ab", "tags": ["abc", "a", "B", "d"],
        "grid": [1, -1], "set": [1, 2, 3], "month": "May",
    }))
    .unwrap();
    let said: Vec<_> =
        found.iter().map(|p| (p.pointer.as_str(), p.rule.as_ref(), p.message.as_str())).collect();
    assert_eq!(
        said,
        [
            ("/count", "maximum", "must be at most 100"),
            ("/offset", "minimum", "must be at least -5"),
            ("/score", "maximum", "must be at most 1"),
            ("/code", "minLength", "must have at least 2 characters"),
            ("/exact", "minLength", "must have at least 3 characters"),
            ("/tags", "maxItems", "must have at most 3 items"),
            ("/tags/0", "maxLength", "must have at most 2 characters"),
            ("/tags/2", "pattern", "must match the pattern ^[a-z]*$"),
            ("/grid/1", "minimum", "must be at least 0"),
            ("/set", "maxItems", "must have at most 2 items"),
            ("/month", "pattern", r"must match the pattern ^\d{4}-\d{2}$"),
        ]
    );
}

#[test]
fn a_problem_never_holds_the_value() {
    let found = problems(json!({ "code": "hunter2hunter2", "month": "hunter2", "count": 424_242 })).unwrap();
    assert_eq!(found.len(), 3);
    for problem in found {
        let said = format!("{problem} {problem:?}");
        assert!(!said.contains("hunter2") && !said.contains("424242"), "{said}");
    }
}

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Formats {
    #[schemars(email)]
    email: Option<String>,
    #[schemars(url)]
    url: Option<String>,
    #[schemars(ip)]
    ip: Option<String>,
    #[schemars(ipv4)]
    v4: Option<String>,
    #[schemars(inner(ipv6))]
    v6: Option<Vec<String>>,
}

#[test]
fn formats_are_checked_as_well_as_written() {
    for (field, good, bad) in [
        ("email", json!("ann@example.org"), json!("ann at example.org")),
        ("email", json!("ä@ö"), json!("a@b@c")),
        ("email", json!("a+b@c"), json!("@c")),
        ("url", json!("https://example.org/x?y#z"), json!("/relative")),
        ("ip", json!("::1"), json!("1.2.3")),
        ("v4", json!("10.0.0.1"), json!("::1")),
        ("v6", json!(["fe80::1"]), json!(["10.0.0.1"])),
    ] {
        for (value, fits) in [(good, true), (bad, false)] {
            let formats: Formats = serde_json::from_value(json!({ field: value })).unwrap();
            let mut problems = Problems::default();
            formats.check_at(&Pointer::root(), &mut problems);
            let rules: Vec<_> = problems.into_vec().into_iter().map(|problem| problem.rule).collect();
            assert_eq!(rules.is_empty(), fits, "{field}: {value}");
            assert!(rules.iter().all(|rule| rule == "format"));
        }
    }
    let schema = schemars::schema_for!(Formats).to_value();
    assert_eq!(schema["properties"]["url"]["format"], "uri");
    assert_eq!(schema["properties"]["v6"]["items"]["format"], "ipv6");
}

#[test]
fn texts_are_counted_in_scalar_values_whatever_their_bytes() {
    #[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
    struct Counted(#[schemars(length(min = 10, max = 20))] String);

    for unit in ["a", "ä", "語", "👩"] {
        for count in 0..40 {
            let mut problems = Problems::default();
            Counted(unit.repeat(count)).check_at(&Pointer::root(), &mut problems);
            assert_eq!(problems.is_empty(), (10..=20).contains(&count), "{count} of {unit}");
        }
    }
}
