//! Which account a call uses, and what is asked of the user where none fits.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{
    Annotations, AuthScheme, Connection, ConnectionId, ConnectionStatus, ConnectorManifest, Credential,
    DynamicTool, Effect, Error, ErrorKind, InputRequest, Owner, Principal, Result, TeamId, ToolCall,
    ToolOutput,
};
use tool_connect_hub::{Hub, InstanceOptions, StaticCredentials};
use tool_connect_testkit::ManualClock;

use super::support::{
    Kit, acme, ada, bob, definition, error, hub_of, instance, kind, number, quiet, read, required, value,
    write,
};

/// Tools that answer with the account they run on.
fn github() -> Kit {
    github_by(AuthScheme::Bearer)
}

fn github_by(scheme: AuthScheme) -> Kit {
    let manifest = ConnectorManifest::new("github", semver::Version::new(1, 0, 0), "GitHub").auth(scheme);
    let mut scoped = definition("scoped", Annotations::READ);
    scoped.scopes = vec!["repo".into(), "user".into()];
    let answer = |_, cx: tool_connect_core::ToolContext| async move {
        ToolOutput::of(&cx.connection().map(|c| c.id.as_str().to_owned()))
    };
    let refused = |effect| {
        move |_, _| async move {
            Err(Error::of_status(403, "no scope").effect(effect).lacks_scopes(["repo"]).public("No scope."))
        }
    };
    Kit::of(manifest)
        .dynamic(read("who", answer))
        .dynamic(DynamicTool::new(scoped, answer))
        .dynamic(read("refused_read", refused(Effect::Unknown)))
        .dynamic(write("refused_write", refused(Effect::NotExecuted)))
        .dynamic(write("half_written", refused(Effect::Unknown)))
}

fn id(id: &str) -> ConnectionId {
    ConnectionId::new(id).unwrap()
}

fn account(name: &str, owner: Owner) -> Connection {
    Connection::new(id(name), acme(), owner, instance("github"))
}

fn of_ada(name: &str) -> Connection {
    account(name, Owner::User(ada().user))
}

async fn hub(accounts: impl IntoIterator<Item = Connection>) -> Hub {
    let hub = hub_of(github());
    for account in accounts {
        hub.put_connection(account).await.unwrap();
    }
    hub
}

async fn who(hub: &Hub, principal: Principal) -> serde_json::Value {
    value(hub.session(principal).call("github.who", "{}").await)
}

#[tokio::test]
async fn without_an_account_the_user_is_asked_to_connect_one_and_then_the_call_goes_on() {
    let hub = hub([]).await;
    let session = hub.session(ada());
    let asked = required(session.call("github.who", "{}").await);
    let InputRequest::Connect { instance, scopes, .. } = &asked.request else { panic!("{asked:?}") };
    assert_eq!((instance.as_str(), scopes.len()), ("github", 0));
    assert_eq!(asked.message(), "Connect an account for `github` first.");
    hub.put_connection(of_ada("c1")).await.unwrap();
    assert_eq!(value(session.resume(asked).await), json!("c1"));
}

#[tokio::test]
async fn scopes_that_are_missing_are_asked_for_by_name() {
    let hub = hub([of_ada("c1").scopes(["user"])]).await;
    let session = hub.session(ada());
    session.call("github.who", "{}").await.unwrap();
    let asked = required(session.call("github.scoped", "{}").await);
    let InputRequest::Connect { scopes, .. } = &asked.request else { panic!("{asked:?}") };
    assert_eq!(scopes, &["repo"]);
    let mut wider = hub.stores().connections.get(&acme(), &id("c1")).await.unwrap().unwrap();
    wider.scopes = Some(vec!["repo".into(), "user".into()]);
    hub.put_connection(wider).await.unwrap();
    assert_eq!(value(session.resume(asked).await), json!("c1"));
}

#[tokio::test]
async fn scopes_that_the_provider_misses_are_asked_for_unless_something_may_have_been_done() {
    let hub = hub_of(github_by(AuthScheme::oauth2("github", [] as [&str; 0])));
    // Whatever is recorded of the connection.
    hub.put_connection(of_ada("c1").scopes(["repo"])).await.unwrap();
    let session = hub.session(ada());
    for tool in ["github.refused_read", "github.refused_write"] {
        let asked = required(session.call(tool, "{}").await);
        let InputRequest::Connect { scopes, .. } = &asked.request else { panic!("{asked:?}") };
        assert_eq!(scopes, &["repo"], "{tool}");
        assert_eq!(asked.call.expect("the call, to be resumed").tool, tool);
    }
    let refused =
        |error: Error| (error.kind(), error.effect_on_provider(), error.public_message().into_owned());
    let half = refused(error(session.call("github.half_written", "{}").await));
    assert_eq!(half, (ErrorKind::Forbidden, Effect::Unknown, "No scope.".to_owned()));

    // A token that no consent made gets no more scopes by one: the provider's own words are worth more.
    let hub = self::hub([of_ada("c1")]).await;
    let own = refused(error(hub.session(ada()).call("github.refused_write", "{}").await));
    assert_eq!(own, (ErrorKind::Forbidden, Effect::NotExecuted, "No scope.".to_owned()));
}

