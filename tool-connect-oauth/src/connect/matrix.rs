//! The attack matrix: every tenant, user, connector and issuer, attacked in every way; and each defence switched off in turn,
//! to see that the matrix notices.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::header::{COOKIE, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{Request, Response};
use tool_connect_core::store::{ConnectionFilter, Stores};
use tool_connect_core::{AuthScheme, ConnectRequest, InstanceId, Owner, Principal, Result};
use tool_connect_testkit::oauth::{
    Decision, EmulatedClient, Endpoint, Issuer, IssuerSettings, OAuthEmulator,
};
use tower::ServiceExt as _;
use url::Url;

use super::engine::Defence;
use super::page::PageBody;
use super::{HostSession, OAuth};
use crate::catalog::{Catalog, ClientAuth, ClientConfig, ProviderEntry, StaticClients};
use crate::vault::{EnvelopeVault, Keyring};

const HOST: &str = "https://app.example/connect";
const TENANTS: [&str; 3] = ["acme", "globex", "initech"];
const USERS: [&str; 3] = ["ada", "bob", "eve"];
const CONNECTORS: [&str; 4] = ["mail", "files", "chat", "code"];
const SITES: [&str; 2] = ["one", "two"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Attack {
    /// The attacker's server sends the victim on to an honest one, for another connector's client; the answer comes back
    /// with the attacker's state, so that the honest code would be shown to the attacker.
    CrossAppTakeover,
    /// The victim's browser, logged in at the host as the attacker without noticing, completes what the attacker began
    /// elsewhere.
    RequestForgery,
    /// The victim opens the attacker's ticket and consents.
    SessionFixation,
    /// As the takeover, with the same client at both servers: only the issuer tells them apart.
    MixUp,
    /// The attacker's code with the victim's state, after the victim's own.
    Injection,
}

const ATTACKS: [(Attack, Defence); 5] = [
    (Attack::CrossAppTakeover, Defence::Context),
    (Attack::RequestForgery, Defence::Binding),
    (Attack::SessionFixation, Defence::SamePrincipal),
    (Attack::MixUp, Defence::Issuer),
    (Attack::Injection, Defence::SingleUse),
];

struct Login;

#[async_trait::async_trait]
impl HostSession for Login {
    async fn principal(&self, request: &Parts) -> Result<Option<Principal>> {
        Ok(request.extensions.get().cloned())
    }
}

struct World {
    oauth: OAuth,
    stores: Stores,
    issuers: [Issuer; 2],
}

/// One place in the matrix.
#[derive(Clone, Copy, Debug)]
struct Place {
    number: usize,
    tenant: usize,
    user: usize,
    connector: usize,
    /// Which issuer is honest; the other one is the attacker's.
    honest: usize,
}

impl Place {
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for tenant in 0..TENANTS.len() {
            for user in 0..USERS.len() {
                for connector in 0..CONNECTORS.len() {
                    for honest in 0..SITES.len() {
                        all.push(Self { number: all.len(), tenant, user, connector, honest });
                    }
                }
            }
        }
        all
    }

    fn victim(self) -> Principal {
        Principal::user(TENANTS[self.tenant], USERS[self.user]).unwrap()
    }

    /// A colleague of the victim, and somebody of the victim's name in another tenant.
    fn attackers(self) -> [Principal; 2] {
        [
            Principal::user(TENANTS[self.tenant], USERS[(self.user + 1) % 3]).unwrap(),
            Principal::user(TENANTS[(self.tenant + 1) % 3], USERS[self.user]).unwrap(),
        ]
    }

    /// The victim's account at the provider, and the attacker's.
    fn logins(self) -> (String, String) {
        (format!("victim-{}", self.number), format!("mallory-{}", self.number))
    }
}

#[derive(Clone)]
struct Browser {
    principal: Principal,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn of(principal: &Principal) -> Self {
        Self { principal: principal.clone(), cookies: BTreeMap::new() }
    }

    async fn open(&mut self, world: &World, url: &Url) -> Response<PageBody> {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::get(url.as_str()).header(COOKIE, cookies.join("; ")).body(()).unwrap();
        request.extensions_mut().insert(self.principal.clone());
        let response = if url.path().ends_with("/start") {
            world.oauth.start_service().oneshot(request).await.unwrap()
        } else {
            world.oauth.callback_service().oneshot(request).await.unwrap()
        };
        for cookie in response.headers().get_all(SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
        }
        response
    }

