//! The filesystem connector on real directories.

mod confine;
mod list;
mod read;
mod relocate;
mod search;
mod shape;
mod write;

use std::path::Path;

use tempfile::TempDir;
use tool_connect_connectors::filesystem::Filesystem;

use crate::bench::Bench;

/// A directory with a root in it, so that there is an outside to escape to: `outside.txt`.
fn house() -> (TempDir, Bench) {
    house_with(|files| files)
}

fn house_with(options: impl FnOnce(Filesystem) -> Filesystem) -> (TempDir, Bench) {
    let temp = tempfile::tempdir().unwrap();
    std::fs::create_dir(temp.path().join("root")).unwrap();
    std::fs::write(temp.path().join("outside.txt"), "outside").unwrap();
    let files = options(Filesystem::new(temp.path().join("root")).unwrap());
    (temp, Bench::new(&files))
}

/// Writes a file below the root, with the directories that lead to it.
fn put(temp: &TempDir, path: &str, content: impl AsRef<[u8]>) {
    let path = root(temp).join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn root(temp: &TempDir) -> std::path::PathBuf {
    temp.path().join("root")
}

fn text(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}
