//! The index of one instance: made once, on the first search after it was registered, and gone with it.

use std::collections::HashMap;

use super::lexicon::{effect, lexicon};
use super::stem::stem;
use super::words;

/// What a tool says of itself, as far as it is searched.
pub(super) struct Document<'a> {
    pub(super) name: &'a str,
    pub(super) aliases: Vec<&'a str>,
    pub(super) title: &'a str,
    pub(super) description: &'a str,
    /// Names of parameters, and of theirs.
    pub(super) parameters: Vec<String>,
    /// Values that parameters may have.
    pub(super) values: Vec<String>,
    pub(super) read_only: bool,
    pub(super) destructive: bool,
    pub(super) deprecated: bool,
}

/// How much a field counts, how much its length takes from that, and how long it is as a rule. The length is a constant and not
/// the average of what is registered, so that an instance's index does not depend on the others.
struct Field {
    weight: f32,
    by_length: f32,
    usual: f32,
}

const NAME: Field = Field { weight: 3.2, by_length: 0.5, usual: 4.0 };
const TITLE: Field = Field { weight: 2.6, by_length: 0.36, usual: 5.0 };
const FIRST: Field = Field { weight: 2.5, by_length: 0.35, usual: 10.0 };
const REST: Field = Field { weight: 0.75, by_length: 0.6, usual: 25.0 };
const ALIAS: Field = Field { weight: 1.6, by_length: 0.3, usual: 4.0 };
/// What the provider is called, for a tool that says nothing of it itself.
const PROVIDER: Field = Field { weight: 0.3, by_length: 0.0, usual: 2.0 };
const PARAMETER: Field = Field { weight: 0.5, by_length: 0.5, usual: 10.0 };
const VALUE: Field = Field { weight: 0.55, by_length: 0.6, usual: 8.0 };

/// How soon a word that comes often counts no more.
const SATURATION: f32 = 1.5;

/// Words of a description beyond these are not indexed.
const MOST_WORDS: usize = 160;
/// Words of all parameters and values beyond these are not indexed.
const MOST_PARAMETERS: usize = 80;

type Dictionary = HashMap<Box<str>, u32, foldhash::fast::RandomState>;

/// An index: for each word the tools that have it, with its weight there.
pub(super) struct Segment {
    dictionary: Dictionary,
    /// Where each word's tools begin; one more than there are words.
    starts: Box<[u32]>,
    tools: Box<[u32]>,
    weights: Box<[u16]>,
    /// Where each tool's name begins; one more than there are tools.
    name_starts: Box<[u32]>,
    /// The words of names, without the instance's own.
    names: Box<[u32]>,
    /// The same of titles.
    title_starts: Box<[u32]>,
    titles: Box<[u32]>,
    /// What each tool does to the world, and whether its name speaks of one thing or of many.
    effects: Box<[u8]>,
    /// Stems of the instance's id and of the connector's name.
    provider: Box<[Box<str>]>,
    /// How many of these are the id's.
    id_words: usize,
}

