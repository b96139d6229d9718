//! Files in Nango's format. Every provider here was made up for its test.
//! `expressed` holds what a provider of such a file becomes, `refused` what is reported as not expressed and which files are none.

mod expressed;
mod refused;

use tool_connect_oauth::catalog::nango::{NangoFile, NangoProvider, Outcome, Reason};

/// The example of `docs/providers.md`, under the names that the crates have there.
mod documented {
    // <page>
    use tool_connect_core::Result;
    use tool_connect_oauth::catalog::Catalog;
    use tool_connect_oauth::catalog::nango::{NangoFile, Outcome};

    /// The catalog with the file's entries, and a line for everything that is not as the file has it.
    pub(super) fn load(path: &str) -> Result<(Catalog, Vec<String>)> {
        let file = NangoFile::from_file(path)?;
        let mut lost = Vec::new();
        for provider in file.providers() {
            let findings = provider.findings.iter().filter(|finding| finding.outcome != Outcome::Expressed);
            lost.extend(findings.map(|finding| format!("{}: {finding}", provider.name)));
        }
        Ok((file.add_to(Catalog::builtin()?)?, lost))
    }
    // </page>
}

/// The only provider of a file, whose keys these are.
fn one(keys: &str) -> NangoProvider {
    let keys: String = keys.trim_matches('\n').lines().map(|line| format!("  {line}\n")).collect();
    let text = format!("acme-crm:\n  display_name: Acme CRM\n  docs: https://acme.example/docs\n{keys}");
    let file = NangoFile::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    file.get("acme-crm").expect("it is there").clone()
}

/// The reasons for which a key is not as the file has it.
fn lost(provider: &NangoProvider) -> Vec<(String, Outcome)> {
    let findings = provider.findings.iter().filter(|finding| finding.outcome != Outcome::Expressed);
    findings.map(|finding| (finding.key.clone(), finding.outcome)).collect()
}

fn missing(key: &str, reason: Reason) -> (String, Outcome) {
    (key.to_owned(), Outcome::Missing(reason))
}

fn loosened(key: &str, reason: Reason) -> (String, Outcome) {
    (key.to_owned(), Outcome::Loosened(reason))
}

#[test]
fn the_example_of_the_documentation_works_as_it_stands() {
    let own =
        include_str!("mod.rs").split("// <page>\n").nth(1).unwrap().split("    // </page>").next().unwrap();
    let shown: String =
        own.lines().map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line))).collect();
    let shown = shown
        .replace("tool_connect_oauth::", "tool_connect::oauth::")
        .replace("tool_connect_core::", "tool_connect::")
        .replace("pub(super) ", "");
    let page = include_str!("../../../../../docs/providers.md");
    assert!(page.contains(&format!("```rust\n{shown}```")), "docs/providers.md should show:\n{shown}");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("providers.yaml");
    std::fs::write(&path, "acme: { display_name: Acme, auth_mode: OAUTH1 }").unwrap();
    let (catalog, lost) = documented::load(path.to_str().unwrap()).unwrap();
    assert!(catalog.get("github").is_ok());
    assert_eq!(lost, ["acme: auth_mode: not expressed (AuthMode): is `OAUTH1`: OAuth 1 (RFC 5849)"]);
}
