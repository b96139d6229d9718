//! Tokens: what a warm one costs beside a map hit, a call with one beside the same call without, and a storm on one that has
//! ended.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::store::Stores;
use tool_connect_core::{
    Arguments, AuthScheme, Clock, Connection, ConnectionId, Connector, ConnectorManifest, InstanceId, Owner,
    Result, Run, SystemClock, TenantId, Tool, ToolContext, ToolSet,
};
use tool_connect_hub::audit::AuditMode;
use tool_connect_hub::{Hub, Session};
use tool_connect_oauth::catalog::{Catalog, ClientAuth, ClientConfig, ProviderEntry, StaticClients};
use tool_connect_oauth::flow::TokenSet;
use tool_connect_oauth::refresh::{Access, TokenManager};
use tool_connect_oauth::vault::{EnvelopeVault, Keyring};
use tool_connect_testkit::ManualClock;
use tool_connect_testkit::oauth::{EmulatedClient, Issuer, IssuerSettings, OAuthEmulator};

use crate::alloc;
use crate::dispatch::caller;
use crate::race::{Contender, now, race};
use crate::table::{Table, Target, time};

const ISSUER: &str = "https://auth.example";
const OPS: usize = 1_000;
/// Connections that are warm at the same time.
const WARM: usize = 1_000;
/// Callers in the storm.
const STORM: usize = 10_000;
const HOUR: Duration = Duration::from_secs(3_600);

/// Fetches something.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(name = "fetch", read_only)]
#[serde(deny_unknown_fields)]
struct Fetch {}

impl Run for Fetch {
    type Output = String;
    async fn run(self, cx: &ToolContext) -> Result<String> {
        cx.http().get("/thing").text().await
    }
}

struct Service(ConnectorManifest);

impl Connector for Service {
    fn manifest(&self) -> &ConnectorManifest {
        &self.0
    }

    fn tools(&self, set: &mut ToolSet) {
        set.add::<Fetch>();
    }
}

/// A service that answers at once.
struct AtOnce;

#[async_trait]
impl Transport for AtOnce {
    async fn send(
        &self,
        _: http::Request<RequestBody>,
        _: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        let body = futures_util::stream::once(std::future::ready(Ok(Bytes::from_static(b"a thing"))));
        Ok(http::Response::new(Box::pin(body)))
    }
}

struct House {
    clock: Arc<dyn Clock>,
    issuer: Issuer,
    stores: Stores,
    manager: TokenManager,
    another: TokenManager,
    scheme: AuthScheme,
}

impl House {
    /// By the machine's clock, as in a host.
    fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    fn with_clock(clock: Arc<dyn Clock>) -> Self {
        let emulator = OAuthEmulator::with_clock(clock.clone());
        let settings = IssuerSettings::new(ISSUER).client(EmulatedClient::secret_post("app", "the-secret"));
        let issuer = emulator.issuer(settings).expect("a server");
        let stores = Stores::in_memory_with(clock.clone());
        let keys = Arc::new(Keyring::generate().expect("keys"));
        let vault = EnvelopeVault::builder(keys).stateless().without_access_log().build().expect("a vault");
        let entry = ProviderEntry::new("emulated", format!("{ISSUER}/token"));
        let client = ClientConfig::confidential("app", "the-secret").auth(ClientAuth::Post);
        let builder = TokenManager::builder(&stores, Arc::new(vault))
            .clock(clock.clone())
            .catalog(Catalog::empty().with_entry(entry).expect("an entry"))
            .clients(StaticClients::new().with("emulated", client))
            .transport(Arc::new(emulator));
        let another = builder.clone().build().expect("a manager");
        let manager = builder.build().expect("a manager");
        Self { clock, issuer, stores, manager, another, scheme: AuthScheme::oauth2("emulated", ["read"]) }
    }

    async fn connect(&self, n: usize) -> Connection {
        let connection = Connection::new(
            ConnectionId::new(format!("connection-{n}")).expect("an id"),
            TenantId::new("acme").expect("an id"),
            Owner::Tenant,
            InstanceId::new("service").expect("an id"),
        );
        let stored = self.stores.connections.put(connection).await.expect("stored");
        let tokens = self.issuer.grant("app", ["read"]);
        let mut set = TokenSet::bearer(tokens.access_token);
        set.refresh_token = tokens.refresh_token.map(Into::into);
        set.expires_at = Some(self.clock.now() + tokens.expires_in);
        self.manager.save(&stored, &set.into()).await.expect("saved");
        stored
    }

    fn session(&self, scheme: AuthScheme) -> Session {
        let manifest = ConnectorManifest::new("service", semver::Version::new(1, 0, 0), "Service")
            .base_url("https://api.example/".parse().expect("a URL"))
            .auth(scheme);
        let hub = Hub::builder()
            .connector(Service(manifest))
            .stores(self.stores.clone())
            .transport(Arc::new(AtOnce))
            .authenticator(Arc::new(self.manager.clone()))
            .configure(|settings| settings.audit.mode = AuditMode::Off)
            .build();
        hub.expect("a hub").session(caller())
    }
}

/// What somebody would keep instead: a map behind a lock.
type Plain = RwLock<HashMap<(TenantId, ConnectionId), Arc<Access>>>;

pub(crate) fn run(table: &mut Table, rounds: usize, runtime: &Runtime) {
    warm(table, rounds, runtime);
    calls(table, rounds, runtime);
    storm(table, rounds.div_ceil(24), runtime);
    memory(table, runtime);
}

