//! The root: arguments are one object, so what stands there as alternatives becomes one.

use serde_json::{Map, Value, json};

use super::How;
use super::object::{join, required, say};
use super::read::{Flat, Reader, annotates};
use super::types::{Types, types, values};

/// Alternatives that become one object.
const MOST: usize = 64;
/// Alternatives within alternatives.
const NESTED: usize = 6;

/// The root as one flat object without alternatives; its properties are not converted yet.
pub(super) fn object(reader: &mut Reader<'_>) -> Map<String, Value> {
    let root = reader.root;
    let map = match reader.flatten(root, "") {
        // The definitions that the root stands for stay entered: it encloses all the rest.
        Flat::Schema(map, _) => map.into_owned(),
        Flat::Never => {
            reader.note(
                "",
                How::Dropped,
                "the schema accepts nothing; an object without properties is accepted",
            );
            return of_object(Map::new());
        }
        Flat::Cut(why) => {
            reader.note("", How::Dropped, format!("{why}; anything is accepted"));
            return of_object(Map::from_iter([("additionalProperties".to_owned(), true.into())]));
        }
    };
    let mut leaves = Vec::new();
    if !gather(reader, &map, NESTED, &mut leaves) {
        reader.note("", How::Dropped, "there are too many alternatives; anything is accepted");
        return of_object(Map::from_iter([("additionalProperties".to_owned(), true.into())]));
    }
    leaves.retain(|leaf| match types(leaf) {
        Types::Said(of) | Types::Hinted(of) => of.contains(&"object"),
        Types::Any => true,
    });
    let mut merged = match leaves.len() {
        0 => {
            reader.note(
                "",
                How::Dropped,
                "the schema accepts no object, and arguments are one; an empty object is accepted",
            );
            Map::new()
        }
        1 => leaves.swap_remove(0),
        _ => union(reader, &leaves),
    };
    let mut words = merged.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
    for key in ["enum", "const", "not", "if", "then", "else"] {
        if let Some(value) = merged.remove(key) {
            say(reader, &mut words, "", key, &value);
        }
    }
    if !words.is_empty() {
        merged.insert("description".to_owned(), words.into());
    }
    of_object(merged)
}

fn of_object(mut map: Map<String, Value>) -> Map<String, Value> {
    for key in ["title", "nullable", "default", "examples", "example"] {
        map.remove(key);
    }
    let mut root = Map::from_iter([("type".to_owned(), Value::from("object"))]);
    map.remove("type");
    root.extend(map);
    root.entry("properties").or_insert_with(|| json!({}));
    root
}

/// The alternatives of a flat schema, each whole; false where there are too many.
fn gather(
    reader: &mut Reader<'_>,
    map: &Map<String, Value>,
    nested: usize,
    leaves: &mut Vec<Map<String, Value>>,
) -> bool {
    let union = ["anyOf", "oneOf"].into_iter().find(|key| map.get(*key).is_some_and(Value::is_array));
    let Some(key) = union else {
        leaves.push(map.clone());
        return leaves.len() <= MOST;
    };
    if nested == 0 {
        return false;
    }
    let mut base = map.clone();
    let branches = base.remove(key);
    let branches = branches.as_ref().and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if key == "oneOf" && !super::object::disjoint(reader, branches, "") {
        reader.note("", How::Described, "a value may fit more than one alternative of `oneOf`");
    }
    let base = Value::Object(base);
    for (index, branch) in branches.iter().enumerate() {
        let at = format!("/{key}/{index}");
        let whole = json!({"allOf": [base, branch]});
        match flat_owned(reader, &whole, &at) {
            Flat::Schema(map, entered) => {
                let map = map.into_owned();
                let few = gather(reader, &map, nested - 1, leaves);
                reader.leave(entered);
                if !few {
                    return false;
                }
            }
            Flat::Never => {}
            Flat::Cut(_) => return false,
        }
    }
    true
}

