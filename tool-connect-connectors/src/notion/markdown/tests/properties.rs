//! What holds for all of them.

use proptest::prelude::*;
use serde_json::Value;

use super::super::model::plain;
use super::super::{
    Block, Content, Inline, Plan, Span, block_of, plan, rich_text, spans_of, to_blocks, to_markdown,
};
use super::generate;

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn blocks_are_the_same_after_markdown(blocks in generate::blocks()) {
        let markdown = to_markdown(&blocks);
        prop_assert_eq!(to_blocks(&markdown), blocks, "{}", markdown);
    }

    #[test]
    fn rich_text_is_the_same_after_markdown(text in generate::rich()) {
        let blocks = vec![Block::new(Content::Paragraph(text))];
        let markdown = to_markdown(&blocks);
        prop_assert_eq!(to_blocks(&markdown), blocks, "{}", markdown);
    }
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn markdown_is_stable_once_it_was_read(text in generate::markdown()) {
        let blocks = to_blocks(&text);
        let once = to_markdown(&blocks);
        prop_assert_eq!(&to_markdown(&to_blocks(&once)), &once);
        prop_assert_eq!(to_blocks(&once), blocks, "{}", once);
    }

    #[test]
    fn no_text_is_too_strange(text in any::<String>()) {
        let once = to_markdown(&to_blocks(&text));
        prop_assert_eq!(to_markdown(&to_blocks(&once)), once);
    }
}

/// Types that Notion has more of than its API creates, which become another.
fn created(blocks: &[Block]) -> Vec<Value> {
    blocks.iter().filter_map(|block| super::super::bare(block).ok()).collect()
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn blocks_are_the_same_after_notions_objects(block in generate::block()) {
        let block = Block { children: Vec::new(), ..block };
        let settled = matches!(&block.content, Content::Linked { .. } | Content::Image { .. });
        if let Ok(value) = super::super::bare(&block) && !settled {
            prop_assert_eq!(mentions_unlabelled(block_of(&value)), mentions_unlabelled(block), "{}", value);
        }
    }

    #[test]
    fn requests_keep_to_the_limits(blocks in generate::blocks(), times in 1..80_usize, long in 0..300_000_usize) {
        let mut all: Vec<Block> = std::iter::repeat_n(blocks, times).flatten().collect();
        all.push(Block::paragraph("x".repeat(long)));
        all.retain(|block| created(std::slice::from_ref(block)).len() == 1);
        if let Ok(plan) = plan(&all) {
            let mut text = 0;
            keeps(&plan, &mut text);
            prop_assert!(text >= long);
        }
    }
}

/// Notion makes what is shown for a mention.
fn mentions_unlabelled(mut block: Block) -> Block {
    if let Content::Paragraph(text)
    | Content::Bulleted(text)
    | Content::Numbered(text)
    | Content::Quote(text)
    | Content::Toggle(text)
    | Content::Heading { text, .. }
    | Content::Callout { text, .. }
    | Content::ToDo { text, .. } = &mut block.content
    {
        unlabelled(text);
    }
    if let Content::Table { rows, .. } = &mut block.content {
        rows.iter_mut().flatten().for_each(|text| unlabelled(text));
    }
    block
}

fn unlabelled(text: &mut [Span]) {
    for span in text {
        if let Inline::Mention { label, .. } = &mut span.inline {
            label.clear();
        }
    }
}

fn keeps(plan: &Plan, text: &mut usize) {
    for step in plan {
        assert!(step.children.len() <= 100 && !step.children.is_empty());
        assert!(Value::from(step.children.clone()).to_string().len() < 500_000);
        let blocks: usize = step.children.iter().map(|block| block_keeps(block, 0, text)).sum();
        assert!(blocks <= 1000, "{blocks}");
        for (at, later) in &step.later {
            assert!(*at < step.children.len());
            keeps(later, text);
        }
    }
}

fn block_keeps(block: &Value, level: usize, text: &mut usize) -> usize {
    assert!(level <= 2, "too deep: {block}");
    let inner = &block[block["type"].as_str().unwrap()];
    let pieces = inner["rich_text"].as_array().map(Vec::as_slice).unwrap_or_default();
    assert!(pieces.len() <= 100, "{} pieces", pieces.len());
    for piece in pieces {
        let content = piece["text"]["content"].as_str().unwrap_or_default();
        assert!(content.encode_utf16().count() <= 2000);
        *text += content.len();
    }
    let children = inner["children"].as_array().map(Vec::as_slice).unwrap_or_default();
    assert!(children.len() <= 100);
    1 + children.iter().map(|child| block_keeps(child, level + 1, text)).sum::<usize>()
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn long_text_is_cut_without_loss(bits in proptest::collection::vec(generate::text(), 0..40), times in 1..60_usize) {
        let text = bits.concat().repeat(times);
        let cut = rich_text(&[Span::text(text.clone())]);
        prop_assert_eq!(plain(&spans_of(&cut)), text);
    }
}
