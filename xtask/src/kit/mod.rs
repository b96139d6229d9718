//! `cargo xtask new-connector`: a connector that compiles, with its tests, its snapshot and its page. It stands in a crate of its
//! own (`--crate FOLDER`), or as a folder and a feature of `tool-connect-connectors`. What it writes is compiled and tested in CI.

mod proof;
mod text;

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use proof::prove;

use crate::process::{self, Failure, Outcome};
use crate::workspace::Workspace;
use text::{Words, after_last, after_line, before_line, snapshot};

const MOD: &str = include_str!("template/mod.rs.txt");
const CONNECTOR: &str = include_str!("template/connector.rs.txt");
const ITEMS: &str = include_str!("template/items.rs.txt");
const TESTS: &str = include_str!("template/tests.rs.txt");
const PAGE: &str = include_str!("template/page.md.txt");
const MANIFEST: &str = include_str!("template/Cargo.toml.txt");

/// A folder and a feature of `tool-connect-connectors`.
pub(crate) fn inside(name: &str) -> Outcome {
    let workspace = Workspace::load()?;
    write_inside(&workspace.root, name)?;
    process::run(workspace.cargo("fmt").args(["--package", "tool-connect-connectors"]))?;
    eprintln!(
        "`{name}` stands in tool-connect-connectors/src/{name}. Next:\n  \
         cargo test -p tool-connect-connectors --all-features {name}\n  \
         docs/connector-authors.md says what to change first"
    );
    Ok(())
}

/// A crate of its own in a new folder; with `local` it is built from this checkout instead of published crates.
pub(crate) fn outside(name: &str, folder: &Path, local: bool) -> Outcome {
    let workspace = Workspace::load()?;
    write_outside(&workspace.root, name, folder, local)?;
    process::run(&mut process::cargo(folder, "fmt"))?;
    eprintln!(
        "`{name}` stands in {}. Next: `cargo test` there; docs/connector-authors.md says what to change first",
        folder.display()
    );
    Ok(())
}

fn write_inside(root: &Path, name: &str) -> Outcome {
    let words = Words::new(name, format!("tool_connect_connectors::{name}"), "../{{name}}.json")?;
    let (ours, facade) = (root.join("tool-connect-connectors"), root.join("Cargo.toml"));
    let source = ours.join("src").join(name);
    if source.exists() {
        return Err(Failure::new(format!("there is a connector `{name}` already")));
    }
    // Everything is read and changed in memory first: a place that is not found leaves all files as they were.
    let feature = format!("{name} = [\"provider\"]");
    let mut files: Vec<(PathBuf, String)> = vec![
        edited(&ours.join("Cargo.toml"), |text| {
            after_line(text, "default = []", &format!("# What it is for, in a sentence.\n{feature}"))
        })?,
        edited(&ours.join("src").join("lib.rs"), |text| {
            let row =
                format!("//! | `{name}` | [`{name}::{}`] | lists and creates items |", words.type_name());
            let text = after_last(text, "//! | `", &row)?;
            before_line(&text, "mod spill;", &format!("#[cfg(feature = \"{name}\")]\npub mod {name};"))
        })?,
        edited(&ours.join("tests").join("it").join("main.rs"), |text| {
            Ok(format!("{}\n#[cfg(feature = \"{name}\")]\nmod {name};\n", text.trim_end()))
        })?,
        edited(&facade, |text| {
            let line = format!("{name} = [\"connectors\", \"tool-connect-connectors/{name}\"]");
            before_line(
                text,
                "# Harness, mock hub, cassettes",
                &format!("# What it is for, in a sentence.\n{line}"),
            )
        })?,
    ];
    files.push((source.join("mod.rs"), words.fill(MOD)));
    files.push((source.join("connector.rs"), words.fill(CONNECTOR)));
    files.push((source.join("items.rs"), words.fill(ITEMS)));
    let tests = ours.join("tests").join("it");
    files.push((tests.join(name).join("mod.rs"), words.fill(TESTS)));
    files.push((tests.join(format!("{name}.json")), snapshot(name)));
    files.push((root.join("docs").join("connectors").join(format!("{name}.md")), words.fill(PAGE)));
    write(&files)
}

fn write_outside(root: &Path, name: &str, folder: &Path, local: bool) -> Outcome {
    let crate_name = format!("tool-connect-{}", name.replace('_', "-"));
    let words = Words::new(name, crate_name.replace('-', "_"), "snapshot.json")?;
    let words = words.of_crate(&crate_name, &version(root)?, local.then_some(root));
    if folder.exists() && fs::read_dir(folder)?.next().is_some() {
        return Err(Failure::new(format!("{} is there and not empty", folder.display())));
    }
    let source = folder.join("src");
    let library = words
        .fill(MOD)
        .replace("One file per group of tools beside this one.", "One file per group of tools.");
    write(&[
        (folder.join("Cargo.toml"), words.fill(MANIFEST)),
        (folder.join("README.md"), words.fill(PAGE)),
        (folder.join("rustfmt.toml"), fs::read_to_string(root.join("rustfmt.toml"))?),
        (source.join("lib.rs"), library),
        (source.join("connector.rs"), words.fill(CONNECTOR)),
        (source.join("items.rs"), words.fill(ITEMS)),
        (folder.join("tests").join("it.rs"), words.fill(TESTS)),
        (folder.join("tests").join("snapshot.json"), snapshot(name)),
    ])
}

/// The version that all published crates share.
fn version(root: &Path) -> Outcome<String> {
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let mut lines = manifest.lines().skip_while(|line| *line != "[workspace.package]");
    let version = lines.find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
    version.map(str::to_owned).ok_or_else(|| Failure::new("Cargo.toml states no version of the workspace"))
}

fn edited(path: &Path, change: impl FnOnce(&str) -> Outcome<String>) -> Outcome<(PathBuf, String)> {
    let text =
        fs::read_to_string(path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
    let text = change(&text).map_err(|failure| Failure::new(format!("{}: {failure}", path.display())))?;
    Ok((path.to_path_buf(), text))
}

fn write(files: &[(PathBuf, String)]) -> Outcome {
    for (path, text) in files {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, text)?;
    }
    Ok(())
}
