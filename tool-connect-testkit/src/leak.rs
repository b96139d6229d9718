//! Finds secrets where none may be: in logs, errors, output, files.
//!
//! A test registers a secret that occurs nowhere else (a canary), lets the code run, shows the
//! check everything that came out, and asks whether the canary is in it: in plain, percent-encoded,
//! base64 in any alignment, hex, or escaped as JSON or Rust do.
//!
//! ```
//! use tool_connect_core::{Credential, Error, ErrorKind};
//! use tool_connect_testkit::leak::LeakCheck;
//!
//! let leaks = LeakCheck::new().secret("canary-5d0e71");
//! {
//!     let _logs = leaks.capture();
//!     let credential = Credential::token("canary-5d0e71");
//!     tracing::info!(?credential, "signed");
//! }
//! leaks.error("the call's error", &Error::new(ErrorKind::NeedsReauth, "refused"));
//! leaks.assert_clean();
//!
//! leaks.text("output", "Y2FuYXJ5LTVkMGU3MQ==");
//! assert_eq!(leaks.findings()[0].to_string(), "secret 1 in output, as base64");
//! ```

mod forms;

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tool_connect_core::Error;
use tracing::Subscriber;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

pub(crate) use self::forms::Secret;

/// Shortest secret that is looked for, in bytes: a shorter one would be found by chance.
pub const SHORTEST: usize = 8;

/// Secrets, and what has come out so far. A clone shares both.
#[derive(Clone, Default)]
pub struct LeakCheck {
    secrets: Vec<Secret>,
    seen: Arc<Mutex<Vec<Shown>>>,
    logs: Logs,
}

/// A place and what was there.
type Shown = (String, Vec<u8>);

/// A secret where none may be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leak {
    /// Which secret, counted from 1 in the order of registration; never the secret itself.
    pub secret: usize,
    /// Where it was found.
    pub place: String,
    /// In which form: `plain`, `base64`.
    pub form: &'static str,
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "secret {} in {}, as {}", self.secret, self.place, self.form)
    }
}

impl fmt::Debug for LeakCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeakCheck").field("secrets", &self.secrets.len()).finish_non_exhaustive()
    }
}

impl LeakCheck {
    /// Looks for nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks for this secret too.
    ///
    /// # Panics
    /// Where it is shorter than [`SHORTEST`].
    #[must_use]
    pub fn secret(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.secrets.push(Secret::new(secret.as_ref()));
        self
    }

    /// Captures what this thread logs through `tracing`, at every level, while the guard lives.
    ///
    /// Fits tests on a current-thread runtime; for others install [`subscriber`](Self::subscriber).
    #[must_use = "logs are captured only while the guard lives"]
    pub fn capture(&self) -> DefaultGuard {
        tracing::subscriber::set_default(self.subscriber())
    }

    /// A subscriber that captures everything, for [`tracing::instrument::WithSubscriber`] or as the
    /// global default of a test binary.
    pub fn subscriber(&self) -> impl Subscriber + Send + Sync + 'static {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_span_events(FmtSpan::FULL)
            .with_writer(self.logs.clone())
            .finish()
    }

    /// Shows it an error: what it displays, what it prints for debugging, and all its causes.
    pub fn error(&self, place: impl Into<String>, error: &(dyn StdError + 'static)) {
        let mut text = String::new();
        let mut next = Some(error);
        while let Some(current) = next {
            text.push_str(&format!("{current}\n{current:?}\n{current:#?}\n"));
            if let Some(ours) = current.downcast_ref::<Error>() {
                text.push_str(&ours.public_message());
            }
            next = current.source();
        }
        self.bytes(place, text);
    }

    /// Shows it a text.
    pub fn text(&self, place: impl Into<String>, text: impl AsRef<str>) {
        self.bytes(place, text.as_ref());
    }

    /// Shows it bytes.
    pub fn bytes(&self, place: impl Into<String>, bytes: impl AsRef<[u8]>) {
        lock(&self.seen).push((place.into(), bytes.as_ref().to_vec()));
    }

    /// Shows it what a value prints for debugging and, as JSON, serialises to.
    ///
    /// # Panics
    /// Where the value does not serialise to JSON.
    pub fn value(&self, place: impl Into<String>, value: &(impl Serialize + fmt::Debug + ?Sized)) {
        let json = serde_json::to_string(value).expect("a value that serialises");
        self.bytes(place, format!("{value:?}\n{value:#?}\n{json}"));
    }

    /// Shows it a file, or every file in a folder and below: a database with its journal, say.
    ///
    /// # Errors
    /// Where a file or folder cannot be read.
    pub fn path(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref();
        if !path.is_dir() {
            self.bytes(path.display().to_string(), std::fs::read(path)?);
            return Ok(());
        }
        for entry in std::fs::read_dir(path)? {
            self.path(entry?.path())?;
        }
        Ok(())
    }

    /// Every secret in what was shown and logged so far.
    #[must_use]
    pub fn findings(&self) -> Vec<Leak> {
        let logged = lock(&self.logs.0).clone();
        let seen = lock(&self.seen);
        let logs = std::iter::once(("the logs", logged.as_slice()));
        let places = seen.iter().map(|(place, bytes)| (place.as_str(), bytes.as_slice())).chain(logs);
        let mut leaks = Vec::new();
        for (place, bytes) in places {
            for (index, secret) in self.secrets.iter().enumerate() {
                let leak = |form| Leak { secret: index + 1, place: place.to_owned(), form };
                leaks.extend(secret.found_in(bytes).map(leak));
            }
        }
        leaks
    }

    /// Fails the test where a secret came out.
    ///
    /// # Panics
    /// With a list of the places; and where no secret was registered, for such a check proves
    /// nothing.
    #[track_caller]
    pub fn assert_clean(&self) {
        assert!(!self.secrets.is_empty(), "no secret was registered: this check proves nothing");
        let leaks: Vec<_> = self.findings().iter().map(ToString::to_string).collect();
        assert!(leaks.is_empty(), "secrets came out:\n  {}", leaks.join("\n  "));
    }
}

