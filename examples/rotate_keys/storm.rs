//! A rotation that is killed again and again while others read and write: no read may fail, no write may be lost, no row may
//! be left behind.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use secrecy::ExposeSecret;
use tool_connect::oauth::vault::{EnvelopeVault, KeySet, Keyring, RotationSettings, place_of, rotate};
use tool_connect::store::{CredentialFilter, CredentialStore};
use tool_connect::stores::{SqliteOptions, SqliteStores};
use tool_connect::{ErrorKind, Result, SecretAccess, Vault};

use super::{Reader, connection, fill, read, say, section, token};

/// Told to the process that rotates, before its folder.
const CHILD: &str = "--storm-child";

pub(super) async fn run(arguments: &[String]) -> Result<()> {
    let number =
        |at: usize, default: usize| arguments.get(at).and_then(|n| n.parse().ok()).unwrap_or(default);
    match arguments {
        [first, folder] if first == CHILD => child(Path::new(folder)).await,
        _ => storm(number(1, 100_000), number(2, 50)).await,
    }
}

async fn vault_at(folder: &Path) -> Result<(Arc<dyn CredentialStore>, EnvelopeVault)> {
    let stores = SqliteStores::open(folder.join("stores.db"), SqliteOptions::default())?.stores();
    let keyring = Keyring::from_file(folder.join("keys.toml"))?;
    let vault = EnvelopeVault::builder(Arc::new(keyring)).subject_keys(Arc::clone(&stores.credentials));
    Ok((stores.credentials, vault.without_access_log().build()?))
}

/// The process that is killed.
async fn child(folder: &Path) -> Result<()> {
    let (store, vault) = vault_at(folder).await?;
    let mut settings = RotationSettings::default();
    settings.from = Some("k1".to_owned());
    let report = rotate(&*store, &vault, settings).await?;
    assert!(report.is_complete(), "{report}");
    Ok(())
}

fn spawn(folder: &Path) -> Child {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.arg(CHILD).arg(folder).stdout(Stdio::null()).spawn().expect("the program starts")
}

async fn storm(count: usize, kills: usize) -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder for the storm");
    let key_file = folder.path().join("keys.toml");
    let mut keys = KeySet::generate()?;
    keys.save(&key_file)?;

    section(&format!("A storm: {count} connections, {kills} kills"));
    let begin = Instant::now();
    let (store, vault) = vault_at(folder.path()).await?;
    fill(&store, &vault, count).await?;
    say(&format!("sealed and stored in {:.1} s", begin.elapsed().as_secs_f64()));
    drop((store, vault));
    keys.add_generated()?;
    keys.save(&key_file)?;

    // This process has both keys too, reads all the time and renews secrets as a refresher does.
    let (store, vault) = vault_at(folder.path()).await?;
    let readers = [Reader::over(count, &store, &vault), Reader::over(count, &store, &vault)];
    let writer = Writer::start(count, &store, &vault);
    let begin = Instant::now();
    let (mut random, mut killed, mut ended) = (Random::new(), 0, 0);
    // A time between kills that leaves the rotation unfinished for all of them; adapted to the machine as it goes.
    let mut reach = Duration::from_millis(40);
    while killed < kills {
        let mut child = spawn(folder.path());
        tokio::time::sleep(reach.mul_f64(0.2 + 1.6 * random.fraction())).await;
        match child.try_wait().expect("the child is ours") {
            Some(status) => {
                assert!(status.success(), "a rotation failed");
                ended += 1;
                if left(&store).await? == 0 {
                    break;
                }
            }
            None => {
                child.kill().expect("the child is ours");
                child.wait().expect("the child is ours");
                killed += 1;
            }
        }
        let due = count.saturating_sub(count * killed / (kills + 1));
        reach = reach.mul_f64(if left(&store).await? > due { 1.25 } else { 0.8 });
    }
    let at_last = left(&store).await?;
    let status = spawn(folder.path()).wait().expect("the child is ours");
    assert!(status.success(), "the last rotation failed");
    let took = begin.elapsed().as_secs_f64();
    let reads = readers.iter().map(Reader::reads).sum::<u64>();
    let mut failed = 0;
    for reader in readers {
        failed += reader.stop().await;
    }
    let written = writer.stop().await?;

    say(&format!("kills while rotating         {killed} ({ended} ended before they were killed)"));
    say(&format!("rows left after the last     {at_last}; the next run finished them"));
    say(&format!("time                         {took:.1} s"));
    say(&format!("reads meanwhile              {reads}, {failed} failed"));
    say(&format!("secrets renewed meanwhile    {}", written.len()));
    let on_old_key = left(&store).await?;
    say(&format!("rows left on the old key     {on_old_key}"));

    // The old key is thrown away, and everything is read once more.
    keys.without("k1").save(&key_file)?;
    let (store, vault) = vault_at(folder.path()).await?;
    let (mut wrong, access) = (0, SecretAccess::system("storm", "verify"));
    for n in 0..count {
        let row = read(&*store, n).await?;
        let opened = vault.open(&place_of(&row), &row.sealed, &access).await;
        let expected = written.get(&n).map_or_else(|| token(n), |round| renewed(n, *round));
        wrong += u64::from(!opened.is_ok_and(|secret| secret.expose_secret() == expected.as_bytes()));
    }
    say(&format!("without the old key          {count} opened, {wrong} wrong"));
    if killed < kills || failed + wrong > 0 || on_old_key > 0 {
        say("FAILED");
        std::process::exit(1);
    }
    say("no read failed, no write was lost, nothing is left on the old key");
    Ok(())
}

async fn left(store: &Arc<dyn CredentialStore>) -> Result<usize> {
    let filter = CredentialFilter { key_id: Some("k1".to_owned()), ..CredentialFilter::default() };
    Ok(store.scan(&filter, None, usize::MAX).await?.len())
}

fn renewed(n: usize, round: u64) -> String {
    format!("{}_renewed_{round}", token(n))
}

/// Renews one secret after the other by compare-and-swap, and remembers what it stored.
struct Writer {
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<Result<Written>>,
}

type Written = std::collections::HashMap<usize, u64>;

impl Writer {
    fn start(count: usize, store: &Arc<dyn CredentialStore>, vault: &EnvelopeVault) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (store, vault, end) = (Arc::clone(store), vault.clone(), Arc::clone(&stop));
        let task = tokio::spawn(async move {
            let mut written = Written::new();
            let mut round = 0;
            while !end.load(SeqCst) {
                round += 1;
                let n = usize::try_from(round).unwrap_or(0).wrapping_mul(104_729) % count;
                let mut row = store
                    .get(&tool_connect::TenantId::new("acme")?, &connection(n))
                    .await?
                    .expect("the row was written");
                row.sealed = vault.seal(&place_of(&row), renewed(n, round).as_bytes()).await?;
                row.key_id = vault.key_id(&row.sealed)?;
                match store.put(row).await {
                    Ok(_) => drop(written.insert(n, round)),
                    // The rotation came between: a refresher would read it again.
                    Err(error) if error.kind() == ErrorKind::Conflict => {}
                    Err(error) => return Err(error),
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Ok(written)
        });
        Self { stop, task }
    }

    async fn stop(self) -> Result<Written> {
        self.stop.store(true, SeqCst);
        self.task.await.expect("the writer ends")
    }
}

/// Enough chance for kills: a xorshift seeded by the clock.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self(u64::from(seed.subsec_nanos()) | 1)
    }

    fn fraction(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        f64::from(u32::try_from(self.0 >> 32).unwrap_or(0)) / f64::from(u32::MAX)
    }
}
