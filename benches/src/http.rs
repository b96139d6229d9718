//! A read of a 10 KB issue over HTTP, 64 in flight: what the whole stack costs beside a bare client.
//!
//! The server is a process of its own that answers with the same bytes at once, so that what is measured is the client. All
//! contenders run on one thread, whatever they do beside the call included.

use std::future::Future;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tool_connect_connectors::github::{GetIssue, GitHub, Issue};
use tool_connect_core::{
    Connection, ConnectionId, Connector, ConnectorManifest, Credential, Error, InstanceId, Owner, PlanId,
    Principal, Rate, Result, Run, TenantId, Tool, ToolContext, ToolOutput, ToolSet,
};
use tool_connect_hub::audit::AuditMode;
use tool_connect_hub::{Hub, InstanceOptions, NetworkAccess, RolePolicy, Session, StaticCredentials};

use crate::race::{Contender, race};
use crate::table::{Table, Target, time};

/// Requests in flight.
const FLIGHT: usize = 64;
/// Requests of a sample.
const OPS: usize = 2_048;
const PATH: &str = "/repos/acme/site/issues/7";
/// Set for the child process that is the server.
const SERVER: &str = "TOOL_CONNECT_BENCH_SERVER";

/// Becomes the server where this process was started as one.
pub(crate) fn serve_if_asked() {
    if std::env::var_os(SERVER).is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        println!("{}", listener.local_addr().expect("an address").port());
        let answer: &'static [u8] = answer().leak();
        // Never asleep: to wake another processor's sleeper costs a client more on a virtual machine than its request does, and
        // the more often the longer it takes for one.
        tokio::spawn(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer_all(stream, answer));
        }
    });
}

/// Answers every request of a connection; requests without a body, one after the other.
async fn answer_all(mut stream: TcpStream, answer: &'static [u8]) {
    let _ = stream.set_nodelay(true);
    let mut buffer = vec![0; 16 * 1024];
    let mut filled = 0;
    while let Ok(read @ 1..) = stream.read(&mut buffer[filled..]).await {
        filled += read;
        while let Some(end) = buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n") {
            buffer.copy_within(end + 4..filled, 0);
            filled -= end + 4;
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    }
}

fn answer() -> Vec<u8> {
    let body = issue();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\netag: W/\"5\"\r\n\
         cache-control: private, max-age=60, s-maxage=60\r\nx-ratelimit-limit: 500000000\r\n\
         x-ratelimit-remaining: 499999000\r\nx-ratelimit-reset: 4102444800\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat()
}

/// An issue with all the fields that GitHub sends, 10 KB of it.
fn issue() -> String {
    let api = "https://api.github.com";
    let user = |login: &str| {
        let url = format!("{api}/users/{login}");
        serde_json::json!({
            "login": login, "id": 1, "node_id": "U_1", "type": "User", "site_admin": false, "gravatar_id": "", "url": url,
            "avatar_url": format!("https://avatars.githubusercontent.com/u/1?v=4"), "html_url": format!("https://github.com/{login}"),
            "followers_url": format!("{url}/followers"), "following_url": format!("{url}/following"),
            "gists_url": format!("{url}/gists"), "starred_url": format!("{url}/starred"),
            "subscriptions_url": format!("{url}/subscriptions"), "organizations_url": format!("{url}/orgs"),
            "repos_url": format!("{url}/repos"), "events_url": format!("{url}/events"),
            "received_events_url": format!("{url}/received_events"),
        })
    };
    let labels: Vec<_> = (0..6)
        .map(|n| {
            serde_json::json!({
                "id": n, "node_id": format!("L_{n}"), "url": format!("{api}{PATH}/labels/l{n}"), "name": format!("label {n}"),
                "color": "d73a4a", "default": false, "description": "What it is for.",
            })
        })
        .collect();
    let url = format!("{api}{PATH}");
    let mut issue = serde_json::json!({
        "id": 1, "node_id": "I_1", "url": url, "repository_url": format!("{api}/repos/acme/site"),
        "labels_url": format!("{url}/labels"), "comments_url": format!("{url}/comments"), "events_url": format!("{url}/events"),
        "html_url": "https://github.com/acme/site/issues/7", "number": 7, "title": "It does not start", "state": "open",
        "user": user("ada"), "labels": labels, "assignee": user("bob"), "assignees": [user("bob"), user("eve")],
        "milestone": null, "locked": false, "active_lock_reason": null, "comments": 3, "closed_at": null,
        "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:05Z", "author_association": "MEMBER", "body": "",
    });
    let missing = 10_240_usize.saturating_sub(issue.to_string().len());
    let line = "It says \"no such file\" and ends; the log has nothing more to say about it. ";
    issue["body"] = line.repeat(missing / line.len() + 1)[..missing].into();
    issue.to_string()
}

