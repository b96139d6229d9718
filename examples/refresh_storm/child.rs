//! What a process of the storm does.

use std::collections::HashSet;
use std::io::BufRead as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use tool_connect::http::{RequestBody, Transport, TransportLimits};
use tool_connect::oauth::catalog::Rotation;
use tool_connect::oauth::refresh::TokenManager;
use tool_connect::{Connection, ConnectionStatus, ErrorKind, Event, EventKind, Result};

use super::house::{self, Times};
use super::process::say;
use super::trouble::{Trouble, Troubled, Unfenced};

/// The variable in which a process finds its role.
pub(crate) const ROLE: &str = "TOOL_CONNECT_STORM";

/// What a process is told.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Role {
    pub(crate) folder: PathBuf,
    pub(crate) issuer: String,
    /// For how long a used refresh token may be used again; `None` where it may not at all.
    pub(crate) tolerated_s: Option<u64>,
    pub(crate) times: Times,
    pub(crate) fenced: bool,
    pub(crate) work: Work,
}

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Work {
    /// So many calls at once, when it is told to.
    Calls(usize),
    /// Calls on so many connections again and again until it is told to stop; it is stopped whenever it holds a lease.
    StoppedCalls(usize),
    /// A call on the connection that it is told, at which it dies before it asks the provider.
    DiesBeforeAsking,
    /// The same, with the provider's answer in its hands.
    DiesBeforeStoring,
    /// Calls on each connection that it is told, until there is an end.
    Settles,
}

/// Whether this process was started by another one of ours.
pub(crate) fn is_one() -> bool {
    std::env::var_os(ROLE).is_some()
}

