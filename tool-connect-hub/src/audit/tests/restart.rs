//! Runtimes that come and go.

use super::*;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

#[test]
fn a_trail_outlives_the_runtime_that_started_its_task() {
    let scene = scene(AuditMode::FailClosed);
    let first = runtime();
    first.block_on(async { scene.record(&scene.ada, 1) });
    drop(first); // With the task, which never had its turn.
    let second = runtime();
    second.block_on(async {
        scene.record(&scene.ada, 2);
        let written = async {
            while scene.store.stored("acme").await.len() < 2 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), written).await.expect("no task writes");
    });
}

#[test]
fn a_runtime_that_ends_in_the_middle_of_an_append_loses_and_repeats_nothing() {
    let scene = Scene::on(Arc::new(Wayward::gated()), AuditSettings::default());
    let first = runtime();
    first.block_on(async {
        scene.record(&scene.ada, 1);
        while scene.store.appends.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    drop(first);
    scene.store.gate.as_ref().unwrap().add_permits(10);
    runtime().block_on(async {
        scene.trail.commit(&scene.intent(2)).await.unwrap();
        assert_eq!(scene.calls("acme").await, [call(1), call(2)]);
    });
}

#[test]
fn a_task_whose_runtime_stands_still_holds_nobody_up() {
    let scene = scene(AuditMode::FailClosed);
    let idle = runtime();
    idle.block_on(async { scene.record(&scene.ada, 1) });
    // `idle` is still there but nobody drives it.
    runtime().block_on(async {
        scene.trail.commit(&scene.intent(2)).await.unwrap();
        assert_eq!(scene.calls("acme").await, [call(1), call(2)]);
    });
    drop(idle);
}

#[test]
fn records_made_outside_of_a_runtime_wait_for_one() {
    let scene = scene(AuditMode::FailClosed);
    scene.record(&scene.ada, 1);
    runtime().block_on(async {
        scene.record(&scene.ada, 2);
        scene.trail.flush().await.unwrap();
        assert_eq!(scene.calls("acme").await, [call(1), call(2)]);
    });
}
