//! Rich text as Markdown: which marks go around what, and whether Markdown's own delimiters would be read as such.

use super::escape::{Place, Writer};
use super::model::{Inline, Span, tidy};

/// A mark around several pieces of text.
#[derive(Clone, Debug, PartialEq)]
enum Wrap {
    Link(String),
    Color(String),
    Underline,
    Strike,
    Bold,
    Italic,
}

#[derive(Debug)]
enum Token<'a> {
    Open(Wrap),
    Close(Wrap),
    Leaf(&'a Span),
}

/// Rich text as it stands in this place; empty for no text.
pub(super) fn write(spans: &[Span], place: Place) -> String {
    let spans = tidy(spans.to_vec());
    let mut tokens = Vec::new();
    nest(&spans, &mut Vec::new(), &mut tokens);
    let mut out = Writer::new(place);
    // Each open mark's way of being written, for its end.
    let mut open: Vec<bool> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Open(wrap) => {
                let html = delimiter(wrap).is_some() && !works(&tokens, at);
                open.push(html);
                out.raw(&begin(wrap, html));
            }
            Token::Close(wrap) => {
                let html = open.pop().unwrap_or_default();
                out.raw(&end(wrap, html, place));
            }
            Token::Leaf(span) => leaf(span, &tokens, at, &mut out),
        }
    }
    out.finish()
}

/// Which marks a piece has, apart from code, which stands around the piece itself.
fn wraps(span: &Span) -> Vec<Wrap> {
    let marks = &span.marks;
    let mut all = Vec::new();
    all.extend(span.link.clone().map(Wrap::Link));
    all.extend(marks.color.clone().map(Wrap::Color));
    for (set, wrap) in [
        (marks.underline, Wrap::Underline),
        (marks.strike, Wrap::Strike),
        (marks.bold, Wrap::Bold),
        (marks.italic, Wrap::Italic),
    ] {
        if set {
            all.push(wrap);
        }
    }
    all
}

/// Puts the mark that reaches furthest around its pieces, and goes on within it.
fn nest<'a>(spans: &'a [Span], around: &mut Vec<Wrap>, tokens: &mut Vec<Token<'a>>) {
    let mut rest = spans;
    while let Some((first, after)) = rest.split_first() {
        let mut best: Option<(usize, Wrap)> = None;
        for wrap in wraps(first) {
            if around.contains(&wrap) {
                continue;
            }
            let reach = rest.iter().take_while(|span| wraps(span).contains(&wrap)).count();
            if best.as_ref().is_none_or(|(most, _)| reach > *most) {
                best = Some((reach, wrap));
            }
        }
        match best {
            Some((reach, wrap)) => {
                let (within, after) = rest.split_at(reach);
                tokens.push(Token::Open(wrap.clone()));
                around.push(wrap);
                nest(within, around, tokens);
                tokens.extend(around.pop().map(Token::Close));
                rest = after;
            }
            None => {
                tokens.push(Token::Leaf(first));
                rest = after;
            }
        }
    }
}

fn delimiter(wrap: &Wrap) -> Option<&'static str> {
    match wrap {
        Wrap::Strike => Some("~~"),
        Wrap::Bold => Some("**"),
        Wrap::Italic => Some("_"),
        Wrap::Link(_) | Wrap::Color(_) | Wrap::Underline => None,
    }
}

fn begin(wrap: &Wrap, html: bool) -> String {
    match wrap {
        Wrap::Link(_) => "[".to_owned(),
        Wrap::Color(color) => format!("<span color=\"{color}\">"),
        Wrap::Underline => "<u>".to_owned(),
        Wrap::Strike if html => "<del>".to_owned(),
        Wrap::Bold if html => "<strong>".to_owned(),
        Wrap::Italic if html => "<em>".to_owned(),
        Wrap::Strike | Wrap::Bold | Wrap::Italic => delimiter(wrap).unwrap_or_default().to_owned(),
    }
}

fn end(wrap: &Wrap, html: bool, place: Place) -> String {
    match wrap {
        Wrap::Link(url) => format!("]({})", destination(url, place)),
        Wrap::Color(_) => "</span>".to_owned(),
        Wrap::Underline => "</u>".to_owned(),
        Wrap::Strike if html => "</del>".to_owned(),
        Wrap::Bold if html => "</strong>".to_owned(),
        Wrap::Italic if html => "</em>".to_owned(),
        Wrap::Strike | Wrap::Bold | Wrap::Italic => delimiter(wrap).unwrap_or_default().to_owned(),
    }
}

/// What stands beside a delimiter, as CommonMark's rules for emphasis tell it apart.
#[derive(Clone, Copy, PartialEq)]
enum Beside {
    /// The edge of the text, or a space that is written as one.
    Space,
    /// A space that may become an entity.
    MaybeSpace,
    Word,
    Mark,
    /// A character that readers do not agree on.
    Odd,
}

fn class(c: char) -> Beside {
    match c {
        c if c.is_alphanumeric() => Beside::Word,
        c if c.is_ascii_punctuation() => Beside::Mark,
        _ => Beside::Odd,
    }
}

