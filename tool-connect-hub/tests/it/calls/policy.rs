//! Who may call what.

use std::sync::Arc;
use std::time::Duration;

use tool_connect_core::store::{Grant, Subject};
use tool_connect_core::{
    Annotations, AuthScheme, Clock, Connection, ConnectionId, ConnectorManifest, DynamicTool, Effect, Error,
    ErrorKind, Owner, Principal, ToolCall, ToolOutput,
};
use tool_connect_hub::{Access, ApproveWhen, Hub, Policy, PolicyRequest, RolePolicy};
use tool_connect_testkit::ManualClock;

use super::support::{
    Kit, Runs, acme, ada, bob, bot, counting, counting_read, definition, error, grant, hub_of, instance,
    kind, number, pattern, quiet, required,
};

fn notes(clock: &Arc<ManualClock>, policy: RolePolicy) -> Hub {
    let runs = Runs::default();
    let careful = definition("careful", Annotations { destructive: false, ..Annotations::default() });
    let careful = DynamicTool::new(careful, |_, _| async { ToolOutput::of(&0) });
    quiet(clock)
        .connector(Kit::new("notes").dynamic(counting(&runs)).dynamic(counting_read(&runs)).dynamic(careful))
        .connector(Kit::new("notes_too").dynamic(counting_read(&runs)))
        .configure(|s| s.policy = policy)
        .build()
        .unwrap()
}

