//! Descriptions for readers with little room: plain text, cut at a sentence.

/// Plain text of at most `max` bytes: without markup, on one line, cut behind a sentence, or else behind a word.
pub(super) fn sentence(text: &str, max: usize) -> String {
    // Far more than fits is not even looked at.
    let enough = floor(text, max.saturating_mul(8).max(2048));
    let plain = plain(text.get(..enough).unwrap_or(text));
    if plain.len() <= max {
        return plain;
    }
    let head = plain.get(..floor(&plain, max)).unwrap_or_default();
    // A dot within an abbreviation or a number is followed by something else than a space.
    let end = ["\u{3002}", ". ", "! ", "? "]
        .iter()
        .filter_map(|mark| head.rfind(mark).map(|at| at + mark.trim_end().len()))
        .max();
    match end {
        Some(end) if end * 3 >= max => head.get(..end).unwrap_or_default().to_owned(),
        _ => {
            let head = head.get(..floor(head, max.saturating_sub(3))).unwrap_or_default();
            let end = head.rfind(' ').filter(|end| end * 2 >= max).unwrap_or(head.len());
            format!("{}…", head.get(..end).unwrap_or_default().trim_end())
        }
    }
}

/// The largest place of a character that is not behind `at`.
fn floor(text: &str, at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Without HTML tags, link targets and line breaks.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            // A tag: `<p>`, `</a>`, `<br />`, `<!-- .. -->`.
            '<' if after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!') => {
                match after.find('>') {
                    Some(end) if end < 300 => {
                        space(&mut out);
                        rest = after.get(end + 1..).unwrap_or_default();
                        continue;
                    }
                    _ => out.push(c),
                }
            }
            // The end of a link's text: `](target)`.
            ']' if after.starts_with('(') => match after.find(')') {
                Some(end) => {
                    if let Some(open) = out.rfind('[') {
                        out.remove(open);
                    }
                    rest = after.get(end + 1..).unwrap_or_default();
                    continue;
                }
                None => out.push(c),
            },
            c if c.is_whitespace() => space(&mut out),
            c if c.is_control() => {}
            '*' if after.starts_with('*') || out.ends_with('*') => {
                if out.ends_with('*') {
                    out.pop();
                } else if after.starts_with('*') {
                    rest = after.get(1..).unwrap_or_default();
                    continue;
                }
            }
            // Headings.
            '#' if out.is_empty() || out.ends_with(' ') => {
                rest = after.trim_start_matches('#');
                continue;
            }
            c => out.push(c),
        }
        rest = after;
    }
    out.truncate(out.trim_end().len());
    for (entity, text) in
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&")]
    {
        if out.contains(entity) {
            out = out.replace(entity, text);
        }
    }
    out
}

fn space(out: &mut String) {
    if !out.is_empty() && !out.ends_with(' ') {
        out.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_taken_out_and_texts_end_with_a_sentence() {
        for (text, max, expected) in [
            ("<p>Gets a <b>pet</b>.</p>", 80, "Gets a pet ."),
            (
                "See [the docs](https://x.example/y) for **more**.\n\n# Notes",
                80,
                "See the docs for more. Notes",
            ),
            ("One is here. Two is longer than fits.", 20, "One is here."),
            ("Onewordthatislongerthanfits", 12, "Onewordth…"),
            ("a < b &amp; c", 80, "a < b & c"),
            ("Grüße an alle, die hier stehen", 14, "Grüße an…"),
            ("", 10, ""),
        ] {
            let found = sentence(text, max);
            assert_eq!(found, expected, "{text}");
            assert!(found.len() <= max.max(3) + 3);
        }
    }
}
