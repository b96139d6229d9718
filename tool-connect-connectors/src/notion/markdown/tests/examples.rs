//! By example.

use serde_json::json;

use super::super::{
    Block, Content, Inline, Span, block_of, plan, rich_text, spans_of, to_blocks, to_markdown,
};

fn of(markdown: &str) -> String {
    to_markdown(&to_blocks(markdown))
}

#[test]
fn a_document_is_written_as_it_was() {
    let document = "\
# Release 1.2

What is **new**, what is ~~old~~ and _why_; see [the notes](https://x.example/notes) or `cargo doc`.

- fruit
  - apple, $n^2$ of them
  - pear
- bread

1. first
2. second

- [x] done
- [ ] open

> Quoted\\
> on two lines.

> [!WARNING]
> Mind the gap.

<details>
<summary>More</summary>

Hidden <u>here</u>.

</details>

```rust
fn main() {}
```

$$e = mc^2$$

---

| a | b |
| --- | --- |
| 1 | 2\\|3 |

![A cat](https://x.example/cat.png)

[A page](https://x.example/ \"bookmark\")

Ask [@Ada](notion://user/1) by [May](notion://date/2026-05-01).
";
    assert_eq!(of(document), document);
}

#[test]
fn other_ways_to_write_become_ours() {
    assert_eq!(of("Title\n===\n\n* a\n* b"), "# Title\n\n- a\n- b\n");
    assert_eq!(of("a\nb  \nc"), "a b\\\nc\n");
    assert_eq!(of("```js\nx\n```"), "```javascript\nx\n```\n");
    assert_eq!(of("```unheard-of\nx\n```"), "```\nx\n```\n");
    assert_eq!(of("<div>x</div>"), "\\<div>x\\</div>\n");
    assert_eq!(of("a ![pic](u) b"), "a [pic](u) b\n");
    assert_eq!(of("###### Six"), "#### Six\n");
    assert_eq!(of("- [ ] a\n\n- [x] b\n\n  c"), "- [ ] a\n- [x] b\n\n  c\n");
}

#[test]
fn what_markdown_cannot_say_is_kept_beside_it() {
    let columns = block_of(&json!({"type": "column_list", "column_list": {"children": [
        {"type": "column", "column": {"width_ratio": 0.5, "children": [
            {"type": "paragraph", "paragraph": {"color": "red", "rich_text": [{"type": "text", "text": {"content": "left"}}]}},
        ]}},
    ]}}));
    let markdown = to_markdown(std::slice::from_ref(&columns));
    assert_eq!(
        markdown,
        "<!-- notion-group {\"type\":\"column_list\"} -->\n\n<!-- notion-group {\"type\":\"column\",\"width_ratio\":0.5} -->\n\n\
         <!-- notion {\"color\":\"red\"} -->\n\nleft\n\n<!-- /notion-group -->\n\n<!-- /notion-group -->\n"
    );
    assert_eq!(to_blocks(&markdown), [columns]);
    let mut below = Block::paragraph("above").with(vec![Block::paragraph("below")]);
    assert_eq!(to_blocks(&to_markdown(&[below.clone()])), [below.clone()]);
    below.children.clear();
    assert_eq!(to_markdown(&[below]), "above\n");
}

#[test]
fn answers_of_notion_are_read() {
    let text = json!([
        {"type": "text", "text": {"content": "See ", "link": null}, "annotations": {"bold": false, "color": "default"}, "plain_text": "See "},
        {"type": "mention", "mention": {"type": "user", "user": {"object": "user", "id": "u-1"}}, "plain_text": "@Ada"},
        {"type": "mention", "mention": {"type": "custom_emoji", "custom_emoji": {"id": "e"}}, "plain_text": ":e:"},
        {"type": "later", "plain_text": "?"},
    ]);
    let spans = spans_of(&text);
    assert_eq!(spans[1].inline, Inline::Mention { target: "notion://user/u-1".into(), label: "@Ada".into() });
    let sent = rich_text(&spans);
    assert_eq!(sent[1], json!({"type": "mention", "mention": {"type": "user", "user": {"id": "u-1"}}}));
    assert_eq!(sent[2]["mention"]["custom_emoji"]["id"], "e");
    assert_eq!(sent[3]["text"]["content"], "?");
    let file = json!({"id": "b-1", "type": "image", "image": {"type": "file", "file": {"url": "https://s3.example/x?sig=1"}, "caption": []}});
    assert_eq!(to_markdown(&[block_of(&file)]), "![](notion://file/b-1)\n");
    let why = plan(&[block_of(&file)]).unwrap_err();
    assert!(why.contains("download_file"), "{why}");
    let unsupported = block_of(&json!({"type": "unsupported", "unsupported": {}}));
    assert!(plan(&[unsupported]).is_err());
    let page = block_of(&json!({"id": "p-1", "type": "child_page", "child_page": {"title": "Plans"}}));
    assert_eq!(to_markdown(std::slice::from_ref(&page)), "[Plans](notion://page/p-1 \"child_page\")\n");
    assert_eq!(plan(&[page]).unwrap()[0].children[0]["link_to_page"]["page_id"], "p-1");
    let callout = json!({"type": "callout", "callout": {"rich_text": [], "icon": {"type": "emoji", "emoji": "💡"}, "color": "gray_background"}});
    let callout = block_of(&callout);
    assert_eq!(
        to_markdown(std::slice::from_ref(&callout)),
        "<!-- notion {\"color\":\"gray_background\"} -->\n\n> [!TIP]\n> <!-- -->\n"
    );
    assert_eq!(plan(&[callout]).unwrap()[0].children[0]["callout"]["icon"]["emoji"], "💡");
}

#[test]
fn depth_has_an_end() {
    for deep in [
        ">".repeat(5000),
        "- ".repeat(3000),
        "<details><summary>x</summary>\n\n".repeat(3000),
        "<!-- notion-group {} -->\n\n".repeat(3000),
    ] {
        let once = of(&deep);
        assert_eq!(of(&once), once);
    }
    let mut deep = Block::paragraph("x");
    for _ in 0..100 {
        deep = Block::new(Content::Bulleted(vec![Span::text("x")])).with(vec![deep]);
    }
    assert!(to_markdown(&[deep]).len() > 100);
}

#[test]
fn what_is_too_deep_or_long_is_written_in_several_requests() {
    let mut deep = Block::paragraph("level 5");
    for level in (1..5).rev() {
        deep = Block::new(Content::Bulleted(vec![Span::text(format!("level {level}"))])).with(vec![deep]);
    }
    let steps = plan(&[deep]).unwrap();
    assert_eq!((steps.len(), steps[0].later.len()), (1, 1));
    let below = &steps[0].later[0].1;
    assert_eq!(below[0].children[0]["bulleted_list_item"]["rich_text"][0]["text"]["content"], "level 2");
    let rows = vec![vec![vec![Span::text("x")]]; 250];
    let steps = plan(&[Block::new(Content::Table { header: true, rows })]).unwrap();
    assert_eq!(steps[0].children[0]["table"]["children"].as_array().unwrap().len(), 100);
    assert_eq!(steps[0].later[0].1.iter().map(|step| step.children.len()).collect::<Vec<_>>(), [100, 50]);
    let many = vec![Block::paragraph("x"); 250];
    assert_eq!(
        plan(&many).unwrap().iter().map(|step| step.children.len()).collect::<Vec<_>>(),
        [100, 100, 50]
    );
}

#[test]
fn a_closing_tag_within_marks_of_another_kind_ends_nothing_twice() {
    for text in ["**a</b>b** c", "_a</i>b_ c", "~~a</s>b~~ c"] {
        assert!(of(text).trim_end().ends_with("b c"), "{text}: {}", of(text));
    }
}
