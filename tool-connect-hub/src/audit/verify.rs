//! Whether a chain is what it was.

use std::fmt;
use std::ops::RangeInclusive;

use serde::Serialize;
use tool_connect_core::store::{AuditHead, AuditStore, Checkpoint, SealedSegment};
use tool_connect_core::{Error, ErrorKind, Result, TenantId};

use super::chain;
use super::checkpoint::{self, CheckpointVerifier, SignatureCheck};

const PAGE: usize = 1_024;
/// Further findings are only counted.
const MAX_FINDINGS: usize = 100;
/// Among so many altered segments the exchanged ones are looked for.
const MAX_COMPARED: usize = 32;

/// What is wrong with a chain. Records are sealed in segments, those that were written together under one hash, so
/// a finding may name several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Finding {
    /// The records of a segment, or what links them to those before, are not what was sealed: they were
    /// edited, inserted, removed or exchanged, or that was done before them.
    Altered {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// A segment belongs elsewhere: its first record was sealed as number `sealed_as`.
    Reordered {
        /// Where its first record stands now.
        sequence: u64,
        /// Where that stood.
        sealed_as: u64,
    },
    /// Records are missing.
    Missing {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// The segments do not come in the order of their numbers, or a number comes twice.
    OutOfOrder {
        /// The first number of the one that came.
        sequence: u64,
        /// The number after which it came.
        after: u64,
    },
    /// The chain begins at a record whose predecessor no checkpoint vouches for: its beginning
    /// was cut off otherwise than by pruning.
    BeginningLost {
        /// The first record that is there.
        sequence: u64,
    },
    /// The end was cut off: the chain had reached this record.
    Truncated {
        /// The last record that is there; 0 where there is none.
        last: u64,
        /// The record that it had reached.
        reached: u64,
    },
    /// A valid checkpoint vouches for another hash: the chain was written anew.
    Rewritten {
        /// Number of the record.
        sequence: u64,
    },
    /// A checkpoint's signature is not its key's.
    ForgedCheckpoint {
        /// The record that it names.
        sequence: u64,
        /// The key that it names.
        key_id: String,
    },
    /// A checkpoint that the caller trusts is of another tenant, or of a key that the verifier
    /// does not know.
    UnusableCheckpoint {
        /// The record that it names.
        sequence: u64,
        /// The key that it names.
        key_id: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Altered { from, to } if from == to => {
                write!(f, "record {from}, or its link to those before, was altered")
            }
            Self::Altered { from, to } => {
                write!(f, "records {from} to {to}, or their link to those before, were altered")
            }
            Self::Reordered { sequence, sealed_as } => {
                write!(f, "what stands as record {sequence} was sealed as number {sealed_as}")
            }
            Self::Missing { from, to } if from == to => write!(f, "record {from} is missing"),
            Self::Missing { from, to } => write!(f, "records {from} to {to} are missing"),
            Self::OutOfOrder { sequence, after } => write!(f, "record {sequence} comes after record {after}"),
            Self::BeginningLost { sequence } => {
                write!(f, "the chain begins at record {sequence} and no checkpoint vouches for that")
            }
            Self::Truncated { last, reached } => {
                write!(f, "the chain ends at record {last} but had reached record {reached}")
            }
            Self::Rewritten { sequence } => {
                write!(f, "record {sequence} is not the one that a checkpoint names")
            }
            Self::ForgedCheckpoint { sequence, key_id } => {
                write!(f, "the checkpoint of record {sequence} was not signed by key `{key_id}`")
            }
            Self::UnusableCheckpoint { sequence, key_id } => write!(
                f,
                "the trusted checkpoint of record {sequence} (key `{key_id}`) is of another tenant or an unknown key"
            ),
        }
    }
}

/// What a verification saw.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "look at the findings, or call `intact`"]
#[non_exhaustive]
pub struct Verification {
    /// Whose chain.
    pub tenant: TenantId,
    /// How many records were read.
    pub records: u64,
    /// The first record that was read; 0 where there is none.
    pub first: u64,
    /// Where the chain ends.
    pub head: Option<AuditHead>,
    /// How many checkpoints agree with the chain.
    pub checkpoints: u64,
    /// How many checkpoints in the store are of keys that the verifier does not know. They prove
    /// nothing; trust such a key to have them checked.
    pub unknown_keys: u64,
    /// What is wrong, by record; at most 100.
    pub findings: Vec<Finding>,
    /// How many findings there were beyond those.
    pub further_findings: u64,
}

