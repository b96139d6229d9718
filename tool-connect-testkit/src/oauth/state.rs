//! What a server remembers: grants, and the codes and tokens that lead to them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;

use super::answer::{Pairs, Refusal};
use super::fault::{Counters, Endpoint, Fault};
use super::issuer::{Decision, SeenRequest};
use super::jose::encode;
use super::settings::{EmulatedClient, EmulatedUser, Rotation};

/// So many requests are remembered for each server.
const LOG: usize = 1_024;

/// What a user granted to a client: a family of tokens.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) client: String,
    pub(super) user: EmulatedUser,
    pub(super) scopes: Vec<String>,
    pub(super) resources: Vec<String>,
    /// The key that refresh tokens of a public client are bound to (RFC 9449 §5).
    pub(super) key: Option<String>,
    pub(super) revoked: bool,
}

pub(super) struct Code {
    pub(super) grant: Grant,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) nonce: Option<String>,
    pub(super) expires: SystemTime,
    /// The grant that came of it.
    pub(super) used: Option<usize>,
}

pub(super) struct RefreshToken {
    pub(super) grant: usize,
    pub(super) expires: Option<SystemTime>,
    pub(super) used: Option<SystemTime>,
}

pub(super) struct AccessToken {
    pub(super) grant: usize,
    pub(super) scopes: Vec<String>,
    pub(super) resources: Vec<String>,
    pub(super) expires: SystemTime,
    pub(super) key: Option<String>,
    pub(super) revoked: bool,
}

pub(super) struct Device {
    pub(super) grant: Grant,
    pub(super) user_code: String,
    pub(super) expires: SystemTime,
    pub(super) decision: Option<Decision>,
    pub(super) interval: Duration,
    pub(super) asked: Option<SystemTime>,
}

pub(super) struct Pushed {
    pub(super) client: String,
    pub(super) parameters: Pairs,
    pub(super) expires: SystemTime,
}

pub(super) struct State {
    pub(super) clients: HashMap<String, EmulatedClient>,
    pub(super) grants: Vec<Grant>,
    pub(super) codes: HashMap<String, Code>,
    pub(super) refresh_tokens: HashMap<String, RefreshToken>,
    pub(super) access_tokens: HashMap<String, AccessToken>,
    pub(super) devices: HashMap<String, Device>,
    pub(super) pushed: HashMap<String, Pushed>,
    pub(super) decisions: VecDeque<Decision>,
    pub(super) counters: Counters,
    pub(super) nonce: u64,
    /// The API's clock, against the authorization server's.
    pub(super) ahead: Duration,
    pub(super) behind: Duration,
    pub(super) rotation: Rotation,
    pub(super) access_lifetime: Duration,
    proofs: HashSet<String>,
    faults: HashMap<Endpoint, VecDeque<Fault>>,
    log: VecDeque<SeenRequest>,
    seed: hmac::Key,
    serial: u64,
    issued: Vec<String>,
}

impl State {
    pub(super) fn new(
        issuer: &str,
        clients: &[EmulatedClient],
        rotation: Rotation,
        access: Duration,
    ) -> Self {
        Self {
            clients: clients.iter().map(|client| (client.id.clone(), client.clone())).collect(),
            grants: Vec::new(),
            codes: HashMap::new(),
            refresh_tokens: HashMap::new(),
            access_tokens: HashMap::new(),
            devices: HashMap::new(),
            pushed: HashMap::new(),
            decisions: VecDeque::new(),
            counters: Counters::default(),
            nonce: 1,
            ahead: Duration::ZERO,
            behind: Duration::ZERO,
            rotation,
            access_lifetime: access,
            proofs: HashSet::new(),
            faults: HashMap::new(),
            log: VecDeque::new(),
            seed: hmac::Key::new(hmac::HMAC_SHA256, issuer.as_bytes()),
            serial: 0,
            issued: Vec::new(),
        }
    }

    /// A new secret: the same in every run, and like no other.
    pub(super) fn secret(&mut self, kind: &str) -> String {
        self.serial += 1;
        let mark = hmac::sign(&self.seed, format!("{kind}{}", self.serial).as_bytes());
        let secret = format!("{kind}-{}", encode(mark));
        self.issued.push(secret.clone());
        secret
    }

    pub(super) fn issued(&self) -> Vec<String> {
        self.issued.clone()
    }

    pub(super) fn dpop_nonce(&self) -> String {
        format!("nonce-{}", self.nonce)
    }

    /// Remembers a proof or an assertion by its `jti`; refuses one that comes again.
    pub(super) fn proof_is_new(&mut self, of: &str, jti: &str) -> bool {
        let new = self.proofs.insert(format!("{of} {jti}"));
        self.counters.replayed_proofs += u64::from(!new);
        new
    }

    pub(super) fn add_fault(&mut self, endpoint: Endpoint, fault: Fault) {
        self.faults.entry(endpoint).or_default().push_back(fault);
    }

    pub(super) fn next_fault(&mut self, endpoint: Endpoint) -> Option<Fault> {
        self.faults.get_mut(&endpoint)?.pop_front()
    }

    pub(super) fn clear_faults(&mut self) {
        self.faults.clear();
    }

    pub(super) fn note(&mut self, request: SeenRequest) {
        if self.log.len() == LOG {
            self.log.pop_front();
        }
        self.log.push_back(request);
    }

    pub(super) fn noted(&self, endpoint: Endpoint) -> Vec<SeenRequest> {
        self.log.iter().filter(|request| request.endpoint == endpoint).cloned().collect()
    }

    pub(super) fn add_grant(&mut self, grant: Grant) -> usize {
        self.grants.push(grant);
        self.grants.len() - 1
    }

    /// Ends a grant and every token of it.
    pub(super) fn end_grant(&mut self, grant: usize) {
        self.counters.family_revocations += u64::from(!self.grants[grant].revoked);
        self.grants[grant].revoked = true;
    }

    /// Takes a refresh token as the rotation says; returns its grant, and whether a new one is due.
    pub(super) fn spend(
        &mut self,
        token: &str,
        client: &str,
        now: SystemTime,
    ) -> Result<(usize, bool), Refusal> {
        let invalid = |why| Refusal::new("invalid_grant", why);
        let found = self.refresh_tokens.get_mut(token).ok_or(invalid("the refresh token is not known"))?;
        let grant = found.grant;
        if self.grants[grant].client != client {
            return Err(invalid("the refresh token is another client's"));
        }
        if self.grants[grant].revoked {
            return Err(invalid("the grant was revoked"));
        }
        if found.expires.is_some_and(|end| end <= now) {
            return Err(invalid("the refresh token has expired"));
        }
        let used = found.used;
        let grace = match self.rotation {
            Rotation::None => return Ok((grant, false)),
            Rotation::Tolerated(grace) => grace,
            Rotation::Strict => Duration::ZERO,
        };
        if let Some(used) = used {
            if now.duration_since(used).unwrap_or_default() >= grace {
                self.counters.double_spends += 1;
                self.end_grant(grant);
                return Err(invalid("the refresh token was used before; the grant is revoked"));
            }
        } else {
            found.used = Some(now);
        }
        Ok((grant, true))
    }
}
