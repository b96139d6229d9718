//! Putting down, waiting, failing, recovering.

use super::*;

fn small(mode: AuditMode) -> AuditSettings {
    // One record per shard, however many shards this machine makes.
    AuditSettings { mode, queue: 1, batch: 4, ..AuditSettings::default() }
}

#[tokio::test(start_paused = true)]
async fn a_record_is_written_by_itself_after_the_linger() {
    let scene = scene(AuditMode::FailClosed);
    scene.record(&scene.ada, 1);
    assert!(scene.store.stored("acme").await.is_empty(), "nothing is written on the caller's path");
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(scene.store.stored("acme").await.len(), 1);
    // The task has ended meanwhile; another one starts.
    tokio::time::sleep(Duration::from_secs(1)).await;
    scene.record(&scene.ada, 2);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(scene.store.stored("acme").await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn company_goes_to_the_store_together() {
    let scene = scene(AuditMode::FailClosed);
    for number in 0..100 {
        scene.record(&scene.ada, number);
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(scene.store.stored("acme").await.len(), 100);
    assert_eq!(scene.store.appends.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_commit_is_durable_before_it_returns() {
    let scene = scene(AuditMode::FailClosed);
    for number in 1..=3 {
        scene.trail.commit(&scene.intent(number)).await.unwrap();
        assert_eq!(scene.store.stored("acme").await.len() as u64, number);
    }
}

#[tokio::test(start_paused = true)]
async fn a_commit_waits_for_the_store() {
    let scene = Scene::on(Arc::new(Wayward::gated()), AuditSettings::default());
    let intent = scene.intent(1);
    let mut commit = std::pin::pin!(scene.trail.commit(&intent));
    let early = tokio::time::timeout(Duration::from_secs(1), &mut commit).await;
    assert!(early.is_err(), "it returned before the store had the record");
    scene.store.gate.as_ref().unwrap().add_permits(1);
    commit.await.unwrap();
    assert_eq!(scene.store.stored("acme").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn commits_that_wait_are_written_together() {
    let scene = Arc::new(Scene::on(Arc::new(Wayward::gated()), AuditSettings::default()));
    let commits: Vec<_> = (0..50)
        .map(|number| {
            let scene = Arc::clone(&scene);
            tokio::spawn(async move { scene.trail.commit(&scene.intent(number)).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(1)).await;
    scene.store.gate.as_ref().unwrap().add_permits(100);
    for commit in commits {
        commit.await.unwrap().unwrap();
    }
    assert_eq!(scene.store.stored("acme").await.len(), 50);
    let appends = scene.store.appends.load(Ordering::SeqCst);
    assert!(appends <= 2, "{appends} appends for 50 commits");
}

#[tokio::test(start_paused = true)]
async fn the_store_has_the_next_append_before_those_who_are_done_go_on() {
    let scene = Scene::on(Arc::new(Wayward::gated()), AuditSettings::default());
    let (gate, appends) = (scene.store.gate.as_ref().unwrap(), &scene.store.appends);
    // The chain's head and the person's key are known from the first on.
    gate.add_permits(1);
    scene.trail.commit(&scene.intent(1)).await.unwrap();
    let (second, third, fourth) = (scene.intent(2), scene.intent(3), scene.intent(4));
    let mut second = Box::pin(scene.trail.commit(&second));
    let mut third = Box::pin(scene.trail.commit(&third));
    assert!(poll(second.as_mut()).is_pending() && poll(third.as_mut()).is_pending());
    assert_eq!(appends.load(Ordering::SeqCst), 2);
    gate.add_permits(1);
    assert!(poll(second.as_mut()).is_ready());
    assert_eq!(appends.load(Ordering::SeqCst), 3, "nobody had to come for the third");
    assert!(poll(third.as_mut()).is_pending(), "it is not durable yet");
    assert_eq!(scene.store.stored("acme").await.len(), 2);
    // Nobody waits for it any more; it is written all the same, and once.
    drop(third);
    gate.add_permits(10);
    scene.trail.commit(&fourth).await.unwrap();
    assert_eq!(scene.calls("acme").await, [call(1), call(2), call(3), call(4)]);
    scene.assert_intact("acme", 4).await;
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_at_once_shares_an_append_with_the_others() {
    let scene = Arc::new(Scene::on(Arc::new(Wayward::gated()), AuditSettings::default()));
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let scene = Arc::clone(&scene);
            tokio::spawn(async move {
                for round in 0..10 {
                    scene.trail.commit(&scene.intent(caller * 100 + round)).await.unwrap();
                }
            })
        })
        .collect();
    while scene.store.stored("acme").await.len() < 80 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        scene.store.gate.as_ref().unwrap().add_permits(1);
    }
    for caller in callers {
        caller.await.unwrap();
    }
    // The first one went alone. Two halves that take turns would need twenty.
    let appends = scene.store.appends.load(Ordering::SeqCst);
    assert!(appends <= 12, "{appends} appends for ten rounds");
    scene.assert_intact("acme", 80).await;
}

#[tokio::test(start_paused = true)]
async fn the_task_does_not_come_between_those_who_share_an_append() {
    let settings = AuditSettings { linger: Duration::from_millis(1), ..AuditSettings::default() };
    let scene = Arc::new(Scene::on(Arc::new(Wayward::gated()), settings));
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let scene = Arc::clone(&scene);
            tokio::spawn(async move {
                for round in 0..20 {
                    scene.trail.commit(&scene.intent(caller * 100 + round)).await.unwrap();
                    for _ in 0..=caller {
                        tokio::task::yield_now().await;
                    }
                    scene.record(&scene.ada, caller * 100 + 50 + round);
                }
            })
        })
        .collect();
    while callers.iter().any(|caller| !caller.is_finished()) {
        tokio::time::sleep(Duration::from_millis(1)).await;
        scene.store.gate.as_ref().unwrap().add_permits(1);
    }
    let appends = scene.store.appends.load(Ordering::SeqCst);
    assert!(appends <= 24, "{appends} appends for twenty rounds");
}

#[tokio::test(start_paused = true)]
async fn who_leads_or_is_asked_to_and_goes_away_is_followed_by_another() {
    let scene = Scene::on(Arc::new(Wayward::gated()), AuditSettings::default());
    let [first, second, third] = [scene.intent(1), scene.intent(2), scene.intent(3)];
    let mut first = Box::pin(scene.trail.commit(&first));
    let mut second = Box::pin(scene.trail.commit(&second));
    let mut third = Box::pin(scene.trail.commit(&third));
    for commit in [&mut first, &mut second, &mut third] {
        assert!(poll(commit.as_mut()).is_pending());
    }
    drop(first);
    drop(second);
    scene.store.gate.as_ref().unwrap().add_permits(10);
    let std::task::Poll::Ready(durable) = poll(third.as_mut()) else { panic!("nobody leads") };
    durable.unwrap();
    assert_eq!(scene.calls("acme").await, [call(1), call(2), call(3)]);
}

#[tokio::test(start_paused = true)]
async fn who_waits_while_another_flushes_is_not_forgotten() {
    let scene = Scene::on(Arc::new(Wayward::gated()), AuditSettings::default());
    let (gate, intent) = (scene.store.gate.as_ref().unwrap(), scene.intent(2));
    scene.record(&scene.ada, 1);
    let mut flush = Box::pin(scene.trail.flush());
    assert!(poll(flush.as_mut()).is_pending());
    let mut commit = Box::pin(scene.trail.commit(&intent));
    assert!(poll(commit.as_mut()).is_pending());
    drop(flush);
    gate.add_permits(10);
    assert!(poll(commit.as_mut()).is_ready(), "nobody leads");
}

#[tokio::test(start_paused = true)]
async fn what_was_sealed_ahead_follows_another_process() {
    let store = Arc::new(Wayward::gated());
    let gate = store.gate.as_ref().unwrap();
    let settings = AuditSettings { batch: 2, ..AuditSettings::default() };
    let first = Scene::on(Arc::clone(&store), settings);
    gate.add_permits(1);
    first.trail.commit(&first.intent(0)).await.unwrap();
    for number in 1..=6 {
        first.record(&first.ada, number);
    }
    // The first pair waits at the gate and the second is sealed behind it, while another process appends.
    let mut flush = Box::pin(first.trail.flush());
    assert!(poll(flush.as_mut()).is_pending());
    let foreign = foreign(&store, "acme").await;
    let other = store.inner();
    assert_eq!(other.append(&[foreign]).await.unwrap(), [AuditAppend::Appended]);
    gate.add_permits(20);
    flush.await.unwrap();
    first.assert_intact("acme", 8).await;
    let written = (1..=6).map(call);
    assert_eq!(first.calls("acme").await, [call(0), call(0)].into_iter().chain(written).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_refuses_commits_and_loses_nothing() {
    let scene = scene(AuditMode::FailClosed);
    scene.record(&scene.ada, 1);
    scene.store.set_failing(true);
    let refused = scene.trail.commit(&scene.intent(2)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AuditUnavailable);
    assert_eq!(refused.effect_on_provider(), tool_connect_core::Effect::NotExecuted);
    assert!(refused.to_string().contains("the disk is full"), "{refused}");
    scene.record(&scene.ada, 3);
    tokio::time::sleep(Duration::from_secs(30)).await;
    let failures = scene.failures();
    assert!(
        failures.len() > 3 && failures.iter().all(|(kind, _)| *kind == ErrorKind::Storage),
        "{failures:?}"
    );
    assert!(failures.len() < 20, "it hammers the store: {failures:?}");
    assert_eq!(failures.last(), Some(&(ErrorKind::Storage, 3)));
    assert!(scene.store.stored("acme").await.is_empty());

    scene.store.set_failing(false);
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(scene.calls("acme").await, [call(1), call(2), call(3)]);
    scene.assert_intact("acme", 3).await;
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_hear_of_a_failure_at_once() {
    let scene = Arc::new(Scene::on(Arc::new(Wayward::gated()), AuditSettings::default()));
    let commits: Vec<_> = (0..20)
        .map(|number| {
            let scene = Arc::clone(&scene);
            tokio::spawn(async move { scene.trail.commit(&scene.intent(number)).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(1)).await;
    scene.store.set_failing(true);
    scene.store.gate.as_ref().unwrap().add_permits(1);
    for commit in commits {
        let refused = commit.await.unwrap().unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AuditUnavailable);
    }
    assert_eq!(scene.store.appends.load(Ordering::SeqCst), 1, "each waited for a failure of its own");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_answers_counts_as_failed() {
    let scene = Scene::on(Arc::new(Wayward::gated()), AuditSettings::default());
    let refused = scene.trail.commit(&scene.intent(1)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AuditUnavailable);
    scene.store.gate.as_ref().unwrap().add_permits(100);
    scene.trail.flush().await.unwrap();
    assert_eq!(scene.calls("acme").await, [call(1)]);
}

#[tokio::test(start_paused = true)]
async fn an_append_whose_answer_was_lost_is_not_repeated() {
    let scene = scene(AuditMode::FailClosed);
    scene.store.fails_after.store(true, Ordering::SeqCst);
    scene.trail.commit(&scene.intent(1)).await.unwrap_err();
    scene.record(&scene.ada, 2);
    scene.trail.flush().await.unwrap();
    assert_eq!(scene.calls("acme").await, [call(1), call(2)]);
    scene.assert_intact("acme", 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_goes_away_in_the_middle_leaves_the_work_to_others() {
    let scene = Scene::on(Arc::new(Wayward::gated()), AuditSettings::default());
    let intent = scene.intent(1);
    let gone = tokio::time::timeout(Duration::from_millis(1), scene.trail.commit(&intent)).await;
    assert!(gone.is_err());
    scene.store.gate.as_ref().unwrap().add_permits(100);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(scene.store.stored("acme").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn fail_closed_makes_the_caller_wait_for_room() {
    let scene = Scene::on(Arc::new(Wayward::gated()), small(AuditMode::FailClosed));
    scene.record(&scene.ada, 1);
    let second = scene.outcome(&scene.ada, 2);
    assert!(scene.trail.record(&second).is_err());
    let mut slow = std::pin::pin!(scene.trail.record_slow(&second));
    // The writer takes the first record out, so that there is room although the store still waits.
    tokio::time::timeout(Duration::from_millis(1), &mut slow).await.unwrap_err();
    scene.store.gate.as_ref().unwrap().add_permits(100);
    slow.await.unwrap();
    assert_eq!(scene.calls("acme").await, [call(1), call(2)]);
    assert!(scene.failures().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_goes_away_while_there_is_no_room_leaves_the_record() {
    let scene = Scene::on(Arc::new(Wayward::gated()), small(AuditMode::FailClosed));
    // The store has the first, the second fills the queue.
    let first = scene.intent(1);
    let mut commit = Box::pin(scene.trail.commit(&first));
    assert!(poll(commit.as_mut()).is_pending());
    scene.record(&scene.ada, 2);
    let third = scene.outcome(&scene.ada, 3);
    assert!(scene.trail.record(&third).is_err());
    let gone = tokio::time::timeout(Duration::from_millis(1), scene.trail.record_slow(&third)).await;
    assert!(gone.is_err());
    scene.store.gate.as_ref().unwrap().add_permits(100);
    commit.await.unwrap();
    scene.trail.flush().await.unwrap();
    assert_eq!(scene.calls("acme").await, [call(1), call(2), call(3)]);
}

#[tokio::test(start_paused = true)]
async fn fail_closed_with_a_full_queue_and_a_broken_store_says_so_and_counts() {
    let scene = Scene::on(Arc::default(), small(AuditMode::FailClosed));
    scene.store.set_failing(true);
    let mut refused = 0;
    for number in 0..10 {
        if let Err(error) = scene.trail.record_slow(&scene.outcome(&scene.ada, number)).await {
            assert_eq!(error.kind(), ErrorKind::AuditUnavailable);
            refused += 1;
        }
    }
    assert!(refused >= 8, "{refused}: memory is not bounded");
    scene.store.set_failing(false);
    scene.trail.flush().await.unwrap();
    let records = scene.audit.records(&tenant_id("acme"), 1, 100).await.unwrap();
    let lost: u64 = records.iter().filter_map(|record| record.lost).sum();
    let written = records.iter().filter(|record| record.kind == EntryKind::Outcome).count() as u64;
    assert_eq!((lost, written), (refused, 10 - refused));
}

#[tokio::test(start_paused = true)]
async fn fail_open_drops_counts_and_writes_how_many() {
    let scene = Scene::on(Arc::default(), small(AuditMode::FailOpen));
    let bob = person("other", "bob");
    scene.clock.advance(Duration::from_secs(10));
    for number in 0..10 {
        scene.record(&scene.ada, number);
        scene.clock.advance(Duration::from_secs(1));
    }
    scene.record(&bob, 99);
    scene.trail.flush().await.unwrap();
    let records = scene.audit.records(&tenant_id("acme"), 1, 100).await.unwrap();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0].call, Some(call(0)));
    assert_eq!((records[1].kind, records[1].lost), (EntryKind::Gap, Some(9)));
    assert_eq!(records[1].since, Some(START + 11_000));
    assert_eq!(records[1].user.as_str(), super::super::SYSTEM_USER);
    let others = scene.audit.records(&tenant_id("other"), 1, 100).await.unwrap();
    assert_eq!(others[0].lost, Some(1), "each tenant's gap is in its own chain");
    assert_eq!(scene.failures(), [(ErrorKind::Overloaded, 10)]);
    scene.assert_intact("acme", 2).await;
}

#[tokio::test(start_paused = true)]
async fn fail_open_goes_on_while_the_store_fails() {
    let scene = Scene::on(Arc::default(), small(AuditMode::FailOpen));
    scene.store.set_failing(true);
    for number in 0..5 {
        scene.trail.commit(&scene.intent(number)).await.unwrap();
    }
    scene.store.set_failing(false);
    tokio::time::sleep(Duration::from_secs(6)).await;
    let records = scene.audit.records(&tenant_id("acme"), 1, 100).await.unwrap();
    let lost: u64 = records.iter().filter_map(|record| record.lost).sum();
    assert_eq!(lost + records.iter().filter(|r| r.call.is_some()).count() as u64, 5);
    assert!(lost > 0);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_cannot_wait_has_a_reserve() {
    let scene = Scene::on(Arc::default(), small(AuditMode::FailClosed));
    scene.record(&scene.ada, 1);
    scene.trail.record_on_drop(&scene.outcome(&scene.ada, 2));
    scene.trail.record_on_drop(&scene.outcome(&scene.ada, 3));
    scene.trail.flush().await.unwrap();
    let records = scene.audit.records(&tenant_id("acme"), 1, 100).await.unwrap();
    assert_eq!(records[1].call, Some(call(2)));
    assert_eq!(records[2].lost, Some(1), "beyond the reserve it is counted");
}

#[tokio::test(start_paused = true)]
async fn off_records_nothing() {
    let scene = scene(AuditMode::Off);
    scene.record(&scene.ada, 1);
    scene.trail.commit(&scene.intent(2)).await.unwrap();
    scene.trail.shutdown().await.unwrap();
    assert!(scene.store.stored("acme").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn shutdown_drains_and_signs() {
    let scene = scene(AuditMode::FailClosed);
    for number in 0..3_000 {
        scene.record(&scene.ada, number);
    }
    scene.trail.shutdown().await.unwrap();
    assert_eq!(scene.store.stored("acme").await.len(), 3_000);
    let checkpoints = scene.store.checkpoints(&tenant_id("acme")).await.unwrap();
    assert_eq!(checkpoints.iter().map(|c| c.head.sequence).collect::<Vec<_>>(), [3_000]);
    scene.trail.shutdown().await.unwrap();
    assert_eq!(scene.store.checkpoints(&tenant_id("acme")).await.unwrap().len(), 1, "nothing new to sign");
    scene.record(&scene.ada, 3_000);
    scene.trail.shutdown().await.unwrap();
    assert_eq!(scene.store.stored("acme").await.len(), 3_001, "what comes late is written too");
}

#[tokio::test(start_paused = true)]
async fn shutdown_tries_again_and_then_says_so() {
    let scene = scene(AuditMode::FailClosed);
    scene.record(&scene.ada, 1);
    scene.store.set_failing(true);
    assert_eq!(scene.trail.shutdown().await.unwrap_err().kind(), ErrorKind::AuditUnavailable);
    scene.store.set_failing(false);
    scene.trail.shutdown().await.unwrap();
    assert_eq!(scene.store.stored("acme").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn checkpoints_are_signed_every_so_many_records() {
    let settings = AuditSettings { checkpoint_every: 10, batch: 4, ..AuditSettings::default() };
    let scene = Scene::on(Arc::default(), settings);
    for number in 0..25 {
        scene.record(&scene.ada, number);
        scene.trail.flush().await.unwrap();
    }
    let seen = scene.audit.verify(&tenant_id("acme"), &[]).await.unwrap().intact().unwrap();
    assert_eq!(seen.checkpoints, 2);
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_that_fails_is_told_once_and_holds_no_record_up() {
    let scene = Scene::on(Arc::default(), AuditSettings { checkpoint_every: 10, ..AuditSettings::default() });
    scene.store.fails_checkpoints.store(true, Ordering::SeqCst);
    for number in 0..15 {
        scene.trail.commit(&scene.intent(number)).await.unwrap();
    }
    assert_eq!(scene.failures(), [(ErrorKind::Storage, 0)]);
    scene.store.fails_checkpoints.store(false, Ordering::SeqCst);
    scene.trail.shutdown().await.unwrap();
    let checkpoints = scene.store.checkpoints(&tenant_id("acme")).await.unwrap();
    assert_eq!(checkpoints.iter().map(|c| c.head.sequence).collect::<Vec<_>>(), [15]);
}

#[tokio::test(start_paused = true)]
async fn records_of_all_threads_are_in_the_order_of_time() {
    let scene = scene(AuditMode::FailClosed);
    let at = |number: u64| AuditEntry { at: number * 1_000, ..scene.outcome(&scene.ada, number) };
    std::thread::scope(|threads| {
        for first in 0..4 {
            let (scene, at) = (&scene, &at);
            threads.spawn(move || {
                for step in 0..50 {
                    scene.trail.record(&at(step * 4 + first)).unwrap();
                }
            });
        }
    });
    scene.trail.flush().await.unwrap();
    assert_eq!(scene.calls("acme").await, (0..200).map(call).collect::<Vec<_>>());
}