impl Verification {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.findings.is_empty()
    }

    /// Itself, if nothing is wrong.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] that names the first finding.
    pub fn intact(self) -> Result<Self> {
        let Some(first) = self.findings.first() else { return Ok(self) };
        let others = (self.findings.len() - 1) as u64 + self.further_findings;
        Err(Error::new(
            ErrorKind::Conflict,
            format!("the audit chain does not verify: {first}; compare it with a backup before you go on"),
        )
        .with("tenant", &self.tenant)
        .with("further findings", others))
    }

    fn found(&mut self, finding: Finding) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        } else {
            self.further_findings += 1;
        }
    }
}

/// Verifies a tenant's chain: every segment against the one before, and against the checkpoints of
/// the store and those that the caller kept elsewhere. Only the latter prove that nobody with
/// write access to the store cut the end off together with its checkpoints.
///
/// Records that are appended meanwhile may or may not be read. Memory is bounded; the time grows
/// with the chain.
///
/// # Errors
/// Where the store cannot be read. What is wrong with the chain is no error but a [`Finding`].
///
/// ```
/// use tool_connect_core::{TenantId, store::AuditStore};
/// use tool_connect_hub::audit::{Ed25519Keys, verify_chain};
/// # async fn example(store: &dyn AuditStore, public_key: [u8; 32]) -> tool_connect_core::Result<()> {
/// let keys = Ed25519Keys::new().trust("2026", public_key);
/// let seen = verify_chain(store, &keys, &TenantId::new("acme")?, &[]).await?.intact()?;
/// # Ok(())
/// # }
/// ```
pub async fn verify_chain(
    store: &dyn AuditStore,
    keys: &dyn CheckpointVerifier,
    tenant: &TenantId,
    trusted: &[Checkpoint],
) -> Result<Verification> {
    verify_range(store, keys, tenant, trusted, 1..=u64::MAX).await
}

/// The same for the segments that lie in a range of records; it must begin at 1 or behind a checkpoint.
pub(super) async fn verify_range(
    store: &dyn AuditStore,
    keys: &dyn CheckpointVerifier,
    tenant: &TenantId,
    trusted: &[Checkpoint],
    range: RangeInclusive<u64>,
) -> Result<Verification> {
    let mut seen = Verification {
        tenant: tenant.clone(),
        records: 0,
        first: 0,
        head: None,
        checkpoints: 0,
        unknown_keys: 0,
        findings: Vec::new(),
        further_findings: 0,
    };
    let anchors = anchors(store, keys, trusted, &mut seen).await?;
    let claimed = store.head(tenant).await?;
    let claimed = claimed.filter(|head| range.contains(&head.sequence));
    let mut walk = Walk { anchors: &anchors, claimed, seen, last: None, altered: Vec::new() };
    let mut from = *range.start();
    'pages: loop {
        let page = store.scan(tenant, from, PAGE).await?;
        for segment in &page {
            if segment.last > *range.end() {
                break 'pages;
            }
            walk.segment(segment);
        }
        // A store that repeats itself must not hold us for ever.
        match page.last().map(|segment| segment.last.saturating_add(1)) {
            Some(next) if next > from && next <= *range.end() => from = next,
            _ => break,
        }
    }
    Ok(walk.end(&range))
}

/// The heads that valid checkpoints vouch for, by record.
async fn anchors(
    store: &dyn AuditStore,
    keys: &dyn CheckpointVerifier,
    trusted: &[Checkpoint],
    seen: &mut Verification,
) -> Result<Vec<AuditHead>> {
    let mut anchors = Vec::new();
    let kept = store.checkpoints(&seen.tenant).await?;
    for (checkpoint, from_caller) in kept.iter().map(|c| (c, false)).chain(trusted.iter().map(|c| (c, true)))
    {
        let (sequence, key_id) = (checkpoint.head.sequence, checkpoint.key_id.clone());
        let mine = checkpoint.tenant == seen.tenant;
        match checkpoint::check(keys, checkpoint) {
            SignatureCheck::Valid if mine => anchors.push(checkpoint.head),
            SignatureCheck::Invalid => seen.found(Finding::ForgedCheckpoint { sequence, key_id }),
            SignatureCheck::UnknownKey if !from_caller => seen.unknown_keys += 1,
            // A checkpoint of another tenant under this tenant's name fails its signature.
            SignatureCheck::Valid | SignatureCheck::UnknownKey => {
                seen.found(Finding::UnusableCheckpoint { sequence, key_id });
            }
        }
    }
    anchors.sort_by_key(|head| head.sequence);
    anchors.dedup();
    Ok(anchors)
}

/// An altered segment, and the hash before it.
struct Altered {
    segment: SealedSegment,
    previous: [u8; 32],
}

struct Walk<'a> {
    anchors: &'a [AuditHead],
    /// Where the store says that the chain ends; new records build on that.
    claimed: Option<AuditHead>,
    seen: Verification,
    last: Option<AuditHead>,
    altered: Vec<Altered>,
}

