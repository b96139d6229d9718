//! Whose accounts they are.

use http::StatusCode;
use tool_connect_core::{ErrorKind, Owner, Principal, Result, TeamId, UserId};
use tool_connect_oauth::connect::OwnerRule;

use super::support::*;

fn team() -> TeamId {
    TeamId::new("core").expect("valid")
}

#[tokio::test]
async fn users_connect_for_themselves_members_for_teams_admins_for_the_tenant() {
    let house = House::new();
    let bob = Owner::User(UserId::new("bob").expect("valid"));
    let member = ada().with_team(team());
    let admin = ada().with_role("admin");
    for (who, owner, fine) in [
        (&ada(), Owner::User(ada().user), true),
        (&admin, bob, false),
        (&ada(), Owner::Team(team()), false),
        (&admin, Owner::Team(team()), false),
        (&member, Owner::Team(team()), true),
        (&member, Owner::Tenant, false),
        (&admin, Owner::Tenant, true),
    ] {
        let mut request = house.request(&[]);
        request.owner = Some(owner.clone());
        match house.connect.ticket(who, request).await {
            Ok(_) => assert!(fine, "{owner:?}"),
            Err(error) => assert!(!fine && error.kind() == ErrorKind::Denied, "{owner:?}: {error}"),
        }
    }
}

#[tokio::test]
async fn a_team_owns_what_a_member_connected_and_only_members_change_it() {
    let house = House::new();
    let member = ada().with_team(team());
    let mut request = house.request(&[]);
    request.owner = Some(Owner::Team(team()));
    house.consent(&member, request).await;
    let connection = house.connection().await;
    assert_eq!(connection.owner, Owner::Team(team()));
    let error =
        house.connect.disconnect(&principal("acme", "bob"), &connection.id).await.expect_err("not a member");
    assert_eq!(error.kind(), ErrorKind::NotFound, "what one may not use is not there: {error}");
    let other_member = principal("acme", "bob").with_team(team());
    house.connect.disconnect(&other_member, &connection.id).await.expect("a member may");
}

/// A role that was taken away between ticket and click, or between click and answer, counts as taken away.
#[tokio::test]
async fn what_the_principal_may_is_looked_at_each_time() {
    let admin = ada().with_role("admin");
    let for_tenant = |house: &House| {
        let mut request = house.request(&[]);
        request.owner = Some(Owner::Tenant);
        request
    };
    let house = House::new();
    let ticket = house.ticket(&admin, for_tenant(&house)).await;
    let seen = Browser::of(&ada()).open(&house.oauth, &ticket).await;
    assert_eq!(seen.status, StatusCode::FORBIDDEN);

    let mut browser = Browser::of(&admin);
    let ticket = house.ticket(&admin, for_tenant(&house)).await;
    let answer = house.to_provider_and_back(&mut browser, &ticket).await;
    browser.principal = Some(ada());
    let seen = browser.open(&house.oauth, &answer).await;
    assert_eq!((seen.status, house.token_requests()), (StatusCode::FORBIDDEN, 0));
    assert!(house.connections("acme").await.is_empty());
}

struct Nobody;

#[async_trait::async_trait]
impl OwnerRule for Nobody {
    async fn may_own(&self, _: &Principal, _: &Owner) -> Result<bool> {
        Ok(false)
    }
}

#[tokio::test]
async fn a_hosts_rule_stands_in_for_ours_but_never_over_a_users_own() {
    let house = House::with(|settings| settings, |builder| builder.owners(Nobody));
    let admin = ada().with_role("admin");
    let mut request = house.request(&[]);
    request.owner = Some(Owner::Tenant);
    assert_eq!(house.connect.ticket(&admin, request).await.expect_err("no").kind(), ErrorKind::Denied);
    assert_eq!(house.consent(&admin, house.request(&[])).await.status, StatusCode::OK);
}
