//! Who calls.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::ids::{AgentId, PlanId, TeamId, TenantId, UserId};

/// Who calls: a user of a tenant and, where one acts for the user, the agent.
///
/// ```
/// use tool_connect_core::Principal;
/// let ada = Principal::user("acme", "ada")?.with_role("engineer");
/// let bot = ada.clone().acting_through("triage_bot")?;
/// assert!(bot.agent.is_some() && bot.has_role("engineer"));
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Principal {
    /// The tenant that owns whatever the call touches.
    pub tenant: TenantId,
    /// The person on whose behalf the call is made.
    pub user: UserId,
    /// The agent that acts for the user; without grants it may do nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentId>,
    /// Teams that the user belongs to; they may own connections.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub teams: BTreeSet<TeamId>,
    /// Roles that the policy reads.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<String>,
    /// The plan whose limits apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanId>,
}

impl Principal {
    /// A user of a tenant, with no roles.
    ///
    /// # Errors
    /// Where an id is empty, too long or holds control characters.
    pub fn user(tenant: impl AsRef<str>, user: impl AsRef<str>) -> Result<Self> {
        Ok(Self {
            tenant: TenantId::new(tenant)?,
            user: UserId::new(user)?,
            agent: None,
            teams: BTreeSet::new(),
            roles: BTreeSet::new(),
            plan: None,
        })
    }

    /// The same user with an agent acting for them.
    ///
    /// # Errors
    /// Where the id is malformed.
    pub fn acting_through(mut self, agent: impl AsRef<str>) -> Result<Self> {
        self.agent = Some(AgentId::new(agent)?);
        Ok(self)
    }

    /// Adds a role.
    #[must_use]
    pub fn with_role(mut self, role: impl Into<String>) -> Self {
        self.roles.insert(role.into());
        self
    }

    /// Adds a team.
    #[must_use]
    pub fn with_team(mut self, team: TeamId) -> Self {
        self.teams.insert(team);
        self
    }

    /// Sets the plan.
    #[must_use]
    pub fn with_plan(mut self, plan: PlanId) -> Self {
        self.plan = Some(plan);
        self
    }

    /// Whether the principal has the role.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.contains(role)
    }
}
