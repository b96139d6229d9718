//! A problem is placed by a pointer into the JSON text, wherever serde lets a value stand.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tool_connect_core::{Pointer, Problems, Result, Run, Tool, ToolArgs, ToolContext};

/// A text that is always too long, so that each place it stands at is reported.
#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
struct Bad(#[schemars(length(max = 0))] String);

/// Where problems are found in these arguments; each must be a place in them.
fn places<T: ToolArgs + DeserializeOwned>(arguments: &Value) -> Vec<String> {
    let value: T = serde_json::from_value(arguments.clone()).unwrap();
    let mut problems = Problems::default();
    value.check_at(&Pointer::root(), &mut problems);
    let places: Vec<_> = problems.into_vec().into_iter().map(|problem| problem.pointer).collect();
    for place in &places {
        assert!(arguments.pointer(place).is_some_and(|found| found == "x"), "{place:?} in {arguments}");
    }
    places
}

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Names {
    two_words: Bad,
    #[serde(rename = "a/b~c")]
    escaped: Bad,
    #[serde(rename(serialize = "other", deserialize = "read"))]
    halves: Bad,
    r#type: Bad,
    // Names that generated code uses itself.
    at: Bad,
    problems: Bad,
}

#[test]
fn fields_have_their_json_names() {
    let arguments = json!({
        "twoWords": "x", "a/b~c": "x", "read": "x", "type": "x", "at": "x", "problems": "x",
    });
    assert_eq!(places::<Names>(&arguments), ["/twoWords", "/a~1b~0c", "/read", "/type", "/at", "/problems"]);
}

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Containers {
    list: Vec<Option<Bad>>,
    map: BTreeMap<String, Vec<Bad>>,
    hash: HashMap<u8, Box<Bad>>,
    pair: (Bad, u8, Bad),
    array: [Arc<Bad>; 2],
    absent: Option<Bad>,
    #[serde(skip)]
    _skipped: Option<NotRead>,
    #[tool(unchecked)]
    foreign: Foreign,
}

/// Neither is derived from nor read.
#[derive(Clone)]
struct NotRead;

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Foreign {
    #[schemars(length(max = 0))]
    text: String,
}

#[test]
fn containers_are_walked() {
    let arguments = json!({
        "list": [null, "x"], "map": { "a/b": ["x"], "~": [] }, "hash": { "7": "x" }, "pair": ["x", 1, "x"],
        "array": ["x", "x"], "foreign": { "text": "unchecked" },
    });
    assert_eq!(
        places::<Containers>(&arguments),
        ["/list/1", "/map/a~1b/0", "/hash/7", "/pair/0", "/pair/2", "/array/0", "/array/1"]
    );
}

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
enum External {
    Unit,
    NewType(Bad),
    TwoOfThem(Bad, Bad),
    #[serde(rename = "named")]
    Struct {
        two_words: Bad,
    },
    #[serde(rename_all = "UPPERCASE")]
    Loud {
        word: Bad,
    },
    #[serde(skip)]
    #[allow(dead_code)]
    Hidden(NotRead),
    #[serde(untagged)]
    Bare {
        bare: Bad,
    },
}

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", deny_unknown_fields)]
enum Internal {
    Unit,
    Struct { word: Bad },
    NewType(Inner),
}

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(allow_unknown_fields)]
struct Inner {
    word: Bad,
}

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "with", deny_unknown_fields)]
enum Adjacent {
    NewType(Bad),
    Struct { word: Bad },
}

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
enum Untagged {
    Struct { word: Bad },
    Tuple(Bad, Bad),
}

#[test]
fn enums_are_placed_as_they_are_tagged() {
    assert_eq!(places::<External>(&json!("unit")), [""; 0]);
    assert_eq!(places::<External>(&json!({ "new_type": "x" })), ["/new_type"]);
    assert_eq!(
        places::<External>(&json!({ "two_of_them": ["x", "x"] })),
        ["/two_of_them/0", "/two_of_them/1"]
    );
    assert_eq!(places::<External>(&json!({ "named": { "twoWords": "x" } })), ["/named/twoWords"]);
    assert_eq!(places::<External>(&json!({ "loud": { "WORD": "x" } })), ["/loud/WORD"]);
    assert_eq!(places::<External>(&json!({ "bare": "x" })), ["/bare"]);
    assert_eq!(places::<Internal>(&json!({ "kind": "Unit" })), [""; 0]);
    assert_eq!(places::<Internal>(&json!({ "kind": "Struct", "word": "x" })), ["/word"]);
    assert_eq!(places::<Internal>(&json!({ "kind": "NewType", "word": "x" })), ["/word"]);
    assert_eq!(places::<Adjacent>(&json!({ "kind": "NewType", "with": "x" })), ["/with"]);
    assert_eq!(places::<Adjacent>(&json!({ "kind": "Struct", "with": { "word": "x" } })), ["/with/word"]);
    assert_eq!(places::<Untagged>(&json!({ "word": "x" })), ["/word"]);
    assert_eq!(places::<Untagged>(&json!(["x", "x"])), ["/0", "/1"]);
}

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
struct Transparent {
    inner: Bad,
}

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Page<T> {
    items: Vec<T>,
    /// A tree: types may hold themselves.
    next: Option<Box<Page<T>>>,
}

#[test]
fn generic_recursive_and_transparent_types_are_walked() {
    assert_eq!(places::<Transparent>(&json!("x")), [""]);
    let arguments = json!({ "items": ["x"], "next": { "items": [], "next": { "items": ["x"] } } });
    assert_eq!(places::<Page<Transparent>>(&arguments), ["/items/0", "/next/next/items/0"]);
}

/// Holds nested arguments.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Holder {
    choices: Vec<Internal>,
}

impl Run for Holder {
    type Output = ();
    async fn run(self, _cx: &ToolContext) -> Result<()> {
        Ok(())
    }
}

#[test]
fn a_tool_checks_what_it_holds() {
    let arguments = json!({ "choices": [{ "kind": "Unit" }, { "kind": "Struct", "word": "x" }] });
    let tool: Holder = serde_json::from_value(arguments).unwrap();
    let mut problems = Problems::default();
    tool.check(&mut problems);
    let places: Vec<_> = problems.into_vec().into_iter().map(|problem| problem.pointer).collect();
    assert_eq!(places, ["/choices/1/word"]);
}