/// How a call ends, in a word.
async fn ends(hub: &Hub, principal: &Principal, tool: &str) -> &'static str {
    match hub.session(principal.clone()).call(tool, "{}").await {
        Ok(tool_connect_core::ToolOutcome::Complete(_)) => "ok",
        Ok(_) => "asks",
        Err(error) if error.kind() == ErrorKind::Denied => "denied",
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn an_agent_may_do_nothing_until_it_is_granted() {
    let hub = notes(&Arc::default(), RolePolicy::new());
    for tool in ["notes.get", "notes.put"] {
        let denied = error(hub.session(bot()).call(tool, "{}").await);
        assert_eq!((denied.kind(), denied.effect_on_provider()), (ErrorKind::Denied, Effect::NotExecuted));
        assert_eq!(denied.public_message(), "This call is not permitted.");
    }
    assert_eq!(ends(&hub, &ada(), "notes.put").await, "ok");
}

#[tokio::test]
async fn a_grant_covers_its_tools_and_its_agent_alone_and_a_revoked_one_nothing() {
    let hub = notes(&Arc::default(), RolePolicy::new());
    hub.grant(grant("notes.*")).await.unwrap();
    assert_eq!(ends(&hub, &bot(), "notes.get").await, "ok");
    assert_eq!(ends(&hub, &bot(), "notes_too.get").await, "denied");
    assert_eq!(ends(&hub, &ada().acting_through("other").unwrap(), "notes.get").await, "denied");
    let elsewhere = Principal::user("globex", "ada").unwrap().acting_through("bot").unwrap();
    assert_eq!(ends(&hub, &elsewhere, "notes.get").await, "denied");

    let agent = Subject::Agent(bot().agent.unwrap());
    assert!(!hub.revoke(&acme(), &agent, &pattern("notes.get"), None).await.unwrap());
    assert_eq!(ends(&hub, &bot(), "notes.get").await, "ok");
    assert!(hub.revoke(&acme(), &agent, &pattern("notes.*"), None).await.unwrap());
    assert_eq!(ends(&hub, &bot(), "notes.get").await, "denied");
}

#[tokio::test]
async fn a_grant_to_the_user_or_a_role_does_not_pass_on_to_the_agent() {
    let hub = notes(&Arc::default(), RolePolicy::new());
    for subject in [Subject::User(ada().user), Subject::Role("dev".into())] {
        hub.grant(Grant { subject, ..grant("*") }).await.unwrap();
    }
    assert_eq!(ends(&hub, &bot().with_role("dev"), "notes.get").await, "denied");
}

#[tokio::test]
async fn an_expired_grant_covers_nothing() {
    let clock = Arc::new(ManualClock::new());
    let hub = notes(&clock, RolePolicy::new());
    let expires = Some(clock.now() + Duration::from_secs(60));
    hub.grant(Grant { expires, ..grant("notes.get") }).await.unwrap();
    assert_eq!(ends(&hub, &bot(), "notes.get").await, "ok");
    // Remembered for two seconds at most, as any change that nobody announced.
    clock.advance(Duration::from_secs(62));
    assert_eq!(ends(&hub, &bot(), "notes.get").await, "denied");
}

#[tokio::test]
async fn a_grant_on_one_account_covers_that_account_alone() {
    let manifest =
        ConnectorManifest::new("github", semver::Version::new(1, 0, 0), "GitHub").auth(AuthScheme::Bearer);
    let hub = hub_of(Kit::of(manifest).dynamic(counting_read(&Runs::default())));
    let id = |name: &str| ConnectionId::new(name).unwrap();
    for name in ["work", "home"] {
        let owner = Owner::User(ada().user);
        hub.put_connection(Connection::new(id(name), acme(), owner, instance("github"))).await.unwrap();
    }
    hub.grant(Grant { connection: Some(id("work")), ..grant("github.get") }).await.unwrap();
    let session = hub.session(bot());
    let on = |name: &str| ToolCall::new("github.get", "{}").connection(id(name));
    assert_eq!(number(session.execute(on("work")).await), 1);
    assert_eq!(kind(session.execute(on("home")).await), ErrorKind::Denied);
    assert_eq!(kind(session.call("github.get", "{}").await), ErrorKind::Denied);
}

#[tokio::test]
async fn roles_allow_their_tools_and_an_agent_no_more_than_its_user() {
    let policy =
        RolePolicy::new().role("reader", ["notes.get"]).unwrap().role("writer", ["notes.*"]).unwrap();
    let hub = notes(&Arc::default(), policy.approve(ApproveWhen::Never));
    hub.grant(grant("*")).await.unwrap();
    let (reader, writer) = (ada().with_role("reader"), ada().with_role("reader").with_role("writer"));
    for (principal, get, put) in [
        (ada(), "denied", "denied"),
        (ada().with_role("owner"), "denied", "denied"),
        (reader.clone(), "ok", "denied"),
        (writer.clone(), "ok", "ok"),
        (reader.acting_through("bot").unwrap(), "ok", "denied"),
        (writer.acting_through("bot").unwrap(), "ok", "ok"),
    ] {
        assert_eq!(ends(&hub, &principal, "notes.get").await, get, "{principal:?}");
        assert_eq!(ends(&hub, &principal, "notes.put").await, put, "{principal:?}");
        assert_eq!(ends(&hub, &principal, "notes_too.get").await, "denied", "{principal:?}");
    }
}

#[tokio::test]
async fn approvals_are_asked_for_as_the_rule_says() {
    for (when, [ada_destroys, bot_destroys, bot_writes, bot_reads]) in [
        (ApproveWhen::Never, ["ok", "ok", "ok", "ok"]),
        (ApproveWhen::AgentDestroys, ["ok", "asks", "ok", "ok"]),
        (ApproveWhen::AgentWrites, ["ok", "asks", "asks", "ok"]),
        (ApproveWhen::AnyoneDestroys, ["asks", "asks", "ok", "ok"]),
    ] {
        let hub = notes(&Arc::default(), RolePolicy::new().approve(when));
        hub.grant(grant("*")).await.unwrap();
        assert_eq!(ends(&hub, &ada(), "notes.put").await, ada_destroys, "{when:?}");
        assert_eq!(ends(&hub, &bot(), "notes.put").await, bot_destroys, "{when:?}");
        assert_eq!(ends(&hub, &bot(), "notes.careful").await, bot_writes, "{when:?}");
        assert_eq!(ends(&hub, &bot(), "notes.get").await, bot_reads, "{when:?}");
    }
    let always = RolePolicy::new().approve(ApproveWhen::Never).always_approve("notes.get").unwrap();
    let hub = notes(&Arc::default(), always);
    assert_eq!(ends(&hub, &ada(), "notes.get").await, "asks");
    assert_eq!(ends(&hub, &ada(), "notes.put").await, "ok");
}

/// Looks it up first; how, the tool's name says.
struct Remote;

impl Policy for Remote {
    fn decide<'a>(&'a self, request: &PolicyRequest<'a>) -> Access<'a> {
        let (user, tool) = (request.principal.user.clone(), request.tool.clone());
        Access::Later(Box::pin(async move {
            tokio::task::yield_now().await;
            match (user.as_str(), tool.name()) {
                ("ada", "put") => Ok(Access::Approve("Ada wants it".into())),
                ("ada", _) => Ok(Access::Allow),
                ("bob", "get") => Err(Error::new(ErrorKind::Transport, "the policy server is away")),
                ("bob", "careful") => Ok(Access::Later(Box::pin(std::future::pending()))),
                _ => Ok(Access::Deny("no".into())),
            }
        }))
    }
}

#[tokio::test]
async fn a_policy_may_look_something_up_first() {
    let runs = Runs::default();
    let careful = super::support::read("careful", |_, _| async { ToolOutput::of(&0) });
    let hub = quiet(&Arc::default())
        .connector(Kit::new("notes").dynamic(counting(&runs)).dynamic(counting_read(&runs)).dynamic(careful))
        .policy(Remote)
        .build()
        .unwrap();
    let (ada, bob) = (hub.session(ada()), hub.session(bob()));
    assert_eq!(number(ada.call("notes.get", "{}").await), 1);
    assert!(required(ada.call("notes.put", "{}").await).message().contains("Ada wants it"));
    assert_eq!(kind(bob.call("notes.put", "{}").await), ErrorKind::Denied);
    // What is not decided is not allowed.
    let away = error(bob.call("notes.get", "{}").await);
    assert_eq!((away.kind(), away.effect_on_provider()), (ErrorKind::Transport, Effect::NotExecuted));
    assert_eq!(kind(bob.call("notes.careful", "{}").await), ErrorKind::Config);
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn a_misspelt_name_suggests_only_what_its_caller_may_call() {
    let roles = RolePolicy::new().role("reader", ["notes.get"]).unwrap().role("writer", ["notes.*"]).unwrap();
    let hub = notes(&Arc::default(), roles);
    let says = |principal: Principal, tool: &'static str| {
        let session = hub.session(principal);
        async move { error(session.call(tool, "{}").await).public_message().into_owned() }
    };
    let agent = bot().with_role("reader");
    let reader = ada().with_role("reader");
    assert_eq!(says(reader.clone(), "notes.gett").await, "There is no such tool; did you mean `notes.get`?");
    assert!(!says(reader, "notes.putt").await.contains("`notes.put`"));
    assert_eq!(says(agent.clone(), "notes.gett").await, "There is no such tool.");
    hub.grant(grant("notes.get")).await.unwrap();
    assert_eq!(says(agent.clone(), "notes.gett").await, "There is no such tool; did you mean `notes.get`?");
    assert!(!says(agent.clone(), "notes.putt").await.contains("`notes.put`"));
    assert!(says(ada().with_role("writer"), "notes.putt").await.contains("`notes.put`"));
}
