//! Markdown as blocks.

use pulldown_cmark::{
    Alignment, BlockQuoteKind, CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag as Start, TagEnd,
};
use serde_json::{Map, Value};

use super::model::{Alert, Block, Content, Span, tidy};
use super::text::{Piece, Text, spans};
use super::{DEEPEST, language, marker};
use marker::Marker;

/// Reads Markdown. Every text is Markdown, so there is no error; see the [module](super) for what becomes of what.
///
/// ```
/// use tool_connect_connectors::notion::markdown::{Block, to_blocks};
/// assert_eq!(to_blocks("Hello"), [Block::paragraph("Hello")]);
/// ```
#[must_use]
pub fn to_blocks(markdown: &str) -> Vec<Block> {
    // Every way to end a line is one (CommonMark, "line ending"), also within code.
    let lines = markdown.contains('\r').then(|| markdown.replace("\r\n", "\n").replace('\r', "\n"));
    let mut reader = Reader { events: events(lines.as_deref().unwrap_or(markdown)), depth: 0, check: None };
    reader.blocks(None)
}

/// Reads Markdown of one text; blocks become lines.
pub(in super::super) fn to_spans(markdown: &str) -> Vec<Span> {
    let mut all = Vec::new();
    for block in to_blocks(markdown) {
        if !all.is_empty() {
            all.push(Span::text("\n"));
        }
        match block.content {
            Content::Paragraph(text) if block.children.is_empty() => all.extend(text),
            _ => all.push(Span::text(super::to_markdown(std::slice::from_ref(&block)).trim_end())),
        }
    }
    tidy(all)
}

fn events(markdown: &str) -> Parser<'_> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_MATH
        | Options::ENABLE_GFM;
    Parser::new_ext(markdown, options)
}

/// The text of one line that is no block, such as a summary.
fn line(markdown: &str) -> Vec<Span> {
    let mut text = Text::default();
    for event in events(markdown) {
        let took = text.take(&event);
        if !took && let Event::Html(html) = &event {
            text.take(&Event::InlineHtml(html.clone()));
        }
    }
    spans(text.finish())
}

struct Reader<'a> {
    events: Parser<'a>,
    depth: usize,
    /// The box of the item that is being read.
    check: Option<bool>,
}

/// A toggle or a group that is open.
struct Frame {
    closes: Marker<'static>,
    block: Option<Block>,
    attributes: Map<String, Value>,
    before: Vec<Block>,
}

/// The blocks of one container.
#[derive(Default)]
struct Found {
    blocks: Vec<Block>,
    /// What a comment said of the next block.
    pending: Option<Map<String, Value>>,
    frames: Vec<Frame>,
    text: Text,
}

impl Found {
    fn push(&mut self, mut block: Block) {
        self.end_text();
        if let Some(attributes) = self.pending.take() {
            block.take_attributes(attributes);
        }
        self.blocks.push(block);
    }

    /// Ends a text that no paragraph is around: that of an item in a tight list.
    fn end_text(&mut self) {
        if self.text.touched() {
            let text = std::mem::take(&mut self.text);
            let block = paragraph(text.finish());
            self.push(block);
        }
    }

    fn open(&mut self, closes: Marker<'static>, block: Option<Block>, attributes: Map<String, Value>) {
        self.end_text();
        let before = std::mem::take(&mut self.blocks);
        self.frames.push(Frame { closes, block, attributes, before });
    }

    fn close(&mut self) {
        self.end_text();
        let Some(frame) = self.frames.pop() else { return };
        self.pending = None;
        let mut within = std::mem::replace(&mut self.blocks, frame.before);
        let block = match frame.block {
            Some(mut block) => {
                block.children = within;
                block
            }
            None if within.is_empty() => return,
            None => {
                let mut block = within.remove(0);
                block.take_attributes(frame.attributes);
                block.children.extend(within);
                block
            }
        };
        self.blocks.push(block);
    }

    fn finish(mut self) -> Vec<Block> {
        self.end_text();
        while !self.frames.is_empty() {
            self.close();
        }
        self.blocks
    }
}

impl Block {
    fn take_attributes(&mut self, attributes: Map<String, Value>) {
        for (name, value) in attributes {
            match (&mut self.content, name.as_str(), &value) {
                (Content::Table { header, .. }, "has_column_header", Value::Bool(set)) => *header = *set,
                _ => {
                    self.attributes.insert(name, value);
                }
            }
        }
        super::wire::settle(self);
    }
}

