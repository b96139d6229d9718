//! An append behind another one that is under way, for stores that keep their order.

use std::pin::Pin;

use super::super::queue::{Queue, Room};
use super::super::wait::{self, Company, Waiter};
use super::*;

type Commit<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// The store has the second intent, and the third one behind it.
struct Behind {
    scene: &'static Scene,
    gate: Arc<Semaphore>,
    second: Commit<'static>,
    third: Commit<'static>,
}

async fn behind(detached: bool) -> Behind {
    let store = Wayward { ordered: true, detached, ..Wayward::gated() };
    let gate = Arc::clone(store.gate.as_ref().unwrap());
    let scene: &'static Scene = Box::leak(Box::new(Scene::on(Arc::new(store), AuditSettings::default())));
    // The chain's head and the person's key are known from the first on.
    gate.add_permits(1);
    scene.trail.commit(&scene.intent(1)).await.unwrap();
    let commit = |number| -> Commit<'static> {
        let intent: &'static AuditEntry<'static> = Box::leak(Box::new(scene.intent(number)));
        Box::pin(scene.trail.commit(intent))
    };
    let (mut second, mut third) = (commit(2), commit(3));
    // The second leads, and looks who follows while the store is busy.
    assert!(poll(second.as_mut()).is_pending() && poll(third.as_mut()).is_pending());
    assert_eq!(scene.store.appends.load(Ordering::SeqCst), 2);
    assert!(poll(second.as_mut()).is_pending());
    assert_eq!(scene.store.appends.load(Ordering::SeqCst), 3, "the third waits for the second to be durable");
    assert_eq!(scene.store.stored("acme").await.len(), 1);
    Behind { scene, gate, second, third }
}

impl Behind {
    /// With one more, each record is there once, in order.
    async fn assert_whole(self) {
        self.gate.add_permits(100);
        self.scene.trail.commit(&self.scene.intent(4)).await.unwrap();
        assert_eq!(self.scene.calls("acme").await, [call(1), call(2), call(3), call(4)]);
        self.scene.assert_intact("acme", 4).await;
        assert!(self.scene.failures().is_empty(), "{:?}", self.scene.failures());
    }
}

#[tokio::test(start_paused = true)]
async fn the_store_has_the_next_append_before_it_is_done() {
    let mut all = behind(false).await;
    all.gate.add_permits(1);
    assert!(poll(all.second.as_mut()).is_ready());
    assert!(poll(all.third.as_mut()).is_pending(), "it is not durable yet");
    all.gate.add_permits(1);
    all.third.as_mut().await.unwrap();
    all.third = Box::pin(std::future::pending());
    all.assert_whole().await;
}

#[tokio::test(start_paused = true)]
async fn callers_who_go_away_leave_both_appends_to_others() {
    for detached in [false, true] {
        for done in [false, true] {
            let mut all = behind(detached).await;
            if done {
                // Both are carried out, where the store goes on by itself, and nobody hears of it.
                all.gate.add_permits(2);
                all.second = Box::pin(std::future::pending());
                all.third = Box::pin(std::future::pending());
                tokio::time::sleep(Duration::from_secs(1)).await;
            } else {
                // They are looked for while they wait in the store, and begun once more behind themselves.
                all.second = Box::pin(std::future::pending());
                all.third = Box::pin(std::future::pending());
            }
            all.assert_whole().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_still_waits_hears_of_what_was_appended_while_nobody_led() {
    let mut all = behind(true).await;
    all.second = Box::pin(std::future::pending());
    all.gate.add_permits(2);
    tokio::time::sleep(Duration::from_secs(1)).await;
    tokio::time::timeout(Duration::from_secs(1), all.third.as_mut())
        .await
        .expect("nobody tells them")
        .unwrap();
    all.third = Box::pin(std::future::pending());
    all.assert_whole().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_begun_behind_is_looked_for_before_it_is_begun_again() {
    let mut all = behind(true).await;
    all.gate.add_permits(1);
    all.second.as_mut().await.unwrap();
    // The third leads now, and goes away with its append after it has looked who follows.
    for _ in 0..1_000 {
        assert!(poll(all.third.as_mut()).is_pending());
    }
    all.third = Box::pin(std::future::pending());
    all.gate.add_permits(1);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let store = &all.scene.store;
    all.assert_whole().await;
    assert_eq!(store.appends.load(Ordering::SeqCst), 4);
}

#[tokio::test(start_paused = true)]
async fn both_follow_another_process() {
    for detached in [false, true] {
        let mut all = behind(detached).await;
        let foreign = foreign(&all.scene.store, "acme").await;
        assert_eq!(all.scene.store.inner().append(&[foreign]).await.unwrap(), [AuditAppend::Appended]);
        all.gate.add_permits(100);
        all.second.as_mut().await.unwrap();
        all.third.as_mut().await.unwrap();
        assert_eq!(all.scene.calls("acme").await, [call(1), call(1), call(2), call(3)]);
        all.scene.assert_intact("acme", 4).await;
        assert!(all.scene.failures().is_empty(), "{:?}", all.scene.failures());
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_the_first_refuses_both_and_loses_neither() {
    let mut all = behind(false).await;
    all.scene.store.set_failing(true);
    all.gate.add_permits(1);
    for commit in [&mut all.second, &mut all.third] {
        assert_eq!(commit.as_mut().await.unwrap_err().kind(), ErrorKind::AuditUnavailable);
    }
    all.scene.store.set_failing(false);
    all.gate.add_permits(100);
    all.scene.trail.flush().await.unwrap();
    assert_eq!(all.scene.calls("acme").await, [call(1), call(2), call(3)]);
    all.scene.assert_intact("acme", 3).await;
}

/// A clock that goes on by a microsecond with each look at it.
#[derive(Debug, Default)]
struct Steps(AtomicU64);

impl Clock for Steps {
    fn monotonic(&self) -> u64 {
        self.0.fetch_add(1_000, Ordering::Relaxed)
    }

    fn now(&self) -> SystemTime {
        from_unix_millis(START)
    }
}

/// Whether company is still waited for after some turns in which eight come back one by one, a microsecond apart.
async fn is_worth_it(append: u64, in_halves: bool) -> bool {
    let scene = scene(AuditMode::FailClosed);
    let (clock, mut company) = (Steps::default(), Company::default());
    for _ in 0..8 {
        let queue = Arc::new(Queue::new(64, 64));
        company.appended(append);
        company.let_go(8, 0);
        let mut gather = Box::pin(company.gather(&queue, &clock, in_halves));
        for number in 0..8 {
            assert!(poll(gather.as_mut()).is_pending() || number > 0);
            let (waiter, waiting) = wait::pair();
            let mut waiter: Option<Waiter> = Some(waiter);
            queue.push(&scene.intent(number), false, Room::Queue, &mut waiter);
            drop(waiting);
        }
        gather.await;
        if !company.is_expected() {
            return false;
        }
    }
    true
}

#[tokio::test]
async fn two_halves_take_turns_where_coming_back_takes_long_beside_an_append() {
    assert!(is_worth_it(1_000_000, true).await, "an append takes a hundred times as long");
    assert!(!is_worth_it(5_000, true).await, "an append takes half as long");
    assert!(is_worth_it(5_000, false).await, "this store cannot have two appends");
}
