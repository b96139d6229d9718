//! Names of things: validated at the edge, cheap to clone, never empty.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// Longest instance id, in bytes.
pub const MAX_INSTANCE_ID: usize = 32;
/// Longest local tool name, in bytes.
pub const MAX_TOOL_NAME: usize = 48;
/// Longest `instance__tool` name that every model API accepts, in bytes.
pub const MAX_MODEL_NAME: usize = 64;
/// Longest free-form id (tenant, user, agent, plan, connection), in bytes.
pub const MAX_FREE_ID: usize = 256;

/// Checks an identifier that becomes part of a tool id: `[a-z][a-z0-9_]*`, no `__` (it stands for
/// the dot in model APIs) and no `_` at the end.
///
/// # Errors
/// [`ErrorKind::Config`] that says which rule is broken.
pub fn check_name(what: &str, name: &str, max: usize) -> Result<()> {
    let problem = if name.is_empty() {
        "is empty"
    } else if name.len() > max {
        "is too long"
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        "must begin with a lowercase letter"
    } else if !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
        "may hold only a-z, 0-9 and _"
    } else if name.contains("__") {
        "must not contain `__`, which stands for the dot in model APIs"
    } else if name.ends_with('_') {
        "must not end with `_`"
    } else {
        return Ok(());
    };
    let shown: String = name.chars().take(64).collect();
    Err(Error::new(
        ErrorKind::Config,
        format!("{what} `{}` {problem} (at most {max} bytes)", shown.escape_debug()),
    ))
}

fn check_free(what: &str, id: &str) -> Result<()> {
    let problem = if id.is_empty() {
        "is empty"
    } else if id.len() > MAX_FREE_ID {
        "is longer than 256 bytes"
    } else if id.chars().any(char::is_control) {
        "holds a control character"
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Config, format!("{what} {problem}")))
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, |$text:ident| $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and makes the id.
            ///
            /// # Errors
            /// [`ErrorKind::Config`] that says what is wrong with the text.
            pub fn new(id: impl AsRef<str>) -> Result<Self> {
                let $text = id.as_ref();
                $check?;
                Ok(Self(Arc::from($text)))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;
            fn try_from(id: String) -> Result<Self> {
                Self::new(id)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = Error;
            fn try_from(id: &str) -> Result<Self> {
                Self::new(id)
            }
        }

        impl std::str::FromStr for $name {
            type Err = Error;
            fn from_str(id: &str) -> Result<Self> {
                Self::new(id)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.as_ref().to_owned()
            }
        }
    };
}

id!(
    /// One registered instance of a connector: the first half of a tool id.
    ///
    /// ```
    /// use tool_connect_core::InstanceId;
    /// assert_eq!(InstanceId::new("github_work")?.as_str(), "github_work");
    /// assert!(InstanceId::new("GitHub").is_err());
    /// # Ok::<(), tool_connect_core::Error>(())
    /// ```
    InstanceId, "instance id", |text| check_name("instance id", text, MAX_INSTANCE_ID)
);
id!(
    /// A customer of the host: the first part of every stored key.
    TenantId, "tenant id", |text| check_free("tenant id", text)
);
id!(
    /// A person within a tenant.
    UserId, "user id", |text| check_free("user id", text)
);
id!(
    /// An agent that acts for a user.
    AgentId, "agent id", |text| check_free("agent id", text)
);
id!(
    /// A team within a tenant.
    TeamId, "team id", |text| check_free("team id", text)
);
id!(
    /// A plan (price tier) that limits refer to.
    PlanId, "plan id", |text| check_free("plan id", text)
);
id!(
    /// One account at one connector instance.
    ConnectionId, "connection id", |text| check_free("connection id", text)
);
id!(
    /// A pending or decided approval.
    ApprovalId, "approval id", |text| check_free("approval id", text)
);
id!(
    /// A durable job that a call was turned into.
    TaskId, "task id", |text| check_free("task id", text)
);
id!(
    /// A stored large value or file, see [`ResultStore`](crate::store::ResultStore).
    ResultHandle, "result handle", |text| check_free("result handle", text)
);