struct Server {
    process: Child,
    port: u16,
}

impl Server {
    fn start() -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this program's path"))
            .env(SERVER, "1")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        let output = process.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("the server says its port");
        Self { process, port: line.trim().parse().expect("a port") }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Gets an issue as GitHub sends it.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
struct PassThrough {}

impl Run for PassThrough {
    type Output = ToolOutput;

    async fn run(self, cx: &ToolContext) -> Result<ToolOutput> {
        Ok(ToolOutput::json(cx.http().get(PATH).bytes().await?))
    }
}

/// GitHub, and a tool that passes its bytes through.
struct Both(GitHub);

impl Connector for Both {
    fn manifest(&self) -> &ConnectorManifest {
        self.0.manifest()
    }

    fn tools(&self, set: &mut ToolSet) {
        self.0.tools(set);
        set.add::<PassThrough>();
    }

    fn classify(&self, parts: &http::response::Parts, body: &[u8]) -> Option<Error> {
        self.0.classify(parts, body)
    }
}

/// Everything on: audit trail, metrics, limits, roles, a connection and its credential.
async fn session(server: &Server) -> (Hub, Session) {
    let rate = Rate::per_second(1_000_000).burst(1_000_000_000);
    let secrets = Arc::new(StaticCredentials::new());
    let options = InstanceOptions::default()
        .base_url(server.url("/").parse().expect("a URL"))
        .limits(Default::default());
    let hub = Hub::builder()
        .instance(Both(GitHub::new()), options)
        .credentials(Arc::clone(&secrets) as _)
        .metrics(true)
        .configure(|settings| {
            settings.http.access = NetworkAccess::public().allow_loopback();
            settings.audit.mode = AuditMode::FailOpen;
            settings.limits.tenant = Some(rate);
            settings.limits.user = Some(rate);
            settings.limits.instance = Some(rate);
            settings.limits.connection = Some(rate);
            settings.limits.plans.insert("pro".to_owned(), rate);
            settings.policy = RolePolicy::new().role("caller", ["github.*"]).expect("a valid pattern");
        })
        .build()
        .expect("a hub");
    let (tenant, id) = (TenantId::new("acme").expect("an id"), ConnectionId::new("ada").expect("an id"));
    let instance = InstanceId::new("github").expect("an id");
    let connection = Connection::new(id.clone(), tenant.clone(), Owner::Tenant, instance).scopes(["repo"]);
    hub.put_connection(connection).await.expect("stored");
    secrets.set(tenant, id, Credential::token("gho_16C7e42F292c6912E7710c838347Ae178B4a"));
    let plan = PlanId::new("pro").expect("an id");
    let caller = Principal::user("acme", "ada").expect("ids").with_role("caller").with_plan(plan);
    let session = hub.session(caller);
    (hub, session)
}

/// What a host's retention does. Without it each sample would pay for memory that was never touched before, as much as the
/// trail is longer than the last.
fn prune(runtime: &Runtime, hub: &Hub) {
    let tenant = TenantId::new("acme").expect("an id");
    runtime.block_on(async {
        let audit = &hub.stores().audit;
        if let Some(head) = audit.head(&tenant).await.expect("the trail is read") {
            audit.prune(&tenant, head.sequence).await.expect("the trail is pruned");
        }
    });
}

/// `n` requests, so many in flight, on the runtime's one thread.
fn fly<F, Fut>(runtime: &Runtime, n: usize, make: F)
where
    F: Fn() -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    runtime.block_on(async move {
        let lanes: Vec<_> = (0..FLIGHT)
            .map(|_| {
                let make = make.clone();
                tokio::spawn(async move {
                    for _ in 0..n.div_ceil(FLIGHT) {
                        make().await;
                    }
                })
            })
            .collect();
        for lane in lanes {
            lane.await.expect("a lane ends");
        }
    });
}

