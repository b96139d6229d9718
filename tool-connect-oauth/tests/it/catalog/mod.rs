//! The provider catalog and the clients that a host configured.

mod answers;
mod clients;
mod driven;
mod endpoints;
mod entries;
mod files;
#[cfg(feature = "nango")]
mod nango;
mod page;
mod stored;
mod template;

use std::collections::BTreeMap;

use tool_connect_oauth::catalog::ProviderEntry;

/// The least that makes an entry, with more of it where a test says so.
fn toml(more: &str) -> String {
    format!(
        r#"
        id = "acme"
        name = "Acme"
        {more}
        [documentation]
        oauth = "https://acme.example/docs"
        [endpoints]
        token = "https://acme.example/token"
        "#
    )
}

/// An entry whose token endpoint is a template with one parameter.
fn entry(template: &str, pattern: &str, example: &str) -> ProviderEntry {
    let text = format!(
        r#"
        id = "acme"
        name = "Acme"
        [documentation]
        oauth = "https://acme.example/docs"
        [endpoints]
        token = {template:?}
        [parameters.site]
        description = "The account's site."
        pattern = {pattern:?}
        example = {example:?}
        "#
    );
    ProviderEntry::from_toml(&text).expect("the test's entry is right")
}

fn config(name: &str, value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(name.to_owned(), value.to_owned())])
}