#[tokio::test]
async fn the_users_own_comes_before_their_teams_and_that_before_the_tenants() {
    let team = TeamId::new("core").unwrap();
    let hub = hub([
        account("of_tenant", Owner::Tenant),
        account("of_team", Owner::Team(team.clone())),
        of_ada("of_ada"),
    ])
    .await;
    assert_eq!(who(&hub, ada().with_team(team.clone())).await, json!("of_ada"));
    assert_eq!(who(&hub, bob().with_team(team)).await, json!("of_team"));
    assert_eq!(who(&hub, bob()).await, json!("of_tenant"));
    required(hub.session(Principal::user("globex", "ada").unwrap()).call("github.who", "{}").await);
}

#[tokio::test]
async fn of_several_the_default_is_used_or_the_caller_must_choose() {
    let hub = hub([of_ada("home").label("ada@home"), of_ada("work").label("ada@work")]).await;
    let session = hub.session(ada());
    let refused = error(session.call("github.who", "{}").await);
    assert_eq!(refused.kind(), ErrorKind::AmbiguousInstance);
    assert_eq!(
        refused.public_message(),
        "Several accounts are connected: home (ada@home), work (ada@work); name one."
    );
    let chosen = ToolCall::new("github.who", "{}").connection(id("work"));
    assert_eq!(value(session.execute(chosen).await), json!("work"));

    let mut work = hub.stores().connections.get(&acme(), &id("work")).await.unwrap().unwrap();
    work.is_default = true;
    hub.put_connection(work).await.unwrap();
    assert_eq!(who(&hub, ada()).await, json!("work"));
    let chosen = ToolCall::new("github.who", "{}").connection(id("home"));
    assert_eq!(value(session.execute(chosen).await), json!("home"));
}

#[tokio::test]
async fn an_account_of_somebody_else_cannot_be_chosen() {
    let hub = hub([of_ada("hers"), account("shared", Owner::Tenant)]).await;
    let chosen = |name: &str| ToolCall::new("github.who", "{}").connection(id(name));
    let session = hub.session(bob());
    assert_eq!(kind(session.execute(chosen("hers")).await), ErrorKind::NotFound);
    assert_eq!(kind(session.execute(chosen("none")).await), ErrorKind::NotFound);
    assert_eq!(value(session.execute(chosen("shared")).await), json!("shared"));
    let stranger = hub.session(Principal::user("globex", "ada").unwrap());
    assert_eq!(kind(stranger.execute(chosen("shared")).await), ErrorKind::NotFound);
    let names: Vec<_> = session.connections().await.unwrap().into_iter().map(|c| c.id).collect();
    assert_eq!(names, [id("shared")]);
}

#[tokio::test]
async fn an_account_that_does_not_work_is_to_be_connected_again() {
    for status in [
        ConnectionStatus::Pending,
        ConnectionStatus::NeedsReauth,
        ConnectionStatus::Revoked,
        ConnectionStatus::Error,
    ] {
        let mut broken = of_ada("c1");
        broken.status = status;
        let hub = hub([broken]).await;
        let session = hub.session(ada());
        for call in
            [ToolCall::new("github.who", "{}"), ToolCall::new("github.who", "{}").connection(id("c1"))]
        {
            let asked = required(session.execute(call).await);
            assert!(matches!(asked.request, InputRequest::Connect { .. }), "{status:?}");
        }
        // One that works is taken instead.
        hub.put_connection(of_ada("c2")).await.unwrap();
        assert_eq!(who(&hub, ada()).await, json!("c2"), "{status:?}");
    }
    let mut expired = of_ada("c1");
    expired.status = ConnectionStatus::Expired;
    assert_eq!(who(&hub([expired]).await, ada()).await, json!("c1"));
}

#[tokio::test]
async fn a_change_through_the_hub_is_seen_at_once_and_one_beside_it_after_its_memory() {
    let clock = Arc::new(ManualClock::new());
    let hub =
        quiet(&clock).connector(github()).configure(|s| s.memory = Duration::from_secs(2)).build().unwrap();
    hub.put_connection(of_ada("c1")).await.unwrap();
    assert_eq!(who(&hub, ada()).await, json!("c1"));
    hub.stores().connections.delete(&acme(), &id("c1")).await.unwrap();
    clock.advance(Duration::from_millis(1999));
    assert_eq!(who(&hub, ada()).await, json!("c1"));
    clock.advance(Duration::from_millis(1));
    required(hub.session(ada()).call("github.who", "{}").await);

    hub.put_connection(of_ada("c2")).await.unwrap();
    assert_eq!(who(&hub, ada()).await, json!("c2"));
    hub.delete_connection(&acme(), &id("c2")).await.unwrap();
    required(hub.session(ada()).call("github.who", "{}").await);
}