impl Segment {
    /// Indexes the tools of an instance; a tool's number is its place among them.
    pub(super) fn new<'a>(provider: &[&str], documents: impl Iterator<Item = Document<'a>>) -> Self {
        let mut builder = Builder::default();
        let mut own: Vec<Box<str>> = Vec::new();
        let mut id_words = 0;
        for text in provider {
            words::each(text, |word| {
                let stem = stem(word);
                if !lexicon().is_stop(word) && !is_version(word) && !own.iter().any(|known| **known == *stem)
                {
                    own.push(stem.into());
                }
            });
            if id_words == 0 {
                id_words = own.len();
            }
        }
        for document in documents {
            builder.add(&document, &own);
        }
        builder.finish(own, id_words)
    }

    /// How many tools it has.
    pub(super) fn len(&self) -> usize {
        self.effects.len()
    }

    /// Its words, each with its number and how many tools have it.
    pub(super) fn terms(&self) -> impl Iterator<Item = (&str, u32, u32)> {
        self.dictionary.iter().map(|(word, term)| {
            let (from, to) = self.range(*term);
            (&**word, *term, u32::try_from(to - from).unwrap_or(u32::MAX))
        })
    }

    fn range(&self, term: u32) -> (usize, usize) {
        let at = |place: usize| self.starts.get(place).map_or(0, |start| *start as usize);
        (at(term as usize), at(term as usize + 1))
    }

    /// The tools that have a word, and its weights there.
    pub(super) fn postings(&self, term: u32) -> (&[u32], &[u16]) {
        let (from, to) = self.range(term);
        (self.tools.get(from..to).unwrap_or_default(), self.weights.get(from..to).unwrap_or_default())
    }

    /// The words of a tool's name.
    pub(super) fn name(&self, tool: usize) -> &[u32] {
        let at = |place: usize| self.name_starts.get(place).map_or(0, |start| *start as usize);
        self.names.get(at(tool)..at(tool + 1)).unwrap_or_default()
    }

    /// The words of a tool's title.
    pub(super) fn title(&self, tool: usize) -> &[u32] {
        let at = |place: usize| self.title_starts.get(place).map_or(0, |start| *start as usize);
        self.titles.get(at(tool)..at(tool + 1)).unwrap_or_default()
    }

    /// What each tool does to the world, and its number; bits of [`effect`].
    pub(super) fn effects(&self) -> &[u8] {
        &self.effects
    }

    /// Stems of what the provider is called: in the instance's id, and in the connector's name alone.
    pub(super) fn provider(&self) -> (&[Box<str>], &[Box<str>]) {
        self.provider.split_at_checked(self.id_words).unwrap_or((&self.provider, &[]))
    }

    /// How many words it knows.
    pub(super) fn words(&self) -> usize {
        self.dictionary.len()
    }

    /// Bytes on the heap, about.
    pub(super) fn bytes(&self) -> usize {
        let words: usize = self.dictionary.keys().map(|word| word.len()).sum();
        let slots = self.dictionary.capacity() * (size_of::<(Box<str>, u32)>() + 1);
        words
            + slots
            + size_of_val(&*self.starts)
            + size_of_val(&*self.tools)
            + size_of_val(&*self.weights)
            + size_of_val(&*self.name_starts)
            + size_of_val(&*self.names)
            + size_of_val(&*self.title_starts)
            + size_of_val(&*self.titles)
            + size_of_val(&*self.effects)
    }
}

/// Words of names and titles that say nothing.
const SILENT: [&str; 20] = [
    "a", "an", "the", "of", "to", "in", "for", "by", "on", "with", "from", "and", "or", "id", "at", "as",
    "v1", "v2", "v3", "json",
];

#[derive(Default)]
struct Builder {
    dictionary: Dictionary,
    /// Words as they are written, and the number of each one's stem: most come again.
    written: Dictionary,
    postings: Vec<Vec<(u32, u16)>>,
    name_starts: Vec<u32>,
    names: Vec<u32>,
    title_starts: Vec<u32>,
    titles: Vec<u32>,
    effects: Vec<u8>,
    /// The words of the tool that is being added, and what they weigh.
    found: HashMap<u32, f32, foldhash::fast::RandomState>,
}

impl Builder {
    fn term(&mut self, word: &str) -> u32 {
        if let Some(term) = self.written.get(word) {
            return *term;
        }
        let term = self.stemmed(&stem(word));
        self.written.insert(word.into(), term);
        term
    }

    fn stemmed(&mut self, stem: &str) -> u32 {
        if let Some(term) = self.dictionary.get(stem) {
            return *term;
        }
        // A registry of more words than that does not fit into memory.
        let term = u32::try_from(self.postings.len()).unwrap_or(u32::MAX);
        self.dictionary.insert(stem.into(), term);
        self.postings.push(Vec::new());
        term
    }

    /// The words of a text, at most so many.
    fn terms<T: AsRef<str>>(&mut self, texts: &[T], most: usize) -> Vec<u32> {
        let mut terms = Vec::new();
        for text in texts {
            words::each(text.as_ref(), |word| {
                if terms.len() < most {
                    terms.push(self.term(word));
                }
            });
        }
        terms
    }

    fn weigh(&mut self, terms: &[u32], field: &Field) {
        let length = terms.len() as f32 / field.usual;
        let weight = field.weight / (1.0 - field.by_length + field.by_length * length);
        for term in terms {
            *self.found.entry(*term).or_default() += weight;
        }
    }

