//! The parts of the storm, and their figures.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tool_connect::oauth::catalog::Rotation as Rotates;
use tool_connect::store::Stores;
use tool_connect::testkit::oauth::{
    Endpoint, Fault, Issuer, Loopback, LoopbackServer, OAuthEmulator, Rotation,
};

use super::child::{Role, Work};
use super::house::{self, Times};
use super::process::{Process, Said};

/// How long a process is stopped at least: half as long again as the lease.
const BEYOND: Duration = Duration::from_millis(300);

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// How large the storm is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    calls: usize,
    processes: usize,
    stops: usize,
    kills: usize,
}

impl Size {
    pub(crate) const SHORT: Self = Self { calls: 5_000, processes: 3, stops: 10, kills: 10 };
    pub(crate) const FULL: Self = Self { calls: 100_000, processes: 8, stops: 1_000, kills: 1_000 };
}

/// A part of the storm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Calls,
    Processes,
    Stops,
    Kills,
    Unfenced,
}

impl Part {
    pub(crate) const ALL: [Self; 5] =
        [Self::Calls, Self::Processes, Self::Stops, Self::Kills, Self::Unfenced];

    fn name(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Processes => "processes",
            Self::Stops => "stops",
            Self::Kills => "kills",
            Self::Unfenced => "unfenced",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }

    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

/// Runs a part and prints its figures; whether they are as they must be.
pub(crate) fn run(part: Part, size: Size) -> bool {
    if cfg!(not(unix)) && matches!(part, Part::Stops | Part::Kills) {
        println!("{:<10} needs signals; left out here", part.name());
        return true;
    }
    let start = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let outcome = runtime.map_err(Into::into).and_then(|runtime| {
        runtime.block_on(async {
            match part {
                Part::Calls => calls(size).await,
                Part::Processes => processes(size, true).await,
                Part::Stops => stops(size).await,
                Part::Kills => kills(size).await,
                Part::Unfenced => processes(size, false).await,
            }
        })
    });
    let seconds = start.elapsed().as_secs_f64();
    match outcome {
        Ok((good, figures)) => {
            let verdict = if good { "as it must be" } else { "NOT AS IT MUST BE" };
            println!("{:<10} {figures}; {seconds:.1} s: {verdict}", part.name());
            good
        }
        Err(error) => {
            println!("{:<10} could not be run: {error}", part.name());
            false
        }
    }
}

/// Very many calls in one process on one expired token.
async fn calls(size: Size) -> Outcome<(bool, String)> {
    const ISSUER: &str = "https://auth.example";
    let emulator = OAuthEmulator::new();
    let issuer = emulator.issuer(house::issuer(ISSUER))?;
    let (stores, vault) =
        (Stores::in_memory(), house::vault(tool_connect::oauth::vault::Keyring::generate()?)?);
    let entry = house::entry(ISSUER, Rotates::Strict);
    let manager = house::manager(&stores, vault, Arc::new(emulator), entry, Times::PATIENT)?.build()?;
    let connection = Arc::new(house::connection("c0")?);
    house::connect_expired(&stores, &manager, &connection, issuer.grant("app", ["read"]), ISSUER).await?;
    let scheme = Arc::new(house::scheme());
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..size.calls {
        let (manager, connection, scheme) = (manager.clone(), Arc::clone(&connection), Arc::clone(&scheme));
        let issuer = issuer.clone();
        running.spawn(async move {
            use secrecy::ExposeSecret as _;
            let access = manager.access(&connection, &scheme).await;
            access
                .is_ok_and(|access| access.token().is_some_and(|token| issuer.accepts(token.expose_secret())))
        });
    }
    let failed = running.join_all().await.into_iter().filter(|good| !good).count();
    let requests = issuer.counters().token_requests;
    let figures =
        format!("{} calls in one process: {requests} token request(s), {failed} failed", size.calls);
    Ok((requests == 1 && failed == 0, figures))
}

/// What processes share: a server on this machine and a folder.
struct Shared {
    folder: TempDir,
    issuer: Issuer,
    _server: LoopbackServer,
}

impl Shared {
    fn new(rotation: Rotation, access_lifetime: Duration) -> Outcome<Self> {
        let loopback = Loopback::bind()?;
        let emulator = OAuthEmulator::new();
        let settings = house::issuer(loopback.origin()).rotation(rotation).access_lifetime(access_lifetime);
        let issuer = emulator.issuer(settings)?;
        let server = loopback.serve(&emulator)?;
        Ok(Self { folder: tempfile::tempdir()?, issuer, _server: server })
    }

    /// Connections `c0`, `c1`.., each with an access token that has ended.
    async fn connect(&self, connections: usize) -> Outcome {
        let (stores, vault) = house::open(self.folder.path())?;
        let entry = house::entry(self.issuer.issuer(), Rotates::Strict);
        let manager = house::manager(&stores, vault, house::loopback()?, entry, Times::PATIENT)?.build()?;
        for n in 0..connections {
            let connection = house::connection(&format!("c{n}"))?;
            let tokens = self.issuer.grant("app", ["read"]);
            house::connect_expired(&stores, &manager, &connection, tokens, self.issuer.issuer()).await?;
        }
        Ok(())
    }

