//! Where the database is and how it is reached.

use std::fmt;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tool_connect_core::{Error, ErrorKind, Result};

use super::tls::Tls;

/// How long it may take to connect, unless the string says otherwise.
const CONNECT: Duration = Duration::from_secs(10);

/// Where a Postgres database is and how it is reached. Neither form prints the password.
///
/// ```
/// use tool_connect_connectors::database::{Database, PostgresOptions};
///
/// let options = PostgresOptions::new("postgres://reader:secret@db.example/shop")?.max_idle(2);
/// assert!(!format!("{options:?}").contains("secret"));
/// let database = Database::postgres_with(options)?;
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone)]
pub struct PostgresOptions {
    pub(super) config: Config,
    roots: Option<Vec<u8>>,
    pub(super) allow_superuser: bool,
    pub(super) max_idle: usize,
}

impl PostgresOptions {
    /// The database of a connection string: a URL, or `host=.. user=.. password=.. dbname=..`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where the string is malformed; it is not repeated.
    pub fn new(connection_string: &str) -> Result<Self> {
        let mut config: Config = connection_string.parse().map_err(|_| {
            Error::new(
                ErrorKind::Config,
                "the Postgres connection string is malformed; write `postgres://user:password@host:port/database`",
            )
        })?;
        if config.get_hosts().is_empty() {
            return Err(Error::new(ErrorKind::Config, "the Postgres connection string names no host"));
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_application_name().is_none() {
            config.application_name("tool-connect");
        }
        // "Prefer" would fall back to plain text where somebody in between says so.
        if config.get_ssl_mode() == SslMode::Prefer {
            // The address is what is connected to, whatever the host is called.
            let near = config.get_hosts().iter().all(is_near)
                && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback);
            config.ssl_mode(if near { SslMode::Disable } else { SslMode::Require });
        }
        Ok(Self { config, roots: None, allow_superuser: false, max_idle: 4 })
    }

    /// Trusts these certificate authorities (PEM) instead of the system's.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots = Some(pem.into());
        self
    }

    /// Whether the role may be a superuser, one that may read and write the server's files and run its programs, or a member of
    /// such a role; it may not by default, for a READ ONLY transaction holds none of that back.
    #[must_use]
    pub fn allow_superuser(mut self, allow: bool) -> Self {
        self.allow_superuser = allow;
        self
    }

    /// How many idle connections are kept; 4 by default.
    #[must_use]
    pub fn max_idle(mut self, connections: usize) -> Self {
        self.max_idle = connections;
        self
    }

    /// What encrypts the connection; `None` where the string says that nothing shall.
    pub(super) fn tls(&self) -> Result<Option<Tls>> {
        match self.config.get_ssl_mode() {
            SslMode::Disable => Ok(None),
            _ => Tls::new(self.roots.as_deref()).map(Some),
        }
    }

    pub(in super::super) fn check(&self) -> Result<()> {
        self.tls().map(drop)
    }
}

/// On this machine: nobody can listen in between.
fn is_near(host: &Host) -> bool {
    match host {
        #[cfg(unix)]
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("hosts", &self.config.get_hosts())
            .field("database", &self.config.get_dbname())
            .field("ssl_mode", &self.config.get_ssl_mode())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_reached_in_the_clear_unless_it_is_asked_for() {
        for (text, mode) in [
            ("postgres://a@db.example/x", SslMode::Require),
            ("postgres://a@10.0.0.1/x?sslmode=prefer", SslMode::Require),
            ("postgres://a@db.example/x?sslmode=disable", SslMode::Disable),
            ("postgres://a@127.0.0.1/x", SslMode::Disable),
            ("postgres://a@localhost/x?sslmode=require", SslMode::Require),
            ("host=localhost,db.example user=a", SslMode::Require),
            ("host=localhost hostaddr=10.0.0.1 user=a", SslMode::Require),
            ("host=localhost hostaddr=127.0.0.1 user=a", SslMode::Disable),
        ] {
            assert_eq!(PostgresOptions::new(text).unwrap().config.get_ssl_mode(), mode, "{text}");
        }
    }

    #[test]
    fn a_malformed_string_is_not_repeated() {
        for text in ["postgres://u:hunter2@h/d?hunter2=1", "hunter2", "user=hunter2"] {
            let error = PostgresOptions::new(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(!format!("{error} {error:?} {}", error.public_message()).contains("hunter2"), "{text}");
        }
    }
}
