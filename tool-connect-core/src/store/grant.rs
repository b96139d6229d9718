//! What principals were granted.

use std::fmt;
use std::time::SystemTime;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::ids::{AgentId, ConnectionId, TenantId, ToolId, UserId};
use crate::principal::Principal;

/// To whom something is granted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Subject {
    /// A user, also when an agent acts for them only if the agent is granted it too.
    User(UserId),
    /// An agent, for whichever user it acts.
    Agent(AgentId),
    /// Everybody with the role.
    Role(String),
}

impl Subject {
    /// The subjects that a principal is: the user and the roles, and the agent where one acts.
    #[must_use]
    pub fn of(principal: &Principal) -> Vec<Self> {
        let mut subjects = vec![Self::User(principal.user.clone())];
        subjects.extend(principal.agent.clone().map(Self::Agent));
        subjects.extend(principal.roles.iter().cloned().map(Self::Role));
        subjects
    }

    /// A stable text form, `user:ada`, for keys.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::User(id) => format!("user:{id}"),
            Self::Agent(id) => format!("agent:{id}"),
            Self::Role(role) => format!("role:{role}"),
        }
    }
}

/// Which tools: `*`, `files.*`, or `files.read`.
///
/// ```
/// use tool_connect_core::{ToolId, store::ToolPattern};
/// let pattern = ToolPattern::new("files.*")?;
/// assert!(pattern.matches(&ToolId::parse("files.read")?));
/// assert!(!pattern.matches(&ToolId::parse("files_two.read")?));
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ToolPattern(String);

impl ToolPattern {
    /// Checks and makes a pattern.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where it is neither `*`, `instance.*` nor a tool id.
    pub fn new(pattern: impl Into<String>) -> Result<Self> {
        let pattern = pattern.into();
        if pattern == "*" {
            return Ok(Self(pattern));
        }
        let valid = match pattern.strip_suffix(".*") {
            Some(instance) => crate::ids::InstanceId::new(instance).map(drop),
            None => ToolId::parse(&pattern).map(drop),
        };
        match valid {
            Ok(()) => Ok(Self(pattern)),
            Err(e) => {
                Err(Error::new(ErrorKind::Config, "a tool pattern is `*`, `instance.*` or `instance.tool`")
                    .caused_by(e))
            }
        }
    }

    /// Whether the tool is among them.
    #[must_use]
    pub fn matches(&self, tool: &ToolId) -> bool {
        if self.0 == "*" {
            return true;
        }
        match self.0.strip_suffix(".*") {
            Some(instance) => tool.instance() == instance,
            None => self.0 == tool.as_str(),
        }
    }

    /// The pattern as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ToolPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl TryFrom<String> for ToolPattern {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        Self::new(text)
    }
}

impl From<ToolPattern> for String {
    fn from(pattern: ToolPattern) -> String {
        pattern.0
    }
}

/// Leave to call tools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The tenant within which it holds.
    pub tenant: TenantId,
    /// To whom.
    pub subject: Subject,
    /// Which tools.
    pub tools: ToolPattern,
    /// Only on this connection; any where unset.
    pub connection: Option<ConnectionId>,
    /// Until when; without end where unset.
    pub expires: Option<SystemTime>,
}

/// Where grants are kept. A grant is identified by (tenant, subject, tools, connection); an expired
/// one counts as absent. Times are kept to the millisecond.
#[async_trait]
pub trait GrantStore: Send + Sync + 'static {
    /// Writes a grant; one with the same identity is replaced.
    ///
    /// # Errors
    /// Where the store fails.
    async fn put(&self, grant: Grant) -> Result<()>;

    /// Removes the grant with this identity; returns whether it was there.
    ///
    /// # Errors
    /// Where the store fails.
    async fn revoke(
        &self,
        tenant: &TenantId,
        subject: &Subject,
        tools: &ToolPattern,
        connection: Option<&ConnectionId>,
    ) -> Result<bool>;

    /// The unexpired grants of any of these subjects, ordered by subject, pattern and
    /// connection, each once however often its subject is named.
    ///
    /// # Errors
    /// Where the store fails.
    async fn list(&self, tenant: &TenantId, subjects: &[Subject]) -> Result<Vec<Grant>>;
}