fn warm(table: &mut Table, rounds: usize, runtime: &Runtime) {
    let house = House::new();
    let plain = Plain::default();
    let connections: Vec<Connection> = runtime.block_on(async {
        let mut all = Vec::new();
        for n in 0..WARM {
            let connection = house.connect(n).await;
            let access = house.manager.access(&connection, &house.scheme).await.expect("a token");
            let key = (connection.tenant.clone(), connection.id.clone());
            plain.write().expect("not poisoned").insert(key, access);
            all.push(connection);
        }
        all
    });
    let ours = Contender::new(|n| {
        for k in 0..n {
            let connection = &connections[k % WARM];
            let _ = black_box(now(house.manager.access(connection, &house.scheme)));
        }
    });
    let hit = Contender::new(|n| {
        for k in 0..n {
            let connection = &connections[k % WARM];
            let key = (connection.tenant.clone(), connection.id.clone());
            let _ = black_box(plain.read().expect("not poisoned").get(&key).cloned());
        }
    });
    // The same as somebody would have to write it, who must not hand out what has ended.
    let checked = Contender::new(|n| {
        for k in 0..n {
            let connection = &connections[k % WARM];
            let key = (connection.tenant.clone(), connection.id.clone());
            let found = plain.read().expect("not poisoned").get(&key).cloned();
            let good = |access: &Arc<Access>| access.ends().is_none_or(|end| SystemClock.now() < end);
            let _ = black_box(found.filter(good));
        }
    });
    // Connections that carry another manager's: this one must search, as for a connection that was just read from a store.
    let strangers: Vec<Connection> = runtime.block_on(async {
        let mut all = Vec::new();
        for Connection { tenant, id, .. } in &connections {
            let found = house.stores.connections.get(tenant, id).await.expect("read").expect("there");
            for _ in 0..2 {
                house.another.access(&found, &house.scheme).await.expect("a token");
            }
            all.push(found);
        }
        all
    });
    let searched = Contender::new(|n| {
        for k in 0..n {
            let _ = black_box(now(house.manager.access(&strangers[k % WARM], &house.scheme)));
        }
    });
    let [ours, searched, hit, checked] = race(rounds, OPS, [ours, searched, hit, checked]);
    let what = "warm token / hit in RwLock<HashMap>";
    table.row(what, time(ours.ns()), time(hit.ns()), ours.over(&hit), Target::AtMost(1.1));
    let what = "warm token, searched for / hit in RwLock<HashMap>";
    table.row(what, time(searched.ns()), time(hit.ns()), searched.over(&hit), Target::None);
    let what = "warm token / hit in RwLock<HashMap>, its end looked at";
    table.row(what, time(ours.ns()), time(checked.ns()), ours.over(&checked), Target::None);
}

fn calls(table: &mut Table, rounds: usize, runtime: &Runtime) {
    let house = House::new();
    runtime.block_on(house.connect(0));
    let (signed, bare) = (house.session(house.scheme.clone()), house.session(AuthScheme::None));
    let call = |session: &Session| {
        let outcome = now(session.call("service.fetch", Arguments::Raw(Bytes::from_static(b"{}"))));
        drop(black_box(outcome.expect("an answer")));
    };
    let text = || Arguments::Raw(Bytes::from_static(b"{}"));
    runtime.block_on(signed.call("service.fetch", text())).map(drop).expect("warm");
    let with = Contender::new(|n| (0..n).for_each(|_| call(&signed)));
    let without = Contender::new(|n| (0..n).for_each(|_| call(&bare)));
    let [with, without] = race(rounds, OPS, [with, without]);
    let what = "call with a request, warm token / without credentials";
    table.row(what, time(with.ns()), time(without.ns()), with.over(&without), Target::None);
}

fn storm(table: &mut Table, rounds: usize, runtime: &Runtime) {
    let clock = Arc::new(ManualClock::new());
    let house = House::with_clock(clock.clone());
    let connection = runtime.block_on(house.connect(0));
    let calls = |n: usize| {
        let all = (0..n).map(|_| house.manager.access(&connection, &house.scheme));
        let all = runtime.block_on(join_all(all));
        assert!(all.iter().all(Result::is_ok), "a call failed");
    };
    let before = house.issuer.counters().token_requests;
    let mut ended = 0;
    let expired = Contender::new(|n| {
        ended += 1;
        clock.advance(HOUR);
        calls(n);
    });
    let warm = Contender::new(calls);
    let [expired, warm] = race(rounds, STORM, [expired, warm]);
    let requests = house.issuer.counters().token_requests - before;
    assert_eq!(requests, ended, "one token request for each end");
    let what = format!("{STORM} calls on an expired token, per call / warm");
    table.row(&what, time(expired.ns()), time(warm.ns()), expired.over(&warm), Target::None);
}

fn memory(table: &mut Table, runtime: &Runtime) {
    const CONNECTIONS: usize = 20_000;
    let house = House::new();
    let all: Vec<Connection> = runtime.block_on(async {
        let mut all = Vec::new();
        for n in 0..CONNECTIONS {
            all.push(house.connect(n).await);
            // What `save` keeps of it is part of what is measured below.
            let last = &all[n];
            house.manager.forget(&last.tenant, &last.id);
        }
        all
    });
    let ((), bytes) = alloc::kept(|| {
        runtime.block_on(async {
            for connection in &all {
                house.manager.access(connection, &house.scheme).await.map(drop).expect("a token");
            }
        });
    });
    let each = bytes as f64 / CONNECTIONS as f64;
    let what = "memory for 100,000 warm tokens, MiB / bytes each";
    table.row(
        what,
        format!("{:.0} MiB", each * 100_000.0 / 1_048_576.0),
        format!("{each:.0} B"),
        each,
        Target::None,
    );
}
