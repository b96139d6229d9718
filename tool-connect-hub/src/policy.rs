//! Who may call what: a trait, and roles and grants as the built-in.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tool_connect_core::store::{Grant, ToolPattern};
use tool_connect_core::{BoxFuture, ConnectionId, Principal, Result, ToolDefinition, ToolId};

/// What a policy is asked.
#[derive(Debug)]
#[non_exhaustive]
pub struct PolicyRequest<'a> {
    /// Who calls.
    pub principal: &'a Principal,
    /// Which tool.
    pub tool: &'a ToolId,
    /// What the tool says of itself.
    pub definition: &'a ToolDefinition,
    /// The grants of the principal's user, agent and roles; empty unless the policy asks for them
    /// with [`Policy::needs_grants`].
    pub grants: &'a [Grant],
    /// The connection that the caller named.
    pub connection: Option<&'a ConnectionId>,
}

/// What a policy says.
#[non_exhaustive]
pub enum Access<'a> {
    /// The call may go on.
    Allow,
    /// It may not; the reason is for the audit trail and for developers.
    Deny(Cow<'static, str>),
    /// A person must approve this very call; the reason is shown to them.
    Approve(Cow<'static, str>),
    /// The policy must look something up first.
    Later(BoxFuture<'a, Result<Access<'static>>>),
}

impl std::fmt::Debug for Access<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Allow => f.write_str("Allow"),
            Self::Deny(why) => f.debug_tuple("Deny").field(why).finish(),
            Self::Approve(why) => f.debug_tuple("Approve").field(why).finish(),
            Self::Later(_) => f.write_str("Later"),
        }
    }
}

/// Decides who may call what.
///
/// It is asked once per call, after the arguments' cap and before anything is looked up; it decides
/// without waiting where it can. Listing tools asks it too, as a courtesy, and hides what is denied.
pub trait Policy: Send + Sync + 'static {
    /// Decides.
    fn decide<'a>(&'a self, request: &PolicyRequest<'a>) -> Access<'a>;

    /// Whether the principal's grants must be read first.
    fn needs_grants(&self, principal: &Principal) -> bool {
        principal.agent.is_some()
    }
}

/// When a person must approve a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApproveWhen {
    /// Never.
    Never,
    /// An agent calls a tool that may destroy.
    #[default]
    AgentDestroys,
    /// An agent calls a tool that writes.
    AgentWrites,
    /// Anybody calls a tool that may destroy.
    AnyoneDestroys,
}

/// Roles and grants.
///
/// A user may call what one of their roles allows; without any role rules, a user may call
/// everything. An agent may call only what it was granted *and* its user may call: an agent without
/// grants may do nothing.
///
/// ```
/// use tool_connect_hub::{ApproveWhen, RolePolicy};
/// let policy = RolePolicy::new()
///     .role("reader", ["files.read", "files.list"])?
///     .role("admin", ["*"])?
///     .approve(ApproveWhen::AnyoneDestroys);
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RolePolicy {
    /// What each role may call; empty means that users may call everything.
    pub roles: BTreeMap<String, Vec<ToolPattern>>,
    /// When a person must approve.
    pub approve: ApproveWhen,
    /// Tools that always need an approval, whoever calls.
    pub always_approve: Vec<ToolPattern>,
}

impl RolePolicy {
    /// Users may call everything, agents what they were granted, and what destroys needs approval.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets a role call tools.
    ///
    /// # Errors
    /// Where a pattern is malformed.
    pub fn role<S: Into<String>>(
        mut self,
        role: impl Into<String>,
        tools: impl IntoIterator<Item = S>,
    ) -> Result<Self> {
        let patterns = tools.into_iter().map(ToolPattern::new).collect::<Result<Vec<_>>>()?;
        self.roles.entry(role.into()).or_default().extend(patterns);
        Ok(self)
    }

    /// Sets when a person must approve.
    #[must_use]
    pub fn approve(mut self, when: ApproveWhen) -> Self {
        self.approve = when;
        self
    }

    /// Makes a tool always need an approval.
    ///
    /// # Errors
    /// Where the pattern is malformed.
    pub fn always_approve(mut self, tools: impl Into<String>) -> Result<Self> {
        self.always_approve.push(ToolPattern::new(tools)?);
        Ok(self)
    }

    fn user_may(&self, principal: &Principal, tool: &ToolId) -> bool {
        self.roles.is_empty()
            || principal
                .roles
                .iter()
                .filter_map(|role| self.roles.get(role))
                .flatten()
                .any(|pattern| pattern.matches(tool))
    }

    fn must_approve(&self, agent: bool, definition: &ToolDefinition, tool: &ToolId) -> Option<&'static str> {
        // Asked only where it matters, and hidden from the compiler, which would read it anyway: in a large registry the
        // definition is in no near cache.
        let annotations = || std::hint::black_box(definition).annotations;
        let writes = || !annotations().read_only;
        let destroys = || writes() && annotations().destructive;
        let asked = match self.approve {
            ApproveWhen::Never => None,
            ApproveWhen::AgentDestroys => {
                (agent && destroys()).then_some("an agent wants to run a tool that may destroy")
            }
            ApproveWhen::AgentWrites => {
                (agent && writes()).then_some("an agent wants to run a tool that writes")
            }
            ApproveWhen::AnyoneDestroys => destroys().then_some("the tool may destroy"),
        };
        asked.or_else(|| {
            self.always_approve
                .iter()
                .any(|p| p.matches(tool))
                .then_some("this tool always needs an approval")
        })
    }
}

impl Policy for RolePolicy {
    fn decide<'a>(&'a self, request: &PolicyRequest<'a>) -> Access<'a> {
        if !self.user_may(request.principal, request.tool) {
            return Access::Deny(Cow::Borrowed("none of the user's roles allows this tool"));
        }
        let agent = request.principal.agent.is_some();
        if agent && !request.grants.iter().any(|grant| covers(grant, request)) {
            return Access::Deny(Cow::Borrowed(
                "the agent was not granted this tool; grant it to the agent first",
            ));
        }
        match self.must_approve(agent, request.definition, request.tool) {
            Some(why) => Access::Approve(Cow::Borrowed(why)),
            None => Access::Allow,
        }
    }
}

/// Whether a grant to the agent itself covers the request. Grants of the user or of roles do not
/// pass on to agents.
fn covers(grant: &Grant, request: &PolicyRequest<'_>) -> bool {
    let subject = match (&grant.subject, &request.principal.agent) {
        (tool_connect_core::store::Subject::Agent(granted), Some(agent)) => granted == agent,
        _ => false,
    };
    subject
        && grant.tools.matches(request.tool)
        && match (&grant.connection, request.connection) {
            (None, _) => true,
            (Some(only), Some(used)) => only == used,
            (Some(_), None) => false,
        }
}