fn flat_owned(reader: &mut Reader<'_>, whole: &Value, at: &str) -> Flat<'static> {
    match reader.flatten(whole, at) {
        Flat::Schema(map, entered) => Flat::Schema(std::borrow::Cow::Owned(map.into_owned()), entered),
        Flat::Never => Flat::Never,
        Flat::Cut(why) => Flat::Cut(why),
    }
}

/// Several objects as one that accepts each of them.
fn union(reader: &mut Reader<'_>, leaves: &[Map<String, Value>]) -> Map<String, Value> {
    let closed = |leaf: &Map<String, Value>| {
        [leaf.get("additionalProperties"), leaf.get("unevaluatedProperties")]
            .contains(&Some(&Value::Bool(false)))
    };
    let mut merged = Map::new();
    let mut order: Vec<&str> = Vec::new();
    for name in leaves.iter().flat_map(properties) {
        if !order.contains(&name) {
            order.push(name);
        }
    }
    let declared: Map<String, Value> =
        order.iter().map(|name| ((*name).to_owned(), one_property(leaves, name))).collect();
    merged.insert("properties".to_owned(), Value::Object(declared));

    let shared: Vec<Value> = leaves
        .first()
        .map(required)
        .unwrap_or_default()
        .into_iter()
        .filter(|name| leaves.iter().all(|leaf| required(leaf).contains(name)))
        .map(Value::from)
        .collect();
    let groups: Vec<String> = leaves
        .iter()
        .map(|leaf| {
            required(leaf)
                .into_iter()
                .filter(|name| !shared.iter().any(|s| s == name))
                .collect::<Vec<_>>()
                .join(" and ")
        })
        .collect();
    merged.insert("required".to_owned(), Value::Array(shared));

    if leaves.iter().all(closed) {
        merged.insert("additionalProperties".to_owned(), false.into());
    } else if leaves.iter().any(|leaf| {
        leaf.get("additionalProperties").is_some_and(|extra| *extra != Value::Bool(false))
            || leaf.contains_key("patternProperties")
    }) {
        merged.insert("additionalProperties".to_owned(), true.into());
    }
    let mut lost = Vec::new();
    for (key, value) in leaves.iter().flatten() {
        let handled = [
            "type",
            "properties",
            "required",
            "additionalProperties",
            "unevaluatedProperties",
            "patternProperties",
        ];
        if handled.contains(&key.as_str()) || merged.contains_key(key) || lost.contains(&key) {
            continue;
        }
        if key == "description" || leaves.iter().all(|leaf| leaf.get(key) == Some(value)) {
            merged.insert(key.clone(), value.clone());
        } else if !annotates(key) && key != "nullable" {
            lost.push(key);
        }
    }
    for key in lost {
        reader.note("", How::Dropped, format!("`{}` of one alternative", key.escape_debug()));
    }
    reader.note(
        "",
        How::Described,
        "the alternatives became one object; which fields belong together is said in the description",
    );
    let mut words = merged.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut named: Vec<&str> = groups.iter().map(String::as_str).filter(|group| !group.is_empty()).collect();
    named.dedup();
    let sentence = format!("Give one of these: {}.", named.join("; or "));
    if !named.is_empty() && sentence.len() <= 600 {
        words = join(&words, &sentence);
    }
    if !words.is_empty() {
        merged.insert("description".to_owned(), words.into());
    }
    merged
}

fn properties(leaf: &Map<String, Value>) -> impl Iterator<Item = &str> {
    leaf.get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|all| all.keys().map(String::as_str))
}

/// A property as any of the alternatives has it.
fn one_property(leaves: &[Map<String, Value>], name: &str) -> Value {
    let any = Value::Bool(true);
    let mut forms: Vec<&Value> = Vec::new();
    for leaf in leaves {
        let declared = leaf.get("properties").and_then(|all| all.get(name));
        // An alternative that speaks of all other properties speaks of this one.
        let form = declared.or_else(|| match leaf.get("additionalProperties") {
            _ if leaf.contains_key("patternProperties") => Some(&any),
            Some(Value::Bool(false)) => None,
            spoken => spoken,
        });
        if let Some(form) = form
            && !forms.contains(&form)
        {
            forms.push(form);
        }
    }
    // The tag of alternatives: one enum instead of many constants.
    let listed: Option<Vec<Value>> = forms
        .iter()
        .map(|form| {
            let map = form.as_object()?;
            let only =
                map.keys().all(|key| annotates(key) || matches!(key.as_str(), "type" | "const" | "enum"));
            only.then(|| values(map)).flatten().map(|all| all.into_iter().cloned().collect::<Vec<_>>())
        })
        .collect::<Option<Vec<_>>>()
        .map(|all| all.into_iter().flatten().collect());
    match (forms.as_slice(), listed) {
        ([one], _) => (*one).clone(),
        (_, Some(mut listed)) => {
            let mut seen = Vec::new();
            listed.retain(|value| {
                let new = !seen.contains(value);
                if new {
                    seen.push(value.clone());
                }
                new
            });
            json!({"enum": listed})
        }
        (forms, None) => json!({"anyOf": forms}),
    }
}
