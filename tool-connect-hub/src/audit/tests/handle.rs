//! Export, erasure, retention, checkpoints on demand.

use tool_connect_core::Served;

use super::super::ArgumentsHash;
use super::*;

fn with<'a>(scene: &'a Scene, principal: &'a Arc<Principal>, arguments: &'a Arguments) -> AuditEntry<'a> {
    AuditEntry { arguments: Some(arguments), ..scene.outcome(principal, 1) }
}

async fn hashes(scene: &Scene) -> Vec<Option<ArgumentsHash>> {
    let records = scene.audit.records(&tenant_id("acme"), 1, 100).await.unwrap();
    records.into_iter().map(|record| record.arguments).collect()
}

#[tokio::test]
async fn an_export_holds_every_row_of_a_persons_and_none_of_anothers() {
    let scene = scene(AuditMode::FailClosed);
    // Ids that a careless store would mix up.
    let people =
        [person("acme", "ada"), person("acme", "ada2"), person("acme", "Ada"), person("other", "ada")];
    for number in 0..4_400 {
        scene.record(&people[number as usize % 4], number);
    }
    let mine = scene.audit.export_user(&tenant_id("acme"), &user_id("ada")).await.unwrap();
    assert_eq!(
        mine.iter().filter_map(|r| r.call.clone()).collect::<Vec<_>>(),
        (0..1_100).map(|n| call(n * 4)).collect::<Vec<_>>()
    );
    assert!(mine.iter().all(|r| r.user.as_str() == "ada" && r.tenant.as_str() == "acme"));
    let json = serde_json::to_value(&mine[0]).unwrap();
    assert_eq!(
        (&json["user"], &json["kind"], &json["outcome"]),
        (&"ada".into(), &"outcome".into(), &"ok".into())
    );
    assert!(scene.audit.export_user(&tenant_id("acme"), &user_id("nobody")).await.unwrap().is_empty());
}

