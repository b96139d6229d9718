//! From pages to files.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use futures_util::TryStreamExt;
use serde_json::{Map, Value};
use tool_connect::Session;
use tool_connect::connectors::notion::markdown::{Block, Content, LinkKind, to_blocks};
use tool_connect::connectors::notion::{GetDatabase, GetPage, QueryDataSource, ReadPageMarkdown};

use crate::Outcome;

pub(crate) struct Exported {
    pub(crate) files: usize,
    /// Calls of tools; each may have sent several requests.
    pub(crate) reads: usize,
    pub(crate) bytes: usize,
    /// The file of the page that was asked for.
    pub(crate) first: PathBuf,
}

/// What is still to be read: its id, and how deep it stands.
struct Next {
    id: String,
    depth: usize,
    is_database: bool,
}

struct File {
    name: PathBuf,
    text: String,
}

/// Reads a page and all below it, then writes the files: only then it is known which links lead to one.
pub(crate) async fn run(session: &Session, page: &str, folder: &Path) -> Outcome<Exported> {
    let mut queue = VecDeque::from([Next { id: page.to_owned(), depth: 0, is_database: false }]);
    let mut files: Vec<File> = Vec::new();
    let mut names = BTreeSet::new();
    let mut by_address = BTreeMap::new();
    let mut reads = 0;
    while let Some(next) = queue.pop_front() {
        let (id, title, text, below) = if next.is_database {
            database(session, &next.id, &mut reads).await?
        } else {
            one(session, &next.id, &mut reads).await?
        };
        let kind = if next.is_database { "database" } else { "page" };
        let address = format!("notion://{kind}/{id}");
        // A page may stand in two places.
        if by_address.contains_key(&address) {
            continue;
        }
        let name = unused(&title, &mut names);
        println!("{}{} → {}", "  ".repeat(next.depth), title, name.display());
        by_address.insert(address, name.clone());
        files.push(File { name, text });
        let depth = next.depth + 1;
        let below = below.into_iter().map(|(id, is_database)| Next { id, depth, is_database });
        // What stands below comes next, so that the list reads as the tree.
        below.rev().for_each(|next| queue.push_front(next));
    }
    fs::create_dir_all(folder)?;
    let mut bytes = 0;
    for file in &mut files {
        for (address, name) in &by_address {
            file.text = file.text.replace(&format!("({address}"), &format!("({}", name.display()));
        }
        bytes += file.text.len();
        fs::write(folder.join(&file.name), &file.text)?;
    }
    let first = files.first().map(|file| file.name.clone()).ok_or("nothing was read")?;
    Ok(Exported { files: files.len(), reads, bytes, first })
}

type Read = (String, String, String, Vec<(String, bool)>);

/// A page: its id, title, text, and what stands below it.
async fn one(session: &Session, page: &str, reads: &mut usize) -> Outcome<Read> {
    let info = session.run(GetPage { page_id: page.to_owned(), ..GetPage::default() }).await?;
    *reads += 1;
    let mut text = front_matter(&info.title, &info.properties);
    let mut below = Vec::new();
    let mut cursor = None;
    loop {
        let part = ReadPageMarkdown { page_id: info.id.clone(), cursor, ..ReadPageMarkdown::default() };
        let part = session.run(part).await?;
        *reads += 1;
        children(&to_blocks(&part.markdown), &mut below);
        text.push('\n');
        text.push_str(&part.markdown);
        cursor = part.next_cursor;
        if cursor.is_none() {
            return Ok((info.id.clone(), info.title.clone(), text, below));
        }
    }
}

/// A database as a list of its rows, which are pages.
async fn database(session: &Session, database: &str, reads: &mut usize) -> Outcome<Read> {
    let info =
        session.run(GetDatabase { database_id: database.to_owned(), ..GetDatabase::default() }).await?;
    *reads += 1;
    let mut text = format!("# {}\n\n", info.title);
    let mut below = Vec::new();
    for source in &info.data_sources {
        let query = QueryDataSource { data_source_id: source.id.clone(), ..QueryDataSource::default() };
        let mut rows = session.items(query);
        // All rows, page after page.
        while let Some(row) = rows.try_next().await? {
            text.push_str(&format!("- [{}](notion://page/{})\n", row.title, row.id));
            below.push((row.id, false));
        }
        *reads += 1;
    }
    Ok((info.id.clone(), info.title.clone(), text, below))
}

/// Pages and databases that stand among these blocks.
fn children(blocks: &[Block], found: &mut Vec<(String, bool)>) {
    for block in blocks {
        if let Content::Linked { kind, url, .. } = &block.content {
            let id = url.rsplit('/').next().unwrap_or_default().to_owned();
            match kind {
                LinkKind::ChildPage => found.push((id, false)),
                LinkKind::ChildDatabase => found.push((id, true)),
                _ => {}
            }
        }
        children(&block.children, found);
    }
}

/// Title and properties, as static site generators read them.
fn front_matter(title: &str, properties: &Map<String, Value>) -> String {
    let mut text = format!("---\ntitle: {}\n", Value::from(title));
    for (name, value) in properties {
        // The title is there already.
        if value.as_str() != Some(title) {
            text.push_str(&format!("{}: {value}\n", Value::from(name.as_str())));
        }
    }
    text.push_str("---\n");
    text
}

/// A file's name after a title, which no other file has.
fn unused(title: &str, names: &mut BTreeSet<String>) -> PathBuf {
    let plain: String =
        title.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    let base: String = words.join("-").chars().take(60).collect();
    let base = if base.is_empty() { "untitled".to_owned() } else { base };
    let mut name = base.clone();
    let mut n = 1;
    while !names.insert(name.clone()) {
        n += 1;
        name = format!("{base}-{n}");
    }
    PathBuf::from(format!("{name}.md"))
}
