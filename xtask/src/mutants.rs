//! Proof that the tests see what they are for: each guard of `xtask/mutants/` is taken out of a copy of the sources, and
//! the test that stands for it must then fail.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::process::{self, Failure, Outcome};
use crate::suite::Tally;
use crate::workspace::{Workspace, text};

/// A guard and how to take it out.
struct Mutant {
    /// The promise, in words.
    guard: String,
    package: String,
    file: String,
    /// A text that stands in the file exactly once.
    find: String,
    replace: String,
    /// The filter that picks the tests of this guard.
    test: String,
}

/// Runs the lists, or that of one crate. A mutant that does not compile, or whose test fails with the guard in place,
/// proves nothing and is told as such.
pub(crate) fn run(only: Option<&str>) -> Outcome {
    let workspace = Workspace::load()?;
    let mutants = read(&workspace.root.join("xtask").join("mutants"), only)?;
    if mutants.is_empty() {
        return Err(Failure::new(format!(
            "xtask/mutants/ holds no list for {}",
            only.unwrap_or("any crate")
        )));
    }
    let bench = Bench::new(&workspace)?;
    let mut survivors = Vec::new();
    for mutant in &mutants {
        let verdict = bench.judge(mutant)?;
        println!("{:<10} {}", if verdict.is_none() { "caught" } else { "NOT PROVEN" }, mutant.guard);
        survivors.extend(verdict.map(|why| format!("{}: {why}", mutant.guard)));
    }
    if survivors.is_empty() {
        println!("\n{} guards, each with a test that fails without it", mutants.len());
        return Ok(());
    }
    Err(Failure::new(format!("not every guard is proven\n  - {}", survivors.join("\n  - "))))
}

/// All files of the folder, in order of their names.
fn read(folder: &Path, only: Option<&str>) -> Outcome<Vec<Mutant>> {
    let mut files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Outcome<Vec<_>>>()?;
    files.sort();
    let mut mutants = Vec::new();
    for file in files {
        let entries: Value = serde_json::from_str(&fs::read_to_string(&file)?)?;
        let entries =
            entries.as_array().ok_or_else(|| Failure::new(format!("{} is no list", file.display())))?;
        for entry in entries {
            mutants.push(Mutant::parse(entry)?);
        }
    }
    mutants.retain(|mutant| only.is_none_or(|name| mutant.package == name));
    Ok(mutants)
}

impl Mutant {
    fn parse(entry: &Value) -> Outcome<Self> {
        Ok(Self {
            guard: text(entry, "guard")?,
            package: text(entry, "package")?,
            file: text(entry, "file")?,
            find: text(entry, "find")?,
            replace: text(entry, "replace")?,
            test: text(entry, "test")?,
        })
    }

    /// The source without the guard.
    fn apply(&self, source: &str) -> Result<String, String> {
        match source.matches(&self.find).count() {
            1 => Ok(source.replacen(&self.find, &self.replace, 1)),
            0 => Err(format!("{} no longer holds the text to replace", self.file)),
            many => Err(format!("{} holds the text to replace {many} times", self.file)),
        }
    }
}

/// A copy of the sources with a target folder of its own, so that nobody's work is touched.
struct Bench {
    tree: PathBuf,
    target: PathBuf,
}

impl Bench {
    fn new(workspace: &Workspace) -> Outcome<Self> {
        let folder = workspace.target.join("mutants");
        let bench = Self { tree: folder.join("tree"), target: folder.join("target") };
        if bench.tree.exists() {
            fs::remove_dir_all(&bench.tree)?;
        }
        let mut git = Command::new("git");
        git.current_dir(&workspace.root).args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]);
        for file in process::capture(&mut git)?.split_terminator('\0') {
            let from = workspace.root.join(file);
            // A file that is deleted but not yet committed is still listed.
            if from.is_file() {
                copy(&from, &bench.tree.join(file))?;
            }
        }
        Ok(bench)
    }

    /// `None` where the test catches the mutant, else why that is not proven.
    fn judge(&self, mutant: &Mutant) -> Outcome<Option<String>> {
        let path = self.tree.join(&mutant.file);
        let source = fs::read_to_string(&path)?;
        let changed = match mutant.apply(&source) {
            Ok(changed) => changed,
            Err(why) => return Ok(Some(why)),
        };
        let (passes, tally) = self.test(mutant)?;
        if !passes || tally.passed == 0 {
            return Ok(Some(format!("`{}` does not pass with the guard in place", mutant.test)));
        }
        fs::write(&path, changed)?;
        let verdict = self.test(mutant);
        fs::write(&path, source)?;
        let (passes, tally) = verdict?;
        Ok(if passes {
            Some(format!("`{}` passes without the guard", mutant.test))
        } else if tally.failed == 0 {
            Some("it does not compile without the guard".to_owned())
        } else {
            None
        })
    }

    fn test(&self, mutant: &Mutant) -> Outcome<(bool, Tally)> {
        let mut tally = Tally::default();
        let mut command = process::cargo(&self.tree, "test");
        command.env("CARGO_TARGET_DIR", &self.target).stderr(std::process::Stdio::null());
        command.args(["--quiet", "--all-features", "--package", &mutant.package, "--lib", "--tests"]);
        let passes =
            process::stream(command.args(["--no-fail-fast", &mutant.test]), |line| tally.note(line))?;
        Ok((passes, tally))
    }
}

fn copy(from: &Path, to: &Path) -> Outcome {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutant(find: &str) -> Mutant {
        let word = |text: &str| text.to_owned();
        Mutant {
            guard: word("g"),
            package: word("p"),
            file: word("a.rs"),
            find: word(find),
            replace: word("true"),
            test: word("t"),
        }
    }

    #[test]
    fn a_mutant_changes_exactly_the_place_it_means() {
        assert_eq!(mutant("is_ok()").apply("if is_ok() {}").unwrap(), "if true {}");
        assert!(mutant("gone()").apply("if is_ok() {}").unwrap_err().contains("no longer"));
        assert!(mutant("a").apply("a a").unwrap_err().contains("2 times"));
    }

    /// A list that no longer fits its sources proves nothing, and nobody notices until the whole of it is run.
    #[test]
    fn every_guard_stands_where_its_list_says() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mutants = read(&root.join("xtask").join("mutants"), None).unwrap();
        let lost: Vec<String> = mutants
            .iter()
            .filter_map(|mutant| match fs::read_to_string(root.join(&mutant.file)) {
                Ok(source) => mutant.apply(&source).err(),
                Err(error) => Some(format!("{}: {error}", mutant.file)),
            })
            .collect();
        assert!(lost.is_empty(), "{lost:#?}");
        assert!(!mutants.is_empty());
    }
}
