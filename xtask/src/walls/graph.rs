//! The dependency graph: walls between our crates, foreign crates that stay out, how many come in, and which version
//! of Rust they ask for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{ROOMS, Room};
use crate::process::{self, Outcome};
use crate::workspace::{Package, Workspace, list, text};

/// The most crates that core without default features may consist of, itself counted.
const CORE_CRATES: usize = 60;

/// Crates of which the whole workspace has exactly one version.
const SINGLE: &[&str] = &["reqwest", "rustls"];

/// A second TLS provider beside aws-lc-rs: rustls panics at run time where both are there.
const NOWHERE: &[&str] = &["ring", "openssl", "native-tls"];

/// Every breach, one sentence each.
pub(super) fn breaches(workspace: &Workspace) -> Outcome<Vec<String>> {
    let mut found = Vec::new();
    let mut everything = BTreeSet::new();
    for package in workspace.published() {
        let Some(room) = ROOMS.iter().find(|room| room.name == package.name) else {
            found.push(format!(
                "{} has no walls yet: add it to ROOMS in xtask/src/walls/mod.rs",
                package.name
            ));
            continue;
        };
        let tree = tree(workspace, &package.name, &["--all-features", "--target=all"])?;
        found.extend(inner(room, package));
        found.extend(outer(room, &tree));
        everything.extend(tree);
    }
    found.extend(
        ROOMS
            .iter()
            .filter(|room| workspace.published().all(|package| package.name != room.name))
            .map(|room| format!("{} has walls but is no published crate: take it out of ROOMS", room.name)),
    );
    found.extend(common(&everything));

    // A connector that needs a database of its own brings it behind its feature.
    let plain = tree(workspace, "tool-connect-connectors", &[])?;
    let databases = plain.iter().filter(|(name, _)| super::DATABASES.contains(&name.as_str()));
    found.extend(databases.map(|(name, _)| {
        format!("tool-connect-connectors is built from {name} without a feature that says so")
    }));

    let core = tree(workspace, "tool-connect-core", &["--no-default-features"])?;
    if core.len() > CORE_CRATES {
        found.push(format!(
            "tool-connect-core without default features is {} crates, at most {CORE_CRATES} are allowed",
            core.len()
        ));
    }
    found.extend(too_new(workspace, &everything)?);
    Ok(found)
}

/// A crate that is compiled: its name and version.
type Crate = (String, String);

/// What `package` is built from, itself included, on any platform that `selection` names.
fn tree(workspace: &Workspace, package: &str, selection: &[&str]) -> Outcome<BTreeSet<Crate>> {
    let mut command = workspace.cargo("tree");
    command
        .args(["--package", package, "--edges=normal,build", "--prefix=none", "--format={p}"])
        .args(selection);
    Ok(parse_tree(&process::capture(&mut command)?))
}

/// Reads lines such as `bytes v1.12.2` and `syn v3.0.10 (*)`.
fn parse_tree(text: &str) -> BTreeSet<Crate> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_owned(), words.next()?.trim_start_matches('v').to_owned()))
        })
        .collect()
}

/// Walls between our own crates.
fn inner(room: &Room, package: &Package) -> Vec<String> {
    let ours = |name: &&String| ROOMS.iter().any(|other| other.name == name.as_str());
    let strangers =
        package.dependencies.iter().filter(ours).filter(|name| !room.ours.contains(&name.as_str()));
    strangers.map(|name| format!("{} may not depend on {name}", room.name)).collect()
}

/// Foreign crates that may not come in.
fn outer(room: &Room, tree: &BTreeSet<Crate>) -> Vec<String> {
    let intruders =
        tree.iter().filter(|(name, _)| room.without.iter().any(|group| group.contains(&name.as_str())));
    intruders
        .map(|(name, version)| {
            format!(
                "{0} is built from {name} {version}: `cargo tree -p {0} -i {name}` shows through whom",
                room.name
            )
        })
        .collect()
}

