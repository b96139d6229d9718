//! Several processes on one file. A child is this very test binary, run for one ignored test.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tool_connect_core::ToolId;
use tool_connect_core::store::{
    AuthorizationState, Begin, CredentialKey, CredentialKind, IdempotencyKey, LeaseGrant, QuotaKey,
    QuotaRequest, StoredCredential, Stores, Subject,
};
use tool_connect_core::{Clock as _, ErrorKind, Owner, SystemClock};

use crate::support::{append, folder, grant, open, tenant, user, whole_chain};

const DATABASE: &str = "TOOL_CONNECT_TEST_DATABASE";
const NUMBER: &str = "TOOL_CONNECT_TEST_NUMBER";
/// What a child writes before each line of its own; the test harness writes others.
const MARK: &str = "child says ";

struct Process {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Process {
    /// Starts a child, which waits for `go`.
    fn start(role: &str, path: &Path, number: u8) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this test binary"))
            .args([&format!("processes::as_child::{role}"), "--exact", "--ignored", "--nocapture"])
            .env(DATABASE, path)
            .env(NUMBER, number.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child process");
        let said = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, said }
    }

    fn go(&mut self) {
        let stdin = self.child.stdin.as_mut().expect("its input");
        stdin.write_all(b"go\n").expect("it listens");
    }

    /// The next line that the child wrote itself; `None` at its end.
    fn next(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.said.read_line(&mut line).expect("its output") == 0 {
                return None;
            }
            // The harness may have begun the line with the test's name. A killed child may leave half
            // a line.
            if let (Some((_, text)), true) = (line.split_once(MARK), line.ends_with('\n')) {
                return Some(text.trim_end().to_owned());
            }
        }
    }

    /// Everything that it has to say, once it has ended well.
    fn finish(mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(line) = self.next() {
            lines.push(line);
        }
        assert!(self.child.wait().expect("its end").success(), "a child failed");
        lines
    }
}

/// Runs so many children at once.
fn at_once(role: &str, path: &Path, count: u8) -> Vec<Vec<String>> {
    let mut processes: Vec<_> = (0..count).map(|number| Process::start(role, path, number)).collect();
    for process in &mut processes {
        assert_eq!(process.next().as_deref(), Some("ready"));
    }
    processes.iter_mut().for_each(Process::go);
    processes.into_iter().map(Process::finish).collect()
}

fn key(number: usize) -> IdempotencyKey {
    IdempotencyKey {
        tenant: tenant("acme"),
        user: user("ada"),
        tool: ToolId::parse("files.write").expect("a valid tool id"),
        key: Arc::from(format!("key {number}")),
    }
}

const KEYS: usize = 60;

/// An empty secret that the children write into.
fn credential() -> StoredCredential {
    let key = CredentialKey::new(CredentialKind::Connection, "c");
    StoredCredential::new(tenant("acme"), key, Owner::Tenant, Vec::new(), "key-1")
}

/// Wall time in nanoseconds.
fn nanos() -> u128 {
    SystemClock.now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_nanos()
}

fn quota() -> QuotaRequest {
    QuotaRequest {
        key: QuotaKey { tenant: tenant("acme"), name: "tenant".to_owned() },
        cost: 1,
        limit: 50,
        window: Duration::from_secs(86_400 * 365 * 1000),
    }
}

#[tokio::test]
async fn processes_that_make_one_file_at_once_agree_on_it() {
    for _ in 0..3 {
        let (_folder, path) = folder();
        at_once("makes_the_file", &path, 5);
        let raw = rusqlite::Connection::open(&path).expect("open");
        let steps: i64 = raw
            .query_row("SELECT count(*) FROM tool_connect_migrations", [], |row| row.get(0))
            .expect("count");
        assert_eq!(steps, 3, "each migration once");
        let roles: Vec<_> = (0..5).map(|n| Subject::Role(format!("role {n}"))).collect();
        assert_eq!(open(&path).grants.list(&tenant("acme"), &roles).await.expect("list").len(), 5);
    }
}

