//! The host's part: open the stores, build the hub, keep what must outlive the process.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tool_connect::audit::{CheckpointLine, Ed25519Signer, SecretLog};
use tool_connect::connectors::filesystem::Filesystem;
use tool_connect::connectors::http::Http;
use tool_connect::middleware::breaker::Window;
use tool_connect::oauth::OAuth;
use tool_connect::oauth::catalog::StaticClients;
use tool_connect::oauth::connect::{HostSession, NewSecret};
use tool_connect::oauth::vault::{EnvelopeVault, KeySet, Keyring};
use tool_connect::store::Checkpoint;
use tool_connect::stores::{SqliteOptions, SqliteStores};
use tool_connect::transport::{HttpTransport, NetworkAccess};
use tool_connect::{
    Connection, Credential, Event, EventKind, HttpSettings, Hub, InstanceId, InstanceOptions, ListRequest,
    Principal, Result, Session,
};

use crate::service::Service;
use crate::show;
use crate::workshop::Workshop;

pub(crate) struct House {
    pub(crate) hub: Hub,
    /// Connects accounts. Their secrets are sealed, and lie in the same file as everything else.
    oauth: OAuth,
    pub(crate) ada: Principal,
    /// Which run over this folder it is, counted from 1.
    pub(crate) run: u64,
    folder: PathBuf,
    begun: Instant,
    events: Arc<Mutex<Vec<Event>>>,
}

impl House {
    pub(crate) async fn open(folder: PathBuf, service: &Service) -> Result<Self, Box<dyn Error>> {
        let begun = Instant::now();
        let scratch = folder.join("scratch");
        fs::create_dir_all(&scratch).map_err(|e| format!("{} cannot be made: {e}", scratch.display()))?;
        let run = count_runs(&folder)?;

        let stores = SqliteStores::open(folder.join("tool-connect.db"), SqliteOptions::default())?.stores();
        let keys = Arc::new(keyring(&folder)?);
        // Each secret that is opened stands in the audit trail first.
        let opened = SecretLog::new();
        let vault = EnvelopeVault::builder(keys)
            .subject_keys(stores.credentials.clone())
            .access_log(Arc::new(opened.clone()));
        let oauth = OAuth::builder()
            .stores(stores.clone())
            .vault(Arc::new(vault.build()?))
            .transport(Arc::new(HttpTransport::new(&HttpSettings::default())?))
            .clients(StaticClients::new())
            .session(NoPages)
            .public_url("http://localhost/connect".parse()?)
            .build()?;
        let events = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&events);
        let here = || NetworkAccess::public().allow_loopback();
        let web = |id: &str| Http::builder().id(id).base_url(service.url()).build();

