//! Secrets at rest, from the first key to a person's erasure: a key file, a thousand sealed connections in a SQLite file, a
//! second key, a rotation while reads go on, a minimum version, an erasure.
//!
//! Run it with `cargo run --example rotate_keys`. With `-- --storm` it rotates 100,000 connections in a process of its own
//! that is killed 50 times at random points, while two tasks read, and prints its figures
//! (`cargo run --release --example rotate_keys -- --storm [connections] [kills]`).
#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

mod storm;

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tool_connect::oauth::vault::{
    EnvelopeVault, KeySet, Keyring, Rotation, RotationSettings, credential_place, place_of,
};
use tool_connect::store::{CredentialKey, CredentialKind, CredentialStore, StoredCredential};
use tool_connect::stores::{SqliteOptions, SqliteStores};
use tool_connect::{
    Owner, Principal, Result, SecretAccess, SecretAccessLog, SecretActor, SecretOpened, TenantId, UserId,
    Vault,
};

const CONNECTIONS: usize = 1_000;
const PEOPLE: [&str; 4] = ["ada", "bob", "cleo", "dan"];

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first.starts_with("--storm")) {
        return storm::run(&arguments).await;
    }
    let folder = tempfile::tempdir().expect("a folder for the example");
    demonstrate(folder.path()).await
}

async fn demonstrate(folder: &Path) -> Result<()> {
    let (key_file, database) = (folder.join("keys.toml"), folder.join("stores.db"));

    section("A key file");
    let keys = KeySet::generate()?;
    keys.save(&key_file)?;
    let keyring = Arc::new(Keyring::from_file(&key_file)?);
    say(&format!(
        "keys.toml holds one fresh key: {}. Only its owner may read it; a file that others",
        ids(&keyring)
    ));
    say("can read is refused.");

    section("A thousand connections");
    let stores = SqliteStores::open(&database, SqliteOptions::default())?.stores();
    let store = stores.credentials;
    let log = Arc::new(Log::default());
    let vault = EnvelopeVault::builder(Arc::clone(&keyring) as _)
        .subject_keys(Arc::clone(&store))
        .access_log(Arc::clone(&log) as _)
        .build()?;
    fill(&store, &vault, CONNECTIONS).await?;
    say(&format!("{CONNECTIONS} tokens of 4 people are sealed, each under a data key of its own."));
    let token = token(0);
    let found = ["stores.db", "stores.db-wal"].iter().any(|file| holds(&folder.join(file), token.as_bytes()));
    say(&format!("Is Ada's token `{token}` in the database file? {}", yes(found)));

    section("Opening one");
    let adas = read(&*store, 0).await?;
    let ada = Principal::user("acme", "ada")?.acting_through("triage_bot")?;
    let opened = vault.open(&place_of(&adas), &adas.sealed, &SecretAccess::by(&ada, "call")).await?;
    say(&format!("Opened for a call: {} bytes; printed it is {opened:?}.", token.len()));
    say(&format!("Written down before: {}", log.last()));

    section("A row moved onto another");
    let bobs = read(&*store, 1).await?;
    let refused = vault.open(&place_of(&adas), &bobs.sealed, &SecretAccess::by(&ada, "call")).await;
    say("Somebody with write access to the database puts Bob's sealed token into Ada's row:");
    quote(&refused.expect_err("a moved row does not open").to_string());

    section("A second key");
    let mut keys = KeySet::load(&key_file)?;
    let fresh = keys.add_generated()?;
    keys.save(&key_file)?;
    keyring.replace(&KeySet::load(&key_file)?)?;
    say(&format!(
        "The keyring holds {} now. What is sealed from now on is sealed with {fresh}; what was",
        ids(&keyring)
    ));
    say("sealed before still opens.");

    section("Rotation, while reads go on");
    let backup = read(&*store, 0).await?;
    let reader = Reader::start(&store, &vault);
    let report = Rotation::new(&*store, &vault, RotationSettings::default()).run().await?;
    let failed = reader.stop().await;
    say(&format!(
        "{} values rewrapped ({CONNECTIONS} tokens, 4 people's keys), {} left;",
        report.rewrapped, report.left
    ));
    say(&format!(
        "reads that failed meanwhile: {failed}. Only data keys were wrapped anew: no token was decrypted."
    ));
    for key in vault.check(&*store).await?.keys {
        say(&format!("{}: {} values", key.id, key.values));
    }

    section("The old key goes");
    let keys = KeySet::load(&key_file)?.minimum_version(2);
    keyring.replace(&keys)?;
    say("The minimum version is 2. A row from an old backup, still under k1:");
    let refused = vault.open(&place_of(&backup), &backup.sealed, &SecretAccess::by(&ada, "call")).await;
    quote(&refused.expect_err("k1 is refused").to_string());
    let rotated = read(&*store, 0).await?;
    vault.open(&place_of(&rotated), &rotated.sealed, &SecretAccess::by(&ada, "call")).await?;
    say("The rotated row opens.");

    section("A wrong key file");
    let stranger = EnvelopeVault::builder(Arc::new(Keyring::generate()?)).subject_keys(Arc::clone(&store));
    let stranger = stranger.without_access_log().build()?;
    say("A process that starts with another key file finds out before a user does:");
    quote(&stranger.check(&*store).await.expect_err("the key is not there").to_string());

    section("A person leaves");
    vault.erase(&TenantId::new("acme")?, &owner("ada")?).await?;
    say("Ada's key is destroyed. Her rows are still there, here and in every backup without the key:");
    let refused =
        vault.open(&place_of(&rotated), &rotated.sealed, &SecretAccess::system("admin", "look")).await;
    quote(&refused.expect_err("Ada was erased").to_string());
    let bobs = read(&*store, 1).await?;
    vault.open(&place_of(&bobs), &bobs.sealed, &SecretAccess::system("admin", "look")).await?;
    say("Bob's open as before.");
    Ok(())
}

