//! Grants on SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use tool_connect_core::store::{Grant, GrantStore, Subject, ToolPattern};
use tool_connect_core::{ConnectionId, Result, TenantId};

use super::db::Db;
use super::values::{decoded, millis, now, tenant_for_write, tenant_no, time};

/// [`GrantStore`] on SQLite.
pub(crate) struct SqliteGrants(pub(crate) Arc<Db>);

fn subject_columns(subject: &Subject) -> (&'static str, &str) {
    match subject {
        Subject::User(user) => ("user", user.as_str()),
        Subject::Agent(agent) => ("agent", agent.as_str()),
        Subject::Role(role) => ("role", role),
    }
}

/// Ids are never empty, so an empty text can stand for any connection.
fn connection_column(connection: Option<&ConnectionId>) -> &str {
    connection.map_or("", ConnectionId::as_str)
}

#[async_trait]
impl GrantStore for SqliteGrants {
    async fn put(&self, grant: Grant) -> Result<()> {
        let clock = self.0.clock();
        self.0
            .write(move |conn| {
                let tenant = tenant_for_write(conn, &grant.tenant)?;
                let (kind, subject) = subject_columns(&grant.subject);
                conn.prepare_cached(
                    "DELETE FROM tc_grants
                     WHERE tenant = ?1 AND subject_kind = ?2 AND subject = ?3 AND expires <= ?4",
                )?
                .execute((tenant, kind, subject, now(&*clock)))?;
                conn.prepare_cached(
                    "INSERT INTO tc_grants (tenant, subject_kind, subject, tools, connection, expires)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                     ON CONFLICT (tenant, subject_kind, subject, tools, connection) DO UPDATE SET expires = ?6",
                )?
                .execute((
                    tenant,
                    kind,
                    subject,
                    grant.tools.as_str(),
                    connection_column(grant.connection.as_ref()),
                    grant.expires.map(millis),
                ))?;
                Ok(())
            })
            .await
    }

    async fn revoke(
        &self,
        tenant: &TenantId,
        subject: &Subject,
        tools: &ToolPattern,
        connection: Option<&ConnectionId>,
    ) -> Result<bool> {
        let clock = self.0.clock();
        let (tenant, subject, tools) = (tenant.clone(), subject.clone(), tools.clone());
        let connection = connection.cloned();
        self.0
            .write(move |conn| {
                let Some(no) = tenant_no(conn, &tenant)? else { return Ok(false) };
                let (kind, subject) = subject_columns(&subject);
                let deleted = conn
                    .prepare_cached(
                        "DELETE FROM tc_grants WHERE tenant = ?1 AND subject_kind = ?2 AND subject = ?3
                         AND tools = ?4 AND connection = ?5 AND (expires IS NULL OR expires > ?6)",
                    )?
                    .execute((
                        no,
                        kind,
                        subject,
                        tools.as_str(),
                        connection_column(connection.as_ref()),
                        now(&*clock),
                    ))?;
                Ok(deleted > 0)
            })
            .await
    }

    async fn list(&self, tenant: &TenantId, subjects: &[Subject]) -> Result<Vec<Grant>> {
        let clock = self.0.clock();
        let tenant = tenant.clone();
        let mut subjects = subjects.to_vec();
        subjects.sort_unstable();
        subjects.dedup();
        self.0
            .read(move |conn| {
                let Some(no) = tenant_no(conn, &tenant)? else { return Ok(Vec::new()) };
                let now = now(&*clock);
                // One look-up per subject: their number is not bounded, that of parameters is.
                let mut statement = conn.prepare_cached(
                    "SELECT tools, connection, expires FROM tc_grants
                     WHERE tenant = ?1 AND subject_kind = ?2 AND subject = ?3
                     AND (expires IS NULL OR expires > ?4) ORDER BY tools, connection",
                )?;
                let mut grants = Vec::new();
                for subject in &subjects {
                    let (kind, id) = subject_columns(subject);
                    let mut rows = statement.query((no, kind, id, now))?;
                    while let Some(row) = rows.next()? {
                        let connection: String = row.get(1)?;
                        let connection = (!connection.is_empty()).then(|| ConnectionId::new(connection));
                        grants.push(Grant {
                            tenant: tenant.clone(),
                            subject: subject.clone(),
                            tools: decoded("tools", ToolPattern::new(row.get::<_, String>(0)?))?,
                            connection: decoded("connection", connection.transpose())?,
                            expires: row.get::<_, Option<i64>>(2)?.map(time),
                        });
                    }
                }
                Ok(grants)
            })
            .await
    }
}
