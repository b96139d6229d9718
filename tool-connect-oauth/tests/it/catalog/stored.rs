//! Clients that tenants keep in the store.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use tool_connect_core::store::memory::MemoryCredentials;
use tool_connect_core::store::{CredentialFilter, CredentialKey, CredentialKind, CredentialStore};
use tool_connect_core::{ErrorKind, TenantId};
use tool_connect_oauth::catalog::{
    ClientAuth, ClientConfig, ClientSource, ClientSources, JwtAlgorithm, StaticClients, StoredClients,
};
use tool_connect_oauth::vault::{EnvelopeVault, Keyring};
use url::Url;

fn tenant(id: &str) -> TenantId {
    TenantId::new(id).unwrap()
}

fn store() -> (Arc<MemoryCredentials>, StoredClients) {
    let store = Arc::new(MemoryCredentials::new());
    let keyring = Arc::new(Keyring::generate().unwrap());
    let vault = EnvelopeVault::builder(keyring).stateless().without_access_log().build().unwrap();
    (Arc::clone(&store), StoredClients::new(store, Arc::new(vault)))
}

#[tokio::test]
async fn a_stored_client_comes_back_whole_and_sealed() {
    let (store, clients) = store();
    let acme = tenant("acme");
    let written = ClientConfig::confidential("id-17", "s3cret-canary")
        .auth(ClientAuth::Post)
        .redirect_uri(Url::parse("https://app.example/callback").unwrap())
        .extra("hd", "acme.example");
    clients.put(&acme, "google", None, &written).await.unwrap();
    let read = clients.client(&acme, "google", None).await.unwrap().unwrap();
    assert_eq!(read.id, "id-17");
    assert_eq!(read.secret.unwrap().expose_secret(), "s3cret-canary");
    assert!(matches!(read.auth, ClientAuth::Post));
    assert_eq!(read.redirect_uri, written.redirect_uri);
    assert_eq!(read.extra["hd"], "acme.example");

    let rows = store.scan(&CredentialFilter::default(), None, 10).await.unwrap();
    let [row] = rows.as_slice() else { panic!("one row, not {}", rows.len()) };
    assert_eq!((row.key.kind, row.key.id.as_str()), (CredentialKind::Client, "google"));
    for canary in ["s3cret-canary", "id-17"] {
        let found = row.sealed.windows(canary.len()).any(|bytes| bytes == canary.as_bytes());
        assert!(!found, "{canary} lies in the store in clear");
    }
}

#[tokio::test]
async fn a_private_key_is_stored_too() {
    let (_, clients) = store();
    let auth = ClientAuth::PrivateKeyJwt {
        key: SecretString::from("-----BEGIN PRIVATE KEY-----"),
        alg: JwtAlgorithm::Es256,
        kid: Some("k1".into()),
    };
    clients.put(&tenant("acme"), "microsoft", None, &ClientConfig::public("id").auth(auth)).await.unwrap();
    let read = clients.client(&tenant("acme"), "microsoft", None).await.unwrap().unwrap();
    let ClientAuth::PrivateKeyJwt { key, alg, kid } = read.auth else { panic!("{:?}", read.auth) };
    assert_eq!(key.expose_secret(), "-----BEGIN PRIVATE KEY-----");
    assert_eq!((alg, kid.as_deref()), (JwtAlgorithm::Es256, Some("k1")));
}

#[tokio::test]
async fn each_tenant_has_its_own_several_per_provider() {
    let (_, clients) = store();
    let (acme, other) = (tenant("acme"), tenant("other"));
    for (name, id) in [(None, "default"), (Some("work"), "work"), (Some("home"), "home")] {
        clients.put(&acme, "slack", name, &ClientConfig::public(id)).await.unwrap();
    }
    clients.put(&other, "slack", None, &ClientConfig::public("theirs")).await.unwrap();
    let id = async |tenant: &TenantId, name| {
        clients.client(tenant, "slack", name).await.unwrap().map(|client| client.id)
    };
    assert_eq!(id(&acme, None).await.as_deref(), Some("default"));
    assert_eq!(id(&acme, Some("work")).await.as_deref(), Some("work"));
    assert_eq!(id(&other, None).await.as_deref(), Some("theirs"));
    assert_eq!(id(&other, Some("work")).await, None);
    assert_eq!(
        clients.list(&acme).await.unwrap(),
        [
            ("slack".into(), None),
            ("slack".into(), Some("home".into())),
            ("slack".into(), Some("work".into()))
        ]
    );
    // Written again it is replaced, removed it is gone, and then it can be written anew.
    clients.put(&acme, "slack", None, &ClientConfig::public("newer")).await.unwrap();
    assert_eq!(id(&acme, None).await.as_deref(), Some("newer"));
    assert!(clients.remove(&acme, "slack", None).await.unwrap());
    assert!(!clients.remove(&acme, "slack", None).await.unwrap());
    assert_eq!(id(&acme, None).await, None);
    clients.put(&acme, "slack", None, &ClientConfig::public("again")).await.unwrap();
    assert_eq!(id(&acme, None).await.as_deref(), Some("again"));
    assert_eq!(id(&other, None).await.as_deref(), Some("theirs"));
}

#[tokio::test]
async fn a_row_moved_to_another_tenant_does_not_open() {
    let (store, clients) = store();
    clients.put(&tenant("acme"), "slack", None, &ClientConfig::confidential("id", "s")).await.unwrap();
    let key = CredentialKey::new(CredentialKind::Client, "slack");
    let mut row = store.get(&tenant("acme"), &key).await.unwrap().unwrap();
    row.tenant = tenant("evil");
    row.version = 0;
    store.put(row).await.unwrap();
    let error = clients.client(&tenant("evil"), "slack", None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Vault);
    // Nor does the host's client step in for it.
    let host = StaticClients::new().with("slack", ClientConfig::public("host"));
    let sources = ClientSources::new().tenant(clients).host(host);
    assert!(sources.client(&tenant("evil"), "slack", None).await.is_err());
    assert!(sources.client(&tenant("acme"), "slack", None).await.unwrap().is_some());
}

#[tokio::test]
async fn names_that_are_no_ids_are_refused_when_written_and_absent_when_asked_for() {
    let (_, clients) = store();
    for (provider, name) in
        [("Slack", None), ("slack/work", None), ("slack", Some("a/b")), ("slack", Some(""))]
    {
        let error =
            clients.put(&tenant("acme"), provider, name, &ClientConfig::public("x")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(clients.client(&tenant("acme"), provider, name).await.unwrap().is_none());
    }
}