/// Seals and stores tokens of four people in turn.
async fn fill(store: &Arc<dyn CredentialStore>, vault: &EnvelopeVault, count: usize) -> Result<()> {
    // Many at a time, so that they share the waits for the disk.
    for begin in (0..count).step_by(200) {
        let part = (begin..count.min(begin + 200)).map(|n| {
            let (store, vault) = (Arc::clone(store), vault.clone());
            tokio::spawn(async move {
                let (tenant, owner, key) = (TenantId::new("acme")?, owner(person(n))?, connection(n));
                let sealed =
                    vault.seal(&credential_place(&tenant, &owner, &key), token(n).as_bytes()).await?;
                let key_id = vault.key_id(&sealed)?;
                store.put(StoredCredential::new(tenant, key, owner, sealed, key_id)).await.map(drop)
            })
        });
        for task in part.collect::<Vec<_>>() {
            task.await.expect("the task ends")?;
        }
    }
    Ok(())
}

fn token(n: usize) -> String {
    format!("gho_token_of_{}_{n:06}", person(n))
}

fn person(n: usize) -> &'static str {
    PEOPLE[n % PEOPLE.len()]
}

fn owner(name: &str) -> Result<Owner> {
    Ok(Owner::User(UserId::new(name)?))
}

fn connection(n: usize) -> CredentialKey {
    CredentialKey::new(CredentialKind::Connection, format!("c-{n:06}"))
}

async fn read(store: &dyn CredentialStore, n: usize) -> Result<StoredCredential> {
    let row = store.get(&TenantId::new("acme")?, &connection(n)).await?;
    Ok(row.expect("the row was written"))
}

/// Opens one connection after the other until it is stopped.
struct Reader {
    stop: Arc<AtomicBool>,
    reads: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<u64>,
}

impl Reader {
    fn start(store: &Arc<dyn CredentialStore>, vault: &EnvelopeVault) -> Self {
        Self::over(CONNECTIONS, store, vault)
    }

    fn over(count: usize, store: &Arc<dyn CredentialStore>, vault: &EnvelopeVault) -> Self {
        let (stop, reads): (Arc<AtomicBool>, Arc<AtomicU64>) = Default::default();
        let (store, vault, end, done) =
            (Arc::clone(store), vault.clone(), Arc::clone(&stop), Arc::clone(&reads));
        let task = tokio::spawn(async move {
            let (access, mut failed) = (SecretAccess::system("reader", "call"), 0);
            // A step that has no divisor in common with the number of rows visits them all.
            let order = (0_usize..).map(|k| k.wrapping_mul(7919) % count);
            for n in order.take_while(|_| !end.load(SeqCst)) {
                let opened = match read(&*store, n).await {
                    Ok(row) => vault.open(&place_of(&row), &row.sealed, &access).await.map(drop),
                    Err(error) => Err(error),
                };
                failed += u64::from(opened.is_err());
                done.fetch_add(1, SeqCst);
            }
            failed
        });
        Self { stop, reads, task }
    }

    fn reads(&self) -> u64 {
        self.reads.load(SeqCst)
    }

    /// How many reads failed.
    async fn stop(self) -> u64 {
        self.stop.store(true, SeqCst);
        self.task.await.expect("the reader ends")
    }
}

/// Keeps the last entry, as an audit trail would keep all.
#[derive(Default)]
struct Log(Mutex<String>);

impl Log {
    fn last(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl SecretAccessLog for Log {
    async fn opened(&self, opened: &SecretOpened<'_>) -> Result<()> {
        let who = match &opened.access.actor {
            SecretActor::Principal(principal) => match &principal.agent {
                Some(agent) => format!("{} through {agent}", principal.user),
                None => principal.user.to_string(),
            },
            SecretActor::System(task) => format!("the task {task}"),
            other => format!("{other:?}"),
        };
        let line =
            format!("{who} opened {}, for `{}`, key {}", opened.record, opened.access.purpose, opened.key_id);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = line;
        Ok(())
    }
}

fn holds(file: &Path, text: &[u8]) -> bool {
    std::fs::read(file).is_ok_and(|bytes| bytes.windows(text.len()).any(|part| part == text))
}

fn ids(keyring: &Keyring) -> String {
    keyring.key_ids().join(" and ")
}

fn yes(answer: bool) -> &'static str {
    if answer { "Yes!" } else { "No." }
}

fn section(title: &str) {
    println!("\n{title}\n{}", "-".repeat(title.chars().count()));
}

fn say(text: &str) {
    println!("  {text}");
}

/// An error, wrapped.
fn quote(text: &str) {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.len() + word.len() > 90 {
            println!("  | {line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    println!("  | {line}");
}
