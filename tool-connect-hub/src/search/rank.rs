//! From words to tools: weights are summed over the words of a query, and the best are looked at once more.

use std::cell::RefCell;
use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;
use std::sync::Arc;

use super::lexicon::effect;
use super::query::{Query, Vocabulary};
use super::segment::Segment;
use super::view::{SHORTEST_SPELLING, View, letters};

/// So many of the best are looked at once more.
const CLOSER: usize = 160;

/// How much of a tool's score is left where the query wants to read and it does not, or the other way round.
const OTHER_EFFECT: f32 = 0.55;
/// As [`OTHER_EFFECT`], where both change something.
const OTHER_CHANGE: f32 = 0.7;
/// How much of a deprecated tool's score is left.
const DEPRECATED: f32 = 0.75;
/// How much of a score is lost with every word of the query missing.
const MISSING: f32 = 0.45;
/// How much a provider gains that the query names.
const NAMED: f32 = 1.8;
/// What of this it gains where only the connector's name says so, and not the instance's id.
const BY_TITLE: f32 = 0.3;
/// What of this it gains where the query speaks of what the provider is known for.
const KNOWN_FOR: f32 = 0.15;
/// How much a tool gains whose name says nothing else than the query.
const NAME_SAID: f32 = 0.7;
/// The same of its title.
const TITLE_SAID: f32 = 0.4;
/// How much of this a name gains for two words that stand together in the query too.
const PAIR: f32 = 0.08;
/// How much a tool gains for one thing where one is meant, for many where many are.
const NUMBER: f32 = 0.05;

/// What is searched: a tenant's own instances and the global ones.
pub(super) struct Scope<'a> {
    /// A view, and for each of its segments how much it counts; 0 leaves it out.
    pub(super) views: Vec<(&'a View, Vec<f32>)>,
}

/// A tool that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found {
    /// Which view.
    pub(super) view: usize,
    /// Which segment of it.
    pub(super) segment: usize,
    /// Which tool of that.
    pub(super) tool: usize,
    /// How well it fits; for comparing within one search.
    pub(super) score: f32,
}

/// The best first; among equals the order of ids, so that a search gives the same twice.
pub(super) fn order(a: &Found, b: &Found) -> Ordering {
    b.score.total_cmp(&a.score).then_with(|| (a.view, a.segment, a.tool).cmp(&(b.view, b.segment, b.tool)))
}

/// What is counted up for each tool. One per thread, so that a search allocates little.
#[derive(Default)]
struct Scratch {
    scores: Vec<f32>,
    /// What the concept that is being counted has given already.
    part: Vec<f32>,
    /// How much of the query the tool has.
    covered: Vec<f32>,
    /// Which concept of which search counted last.
    marks: Vec<u32>,
    touched: Vec<u32>,
    epoch: u32,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// The best tools for a query, the best first: at most `limit` of those that `keep` lets pass, which is asked in the order of a
/// first look. Where nothing fits there is nothing.
pub(super) fn search(
    scope: &Scope<'_>,
    query: &Query,
    limit: usize,
    keep: impl FnMut(&Found) -> bool,
) -> Vec<Found> {
    SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
        Ok(mut scratch) => scratch.search(scope, query, limit, keep),
        // A policy of the host's that searches itself.
        Err(_) => Scratch::default().search(scope, query, limit, keep),
    })
}

impl Scratch {
    fn search(
        &mut self,
        scope: &Scope<'_>,
        query: &Query,
        limit: usize,
        mut keep: impl FnMut(&Found) -> bool,
    ) -> Vec<Found> {
        let weights = self.count(scope, query);
        let whole: f32 = weights.iter().sum();
        if whole <= 0.0 || limit == 0 {
            return Vec::new();
        }
        let mut candidates = self.candidates(scope, query, whole);
        // The best of the first look that may be shown, in bites: who may call little would else be shown nothing.
        let wanted = CLOSER.max(limit.saturating_mul(2));
        let mut best: Vec<Found> = Vec::with_capacity(wanted.min(candidates.len()));
        while best.len() < wanted && !candidates.is_empty() {
            let bite = wanted.min(candidates.len());
            if bite < candidates.len() {
                candidates.select_nth_unstable_by(bite - 1, order);
            }
            let rest = candidates.split_off(bite);
            best.extend(candidates.into_iter().filter(|found| keep(found)));
            candidates = rest;
        }
        let closer = Closer::new(scope, query, &weights);
        for found in &mut best {
            found.score *= closer.factor(found);
        }
        best.sort_unstable_by(order);
        best.truncate(limit);
        best
    }

