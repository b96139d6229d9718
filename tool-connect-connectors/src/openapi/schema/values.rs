//! Single values of a schema, as they were written and as they are meant.

use serde_json::{Number, Value};

/// Largest pattern that is compiled, in bytes of the compiled form.
const PATTERN: usize = 1 << 20;

/// A value of one of these types, also where it was written as another: `"1"` for 1, `true` for `"true"`.
pub(super) fn fitting(value: &Value, types: &[&str]) -> Option<Value> {
    let fits = |name: &&str| match *name {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => false,
    };
    if types.is_empty() || types.iter().any(fits) {
        return Some(value.clone());
    }
    if types.contains(&"string") && (value.is_number() || value.is_boolean()) {
        return Some(Value::from(value.to_string()));
    }
    let text = value.as_str()?;
    if types.contains(&"integer") || types.contains(&"number") {
        let read: Number = serde_json::from_str(text).ok()?;
        return (types.contains(&"number") || read.is_i64() || read.is_u64()).then_some(Value::Number(read));
    }
    match text {
        "true" | "false" if types.contains(&"boolean") => Some(Value::Bool(text == "true")),
        _ => None,
    }
}

/// A number, also where it was written as text.
pub(super) fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

pub(super) fn count(value: &Value) -> Option<u64> {
    let number = number(value)?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = |n: f64| (n >= 0.0 && n.fract() == 0.0 && n < 9e15).then_some(n as u64);
    number.as_u64().or_else(|| number.as_f64().and_then(whole))
}

/// A pattern that every reader takes alike: of ECMA-262 and of linear-time engines, without look-around and engines' own words.
pub(super) fn usable(pattern: &str) -> Option<String> {
    // `/^a$/`, as it is written in code.
    let bare = match pattern.strip_prefix("/^").and_then(|rest| rest.strip_suffix("$/")) {
        Some(inner) => format!("^{inner}$"),
        None => pattern.to_owned(),
    };
    let mut escaped = false;
    let mut rest = bare.as_str();
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match (escaped, c) {
            // What only some engines know.
            (
                true,
                'A' | 'z' | 'Z' | 'h' | 'H' | 'R' | 'Q' | 'E' | 'G' | 'K' | 'X' | 'a' | 'e' | '<' | '>' | '_'
                | '`' | '\'',
            ) => {
                return None;
            }
            (false, '(') if rest.starts_with('?') && !rest.starts_with("?:") => return None,
            (false, '[') if rest.starts_with("[:") => return None,
            (false, '&') if rest.starts_with('&') => return None,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    if bare.contains("++") || bare.contains("*+") || bare.contains("?+") {
        return None;
    }
    regex::RegexBuilder::new(&bare).size_limit(PATTERN).build().is_ok().then_some(bare)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn patterns_are_kept_where_every_reader_takes_them_alike() {
        for good in ["^[a-z]+$", r"^\d{4}-\d{2}$", r"a\.b", "(?:a|b)"] {
            assert_eq!(usable(good).as_deref(), Some(good));
        }
        assert_eq!(usable("/^a$/").as_deref(), Some("^a$"));
        for bad in [
            "(",
            r"\Aa\z",
            "(?i)a",
            "(?=a)b",
            "(?P<x>a)",
            "[[:alpha:]]",
            "a++",
            "(a{1000}){1000}",
            r"\p{Bogus}",
        ] {
            assert_eq!(usable(bad), None, "{bad}");
        }
    }

    #[test]
    fn values_that_were_written_as_another_type_are_read() {
        for (value, types, expected) in [
            (json!("1"), &["integer"][..], Some(json!(1))),
            (json!(true), &["string"], Some(json!("true"))),
            (json!(1.5), &["string"], Some(json!("1.5"))),
            (json!("x"), &["integer"], None),
            (json!("false"), &["boolean"], Some(json!(false))),
            (json!([1]), &[], Some(json!([1]))),
        ] {
            assert_eq!(fitting(&value, types), expected, "{value}");
        }
    }
}
