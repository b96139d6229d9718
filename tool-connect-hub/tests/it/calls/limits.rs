//! Rates, quotas and places.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tool_connect_core::{
    Annotations, AuthScheme, Clock, Connection, ConnectionId, ConnectorLimits, ConnectorManifest,
    DynamicTool, Effect, ErrorKind, Owner, PlanId, Principal, Rate, Retry, ToolCall, ToolOutput,
};
use tool_connect_hub::{Hub, InstanceOptions, LimitOf, Quota, QuotaOf};
use tool_connect_testkit::ManualClock;

use super::support::{
    Kit, Runs, acme, ada, bob, counting, definition, error, hub_of, instance, kind, number, quiet, read,
};

/// One call an hour.
const ONE: Rate = Rate::new(1, Duration::from_secs(3600));

fn notes(clock: &Arc<ManualClock>) -> Hub {
    let runs = Runs::default();
    let options = InstanceOptions::new("other").unwrap();
    quiet(clock)
        .connector(Kit::new("notes").dynamic(counting(&runs)))
        .instance(Kit::new("notes").dynamic(counting(&runs)), options)
        .build()
        .unwrap()
}

async fn put(hub: &Hub, principal: Principal, tool: &str) -> Option<ErrorKind> {
    hub.session(principal).call(tool, "{}").await.err().map(|e| e.kind())
}

const REFUSED: Option<ErrorKind> = Some(ErrorKind::RateLimited);

fn cy() -> Principal {
    Principal::user("globex", "cy").unwrap()
}

#[tokio::test]
async fn a_tenants_rate_is_shared_by_its_users() {
    let hub = notes(&Arc::default());
    hub.limits().set(LimitOf::Tenant, ONE).unwrap();
    assert_eq!(put(&hub, ada(), "notes.put").await, None);
    assert_eq!(put(&hub, bob(), "other.put").await, REFUSED);
    assert_eq!(put(&hub, cy(), "notes.put").await, None);
}

#[tokio::test]
async fn a_users_rate_is_their_own() {
    let hub = notes(&Arc::default());
    hub.limits().set(LimitOf::User, ONE).unwrap();
    assert_eq!(put(&hub, ada(), "notes.put").await, None);
    assert_eq!(put(&hub, ada().with_role("admin"), "other.put").await, REFUSED);
    assert_eq!(put(&hub, bob(), "notes.put").await, None);
    assert_eq!(put(&hub, Principal::user("globex", "ada").unwrap(), "notes.put").await, None);
}

#[tokio::test]
async fn an_instances_rate_is_everybodys() {
    let hub = notes(&Arc::default());
    hub.limits().set(LimitOf::Instance, ONE).unwrap();
    assert_eq!(put(&hub, ada(), "notes.put").await, None);
    assert_eq!(put(&hub, cy(), "notes.put").await, REFUSED);
    assert_eq!(put(&hub, cy(), "other.put").await, None);
}

#[tokio::test]
async fn a_plans_rate_is_each_tenants_on_it_and_changes_at_run_time() {
    let clock = Arc::new(ManualClock::new());
    let hub = notes(&clock);
    let pro = PlanId::new("pro").unwrap();
    hub.limits().set(LimitOf::Plan(pro.clone()), ONE).unwrap();
    let on_pro = |principal: Principal| principal.with_plan(pro.clone());
    assert_eq!(put(&hub, on_pro(ada()), "notes.put").await, None);
    assert_eq!(put(&hub, on_pro(bob()), "notes.put").await, REFUSED);
    assert_eq!(put(&hub, on_pro(cy()), "notes.put").await, None);
    assert_eq!(put(&hub, bob(), "notes.put").await, None);
    assert_eq!(put(&hub, bob().with_plan(PlanId::new("free").unwrap()), "notes.put").await, None);

    // What was used stays used: an hour's worth, of which the new rate gives one back in 36 s.
    hub.limits().set(LimitOf::Plan(pro.clone()), Rate::new(100, Duration::from_secs(3600))).unwrap();
    assert_eq!(put(&hub, on_pro(bob()), "notes.put").await, REFUSED);
    clock.advance(Duration::from_secs(36));
    assert_eq!(put(&hub, on_pro(bob()), "notes.put").await, None);
}

#[tokio::test]
async fn a_connections_rate_is_shared_by_all_who_use_it() {
    let manifest =
        ConnectorManifest::new("github", semver::Version::new(1, 0, 0), "GitHub").auth(AuthScheme::Bearer);
    let hub = hub_of(Kit::of(manifest).dynamic(counting(&Runs::default())));
    for id in ["team", "spare"] {
        let id = ConnectionId::new(id).unwrap();
        hub.put_connection(Connection::new(id, acme(), Owner::Tenant, instance("github"))).await.unwrap();
    }
    hub.limits().set(LimitOf::Connection, ONE).unwrap();
    let on = |id: &str| ToolCall::new("github.put", "{}").connection(ConnectionId::new(id).unwrap());
    hub.session(ada()).execute(on("team")).await.unwrap();
    assert_eq!(kind(hub.session(bob()).execute(on("team")).await), ErrorKind::RateLimited);
    hub.session(bob()).execute(on("spare")).await.unwrap();
}

