//! The key file: read only where nobody else can, written so that nobody else can.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use tool_connect_core::Result;
use zeroize::Zeroizing;

use super::super::fault::config;
use super::set::KeySet;

/// Larger than any key file.
const MAX_FILE: u64 = 4 * 1024 * 1024;

impl KeySet {
    /// Reads a key file, in the form of [`from_toml`](Self::from_toml). On Unix nobody but its owner may have access to it
    /// (`chmod 600`).
    ///
    /// # Errors
    /// [`ErrorKind::Config`](tool_connect_core::ErrorKind::Config) where it cannot be read, others may read it, or its text is
    /// not a key file's.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let failed =
            |e: std::io::Error| config(format!("the key file {} cannot be read: {e}", path.display()));
        let file = File::open(path).map_err(failed)?;
        // Of the file that is open, so that nobody puts another one in its place in between.
        check_mode(&file, path)?;
        let mut text = Zeroizing::new(String::new());
        file.take(MAX_FILE).read_to_string(&mut text).map_err(failed)?;
        Self::from_toml(&text)
    }

    /// Writes a key file that only its owner may read, in place of an older one: whole or not at all.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](tool_connect_core::ErrorKind::Config) where it cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let failed =
            |e: std::io::Error| config(format!("the key file {} cannot be written: {e}", path.display()));
        let beside = beside(path);
        let written = create(&beside).and_then(|mut file| {
            file.write_all(self.to_toml().expose_secret().as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&beside, path)
        });
        written.map_err(|e| {
            let _ = std::fs::remove_file(&beside);
            failed(e)
        })
    }

    /// The key file's text, keys in clear.
    #[must_use]
    pub fn to_toml(&self) -> SecretString {
        let mut text = String::with_capacity(1024);
        self.write(&mut text, "");
        for (tenant, keys) in self.tenants() {
            let table = format!("tenants.{}", quoted(tenant));
            let _ = writeln!(text, "\n[{table}]");
            keys.write(&mut text, &format!("{table}."));
        }
        SecretString::from(text)
    }

    fn write(&self, text: &mut String, prefix: &str) {
        if let Some(current) = self.current_id() {
            let _ = writeln!(text, "current = {}", quoted(current));
        }
        let _ = writeln!(text, "minimum_version = {}", self.minimum());
        if self.is_own_only() {
            let _ = writeln!(text, "own_only = true");
        }
        for key in self.entries() {
            let _ =
                writeln!(text, "\n[[{prefix}key]]\nid = {}\nversion = {}", quoted(key.id()), key.version());
            let _ = writeln!(text, "secret = {}", quoted(key.text().expose_secret()));
        }
    }
}

/// A basic string of TOML; its escapes are JSON's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}

fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn check_mode(file: &File, path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let metadata = file.metadata();
    let metadata =
        metadata.map_err(|e| config(format!("the key file {} cannot be read: {e}", path.display())))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(config(format!(
        "the key file {} has mode {mode:o}, so that others have access to the keys: run `chmod 600` on it",
        path.display()
    )))
}

#[cfg(not(unix))]
fn check_mode(_: &File, _: &Path) -> Result<()> {
    Ok(())
}
