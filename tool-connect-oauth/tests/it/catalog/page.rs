//! The tables of `docs/providers.md`, held against the entries.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tool_connect_oauth::catalog::{Catalog, Pkce, ProviderEntry, RefreshTokenBy, Rotation};

/// The cells of each row of the page's tables of providers, by id.
pub(super) fn rows() -> BTreeMap<String, Vec<String>> {
    let page = include_str!("../../../../docs/providers.md");
    let (page, _) = page.split_once("\n## Your own").expect("the tables come first");
    let lines = page.lines().filter(|line| line.starts_with("| `"));
    let cells =
        lines.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect());
    cells.map(|cells: Vec<String>| (cells[0].trim_matches('`').to_owned(), cells)).collect()
}

/// What the page says of an entry in its second table, but for the packages.
fn row(entry: &ProviderEntry) -> Vec<String> {
    let refresh = match &entry.refresh.granted_by {
        RefreshTokenBy::Always => "always".to_owned(),
        RefreshTokenBy::Scope(scope) => format!("with `{scope}`"),
        RefreshTokenBy::Parameters => "asked for in the request".to_owned(),
        RefreshTokenBy::Setting(_) => "by a setting".to_owned(),
        RefreshTokenBy::Never => "never".to_owned(),
        other => panic!("{other:?}"),
    };
    let used = match entry.refresh.rotation {
        _ if entry.refresh.granted_by == RefreshTokenBy::Never => String::new(),
        Rotation::None => "stays".to_owned(),
        Rotation::Tolerated(grace) => format!("is replaced, {} minutes of grace", grace.as_secs() / 60),
        _ => "is replaced".to_owned(),
    };
    let pkce = match entry.pkce {
        Pkce::Required => "required",
        Pkce::Supported => "supported",
        Pkce::Ignored => "ignored",
        other => panic!("{other:?}"),
    };
    let revoked = match (&entry.endpoints.revoke, &entry.revocation) {
        (Some(_), _) => "RFC 7009",
        (None, Some(_)) => "its own way",
        (None, None) => "-",
    };
    let needs = entry.parameters.iter().map(|(name, parameter)| match &parameter.default {
        Some(default) => format!("`{name}`, else `{default}`"),
        None => format!("`{name}`"),
    });
    let needs = needs.collect::<Vec<_>>().join(", ");
    let texts = [&entry.name, &refresh, &used, pkce, revoked, &needs];
    std::iter::once(format!("`{}`", entry.id)).chain(texts.into_iter().map(str::to_owned)).collect()
}

#[test]
fn the_page_has_a_row_for_every_entry_and_says_what_the_entry_says() {
    let rows = rows();
    let mut wrong = String::new();
    let catalog = Catalog::builtin().unwrap();
    for entry in catalog.iter() {
        let expected = row(entry);
        match rows.get(&entry.id) {
            // The first table, which is written by hand, has seven cells.
            Some(cells) if cells.len() == expected.len() => {}
            Some(cells) if cells[..cells.len() - 1] == expected[..] => {}
            _ => writeln!(wrong, "| {} |", expected.join(" | ")).expect("a string"),
        }
    }
    assert!(wrong.is_empty(), "these rows are missing or wrong:\n{wrong}");
    for id in rows.keys() {
        catalog.get(id).unwrap();
    }
}
