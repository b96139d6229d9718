//! Notion's blocks as Markdown and back: CommonMark with GitHub's tables, task lists, alerts and formulas. What Markdown cannot
//! say is kept in HTML that shows nothing, so that blocks which are read as Markdown and written again are the same.
//!
//! | Notion | Markdown |
//! | --- | --- |
//! | paragraph; an empty one | text; `<!-- -->` |
//! | headings 1 to 4 | `#` to `####` |
//! | bulleted, numbered, to-do, nested | `-`, `1.`, `- [x]`, indented |
//! | quote, callout | `>`, `> [!NOTE]` (`TIP`, `IMPORTANT`, `WARNING`, `CAUTION`) |
//! | toggle, toggle heading | `<details><summary>..</summary>`, with `<h2>` in it |
//! | code, equation, divider | a fence, `$$..$$`, `---` |
//! | table | a table; line breaks in cells are `<br>` |
//! | image | `![caption](address)` |
//! | bookmark, embed, video, audio, PDF, file, child page, .. | a paragraph that is a link with the type as title: `[caption](address "bookmark")` |
//! | bold, italic, strike, code, equation, link | `**`, `_`, `~~`, `` ` ``, `$`, `[]()`; the HTML tags where Markdown's marks would not work |
//! | underline, colour | `<u>`, `<span color="red">` |
//! | mention | a link to `notion://user/ID`, `notion://page/ID`, `notion://database/ID`, `notion://date/2026-05-01` |
//! | what else a block says: colour, icon, .. | `<!-- notion {"color":"red"} -->` before it |
//! | children of a block that has none in Markdown | `<!-- notion-group {..} -->` before the block, `<!-- /notion-group -->` after its children |
//! | any other type of block | `<!-- notion {"type":"breadcrumb",..} -->`, as a group if it has children |
//!
//! Not kept: ids, times and authors of blocks, what Notion shows for a mention, the way Markdown was written (Setext headings,
//! `*` for `_`), titles of links within text, languages of code that Notion does not know, HTML tags other than these (they
//! become text).

mod escape;
mod inline;
mod language;
mod limits;
mod marker;
mod model;
mod read;
mod rich;
#[cfg(test)]
mod tests;
mod text;
mod wire;
mod write;

pub use model::{Alert, Block, Content, Inline, LinkKind, Marks, Span};
pub use read::to_blocks;
pub use rich::{rich_text, spans_of};
pub use wire::{block_of, blocks_of};
pub use write::to_markdown;

pub(super) use limits::{Plan, Step, plan};
pub(super) use model::plain;
pub(super) use read::to_spans;
pub(super) use wire::{bare, file_of};
pub(super) use write::spans_to_markdown;

/// Blocks within blocks go so deep; what is deeper in a text stands at this depth.
pub(super) const DEEPEST: usize = 24;