    fn role(&self, work: Work, times: Times) -> Role {
        Role {
            folder: self.folder.path().to_owned(),
            issuer: self.issuer.issuer().to_owned(),
            tolerated_s: None,
            times,
            fenced: true,
            work,
        }
    }
}

/// Processes, and what they say.
struct Crowd {
    processes: HashMap<usize, Process>,
    heard: Receiver<Said>,
    /// Those that stop themselves, and when they are to be woken.
    stopping: HashMap<usize, Instant>,
}

impl Crowd {
    /// Starts them and waits until all are ready.
    fn start(roles: impl IntoIterator<Item = Role>) -> Outcome<Self> {
        let (send, heard) = channel();
        let mut processes = HashMap::new();
        for (number, role) in roles.into_iter().enumerate() {
            processes.insert(number, Process::start(number, &role, send.clone())?);
        }
        let mut crowd = Self { processes, heard, stopping: HashMap::new() };
        for _ in 0..crowd.processes.len() {
            crowd.hear(|line| line == "ready")?;
        }
        Ok(crowd)
    }

    fn tell(&mut self, line: &str) {
        self.processes.values_mut().for_each(|process| process.tell(line));
    }

    /// The next line of this kind; lines of other kinds are passed over.
    fn hear(&mut self, wanted: impl Fn(&str) -> bool) -> Outcome<(usize, String)> {
        loop {
            let said = self.next()?;
            match said.line {
                Some(line) if wanted(&line) => return Ok((said.process, line)),
                Some(_) => {}
                None => return Err("a process has ended too early".into()),
            }
        }
    }

    /// What is said next; who stops is woken on the way.
    fn next(&mut self) -> Outcome<Said> {
        let patience = Instant::now() + Duration::from_secs(180);
        let mut silence = Instant::now() + 8 * BEYOND;
        while Instant::now() < patience {
            if Instant::now() >= silence {
                // Somebody stopped when nobody expected it any more.
                self.processes.values().for_each(Process::wake);
                silence += 8 * BEYOND;
            }
            for (process, wake) in &mut self.stopping {
                if Instant::now() >= *wake {
                    // Once more soon, for who had not stopped yet when the signal came.
                    *wake += BEYOND;
                    self.processes.get(process).inspect(|process| process.wake());
                }
            }
            let Ok(said) = self.heard.recv_timeout(Duration::from_millis(20)) else { continue };
            match said.line.as_deref() {
                Some("stopping") => drop(self.stopping.insert(said.process, Instant::now() + BEYOND)),
                line => {
                    if line.is_none_or(|line| line.starts_with("stopped ")) {
                        self.stopping.remove(&said.process);
                    }
                    return Ok(said);
                }
            }
        }
        Err("the processes say nothing".into())
    }