impl Reader<'_> {
    fn blocks(&mut self, end: Option<TagEnd>) -> Vec<Block> {
        let mut found = Found::default();
        // Containers that are passed over because they are too deep: their content stands here.
        let mut passed = 0_usize;
        while let Some(event) = self.events.next() {
            if found.text.take(&event) {
                continue;
            }
            match event {
                Event::Start(start) => {
                    let deep = self.depth + found.frames.len() >= DEEPEST;
                    if deep && matches!(start, Start::BlockQuote(_) | Start::List(_) | Start::Item) {
                        passed += 1;
                        found.end_text();
                    } else {
                        self.start(start, &mut found);
                    }
                }
                Event::End(ended) => {
                    if passed > 0 && matches!(ended, TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item) {
                        passed -= 1;
                        found.end_text();
                    } else if Some(ended) == end {
                        break;
                    }
                }
                Event::TaskListMarker(checked) => self.check = Some(checked),
                Event::Rule => found.push(Block::new(Content::Divider)),
                _ => {}
            }
        }
        found.finish()
    }

    fn within(&mut self, end: TagEnd) -> Vec<Block> {
        self.depth += 1;
        let blocks = self.blocks(Some(end));
        self.depth -= 1;
        blocks
    }

    fn start(&mut self, start: Start<'_>, found: &mut Found) {
        match start {
            Start::Paragraph => {
                let pieces = self.text(TagEnd::Paragraph).finish();
                found.push(paragraph(pieces));
            }
            Start::Heading { level, .. } => {
                let text = spans(self.text(TagEnd::Heading(level)).finish());
                found.push(Block::new(Content::Heading { level: number(level), text, toggle: false }));
            }
            Start::BlockQuote(kind) => {
                let (text, children) = text_first(self.within(TagEnd::BlockQuote(kind)));
                let content = match kind.map(alert) {
                    Some(alert) => Content::Callout { alert, text },
                    None => Content::Quote(text),
                };
                found.push(Block::new(content).with(children));
            }
            Start::CodeBlock(kind) => {
                let content = self.code(&kind);
                found.push(Block::new(content));
            }
            Start::HtmlBlock => self.html(found),
            Start::List(first) => {
                found.end_text();
                self.list(first.is_some(), found);
            }
            Start::Table(columns) => {
                let content = self.table(&columns);
                found.push(Block::new(content));
            }
            _ => {}
        }
    }

    /// The text up to an end.
    fn text(&mut self, end: TagEnd) -> Text {
        let mut text = Text::default();
        for event in self.events.by_ref() {
            match event {
                Event::End(ended) if ended == end => break,
                Event::TaskListMarker(checked) => self.check = Some(checked),
                event => _ = text.take(&event),
            }
        }
        text
    }

    fn code(&mut self, kind: &CodeBlockKind<'_>) -> Content {
        let mut text = String::new();
        for event in self.events.by_ref() {
            match event {
                Event::Text(more) => text.push_str(&more),
                Event::End(TagEnd::CodeBlock) => break,
                _ => {}
            }
        }
        if text.ends_with('\n') {
            text.pop();
        }
        match kind {
            CodeBlockKind::Fenced(info) if info.trim() == "math" => Content::Equation(text),
            CodeBlockKind::Fenced(info) => {
                Content::Code { language: language::of_fence(info).to_owned(), text }
            }
            CodeBlockKind::Indented => Content::Code { language: language::PLAIN.to_owned(), text },
        }
    }

    fn html(&mut self, found: &mut Found) {
        let mut html = String::new();
        for event in self.events.by_ref() {
            match event {
                Event::Html(more) | Event::Text(more) => html.push_str(&more),
                Event::End(TagEnd::HtmlBlock) => break,
                _ => {}
            }
        }
        let deep = self.depth + found.frames.len() >= DEEPEST;
        let closes = |marker: &Marker<'_>| found.frames.last().is_some_and(|frame| frame.closes == *marker);
        match marker::read(&html) {
            Marker::Empty => found.push(Block::new(Content::Paragraph(Vec::new()))),
            Marker::Attributes(mut map) => match kind_of(&mut map) {
                Some(kind) => found.push(other(kind, map)),
                None => {
                    found.end_text();
                    found.pending = Some(map);
                }
            },
            Marker::Group(mut map) if !deep => {
                let block = kind_of(&mut map).map(|kind| other(kind, std::mem::take(&mut map)));
                found.open(Marker::EndGroup, block, map);
            }
            Marker::Toggle(summary, level) if !deep => {
                let text = line(summary);
                let content = match level {
                    Some(level) => Content::Heading { level, text, toggle: true },
                    None => Content::Toggle(text),
                };
                let mut block = Block::new(content);
                found.end_text();
                if let Some(attributes) = found.pending.take() {
                    block.take_attributes(attributes);
                }
                found.open(Marker::EndToggle, Some(block), Map::new());
            }
            ending @ (Marker::EndGroup | Marker::EndToggle) if closes(&ending) => found.close(),
            _ => found.push(Block::new(Content::Paragraph(tidy(vec![Span::text(html.trim())])))),
        }
    }

    fn list(&mut self, numbered: bool, found: &mut Found) {
        while let Some(event) = self.events.next() {
            match event {
                Event::Start(Start::Item) => {
                    let item = self.item(numbered);
                    found.push(item);
                }
                Event::End(TagEnd::List(_)) => break,
                _ => {}
            }
        }
    }

    fn item(&mut self, numbered: bool) -> Block {
        let outer = self.check.take();
        let (text, children) = text_first(self.within(TagEnd::Item));
        let content = match std::mem::replace(&mut self.check, outer) {
            Some(checked) => Content::ToDo { text, checked },
            None if numbered => Content::Numbered(text),
            None => Content::Bulleted(text),
        };
        Block::new(content).with(children)
    }

    fn table(&mut self, columns: &[Alignment]) -> Content {
        let mut rows: Vec<Vec<Vec<Span>>> = Vec::new();
        let mut row = Vec::new();
        while let Some(event) = self.events.next() {
            match event {
                Event::Start(Start::TableCell) => row.push(spans(self.text(TagEnd::TableCell).finish())),
                Event::End(TagEnd::TableHead | TagEnd::TableRow) => {
                    row.resize(columns.len(), Vec::new());
                    rows.push(std::mem::take(&mut row));
                }
                Event::End(TagEnd::Table) => break,
                _ => {}
            }
        }
        Content::Table { header: true, rows }
    }
}

