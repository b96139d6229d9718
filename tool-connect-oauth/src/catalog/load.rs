//! Entries from files, folders and code, and the look-up by id.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use tool_connect_core::{Error, ErrorKind, Result};

use super::builtin;
use super::entry::ProviderEntry;
use super::parse::parse;
use super::provider::Provider;

/// Largest file that is read as an entry.
const MAX_FILE: u64 = 256 << 10;

type Entries = BTreeMap<String, Arc<ProviderEntry>>;

/// The builtin entries, parsed once, when somebody first asks.
static BUILTIN: LazyLock<Result<Entries, String>> = LazyLock::new(|| {
    let mut entries = Entries::new();
    for (name, text) in builtin::FILES {
        let file = format!("providers/{name}.toml");
        let entry = parse(text, &file).map_err(|error| error.message().to_owned())?;
        if entry.id != *name {
            return Err(format!("{file} holds the entry `{}`", entry.id));
        }
        entries.insert(entry.id.clone(), Arc::new(entry));
    }
    Ok(entries)
});

/// Provider entries by id. Cheap to clone.
///
/// ```
/// use tool_connect_oauth::catalog::Catalog;
/// let catalog = Catalog::builtin()?;
/// assert_eq!(catalog.get("github")?.name, "GitHub");
/// let error = catalog.get("githubb").unwrap_err();
/// assert!(error.message().contains("did you mean `github`"), "{}", error.message());
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    entries: Arc<Entries>,
}

impl Catalog {
    /// The entries that come with the crate.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where one of them is broken, which a test prevents.
    pub fn builtin() -> Result<Self> {
        match &*BUILTIN {
            Ok(entries) => Ok(Self { entries: Arc::new(entries.clone()) }),
            Err(why) => Err(Error::new(ErrorKind::Internal, why.clone())),
        }
    }

    /// A catalog without entries.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Adds an entry made in code.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where the id is taken: [`replacing`](Self::replacing) says that it should be replaced.
    /// [`ErrorKind::Config`] where the entry is wrong.
    pub fn with_entry(self, entry: ProviderEntry) -> Result<Self> {
        if self.entries.contains_key(&entry.id) {
            return Err(taken(&entry.id, "the entry"));
        }
        self.replacing(entry)
    }

    /// Adds an entry, in the place of the one with its id where there is one.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where the entry is wrong.
    pub fn replacing(mut self, entry: ProviderEntry) -> Result<Self> {
        entry.check()?;
        Arc::make_mut(&mut self.entries).insert(entry.id.clone(), Arc::new(entry));
        Ok(self)
    }

    /// Adds the entry of a TOML file.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] that names the file and the line where it cannot be read or is wrong,
    /// [`ErrorKind::Conflict`] where its id is taken: [`ProviderEntry::from_file`] and [`replacing`](Self::replacing) put it
    /// in the place of the other.
    pub fn with_file(mut self, path: impl AsRef<Path>) -> Result<Self> {
        self.add_file(path.as_ref())?;
        Ok(self)
    }

    /// Adds the entry of every `*.toml` file in a folder, not of folders in it; none where there is no such file.
    ///
    /// # Errors
    /// As [`with_file`](Self::with_file), or where the folder cannot be read.
    pub fn with_folder(mut self, path: impl AsRef<Path>) -> Result<Self> {
        let folder = path.as_ref();
        let unreadable = |error: std::io::Error| {
            Error::new(ErrorKind::Config, format!("the folder {} cannot be read: {error}", folder.display()))
                .caused_by(error)
        };
        let mut files = Vec::new();
        for file in std::fs::read_dir(folder).map_err(unreadable)? {
            let path = file.map_err(unreadable)?.path();
            if path.is_file() && path.extension().is_some_and(|end| end == "toml") {
                files.push(path);
            }
        }
        // In one order on every machine, so that of two files with one id the same one is complained of.
        files.sort();
        for file in files {
            self.add_file(&file)?;
        }
        Ok(self)
    }

    fn add_file(&mut self, path: &Path) -> Result<()> {
        let entry = ProviderEntry::from_file(path)?;
        if self.entries.contains_key(&entry.id) {
            return Err(taken(&entry.id, &path.display().to_string()));
        }
        Arc::make_mut(&mut self.entries).insert(entry.id.clone(), Arc::new(entry));
        Ok(())
    }

    /// The entry of an id.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] that names entries with a similar id.
    pub fn get(&self, id: &str) -> Result<&Arc<ProviderEntry>> {
        self.entries.get(id).ok_or_else(|| self.unknown(id))
    }

    /// The entry of an id, resolved for a connection's configuration.
    ///
    /// # Errors
    /// As [`get`](Self::get) and [`ProviderEntry::resolve`].
    pub fn resolve(&self, id: &str, config: &BTreeMap<String, String>) -> Result<Provider> {
        Provider::resolve(Arc::clone(self.get(id)?), config)
    }

    /// All entries, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<ProviderEntry>> {
        self.entries.values()
    }

    fn unknown(&self, id: &str) -> Error {
        let shown: String = id.chars().take(64).collect();
        let near: Vec<String> = self.near(id).into_iter().map(|near| format!("`{near}`")).collect();
        let advice = if near.is_empty() {
            "add a TOML file or an entry for it (docs/providers.md)".to_owned()
        } else {
            format!("did you mean {}?", near.join(" or "))
        };
        Error::new(
            ErrorKind::NotFound,
            format!("the catalog has no provider `{}`; {advice}", shown.escape_debug()),
        )
    }

    /// Ids that somebody may have meant: of the same beginning, or a few letters away.
    fn near(&self, id: &str) -> Vec<&str> {
        if id.len() > 64 {
            return Vec::new();
        }
        let wanted = id.to_ascii_lowercase().replace('-', "_");
        let mut near: Vec<(usize, &str)> = self
            .entries
            .keys()
            .filter_map(|have| {
                let distance = strsim::damerau_levenshtein(&wanted, have);
                let family =
                    wanted.len() >= 3 && (have.starts_with(&wanted) || wanted.starts_with(have.as_str()));
                (family || distance <= 1 + wanted.len() / 5).then_some((distance, have.as_str()))
            })
            .collect();
        near.sort_unstable();
        near.into_iter().take(3).map(|(_, id)| id).collect()
    }
}

fn taken(id: &str, what: &str) -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!(
            "the catalog has a provider `{id}` already; give {what} another id, or say that it takes the other's place: \
             `catalog.replacing(entry)`"
        ),
    )
}

impl ProviderEntry {
    /// Reads an entry from the text of a TOML file.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] that names the line and the key, and what is expected there.
    pub fn from_toml(text: &str) -> Result<Self> {
        parse(text, "the provider entry")
    }

    /// Reads an entry from a TOML file of at most 256 KiB.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] that names the file, the line and the key, and what is expected there.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let unreadable = |error: std::io::Error| {
            Error::new(ErrorKind::Config, format!("{} cannot be read: {error}", path.display()))
                .caused_by(error)
        };
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > MAX_FILE {
            return Err(Error::new(
                ErrorKind::Config,
                format!(
                    "{} is no provider entry: it has {size} bytes, an entry at most {MAX_FILE}",
                    path.display()
                ),
            ));
        }
        parse(&std::fs::read_to_string(path).map_err(unreadable)?, &path.display().to_string())
    }
}
