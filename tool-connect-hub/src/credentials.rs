//! Secrets that the host supplies, and how they get into requests.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use foldhash::quality::RandomState;
use http::request::Parts;
use tool_connect_core::{
    AuthScheme, Authenticator, Connection, ConnectionId, Credential, CredentialSource, CredentialVersion,
    Error, ErrorKind, Result, TenantId, apply,
};

/// Secrets in memory, set by the host; for development, tests, and hosts that read them from their
/// own vault at start.
///
/// ```
/// use tool_connect_core::{ConnectionId, Credential, TenantId};
/// use tool_connect_hub::StaticCredentials;
///
/// let secrets = StaticCredentials::new();
/// secrets.set(TenantId::new("acme")?, ConnectionId::new("ada_github")?, Credential::token("s3cret"));
/// assert!(!format!("{secrets:?}").contains("s3cret"));
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Default)]
pub struct StaticCredentials {
    secrets: RwLock<HashMap<TenantId, OfTenant, RandomState>>,
    versions: AtomicU64,
}

type OfTenant = HashMap<ConnectionId, (Credential, CredentialVersion), RandomState>;

impl fmt::Debug for StaticCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StaticCredentials([REDACTED])")
    }
}

impl StaticCredentials {
    /// Without secrets yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the secret of a connection, or replaces it; requests that are signed later use it.
    pub fn set(&self, tenant: TenantId, connection: ConnectionId, secret: Credential) {
        let version = self.versions.fetch_add(1, Ordering::Relaxed) + 1;
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        secrets.entry(tenant).or_default().insert(connection, (secret, version));
    }

    /// Forgets the secret of a connection; returns whether there was one.
    pub fn remove(&self, tenant: &TenantId, connection: &ConnectionId) -> bool {
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        secrets.get_mut(tenant).is_some_and(|own| own.remove(connection).is_some())
    }
}

#[async_trait]
impl CredentialSource for StaticCredentials {
    async fn credential(&self, connection: &Connection) -> Result<Option<(Credential, CredentialVersion)>> {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        Ok(secrets.get(&connection.tenant).and_then(|own| own.get(&connection.id)).cloned())
    }
}

/// Signs requests as an [`AuthScheme`] says, with secrets from a [`CredentialSource`].
///
/// The source is asked for every request, so a changed secret is used at once; it caches what is
/// costly to read.
#[derive(Clone)]
pub struct SchemeAuthenticator {
    source: Arc<dyn CredentialSource>,
}

impl fmt::Debug for SchemeAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SchemeAuthenticator")
    }
}

impl SchemeAuthenticator {
    /// Signs with secrets from `source`.
    #[must_use]
    pub fn new(source: Arc<dyn CredentialSource>) -> Self {
        Self { source }
    }
}

#[async_trait]
impl Authenticator for SchemeAuthenticator {
    async fn sign(
        &self,
        connection: &Connection,
        scheme: &AuthScheme,
        request: &mut Parts,
        _body: Option<&[u8]>,
    ) -> Result<CredentialVersion> {
        if *scheme == AuthScheme::None {
            return Ok(0);
        }
        let Some((credential, version)) = self.source.credential(connection).await? else {
            return Err(Error::new(
                ErrorKind::NeedsReauth,
                format!("there is no secret for connection `{}`; connect the account again", connection.id),
            ));
        };
        apply(connection, scheme, &credential, request)?;
        Ok(version)
    }

    async fn refused(&self, connection: &Connection, version: CredentialVersion) -> Result<bool> {
        // The same secret would be refused again; another one may have come meanwhile.
        let current = self.source.credential(connection).await?;
        Ok(current.is_some_and(|(_, current)| current != version))
    }
}

#[cfg(test)]
mod tests {
    use tool_connect_core::{InstanceId, Owner};

    use super::*;

    const SECRET: &str = "canary s3cret&x";

    fn connection() -> Connection {
        Connection::new(
            ConnectionId::new("c1").expect("an id"),
            TenantId::new("acme").expect("an id"),
            Owner::Tenant,
            InstanceId::new("github").expect("an id"),
        )
    }

    async fn sign(scheme: AuthScheme, secret: Credential) -> Result<Parts> {
        let secrets = StaticCredentials::new();
        let connection = connection();
        secrets.set(connection.tenant.clone(), connection.id.clone(), secret);
        let request = http::Request::get("https://api.example/a?b=c").body(()).expect("a request");
        let mut parts = request.into_parts().0;
        SchemeAuthenticator::new(Arc::new(secrets)).sign(&connection, &scheme, &mut parts, None).await?;
        Ok(parts)
    }

    #[tokio::test]
    async fn each_scheme_puts_the_secret_where_it_says() {
        let header = AuthScheme::ApiKeyHeader { header: "x-key".into(), prefix: "Token ".into() };
        let parts = sign(header, Credential::token(SECRET)).await.expect("signed");
        assert_eq!(parts.headers["x-key"], format!("Token {SECRET}"));
        assert!(parts.headers["x-key"].is_sensitive());

        let parts = sign(AuthScheme::Bearer, Credential::token(SECRET)).await.expect("signed");
        assert_eq!(parts.headers["authorization"], format!("Bearer {SECRET}"));
        assert!(!format!("{parts:?}").contains("s3cret"), "a sensitive header is not printed");

        let query = AuthScheme::ApiKeyQuery { parameter: "key".into() };
        let parts = sign(query, Credential::token(SECRET)).await.expect("signed");
        assert_eq!(parts.uri, "https://api.example/a?b=c&key=canary+s3cret%26x");

        // The example of RFC 7617 §2.
        let basic =
            sign(AuthScheme::Basic, Credential::basic("Aladdin", "open sesame")).await.expect("signed");
        assert_eq!(basic.headers["authorization"], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }

    #[tokio::test]
    async fn what_does_not_fit_is_said_without_the_secret() {
        let cases = [
            (AuthScheme::Bearer, Credential::token("canary\n1")),
            (AuthScheme::Bearer, Credential::basic("u", "canary")),
            (AuthScheme::Basic, Credential::token("canary")),
            (AuthScheme::Basic, Credential::basic("a:b", "canary")),
            (
                AuthScheme::ApiKeyHeader { header: "x y".into(), prefix: String::new() },
                Credential::token("canary"),
            ),
        ];
        for (scheme, secret) in cases {
            let error = sign(scheme, secret).await.expect_err("does not fit");
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
        }
    }

    #[tokio::test]
    async fn only_a_changed_secret_is_worth_another_try() {
        let secrets = Arc::new(StaticCredentials::new());
        let signer = SchemeAuthenticator::new(Arc::clone(&secrets) as Arc<dyn CredentialSource>);
        let connection = connection();
        let set = |text: &str| {
            secrets.set(connection.tenant.clone(), connection.id.clone(), Credential::token(text))
        };
        let mut parts = http::Request::new(()).into_parts().0;

        let error =
            signer.sign(&connection, &AuthScheme::Bearer, &mut parts, None).await.expect_err("none yet");
        assert_eq!(error.kind(), ErrorKind::NeedsReauth);
        set("one");
        let version = signer.sign(&connection, &AuthScheme::Bearer, &mut parts, None).await.expect("signed");
        assert!(!signer.refused(&connection, version).await.expect("known"));
        set("two");
        assert!(signer.refused(&connection, version).await.expect("known"));
        assert!(secrets.remove(&connection.tenant, &connection.id));
        assert!(!signer.refused(&connection, version).await.expect("known"));
    }
}
