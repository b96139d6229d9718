//! How a value is written into a path, a query, a header, a cookie or a form (OpenAPI 3.1 §4.8.12.3, RFC 6570).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::ParameterStyle;

/// Everything but RFC 3986 §2.3 unreserved characters.
pub(super) const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What `allow_reserved` keeps in a query: reserved characters that neither end the query nor separate its parameters.
/// `+` would be read as a space.
pub(super) const RESERVED_QUERY: &AsciiSet = &STRICT
    .remove(b':')
    .remove(b'/')
    .remove(b'?')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b',')
    .remove(b'[')
    .remove(b']');

/// What `allow_reserved` keeps in a path: all that RFC 3986 §3.3 allows there, the slash included.
pub(super) const RESERVED_PATH: &AsciiSet = &STRICT
    .remove(b':')
    .remove(b'/')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// How the characters of a value are written.
#[derive(Clone, Copy)]
pub(super) enum Escape {
    /// Percent-encoded, all that is in the set.
    Percent(&'static AsciiSet),
    /// As they are: a header, whose characters are checked when it is made.
    Raw,
}

impl Escape {
    pub(super) fn write(self, text: &str) -> String {
        match self {
            Self::Percent(set) => utf8_percent_encode(text, set).to_string(),
            Self::Raw => text.to_owned(),
        }
    }
}

/// A value that stands for itself, as text; what is deeper than the style knows is written as JSON.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// What there is of an array's items or an object's members: a null is none (RFC 6570 §2.3).
fn there<'a>(values: impl Iterator<Item = &'a Value>) -> impl Iterator<Item = &'a Value> {
    values.filter(|value| !value.is_null())
}

/// Whether there is nothing to send of a value.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => there(items.iter()).next().is_none(),
        Value::Object(members) => there(members.values()).next().is_none(),
        _ => false,
    }
}

/// A value in one piece, for a path or a header.
pub(super) fn inline(
    name: &str,
    value: &Value,
    style: ParameterStyle,
    explode: bool,
    escape: Escape,
) -> String {
    let one = |value: &Value| escape.write(&text(value));
    let flat = || match value {
        Value::Array(items) => there(items.iter()).map(one).collect::<Vec<_>>().join(","),
        Value::Object(members) => {
            let there = members.iter().filter(|(_, value)| !value.is_null());
            let flat = there.flat_map(|(name, value)| [escape.write(name), one(value)]);
            flat.collect::<Vec<_>>().join(",")
        }
        other => one(other),
    };
    let members = |separator: &str| match value {
        Value::Object(members) => {
            let there = members.iter().filter(|(_, value)| !value.is_null());
            let pairs = there.map(|(name, value)| format!("{}={}", escape.write(name), one(value)));
            pairs.collect::<Vec<_>>().join(separator)
        }
        _ => String::new(),
    };
    let key = || escape.write(name);
    match (style, value) {
        (ParameterStyle::Json, value) => escape.write(&value.to_string()),
        (ParameterStyle::Label, Value::Array(items)) if explode => {
            there(items.iter()).map(|item| format!(".{}", one(item))).collect()
        }
        (ParameterStyle::Label, Value::Object(_)) if explode => format!(".{}", members(".")),
        (ParameterStyle::Label, _) => format!(".{}", flat()),
        (ParameterStyle::Matrix, Value::Array(items)) if explode => {
            there(items.iter()).map(|item| format!(";{}={}", key(), one(item))).collect()
        }
        (ParameterStyle::Matrix, Value::Object(_)) if explode => format!(";{}", members(";")),
        (ParameterStyle::Matrix, value) if is_empty(value) => format!(";{}", key()),
        (ParameterStyle::Matrix, _) => format!(";{}={}", key(), flat()),
        (_, Value::Object(_)) if explode => members(","),
        _ => flat(),
    }
}