fn before(tokens: &[Token<'_>], at: usize) -> Beside {
    match at.checked_sub(1).and_then(|at| tokens.get(at)) {
        None => Beside::Space,
        Some(Token::Leaf(Span { inline: Inline::Text(text), marks, .. })) if !marks.code => {
            let mut back = text.chars().rev();
            match (back.next(), back.next()) {
                (Some(' '), Some(c)) if !c.is_whitespace() => Beside::Space,
                (Some(' '), _) => Beside::MaybeSpace,
                (Some(c), _) => class(c),
                (None, _) => Beside::Odd,
            }
        }
        Some(_) => Beside::Mark,
    }
}

fn after(tokens: &[Token<'_>], at: usize) -> Beside {
    match tokens.get(at + 1) {
        None => Beside::Space,
        Some(Token::Leaf(Span { inline: Inline::Text(text), marks, .. })) if !marks.code => {
            let mut chars = text.chars();
            match (chars.next(), chars.next()) {
                (Some(' '), Some(c)) if !c.is_whitespace() => Beside::Space,
                (Some(' '), _) => Beside::MaybeSpace,
                (Some(c), _) => class(c),
                (None, _) => Beside::Odd,
            }
        }
        Some(_) => Beside::Mark,
    }
}

/// Whether the delimiters of the mark that opens here can only open and only close (CommonMark, "emphasis").
fn works(tokens: &[Token<'_>], open: usize) -> bool {
    let mut depth = 0_usize;
    let close = tokens.iter().enumerate().skip(open).find_map(|(at, token)| {
        match token {
            Token::Open(_) => depth += 1,
            Token::Close(_) => depth -= 1,
            Token::Leaf(_) => {}
        }
        (depth == 0).then_some(at)
    });
    let Some(close) = close else { return false };
    let fits = |outside, inside| {
        matches!(
            (outside, inside),
            (Beside::Space, Beside::Word | Beside::Mark) | (Beside::Mark | Beside::MaybeSpace, Beside::Word)
        )
    };
    fits(before(tokens, open), after(tokens, open)) && fits(after(tokens, close), before(tokens, close))
}

fn leaf(span: &Span, tokens: &[Token<'_>], at: usize, out: &mut Writer) {
    let code = span.marks.code;
    let next = tokens.iter().skip(at + 1).find_map(|token| match token {
        Token::Leaf(span) => Some(*span),
        _ => None,
    });
    let more = match next {
        Some(Span { inline: Inline::Text(text), .. }) => !text.starts_with('\n'),
        Some(_) => true,
        None => false,
    };
    match &span.inline {
        Inline::Text(text) if code => match out.code(text) {
            Some(written) => out.raw(&written),
            None => {
                out.raw("<code>");
                out.text(text, more);
                out.raw("</code>");
            }
        },
        Inline::Text(text) => out.text(text, more),
        Inline::Equation(tex) => {
            let clear = |beside| matches!(beside, Beside::Space | Beside::Mark);
            let alone = clear(before(tokens, at)) && clear(after(tokens, at)) && !out.ends_with(&['$', '\\']);
            let written = match alone && simple(tex, out.place()) {
                true => format!("${tex}$"),
                false => format!("[{}](notion://equation/{})", out.escaped(tex), encode(tex)),
            };
            in_code(code, &written, out);
        }
        Inline::Mention { target, label } => {
            let written = format!("[{}]({})", out.escaped(label), destination(target, out.place()));
            in_code(code, &written, out);
        }
    }
}

fn in_code(code: bool, written: &str, out: &mut Writer) {
    if code {
        out.raw("<code>");
    }
    out.raw(written);
    if code {
        out.raw("</code>");
    }
}

/// Whether a formula stands between dollar signs as it is.
pub(super) fn simple(tex: &str, place: Place) -> bool {
    let mut depth = 0_i32;
    let balanced = tex.chars().all(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        depth >= 0
    }) && depth == 0;
    // Readers differ in whether `\{` counts.
    balanced
        && !tex.contains("\\{")
        && !tex.contains("\\}")
        && tex
            .chars()
            .all(|c| c == ' ' || (c.is_ascii_graphic() && c != '$' && c != '`') || c.is_alphanumeric())
        && !tex.starts_with(' ')
        && !tex.ends_with([' ', '\\'])
        && !tex.is_empty()
        && !(place.table && tex.contains('|'))
}

pub(super) fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// An address between the parentheses of a link.
pub(super) fn destination(url: &str, place: Place) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#@!$'*+,;=%".contains(c);
    if !url.is_empty() && url.chars().all(|c| plain(c) || c == '&') {
        return url.replace('&', "\\&");
    }
    let mut out = String::from("<");
    for c in url.chars() {
        match c {
            '<' | '>' | '\\' | '&' => out.extend(['\\', c]),
            '|' if place.table => out.push_str("&#124;"),
            c if c.is_control() => out.push_str(&format!("&#{};", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('>');
    out
}
