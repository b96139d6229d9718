//! Opened secrets in the trail.

use tool_connect_core::{AgentId, Owner, SecretAccess, SecretAccessLog, SecretOpened};

use super::super::{AuditMode, OpenedSecret, SYSTEM_USER, SecretLog};
use super::*;

async fn open(log: &SecretLog, tenant: &str, access: &SecretAccess) -> Result<()> {
    let opened = SecretOpened {
        time: from_unix_millis(START),
        tenant: &tenant_id(tenant),
        subject: &Owner::User(user_id("ada")),
        record: "connection:c-17",
        field: "secret",
        key_id: "2026-11",
        access,
    };
    log.opened(&opened).await
}

fn bound(scene: &Scene) -> SecretLog {
    let log = SecretLog::new();
    log.bind(&scene.trail).unwrap();
    log
}

#[tokio::test]
async fn an_opened_secret_stands_in_the_chain_before_it_is_handed_out() {
    let scene = scene(AuditMode::FailClosed);
    let log = bound(&scene);
    let agent = scene.ada.as_ref().clone().acting_through("bot").unwrap();
    open(&log, "acme", &SecretAccess::by(&agent, "call")).await.unwrap();
    assert_eq!(scene.store.stored("acme").await.len(), 1, "durable already");
    open(&log, "acme", &SecretAccess::system("refresher", "refresh")).await.unwrap();

    let records = scene.audit.records(&tenant_id("acme"), 1, 10).await.unwrap();
    let secret = |purpose: &str| {
        Some(OpenedSecret {
            subject: "user:ada".into(),
            record: "connection:c-17".into(),
            field: "secret".into(),
            key_id: "2026-11".into(),
            purpose: purpose.into(),
        })
    };
    assert_eq!((records[0].kind, &records[0].secret), (EntryKind::Secret, &secret("call")));
    assert_eq!(
        (records[0].user.as_str(), records[0].agent.as_ref().map(AgentId::as_str)),
        ("ada", Some("bot"))
    );
    assert_eq!(records[0].call, None);
    assert_eq!((records[1].user.as_str(), &records[1].secret), (SYSTEM_USER, &secret("refresh")));
    scene.assert_intact("acme", 2).await;
}

#[tokio::test]
async fn nothing_opens_where_nothing_can_be_written() {
    let access = SecretAccess::system("refresher", "refresh");
    let error = open(&SecretLog::new(), "acme", &access).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuditUnavailable);

    let scene = scene(AuditMode::FailClosed);
    let log = bound(&scene);
    scene.store.set_failing(true);
    let error = open(&log, "acme", &access).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuditUnavailable);
}

#[tokio::test]
async fn a_principal_of_another_tenant_opens_nothing() {
    let scene = scene(AuditMode::FailClosed);
    let error = open(&bound(&scene), "globex", &SecretAccess::by(&scene.ada, "call")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(scene.store.stored("globex").await.is_empty());
}

#[test]
fn a_log_belongs_to_one_hub() {
    let (one, other) = (scene(AuditMode::Off), scene(AuditMode::Off));
    let log = bound(&one);
    assert_eq!(log.bind(&other.trail).unwrap_err().kind(), ErrorKind::Config);
}
