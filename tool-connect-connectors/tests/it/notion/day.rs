//! A day's work, and documents that come back as they were written.

use std::sync::Arc;

use futures_util::StreamExt;
use serde_json::{Value, json};
use tool_connect_connectors::notion::{
    AppendBlocks, ChoiceIs, Condition, CreatePage, Filter, ListBlocks, QueryDataSource, ReadPageMarkdown,
    Test, UpdateBlock,
};
use tool_connect_testkit::Harness;

use super::over;
use super::workspace::Workspace;

async fn call(harness: &Harness, tool: &str, arguments: Value) -> Value {
    harness.call(tool, &arguments).await.unwrap_or_else(|error| panic!("{tool}: {error}")).parse().unwrap()
}

#[tokio::test]
async fn a_day_of_work() {
    let workspace = Arc::new(Workspace::default());
    let home = workspace.page("Team home");
    let harness = over(&workspace).await;

    let found = call(&harness, "search", json!({"query": "team", "object": "page"})).await;
    assert_eq!((&found["items"][0]["id"], &found["items"][0]["title"]), (&json!(home), &json!("Team home")));
    call(&harness, "append_blocks", json!({"block_id": home, "markdown": "# Plans\n\nShip **it**."})).await;
    let read = call(&harness, "read_page_markdown", json!({"page_id": home})).await;
    assert_eq!((&read["markdown"], &read["blocks"]), (&json!("# Plans\n\nShip **it**.\n"), &json!(2)));

    let columns =
        json!([{"name": "Stage", "type": "select", "options": [{"name": "Open"}, {"name": "Done"}]}]);
    let database = json!({"parent_page_id": home, "title": "Tasks", "properties": columns});
    let database = call(&harness, "create_database", database).await;
    let source = database["data_sources"][0]["id"].clone();
    let columns = call(&harness, "get_data_source", json!({"data_source_id": source})).await;
    assert_eq!(columns["properties"][0]["options"], json!(["Open", "Done"]));
    let mut rows = Vec::new();
    for (title, stage) in [("Write", "Open"), ("Test", "Open"), ("Merge", "Open"), ("Plan", "Done")] {
        let row = json!({"data_source_id": source, "title": title, "markdown": "- [ ] one\n- [x] two",
            "properties": [{"type": "select", "property": "Stage", "option": stage}]});
        rows.push(call(&harness, "create_page", row).await);
    }
    let steps = call(&harness, "read_page_markdown", json!({"page_id": rows[0]["id"]})).await;
    assert_eq!(steps["markdown"], "- [ ] one\n- [x] two\n");

    // Two rows on a page.
    let stage = |name: &str| Filter {
        conditions: vec![Condition {
            property: Some("Stage".into()),
            through: None,
            test: Test::Select { is: ChoiceIs::Equals, options: vec![name.into()] },
        }],
        ..Filter::default()
    };
    let query = QueryDataSource {
        data_source_id: source.as_str().unwrap().into(),
        filter: Some(stage("Open")),
        ..QueryDataSource::default()
    };
    let before = workspace.requests();
    let open: Vec<String> =
        harness.session().items(query.clone()).map(|row| row.unwrap().title).collect().await;
    assert_eq!((open.len(), workspace.requests() - before), (3, 2));
    let row = rows[0]["id"].clone();
    let done =
        json!({"page_id": row, "properties": [{"type": "select", "property": "Stage", "option": "Done"}]});
    assert_eq!(call(&harness, "update_page", done).await["properties"]["Stage"], "Done");
    assert_eq!(harness.session().items(query).count().await, 2);

    let items = harness
        .run(ListBlocks { block_id: row.as_str().unwrap().into(), ..ListBlocks::default() })
        .await
        .unwrap();
    let (block_id, kind) = (items.items[0].id.clone(), items.items[0].kind.clone());
    assert_eq!(kind, "to_do");
    let changed = UpdateBlock {
        block_id: block_id.clone(),
        markdown: Some("one, _really_".into()),
        checked: Some(true),
    };
    assert_eq!(harness.run(changed).await.unwrap().markdown, "- [x] one, _really_");
    call(
        &harness,
        "append_blocks",
        json!({"block_id": row, "markdown": "Between.", "after_block_id": block_id}),
    )
    .await;
    call(&harness, "append_blocks", json!({"block_id": row, "markdown": "First.", "at_start": true})).await;
    let read = call(&harness, "read_page_markdown", json!({"page_id": row})).await;
    assert_eq!(read["markdown"], "First.\n\n- [x] one, _really_\n\nBetween.\n\n- [x] two\n");

    let comment =
        call(&harness, "create_comment", json!({"page_id": row, "markdown": "Looks **good**."})).await;
    let reply = json!({"discussion_id": comment["discussion_id"], "markdown": "Thanks."});
    assert_eq!(call(&harness, "create_comment", reply).await["discussion_id"], comment["discussion_id"]);
    assert_eq!(
        call(&harness, "list_comments", json!({"block_id": row})).await["items"][0]["markdown"],
        "Looks **good**."
    );

    let moved = call(&harness, "move_page", json!({"page_id": row, "to_page_id": home})).await;
    assert_eq!(moved["parent"], json!({"type": "page_id", "id": home}));
    assert_eq!(call(&harness, "archive_page", json!({"page_id": row})).await["in_trash"], true);
    let refused = harness.call("update_page", json!({"page_id": row, "title": "x"})).await.unwrap_err();
    assert!(refused.public_message().contains("restore it first"), "{}", refused.public_message());
    assert_eq!(call(&harness, "restore_page", json!({"page_id": row})).await["in_trash"], false);
    call(&harness, "delete_block", json!({"block_id": block_id})).await;
    assert_eq!(call(&harness, "restore_block", json!({"block_id": block_id})).await["in_trash"], false);
    harness.finish().await.unwrap();
}

