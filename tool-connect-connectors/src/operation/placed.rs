//! Arguments at places of their own in a body of JSON.

use serde_json::{Map, Value};
use tool_connect_core::Result;

use super::Placed;
use super::request::{Arguments, refused};
use super::style;

/// Largest index that a place may name: an array is made whole, with nulls before it.
const MOST: usize = 100;

/// The body that the arguments make.
pub(super) fn write(all: &[Placed], arguments: &Arguments) -> Result<Value> {
    let mut given: Vec<(&Placed, &Value)> =
        all.iter().filter_map(|placed| Some((placed, arguments.get(&placed.argument)?))).collect();
    // What lies within another comes after it.
    given.sort_by_key(|(placed, _)| placed.at.matches('/').count());
    let mut body = Value::Object(Map::new());
    for (placed, value) in given {
        let value = match (&placed.template, value) {
            (None, value) | (Some(_), value @ Value::Null) => value.clone(),
            (Some(template), value) => {
                filled(template, value).ok_or_else(|| refused(&placed.argument, "", "must not be empty"))?
            }
        };
        let taken = || refused(&placed.argument, "", "says what another argument says too; give one of them");
        let place = place(&mut body, &placed.at).ok_or_else(taken)?;
        if !place.is_null() {
            return Err(taken());
        }
        *place = value;
    }
    Ok(body)
}

/// The place that a pointer names, made where it is not there; `None` where something else stands on the way.
fn place<'a>(body: &'a mut Value, at: &str) -> Option<&'a mut Value> {
    let parts = at.strip_prefix('/').map(|rest| rest.split('/')).into_iter().flatten();
    parts.into_iter().try_fold(body, |value, part| {
        let part = part.replace("~1", "/").replace("~0", "~");
        match part.parse::<usize>().ok().filter(|index| *index <= MOST) {
            Some(index) => {
                if value.is_null() {
                    *value = Value::Array(Vec::new());
                }
                let items = value.as_array_mut()?;
                while items.len() <= index {
                    items.push(Value::Null);
                }
                items.get_mut(index)
            }
            None => {
                if value.is_null() {
                    *value = Value::Object(Map::new());
                }
                Some(value.as_object_mut()?.entry(part).or_insert(Value::Null))
            }
        }
    })
}

/// A template with the value in it; `None` where it wants lines and there are none.
fn filled(template: &Value, value: &Value) -> Option<Value> {
    match template {
        Value::String(text) if text == "$value" => Some(value.clone()),
        Value::Array(items) => {
            let mut out = Vec::with_capacity(items.len());
            for item in items {
                match item.get("$lines") {
                    Some(line) => {
                        let text = style::text(value);
                        let lines = text.lines().map(str::trim_end).filter(|line| !line.trim().is_empty());
                        let before = out.len();
                        for text in lines {
                            out.push(filled(line, &Value::String(text.to_owned()))?);
                        }
                        if out.len() == before {
                            return None;
                        }
                    }
                    None => out.push(filled(item, value)?),
                }
            }
            Some(Value::Array(out))
        }
        Value::Object(members) => {
            let each = members.iter().map(|(name, member)| Some((name.clone(), filled(member, value)?)));
            each.collect::<Option<Map<_, _>>>().map(Value::Object)
        }
        plain => Some(plain.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(all: &[(&str, &str)], arguments: Value) -> Result<Value> {
        let all: Vec<Placed> = all.iter().map(|(name, at)| Placed::new(*name, *at)).collect();
        write(&all, arguments.as_object().expect("an object"))
    }

    #[test]
    fn places_are_made_and_what_is_not_given_is_left_out() {
        let all = [("title", "/fields/summary"), ("key", "/fields/project/key"), ("op", "/a/0/ops/1")];
        let made = body(&all, json!({"title": "t", "key": null, "other": 1})).expect("a body");
        assert_eq!(made, json!({"fields": {"summary": "t", "project": {"key": null}}}));
        assert_eq!(body(&all, json!({"op": 5})).expect("a body"), json!({"a": [{"ops": [null, 5]}]}));
        assert_eq!(body(&all, json!({})).expect("a body"), json!({}));
        assert_eq!(
            body(&[("a", "/x~1y/b~0c")], json!({"a": 1})).expect("a body"),
            json!({"x/y": {"b~c": 1}})
        );
    }

    #[test]
    fn one_may_lie_within_another_and_none_says_the_same_twice() {
        let all = [("title", "/fields/summary"), ("rest", "/fields")];
        let made = body(&all, json!({"title": "t", "rest": {"labels": ["a"]}})).expect("a body");
        assert_eq!(made, json!({"fields": {"labels": ["a"], "summary": "t"}}));
        for rest in [json!({"summary": "other"}), json!("text"), json!([1])] {
            let error = body(&all, json!({"title": "t", "rest": rest})).expect_err("twice");
            assert_eq!(error.problems()[0].pointer, "/title", "{rest}");
        }
    }

    #[test]
    fn templates_hold_the_value_and_its_lines() {
        let mut placed = Placed::new("text", "/body");
        placed.template =
            Some(json!({"type": "doc", "content": [{"$lines": {"type": "paragraph", "text": "$value"}}]}));
        let all = [placed.clone()];
        let write = |text: Value| write(&all, json!({"text": text}).as_object().expect("an object"));
        assert_eq!(
            write(json!("one\r\n\n  two $value \n")).expect("a body"),
            json!({"body": {"type": "doc", "content": [
                {"type": "paragraph", "text": "one"}, {"type": "paragraph", "text": "  two $value"}]}})
        );
        assert_eq!(write(json!(null)).expect("a body"), json!({"body": null}));
        for empty in ["", " \n\t\n"] {
            assert_eq!(write(json!(empty)).expect_err("empty").problems()[0].pointer, "/text");
        }
    }
}