impl Walk<'_> {
    fn anchors_at(&self, from: u64, to: u64) -> &[AuditHead] {
        let begins = self.anchors.partition_point(|head| head.sequence < from);
        let ends = self.anchors.partition_point(|head| head.sequence <= to);
        self.anchors.get(begins..ends).unwrap_or_default()
    }

    fn segment(&mut self, segment: &SealedSegment) {
        let SealedSegment { first, last, .. } = *segment;
        self.seen.records = self.seen.records.saturating_add(segment.count());
        let here = segment.end();
        let previous = match self.last {
            None => self.beginning(first),
            Some(before) if first <= before.sequence => {
                self.seen.found(Finding::OutOfOrder { sequence: first, after: before.sequence });
                return;
            }
            Some(before) if first - before.sequence > 1 => {
                self.seen.found(Finding::Missing { from: before.sequence + 1, to: first - 1 });
                None // What it builds on is gone.
            }
            Some(before) => Some(before.hash),
        };
        if let Some(previous) = previous
            && chain::link(&previous, first, segment) != Some(segment.hash)
        {
            self.altered(segment, previous);
        }
        // What a checkpoint vouches for is the end of a segment.
        let anchors = self.anchors_at(first, last);
        let agree = anchors.iter().filter(|anchor| **anchor == here).count();
        let differing = anchors.iter().find(|anchor| **anchor != here).map(|anchor| anchor.sequence);
        self.seen.checkpoints += agree as u64;
        if let Some(sequence) = differing {
            self.seen.found(Finding::Rewritten { sequence });
        }
        if self.claimed.is_some_and(|head| (first..=last).contains(&head.sequence) && head != here) {
            self.seen.found(Finding::Altered { from: first, to: last });
        }
        self.last = Some(here);
    }

    /// What the first record builds on.
    fn beginning(&mut self, sequence: u64) -> Option<[u8; 32]> {
        self.seen.first = sequence;
        if sequence == 1 {
            return Some(chain::genesis(&self.seen.tenant));
        }
        let anchor =
            sequence.checked_sub(1).and_then(|before| self.anchors_at(before, before).first().copied());
        if anchor.is_none() {
            self.seen.found(Finding::BeginningLost { sequence });
        }
        anchor.map(|anchor| anchor.hash)
    }

    fn altered(&mut self, segment: &SealedSegment, previous: [u8; 32]) {
        if self.altered.len() < MAX_COMPARED {
            self.altered.push(Altered { segment: segment.clone(), previous });
        } else {
            self.seen.found(Finding::Altered { from: segment.first, to: segment.last });
        }
    }

    /// Where an altered segment belongs, if it only stands in another one's place.
    fn sealed_as(&self, number: usize) -> Option<u64> {
        let segment = &self.altered.get(number)?.segment;
        self.altered.iter().enumerate().filter(|(other, _)| *other != number).find_map(|(_, place)| {
            let first = place.segment.first;
            [place.previous, place.segment.hash].iter().find_map(|previous| {
                let hash = chain::link(previous, first, segment)?;
                (hash == segment.hash || hash == place.segment.hash).then_some(first)
            })
        })
    }

    fn end(mut self, range: &RangeInclusive<u64>) -> Verification {
        for number in 0..self.altered.len() {
            let sealed_as = self.sealed_as(number);
            let Some((from, to)) = self.altered.get(number).map(|a| (a.segment.first, a.segment.last)) else {
                continue;
            };
            self.seen.found(match sealed_as {
                Some(sealed_as) => Finding::Reordered { sequence: from, sealed_as },
                None => Finding::Altered { from, to },
            });
        }
        let last = self.last.map_or(0, |head| head.sequence);
        let reached = self.anchors.iter().map(|head| head.sequence).filter(|s| range.contains(s)).max();
        let reached = reached.max(self.claimed.map(|head| head.sequence)).unwrap_or(0);
        // Before the range there is nothing to be read.
        if reached > last.max(range.start() - 1) {
            self.seen.found(Finding::Truncated { last, reached });
        }
        self.seen.findings.sort_by_key(Finding::place);
        self.seen.head = self.last;
        self.seen
    }
}

impl Finding {
    fn place(&self) -> u64 {
        match self {
            Self::Reordered { sequence, .. }
            | Self::OutOfOrder { sequence, .. }
            | Self::BeginningLost { sequence }
            | Self::Rewritten { sequence }
            | Self::ForgedCheckpoint { sequence, .. }
            | Self::UnusableCheckpoint { sequence, .. } => *sequence,
            Self::Altered { from, .. } | Self::Missing { from, .. } => *from,
            Self::Truncated { last, .. } => last.saturating_add(1),
        }
    }
}