#[tokio::test]
async fn arguments_are_hashed_under_a_key_of_the_persons() {
    let scene = scene(AuditMode::FailClosed);
    let bob = person("acme", "bob");
    let short = text(r#"{"to":"ada@example.com"}"#);
    let long = text(&format!("{{\"body\":\"{}\"}}", "x".repeat(10_000)));
    let typed = Arguments::typed(serde_json::json!({ "to": "ada@example.com" }));
    for entry in [
        with(&scene, &scene.ada, &short),
        with(&scene, &bob, &short),
        with(&scene, &scene.ada, &short),
        with(&scene, &scene.ada, &typed),
        with(&scene, &scene.ada, &long),
    ] {
        scene.trail.record(&entry).unwrap();
    }
    let found = hashes(&scene).await;
    assert_eq!(found[0], found[2], "the same arguments of the same person");
    assert_eq!(found[0], found[3], "typed arguments are hashed as their JSON");
    assert_ne!(found[0], found[1], "another person has another key");
    let Some(ArgumentsHash::Keyed(hash)) = found[0] else { panic!("{found:?}") };
    assert_ne!(hash, super::super::chain::sha256(br#"{"to":"ada@example.com"}"#), "not guessable");
    for (arguments, place) in [(&short, 0), (&typed, 3), (&long, 4)] {
        let again = scene.audit.arguments_hash(&tenant_id("acme"), &user_id("ada"), arguments).await.unwrap();
        assert_eq!(again.map(ArgumentsHash::Keyed), found[place]);
    }
}

#[tokio::test]
async fn hashing_can_be_switched_off() {
    let scene =
        Scene::on(Arc::default(), AuditSettings { hash_arguments: false, ..AuditSettings::default() });
    let arguments = text("{}");
    scene.trail.record(&with(&scene, &scene.ada, &arguments)).unwrap();
    assert_eq!(hashes(&scene).await, [None]);
}

#[tokio::test]
async fn arguments_that_panic_when_written_do_not_take_the_writer_along() {
    #[derive(Clone)]
    struct Bad(bool);
    impl serde::Serialize for Bad {
        fn serialize<S: serde::Serializer>(&self, _: S) -> std::result::Result<S::Ok, S::Error> {
            if self.0 { panic!("the author's") } else { Err(serde::ser::Error::custom("no")) }
        }
    }
    let scene = scene(AuditMode::FailClosed);
    for panics in [true, false] {
        let arguments = Arguments::typed(Bad(panics));
        scene.trail.record(&with(&scene, &scene.ada, &arguments)).unwrap();
    }
    scene.trail.commit(&scene.intent(2)).await.unwrap();
    assert_eq!(
        hashes(&scene).await,
        [Some(ArgumentsHash::Unreadable), Some(ArgumentsHash::Unreadable), None]
    );
}

#[tokio::test]
async fn erasure_destroys_the_key_and_the_chain_still_verifies() {
    let scene = scene(AuditMode::FailClosed);
    let (tenant, ada) = (tenant_id("acme"), user_id("ada"));
    let arguments = text(r#"{"to":"ada@example.com"}"#);
    scene.trail.record(&with(&scene, &scene.ada, &arguments)).unwrap();
    assert!(scene.audit.erase(&tenant, &ada).await.unwrap());
    scene.trail.record(&with(&scene, &scene.ada, &arguments)).unwrap();
    let found = hashes(&scene).await;
    assert!(matches!(found[0], Some(ArgumentsHash::Keyed(_))), "what was queued before is sealed as before");
    assert_eq!(found[1..], [None, Some(ArgumentsHash::Erased)]);
    let records = scene.audit.export_user(&tenant, &ada).await.unwrap();
    assert_eq!((records[1].kind, records[1].outcome), (EntryKind::Erasure, Some(Outcome::Ok)));
    assert_eq!(scene.audit.arguments_hash(&tenant, &ada, &arguments).await.unwrap(), None);
    assert!(!scene.audit.erase(&tenant, &ada).await.unwrap(), "there is nothing left to destroy");
    scene.assert_intact("acme", 4).await;
}

#[tokio::test]
async fn an_erasure_by_another_process_is_noticed_within_a_minute() {
    let scene = scene(AuditMode::FailClosed);
    let arguments = text("{}");
    for wait in [0, 59, 2] {
        scene.clock.advance(Duration::from_secs(wait));
        scene.trail.record(&with(&scene, &scene.ada, &arguments)).unwrap();
        scene.trail.flush().await.unwrap();
        scene.store.erase_subject(&tenant_id("acme"), &user_id("ada")).await.unwrap();
    }
    let found = hashes(&scene).await;
    assert_eq!(found[0], found[1]);
    assert_eq!(found[2], Some(ArgumentsHash::Erased));
}

#[tokio::test]
async fn pruning_signs_first_and_verification_goes_on_from_there() {
    let scene = scene(AuditMode::FailClosed);
    let tenant = tenant_id("acme");
    for number in 1..=20 {
        scene.record(&scene.ada, number);
        if number % 5 == 0 {
            scene.trail.flush().await.unwrap();
        }
    }
    assert_eq!(scene.audit.prune(&tenant, 1).await.unwrap(), 0);
    assert_eq!(scene.audit.prune(&tenant, 5).await.unwrap(), 0, "the fifth record's segment stays whole");
    assert_eq!(scene.audit.prune(&tenant, 8).await.unwrap(), 5);
    assert_eq!(scene.audit.verify(&tenant, &[]).await.unwrap().intact().unwrap().first, 6);
    assert_eq!(scene.audit.prune(&tenant, 11).await.unwrap(), 5);
    assert_eq!(scene.audit.prune(&tenant, 11).await.unwrap(), 0, "twice is once");
    let seen = scene.audit.verify(&tenant, &[]).await.unwrap().intact().unwrap();
    assert_eq!((seen.first, seen.records, seen.checkpoints), (11, 10, 0));
    scene.record(&scene.ada, 21);
    assert_eq!(scene.audit.prune(&tenant, u64::MAX).await.unwrap(), 10, "the last segment stays");
    let seen = scene.audit.verify(&tenant, &[]).await.unwrap().intact().unwrap();
    assert_eq!((seen.first, seen.records), (21, 1));
    scene.trail.commit(&scene.intent(22)).await.unwrap();
    scene.assert_intact("acme", 2).await;
}

#[tokio::test]
async fn what_does_not_verify_is_neither_pruned_nor_signed() {
    let scene = scene(AuditMode::FailClosed);
    let tenant = tenant_id("acme");
    for number in 1..=10 {
        scene.record(&scene.ada, number);
        scene.trail.flush().await.unwrap();
    }
    let mut segments = scene.store.segments("acme").await;
    segments[4] = doctored(&segments[4], |records| records[0].millis += 1);
    scene.store.replace("acme", &segments, Vec::new()).await;
    assert_eq!(scene.audit.prune(&tenant, 8).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(scene.audit.checkpoint(&tenant).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(scene.store.stored("acme").await.len(), 10);
    assert!(scene.store.checkpoints(&tenant).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_checkpoint_on_demand_holds_what_was_recorded_before_it() {
    let scene = scene(AuditMode::FailClosed);
    let tenant = tenant_id("acme");
    assert_eq!(scene.audit.checkpoint(&tenant).await.unwrap_err().kind(), ErrorKind::NotFound);
    scene.record(&scene.ada, 1);
    let first = scene.audit.checkpoint(&tenant).await.unwrap();
    assert_eq!(first.head.sequence, 1);
    assert_eq!(scene.audit.checkpoint(&tenant).await.unwrap(), first, "nothing new to sign");
    scene.record(&scene.ada, 2);
    let second = scene.audit.checkpoint(&tenant).await.unwrap();
    assert_eq!(second.head.sequence, 2);
    // The end is cut off, also in the store's checkpoints.
    let kept = scene.store.segments("acme").await;
    scene.store.replace("acme", &kept[..1], vec![first.clone()]).await;
    assert!(scene.audit.verify(&tenant, &[]).await.unwrap().is_intact());
    let seen = scene.audit.verify(&tenant, std::slice::from_ref(&second)).await.unwrap();
    assert_eq!(seen.findings, [super::super::Finding::Truncated { last: 1, reached: 2 }]);
    // With the later checkpoint still there, nobody is made to sign the shorter chain.
    scene.store.replace("acme", &kept[..1], vec![first, second]).await;
    assert_eq!(scene.audit.checkpoint(&tenant).await.unwrap_err().kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn records_of_a_segment_are_read_from_any_number_on() {
    let scene = scene(AuditMode::FailClosed);
    for number in 1..=6 {
        scene.record(&scene.ada, number);
        if number % 3 == 0 {
            scene.trail.flush().await.unwrap();
        }
    }
    let read = async |from, limit| {
        let records = scene.audit.records(&tenant_id("acme"), from, limit).await.unwrap();
        records.into_iter().map(|record| record.sequence).collect::<Vec<_>>()
    };
    assert_eq!(read(2, 3).await, [2, 3, 4]);
    assert_eq!(read(5, 9).await, [5, 6]);
    assert_eq!(read(3, 1).await, [3]);
    assert!(read(7, 1).await.is_empty());
}

#[tokio::test]
async fn a_record_says_what_the_call_stack_said() {
    let scene = scene(AuditMode::FailClosed);
    let bot = Arc::new(Principal::clone(&scene.ada).acting_through("bot").unwrap());
    let connection = tool_connect_core::ConnectionId::new("c1").unwrap();
    let approval = tool_connect_core::ApprovalId::new("a1").unwrap();
    scene.clock.advance(Duration::from_millis(1_500));
    let entry = AuditEntry {
        connection: Some(&connection),
        approval: Some(&approval),
        outcome: Some(Outcome::Error(ErrorKind::Provider)),
        effect: Some(tool_connect_core::Effect::Unknown),
        served: Served::Replay,
        took: 77,
        trace: Some("4bf92f3577b34da6a3ce929d0e0e4736"),
        ..scene.outcome(&bot, 5)
    };
    scene.trail.record(&entry).unwrap();
    // It is sealed later; what counts is when it was made.
    scene.clock.advance(Duration::from_secs(60));
    let record = scene.audit.records(&tenant_id("acme"), 1, 1).await.unwrap().remove(0);
    assert_eq!((record.sequence, record.millis), (1, START + 1_500));
    assert_eq!(record.agent.unwrap().as_str(), "bot");
    assert_eq!((record.tool.unwrap(), record.definition), (scene.tool.id.clone(), Some([0xab; 32])));
    assert_eq!((record.connection, record.approval), (Some(connection), Some(approval)));
    assert_eq!(record.outcome, Some(Outcome::Error(ErrorKind::Provider)));
    assert_eq!((record.effect, record.served), (Some(tool_connect_core::Effect::Unknown), Served::Replay));
    assert_eq!((record.took_ns, record.call), (77, Some(call(5))));
    assert_eq!(record.trace.as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
}