    /// What all of them counted; each may go once it has said so.
    fn sum(&mut self) -> Outcome<(u64, u64)> {
        let mut sums: HashMap<usize, (u64, u64)> = HashMap::new();
        while sums.len() < self.processes.len() {
            let said = self.next()?;
            match said.line.as_deref().map(|line| line.split(' ').collect::<Vec<_>>()).as_deref() {
                Some(["calls", good, failed]) => {
                    sums.insert(said.process, (good.parse()?, failed.parse()?));
                }
                None if !sums.contains_key(&said.process) => {
                    return Err("a process has ended too early".into());
                }
                _ => {}
            }
        }
        Ok(sums.into_values().fold((0, 0), |sum, (good, failed)| (sum.0 + good, sum.1 + failed)))
    }
}

/// The calls of several processes on one expired token; with the fence, or with the fence taken away.
async fn processes(size: Size, fenced: bool) -> Outcome<(bool, String)> {
    let shared = Shared::new(Rotation::Strict, Duration::from_secs(3_600))?;
    shared.connect(1).await?;
    // Long enough for all processes to be at it before the first is done.
    shared.issuer.faults(Endpoint::Token, &Fault::Slow(Duration::from_millis(300)), size.processes);
    let times = if fenced { Times::PATIENT } else { Times { settle_ms: 0, ..Times::PATIENT } };
    let role = || Role { fenced, ..shared.role(Work::Calls(size.calls / size.processes), times) };
    let mut crowd = Crowd::start((0..size.processes).map(|_| role()))?;
    let (good, failed) = tokio::task::block_in_place(|| {
        crowd.tell("go");
        crowd.sum()
    })?;
    let seen = shared.issuer.counters();
    let figures = format!(
        "{} calls in {} processes{}: {} token request(s), {} double spend(s), {} failed",
        good + failed,
        size.processes,
        if fenced { "" } else { " without the fence" },
        seen.token_requests,
        seen.double_spends,
        failed
    );
    let right = seen.token_requests == 1 && failed == 0 && seen.double_spends == 0;
    // Without its fence the same storm must show.
    Ok((right == fenced, figures))
}

/// Whoever holds a lease is stopped, for longer than it lasts: in houses of their own, side by side, since a stopped process
/// may hold the lock of its file as well.
async fn stops(size: Size) -> Outcome<(bool, String)> {
    const AT_MOST: usize = 250;
    let houses = size.stops.div_ceil(AT_MOST);
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..houses {
        running.spawn(stops_in_one_house(size.stops.div_ceil(houses)));
    }
    let mut all = Stops::default();
    for one in running.join_all().await {
        let one = one?;
        all.stops += one.stops;
        all.renewals += one.renewals;
        all.double_spends += one.double_spends;
        all.calls += one.calls;
        all.failed += one.failed;
    }
    let figures = format!(
        "{} stops of the holder beyond its lease of 200 ms: {} renewals, {} double spends, {} calls, {} failed",
        all.stops, all.renewals, all.double_spends, all.calls, all.failed
    );
    Ok((all.double_spends == 0 && all.failed == 0, figures))
}

#[derive(Default)]
struct Stops {
    stops: usize,
    renewals: u64,
    double_spends: u64,
    calls: u64,
    failed: u64,
}

async fn stops_in_one_house(wanted: usize) -> Outcome<Stops> {
    const CONNECTIONS: usize = 2;
    const PROCESSES: usize = 3;
    let shared = Shared::new(Rotation::Strict, Duration::from_millis(500))?;
    shared.connect(CONNECTIONS).await?;
    let role = || shared.role(Work::StoppedCalls(CONNECTIONS), Times::PATIENT);
    let mut crowd = Crowd::start((0..PROCESSES).map(|_| role()))?;
    let mut stops = 0;
    let (calls, failed) = tokio::task::block_in_place(|| -> Outcome<_> {
        crowd.tell("go");
        while stops < wanted {
            let said = crowd.next()?;
            let Some(line) = said.line else { return Err("a process has ended too early".into()) };
            let stopped = line.strip_prefix("stopped ").map(str::parse::<u64>).transpose()?;
            stops += usize::from(stopped.is_some_and(|millis| millis > Times::PATIENT.lease_ms));
        }
        crowd.tell("end");
        crowd.sum()
    })?;
    let seen = shared.issuer.counters();
    Ok(Stops { stops, renewals: seen.refresh_requests, double_spends: seen.double_spends, calls, failed })
}

/// Processes die with the provider's answer in their hands, or before they ask.
async fn kills(size: Size) -> Outcome<(bool, String)> {
    // A token request takes milliseconds here; who has not stored its answer after a second is dead.
    let times = Times { lease_ms: 200, settle_ms: 1_000, request_ms: 800 };
    let mut figures = Vec::new();
    let mut right = true;
    for (rotation, tolerated_s, work, share) in [
        (Rotation::Strict, None, Work::DiesBeforeStoring, size.kills * 4 / 10),
        (
            Rotation::Tolerated(Duration::from_secs(600)),
            Some(600),
            Work::DiesBeforeStoring,
            size.kills * 4 / 10,
        ),
        (Rotation::Strict, None, Work::DiesBeforeAsking, size.kills * 2 / 10),
    ] {
        let shared = Shared::new(rotation, Duration::from_secs(3_600))?;
        shared.connect(share).await?;
        let role = |work| Role { tolerated_s, ..shared.role(work, times) };
        let mut survivor = Crowd::start([role(Work::Settles)])?;
        let ended = tokio::task::block_in_place(|| -> Outcome<_> {
            for batch in (0..share).collect::<Vec<_>>().chunks(8) {
                let mut dying = Crowd::start(batch.iter().map(|_| role(work)))?;
                for (n, process) in batch.iter().zip(dying.processes.values_mut()) {
                    process.tell(&format!("c{n}"));
                }
                for _ in batch {
                    let said = dying.next()?;
                    if let Some(line) = said.line {
                        return Err(format!("a process did not die: {line}").into());
                    }
                }
                for n in batch {
                    survivor.tell(&format!("c{n}"));
                }
            }
            survivor.tell("end");
            let mut ended: HashMap<String, usize> = HashMap::new();
            for _ in 0..share {
                let (_, line) = survivor.hear(|line| line.starts_with("settled "))?;
                *ended.entry(line.trim_start_matches("settled ").to_owned()).or_default() += 1;
            }
            let (_, line) = survivor.hear(|line| line.starts_with("demoted "))?;
            Ok((ended, line.trim_start_matches("demoted ").parse::<usize>()?))
        });
        let (ended, events) = ended?;
        let count = |what: &str| ended.get(what).copied().unwrap_or_default();
        let (works, reauth) = (count("works"), count("needs_reauth"));
        let requests = usize::try_from(shared.issuer.counters().token_requests)?;
        right &= works + reauth == share && reauth == events && requests <= 2 * share;
        figures.push(format!(
            "{share} {} ({rotation:?}): {works} work, {reauth} needs_reauth with {events} events, {requests} token requests",
            if work == Work::DiesBeforeAsking { "deaths before asking" } else { "deaths before storing" },
        ));
    }
    Ok((right, figures.join("; ")))
}
