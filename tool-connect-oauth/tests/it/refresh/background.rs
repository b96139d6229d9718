//! The refresher.

use std::time::Duration;

use tool_connect_core::{AuthScheme, Connection, ConnectionStatus};
use tool_connect_testkit::oauth::{Endpoint, Fault};

use super::{HOUR, House, connection, token};

#[tokio::test]
async fn processes_share_the_work() {
    let house = House::new();
    for n in 0..20 {
        house.connect_as(&connection(&format!("c{n}"))).await;
    }
    house.clock.advance(HOUR - Duration::from_secs(120));
    let managers = [house.manager(), house.manager(), house.manager()];
    let schemes = |scheme: AuthScheme| move |_: &Connection| Some(scheme.clone());
    let sweeps = managers.iter().map(|manager| manager.sweep(schemes(house.scheme.clone())));
    for sweep in futures_util::future::join_all(sweeps).await {
        let sweep = sweep.expect("swept");
        assert_eq!((sweep.failed, sweep.skipped), (0, 0));
    }
    assert_eq!((house.requests(), house.issuer.counters().double_spends), (20, 0));
    // Nothing is due any more.
    let sweep = managers[0].sweep(schemes(house.scheme.clone())).await.expect("swept");
    assert_eq!((sweep.renewed, house.requests()), (0, 20));
}

#[tokio::test]
async fn only_what_works_and_ends_soon_is_renewed() {
    let house = House::new();
    let (soon, later, broken, orphan) =
        (connection("soon"), connection("later"), connection("broken"), connection("orphan"));
    for one in [&soon, &broken, &orphan] {
        house.connect_as(one).await;
    }
    house.clock.advance(HOUR - Duration::from_secs(120));
    house.connect_as(&later).await;
    let stored = house.stores.connections.get(&broken.tenant, &broken.id).await.expect("read");
    let mut stored = stored.expect("there");
    stored.status = ConnectionStatus::Revoked;
    house.stores.connections.put(stored).await.expect("stored");
    let scheme = house.scheme.clone();
    let schemes = move |one: &Connection| (one.id.as_str() != "orphan").then(|| scheme.clone());
    let sweep = house.manager().sweep(schemes).await.expect("swept");
    assert_eq!((sweep.renewed, sweep.skipped, sweep.failed), (1, 2, 0));
    assert_eq!(house.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn it_runs_until_shutdown_and_survives_a_bad_round() {
    let house = House::new();
    let before = house.connect().await;
    house.issuer.fault(Endpoint::Token, Fault::Status(503));
    let manager = house.manager();
    let scheme = house.scheme.clone();
    manager.spawn_refresher(move |_: &Connection| Some(scheme.clone()));
    house.clock.advance(HOUR - Duration::from_secs(250));
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_secs(30)).await;
        house.clock.advance(Duration::from_secs(30));
    }
    assert_eq!(house.requests(), 2, "one that failed, and one that did not");
    let access = manager.access(&house.connection, &house.scheme).await.expect("renewed");
    assert_ne!(token(&access), before.access_token);
    assert_eq!(house.requests(), 2);
    manager.shutdown().await;
    house.clock.advance(HOUR);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(house.requests(), 2);
}
