//! Settings from a file: every key, and no other.

use std::time::Duration;

use tool_connect_core::{ErrorKind, Rate};
use tool_connect_hub::audit::AuditMode;
use tool_connect_hub::{ApproveWhen, Hub, HubSettings, QuotaOf};

const WHOLE: &str = r#"
    default_timeout = "20s"
    max_argument_bytes = 1000
    max_result_bytes = 2000
    result_keep = "1h"
    idempotency_keep = "2h"
    approval_ttl = "3h"
    memory = "5s"
    concurrency_wait = "250ms"
    store_timeout = "4s"
    metrics = true

    [limits]
    tenant = { permits = 1, period = "1s" }
    user = { permits = 60, period = "1m", burst = 10 }
    instance = { permits = 3, period = "1h" }
    connection = { permits = 4, period = "1day" }
    plans.pro = { permits = 1000, period = "1m" }
    quotas = [{ of = "tenant", limit = 100000, window = "1day" }, { of = "user", limit = 1, window = "1s" }]
    wait = "200ms"

    [policy]
    roles.reader = ["files.read", "notes.*"]
    approve = "anyone_destroys"
    always_approve = ["bank.pay"]

    [audit]
    mode = "fail_open"
    queue = 100
    batch = 10
    linger = "1ms"
    timeout = "2s"
    checkpoint_every = 0
    hash_arguments = false

    [cache]
    max_bytes = 0
"#;

#[test]
fn every_key_is_read() {
    let settings = HubSettings::from_toml(WHOLE).unwrap();
    assert_eq!(settings.default_timeout, Some(Duration::from_secs(20)));
    assert_eq!((settings.max_argument_bytes, settings.max_result_bytes), (1000, 2000));
    assert_eq!(settings.result_keep, Duration::from_secs(3600));
    assert_eq!(settings.idempotency_keep, Duration::from_secs(7200));
    assert_eq!(settings.approval_ttl, Duration::from_secs(10_800));
    assert_eq!(settings.memory, Duration::from_secs(5));
    assert_eq!(settings.concurrency_wait, Duration::from_millis(250));
    assert_eq!(settings.store_timeout, Duration::from_secs(4));
    assert!(settings.metrics);
    let limits = &settings.limits;
    assert_eq!(limits.tenant, Some(Rate::per_second(1)));
    assert_eq!(limits.user, Some(Rate::per_minute(60).burst(10)));
    assert_eq!(limits.instance, Some(Rate::new(3, Duration::from_secs(3600))));
    assert_eq!(limits.connection, Some(Rate::new(4, Duration::from_secs(86_400))));
    assert_eq!(limits.plans["pro"], Rate::per_minute(1000));
    assert_eq!(
        limits.quotas.iter().map(|q| (q.of, q.limit)).collect::<Vec<_>>(),
        [(QuotaOf::Tenant, 100_000), (QuotaOf::User, 1)]
    );
    assert_eq!(limits.wait, Duration::from_millis(200));
    assert_eq!(settings.policy.approve, ApproveWhen::AnyoneDestroys);
    assert_eq!(settings.policy.roles["reader"].len(), 2);
    assert_eq!(settings.policy.always_approve[0].as_str(), "bank.pay");
    let audit = &settings.audit;
    assert_eq!((audit.mode, audit.queue, audit.batch), (AuditMode::FailOpen, 100, 10));
    assert_eq!((audit.linger, audit.timeout), (Duration::from_millis(1), Duration::from_secs(2)));
    assert_eq!((audit.checkpoint_every, audit.hash_arguments), (0, false));
    assert_eq!(settings.cache.max_bytes, 0);
    Hub::builder().settings(settings).build().unwrap();
}

#[test]
fn nothing_at_all_means_the_defaults() {
    let (empty, default) = (HubSettings::from_toml("").unwrap(), HubSettings::default());
    assert_eq!(format!("{empty:?}"), format!("{default:?}"));
    assert_eq!(default.audit.mode, AuditMode::FailClosed);
}

#[test]
fn the_documented_file_is_the_default_and_its_examples_are_read() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/settings.md");
    let page = std::fs::read_to_string(page).unwrap();
    let file = page.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let written = HubSettings::from_toml(file).unwrap();
    assert_eq!(format!("{written:?}"), format!("{:?}", HubSettings::default()));
    // Every key that the page leaves out shows how it is written.
    let examples: String = file
        .lines()
        .map(|line| line.strip_prefix("# ").unwrap_or(line))
        .map(|line| format!("{line}\n"))
        .collect();
    let all = HubSettings::from_toml(&examples).unwrap();
    assert!(all.limits.connection.is_some() && all.limits.plans.contains_key("pro"), "{all:?}");
    assert_eq!(all.http.user_agent, "my-app/1.0");
    assert!(all.http.breaker.slow_call.is_some(), "{all:?}");
}

#[test]
fn a_key_that_is_unknown_or_malformed_is_refused_with_its_place() {
    for (text, named) in [
        ("defalt_timeout = '1s'", "defalt_timeout"),
        ("[limits]\nusers = { permits = 1, period = '1s' }", "users"),
        ("[limits]\nuser = { permits = 1, period = '1s', brust = 2 }", "brust"),
        ("[policy]\nrole.reader = []", "role"),
        ("[policy]\nroles.reader = ['not a tool']", "line 2"),
        ("[policy]\napprove = 'sometimes'", "sometimes"),
        ("[audit]\nmode = 'shut'", "shut"),
        ("[cache]\nbytes = 1", "bytes"),
        ("[http]\nfollow = 'everything'", "follow"),
        ("default_timeout = 5", "line 1"),
        ("default_timeout = 'soon'", "line 1"),
        ("memory = '-1s'", "line 1"),
    ] {
        let refused = HubSettings::from_toml(text).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config);
        assert!(refused.to_string().contains(named), "{text}: {refused}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let refused = HubSettings::from_file("no/such/settings.toml").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Config);
    assert!(refused.to_string().contains("no/such/settings.toml"), "{refused}");
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let refused = HubSettings::from_file(here).unwrap_err();
    assert!(refused.to_string().contains("Cargo.toml"), "{refused}");
}
