//! Walks over pages, health checks, and files that an app stores for its tools.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tool_connect_core::{
    ConnectorManifest, Error, ErrorKind, InputRequest, Page, Paged, Result, Retry, Run, TenantId, Tool,
    ToolContext, ToolOutput,
};
use tool_connect_hub::InstanceOptions;
use tool_connect_testkit::ManualClock;

use super::support::{Kit, ada, bob, hub_of, quiet, read};

/// Lists ten numbers, three a page.
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
struct Numbers {
    #[serde(default)]
    cursor: Option<String>,
    /// Which page fails, once.
    #[serde(default)]
    fails_at: Option<usize>,
    /// From which page on the cursor stays the same.
    #[serde(default)]
    stuck: Option<usize>,
}

static FAILED: AtomicUsize = AtomicUsize::new(0);

impl Run for Numbers {
    type Output = Page<u64>;

    async fn run(self, _: &ToolContext) -> Result<Page<u64>> {
        let page: usize = self.cursor.as_deref().map_or(0, |cursor| cursor.parse().unwrap());
        if self.fails_at == Some(page) && FAILED.fetch_add(1, Ordering::SeqCst) == 0 {
            let after = Retry::After(Duration::from_secs(9));
            return Err(Error::new(ErrorKind::RateLimited, "enough").retry(after));
        }
        let first = u64::try_from(page).unwrap() * 3;
        let items = (first..10.min(first + 3)).collect();
        let next = if self.stuck == Some(page) { page } else { page + 1 };
        Ok(Page::new(items, (first + 3 < 10).then(|| next.to_string())))
    }
}

impl Paged for Numbers {
    type Item = u64;

    fn set_cursor(&mut self, cursor: String) {
        self.cursor = Some(cursor);
    }
}

#[tokio::test]
async fn a_walk_goes_through_all_pages() {
    let session = hub_of(Kit::new("count").tool::<Numbers>()).session(ada());
    let all: Vec<u64> = session.items(Numbers::default()).try_collect().await.unwrap();
    assert_eq!(all, (0..10).collect::<Vec<_>>());
    let all: Vec<u64> = session.on("count").items(Numbers::default()).try_collect().await.unwrap();
    assert_eq!(all.len(), 10);
    let rest = Numbers { cursor: Some("2".into()), ..Numbers::default() };
    let all: Vec<u64> = session.items(rest).try_collect().await.unwrap();
    assert_eq!(all, [6, 7, 8, 9]);
}

#[tokio::test]
async fn a_limit_in_the_middle_of_a_walk_is_told_and_the_walk_resumes() {
    let session = hub_of(Kit::new("count").tool::<Numbers>()).session(ada());
    let mut walk = session.items(Numbers { fails_at: Some(2), ..Numbers::default() });
    let (mut all, mut errors) = (Vec::new(), Vec::new());
    while let Some(item) = walk.next().await {
        match item {
            Ok(number) => all.push(number),
            Err(error) => {
                assert_eq!(walk.cursor(), Some("2"));
                errors.push(error);
            }
        }
    }
    assert_eq!(all, (0..10).collect::<Vec<_>>());
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].retry_advice(), Retry::After(Duration::from_secs(9)));
}

#[tokio::test]
async fn a_cursor_that_leads_nowhere_ends_the_walk() {
    let session = hub_of(Kit::new("count").tool::<Numbers>()).session(ada());
    let walk = session.items(Numbers { stuck: Some(1), ..Numbers::default() });
    let items: Vec<Result<u64>> = walk.take(50).collect().await;
    let error = items.iter().find_map(|item| item.as_ref().err()).expect("the walk says that it is stuck");
    assert_eq!(error.kind(), ErrorKind::Provider);
    assert_eq!(items.iter().filter(|item| item.is_ok()).count(), 6);
    assert_eq!(items.len(), 7, "it ends");
    assert!(items[6].is_err(), "after all that there was");
}

fn manifest(id: &str) -> ConnectorManifest {
    ConnectorManifest::new(id, Version::new(1, 0, 0), id)
}

#[tokio::test]
async fn a_health_check_calls_the_probe() {
    let probe = || read("whoami", |_, _| async { ToolOutput::of(&json!({"login": "ada"})) });
    let clock = Arc::new(ManualClock::new());
    let hub =
        quiet(&clock).connector(Kit::of(manifest("well").probe("whoami")).dynamic(probe())).build().unwrap();
    hub.add_instance(
        Kit::of(manifest("ill").probe("whoami"))
            .dynamic(read("whoami", |_, _| async { Err(Error::new(ErrorKind::NeedsReauth, "revoked")) })),
        InstanceOptions::default(),
    )
    .unwrap();
    hub.add_instance(Kit::new("mute").dynamic(probe()), InstanceOptions::default()).unwrap();
    let private = manifest("private").probe("whoami").auth(tool_connect_core::AuthScheme::Bearer);
    hub.add_instance(Kit::of(private).dynamic(probe()), InstanceOptions::default()).unwrap();
    let of_bobs = InstanceOptions::new("bobs").unwrap().tenant(TenantId::new("other").unwrap());
    hub.add_instance(Kit::of(manifest("x").probe("whoami")).dynamic(probe()), of_bobs).unwrap();

    let session = hub.session(ada());
    let health = session.check("well").await.unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&health.account).unwrap(), json!({"login": "ada"}));
    for (instance, kind) in [
        ("ill", ErrorKind::NeedsReauth),
        ("mute", ErrorKind::Unsupported),
        ("private", ErrorKind::InputRequired),
        ("nobody", ErrorKind::UnknownTool),
        ("bobs", ErrorKind::UnknownTool),
    ] {
        let error = session.check(instance).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{instance}: {error}");
        if kind == ErrorKind::InputRequired {
            let asked = error.input_required().map(|required| &required.request);
            assert!(matches!(asked, Some(InputRequest::Connect { .. })), "{asked:?}");
        }
    }
}

#[tokio::test]
async fn a_stored_file_is_its_users_alone_and_for_so_long() {
    let clock = Arc::new(ManualClock::new());
    let hub = quiet(&clock).build().unwrap();
    let data = stream::iter([Ok(Bytes::from_static(b"one, ")), Ok(Bytes::from_static(b"two"))]);
    let keep = Duration::from_secs(60);
    let file = hub.session(ada()).put_file("a.txt", "text/plain", keep, Box::pin(data)).await.unwrap();
    assert_eq!((file.size, file.name.as_deref(), &*file.media_type), (8, Some("a.txt"), "text/plain"));
    let read = hub.session(ada()).read_file(&file.handle, 0..100).await.unwrap();
    assert_eq!(read.as_deref(), Some(&b"one, two"[..]));
    assert!(hub.session(bob()).read_file(&file.handle, 0..100).await.unwrap().is_none());
    clock.advance(keep);
    assert!(hub.session(ada()).file(&file.handle).await.unwrap().is_none());

    let broken = stream::iter([Ok(Bytes::from_static(b"one")), Err(Error::new(ErrorKind::Transport, "cut"))]);
    let error = hub.session(ada()).put_file("a", "text/plain", keep, Box::pin(broken)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
}
