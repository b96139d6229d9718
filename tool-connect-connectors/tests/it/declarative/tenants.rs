//! Files of tenants, in a whole Hub.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use serde_json::json;
use tool_connect_connectors::declarative::Loader;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{ErrorKind, Principal, Result, TenantId};
use tool_connect_hub::{Hub, InstanceOptions};

/// Counts what reaches it.
struct Counts(Arc<AtomicUsize>);

#[async_trait]
impl Transport for Counts {
    async fn send(
        &self,
        _request: http::Request<RequestBody>,
        _limits: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let body: ByteStream = Box::pin(futures_util::stream::iter([Ok(bytes::Bytes::from_static(b"{}"))]));
        Ok(http::Response::builder().header("content-type", "application/json").body(body).unwrap())
    }
}

fn file(base_url: &str, auth: &str) -> String {
    format!(
        "id = \"own\"\nname = \"Own\"\ndescription = \"A tenant's own service.\"\nbase_url = \"{base_url}\"\n{auth}\n\
         [tools.get_it]\ndescription = \"Reads it, whatever it is.\"\nmethod = \"GET\"\npath = \"/it\"\n"
    )
}

#[tokio::test]
async fn a_tenants_file_is_the_tenants_alone_and_reaches_no_private_address() {
    let sent = Arc::new(AtomicUsize::new(0));
    let hub = Hub::builder().transport(Arc::new(Counts(Arc::clone(&sent)))).build().unwrap();
    let tenant = TenantId::new("acme").unwrap();
    let register = |base_url: &str| {
        let own = Loader::for_tenant().from_toml(&file(base_url, ""))?;
        hub.replace(own, InstanceOptions::default().tenant(tenant.clone()))
    };
    register("https://api.example.com").unwrap();
    let ada = hub.session(Principal::user("acme", "ada").unwrap());
    let eve = hub.session(Principal::user("evil", "eve").unwrap());
    ada.call("own.get_it", "{}").await.unwrap();
    assert_eq!(sent.load(Ordering::Relaxed), 1);
    assert_eq!(eve.call("own.get_it", "{}").await.unwrap_err().kind(), ErrorKind::UnknownTool);

    for private in [
        "https://127.0.0.1",
        "https://169.254.169.254/latest",
        "https://10.0.0.1",
        "https://[::1]",
        "https://0x7f.1",
    ] {
        register(private).unwrap();
        let error = ada.call("own.get_it", json!({})).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Blocked, "{private}: {error}");
    }
    assert_eq!(sent.load(Ordering::Relaxed), 1);
    for plain in ["http://api.example.com", "http://127.0.0.1:80"] {
        assert_eq!(register(plain).unwrap_err().kind(), ErrorKind::Config, "{plain}");
    }
    for key in ["network = { allow = [\"loopback\"] }", "allow_loopback = true", "trust = [\"10.0.0.0/8\"]"] {
        let error = Loader::for_tenant().from_toml(&file("https://api.example.com", key)).unwrap_err();
        assert!(error.message().contains("unknown field"), "{error}");
    }
}

#[test]
fn a_tenants_file_gets_tokens_of_the_hosts_clients_only_where_the_host_says() {
    let auth = "auth = { type = \"oauth2\", provider = \"github\" }";
    let (theirs, evil) = (file("https://api.github.com", auth), file("https://evil.example", auth));
    let strict = Loader::for_tenant();
    let allowed = Loader::for_tenant().allow_provider("github", "api.github.com");
    for (loader, text, good) in [
        (&strict, &theirs, false),
        (&strict, &evil, false),
        (&allowed, &theirs, true),
        (&allowed, &evil, false),
    ] {
        let loaded = loader.from_toml(text);
        assert_eq!(loaded.is_ok(), good);
        if let Err(error) = loaded {
            assert!(error.message().contains("`auth.provider`"), "{error}");
        }
    }
    // The host's own file may.
    Loader::new().from_toml(&evil).unwrap();
}
