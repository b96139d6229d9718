//! What `cargo metadata` knows about this workspace.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::process::{self, Failure, Outcome};

/// The workspace's own packages.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One package of the workspace, as its manifest describes it.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) published: bool,
    /// Features by name, `default` left out: it is a selection of the others.
    pub(crate) features: Vec<String>,
    /// Names of what the crate is built from: its normal and build dependencies, without those for tests.
    pub(crate) dependencies: BTreeSet<String>,
    pub(crate) examples: Vec<String>,
}

impl Workspace {
    /// Reads the workspace that this crate belongs to.
    pub(crate) fn load() -> Outcome<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .ok_or_else(|| Failure::new("xtask has no parent folder"))?;
        let text =
            process::capture(process::cargo(root, "metadata").args(["--format-version=1", "--no-deps"]))?;
        Self::parse(&serde_json::from_str(&text)?)
    }

    fn parse(metadata: &Value) -> Outcome<Self> {
        let mut packages =
            list(metadata, "packages").iter().map(Package::parse).collect::<Outcome<Vec<_>>>()?;
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self {
            root: PathBuf::from(text(metadata, "workspace_root")?),
            target: PathBuf::from(text(metadata, "target_directory")?),
            packages,
        })
    }

    /// The packages that others can depend on.
    pub(crate) fn published(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.published)
    }

    /// `cargo <subcommand>` at the workspace's root.
    pub(crate) fn cargo(&self, subcommand: &str) -> std::process::Command {
        process::cargo(&self.root, subcommand)
    }
}

impl Package {
    fn parse(package: &Value) -> Outcome<Self> {
        let manifest = PathBuf::from(text(package, "manifest_path")?);
        let features = package.get("features").and_then(Value::as_object);
        let examples = list(package, "targets")
            .iter()
            .filter(|target| list(target, "kind").iter().any(|kind| kind == "example"))
            .map(|target| text(target, "name"))
            .collect::<Outcome<Vec<_>>>()?;
        let dependencies = list(package, "dependencies")
            .iter()
            .filter(|dependency| dependency.get("kind").and_then(Value::as_str) != Some("dev"))
            .map(|dependency| text(dependency, "name"))
            .collect::<Outcome<BTreeSet<_>>>()?;
        Ok(Self {
            name: text(package, "name")?,
            folder: manifest.parent().unwrap_or(&manifest).to_path_buf(),
            // `publish = false` arrives as an empty list of registries.
            published: package
                .get("publish")
                .and_then(Value::as_array)
                .is_none_or(|registries| !registries.is_empty()),
            features: features
                .into_iter()
                .flat_map(|map| map.keys())
                .filter(|name| *name != "default")
                .cloned()
                .collect(),
            dependencies,
            examples,
        })
    }
}

/// The elements of a list in cargo's JSON; none where the field is absent.
pub(crate) fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text field that cargo always writes.
pub(crate) fn text(value: &Value, field: &str) -> Outcome<String> {
    let found = value.get(field).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .ok_or_else(|| Failure::new(format!("`cargo metadata` gave no text for `{field}`")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_package_is_read_with_its_features_and_what_it_is_built_from() {
        let package = Package::parse(&json!({
            "name": "room",
            "manifest_path": "/w/room/Cargo.toml",
            "publish": null,
            "features": { "default": ["sqlite"], "sqlite": ["dep:rusqlite"] },
            "targets": [{ "kind": ["lib"], "name": "room" }, { "kind": ["example"], "name": "tour" }],
            "dependencies": [
                { "name": "bytes", "kind": null },
                { "name": "cc", "kind": "build" },
                { "name": "proptest", "kind": "dev" },
            ],
        }))
        .unwrap();
        assert_eq!(package.features, ["sqlite"]);
        assert_eq!(package.examples, ["tour"]);
        assert_eq!(package.dependencies.into_iter().collect::<Vec<_>>(), ["bytes", "cc"]);
        assert!(package.published);
    }

    #[test]
    fn an_empty_list_of_registries_means_unpublished() {
        let package =
            Package::parse(&json!({ "name": "xtask", "manifest_path": "/w/x/Cargo.toml", "publish": [] }))
                .unwrap();
        assert!(!package.published);
    }

    #[test]
    fn a_missing_field_is_told_by_name() {
        let failure =
            Package::parse(&json!({ "manifest_path": "/w/x/Cargo.toml" })).err().unwrap().to_string();
        assert!(failure.contains("`name`"), "{failure}");
    }
}
