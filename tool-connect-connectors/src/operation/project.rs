//! Keeping of a value what is asked for.

use serde_json::Value;

/// The members of an object, or of each object of an array, that a dotted path leads to.
pub(super) fn keep(value: Value, fields: &[String]) -> Value {
    if fields.is_empty() {
        return value;
    }
    let paths: Vec<Vec<&str>> = fields.iter().map(|field| field.split('.').collect()).collect();
    along(value, &paths.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn along(value: Value, paths: &[&[&str]]) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|item| along(item, paths)).collect(),
        Value::Object(members) => members
            .into_iter()
            .filter_map(|(name, value)| {
                let of_it =
                    paths.iter().filter_map(|path| path.split_first().filter(|(first, _)| **first == name));
                let rest: Vec<&[&str]> = of_it.map(|(_, rest)| rest).collect();
                if rest.is_empty() {
                    return None;
                }
                let whole = rest.iter().any(|rest| rest.is_empty());
                Some((name, if whole { value } else { along(value, &rest) }))
            })
            .collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_kept_where_a_path_leads() {
        let fields = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let user =
            json!({"id": 1, "user": {"name": "ada", "mail": "a@example.com"}, "tags": [{"n": 1, "m": 2}]});
        assert_eq!(
            keep(user.clone(), &fields(&["id", "user.name", "tags.n", "none"])),
            json!({"id": 1, "user": {"name": "ada"}, "tags": [{"n": 1}]})
        );
        assert_eq!(keep(json!([user.clone(), 5]), &fields(&["id"])), json!([{"id": 1}, 5]));
        assert_eq!(keep(user.clone(), &[]), user);
        assert_eq!(keep(user.clone(), &fields(&["user", "user.name"])), json!({"user": user["user"]}));
    }
}