    /// Counts the query's words up, and returns what each concept weighs.
    fn count(&mut self, scope: &Scope<'_>, query: &Query) -> Vec<f32> {
        let all: u32 = scope.views.iter().map(|(view, _)| view.tools()).sum();
        let size = all as usize;
        if self.marks.len() < size {
            for column in [&mut self.scores, &mut self.part, &mut self.covered] {
                column.resize(size, 0.0);
            }
            self.marks.resize(size, 0);
        }
        let concepts = u32::try_from(query.concepts.len()).unwrap_or(u32::MAX);
        if self.epoch.checked_add(concepts).is_none() {
            self.marks.fill(0);
            self.epoch = 0;
        }
        self.touched.clear();
        let before = self.epoch;
        let mut weights = Vec::with_capacity(query.concepts.len());
        for concept in &query.concepts {
            self.epoch += 1;
            // What another word of the same meaning gives is no more than the word itself would, however rare it is.
            let mut own = 0.0_f32;
            for (stem, how) in &concept.stems {
                let tools = scope.tools_with(stem) as f32;
                if tools == 0.0 {
                    continue;
                }
                let mut weight = (1.0 + (all as f32 - tools + 0.5) / (tools + 0.5)).ln() * concept.weight;
                if own == 0.0 {
                    own = weight;
                }
                weight = weight.min(own);
                self.add(scope, stem, how * weight / f32::from(u16::MAX), own, before);
            }
            weights.push(own);
        }
        weights
    }

    /// Adds a word of the concept that is being counted. Only the best of a concept's words counts.
    fn add(&mut self, scope: &Scope<'_>, stem: &str, by: f32, weight: f32, before: u32) {
        let mut base = 0;
        for (view, counts) in &scope.views {
            for (place, term) in view.term(stem).map_or(&[][..], |term| &term.places) {
                let place = *place as usize;
                if counts.get(place).is_none_or(|counts| *counts == 0.0) {
                    continue;
                }
                let (Some(segment), Some(first)) = (view.segments.get(place), view.firsts.get(place)) else {
                    continue;
                };
                let first = base + first;
                let (tools, impacts) = segment.postings(*term);
                for (tool, impact) in tools.iter().zip(impacts) {
                    let number = first + tool;
                    // The columns are as long as there are tools.
                    let at = number as usize;
                    let value = by * f32::from(*impact);
                    let mark = self.marks[at];
                    if mark == self.epoch {
                        let more = value - self.part[at];
                        if more > 0.0 {
                            self.scores[at] += more;
                            self.part[at] = value;
                        }
                        continue;
                    }
                    if mark <= before {
                        self.touched.push(number);
                        self.scores[at] = 0.0;
                        self.covered[at] = 0.0;
                    }
                    self.marks[at] = self.epoch;
                    self.part[at] = value;
                    self.scores[at] += value;
                    self.covered[at] += weight;
                }
            }
            base += view.tools();
        }
    }

    /// Each tool that has a word of the query, with the score of a first look.
    fn candidates(&mut self, scope: &Scope<'_>, query: &Query, whole: f32) -> Vec<Found> {
        let providers = scope.provider_factors(query);
        self.touched.sort_unstable();
        let mut candidates = Vec::with_capacity(self.touched.len());
        let mut touched = self.touched.iter().copied().peekable();
        let mut base = 0;
        for (view_at, ((view, counts), providers)) in scope.views.iter().zip(&providers).enumerate() {
            let parts = view.segments.iter().zip(&view.firsts).zip(counts).zip(providers);
            for (segment, (((index, first), counts), provider)) in parts.enumerate() {
                let first = base + first;
                for (tool, does) in index.effects().iter().enumerate() {
                    let Some(next) = touched.peek() else { break };
                    let number = first as usize + tool;
                    if *next as usize != number {
                        continue;
                    }
                    touched.next();
                    let covered = 1.0 - MISSING + MISSING * self.covered[number] / whole;
                    let score = self.scores[number] * counts * provider * covered * fits(query.effect, *does);
                    candidates.push(Found { view: view_at, segment, tool, score });
                }
            }
            base += view.tools();
        }
        candidates
    }
}

/// How well what a tool does fits what shall be done.
fn fits(wanted: u8, does: u8) -> f32 {
    let old = if does & effect::OLD != 0 { DEPRECATED } else { 1.0 };
    old * if wanted & effect::DONE == 0 || wanted & does & effect::DONE != 0 {
        1.0
    } else if (wanted & effect::READ != 0) != (does & effect::READ != 0) {
        OTHER_EFFECT
    } else {
        OTHER_CHANGE
    }
}

