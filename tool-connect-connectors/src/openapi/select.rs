//! Which operations become tools.

use http::Method;

use super::document::{Document, Entry};

/// What is asked for; within a kind one is enough, and every kind that is named must agree.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    pub(super) tags: Vec<String>,
    pub(super) paths: Vec<String>,
    pub(super) methods: Vec<Method>,
    pub(super) ids: Vec<String>,
    pub(super) words: Vec<String>,
    pub(super) deprecated: bool,
    pub(super) hidden: bool,
}

impl Selection {
    /// Everything, also what is deprecated or hidden.
    pub(super) fn everything() -> Self {
        Self { deprecated: true, hidden: true, ..Self::default() }
    }

    pub(super) fn takes(&self, document: &Document, entry: &Entry) -> bool {
        let any = |wanted: &[String], holds: &dyn Fn(&str) -> bool| {
            wanted.is_empty() || wanted.iter().any(|one| holds(one))
        };
        let item = document.items.get(entry.item);
        let path = item.map_or("", |item| &item.path);
        (self.deprecated || !entry.deprecated)
            && (self.hidden || !entry.hidden)
            && (self.methods.is_empty() || self.methods.contains(&entry.method))
            && any(&self.paths, &|pattern| fits(pattern, path))
            && any(&self.ids, &|id| entry.id.as_deref() == Some(id))
            && (self.tags.is_empty() || {
                let tags = tags(document, entry);
                any(&self.tags, &|wanted| tags.iter().any(|tag| tag.eq_ignore_ascii_case(wanted)))
            })
            && (self.words.is_empty() || {
                let text = text(document, entry, path);
                self.words.iter().all(|word| text.contains(word))
            })
    }
}

/// The document in which an operation's texts stand.
pub(super) fn home<'d>(document: &'d Document, entry: &Entry) -> &'d Document {
    document.items.get(entry.item).and_then(|item| item.home.as_deref()).unwrap_or(document)
}

pub(super) fn tags(document: &Document, entry: &Entry) -> Vec<String> {
    let Some(span) = entry.tags else { return Vec::new() };
    match home(document, entry).value(span) {
        serde_json::Value::Array(tags) => {
            tags.iter().filter_map(|tag| tag.as_str()).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

fn text(document: &Document, entry: &Entry, path: &str) -> String {
    let home = home(document, entry);
    let mut text = format!("{} {path} {}", entry.method, entry.id.as_deref().unwrap_or_default());
    for part in [home.string(entry.summary), home.string(entry.description)].into_iter().flatten() {
        text.push(' ');
        text.push_str(&part);
    }
    for tag in tags(document, entry) {
        text.push(' ');
        text.push_str(&tag);
    }
    text.to_lowercase()
}

/// Whether a path fits: `*` stands for one segment, `**` for any number; without a star, everything below fits too.
fn fits(pattern: &str, path: &str) -> bool {
    let split = |text: &'_ str| -> Vec<String> {
        text.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
    };
    let (wanted, have) = (split(pattern), split(path));
    if !pattern.contains('*') {
        return have.len() >= wanted.len() && wanted.iter().zip(&have).all(|(a, b)| a == b);
    }
    segments(&wanted, &have)
}

fn segments(wanted: &[String], have: &[String]) -> bool {
    // Every place at which the pattern may stand after each segment: no way back, so no explosion.
    let mut places = vec![false; wanted.len() + 1];
    let open = |places: &mut Vec<bool>| {
        for at in 0..wanted.len() {
            if places[at] && wanted[at] == "**" {
                places[at + 1] = true;
            }
        }
    };
    places[0] = true;
    open(&mut places);
    for segment in have {
        let mut next = vec![false; wanted.len() + 1];
        for (at, one) in wanted.iter().enumerate().filter(|(at, _)| places[*at]) {
            match one.as_str() {
                "**" => next[at] = true,
                "*" => next[at + 1] = true,
                exact if exact == segment => next[at + 1] = true,
                _ => {}
            }
        }
        places = next;
        open(&mut places);
    }
    places.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_fit_by_prefix_and_by_star() {
        for (pattern, path, expected) in [
            ("/repos", "/repos/{owner}", true),
            ("/repos", "/reposx", false),
            ("/repos/*", "/repos/{owner}", true),
            ("/repos/*", "/repos/{owner}/x", false),
            ("/repos/**", "/repos/{owner}/x", true),
            ("/**/issues", "/repos/{o}/{r}/issues", true),
            ("/**/issues", "/repos/{o}/{r}/issues/{n}", false),
            ("/**/**/**/**/x", "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/y", false),
        ] {
            assert_eq!(fits(pattern, path), expected, "{pattern} {path}");
        }
    }
}
