//! The vault beside one bare AES-256-GCM of the same bytes, and what 100,000 connections cost it.

use std::hint::black_box;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use secrecy::SecretSlice;
use tool_connect_core::store::memory::MemoryCredentials;
use tool_connect_core::{
    Owner, Result, SealedPlace, SecretAccess, SecretAccessLog, SecretOpened, TenantId, UserId, Vault,
};
use tool_connect_oauth::vault::{EnvelopeVault, Keyring, VaultSettings};

use crate::alloc;
use crate::race::{Contender, now, race};
use crate::table::{Table, Target, time};

/// A token response with its ID token.
const SECRET: usize = 2048;
const OPS: usize = 2_000;
const CONNECTIONS: usize = 100_000;
const TAG: usize = 16;

/// A log that is written to, and keeps nothing: its own cost is not the vault's.
struct Log;

#[async_trait]
impl SecretAccessLog for Log {
    async fn opened(&self, opened: &SecretOpened<'_>) -> Result<()> {
        black_box(opened);
        Ok(())
    }
}

/// What a host would write by hand with one key for everything: a random nonce, the place as associated data.
struct Bare(LessSafeKey);

impl Bare {
    fn new() -> Self {
        Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).expect("32 bytes")))
    }

    fn seal(&self, place: &[u8], secret: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).expect("randomness");
        let mut bytes = Vec::with_capacity(NONCE_LEN + secret.len() + TAG);
        bytes.extend_from_slice(&nonce);
        bytes.resize(NONCE_LEN + secret.len() + TAG, 0);
        let (cipher, tag) = bytes[NONCE_LEN..].split_at_mut(secret.len());
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.0.seal_out_of_place_scatter(nonce, Aad::from(place), secret, cipher, &[], tag).expect("sealed");
        bytes
    }

    fn open(&self, place: &[u8], sealed: &[u8]) -> SecretSlice<u8> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().expect("a nonce");
        let (cipher, tag) = sealed.split_at(sealed.len() - TAG);
        let mut plain = vec![0; cipher.len()];
        let nonce = Nonce::assume_unique_for_key(*nonce);
        self.0.open_separate_gather(nonce, Aad::from(place), cipher, tag, &mut plain).expect("opened");
        SecretSlice::from(plain)
    }
}

fn place(n: usize) -> SealedPlace {
    let tenant = TenantId::new("acme").expect("an id");
    let user = Owner::User(UserId::new(format!("user-{n}")).expect("an id"));
    SealedPlace::new(tenant, user, format!("connection:c-{n:08}"), "secret")
}

fn vault(with_subjects: bool, data_keys: usize) -> EnvelopeVault {
    let mut settings = VaultSettings::default();
    settings.data_keys = data_keys;
    let builder = EnvelopeVault::builder(Arc::new(Keyring::generate().expect("randomness")));
    let builder = builder.access_log(Arc::new(Log)).settings(settings);
    let builder = match with_subjects {
        true => builder.subject_keys(Arc::new(MemoryCredentials::new())),
        false => builder.stateless(),
    };
    builder.build().expect("a vault")
}

pub(crate) fn run(table: &mut Table, rounds: usize) {
    let (bare, subjects, stateless) = (Bare::new(), vault(true, 1_024), vault(false, 1_024));
    let (secret, place, access) = (vec![5; SECRET], place(1), SecretAccess::system("bench", "call"));
    let aad = format!("acme/user/1/{}/{}", place.record, place.field);
    let aad = aad.as_bytes();

    let seal = |vault: &EnvelopeVault| black_box(now(vault.seal(&place, &secret)).expect("sealed"));
    let [floor, with, without] = race(
        rounds,
        OPS,
        [
            Contender::new(|n| (0..n).for_each(|_| drop(black_box(bare.seal(aad, &secret))))),
            Contender::new(|n| (0..n).for_each(|_| drop(seal(&subjects)))),
            Contender::new(|n| (0..n).for_each(|_| drop(seal(&stateless)))),
        ],
    );
    let base = time(floor.ns());
    let what = "vault, seal 2 KB / bare AES-256-GCM";
    table.row(what, time(with.ns()), &base, with.over(&floor), Target::AtMost(3.0));
    let what = "the same without subjects' keys";
    table.row(what, time(without.ns()), &base, without.over(&floor), Target::None);

    // Cold: the data key is unwrapped and derived from each time, as for a value that is opened once in a while.
    let (cold, cold_stateless) = (vault(true, 0), vault(false, 0));
    let plain = bare.seal(aad, &secret);
    let sealed = [seal(&subjects), seal(&cold), seal(&cold_stateless)];
    let open = |vault: &EnvelopeVault, sealed: &[u8]| {
        drop(black_box(now(vault.open(&place, sealed, &access)).expect("opened")));
    };
    let [floor, warm, cold, without] = race(
        rounds,
        OPS,
        [
            Contender::new(|n| (0..n).for_each(|_| drop(black_box(bare.open(aad, &plain))))),
            Contender::new(|n| (0..n).for_each(|_| open(&subjects, &sealed[0]))),
            Contender::new(|n| (0..n).for_each(|_| open(&cold, &sealed[1]))),
            Contender::new(|n| (0..n).for_each(|_| open(&cold_stateless, &sealed[2]))),
        ],
    );
    let base = time(floor.ns());
    let what = "vault, open 2 KB, its key remembered / bare AES-256-GCM";
    table.row(what, time(warm.ns()), &base, warm.over(&floor), Target::AtMost(2.0));
    let what = "vault, open 2 KB, its key unwrapped / bare AES-256-GCM";
    table.row(what, time(cold.ns()), &base, cold.over(&floor), Target::AtMost(2.0));
    let what = "the same without subjects' keys";
    table.row(what, time(without.ns()), &base, without.over(&floor), Target::None);
    let allocations = warm.allocations;
    let what = "vault, open, its key remembered: allocations";
    table.row(what, allocations, floor.allocations, allocations, Target::None);

    memory(table);
}

/// Each connection of a user of its own, all opened once.
fn memory(table: &mut Table) {
    let places: Vec<SealedPlace> = (0..CONNECTIONS).map(place).collect();
    let (secret, access) = (vec![5; SECRET], SecretAccess::system("bench", "call"));
    let mut over = 0;
    let store = Arc::new(MemoryCredentials::new());
    let keyring = Arc::new(Keyring::generate().expect("randomness"));
    let build = || {
        let builder = EnvelopeVault::builder(Arc::clone(&keyring) as _).access_log(Arc::new(Log));
        builder.subject_keys(Arc::clone(&store) as _).build().expect("a vault")
    };
    let first = build();
    let sealed: Vec<Vec<u8>> = places
        .iter()
        .map(|place| {
            let sealed = now(first.seal(place, &secret)).expect("sealed");
            over = over.max(sealed.len() - SECRET);
            sealed
        })
        .collect();
    drop(first);
    let (kept, bytes) = alloc::kept(|| {
        let vault = build();
        for (place, sealed) in places.iter().zip(&sealed) {
            drop(now(vault.open(place, sealed, &access)).expect("opened"));
        }
        vault
    });
    drop(kept);
    let what = "vault, bytes a sealed value is longer than its secret";
    table.row(what, format!("{over} B"), format!("{} B", NONCE_LEN + TAG), over as f64, Target::None);
    let each = bytes as f64 / CONNECTIONS as f64;
    let what = "vault, memory after 100,000 connections of 100,000 users";
    table.row(what, format!("{:.1} MB", bytes as f64 / 1e6), format!("{each:.0} B each"), each, Target::None);
}