impl Vocabulary for Scope<'_> {
    fn knows(&self, stem: &str) -> bool {
        self.views.iter().any(|(view, _)| view.term(stem).is_some() || view.providers_with(stem) > 0)
    }

    fn names(&self, stem: &str) -> bool {
        self.views.iter().any(|(view, _)| {
            let with = view.providers_with(stem) as usize;
            with > 0 && with * 10 <= view.segments.len().max(20)
        })
    }

    fn like(&self, stem: &str) -> Vec<(String, f32)> {
        let Some(first) = stem.bytes().next() else { return Vec::new() };
        let length = stem.len();
        if !(SHORTEST_SPELLING..=24).contains(&length) || !stem.bytes().all(|byte| byte.is_ascii_lowercase())
        {
            return Vec::new();
        }
        let (most, own) = (if length < 7 { 1 } else { 2 }, letters(stem));
        let mut found: Vec<(&str, usize, u32)> = Vec::new();
        for (view, _) in &self.views {
            for length in length - most..=length + most {
                for (letters, word) in view.spellings(first, length) {
                    // Each slip adds a letter, takes one, or both.
                    if (letters ^ own).count_ones() as usize > 2 * most {
                        continue;
                    }
                    let distance = strsim::osa_distance(word, stem);
                    if distance <= most {
                        found.push((word, distance, view.term(word).map_or(0, |term| term.tools)));
                    }
                }
            }
        }
        found.sort_by_key(|(word, distance, tools)| (*distance, Reverse(*tools), *word));
        found.dedup_by_key(|(word, ..)| *word);
        let how = |distance: usize| 1.0 - distance as f32 / length as f32;
        found.into_iter().take(3).map(|(word, distance, _)| (word.to_owned(), how(distance))).collect()
    }
}

impl Scope<'_> {
    /// How many tools have a word.
    fn tools_with(&self, stem: &str) -> u32 {
        self.views.iter().filter_map(|(view, _)| view.term(stem)).map(|term| term.tools).sum()
    }

    /// How much each segment's provider counts: those that the query names before the others.
    fn provider_factors(&self, query: &Query) -> Vec<Vec<f32>> {
        let segments: usize = self.views.iter().map(|(view, _)| view.segments.len()).sum();
        let rarity = |word: &str| {
            let with: u32 = self.views.iter().map(|(view, _)| view.providers_with(word)).sum();
            (1.0 + segments as f32 / with.max(1) as f32).ln()
        };
        let share = |words: &[Box<str>]| {
            let (mut said, mut all) = (0.0, 0.0);
            for word in words {
                let weight = rarity(word);
                all += weight;
                if query.providers.iter().any(|named| **named == **word) {
                    said += weight;
                }
            }
            if all > 0.0 { said / all } else { 0.0_f32 }
        };
        let factor = |segment: &Arc<Segment>| {
            let (id, title) = segment.provider();
            let known = id.iter().chain(title).any(|word| query.kinds.iter().any(|kind| **kind == **word));
            let known = if known { KNOWN_FOR } else { 0.0 };
            1.0 + NAMED * share(id).max(BY_TITLE * share(title)).max(known)
        };
        self.views.iter().map(|(view, _)| view.segments.iter().map(factor).collect()).collect()
    }
}

/// A word of a segment: its view, the segment, its number there.
type Place = (usize, usize, u32);

/// A second look: how much of a tool's name and title the query says.
struct Closer<'a> {
    scope: &'a Scope<'a>,
    /// The words that the query says: how well, and by which concept.
    said: HashMap<Place, (f32, usize), foldhash::fast::RandomState>,
    number: u8,
}

impl<'a> Closer<'a> {
    fn new(scope: &'a Scope<'a>, query: &Query, weights: &[f32]) -> Self {
        let mut said: HashMap<Place, (f32, usize), _> = HashMap::default();
        for (concept, (meant, weight)) in query.concepts.iter().zip(weights).enumerate() {
            if *weight == 0.0 {
                continue;
            }
            for (stem, how) in &meant.stems {
                for (at, (view, _)) in scope.views.iter().enumerate() {
                    for (segment, term) in view.term(stem).map_or(&[][..], |term| &term.places) {
                        let known = said.entry((at, *segment as usize, *term)).or_insert((0.0, concept));
                        if *how > known.0 {
                            *known = (*how, concept);
                        }
                    }
                }
            }
        }
        Self { scope, said, number: query.effect & (effect::ONE | effect::MANY) }
    }

    fn factor(&self, found: &Found) -> f32 {
        let Some((view, _)) = self.scope.views.get(found.view) else { return 1.0 };
        let Some(segment) = view.segments.get(found.segment) else { return 1.0 };
        let numbered = segment.effects().get(found.tool).is_some_and(|does| does & self.number != 0);
        let number = if numbered { 1.0 + NUMBER } else { 1.0 };
        let name = self.share(found, view, segment.name(found.tool));
        let title = self.share(found, view, segment.title(found.tool));
        number * (1.0 + NAME_SAID * name + TITLE_SAID * title)
    }

    /// How much of some words the query says, of the rare more than of the common; and a little for every two that stand together
    /// there as well.
    fn share(&self, found: &Found, view: &View, words: &[u32]) -> f32 {
        let (mut said, mut all, mut pairs) = (0.0, 0.0, 0.0);
        let mut last = None;
        for term in words {
            let rarity = view.rarity(found.segment, *term);
            all += rarity;
            let known = self.said.get(&(found.view, found.segment, *term));
            if let Some((how, concept)) = known {
                said += rarity * how;
                if last.is_some_and(|last: usize| last + 1 == *concept) {
                    pairs += PAIR;
                }
            }
            last = known.map(|(_, concept)| *concept);
        }
        if all > 0.0 { said / all + pairs } else { 0.0 }
    }
}