/// What cannot be written, and where within the value: a JSON pointer and what to change.
pub(super) type Unwritable = (String, &'static str);

/// A value as pairs of a query, a form or cookies, both halves encoded.
pub(super) fn pairs(
    name: &str,
    value: &Value,
    style: ParameterStyle,
    explode: bool,
    escape: Escape,
) -> Result<Vec<(String, String)>, Unwritable> {
    // A name is never more than a name, whatever its value may hold.
    let key = |name: &str| Escape::Percent(STRICT).write(name);
    let one = |value: &Value| escape.write(&text(value));
    let (separator, within) = match style {
        ParameterStyle::SpaceDelimited => ("%20", Some(' ')),
        ParameterStyle::PipeDelimited => ("%7C", Some('|')),
        ParameterStyle::Tabs => ("%09", Some('\t')),
        _ => (",", None),
    };
    Ok(match (style, value) {
        (ParameterStyle::Json, value) => vec![(key(name), escape.write(&value.to_string()))],
        (ParameterStyle::DeepObject, value) => {
            let mut out = Vec::new();
            deep(&key(name), value, escape, &mut out);
            out
        }
        (_, Value::Array(items)) if explode => {
            there(items.iter()).map(|item| (key(name), one(item))).collect()
        }
        (_, Value::Object(members)) if explode => {
            let there = members.iter().filter(|(_, value)| !value.is_null());
            there.map(|(name, value)| (key(name), one(value))).collect()
        }
        (_, Value::Array(items)) => {
            unseparated(items.iter().enumerate().map(|(at, item)| (at.to_string(), item)), within)?;
            let joined = there(items.iter()).map(one).collect::<Vec<_>>().join(separator);
            vec![(key(name), joined)]
        }
        (_, Value::Object(members)) => {
            unseparated(members.iter().map(|(name, value)| (name.clone(), value)), within)?;
            let there = members.iter().filter(|(_, value)| !value.is_null());
            let flat = there.flat_map(|(name, value)| [key(name), one(value)]);
            vec![(key(name), flat.collect::<Vec<_>>().join(separator))]
        }
        (_, value) => vec![(key(name), one(value))],
    })
}

/// An item that holds what separates the items would be read as two.
fn unseparated<'a>(
    mut items: impl Iterator<Item = (String, &'a Value)>,
    separator: Option<char>,
) -> Result<(), Unwritable> {
    let Some(separator) = separator else { return Ok(()) };
    match items.find(|(name, item)| name.contains(separator) || text(item).contains(separator)) {
        Some((place, _)) => Err((
            format!("/{}", tool_connect_core::pointer_token(&place)),
            "holds the character that separates the items",
        )),
        None => Ok(()),
    }
}

/// `name[member]=a`, and `name[0]=a` for the items of an array.
fn deep(name: &str, value: &Value, escape: Escape, out: &mut Vec<(String, String)>) {
    match value {
        Value::Null => {}
        Value::Object(members) => {
            for (member, value) in members {
                deep(&format!("{name}%5B{}%5D", Escape::Percent(STRICT).write(member)), value, escape, out);
            }
        }
        Value::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                deep(&format!("{name}%5B{at}%5D"), value, escape, out);
            }
        }
        scalar => out.push((name.to_owned(), escape.write(&text(scalar)))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::ParameterStyle::{
        DeepObject, Form, Json, Label, Matrix, PipeDelimited, Simple, SpaceDelimited, Tabs,
    };
    use super::*;

    const ALL: Escape = Escape::Percent(STRICT);

    fn query(value: &Value, style: ParameterStyle, explode: bool) -> String {
        let pairs = pairs("color", value, style, explode, ALL).expect("writable");
        pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }

    /// The table of OpenAPI 3.1.1 §4.8.12.4 ("Style Examples"), which is RFC 6570's expansion.
    #[test]
    fn values_are_written_as_the_table_of_styles_has_them() {
        let (empty, string) = (json!(""), json!("blue"));
        let (array, object) = (json!(["blue", "black", "brown"]), json!({"R": 100, "G": 200, "B": 150}));
        for (style, explode, expected) in [
            (Matrix, false, [";color", ";color=blue", ";color=blue,black,brown", ";color=R,100,G,200,B,150"]),
            (
                Matrix,
                true,
                [";color", ";color=blue", ";color=blue;color=black;color=brown", ";R=100;G=200;B=150"],
            ),
            (Label, false, [".", ".blue", ".blue,black,brown", ".R,100,G,200,B,150"]),
            (Label, true, [".", ".blue", ".blue.black.brown", ".R=100.G=200.B=150"]),
            (Simple, false, ["", "blue", "blue,black,brown", "R,100,G,200,B,150"]),
            (Simple, true, ["", "blue", "blue,black,brown", "R=100,G=200,B=150"]),
        ] {
            let found = [&empty, &string, &array, &object].map(|v| inline("color", v, style, explode, ALL));
            assert_eq!(found, expected, "{style:?} {explode}");
        }
        for (style, explode, expected) in [
            (Form, false, ["color=", "color=blue", "color=blue,black,brown", "color=R,100,G,200,B,150"]),
            (Form, true, ["color=", "color=blue", "color=blue&color=black&color=brown", "R=100&G=200&B=150"]),
            (
                SpaceDelimited,
                false,
                ["color=", "color=blue", "color=blue%20black%20brown", "color=R%20100%20G%20200%20B%20150"],
            ),
            (
                PipeDelimited,
                false,
                ["color=", "color=blue", "color=blue%7Cblack%7Cbrown", "color=R%7C100%7CG%7C200%7CB%7C150"],
            ),
            (
                Tabs,
                false,
                ["color=", "color=blue", "color=blue%09black%09brown", "color=R%09100%09G%09200%09B%09150"],
            ),
        ] {
            let found = [&empty, &string, &array, &object].map(|v| query(v, style, explode));
            assert_eq!(found, expected, "{style:?} {explode}");
        }
        assert_eq!(query(&object, DeepObject, true), "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150");
        assert_eq!(
            query(&json!({"a": [1, {"b": true}], "c": null}), DeepObject, true),
            "color%5Ba%5D%5B0%5D=1&color%5Ba%5D%5B1%5D%5Bb%5D=true"
        );
        assert_eq!(query(&json!([1]), Json, false), "color=%5B1%5D");
    }

    #[test]
    fn what_would_be_read_as_more_than_one_is_encoded_or_refused() {
        assert_eq!(query(&json!(["a,b", "c&d=e"]), Form, false), "color=a%2Cb,c%26d%3De");
        assert_eq!(query(&json!({"a&b=": "c#"}), Form, true), "a%26b%3D=c%23");
        for (style, item) in [(PipeDelimited, "a|b"), (SpaceDelimited, "a b"), (Tabs, "a\tb")] {
            let refused = pairs("color", &json!(["x", item]), style, false, ALL).unwrap_err();
            assert_eq!(refused.0, "/1", "{style:?}");
            assert_eq!(pairs("color", &json!([item]), style, true, ALL).unwrap().len(), 1);
        }
    }

    #[test]
    fn reserved_characters_never_end_what_they_stand_in() {
        let every: String = (0_u8..128).map(char::from).collect();
        let written = Escape::Percent(RESERVED_QUERY).write(&every);
        for breaking in ['&', '=', '#', '+', ';', ' ', '%'] {
            let stands = written.replace("%25", "").matches(breaking).count();
            let expected = if breaking == '%' { written.matches('%').count() - 1 } else { 0 };
            assert_eq!(stands, expected, "{breaking:?} in {written}");
        }
        let written = Escape::Percent(RESERVED_PATH).write(&every);
        assert!(!written.contains(['?', '#', '\\', ' ', '{', '}']), "{written}");
        assert!(written.contains('/') && written.contains(':'), "{written}");
    }

    #[test]
    fn nulls_are_left_out_and_what_is_deeper_is_json() {
        assert_eq!(query(&json!(["a", null, "b"]), Form, false), "color=a,b");
        assert_eq!(query(&json!([{"a": 1}]), Form, true), "color=%7B%22a%22%3A1%7D");
        assert!(is_empty(&json!([null])) && is_empty(&json!({"a": null})) && !is_empty(&json!(0)));
    }
}
