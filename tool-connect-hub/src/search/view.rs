//! The indexes of all instances of a snapshot, joined: made on the first search after a change, of parts that stay.

use std::collections::HashMap;
use std::sync::Arc;

use super::lexicon::lexicon;
use super::segment::Segment;

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// How much a verb counts in a name, beside a noun.
const VERB_IN_NAME: f32 = 0.4;

/// Shorter words are not compared with misspelt ones.
pub(super) const SHORTEST_SPELLING: usize = 4;

/// The joined indexes.
#[derive(Default)]
pub(super) struct View {
    pub(super) segments: Vec<Arc<Segment>>,
    /// The number of each segment's first tool, and of all.
    pub(super) firsts: Vec<u32>,
    terms: Map<Box<str>, Term>,
    /// Words of providers, and how many segments have each.
    providers: Map<Box<str>, u32>,
    /// For each segment, how rare each of its words is.
    rarity: Vec<Box<[f32]>>,
    /// Words by first letter and length, each with its letters as bits.
    spellings: Map<(u8, usize), Vec<Spelling>>,
}

/// A word's letters as bits, and the word.
type Spelling = (u32, Box<str>);

/// Where a word is.
#[derive(Default)]
pub(super) struct Term {
    /// How many tools have it.
    pub(super) tools: u32,
    /// Segment, and the word's number there.
    pub(super) places: Vec<(u32, u32)>,
}

impl View {
    /// Joins segments.
    pub(super) fn new(segments: Vec<Arc<Segment>>) -> Self {
        let mut view = Self::default();
        let mut first = 0;
        for (place, segment) in (0_u32..).zip(&segments) {
            view.firsts.push(first);
            first += u32::try_from(segment.len()).unwrap_or(0);
            for (word, term, tools) in segment.terms() {
                let known = match view.terms.get_mut(word) {
                    Some(known) => known,
                    None => view.terms.entry(word.into()).or_default(),
                };
                known.tools += tools;
                known.places.push((place, term));
            }
            let (id, title) = segment.provider();
            for word in id.iter().chain(title) {
                *view.providers.entry(word.clone()).or_default() += 1;
            }
        }
        view.firsts.push(first);
        view.rarity = segments.iter().map(|segment| view.rarity_in(segment, first)).collect();
        let spelt =
            |word: &str| word.len() >= SHORTEST_SPELLING && word.bytes().all(|b| b.is_ascii_lowercase());
        for word in view.terms.keys().filter(|word| spelt(word)) {
            let place = (word.bytes().next().unwrap_or_default(), word.len());
            view.spellings.entry(place).or_default().push((letters(word), word.clone()));
        }
        view.segments = segments;
        view
    }

    fn rarity_in(&self, segment: &Segment, all: u32) -> Box<[f32]> {
        let mut rarity = vec![0.0; segment.words()];
        for (word, term, _) in segment.terms() {
            let tools = self.terms.get(word).map_or(1, |known| known.tools.max(1));
            let verb = if lexicon().effect(word) != 0 { VERB_IN_NAME } else { 1.0 };
            if let Some(place) = rarity.get_mut(term as usize) {
                *place = verb * (1.0 + all as f32 / tools as f32).ln();
            }
        }
        rarity.into()
    }

    /// How many tools it has.
    pub(super) fn tools(&self) -> u32 {
        self.firsts.last().copied().unwrap_or(0)
    }

    /// Where a word is.
    pub(super) fn term(&self, stem: &str) -> Option<&Term> {
        self.terms.get(stem)
    }

    /// How many segments have a word in their provider's names.
    pub(super) fn providers_with(&self, stem: &str) -> u32 {
        self.providers.get(stem).copied().unwrap_or(0)
    }

    /// How rare a word of a segment is.
    pub(super) fn rarity(&self, segment: usize, term: u32) -> f32 {
        self.rarity.get(segment).and_then(|rarity| rarity.get(term as usize)).copied().unwrap_or(0.0)
    }

    /// Words of a length that begin with a letter, each with its letters as bits.
    pub(super) fn spellings(&self, first: u8, length: usize) -> &[(u32, Box<str>)] {
        self.spellings.get(&(first, length)).map_or(&[], Vec::as_slice)
    }

    /// Bytes on the heap, about, those of the segments included.
    pub(super) fn bytes(&self) -> usize {
        let slots = self.terms.capacity() * (size_of::<(Box<str>, Term)>() + 1);
        let place = size_of::<(u32, u32)>();
        let terms: usize =
            self.terms.iter().map(|(word, term)| word.len() + term.places.capacity() * place).sum();
        let spelling = |words: &Vec<Spelling>| {
            words.iter().map(|(_, word)| word.len() + size_of::<Spelling>()).sum::<usize>()
        };
        let segments: usize =
            self.segments.iter().map(|segment| segment.bytes() + segment.words() * size_of::<f32>()).sum();
        segments + slots + terms + self.spellings.values().map(spelling).sum::<usize>()
    }
}

/// Which letters a word has, as bits.
pub(super) fn letters(word: &str) -> u32 {
    word.bytes().filter(u8::is_ascii_lowercase).fold(0, |all, letter| all | 1 << (letter - b'a'))
}