/// Where captured log lines go.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<Vec<u8>>>);

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl io::Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = "canary \"7f\"/é+x";

    fn forms_found(text: impl AsRef<[u8]>) -> Vec<&'static str> {
        let leaks = LeakCheck::new().secret(CANARY);
        leaks.bytes("here", text);
        leaks.findings().into_iter().map(|leak| leak.form).collect()
    }

    #[test]
    fn every_form_is_found() {
        use base64::Engine as _;
        use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};

        assert_eq!(forms_found(format!("a {CANARY} b")), ["plain"]);
        assert_eq!(forms_found(serde_json::json!({ "a": CANARY }).to_string()), ["escaped"]);
        assert_eq!(forms_found(format!("{:?}", Some(CANARY))), ["escaped"]);
        let pair = url::form_urlencoded::Serializer::new(String::new()).append_pair("k", CANARY).finish();
        assert_eq!(forms_found(pair), ["percent-encoded"]);
        assert_eq!(forms_found("canary%20%227f%22%2F%C3%A9%2Bx"), ["percent-encoded"]);
        assert_eq!(forms_found("canary%20%227f%22%2f%c3%a9%2bx"), ["percent-encoded"]);
        for before in ["", "a", "ab", "user:", "x".repeat(50).as_str()] {
            let text = format!("{before}{CANARY}, and more");
            assert_eq!(forms_found(STANDARD.encode(&text)), ["base64"], "{before}");
            assert_eq!(forms_found(STANDARD_NO_PAD.encode(format!("{before}{CANARY}"))), ["base64"]);
            assert_eq!(forms_found(URL_SAFE.encode(&text)), ["base64"], "{before}");
        }
        let hex: String = CANARY.bytes().map(|b| format!("{b:02x}")).collect();
        assert_eq!(forms_found(&hex), ["hex"]);
        assert_eq!(forms_found(hex.to_uppercase()), ["hex"]);
        assert_eq!(forms_found(format!("{:?}", CANARY.as_bytes())), ["byte list"]);
        assert!(forms_found("canary, 7f, x").is_empty());
    }

    #[test]
    fn logs_errors_values_and_files_are_looked_into() {
        let leaks = LeakCheck::new().secret("canary-one").secret("canary-two");
        {
            let _logs = leaks.capture();
            tracing::trace_span!("a span", token = "canary-one").in_scope(|| tracing::trace!("quiet"));
        }
        tracing::info!("canary-two is logged when nobody listens");
        let cause = io::Error::other("canary-two");
        leaks
            .error("an error", &Error::new(tool_connect_core::ErrorKind::Internal, "outer").caused_by(cause));
        leaks.value("a value", &vec![("key", "canary-one")]);
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("x"), b"\0canary-two\0").expect("a file");
        leaks.path(folder.path()).expect("a folder");

        let found: Vec<_> = leaks.findings().into_iter().map(|leak| (leak.place, leak.secret)).collect();
        let file = folder.path().join("x").display().to_string();
        let at = |place: &str, secret| (place.to_owned(), secret);
        assert_eq!(found, [at("an error", 2), at("a value", 1), at(&file, 2), at("the logs", 1)]);
    }

    #[test]
    #[should_panic(expected = "secret 1 in output, as plain")]
    fn a_leak_fails_the_test() {
        let leaks = LeakCheck::new().secret("canary-one");
        leaks.text("output", "it is canary-one");
        leaks.assert_clean();
    }

    #[test]
    #[should_panic(expected = "proves nothing")]
    fn a_check_without_secrets_fails_the_test() {
        LeakCheck::new().assert_clean();
    }

    #[test]
    #[should_panic(expected = "by chance")]
    fn a_short_secret_is_refused() {
        drop(LeakCheck::new().secret("short"));
    }
}