#[tokio::test]
async fn a_connector_that_needs_no_account_gets_none() {
    let hub =
        hub_of(Kit::new("plain").dynamic(read("who", |_, cx| async move {
            ToolOutput::of(&u64::from(cx.connection().is_some()))
        })));
    assert_eq!(number(hub.session(ada()).call("plain.who", "{}").await), 0);
}

#[tokio::test]
async fn the_hosts_word_on_how_to_sign_stands_above_the_connectors() {
    let who = || read("who", |_, cx| async move { ToolOutput::of(&u64::from(cx.connection().is_some())) });
    let signed =
        ConnectorManifest::new("plain", semver::Version::new(1, 0, 0), "Plain").auth(AuthScheme::Bearer);
    let hub = quiet(&Arc::default())
        .instance(Kit::new("plain").dynamic(who()), InstanceOptions::default().auth(AuthScheme::Bearer))
        .instance(
            Kit::of(signed).dynamic(who()),
            InstanceOptions::new("open").unwrap().auth(AuthScheme::None),
        )
        .build()
        .unwrap();
    required(hub.session(ada()).call("plain.who", "{}").await);
    assert_eq!(number(hub.session(ada()).call("open.who", "{}").await), 0);
}

#[tokio::test]
async fn a_call_that_has_written_is_not_offered_again_for_want_of_a_scope() {
    let manifest = ConnectorManifest::new("github", semver::Version::new(1, 0, 0), "GitHub")
        .auth(AuthScheme::oauth2("github", [] as [&str; 0]))
        .base_url("https://api.service.example/".parse().unwrap());
    let after = |name, method: http::Method| {
        write(name, move |_, cx| {
            let method = method.clone();
            async move {
                cx.http().request(method, "/a").send().await?;
                let error = Error::of_status(403, "no scope").effect(Effect::NotExecuted);
                Err(error.lacks_scopes(["repo"]))
            }
        })
    };
    let secrets = Arc::new(StaticCredentials::new());
    let kit = Kit::of(manifest)
        .dynamic(after("read", http::Method::GET))
        .dynamic(after("post", http::Method::POST));
    let hub = quiet(&Arc::default())
        .transport(Arc::new(Signed::default()))
        .credentials(Arc::clone(&secrets) as _)
        .connector(kit)
        .build()
        .unwrap();
    hub.put_connection(of_ada("c1")).await.unwrap();
    secrets.set(acme(), id("c1"), Credential::token("s3cret"));
    required(hub.session(ada()).call("github.read", "{}").await);
    assert_eq!(kind(hub.session(ada()).call("github.post", "{}").await), ErrorKind::Forbidden);
}

/// Remembers where requests went, and whether they carried a credential.
#[derive(Clone, Default)]
struct Signed(Arc<Mutex<Vec<(String, bool)>>>);

#[async_trait]
impl Transport for Signed {
    async fn send(
        &self,
        request: http::Request<RequestBody>,
        _: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        self.0.lock().unwrap().push((host, request.headers().contains_key("authorization")));
        Ok(http::Response::new(Box::pin(futures_util::stream::empty())))
    }
}

#[tokio::test]
async fn a_connectors_further_origins_get_the_credential_only_at_the_services_own_address() {
    let manifest = ConnectorManifest::new("service", semver::Version::new(1, 0, 0), "Service")
        .auth(AuthScheme::Bearer)
        .base_url("https://api.service.example/".parse().unwrap())
        .origin("https://uploads.service.example/".parse().unwrap());
    let uploads = || {
        read("upload", |_, cx| async move {
            cx.http().get("/a").send().await?;
            cx.http().get("https://uploads.service.example/b").send().await?;
            cx.http().get("https://evil.example/c").send().await?;
            ToolOutput::of(&0)
        })
    };
    let (signed, secrets) = (Signed::default(), Arc::new(StaticCredentials::new()));
    let own = InstanceOptions::new("own").unwrap().base_url("https://service.acme.example/".parse().unwrap());
    let hub = quiet(&Arc::default())
        .transport(Arc::new(signed.clone()))
        .credentials(Arc::clone(&secrets) as _)
        .connector(Kit::of(manifest.clone()).dynamic(uploads()))
        .instance(Kit::of(manifest).dynamic(uploads()), own)
        .build()
        .unwrap();
    for name in ["service", "own"] {
        let account = Connection::new(id(name), acme(), Owner::User(ada().user), instance(name));
        hub.put_connection(account).await.unwrap();
        secrets.set(acme(), id(name), Credential::token("s3cret"));
        number(hub.session(ada()).call(&format!("{name}.upload"), "{}").await);
    }
    let seen = signed.0.lock().unwrap().clone();
    let seen: Vec<(&str, bool)> = seen.iter().map(|(host, signed)| (host.as_str(), *signed)).collect();
    assert_eq!(
        seen,
        [
            ("api.service.example", true),
            ("uploads.service.example", true),
            ("evil.example", false),
            ("service.acme.example", true),
            ("uploads.service.example", false),
            ("evil.example", false),
        ]
    );
}