#[test]
fn one_process_wins_each_key() {
    let (_folder, path) = folder();
    drop(open(&path));
    let won: Vec<String> = at_once("begins_every_key", &path, 3).concat();
    assert_eq!(won.len(), KEYS, "no key was won twice: {won:?}");
    assert_eq!(won.iter().collect::<BTreeSet<_>>().len(), KEYS, "every key was won");
}

#[tokio::test]
async fn one_process_uses_each_state() {
    let (_folder, path) = folder();
    let stores = open(&path);
    let end = SystemClock.now() + Duration::from_secs(600);
    for number in 0..KEYS {
        let state = AuthorizationState::new(tenant("acme"), number.to_string(), user("ada"), vec![1], end);
        stores.authorizations.put(state).await.expect("put");
    }
    let won: Vec<String> = at_once("consumes_every_state", &path, 3).concat();
    assert_eq!(won.len(), KEYS, "no state was used twice: {won:?}");
    assert_eq!(won.iter().collect::<BTreeSet<_>>().len(), KEYS, "every state was used");
}

#[test]
fn one_process_holds_a_lease_and_its_fences_rise() {
    let (_folder, path) = folder();
    drop(open(&path));
    // Each grant is said as "fence begin end" by the time that all processes share.
    let mut grants: Vec<Vec<u128>> = at_once("takes_the_lease", &path, 3)
        .concat()
        .iter()
        .map(|line| line.split(' ').map(|part| part.parse().expect("a number")).collect())
        .collect();
    assert_eq!(grants.len(), 3 * 10);
    grants.sort();
    for pair in grants.windows(2) {
        assert!(pair[0][0] < pair[1][0], "no fence twice: {pair:?}");
        assert!(pair[0][2] <= pair[1][1], "one held it while another did: {pair:?}");
    }
}

#[tokio::test]
async fn processes_lose_no_write_of_each_other() {
    let (_folder, path) = folder();
    let stores = open(&path);
    stores.credentials.put(credential()).await.expect("put");
    at_once("appends_to_the_credential", &path, 3);
    let stored = stores.credentials.get(&tenant("acme"), &credential().key).await.expect("get");
    let mut marks = stored.expect("still there").sealed;
    marks.sort_unstable();
    assert_eq!(marks, [[0; 20], [1; 20], [2; 20]].concat());
}

#[test]
fn processes_stay_within_one_quota() {
    let (_folder, path) = folder();
    drop(open(&path));
    let taken: usize = at_once("takes_what_it_gets", &path, 3).iter().map(Vec::len).sum();
    assert_eq!(taken, 50);
}

#[tokio::test]
async fn processes_append_to_one_chain_without_forks() {
    let (_folder, path) = folder();
    drop(open(&path));
    at_once("appends_forty_times", &path, 3);
    assert_eq!(whole_chain(&*open(&path).audit).await, 3 * 40 * 3);
}

#[tokio::test]
async fn what_was_acknowledged_outlives_a_killed_process() {
    let (_folder, path) = folder();
    for round in 1..=3 {
        let mut process = Process::start("appends_for_ever", &path, round);
        assert_eq!(process.next().as_deref(), Some("ready"));
        process.go();
        let mut acknowledged = 0;
        for _ in 0..25 {
            acknowledged = process.next().expect("it goes on").parse().expect("a number");
        }
        process.child.kill().expect("kill");
        process.child.wait().expect("its end");
        while let Some(line) = process.next() {
            acknowledged = line.parse::<u64>().expect("a number");
        }
        let stores = open(&path);
        let length = whole_chain(&*stores.audit).await;
        assert!(length >= acknowledged, "{acknowledged} were acknowledged, {length} are there");
        assert_eq!(length % 3, 0, "a segment is there whole or not at all");
        drop(stores);
    }
}

/// What children do. Each waits until all are ready.
mod as_child {
    use super::*;

    fn say(what: impl std::fmt::Display) {
        let mut out = std::io::stdout().lock();
        // Killed children have nobody to complain to.
        let _ = writeln!(out, "{MARK}{what}").and_then(|()| out.flush());
    }