pub(crate) fn run() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let ended = runtime.map_err(|error| error.to_string()).and_then(|runtime| {
        let text = std::env::var(ROLE).unwrap_or_default();
        let role: Role = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        runtime.block_on(work(role)).map_err(|error| format!("{error:?}"))
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("a process failed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A manager on the shared file, with the trouble that its work brings.
struct Worker {
    manager: TokenManager,
    transport: Arc<dyn Transport>,
    issuer: String,
    /// How many connections this process has sent to their user.
    demoted: Arc<AtomicU64>,
}

impl Worker {
    fn new(role: &Role) -> Result<Self> {
        let trouble = Arc::new(match role.work {
            Work::StoppedCalls(_) => {
                let turns = AtomicU64::new(u64::from(std::process::id()));
                Trouble::Stops { turns, one: Mutex::default() }
            }
            Work::DiesBeforeAsking => Trouble::DiesBeforeAsking,
            Work::DiesBeforeStoring => Trouble::DiesBeforeStoring,
            _ => Trouble::None,
        });
        let (mut stores, vault) = house::open(&role.folder)?;
        stores.credentials =
            Arc::new(Troubled { inner: Arc::clone(&stores.credentials), trouble: Arc::clone(&trouble) });
        stores.leases = if role.fenced {
            Arc::new(Troubled { inner: Arc::clone(&stores.leases), trouble: Arc::clone(&trouble) })
        } else {
            Arc::new(Unfenced(Arc::clone(&stores.leases)))
        };
        let rotation =
            role.tolerated_s.map_or(Rotation::Strict, |s| Rotation::Tolerated(Duration::from_secs(s)));
        let transport = house::loopback()?;
        let asked: Arc<dyn Transport> = Arc::new(Troubled { inner: Arc::clone(&transport), trouble });
        let demoted = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&demoted);
        let hear = move |event: &Event| {
            if matches!(
                event.what,
                EventKind::ConnectionChanged { status: ConnectionStatus::NeedsReauth, .. }
            ) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        };
        let entry = house::entry(&role.issuer, rotation);
        let manager =
            house::manager(&stores, vault, asked, entry, role.times)?.event_sink(Arc::new(hear)).build()?;
        Ok(Self { manager, transport, issuer: role.issuer.clone(), demoted })
    }

    /// The access token, or the kind of the error.
    async fn call(&self, connection: &Connection) -> Result<String, ErrorKind> {
        let access = self.manager.access(connection, &house::scheme()).await;
        let access = access.inspect_err(|error| {
            if error.kind() != ErrorKind::NeedsReauth {
                eprintln!("a call failed: {error}");
            }
        });
        let access = access.map_err(|error| error.kind())?;
        access.token().map(|token| token.expose_secret().to_owned()).ok_or(ErrorKind::Internal)
    }

    /// Whether the service behind the server takes the token.
    async fn works(&self, token: &str) -> bool {
        let request = http::Request::get(format!("{}/userinfo", self.issuer))
            .header("authorization", format!("Bearer {token}"))
            .body(RequestBody::Empty);
        let Ok(request) = request else { return false };
        let answer = self.transport.send(request, &TransportLimits::default()).await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }
}

async fn work(role: Role) -> Result<()> {
    let worker = Arc::new(Worker::new(&role)?);
    let mut told = lines();
    say("ready");
    match role.work {
        Work::Calls(calls) => {
            told.recv().await;
            let (good, bad) = calls_at_once(&worker, calls).await?;
            say(&format!("calls {good} {bad}"));
        }
        Work::StoppedCalls(connections) => {
            told.recv().await;
            let (good, bad) = until_told(&worker, connections, told).await?;
            say(&format!("calls {good} {bad}"));
        }
        Work::DiesBeforeAsking | Work::DiesBeforeStoring => {
            if let Some(name) = told.recv().await {
                let _ = worker.call(&house::connection(&name)?).await;
            }
            say("survived");
        }
        Work::Settles => {
            let mut running = tokio::task::JoinSet::new();
            while let Some(name) = told.recv().await.filter(|name| name != "end") {
                let worker = Arc::clone(&worker);
                let connection = house::connection(&name)?;
                running.spawn(async move {
                    // Twice more, for who loops shows it now.
                    let mut outcome = worker.call(&connection).await;
                    for _ in 0..2 {
                        outcome = worker.call(&connection).await;
                    }
                    let end = match outcome {
                        Ok(token) if worker.works(&token).await => "works",
                        Ok(_) => "dead_token",
                        Err(ErrorKind::NeedsReauth) => "needs_reauth",
                        Err(_) => "failed",
                    };
                    say(&format!("settled {end}"));
                });
            }
            while running.join_next().await.is_some() {}
            say(&format!("demoted {}", worker.demoted.load(Ordering::Relaxed)));
        }
    }
    worker.manager.shutdown().await;
    Ok(())
}

/// So many calls at once on one connection; how many got a token that works, and how many did not.
async fn calls_at_once(worker: &Arc<Worker>, calls: usize) -> Result<(usize, usize)> {
    let connection = Arc::new(house::connection("c0")?);
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..calls {
        let (worker, connection) = (Arc::clone(worker), Arc::clone(&connection));
        running.spawn(async move { worker.call(&connection).await });
    }
    let outcomes = running.join_all().await;
    let tokens: HashSet<&String> = outcomes.iter().flatten().collect();
    let mut working = HashSet::new();
    for token in tokens {
        if worker.works(token).await {
            working.insert(token.clone());
        }
    }
    let good = outcomes.iter().flatten().filter(|token| working.contains(*token)).count();
    Ok((good, outcomes.len() - good))
}

/// Calls on all connections until the next line comes.
async fn until_told(
    worker: &Arc<Worker>,
    connections: usize,
    mut told: tokio::sync::mpsc::UnboundedReceiver<String>,
) -> Result<(u64, u64)> {
    let stop = Arc::new(AtomicBool::new(false));
    let counts = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
    let mut running = tokio::task::JoinSet::new();
    for n in 0..connections {
        let connection = house::connection(&format!("c{n}"))?;
        let (worker, stop, counts) = (Arc::clone(worker), Arc::clone(&stop), Arc::clone(&counts));
        running.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let failed = worker.call(&connection).await.is_err();
                counts[usize::from(failed)].fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
    }
    told.recv().await;
    stop.store(true, Ordering::Relaxed);
    running.join_all().await;
    Ok((counts[0].load(Ordering::Relaxed), counts[1].load(Ordering::Relaxed)))
}

/// The lines of the standard input.
fn lines() -> tokio::sync::mpsc::UnboundedReceiver<String> {
    let (send, receive) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(std::result::Result::ok) {
            if send.send(line).is_err() {
                return;
            }
        }
    });
    receive
}