/// What holds for the whole tree: one of some, none of others.
fn common(tree: &BTreeSet<Crate>) -> Vec<String> {
    let versions = |wanted: &str| -> Vec<&str> {
        tree.iter().filter(|(name, _)| name == wanted).map(|(_, version)| version.as_str()).collect()
    };
    let mut found = Vec::new();
    for name in SINGLE {
        let versions = versions(name);
        if versions.len() != 1 {
            found.push(format!("there must be exactly one {name} in the tree, found: {versions:?}"));
        }
    }
    for name in NOWHERE {
        if !versions(name).is_empty() {
            found.push(format!(
                "{name} is in the tree: aws-lc-rs is the one provider, see `cargo tree -i {name}`"
            ));
        }
    }
    found
}

/// Crates of the tree that ask for a newer Rust than our own `rust-version`.
fn too_new(workspace: &Workspace, tree: &BTreeSet<Crate>) -> Outcome<Vec<String>> {
    let metadata =
        process::capture(workspace.cargo("metadata").args(["--format-version=1", "--all-features"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let mut asked = BTreeMap::new();
    for package in list(&metadata, "packages") {
        if let Some(rust) = package.get("rust_version").and_then(Value::as_str) {
            asked.insert((text(package, "name")?, text(package, "version")?), version(rust));
        }
    }
    let ours = asked.iter().find(|((name, _), _)| name == "tool-connect").map(|(_, rust)| *rust);
    let Some(ours) = ours else {
        return Ok(vec!["tool-connect states no rust-version".to_owned()]);
    };
    Ok(tree
        .iter()
        .filter_map(|key| Some((key, *asked.get(key)?)))
        .filter(|(_, rust)| *rust > ours)
        .map(|((name, version), rust)| {
            format!(
                "{name} {version} asks for Rust {}.{}, our rust-version is {}.{}",
                rust.0, rust.1, ours.0, ours.1
            )
        })
        .collect())
}

/// Major and minor of `1.88` or `1.88.0`; what is no number counts as 0.
fn version(text: &str) -> (u32, u32) {
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crates(list: &[(&str, &str)]) -> BTreeSet<Crate> {
        list.iter().map(|(name, version)| ((*name).to_owned(), (*version).to_owned())).collect()
    }

    #[test]
    fn a_tree_is_read_without_counting_a_crate_twice() {
        let text =
            "core v0.1.0 (/w/core)\nsyn v3.0.10\nserde_derive v1.0.229 (proc-macro)\nsyn v3.0.10 (*)\n\n";
        let expected = crates(&[("core", "0.1.0"), ("serde_derive", "1.0.229"), ("syn", "3.0.10")]);
        assert_eq!(parse_tree(text), expected);
    }

    #[test]
    fn a_foreign_crate_behind_the_wall_is_named() {
        let core = ROOMS.iter().find(|room| room.name == "tool-connect-core").unwrap();
        let found = outer(core, &crates(&[("bytes", "1.0.0"), ("tokio", "1.50.0")]));
        assert!(found.len() == 1 && found[0].contains("tokio 1.50.0"), "{found:?}");
    }

    #[test]
    fn one_of_ours_behind_the_wall_is_named() {
        let connectors = ROOMS.iter().find(|room| room.name == "tool-connect-connectors").unwrap();
        let package = |dependencies: &[&str]| Package {
            name: connectors.name.to_owned(),
            folder: Default::default(),
            published: true,
            features: Vec::new(),
            dependencies: dependencies.iter().map(|name| (*name).to_owned()).collect(),
            examples: Vec::new(),
        };
        assert!(inner(connectors, &package(&["bytes", "tool-connect-core"])).is_empty());
        let found =
            inner(connectors, &package(&["tool-connect-core", "tool-connect-hub", "tool-connect-stores"]));
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn two_versions_none_and_a_second_provider_are_breaches() {
        assert!(common(&crates(&[("reqwest", "0.13.5"), ("rustls", "0.23.1")])).is_empty());
        let found = common(&crates(&[("reqwest", "0.12.0"), ("reqwest", "0.13.5"), ("ring", "0.17.0")]));
        assert_eq!(found.len(), 3, "{found:?}");
    }

    #[test]
    fn versions_of_rust_compare_as_numbers() {
        assert!(version("1.100") > version("1.88.0"));
        assert_eq!(version("1.88.0"), version("1.88"));
    }
}