    /// Opens a ticket; where it is taken, the way to the provider.
    async fn start(&mut self, world: &World, ticket: &Url) -> Option<Url> {
        let response = self.open(world, ticket).await;
        Url::parse(response.headers().get(LOCATION)?.to_str().unwrap()).ok()
    }
}

fn parameter(url: &Url, name: &str) -> String {
    url.query_pairs()
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn with(url: &Url, change: &[(&str, &str)]) -> Url {
    let mut changed = url.clone();
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .into_owned()
        .filter(|(name, _)| change.iter().all(|(changed, _)| name != changed))
        .collect();
    let new = change.iter().filter(|(_, value)| !value.is_empty());
    changed.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(new);
    changed
}

impl World {
    fn without(off: Option<Defence>) -> Self {
        let emulator = OAuthEmulator::new();
        let issuers = SITES.map(|site| {
            let clients = CONNECTORS.map(|name| {
                EmulatedClient::secret_post(format!("app-{name}"), "the-secret")
                    .redirect_uri(format!("{HOST}/callback/{name}"))
            });
            let settings = IssuerSettings::new(format!("https://{site}.example"));
            emulator.issuer(clients.into_iter().fold(settings, IssuerSettings::client)).unwrap()
        });
        let (mut catalog, mut clients) = (Catalog::empty(), StaticClients::new());
        for name in CONNECTORS {
            let entry = ProviderEntry::from_toml(&format!(
                "id = '{name}'\nname = '{name}'\nissuer = 'https://{{site}}.example'\nclient_auth = ['post']\n\
                 [documentation]\noauth = 'https://docs.example/'\n\
                 [endpoints]\nauthorize = 'https://{{site}}.example/authorize'\ntoken = 'https://{{site}}.example/token'\n\
                 [probe]\nid = ['/sub']\nlabel = ['/login']\n[probe.request]\nurl = 'https://{{site}}.example/userinfo'\n\
                 [parameters.site]\ndescription = 'The site.'\npattern = '[a-z]+'\nexample = 'one'"
            ));
            catalog = catalog.with_entry(entry.unwrap()).unwrap();
            let client =
                ClientConfig::confidential(format!("app-{name}"), "the-secret").auth(ClientAuth::Post);
            clients = clients.with(name, client);
        }
        let keyring = Arc::new(Keyring::generate().unwrap());
        let vault = EnvelopeVault::builder(keyring).stateless().without_access_log().build().unwrap();
        let stores = Stores::in_memory();
        let mut oauth = OAuth::builder()
            .stores(stores.clone())
            .vault(Arc::new(vault))
            .transport(Arc::new(emulator))
            .catalog(catalog)
            .clients(clients)
            .session(Login)
            .public_url(HOST.parse().unwrap())
            .build()
            .unwrap();
        Arc::get_mut(&mut oauth.engine).unwrap().off = off;
        Self { oauth, stores, issuers }
    }

    async fn ticket(&self, principal: &Principal, connector: usize, site: usize) -> Url {
        let name = CONNECTORS[connector];
        let scheme = AuthScheme::oauth2(name, ["read"]);
        let mut request = ConnectRequest::new(InstanceId::new(name).unwrap(), scheme);
        request.config.insert("site".to_owned(), SITES[site].to_owned());
        self.oauth.connect().ticket(principal, request).await.unwrap().url
    }

    fn consent(&self, site: usize, authorize: &Url, login: &str) -> Url {
        self.issuers[site].next_user(Decision::ApproveAs(login.to_owned()));
        self.issuers[site].visit(authorize).unwrap()
    }

    /// Whether somebody's connections hold this account.
    async fn holds(&self, principal: &Principal, login: &str) -> bool {
        let filter = ConnectionFilter {
            owner: Some(Owner::User(principal.user.clone())),
            ..ConnectionFilter::default()
        };
        let connections = self.stores.connections.list(&principal.tenant, &filter).await.unwrap();
        connections.iter().any(|connection| connection.label.as_deref() == Some(login))
    }

    /// Whether the attack succeeds.
    async fn succeeds(&self, attack: Attack, place: Place) -> bool {
        let mut won = false;
        for attacker in place.attackers() {
            won |= match attack {
                Attack::CrossAppTakeover => self.sent_on(place, (place.connector + 1) % 4).await,
                Attack::MixUp => self.sent_on(place, place.connector).await,
                Attack::RequestForgery => self.forged(place, &attacker).await,
                Attack::SessionFixation => self.fixed(place, &attacker).await,
                Attack::Injection => self.injected(place).await,
            };
        }
        won
    }

    /// The victim connects at the attacker's server, which sends the browser on to the honest one.
    async fn sent_on(&self, place: Place, as_client: usize) -> bool {
        let evil = 1 - place.honest;
        let mut browser = Browser::of(&place.victim());
        let ticket = self.ticket(&place.victim(), place.connector, evil).await;
        let asked = browser.start(self, &ticket).await.unwrap();
        let name = CONNECTORS[as_client];
        let mut on = self.issuers[place.honest].url("authorize");
        on.set_query(asked.query());
        let redirect = format!("{HOST}/callback/{name}");
        let on = with(&on, &[("client_id", &format!("app-{name}")), ("redirect_uri", &redirect)]);
        let mut answer = self.consent(place.honest, &on, &place.logins().0);
        if as_client != place.connector {
            // An honest server that does not know RFC 9207: then the address alone must do.
            answer = with(&answer, &[("iss", "")]);
        }
        let code = parameter(&answer, "code");
        browser.open(self, &answer).await;
        let shown = self.issuers[evil].requests(Endpoint::Token);
        shown.iter().any(|request| request.parameter("code").as_ref() == Some(&code))
    }

    /// The attacker begins; the victim, in a browser that is logged in as the attacker, consents and comes back.
    async fn forged(&self, place: Place, attacker: &Principal) -> bool {
        let ticket = self.ticket(attacker, place.connector, place.honest).await;
        let authorize = Browser::of(attacker).start(self, &ticket).await.unwrap();
        let answer = self.consent(place.honest, &authorize, &place.logins().0);
        Browser::of(attacker).open(self, &answer).await;
        self.holds(attacker, &place.logins().0).await
    }

    async fn fixed(&self, place: Place, attacker: &Principal) -> bool {
        let ticket = self.ticket(attacker, place.connector, place.honest).await;
        let mut browser = Browser::of(&place.victim());
        let Some(authorize) = browser.start(self, &ticket).await else { return false };
        let answer = self.consent(place.honest, &authorize, &place.logins().0);
        browser.open(self, &answer).await;
        self.holds(attacker, &place.logins().0).await
    }

    /// Right after the victim's own answer, and before the browser has dropped its cookie, the attacker's.
    async fn injected(&self, place: Place) -> bool {
        let mut browser = Browser::of(&place.victim());
        let ticket = self.ticket(&place.victim(), place.connector, place.honest).await;
        let authorize = browser.start(self, &ticket).await.unwrap();
        let mut as_it_was = browser.clone();
        let (victim, mallory) = place.logins();
        let own = self.consent(place.honest, &authorize, &victim);
        let others = self.consent(place.honest, &authorize, &mallory);
        browser.open(self, &own).await;
        assert!(self.holds(&place.victim(), &victim).await, "the consent itself works");
        as_it_was.open(self, &others).await;
        self.holds(&place.victim(), &mallory).await
    }

    /// The attacks that succeed, each with how many times.
    async fn run(&self) -> BTreeMap<Attack, usize> {
        let places = Place::all();
        assert_eq!(places.len(), 3 * 3 * 4 * 2);
        let mut won = BTreeMap::new();
        for place in places {
            for (attack, _) in ATTACKS {
                if self.succeeds(attack, place).await {
                    *won.entry(attack).or_default() += 1;
                }
            }
        }
        won
    }
}

#[tokio::test]
async fn no_attack_succeeds_anywhere() {
    assert_eq!(World::without(None).run().await, BTreeMap::new());
}

#[tokio::test]
async fn each_defence_is_missed_by_exactly_the_attack_that_it_stops() {
    for (attack, defence) in ATTACKS {
        let won = World::without(Some(defence)).run().await;
        assert_eq!(won, BTreeMap::from([(attack, 72)]), "without {defence:?}");
    }
}