    fn add(&mut self, document: &Document<'_>, provider: &[Box<str>]) {
        let tool = u32::try_from(self.effects.len()).unwrap_or(u32::MAX);
        let name = self.terms(&[document.name], MOST_WORDS);
        let title = self.terms(&[document.title], MOST_WORDS);
        let (first, rest) = sentence(document.description);
        let first = self.terms(&[first], MOST_WORDS);
        let rest = self.terms(&[rest], MOST_WORDS);
        let aliases = self.terms(&document.aliases, MOST_WORDS);
        let parameters = self.terms(&document.parameters, MOST_PARAMETERS);
        let values = self.terms(&document.values, MOST_PARAMETERS);
        let own: Vec<u32> = provider.iter().map(|word| self.stemmed(word)).collect();
        for (terms, field) in [
            (&name, &NAME),
            (&title, &TITLE),
            (&first, &FIRST),
            (&rest, &REST),
            (&aliases, &ALIAS),
            (&own, &PROVIDER),
            (&parameters, &PARAMETER),
            (&values, &VALUE),
        ] {
            self.weigh(terms, field);
        }
        for (term, weight) in self.found.drain() {
            let saturated = weight / (SATURATION + weight);
            if let Some(postings) = self.postings.get_mut(term as usize) {
                postings.push((tool, (saturated * f32::from(u16::MAX)) as u16));
            }
        }
        self.effects.push(
            effect_of(document)
                | number_of(document.name)
                | if document.deprecated { effect::OLD } else { 0 },
        );
        self.name_starts.push(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        let silent: Vec<u32> = SILENT.iter().filter_map(|word| self.dictionary.get(*word).copied()).collect();
        let put = |all: &mut Vec<u32>, terms: &[u32]| {
            let begin = all.len();
            for term in terms {
                if !own.contains(term) && !silent.contains(term) && !all[begin..].contains(term) {
                    all.push(*term);
                }
            }
        };
        put(&mut self.names, &name);
        self.title_starts.push(u32::try_from(self.titles.len()).unwrap_or(u32::MAX));
        put(&mut self.titles, &title);
    }

    fn finish(mut self, provider: Vec<Box<str>>, id_words: usize) -> Segment {
        self.title_starts.push(u32::try_from(self.titles.len()).unwrap_or(u32::MAX));
        self.name_starts.push(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        let all: usize = self.postings.iter().map(Vec::len).sum();
        let (mut tools, mut weights) = (Vec::with_capacity(all), Vec::with_capacity(all));
        let mut starts = Vec::with_capacity(self.postings.len() + 1);
        for postings in self.postings {
            starts.push(u32::try_from(tools.len()).unwrap_or(u32::MAX));
            for (tool, weight) in postings {
                tools.push(tool);
                weights.push(weight);
            }
        }
        starts.push(u32::try_from(tools.len()).unwrap_or(u32::MAX));
        self.dictionary.shrink_to_fit();
        Segment {
            dictionary: self.dictionary,
            starts: starts.into(),
            tools: tools.into(),
            weights: weights.into(),
            name_starts: self.name_starts.into(),
            names: self.names.into(),
            title_starts: self.title_starts.into(),
            titles: self.titles.into(),
            effects: self.effects.into(),
            provider: provider.into(),
            id_words,
        }
    }
}

/// The first sentence, and the rest.
fn sentence(text: &str) -> (&str, &str) {
    let end = text.find(". ").or_else(|| text.find('\n')).map_or(text.len(), |at| at + 1);
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// What a tool does: as its name says, else its title's first word, within what its annotations allow.
fn effect_of(document: &Document<'_>) -> u8 {
    let mut said = 0;
    words::each(document.name, |word| said |= lexicon().effect(&stem(word)));
    if said == 0 {
        let mut first = true;
        words::each(document.title, |word| {
            if first {
                said = lexicon().effect(&stem(word));
                first = false;
            }
        });
    }
    let told = if document.read_only {
        effect::READ
    } else if document.destructive && said & effect::DELETE != 0 {
        effect::DELETE
    } else {
        effect::CREATE | effect::UPDATE | effect::DELETE
    };
    match said & told {
        // A name without a verb, or one that says something else: `get_create_user`, which a careless document calls a read.
        0 if said == 0 => told,
        0 => said | told,
        both => both,
    }
}

/// `v2`, `3`.
fn is_version(word: &str) -> bool {
    word.strip_prefix('v').unwrap_or(word).bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the plain word is a plural, most likely.
pub(super) fn is_plural(word: &str) -> bool {
    word.len() > 3 && word.ends_with('s') && !["ss", "us", "is"].iter().any(|end| word.ends_with(end))
}

/// Whether a name speaks of one thing or of many.
fn number_of(name: &str) -> u8 {
    let (mut number, mut settled) = (effect::ONE, false);
    words::each(name, |word| match word {
        "list" | "all" | "search" | "find" => (number, settled) = (effect::MANY, true),
        "id" => number = effect::ONE,
        "by" | "for" | "in" | "from" | "to" | "with" | "of" => settled = true,
        word if !settled && lexicon().effect(&stem(word)) == 0 => {
            number = if is_plural(word) { effect::MANY } else { effect::ONE };
        }
        _ => {}
    });
    number
}
