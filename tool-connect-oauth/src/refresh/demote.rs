//! When only the user can help.

use tool_connect_core::store::{RefreshIntent, StoredCredential};
use tool_connect_core::{Connection, ConnectionStatus, Error, ErrorKind, EventKind, Result};

use super::manager::Shared;
use super::renew::GONE;

/// How often a connection's row is tried to be written against others.
const TRIES: usize = 8;

/// The error of a connection whose grant is gone.
pub(super) fn gone(connection: &Connection) -> Error {
    Error::new(
        ErrorKind::NeedsReauth,
        format!("the grant of connection `{}` is gone; connect the account again", connection.id),
    )
}

impl Shared {
    /// Marks a grant as gone: the secret stays, nobody spends its refresh token again, the connection asks for the user.
    ///
    /// `record` is as it was read; returns `false`, and does nothing, where somebody has written it meanwhile.
    pub(super) async fn give_up(
        &self,
        connection: &Connection,
        mut record: StoredCredential,
        reason: &str,
    ) -> Result<bool> {
        let fence = record.intent.map_or(0, |intent| intent.fence) | GONE;
        record.intent = Some(RefreshIntent { fence, since: self.clock.now() });
        // Nothing that the background should look at again.
        record.expires = None;
        let Some(marked) = self.put(record).await? else { return Ok(false) };
        tracing::warn!(
            target: "tool_connect::oauth",
            tenant = connection.tenant.as_str(), connection = connection.id.as_str(), reason,
            "the user must connect the account again"
        );
        let what = EventKind::RefreshFailed {
            connection: connection.id.clone(),
            kind: ErrorKind::NeedsReauth,
            reason: reason.to_owned(),
        };
        self.emit(&connection.tenant, what);
        self.demote(connection, &marked, reason).await?;
        Ok(true)
    }

    /// Sets the connection's status, as long as this record is its secret: a user who has connected again meanwhile wins.
    pub(super) async fn demote(
        &self,
        connection: &Connection,
        marked: &StoredCredential,
        reason: &str,
    ) -> Result<()> {
        for _ in 0..TRIES {
            let found = self.in_time(self.connections.get(&connection.tenant, &connection.id)).await?;
            let Some(mut found) = found.filter(|found| found.status.usable()) else { return Ok(()) };
            let current = self.record(connection).await?;
            if current.is_none_or(|current| current.version != marked.version) {
                return Ok(());
            }
            found.status = ConnectionStatus::NeedsReauth;
            found.reason = Some(reason.to_owned());
            match self.in_time(self.connections.put(found)).await {
                Ok(written) => {
                    let what = EventKind::ConnectionChanged {
                        connection: written.id.clone(),
                        status: written.status,
                    };
                    self.emit(&written.tenant, what);
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Finishes what a process that died had begun: the secret is marked, and its connection does not say so yet.
    pub(super) async fn finish_demotion(
        &self,
        connection: &Connection,
        record: &StoredCredential,
    ) -> Result<()> {
        if record.intent.is_some_and(|intent| intent.fence & GONE != 0) {
            let reason = "The service has withdrawn its consent; connect the account again.";
            self.demote(connection, record, reason).await?;
        }
        Ok(())
    }

    /// What the connection itself says: one that the user must connect again, or gave up, costs no token request.
    pub(super) async fn still_connected(&self, connection: &Connection) -> Result<()> {
        let found = self.in_time(self.connections.get(&connection.tenant, &connection.id)).await?;
        let Some(found) = found.filter(|found| !found.status.usable()) else { return Ok(()) };
        if found.status == ConnectionStatus::Pending {
            return Ok(());
        }
        let (id, status) = (&found.id, found.status.as_str());
        Err(Error::new(
            ErrorKind::NeedsReauth,
            format!(
                "connection `{id}` is {status}, so that its tokens are not renewed; connect the account again"
            ),
        ))
    }
}
