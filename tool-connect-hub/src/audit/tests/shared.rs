//! Several trails, as several processes have them, on one store.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_writers_share_one_chain_without_forks() {
    let store = Arc::new(Wayward::default());
    let settings = AuditSettings { batch: 8, linger: Duration::ZERO, ..AuditSettings::default() };
    let scenes: Vec<_> = (0..4).map(|_| Arc::new(Scene::on(Arc::clone(&store), settings.clone()))).collect();
    let mut tasks = Vec::new();
    for (process, scene) in scenes.iter().enumerate() {
        for lane in 0..4 {
            let scene = Arc::clone(scene);
            tasks.push(tokio::spawn(async move {
                for step in 0..50 {
                    let number = (process * 1_000 + lane * 100 + step) as u64;
                    scene.record(&scene.ada, 10_000 + number);
                    scene.trail.commit(&scene.intent(number)).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }));
        }
    }
    for task in tasks {
        task.await.unwrap();
    }
    for scene in &scenes {
        scene.trail.shutdown().await.unwrap();
        assert!(scene.failures().is_empty(), "{:?}", scene.failures());
    }
    scenes[0].assert_intact("acme", 1_600).await;
    let mut calls = scenes[0].calls("acme").await;
    calls.sort();
    calls.dedup();
    assert_eq!(calls.len(), 1_600, "a record was lost or written twice");
}

#[tokio::test(start_paused = true)]
async fn a_writer_goes_on_behind_another_one() {
    let store = Arc::new(Wayward::default());
    let first = Scene::on(Arc::clone(&store), AuditSettings::default());
    let second = Scene::on(store, AuditSettings::default());
    for number in 0..6 {
        let scene = if number % 2 == 0 { &first } else { &second };
        scene.trail.commit(&scene.intent(number)).await.unwrap();
    }
    first.assert_intact("acme", 6).await;
    assert_eq!(second.calls("acme").await, (0..6).map(call).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_batch_holds_each_tenants_records_in_a_chain_of_its_own() {
    let scene = scene(AuditMode::FailClosed);
    let others: Vec<_> = (0..10).map(|n| person(&format!("tenant{n}"), "ada")).collect();
    for number in 0..100 {
        scene.record(&others[number as usize % 10], number);
    }
    scene.trail.flush().await.unwrap();
    assert_eq!(scene.store.appends.load(Ordering::SeqCst), 1);
    for n in 0..10 {
        let tenant = format!("tenant{n}");
        scene.assert_intact(&tenant, 10).await;
        assert_eq!(scene.calls(&tenant).await, (0..10).map(|i| call(i * 10 + n)).collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
async fn a_chain_that_was_rolled_back_below_what_was_written_is_told() {
    let scene = scene(AuditMode::FailClosed);
    for number in 0..5 {
        scene.trail.commit(&scene.intent(number)).await.unwrap();
    }
    // The store comes back from a backup of an hour ago.
    let kept = scene.store.segments("acme").await;
    scene.store.replace("acme", &kept[..2], Vec::new()).await;
    scene.trail.commit(&scene.intent(5)).await.unwrap();
    assert_eq!(scene.failures(), [(ErrorKind::Conflict, 3)]);
    let now = scene.store.segments("acme").await;
    assert_eq!((now.len(), now[1].hash), (3, kept[1].hash));
}