#[tokio::test]
async fn a_refusal_says_which_limit_how_much_and_when_and_then_recovers() {
    let clock = Arc::new(ManualClock::new());
    let hub = notes(&clock);
    hub.limits().set(LimitOf::User, Rate::per_minute(2)).unwrap();
    let session = hub.session(ada());
    session.call("notes.put", "{}").await.unwrap();
    session.call("notes.put", "{}").await.unwrap();
    let refused = error(session.call("notes.put", "{}").await);
    assert_eq!((refused.kind(), refused.effect_on_provider()), (ErrorKind::RateLimited, Effect::NotExecuted));
    assert_eq!(refused.retry_advice(), Retry::After(Duration::from_secs(30)));
    let text = refused.to_string();
    for part in ["rate limit of the user", "limit: 2", "remaining: 0", "reset: 60.0 s"] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(refused.public_message(), "The rate limit of the user is used up; try again in 30 s.");
    clock.advance(Duration::from_secs(30));
    session.call("notes.put", "{}").await.unwrap();
    assert_eq!(kind(session.call("notes.put", "{}").await), ErrorKind::RateLimited);
}

#[tokio::test]
async fn a_call_takes_from_every_limit_or_from_none() {
    let hub = notes(&Arc::default());
    hub.limits().set(LimitOf::Tenant, ONE.burst(2)).unwrap();
    hub.limits().set(LimitOf::User, ONE).unwrap();
    assert_eq!(put(&hub, ada(), "notes.put").await, None);
    assert_eq!(put(&hub, ada(), "notes.put").await, REFUSED);
    assert_eq!(put(&hub, bob(), "notes.put").await, None);
    assert_eq!(put(&hub, bob(), "notes.put").await, REFUSED);
}

#[tokio::test]
async fn a_call_costs_what_its_tool_says_and_one_that_never_fits_is_not_told_to_wait() {
    let dear = |name: &'static str, cost: u32| {
        let definition = definition(name, Annotations::default()).cost(cost);
        DynamicTool::new(definition, |_, _| async { ToolOutput::of(&0) })
    };
    let hub = hub_of(Kit::new("notes").dynamic(dear("three", 3)).dynamic(dear("six", 6)));
    hub.limits().set(LimitOf::User, Rate::per_minute(5)).unwrap();
    let session = hub.session(ada());
    let never = error(session.call("notes.six", "{}").await);
    assert_eq!((never.kind(), never.retry_advice()), (ErrorKind::RateLimited, Retry::Never));
    session.call("notes.three", "{}").await.unwrap();
    assert_eq!(kind(session.call("notes.three", "{}").await), ErrorKind::RateLimited);
}

#[tokio::test]
async fn a_quota_counts_its_own_window_per_tenant_user_and_instance() {
    for (of, ada_elsewhere, bob_here) in [
        (QuotaOf::Tenant, REFUSED, REFUSED),
        (QuotaOf::User, REFUSED, None),
        (QuotaOf::Instance, None, REFUSED),
    ] {
        let (clock, runs) = (Arc::new(ManualClock::new()), Runs::default());
        let hub = quiet(&clock)
            .connector(Kit::new("notes").dynamic(counting(&runs)))
            .instance(Kit::new("notes").dynamic(counting(&runs)), InstanceOptions::new("other").unwrap())
            .configure(|s| s.limits.quotas = vec![Quota { of, limit: 1, window: Duration::from_secs(3600) }])
            .build()
            .unwrap();
        clock.advance(Duration::from_secs(600));
        assert_eq!(put(&hub, ada(), "notes.put").await, None, "{of:?}");
        let refused = error(hub.session(ada()).call("notes.put", "{}").await);
        assert_eq!(refused.retry_advice(), Retry::After(Duration::from_secs(3000)));
        let text = refused.to_string();
        assert!(text.contains("limit: 1") && text.contains("remaining: 0"), "{text}");
        assert_eq!(put(&hub, ada(), "other.put").await, ada_elsewhere, "{of:?}");
        assert_eq!(put(&hub, bob(), "notes.put").await, bob_here, "{of:?}");
        assert_eq!(put(&hub, cy(), "notes.put").await, None, "{of:?}");
        clock.advance(Duration::from_secs(3000));
        assert_eq!(put(&hub, ada(), "notes.put").await, None, "{of:?}");
    }
}

#[tokio::test]
async fn a_quota_is_shared_by_all_hubs_on_one_store() {
    let (clock, runs) = (Arc::new(ManualClock::new()), Runs::default());
    let build = |stores| {
        quiet(&clock)
            .stores(stores)
            .connector(Kit::new("notes").dynamic(counting(&runs)))
            .configure(|s| {
                s.limits.quotas =
                    vec![Quota { of: QuotaOf::User, limit: 1, window: Duration::from_secs(60) }];
            })
            .build()
            .unwrap()
    };
    let stores = tool_connect_core::store::Stores::in_memory_with(Arc::clone(&clock) as _);
    let (one, two) = (build(stores.clone()), build(stores));
    assert_eq!(put(&one, ada(), "notes.put").await, None);
    assert_eq!(put(&two, ada(), "notes.put").await, REFUSED);
}

