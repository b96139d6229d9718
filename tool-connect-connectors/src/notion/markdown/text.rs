//! Rich text being read: marks that are open, pieces that are done.

use pulldown_cmark::{CowStr, Event, LinkType, Tag as Start, TagEnd};

use super::marker::{Tag, tag};
use super::model::{Inline, LinkKind, Marks, Span, plain, tidy};

/// What a line of text holds: mostly spans; what is a block if it stands alone.
#[derive(Debug)]
pub(super) enum Piece {
    Span(Span),
    Image { url: String, caption: Vec<Span> },
    Linked { kind: LinkKind, url: String, caption: Vec<Span> },
    Display(String),
}

#[derive(Default)]
struct Depth {
    bold: usize,
    italic: usize,
    strike: usize,
    underline: usize,
    code: usize,
    colors: Vec<String>,
}

/// Collects the events of one text.
#[derive(Default)]
pub(super) struct Text {
    depth: Depth,
    pieces: Vec<Piece>,
    /// Links and images that are open: where they begin.
    open: Vec<(usize, String, Option<LinkKind>)>,
    touched: bool,
}

impl Text {
    /// Whether anything of a text was met.
    pub(super) fn touched(&self) -> bool {
        self.touched
    }

    fn marks(&self) -> Marks {
        Marks {
            bold: self.depth.bold > 0,
            italic: self.depth.italic > 0,
            strike: self.depth.strike > 0,
            underline: self.depth.underline > 0,
            code: self.depth.code > 0,
            color: self.depth.colors.last().cloned(),
        }
    }

    fn push(&mut self, inline: Inline) {
        let span = Span { inline, marks: self.marks(), link: None };
        self.pieces.push(Piece::Span(span));
    }

    fn text(&mut self, text: impl Into<String>) {
        self.push(Inline::Text(text.into()));
    }

    /// Takes an event, if it is one of a text.
    pub(super) fn take(&mut self, event: &Event<'_>) -> bool {
        match event {
            Event::Text(text) => self.text(&**text),
            Event::Code(text) => {
                self.depth.code += 1;
                self.text(&**text);
                self.depth.code -= 1;
            }
            Event::InlineMath(tex) => self.push(Inline::Equation(tex.to_string())),
            Event::DisplayMath(tex) => self.pieces.push(Piece::Display(tex.trim().to_owned())),
            Event::InlineHtml(html) => self.html(html),
            Event::SoftBreak => self.text(" "),
            Event::HardBreak => self.text("\n"),
            Event::Start(start) => match start {
                Start::Strong => self.depth.bold += 1,
                Start::Emphasis => self.depth.italic += 1,
                Start::Strikethrough => self.depth.strike += 1,
                Start::Link { link_type, dest_url, title, .. } => {
                    let url = match link_type {
                        LinkType::Email => format!("mailto:{dest_url}"),
                        _ => dest_url.to_string(),
                    };
                    self.open.push((self.pieces.len(), url, LinkKind::of(title)));
                }
                Start::Image { dest_url, .. } => {
                    self.open.push((self.pieces.len(), dest_url.to_string(), None));
                }
                _ => return false,
            },
            Event::End(end) => match end {
                TagEnd::Strong => self.depth.bold = self.depth.bold.saturating_sub(1),
                TagEnd::Emphasis => self.depth.italic = self.depth.italic.saturating_sub(1),
                TagEnd::Strikethrough => self.depth.strike = self.depth.strike.saturating_sub(1),
                TagEnd::Link => self.end_link(),
                TagEnd::Image => self.end_image(),
                _ => return false,
            },
            _ => return false,
        }
        self.touched = true;
        true
    }

    fn html(&mut self, html: &CowStr<'_>) {
        let Some((found, closes)) = tag(html) else { return self.text(&**html) };
        let depth = match found {
            Tag::Break => return self.text("\n"),
            Tag::Empty => return,
            Tag::Color(Some(color)) => return self.depth.colors.push(color),
            Tag::Color(None) => {
                if self.depth.colors.pop().is_none() {
                    self.text(&**html);
                }
                return;
            }
            Tag::Bold => &mut self.depth.bold,
            Tag::Italic => &mut self.depth.italic,
            Tag::Strike => &mut self.depth.strike,
            Tag::Underline => &mut self.depth.underline,
            Tag::Code => &mut self.depth.code,
        };
        if !closes {
            *depth += 1;
        } else if *depth > 0 {
            *depth -= 1;
        } else {
            self.text(&**html);
        }
    }

    fn end_image(&mut self) {
        let Some((from, url, _)) = self.open.pop() else { return };
        let caption = spans(self.pieces.split_off(from.min(self.pieces.len())));
        self.pieces.push(Piece::Image { url, caption });
    }

    fn end_link(&mut self) {
        let Some((from, url, kind)) = self.open.pop() else { return };
        let inner = self.pieces.split_off(from.min(self.pieces.len()));
        // An image that links somewhere, alone: Notion's images do not, so the image it is.
        if let [Piece::Image { .. }] = inner.as_slice() {
            self.pieces.extend(inner);
            return;
        }
        let inner = spans(inner);
        if let Some(tex) = url.strip_prefix("notion://equation/").and_then(decode) {
            return self.push(Inline::Equation(tex));
        }
        if let Some(kind) = kind
            && !url.is_empty()
            && inner.iter().all(|span| matches!(span.inline, Inline::Text(_)) && span.link.is_none())
        {
            let caption = if plain(&inner) == url { Vec::new() } else { inner };
            self.pieces.push(Piece::Linked { kind, url, caption });
            return;
        }
        if is_mention(&url) {
            let label = plain(&inner);
            return self.push(Inline::Mention { target: url, label });
        }
        let linked = link(inner, &url, self.marks());
        self.pieces.extend(linked.into_iter().map(Piece::Span));
    }

    /// What was collected, and whether it is something that stands alone.
    pub(super) fn finish(mut self) -> Vec<Piece> {
        while self.open.pop().is_some() {}
        self.pieces
    }
}

fn link(inner: Vec<Span>, url: &str, marks: Marks) -> Vec<Span> {
    if url.is_empty() {
        return inner;
    }
    if inner.is_empty() {
        return vec![Span { inline: Inline::Text(url.to_owned()), marks, link: Some(url.to_owned()) }];
    }
    inner
        .into_iter()
        .map(|mut span| {
            if matches!(span.inline, Inline::Text(_)) {
                span.link.get_or_insert_with(|| url.to_owned());
            }
            span
        })
        .collect()
}

/// Pieces as rich text: what could have stood alone becomes text, too.
pub(super) fn spans(pieces: Vec<Piece>) -> Vec<Span> {
    let mut out = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Span(span) => out.push(span),
            Piece::Display(tex) if tex.is_empty() => {}
            Piece::Display(tex) => {
                out.push(Span { inline: Inline::Equation(tex), marks: Marks::default(), link: None });
            }
            Piece::Image { url, caption } | Piece::Linked { url, caption, .. } => {
                out.extend(link(caption, &url, Marks::default()));
            }
        }
    }
    tidy(out)
}

pub(super) fn decode(text: &str) -> Option<String> {
    percent_encoding::percent_decode_str(text).decode_utf8().ok().map(Into::into)
}

/// Whether an address means somebody or something that Notion knows.
pub(super) fn is_mention(url: &str) -> bool {
    super::rich::mention(url).is_some()
}