        let hub = Hub::builder()
            .stores(stores)
            .authenticator(oauth.authenticator())
            .connect(oauth.connect())
            .secret_log(&opened)
            .checkpoint_signer(Arc::new(signer(&folder)?))
            .on_event(move |event: &Event| {
                heard.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone())
            })
            // Short times, so that the tour is short. The defaults suit services on the internet.
            .configure(|settings| {
                settings.http.retry.base = Duration::from_millis(60);
                settings.http.breaker.window = Window::Calls(4);
                settings.http.breaker.minimum_calls = 4;
                settings.http.breaker.failure_rate = 0.75;
                settings.http.breaker.open_for = Duration::from_millis(400);
                settings.http.breaker.half_open_permits = 1;
            })
            // Two instances of one connector: this repository to read, a folder of our own to write.
            .instance(
                Filesystem::new(env!("CARGO_MANIFEST_DIR"))?.read_only(true),
                InstanceOptions::new("files")?,
            )
            .instance(Filesystem::new(&scratch)?, InstanceOptions::new("scratch")?)
            .instance(
                Workshop::new(),
                InstanceOptions::new("workshop")?.base_url(service.url().parse()?).network(here()),
            )
            .instance(web("web")?, InstanceOptions::new("web")?.network(here()))
            .instance(web("machine")?, InstanceOptions::new("machine")?.network(here()))
            .build()?;

        let house = Self { hub, oauth, ada: Principal::user("acme", "ada")?, run, folder, begun, events };
        house.introduce().await?;
        Ok(house)
    }

    /// Ada, who works at Acme.
    pub(crate) fn session(&self) -> Session {
        self.hub.session(self.ada.clone())
    }

    /// Connects an account of Ada's by a token that she has; one that is connected already gets the new token.
    pub(crate) async fn connect(&self, instance: &str, token: &str, label: &str) -> Result<Connection> {
        let mut secret = NewSecret::new(InstanceId::new(instance)?, Credential::token(token)).label(label);
        let known = self.session().connections().await?;
        secret.connection =
            known.into_iter().find(|known| known.instance.as_str() == instance).map(|known| known.id);
        self.oauth.connect_with_secret(&self.ada, secret).await
    }

    pub(crate) fn events(&self) -> Vec<EventKind> {
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(|event| event.what.clone())
            .collect()
    }

    async fn introduce(&self) -> Result<()> {
        show::section("The house");
        show::fact("data", self.folder.display());
        if self.run == 1 {
            show::fact("first run", "the folder is new; run me again, and I shall find what this run leaves");
        } else {
            let runs = show::count(self.run - 1, "earlier run");
            let before = self.hub.audit().verify(&self.ada.tenant, &[]).await?;
            let connections = self.session().connections().await?.len() as u64;
            let records = show::count(before.records, "audit record");
            let connections = show::count(connections, "connected account");
            show::fact("found", format!("what {runs} left: {records}, {connections}"));
        }
        let mut tools: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for tool in self.session().tools(&ListRequest::default()).await?.tools {
            tools.entry(tool.id().instance().to_owned()).or_default().push(tool.id().name().to_owned());
        }
        show::say("Five connector instances are registered; these are their tools:");
        for (instance, names) in tools {
            show::fact(&instance, names.join(", "));
        }
        Ok(())
    }

    /// Verifies the audit trail, shows what happened, and leaves a checkpoint for the next run.
    pub(crate) async fn close(self) -> Result<(), Box<dyn Error>> {
        show::section("The audit trail");
        let tenant = &self.ada.tenant;
        let audit = self.hub.audit();
        let trusted = self.checkpoint_of_the_run_before()?;
        let (verified, took) = show::timed(audit.verify(tenant, &trusted)).await;
        let verified = verified?.intact()?;
        show::step("verify the chain", format!("intact: {}", show::count(verified.records, "record")), took);
        show::say(match trusted.first() {
            Some(before) => format!(
                "It still holds record {} as the run before had signed it, so nothing was cut off or written anew.",
                before.head.sequence
            ),
            None => {
                "No record was changed, removed, inserted or moved: each one's hash covers the one before."
                    .to_owned()
            }
        });
        self.hub.shutdown().await?;
        self.oauth.tokens().shutdown().await;
        let checkpoint = audit.checkpoint(tenant).await?;
        let line = serde_json::to_string(&CheckpointLine::from(&checkpoint))?;
        fs::write(self.folder.join("checkpoint.json"), line)?;

        show::section("What happened");
        show::table(["tool", "ended as", "calls", "median", "longest"], &self.table());
        let took = show::time(self.begun.elapsed());
        show::end(format!("All of it took {took}. Each of these calls is in the audit trail."));
        Ok(())
    }

    fn table(&self) -> Vec<[String; 5]> {
        let mut calls: BTreeMap<(String, String), Vec<Duration>> = BTreeMap::new();
        for event in self.events() {
            if let EventKind::CallFinished { tool, outcome, took, .. } = event {
                calls.entry((tool.to_string(), outcome)).or_default().push(took);
            }
        }
        let row = |((tool, outcome), mut times): ((String, String), Vec<Duration>)| {
            times.sort_unstable();
            let at = |index: usize| show::time(times.get(index).copied().unwrap_or_default());
            [tool, outcome, times.len().to_string(), at((times.len() - 1) / 2), at(times.len() - 1)]
        };
        calls.into_iter().map(row).collect()
    }

    fn checkpoint_of_the_run_before(&self) -> Result<Vec<Checkpoint>, Box<dyn Error>> {
        match fs::read_to_string(self.folder.join("checkpoint.json")) {
            Ok(line) => Ok(vec![serde_json::from_str::<CheckpointLine>(&line)?.try_into()?]),
            Err(_) => Ok(Vec::new()),
        }
    }
}

/// One line per run, so that a run knows how many there were.
fn count_runs(folder: &Path) -> std::io::Result<u64> {
    let file = folder.join("runs");
    let earlier = fs::read_to_string(&file).unwrap_or_default();
    fs::write(&file, format!("{earlier}run\n"))?;
    Ok(earlier.lines().count() as u64 + 1)
}

/// Nobody connects by a consent here, so nobody is ever logged in at the pages for it.
struct NoPages;

#[async_trait::async_trait]
impl HostSession for NoPages {
    async fn principal(&self, _: &http::request::Parts) -> Result<Option<Principal>> {
        Ok(None)
    }
}

/// The keys that secrets are sealed with, made in the first run. A real host keeps them elsewhere than the database, so that
/// a copy of one is of no use without the other.
fn keyring(folder: &Path) -> Result<Keyring> {
    let file = folder.join("keys.toml");
    if !file.exists() {
        KeySet::generate()?.save(&file)?;
    }
    Keyring::from_file(&file)
}

/// The key that signs checkpoints, made in the first run. A real host keeps it where it keeps other
/// secrets, and not beside the trail: who has both can rewrite the trail.
fn signer(folder: &Path) -> Result<Ed25519Signer, Box<dyn Error>> {
    let file = folder.join("checkpoint.seed");
    if let Ok(seed) = fs::read(&file) {
        let seed = <[u8; 32]>::try_from(seed).map_err(|_| format!("{} is no seed", file.display()))?;
        return Ok(Ed25519Signer::from_seed("quickstart", &seed)?);
    }
    let signer = Ed25519Signer::generate("quickstart")?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    std::io::Write::write_all(&mut options.open(&file)?, &signer.seed()?)?;
    Ok(signer)
}
