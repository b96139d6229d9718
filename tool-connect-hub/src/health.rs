//! Whether a connected account works.

use std::time::Duration;

use bytes::Bytes;
use tool_connect_core::{Error, ErrorKind, Result};

use crate::session::Session;

/// What a health check found: the account answers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Health {
    /// What the connector's probe says of the account, as JSON: who it is.
    pub account: Bytes,
    /// How long the call took.
    pub took: Duration,
}

impl Session {
    /// Checks that an account is connected at this instance and works, by the tool that the connector names for it. It is a
    /// call like any other: with policy, limits and audit, and with a refresh where the token has ended.
    ///
    /// # Errors
    /// What stands in the way, for the one who can act: [`Error::input_required`] with a ticket where nothing is connected,
    /// [`ErrorKind::NeedsReauth`] where the provider refuses the credential, [`ErrorKind::CircuitOpen`] or
    /// [`ErrorKind::Transport`] where it is down; [`ErrorKind::Unsupported`] where the connector names no probe,
    /// [`ErrorKind::UnknownTool`] where the tenant sees no such instance.
    pub async fn check(&self, instance: &str) -> Result<Health> {
        let (overlay, global) = self.0.hub.registry.views(&self.principal().tenant);
        let known = overlay.iter().chain(std::iter::once(&global)).find_map(|snapshot| {
            let mut instances = snapshot.instances();
            instances.find(|known| known.id.as_str() == instance).map(|known| known.connector.manifest())
        });
        let unknown = || {
            let message = format!("there is no connector instance `{}`", instance.escape_debug());
            Error::new(ErrorKind::UnknownTool, message)
        };
        let Some(probe) = &known.ok_or_else(unknown)?.probe else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("the connector of `{instance}` names no tool that checks an account"),
            ));
        };
        let begun = self.0.hub.clock.monotonic();
        let output = self.on(instance).call(probe, "{}").await?.into_output()?;
        let took = Duration::from_nanos(self.0.hub.clock.monotonic().saturating_sub(begun));
        Ok(Health { account: output.to_json()?, took })
    }
}