    fn wait() {
        say("ready");
        let mut byte = [0];
        std::io::stdin().read_exact(&mut byte).expect("the parent says go");
    }

    fn database() -> (PathBuf, u8) {
        let path = std::env::var_os(DATABASE).expect("started by another test");
        let number = std::env::var(NUMBER).expect("started by another test");
        (path.into(), number.parse().expect("a number"))
    }

    fn begin() -> (Stores, u8) {
        let (path, number) = database();
        let stores = open(&path);
        wait();
        (stores, number)
    }

    #[tokio::test]
    #[ignore = "run by other tests in a process of its own"]
    async fn makes_the_file() {
        let (path, number) = database();
        wait();
        open(&path).grants.put(grant(&format!("role {number}"))).await.expect("put");
    }

    #[tokio::test]
    #[ignore = "run by other tests in a process of its own"]
    async fn begins_every_key() {
        let (stores, number) = begin();
        let hour = Duration::from_secs(3600);
        for step in 0..KEYS {
            // Each begins elsewhere, so that all of them win some.
            let place = (step + usize::from(number) * KEYS / 3) % KEYS;
            match stores.idempotency.begin(&key(place), &[1; 32], hour, hour).await.expect("begin") {
                Begin::Fresh(_) => say(place),
                other => assert_eq!(other, Begin::InFlight),
            }
        }
    }

    #[tokio::test]
    #[ignore = "run by other tests in a process of its own"]
    async fn consumes_every_state() {
        let (stores, number) = begin();
        for step in 0..KEYS {
            let place = ((step + usize::from(number) * KEYS / 3) % KEYS).to_string();
            if stores.authorizations.consume(&tenant("acme"), &place).await.expect("consume").is_some() {
                say(place);
            }
        }
    }

    #[tokio::test]
    #[ignore = "run by other tests in a process of its own"]
    async fn takes_the_lease() {
        let (stores, _) = begin();
        let minute = Duration::from_secs(60);
        for _ in 0..10 {
            let fence = loop {
                match stores.leases.acquire(&tenant("acme"), "l", minute).await.expect("acquire") {
                    LeaseGrant::Granted { fence } => break fence,
                    _ => tokio::time::sleep(Duration::from_millis(1)).await,
                }
            };
            let begin = nanos();
            tokio::time::sleep(Duration::from_millis(2)).await;
            let end = nanos();
            assert!(stores.leases.release(&tenant("acme"), "l", fence).await.expect("release"));
            say(format_args!("{fence} {begin} {end}"));
        }
    }

    #[tokio::test]
    #[ignore = "run by other tests in a process of its own"]
    async fn appends_to_the_credential() {
        let (stores, number) = begin();
        for _ in 0..20 {
            loop {
                let read = stores.credentials.get(&tenant("acme"), &credential().key).await.expect("get");
                let mut mine = read.expect("there");
                mine.sealed.push(number);
                match stores.credentials.put(mine).await {
                    Ok(_) => break,
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
                }
            }
        }
    }

    #[tokio::test]
    #[ignore = "run by other tests in a process of its own"]
    async fn takes_what_it_gets() {
        let (stores, _) = begin();
        for _ in 0..50 {
            if stores.quotas.acquire(&[quota()]).await.expect("acquire").refused.is_none() {
                say("taken");
            }
        }
    }

    #[tokio::test]
    #[ignore = "run by other tests in a process of its own"]
    async fn appends_forty_times() {
        let (stores, number) = begin();
        let mut end = None;
        for _ in 0..40 {
            end = append(&*stores.audit, end, number).await;
        }
    }

    #[tokio::test]
    #[ignore = "run by other tests in a process of its own"]
    async fn appends_for_ever() {
        let (stores, number) = begin();
        let mut end = stores.audit.head(&tenant("acme")).await.expect("head");
        loop {
            end = append(&*stores.audit, end, number).await;
            say(end.map_or(0, |head| head.sequence));
        }
    }
}