/// The full id of a tool: `instance.tool`.
///
/// For model APIs, whose names may not hold a dot, `.` maps to `__`; both forms parse.
///
/// ```
/// use tool_connect_core::ToolId;
/// let id = ToolId::parse("files.read")?;
/// assert_eq!((id.instance(), id.name(), id.model_name().as_str()), ("files", "read", "files__read"));
/// assert_eq!(ToolId::parse("files__read")?, id);
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ToolId {
    text: Arc<str>,
    dot: u8,
}

impl ToolId {
    /// Joins an instance and a local tool name.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where the name is malformed or the whole is longer than
    /// [`MAX_MODEL_NAME`] in its model form.
    pub fn new(instance: &InstanceId, name: &str) -> Result<Self> {
        check_name("tool name", name, MAX_TOOL_NAME)?;
        if instance.as_str().len() + 2 + name.len() > MAX_MODEL_NAME {
            return Err(Error::new(
                ErrorKind::Config,
                format!(
                    "tool id `{instance}.{name}` is too long: with `__` for the dot it must fit in {MAX_MODEL_NAME} bytes; choose a shorter instance id"
                ),
            ));
        }
        Ok(Self::join(instance.as_str(), name))
    }

    /// Parses `instance.tool` or `instance__tool`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where either half is missing or malformed.
    pub fn parse(text: &str) -> Result<Self> {
        let (instance, name) = text.split_once('.').or_else(|| text.split_once("__")).ok_or_else(|| {
            let shown: String = text.chars().take(64).collect();
            Error::new(
                ErrorKind::Config,
                format!("tool id `{}` has no instance: write `instance.tool`", shown.escape_debug()),
            )
        })?;
        Self::new(&InstanceId::new(instance)?, name)
    }

    fn join(instance: &str, name: &str) -> Self {
        Self {
            // The instance id is at most 32 bytes, so its length fits.
            dot: u8::try_from(instance.len()).unwrap_or(u8::MAX),
            text: Arc::from(format!("{instance}.{name}")),
        }
    }

    /// The whole id, `instance.tool`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The whole id, shared: a clone is one counter.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// The instance half.
    #[must_use]
    pub fn instance(&self) -> &str {
        self.text.get(..usize::from(self.dot)).unwrap_or_default()
    }

    /// The local name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text.get(usize::from(self.dot) + 1..).unwrap_or_default()
    }

    /// The form for model APIs: `instance__tool`.
    #[must_use]
    pub fn model_name(&self) -> String {
        format!("{}__{}", self.instance(), self.name())
    }
}

impl fmt::Display for ToolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ToolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.text, f)
    }
}

impl TryFrom<String> for ToolId {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<ToolId> for String {
    fn from(id: ToolId) -> String {
        id.text.as_ref().to_owned()
    }
}

/// One call, unique across processes: a random prefix per process and a counter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId {
    prefix: u64,
    sequence: u64,
}

impl CallId {
    /// Puts an id together; the prefix is random per process, the sequence counts calls.
    #[must_use]
    pub const fn new(prefix: u64, sequence: u64) -> Self {
        Self { prefix, sequence }
    }

    /// The prefix and the sequence, for who keeps ids in a shorter form than their text.
    #[must_use]
    pub const fn parts(self) -> (u64, u64) {
        (self.prefix, self.sequence)
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{:x}", self.prefix, self.sequence)
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_the_rules() {
        for bad in ["", "A", "1a", "a__b", "a_", "a-b", "a.b", &"a".repeat(33)] {
            assert!(InstanceId::new(bad).is_err(), "{bad}");
        }
        for good in ["a", "a1", "github_work"] {
            assert!(InstanceId::new(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_tool_id_fits_model_apis_or_is_refused() {
        let long = InstanceId::new("i".repeat(32)).unwrap();
        assert!(ToolId::new(&long, &"t".repeat(30)).is_ok());
        assert!(ToolId::new(&long, &"t".repeat(31)).is_err());
    }

    #[test]
    fn ids_are_checked_when_deserialized() {
        assert!(serde_json::from_str::<InstanceId>("\"Bad\"").is_err());
        assert!(serde_json::from_str::<TenantId>("\"\"").is_err());
        assert!(serde_json::from_str::<ToolId>("\"nodot\"").is_err());
    }
}
