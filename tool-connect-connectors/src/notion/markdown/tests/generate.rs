//! Blocks of what both sides can say.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::super::model::tidy;
use super::super::wire::settle;
use super::super::write::is_caption;
use super::super::{Alert, Block, Content, Inline, LinkKind, Marks, Span};

/// What is dangerous in Markdown, and what is not.
const BITS: &[&str] = &[
    "a",
    "B",
    "word",
    " ",
    " ",
    "  ",
    "\n",
    "\t",
    "1",
    "1.",
    "2) ",
    "-",
    "- ",
    "+ ",
    "---",
    "===",
    "#",
    "# ",
    "##",
    "*",
    "**",
    "_",
    "__",
    "snake_case",
    "`",
    "``",
    "```",
    "~",
    "~~",
    "[",
    "]",
    "(",
    ")",
    "[x] ",
    "[ ] ",
    "[a](b)",
    "![",
    "!",
    "<",
    ">",
    "> ",
    "<b>",
    "</u>",
    "<br>",
    "<u>",
    "<!--",
    "-->",
    "<details>",
    "&",
    "&amp;",
    "&#32;",
    "|",
    "| - |",
    "\\",
    "\\\\",
    "$",
    "$x$",
    "$$",
    ":",
    ":-",
    "=",
    "^",
    "{",
    "}",
    "{#id}",
    "@",
    "\"",
    "'",
    "/",
    "%",
    "%20",
    "http://x.example",
    "é",
    "漢字",
    "🎉",
    "e\u{301}",
    "\u{a0}",
    "\u{200b}",
    "\u{2028}",
    "\r",
    "\u{7}",
    "“q”",
    "—",
    "[!NOTE]",
    "    ",
    "~~~",
    "0",
    "9",
    ".",
    ";",
];

pub(super) fn text() -> impl Strategy<Value = String> {
    vec(select(BITS), 0..8).prop_map(|bits| bits.concat())
}

/// A text without what ends a line in some other way than Notion's.
fn lines() -> impl Strategy<Value = String> {
    text().prop_map(|text| text.replace('\r', ""))
}

fn marks() -> impl Strategy<Value = Marks> {
    let color =
        option::weighted(0.15, select(&["red", "blue_background", "gray"][..]).prop_map(str::to_owned));
    let flag = || proptest::bool::weighted(0.25);
    (flag(), flag(), flag(), flag(), flag(), color).prop_map(
        |(bold, italic, strike, underline, code, color)| Marks {
            bold,
            italic,
            strike,
            underline,
            code,
            color,
        },
    )
}

fn url() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(&["https://x.example/a?b=c&d=e", "/page#part", "mailto:a@x.example"][..]).prop_map(str::to_owned),
        1 => text().prop_filter("an address says something", |text| !text.trim().is_empty() && !text.contains(['\n', '\r', '\u{7}'])),
    ]
}

fn mention() -> impl Strategy<Value = String> {
    select(
        &[
            "notion://user/0d7a1f0e-1111-4222-8333-944444444444",
            "notion://page/abc",
            "notion://database/12",
            "notion://date/2026-05-01",
            "notion://date/2026-05-01T10:00:00.000+02:00/2026-05-02?Europe%2FBerlin",
            "notion://mention/%7B%22type%22%3A%22template%5Fmention%22%7D",
        ][..],
    )
    .prop_map(str::to_owned)
}

fn inline() -> impl Strategy<Value = Inline> {
    prop_oneof![
        8 => text().prop_map(Inline::Text),
        1 => prop_oneof![Just("x^2".to_owned()), Just("\\frac{a}{b}".to_owned()), text()]
            .prop_filter("a formula says something", |tex| !tex.is_empty()).prop_map(Inline::Equation),
        1 => (mention(), text()).prop_map(|(target, label)| Inline::Mention { target, label }),
    ]
}

pub(super) fn rich() -> impl Strategy<Value = Vec<Span>> {
    let span = (inline(), prop_oneof![Just(Marks::default()), marks()], option::weighted(0.2, url()));
    vec(span.prop_map(|(inline, marks, link)| Span { inline, marks, link }), 0..5).prop_map(tidy)
}