pub(crate) fn run(table: &mut Table, rounds: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime starts");
    let server = Server::start();
    let bare = reqwest::Client::builder().no_proxy().build().expect("a client");
    let (hub, session) = runtime.block_on(session(&server));
    let octocrab = {
        let _entered = runtime.enter();
        let built = octocrab::Octocrab::builder().base_uri(server.url("/")).expect("a URL");
        Arc::new(built.personal_token("gho_16C7e42F292c6912E7710c838347Ae178B4a").build().expect("a client"))
    };
    let url: Arc<str> = server.url(PATH).into();
    let base: Arc<str> = server.url("").into();
    let wanted = GetIssue { owner: "acme".into(), repo: "site".into(), number: 7, whole: false };

    let get = move |client: &reqwest::Client, url: &str| {
        let token = "Bearer gho_16C7e42F292c6912E7710c838347Ae178B4a";
        let request =
            client.get(url).header("authorization", token).header("accept", "application/vnd.github+json");
        request.header("x-github-api-version", "2022-11-28").header("user-agent", "benches").send()
    };
    let bytes = {
        let client = bare.clone();
        move || {
            let sent = get(&client, &url);
            async move { drop(black_box(sent.await.expect("an answer").bytes().await.expect("a body"))) }
        }
    };
    let typed = {
        let (client, wanted) = (bare, wanted.clone());
        move || {
            // Who asks for a typed issue has its repository and number, as our tool has.
            let GetIssue { owner, repo, number, .. } = &wanted;
            let sent = get(&client, &format!("{base}/repos/{owner}/{repo}/issues/{number}"));
            async move { drop(black_box(sent.await.expect("an answer").json::<Issue>().await.expect("an issue"))) }
        }
    };
    let passed = {
        let session = session.clone();
        move || {
            let session = session.clone();
            async move {
                let output =
                    session.call("github.pass_through", "{}").await.expect("an answer").into_output();
                drop(black_box(output.expect("an output").to_json().expect("bytes")));
            }
        }
    };
    let ours = move || {
        let (session, wanted) = (session.clone(), wanted.clone());
        async move { drop(black_box(session.run(wanted).await.expect("an issue"))) }
    };
    let peer = move || {
        let client = Arc::clone(&octocrab);
        async move { drop(black_box(client.issues("acme", "site").get(7).await.expect("an issue"))) }
    };
    let contenders = [
        Contender::new(|n| fly(&runtime, n, bytes.clone())),
        Contender::new(|n| {
            fly(&runtime, n, passed.clone());
            prune(&runtime, &hub);
        }),
        Contender::new(|n| fly(&runtime, n, typed.clone())),
        Contender::new(|n| {
            fly(&runtime, n, ours.clone());
            prune(&runtime, &hub);
        }),
        Contender::new(|n| fly(&runtime, n, peer.clone())),
    ];
    let [bytes, passed, typed, ours, peer] = race(rounds, OPS, contenders);
    let row = |table: &mut Table,
               what: &str,
               this: &crate::race::Measured,
               beside: &crate::race::Measured,
               target| {
        table.row(what, time(this.ns()), time(beside.ns()), this.over(beside), target);
    };
    row(table, "http: pass-through, everything on, by reqwest bytes", &passed, &bytes, Target::AtMost(1.1));
    row(table, "http: typed, everything on, by reqwest typed", &ours, &typed, Target::AtMost(1.05));
    let times = peer.over(&passed);
    table.row(
        "http: octocrab typed by pass-through (times faster)",
        time(passed.ns()),
        time(peer.ns()),
        times,
        Target::AtLeast(3.0),
    );
    row(table, "http: typed by octocrab typed", &ours, &peer, Target::None);
}
