//! Reads that are served again: for how long the provider lets them, and to nobody who must not see them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{
    Annotations, ConnectorManifest, DynamicTool, ErrorKind, Principal, Result, Served, ToolOutput,
};
use tool_connect_hub::{Hub, Session};
use tool_connect_testkit::ManualClock;

use super::support::{Kit, ada, bob, bot, definition, grant, kind, pattern, quiet};

/// Answers `{}` with these headers.
#[derive(Clone, Default)]
struct Provider(Arc<Mutex<Vec<(&'static str, &'static str)>>>);

#[async_trait]
impl Transport for Provider {
    async fn send(
        &self,
        _: http::Request<RequestBody>,
        _: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        let mut response = http::Response::builder();
        for (name, value) in self.0.lock().unwrap().iter() {
            response = response.header(*name, *value);
        }
        let body = futures_util::stream::once(std::future::ready(Ok("{}".into())));
        Ok(response.body(Box::pin(body) as ByteStream).unwrap())
    }
}

/// `api.get` makes two requests and says that its result serves for a minute.
fn house() -> (Arc<ManualClock>, Provider, Hub) {
    let (clock, provider) = (Arc::new(ManualClock::new()), Provider::default());
    let tool = DynamicTool::new(
        definition("get", Annotations::READ).cache(Duration::from_secs(60)),
        |_, cx: tool_connect_core::ToolContext| async move {
            for path in ["/a", "/b"] {
                cx.http().get(path).send().await?.bytes().await?;
            }
            ToolOutput::of(&1)
        },
    );
    let manifest = ConnectorManifest::new("api", semver::Version::new(1, 0, 0), "Api")
        .base_url("https://api.example".parse().unwrap());
    let hub = quiet(&clock)
        .transport(Arc::new(provider.clone()))
        .connector(Kit::of(manifest).dynamic(tool))
        .build();
    (clock, provider, hub.unwrap())
}

async fn served(session: &Session) -> Served {
    session.call("api.get", "{}").await.unwrap().into_output().unwrap().served
}

#[tokio::test]
async fn a_providers_word_shortens_what_the_tool_says() {
    for (header, fresh_after) in [
        (None, 60),
        (Some("private"), 60),
        (Some("max-age=600"), 60),
        (Some("max-age=20"), 20),
        (Some("no-store"), 0),
        (Some("no-cache"), 0),
    ] {
        let (clock, provider, hub) = house();
        provider.0.lock().unwrap().extend(header.map(|value| ("cache-control", value)));
        let session = hub.session(ada());
        assert_eq!(served(&session).await, Served::Fresh);
        if fresh_after > 0 {
            clock.advance(Duration::from_secs(fresh_after - 1));
            assert_eq!(served(&session).await, Served::Cache, "{header:?}");
            clock.advance(Duration::from_secs(1));
        }
        assert_eq!(served(&session).await, Served::Fresh, "{header:?}");
    }
}

#[tokio::test]
async fn nobody_is_served_what_another_was() {
    let (_, _, hub) = house();
    hub.grant(grant("api.get")).await.unwrap();
    assert_eq!(served(&hub.session(ada())).await, Served::Fresh);
    for other in [bob(), bot(), Principal::user("globex", "ada").unwrap(), ada().with_role("admin")] {
        assert_eq!(served(&hub.session(other.clone())).await, Served::Fresh, "{other:?}");
        assert_eq!(served(&hub.session(other)).await, Served::Cache);
    }
}

#[tokio::test]
async fn a_revoked_grant_ends_what_the_cache_would_serve() {
    let (_, _, hub) = house();
    let granted = grant("api.get");
    hub.grant(granted.clone()).await.unwrap();
    let session = hub.session(bot());
    assert_eq!(served(&session).await, Served::Fresh);
    assert_eq!(served(&session).await, Served::Cache);
    hub.revoke(&granted.tenant, &granted.subject, &pattern("api.get"), None).await.unwrap();
    assert_eq!(kind(session.call("api.get", "{}").await), ErrorKind::Denied);
}
