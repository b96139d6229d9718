//! The request stack through a whole Hub: a tool that asks a server which misbehaves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{
    AuthScheme, Clock, Connection, ConnectionId, Connector, ConnectorManifest, Credential, Error, ErrorKind,
    InstanceId, Owner, Principal, Result, Run, TenantId, Tool, ToolContext, ToolSet,
};
use tool_connect_hub::{Hub, InstanceOptions, NetworkAccess, Session, StaticCredentials};

use crate::server::{Play, Server};

/// Fetches something from the service.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
struct Fetch {
    /// Where from.
    path: String,
}

impl Run for Fetch {
    type Output = String;

    async fn run(self, cx: &ToolContext) -> Result<String> {
        cx.http().get(&self.path).text().await
    }
}

/// Sends something to the service.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Submit {
    /// What.
    text: String,
}

impl Run for Submit {
    type Output = String;

    async fn run(self, cx: &ToolContext) -> Result<String> {
        cx.http().post("/submit").body(self.text).text().await
    }
}

struct Service(ConnectorManifest);

impl Connector for Service {
    fn manifest(&self) -> &ConnectorManifest {
        &self.0
    }

    fn tools(&self, set: &mut ToolSet) {
        set.add::<Fetch>();
        set.add::<Submit>();
    }
}

struct House {
    hub: Hub,
    session: Session,
    secrets: Arc<StaticCredentials>,
    clock: Arc<StandingClock>,
}

/// Moves only when it is told, so that a breaker stays open as long as a test wants.
#[derive(Debug, Default)]
struct StandingClock(AtomicU64);

impl Clock for StandingClock {
    fn monotonic(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
}

fn ids() -> (TenantId, ConnectionId) {
    (TenantId::new("acme").expect("an id"), ConnectionId::new("ada_service").expect("an id"))
}

impl House {
    async fn before(server: &Server) -> Self {
        let secrets = Arc::new(StaticCredentials::new());
        let clock = Arc::new(StandingClock::default());
        let manifest = ConnectorManifest::new("service", semver::Version::new(1, 0, 0), "Service")
            .base_url(server.url("/api/").parse().expect("a URL"))
            .auth(AuthScheme::Bearer);
        let options = InstanceOptions::default().network(NetworkAccess::public().allow_loopback());
        let hub = Hub::builder()
            .instance(Service(manifest), options)
            .credentials(Arc::clone(&secrets) as _)
            .clock(Arc::clone(&clock) as _)
            .configure(|settings| {
                settings.http.retry.base = Duration::from_millis(1);
                settings.http.breaker.minimum_calls = 4;
                settings.http.breaker.open_for = Duration::from_secs(10);
                settings.http.breaker.half_open_permits = 1;
            })
            .build()
            .expect("a hub");
        let (tenant, id) = ids();
        let instance = InstanceId::new("service").expect("an id");
        hub.put_connection(Connection::new(id, tenant, Owner::Tenant, instance)).await.expect("stored");
        let session = hub.session(Principal::user("acme", "ada").expect("ids"));
        let house = Self { hub, session, secrets, clock };
        house.set_secret("first");
        house
    }

    fn set_secret(&self, secret: &str) {
        let (tenant, id) = ids();
        self.secrets.set(tenant, id, Credential::token(secret));
    }

    async fn fetch(&self, path: &str) -> Result<String> {
        self.session.run(Fetch { path: path.into() }).await
    }

    async fn fails(&self, path: &str) -> Error {
        self.fetch(path).await.expect_err(path)
    }
}

#[tokio::test]
async fn a_tools_request_survives_a_bad_moment() {
    let server = Server::start([Play::status(503, ""), vec![Play::Close], Play::ok("fine")]).await;
    let house = House::before(&server).await;
    assert_eq!(house.fetch("/items").await.expect("the third attempt"), "fine");
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    for request in requests {
        assert!(request.starts_with("GET /api/items HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("authorization: Bearer first\r\n"), "{request}");
    }
}

#[tokio::test]
async fn a_write_is_sent_once() {
    let server = Server::start([vec![Play::Close], Play::ok("twice")]).await;
    let house = House::before(&server).await;
    let error = house.session.run(Submit { text: "pay".into() }).await.expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_redirect_inwards_ends_at_the_guard() {
    let server = Server::start([
        Play::status(302, "location: http://169.254.169.254/latest/meta-data\r\n"),
        Play::status(302, "location: https://10.0.0.1/\r\n"),
    ])
    .await;
    let house = House::before(&server).await;
    for _ in 0..2 {
        assert_eq!(house.fails("/items").await.kind(), ErrorKind::Blocked);
    }
}

#[tokio::test]
async fn a_refused_credential_says_who_must_act() {
    let server = Server::start([Play::status(401, ""), Play::status(401, ""), Play::ok("welcome")]).await;
    let house = House::before(&server).await;
    let error = house.fails("/items").await;
    assert_eq!(error.kind(), ErrorKind::NeedsReauth);
    assert!(!error.to_string().contains("first"));

    // Somebody changes the secret between the signature and the refusal.
    let waits = Server::start([
        vec![Play::Wait(Duration::from_millis(150)), Play::status(401, "").remove(0)],
        Play::ok("welcome"),
    ])
    .await;
    let house = House::before(&waits).await;
    let (answer, ()) = tokio::join!(house.fetch("/items"), async {
        waits.asked(1).await;
        house.set_secret("second");
    });
    assert_eq!(answer.expect("the fresh credential"), "welcome");
    let requests = waits.requests();
    assert!(requests[0].contains("Bearer first") && requests[1].contains("Bearer second"), "{requests:?}");
}

#[tokio::test]
async fn a_huge_body_is_not_taken_in() {
    let endless =
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10000\r\n{}\r\n", "x".repeat(0x10000));
    let mut plays = Play::text(&endless);
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    plays.extend((0..200).flat_map(|_| Play::text(&chunk)));
    let server = Server::start([plays]).await;
    let house = House::before(&server).await;
    let error = house.fails("/items").await;
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn a_failing_host_is_left_alone_and_tried_again() {
    let broken = |_| Play::status(500, "");
    let server = Server::start((0..4).map(broken).chain([Play::ok("back")])).await;
    let house = House::before(&server).await;
    // Three attempts of the first call, one of the second, then the breaker is open.
    house.fails("/items").await;
    assert_eq!(house.fails("/items").await.kind(), ErrorKind::CircuitOpen);
    let breakers = house.hub.breakers();
    assert_eq!((breakers[0].state, breakers[0].host.as_str()), ("open", server.address.to_string().as_str()));
    assert_eq!(server.requests().len(), 4);

    house.clock.0.fetch_add(11_000_000_000, Ordering::Relaxed);
    assert_eq!(house.fetch("/items").await.expect("recovered"), "back");
    assert_eq!(house.hub.breakers()[0].state, "closed");
}

#[tokio::test]
async fn a_caller_who_goes_away_closes_the_socket() {
    let server = Server::start([vec![Play::Stall]]).await;
    let house = House::before(&server).await;
    tokio::select! {
        answer = house.fetch("/items") => panic!("no answer can come, but: {answer:?}"),
        () = server.asked(1) => {}
    }
    tokio::time::timeout(Duration::from_secs(5), server.peer_gone()).await.expect("the socket is closed");
}