/// A document that needs several requests: many blocks, deep ones, long text, a long table.
fn document() -> String {
    let mut text = String::from("# Long\n\n");
    for n in 0..130 {
        text.push_str(&format!("Paragraph {n}.\n\n"));
    }
    for level in 0..6 {
        text.push_str(&format!("{}- level {level}\n", "  ".repeat(level)));
    }
    text.push_str(&format!("\n{}\n\n| n | square |\n| --- | --- |\n", "word ".repeat(1000).trim_end()));
    for n in 0..150 {
        text.push_str(&format!("| {n} | {} |\n", n * n));
    }
    text.push_str(
        "\n<details>\n<summary>More</summary>\n\n> Quoted.\n> - deep\n>   - deeper\n\n</details>\n",
    );
    text
}

/// The first line that differs says more than both texts.
fn assert_same(found: &str, wanted: &str) {
    let differs = found.lines().zip(wanted.lines()).enumerate().find(|(_, (found, wanted))| found != wanted);
    assert_eq!(differs, None);
    assert_eq!(found.len(), wanted.len());
}

#[tokio::test]
async fn a_long_document_comes_back_as_it_was_written() {
    let workspace = Arc::new(Workspace::default());
    let home = workspace.page("Home");
    let harness = over(&workspace).await;
    let page = CreatePage {
        parent_page_id: Some(home.clone()),
        title: Some("Long".into()),
        markdown: Some(document()),
        ..CreatePage::default()
    };
    let page = harness.run(page).await.unwrap().id.clone();
    let all =
        ReadPageMarkdown { page_id: page.clone(), max_blocks: Some(5000), ..ReadPageMarkdown::default() };
    let read = harness.run(all).await.unwrap();
    assert_same(&read.markdown, &document());
    assert_eq!((read.next_cursor, read.unread.len()), (None, 0));

    // In parts, the same.
    let (mut cursor, mut parts) = (None, Vec::new());
    loop {
        let part = ReadPageMarkdown {
            page_id: page.clone(),
            max_blocks: Some(50),
            cursor,
            ..ReadPageMarkdown::default()
        };
        let part = harness.run(part).await.unwrap();
        assert!(part.unread.is_empty());
        parts.push(part.markdown);
        cursor = part.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert!(parts.len() > 2);
    assert_same(&parts.join("\n"), &document());

    // What was not read within a bound is named.
    let shallow = ReadPageMarkdown {
        page_id: page,
        max_blocks: Some(5000),
        max_depth: Some(1),
        ..ReadPageMarkdown::default()
    };
    let shallow = harness.run(shallow).await.unwrap();
    assert_eq!(shallow.unread.len(), 3, "{:?}", shallow.unread);
    let inner = ReadPageMarkdown { page_id: shallow.unread[0].clone(), ..ReadPageMarkdown::default() };
    assert!(harness.run(inner).await.unwrap().markdown.starts_with("- level 1\n"));

    // The page is a link where it stands.
    let link = harness.run(ReadPageMarkdown { page_id: home, ..ReadPageMarkdown::default() }).await.unwrap();
    assert!(link.markdown.contains("\"child_page\")"), "{}", link.markdown);
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn blocks_as_objects_are_taken_too() {
    let workspace = Arc::new(Workspace::default());
    let home = workspace.page("Home");
    let harness = over(&workspace).await;
    let block = json!({"type": "callout", "callout": {"rich_text": [{"type": "text", "text": {"content": "x"}}], "color": "pink_background"}});
    let append = AppendBlocks {
        block_id: home.clone(),
        blocks: vec![block.as_object().cloned().unwrap()],
        ..AppendBlocks::default()
    };
    assert_eq!(harness.run(append).await.unwrap().block_ids.len(), 1);
    let read = harness.run(ReadPageMarkdown { page_id: home, ..ReadPageMarkdown::default() }).await.unwrap();
    assert!(
        read.markdown.contains("pink_background") && read.markdown.ends_with("> [!NOTE]\n> x\n"),
        "{}",
        read.markdown
    );
    harness.finish().await.unwrap();
}
