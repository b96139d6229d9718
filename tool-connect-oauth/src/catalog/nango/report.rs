//! What became of each key of a file.

use std::fmt;

use serde::Serialize;

/// What became of one key of a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The key, with dots: `proxy.headers.x-api-key`.
    pub key: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The same in words, and what to do; empty where it was expressed as it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.outcome {
            Outcome::Expressed => write!(f, "{}: expressed", self.key),
            Outcome::Loosened(reason) => write!(f, "{}: loosened ({reason:?}): {}", self.key, self.text),
            Outcome::Missing(reason) => write!(f, "{}: not expressed ({reason:?}): {}", self.key, self.text),
        }
    }
}

/// What became of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// It means here what it means there.
    Expressed,
    /// It is here, and means a little more, less or something else.
    Loosened(Reason),
    /// It is not here.
    Missing(Reason),
}

/// Why something is not as the file has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The aliased provider is not there, or aliases go in a circle.
    Alias,
    /// The library has no such way to authenticate.
    AuthMode,
    /// Nobody knows this `auth_mode`.
    UnknownAuthMode,
    /// A key that is not known.
    UnknownKey,
    /// A value of another type than the format has there.
    Type,
    /// The provider's name makes no id.
    Name,
    /// A template with something that is only known at run time.
    Template,
    /// One of several templates was chosen.
    Alternative,
    /// A pattern that is no regular expression here, or whose example does not match it.
    Pattern,
    /// A value of the configuration that the file uses and does not describe.
    Undeclared,
    /// An address that this library does not go to.
    Address,
    /// A secret where none may be, or in more than one place.
    SecretPlace,
    /// More or other parts of a secret than a credential has here.
    Secrets,
    /// The client belongs to the connection there, to the tenant here.
    Client,
    /// A grant that this library does not have, on purpose or not.
    Grant,
    /// A way to authenticate the client.
    ClientAuth,
    /// A client certificate.
    ClientCertificate,
    /// Something of the callback beside code and state.
    Callback,
    /// A parameter that is the protocol's own.
    Reserved,
    /// It applies to more requests than there.
    Wider,
    /// How something is written: a body, an address.
    Encoding,
    /// A value within a value.
    Nested,
    /// Several requests, or another method.
    Exchange,
    /// When a token ends.
    Expiry,
    /// Code that comes with Nango.
    Script,
    /// Something about webhooks.
    Webhook,
    /// Something about answers or redirects.
    Transport,
    /// The entry as a whole was refused.
    Invalid,
}

/// Whether a provider can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything was expressed.
    Fully,
    /// It can be used, and its findings say what is different.
    Partly,
    /// How to authenticate could not be expressed.
    Not,
}

/// What became of a file, provider by provider. It can be written as JSON.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report<'a> {
    /// How many were expressed fully.
    pub fully: usize,
    /// How many partly.
    pub partly: usize,
    /// How many not.
    pub not: usize,
    /// Each provider, in the order of the file.
    pub providers: Vec<ReportEntry<'a>>,
}

/// What became of a provider.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ReportEntry<'a> {
    /// Its name in the file.
    pub name: &'a str,
    /// Whether it can be used.
    pub verdict: Verdict,
    /// What became of each key.
    pub findings: &'a [Finding],
}
