//! Tokens that end when nobody said so.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tool_connect_core::{AuthScheme, ConnectionStatus, Credential};
use tool_connect_oauth::flow::Secret;
use tool_connect_testkit::oauth::{ExpiresIn, Quirks};

use super::{HOUR, House, is_reauth, token};

#[tokio::test]
async fn oauth_client_21_a_refused_token_is_renewed_once() {
    let house = House::new();
    house.connect().await;
    let manager = house.manager();
    let access = manager.access(&house.connection, &house.scheme).await.expect("warm");
    house.issuer.revoke_access_tokens();
    assert!(!house.issuer.accepts(&token(&access)));
    // A hundred calls were on their way with it.
    let told = join_all((0..100).map(|_| manager.refused(&house.connection, access.version()))).await;
    assert!(told.into_iter().all(|worth_it| worth_it.expect("told")));
    let again = join_all((0..100).map(|_| manager.access(&house.connection, &house.scheme))).await;
    for access in again {
        assert!(house.issuer.accepts(&token(&access.expect("renewed"))));
    }
    // One that comes late is about a token that is gone already.
    assert!(manager.refused(&house.connection, access.version()).await.expect("told"));
    manager.access(&house.connection, &house.scheme).await.expect("as it was");
    assert_eq!(house.requests(), 1);
}

#[tokio::test]
async fn oauth_client_21_a_missing_lifetime_costs_one_renewal_when_it_shows() {
    let quirks = Quirks { expires_in: ExpiresIn::Missing, ..Quirks::default() };
    let house =
        House::with(tool_connect_testkit::oauth::Rotation::Strict, |settings| settings.quirks(quirks));
    house.connect().await;
    let manager = house.manager();
    let first = manager.refresh_now(&house.connection, &house.scheme).await.expect("renewed");
    assert_eq!(first.ends(), None);
    house.clock.advance(HOUR);
    let same =
        manager.access(&house.connection, &house.scheme).await.expect("nothing says that it has ended");
    assert_eq!(token(&same), token(&first));
    assert!(manager.refused(&house.connection, same.version()).await.expect("told"));
    let next = manager.access(&house.connection, &house.scheme).await.expect("renewed");
    assert!(house.issuer.accepts(&token(&next)));
    assert_eq!(house.requests(), 2);
}

#[tokio::test]
async fn oauth_client_21_clocks_that_disagree_cost_no_user_visible_401() {
    let skew = Duration::from_secs(300);
    for ahead in [true, false] {
        let house = House::new();
        house.connect().await;
        if ahead {
            house.issuer.api_clock_ahead(skew);
        } else {
            house.issuer.api_clock_behind(skew);
        }
        let manager = house.manager();
        let mut visible = 0;
        for _ in 0..240 {
            house.clock.advance(Duration::from_secs(60));
            let mut access = manager.access(&house.connection, &house.scheme).await.expect("a token");
            if !house.issuer.accepts(&token(&access))
                && manager.refused(&house.connection, access.version()).await.expect("told")
            {
                access = manager.access(&house.connection, &house.scheme).await.expect("a token");
            }
            visible += u32::from(!house.issuer.accepts(&token(&access)));
            // What was begun in the background ends.
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(visible, 0, "ahead: {ahead}");
        assert!((4..=6).contains(&house.requests()), "four hours: {}", house.requests());
    }
}

#[tokio::test]
async fn another_process_token_is_taken_over() {
    let house = House::new();
    house.connect().await;
    let (one, other) = (house.manager(), house.manager());
    let old = one.access(&house.connection, &house.scheme).await.expect("warm");
    let new = other.refresh_now(&house.connection, &house.scheme).await.expect("renewed");
    // The provider ends the old token with the new one.
    assert!(one.refused(&house.connection, old.version()).await.expect("told"));
    let seen = one.access(&house.connection, &house.scheme).await.expect("theirs");
    assert_eq!(token(&seen), token(&new));
    assert_eq!(house.requests(), 1);
}

#[tokio::test]
async fn a_service_that_refuses_everything_does_not_cost_a_renewal_a_call() {
    let house = House::new();
    house.connect().await;
    let manager = house.manager();
    for _ in 0..100 {
        let access = manager.access(&house.connection, &house.scheme).await.expect("a token");
        manager.refused(&house.connection, access.version()).await.expect("told");
        house.clock.advance(Duration::from_millis(100));
    }
    assert_eq!(house.requests(), 1);
    let access = manager.access(&house.connection, &house.scheme).await.expect("a token");
    assert!(
        !manager.refused(&house.connection, access.version()).await.expect("told"),
        "the 401 is the answer"
    );
    house.clock.advance(Duration::from_secs(30));
    assert!(manager.refused(&house.connection, access.version()).await.expect("told"));
    assert_eq!((house.status().await, house.count(is_reauth)), (ConnectionStatus::Active, 0));
}

#[tokio::test]
async fn what_cannot_be_renewed_is_tried_again_only_where_it_changed() {
    let mut house = House::new();
    house.scheme = AuthScheme::Bearer;
    let manager = house.manager();
    let save = async |text: &str| {
        let secret = Secret::Static(Credential::token(text));
        house.manager().save(&house.connection, &secret).await.expect("saved");
    };
    save("key-number-one").await;
    let access = manager.access(&house.connection, &house.scheme).await.expect("a key");
    assert!(!manager.refused(&house.connection, access.version()).await.expect("told"));
    let same = manager.access(&house.connection, &house.scheme).await.expect("still the answer");
    assert!(Arc::ptr_eq(&same, &access));
    save("key-number-two").await;
    assert!(manager.refused(&house.connection, access.version()).await.expect("told"));
    assert_eq!(
        token(&manager.access(&house.connection, &house.scheme).await.expect("a key")),
        "key-number-two"
    );

    // An access token without a refresh token stays what it is, after its end too: the provider has the last word.
    let house = House::new();
    let tokens = house.issuer.grant("app", ["read"]);
    let mut set = house.secret(&tokens).tokens().expect("tokens").clone();
    set.refresh_token = None;
    let manager = house.manager();
    manager.save(&house.connection, &set.into()).await.expect("saved");
    house.clock.advance(HOUR * 2);
    let access = manager.access(&house.connection, &house.scheme).await.expect("as it is");
    assert!(!manager.refused(&house.connection, access.version()).await.expect("told"));
    assert_eq!((house.requests(), house.count(is_reauth)), (0, 0));
}