#[tokio::test]
async fn settings_that_cannot_be_kept_are_refused() {
    let build = |change: fn(&mut tool_connect_hub::HubSettings)| {
        tool_connect_hub::Hub::builder().configure(change).build().err().map(|e| e.kind())
    };
    assert_eq!(build(|s| s.limits.user = Some(Rate::new(1, Duration::ZERO))), Some(ErrorKind::Config));
    let none = build(|s| {
        s.limits.quotas = vec![Quota { of: QuotaOf::User, limit: 1, window: Duration::from_millis(999) }];
    });
    assert_eq!(none, Some(ErrorKind::Config));
}

#[tokio::test]
async fn a_rate_of_nothing_closes_until_it_is_raised() {
    let hub = notes(&Arc::default());
    hub.limits().set(LimitOf::Tenant, Rate::per_minute(0)).unwrap();
    let closed = error(hub.session(ada()).call("notes.put", "{}").await);
    assert_eq!((closed.kind(), closed.retry_advice()), (ErrorKind::RateLimited, Retry::Never));
    hub.limits().set(LimitOf::Tenant, Rate::per_minute(1)).unwrap();
    assert_eq!(put(&hub, ada(), "notes.put").await, None);
}

/// A clock that goes with tokio's, which a test pauses.
#[derive(Debug)]
struct Tokio(Instant);

impl Clock for Tokio {
    fn monotonic(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap() + 1
    }
    fn now(&self) -> std::time::SystemTime {
        std::time::UNIX_EPOCH + self.0.elapsed()
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_a_rate_within_its_budget_and_not_beyond() {
    let hub = Hub::builder()
        .clock(Arc::new(Tokio(Instant::now())))
        .connector(Kit::new("notes").dynamic(counting(&Runs::default())))
        .configure(|s| {
            s.limits.user = Some(Rate::per_second(1));
            s.limits.wait = Duration::from_millis(1500);
        })
        .build()
        .unwrap();
    let session = hub.session(ada());
    let began = Instant::now();
    session.call("notes.put", "{}").await.unwrap();
    session.call("notes.put", "{}").await.unwrap();
    let waited = began.elapsed();
    assert!(waited >= Duration::from_secs(1) && waited < Duration::from_millis(1100), "{waited:?}");

    // The next place is a second away, the one after it two: only one of two callers may wait.
    let (first, second) = tokio::join!(session.call("notes.put", "{}"), session.call("notes.put", "{}"));
    // Which of the two is looked at first, when the place is there, is the runtime's choice.
    let (served, refused) = if first.is_ok() { (first, second) } else { (second, first) };
    served.unwrap();
    assert_eq!(kind(refused), ErrorKind::RateLimited);
    assert!(began.elapsed() < Duration::from_millis(2200), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_place_is_waited_for_and_given_back_however_a_call_ends() {
    let manifest = ConnectorManifest::new("notes", semver::Version::new(1, 0, 0), "Notes")
        .limits(ConnectorLimits::default().concurrency(1));
    let tool = read("do", |arguments, _| async move {
        match arguments["end"].as_str() {
            Some("never") => std::future::pending().await,
            Some("panic") => panic!("on purpose"),
            Some("fail") => Err(tool_connect_core::Error::new(ErrorKind::Provider, "no")),
            _ => {
                tokio::time::sleep(Duration::from_secs(1)).await;
                ToolOutput::of(&0)
            }
        }
    });
    let hub = quiet(&Arc::default())
        .connector(Kit::of(manifest).dynamic(tool))
        .configure(|s| s.concurrency_wait = Duration::from_secs(5))
        .build()
        .unwrap();
    let session = hub.session(ada());
    let began = Instant::now();
    let (a, b, c) = tokio::join!(
        session.call("notes.do", "{}"),
        session.call("notes.do", "{}"),
        session.call("notes.do", "{}")
    );
    assert_eq!((number(a), number(b), number(c)), (0, 0, 0));
    assert_eq!(began.elapsed().as_secs(), 3);

    for end in ["panic", "fail"] {
        assert!(session.call("notes.do", serde_json::json!({ "end": end })).await.is_err());
        session.call("notes.do", "{}").await.unwrap();
    }
    let holder = tokio::spawn({
        let session = session.clone();
        async move { session.call("notes.do", r#"{"end":"never"}"#).await }
    });
    tokio::task::yield_now().await;
    let busy = error(session.call("notes.do", "{}").await);
    assert_eq!((busy.kind(), busy.effect_on_provider()), (ErrorKind::Overloaded, Effect::NotExecuted));
    holder.abort();
    assert!(holder.await.is_err());
    session.call("notes.do", "{}").await.unwrap();
}
