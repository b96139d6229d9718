//! A part of a value by the names of its fields.

use std::ops::ControlFlow;

use tool_connect_core::{Error, Result};

use super::raw::{self, Kind};

/// More fields, and deeper paths, than anybody writes.
const MOST_FIELDS: usize = 1_000;
const DEEPEST: usize = 64;

/// Field names as a tree.
#[derive(Default)]
struct Node {
    /// Whether everything below is wanted, and which field of the list said so.
    whole: Option<usize>,
    children: Vec<(String, Node)>,
}

impl Node {
    fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|(known, _)| known == name).map(|(_, node)| node)
    }
}

/// A field list that was read.
pub(super) struct Fields {
    root: Node,
    paths: usize,
}

impl Fields {
    /// Reads a list.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArguments`](tool_connect_core::ErrorKind::InvalidArguments) that names the path.
    pub(super) fn parse(list: &[String]) -> Result<Self> {
        let wrong = |n: Option<usize>, what: &str| {
            let place = n.map_or_else(
                || "/shape/projection/fields".to_owned(),
                |n| format!("/shape/projection/fields/{n}"),
            );
            Err(Error::invalid_argument(place, what))
        };
        if list.is_empty() || list.len() > MOST_FIELDS {
            return wrong(None, "name 1 to 1000 fields, or leave the projection out");
        }
        let mut root = Node::default();
        for (n, path) in list.iter().enumerate() {
            let Some(names) = names(path) else {
                return wrong(Some(n), "a path ends with a backslash; write `\\\\` for one");
            };
            if names.iter().any(String::is_empty) {
                return wrong(
                    Some(n),
                    "a name between the dots is empty; write `\\.` for a dot within a name",
                );
            }
            if names.len() > DEEPEST {
                return wrong(Some(n), "a path has more than 64 names");
            }
            let mut node = &mut root;
            for name in names {
                let at = node.children.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
                    node.children.push((name, Node::default()));
                    node.children.len() - 1
                });
                node = match node.children.get_mut(at) {
                    Some((_, child)) => child,
                    None => return wrong(Some(n), "the path cannot be read"),
                };
            }
            node.whole = node.whole.or(Some(n));
        }
        Ok(Self { root, paths: list.len() })
    }

    /// The wanted part of a value, and which paths of the list led nowhere in it.
    pub(super) fn apply(&self, raw: &str) -> (String, Vec<usize>) {
        let (mut out, mut seen) = (String::new(), vec![false; self.paths]);
        if !project(raw, &self.root, &mut out, &mut seen, 0) {
            out.push_str("null");
        }
        let missing = seen.iter().enumerate().filter(|(_, seen)| !**seen).map(|(n, _)| n);
        (out, missing.collect())
    }
}

/// The names of a path; `None` where its last backslash stands alone.
fn names(path: &str) -> Option<Vec<String>> {
    let (mut names, mut name) = (Vec::new(), String::new());
    let mut chars = path.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => name.push(chars.next()?),
            '.' => names.push(std::mem::take(&mut name)),
            c => name.push(c),
        }
    }
    names.push(name);
    Some(names)
}

/// Writes what is wanted of a value; `false`, and nothing written, where it has no fields or lies too deep.
fn project(raw: &str, node: &Node, out: &mut String, seen: &mut [bool], depth: usize) -> bool {
    match raw::kind(raw) {
        _ if depth > 2 * DEEPEST => false,
        Kind::Array => {
            let mut first = true;
            out.push('[');
            // The text is JSON, so the walk cannot fail.
            let _ = raw::items(raw, 0, |_, item| {
                let before = out.len();
                if !first {
                    out.push(',');
                }
                if project(item, node, out, seen, depth + 1) {
                    first = false;
                } else {
                    out.truncate(before);
                }
                ControlFlow::Continue(())
            });
            out.push(']');
            true
        }
        Kind::Object => {
            let mut first = true;
            out.push('{');
            let _ = raw::fields(raw, 0, |_, written, value| {
                let Some(name) = raw::text(written) else { return ControlFlow::Continue(()) };
                let Some(child) = node.child(&name) else { return ControlFlow::Continue(()) };
                let before = out.len();
                out.extend([if first { "" } else { "," }, written, ":"]);
                let wanted = if child.whole.is_some() {
                    mark_seen(child, seen);
                    out.push_str(value);
                    true
                } else {
                    project(value, child, out, seen, depth + 1)
                };
                if wanted {
                    first = false;
                } else {
                    out.truncate(before);
                }
                ControlFlow::Continue(())
            });
            out.push('}');
            true
        }
        Kind::Text | Kind::Scalar => false,
    }
}

/// A field that is given whole answers for the longer paths that go through it too.
fn mark_seen(node: &Node, seen: &mut [bool]) {
    if let Some(seen) = node.whole.and_then(|n| seen.get_mut(n)) {
        *seen = true;
    }
    for (_, child) in &node.children {
        mark_seen(child, seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(list: &[&str], raw: &str) -> (String, Vec<usize>) {
        let list: Vec<String> = list.iter().map(|&path| path.to_owned()).collect();
        Fields::parse(&list).expect("a list").apply(raw)
    }

    #[test]
    fn names_are_followed_through_arrays_and_the_order_stays() {
        let raw = r#"{"total":2,"items":[{"id":1,"by":{"login":"ada","x":0},"t":"a"},{"t":"b","id":12345678901234567890123}],"next":null}"#;
        let (out, missing) = project(&["items.by.login", "items.id", "total"], raw);
        let want = r#"{"total":2,"items":[{"id":1,"by":{"login":"ada"}},{"id":12345678901234567890123}]}"#;
        assert_eq!((out.as_str(), missing), (want, vec![]));
        assert_eq!(
            project(&["id"], r#"[{"id":1},[{"id":2,"x":3}],4,"id",{"x":5}]"#).0,
            r#"[{"id":1},[{"id":2}],{}]"#
        );
    }

    #[test]
    fn what_is_not_there_is_left_out_and_told() {
        let raw = r#"{"a":{"b":1},"c":2}"#;
        assert_eq!(project(&["a.x", "c.d", "y"], raw), (r#"{"a":{}}"#.to_owned(), vec![0, 1, 2]));
        assert_eq!(project(&["a"], "7"), ("null".to_owned(), vec![0]));
        assert_eq!(project(&["a", "a.b", "a.zz"], raw), (r#"{"a":{"b":1}}"#.to_owned(), vec![]));
    }

    #[test]
    fn a_dot_and_a_backslash_within_a_name() {
        let raw = r#"{"a.b":1,"c\\":2,"d\"e":3}"#;
        let (out, missing) = project(&["a\\.b", "c\\\\", "d\"e"], raw);
        assert_eq!((out.as_str(), missing), (r#"{"a.b":1,"c\\":2,"d\"e":3}"#, vec![]));
    }

    #[test]
    fn a_value_without_a_bottom_is_no_way_down() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(project(&["a"], &deep).0.len() < 300);
    }

    #[test]
    fn a_list_that_cannot_be_read_is_refused_by_its_place() {
        for (list, place) in [(vec![], ""), (vec!["a", "b..c"], "/1"), (vec![""], "/0"), (vec!["a\\"], "/0")]
        {
            let list: Vec<String> = list.into_iter().map(str::to_owned).collect();
            let error = Fields::parse(&list).err().expect("a broken list");
            assert_eq!(error.problems()[0].pointer, format!("/shape/projection/fields{place}"));
        }
        assert!(Fields::parse(&vec!["a".to_owned(); 1_001]).is_err());
    }
}