/// A paragraph, or what its only piece is.
fn paragraph(mut pieces: Vec<Piece>) -> Block {
    if let [_] = pieces.as_slice() {
        match pieces.pop() {
            Some(Piece::Image { url, caption }) if !url.is_empty() => {
                return Block::new(Content::Image { url, caption });
            }
            Some(Piece::Linked { kind, url, caption }) => {
                return Block::new(Content::Linked { kind, url, caption });
            }
            Some(Piece::Display(tex)) => return Block::new(Content::Equation(tex)),
            Some(piece) => pieces.push(piece),
            None => {}
        }
    }
    Block::new(Content::Paragraph(spans(pieces)))
}

/// The text of a block is its first paragraph; the rest stands within it.
fn text_first(mut blocks: Vec<Block>) -> (Vec<Span>, Vec<Block>) {
    match blocks.first_mut() {
        Some(Block { content: Content::Paragraph(text), attributes, children })
            if attributes.is_empty() && children.is_empty() =>
        {
            let text = std::mem::take(text);
            blocks.remove(0);
            (text, blocks)
        }
        _ => (Vec::new(), blocks),
    }
}

fn kind_of(map: &mut Map<String, Value>) -> Option<String> {
    match map.shift_remove("type") {
        Some(Value::String(kind)) => Some(kind),
        _ => None,
    }
}

fn other(kind: String, attributes: Map<String, Value>) -> Block {
    Block { content: Content::Other { kind }, attributes, children: Vec::new() }
}

fn number(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        _ => 4,
    }
}

fn alert(kind: BlockQuoteKind) -> Alert {
    match kind {
        BlockQuoteKind::Note => Alert::Note,
        BlockQuoteKind::Tip => Alert::Tip,
        BlockQuoteKind::Important => Alert::Important,
        BlockQuoteKind::Warning => Alert::Warning,
        BlockQuoteKind::Caution => Alert::Caution,
    }
}