fn attributes() -> impl Strategy<Value = Map<String, Value>> {
    let one = select(vec![
        json!({"color": "red"}),
        json!({"color": "blue_background", "note": "-->\n<!-- \"x\" -->"}),
        json!({"icon": {"type": "emoji", "emoji": "🥬"}}),
    ]);
    prop_oneof![
        9 => Just(Map::new()),
        1 => one.prop_map(|value| value.as_object().cloned().unwrap_or_default()),
    ]
}

fn table() -> impl Strategy<Value = Content> {
    (any::<bool>(), 1..4_usize, 1..4_usize).prop_flat_map(|(header, width, height)| {
        vec(vec(rich(), width), height).prop_map(move |rows| Content::Table { header, rows })
    })
}

fn leaf() -> impl Strategy<Value = Content> {
    let kind = select(LinkKind::ALL);
    let language =
        select(&["rust", "plain text", "visual basic", "java/c/c++/c#"][..]).prop_map(str::to_owned);
    prop_oneof![
        (language, lines()).prop_map(|(language, text)| Content::Code { language, text }),
        prop_oneof![Just("e^{i\\pi} = -1".to_owned()), lines()].prop_map(Content::Equation),
        Just(Content::Divider),
        table(),
        (url(), rich()).prop_map(|(url, caption)| Content::Image { url, caption }),
        (kind, url(), rich()).prop_filter_map("a caption that a link can have", |(kind, url, caption)| {
            is_caption(&caption, &url).then_some(Content::Linked { kind, url, caption })
        }),
        Just(Content::Other { kind: "breadcrumb".to_owned() }),
    ]
}

fn branch() -> impl Strategy<Value = Content> {
    prop_oneof![
        3 => rich().prop_map(Content::Paragraph),
        3 => rich().prop_map(Content::Bulleted),
        3 => rich().prop_map(Content::Numbered),
        2 => (rich(), any::<bool>()).prop_map(|(text, checked)| Content::ToDo { text, checked }),
        2 => rich().prop_map(Content::Quote),
        2 => (select(&Alert::ALL[..]), rich()).prop_map(|(alert, text)| Content::Callout { alert, text }),
        2 => rich().prop_map(Content::Toggle),
        1 => (1..5_u8, rich(), any::<bool>()).prop_map(|(level, text, toggle)| Content::Heading { level, text, toggle }),
        1 => Just(Content::Other { kind: "column_list".to_owned() }),
    ]
}

/// Without attributes that say what the block says anyway.
fn settled(mut block: Block) -> Block {
    settle(&mut block);
    block
}

pub(super) fn block() -> impl Strategy<Value = Block> {
    let plain = |content, attributes| settled(Block { content, attributes, children: Vec::new() });
    let leaf = prop_oneof![
        2 => (leaf(), attributes()).prop_map(move |(content, attributes)| plain(content, attributes)),
        3 => (branch(), attributes()).prop_map(move |(content, attributes)| plain(content, attributes)),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        (branch(), attributes(), vec(inner, 0..4))
            .prop_map(|(content, attributes, children)| settled(Block { content, attributes, children }))
    })
}

pub(super) fn blocks() -> impl Strategy<Value = Vec<Block>> {
    vec(block(), 0..5)
}

/// Text that looks like Markdown.
pub(super) fn markdown() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        4 => text(),
        1 => select(&[
            "", "", "- ", "  - ", "1. x", "> ", "> [!NOTE]", "```", "```rust", "~~~", "| a | b |", "| --- | --- |", "<details>",
            "<summary>s</summary>", "<details><summary>t</summary>", "</details>", "<!-- notion {\"color\":\"red\"} -->",
            "<!-- notion-group {} -->", "<!-- notion-group {\"type\":\"column\"} -->", "<!-- /notion-group -->", "<!-- -->", "---", "===",
            "![a](b)", "[a](b \"bookmark\")", "[@Ada](notion://user/1)", "$$x$$", "    code", "<div>", "[a]: b", "- [x] done",
            "**a** *b*", "<u>x", "[](x)", "![](x)", "<http://x.example>", "a\\", "a  ",
        ][..]).prop_map(str::to_owned),
    ];
    vec(line, 0..10).prop_map(|lines| lines.join("\n"))
}
