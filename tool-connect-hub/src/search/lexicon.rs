//! What the search knows of language and of providers: `lexicon.toml`, read once.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::stem::stem;
use super::words;

type Map<V> = HashMap<String, V, foldhash::fast::RandomState>;

/// What a verb does to the world, as bits: a word, and a tool's name, may say several. And of how many things one speaks.
pub(super) mod effect {
    /// Nothing changes.
    pub(in crate::search) const READ: u8 = 1;
    /// Something comes to be, or is sent.
    pub(in crate::search) const CREATE: u8 = 2;
    /// Something changes.
    pub(in crate::search) const UPDATE: u8 = 4;
    /// Something goes.
    pub(in crate::search) const DELETE: u8 = 8;
    /// One thing is meant.
    pub(in crate::search) const ONE: u8 = 16;
    /// Several are.
    pub(in crate::search) const MANY: u8 = 32;
    /// It is not to be used any more.
    pub(in crate::search) const OLD: u8 = 64;
    /// The bits that say what is done.
    pub(in crate::search) const DONE: u8 = READ | CREATE | UPDATE | DELETE;
}

/// Longest phrase, in words.
const LONGEST_PHRASE: usize = 4;

/// The words of the search. All but phrases are stems.
pub(super) struct Lexicon {
    stop: HashSet<String, foldhash::fast::RandomState>,
    questions: HashSet<String, foldhash::fast::RandomState>,
    generic: HashSet<String, foldhash::fast::RandomState>,
    effects: Map<u8>,
    same: Map<Vec<String>>,
    phrases: Map<Vec<String>>,
    providers: Map<Vec<String>>,
    kinds: Map<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    stop: String,
    questions: String,
    generic: String,
    effects: Map<String>,
    same: Same,
    phrases: Map<String>,
    providers: Map<String>,
    kinds: Map<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Same {
    words: String,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    // The file is part of the program, and a test reads it.
    toml::from_str(include_str!("lexicon.toml")).map(Lexicon::new).unwrap_or_else(|_| Lexicon::empty())
});

/// The lexicon.
pub(super) fn lexicon() -> &'static Lexicon {
    &LEXICON
}

fn stems(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    words::each(text, |word| found.push(stem(word).into_owned()));
    found
}

fn plain(text: &str) -> String {
    let mut found: Vec<String> = Vec::new();
    words::each(text, |word| found.push(word.to_owned()));
    found.join(" ")
}

impl Lexicon {
    fn empty() -> Self {
        Self {
            stop: HashSet::default(),
            questions: HashSet::default(),
            generic: HashSet::default(),
            effects: Map::default(),
            same: Map::default(),
            phrases: Map::default(),
            providers: Map::default(),
            kinds: Map::default(),
        }
    }

    fn new(file: File) -> Self {
        let mut all = Self::empty();
        all.stop = file.stop.split_whitespace().map(str::to_owned).collect();
        all.questions = file.questions.split_whitespace().map(str::to_owned).collect();
        all.generic = stems(&file.generic).into_iter().collect();
        for (name, verbs) in &file.effects {
            let bit = match name.as_str() {
                "read" => effect::READ,
                "create" => effect::CREATE,
                "update" => effect::UPDATE,
                _ => effect::DELETE,
            };
            for verb in stems(verbs) {
                *all.effects.entry(verb).or_default() |= bit;
            }
        }
        for line in file.same.words.lines() {
            let line = stems(line);
            for word in &line {
                let others = all.same.entry(word.clone()).or_default();
                for other in &line {
                    if other != word && !others.contains(other) {
                        others.push(other.clone());
                    }
                }
            }
        }
        all.phrases = file.phrases.iter().map(|(from, to)| (plain(from), stems(to))).collect();
        for (words, providers) in &file.kinds {
            for word in stems(words) {
                all.kinds.entry(word).or_default().extend(stems(providers));
            }
        }
        all.providers = file.providers.iter().map(|(from, to)| (plain(from), stems(to))).collect();
        all
    }

    /// Whether the plain word carries no meaning.
    pub(super) fn is_stop(&self, word: &str) -> bool {
        self.stop.contains(word)
    }

    /// Whether a question that begins with the plain word asks to read.
    pub(super) fn asks(&self, word: &str) -> bool {
        self.questions.contains(word)
    }

    /// Whether the verb of this stem says little beside what it does.
    pub(super) fn is_generic(&self, stem: &str) -> bool {
        self.generic.contains(stem)
    }

    /// What the verb of this stem does; 0 where it is none.
    pub(super) fn effect(&self, stem: &str) -> u8 {
        self.effects.get(stem).copied().unwrap_or(0)
    }

    /// Stems that mean the same.
    pub(super) fn same(&self, stem: &str) -> &[String] {
        self.same.get(stem).map_or(&[], Vec::as_slice)
    }

    /// The longest phrase that plain words begin with: how many of them it takes, and what it stands for.
    pub(super) fn phrase(&self, words: &[String]) -> Option<(usize, &[String])> {
        longest(&self.phrases, words)
    }

    /// Providers that people have in mind who say the stem and name none.
    pub(super) fn kinds(&self, stem: &str) -> &[String] {
        self.kinds.get(stem).map_or(&[], Vec::as_slice)
    }

    /// As [`phrase`](Self::phrase), for names that people give to providers.
    pub(super) fn provider(&self, words: &[String]) -> Option<(usize, &[String])> {
        longest(&self.providers, words)
    }
}

fn longest<'a>(map: &'a Map<Vec<String>>, words: &[String]) -> Option<(usize, &'a [String])> {
    (1..=LONGEST_PHRASE.min(words.len())).rev().find_map(|length| {
        let found = match words.get(..length)? {
            [word] => map.get(word.as_str()),
            several => map.get(&several.join(" ")),
        };
        found.map(|stems| (length, stems.as_slice()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_whole() {
        let lexicon = lexicon();
        assert!(lexicon.is_stop("the") && !lexicon.is_stop("message"));
        assert!(lexicon.asks("who") && !lexicon.asks("how"));
        assert_eq!(lexicon.effect("list") & effect::READ, effect::READ);
        assert_eq!(lexicon.effect(&stem("erase")), effect::DELETE);
        assert_eq!(lexicon.effect("tabl"), 0);
        assert!(lexicon.same("repo").contains(&stem("repository").into_owned()));
    }

    #[test]
    fn the_longest_phrase_counts() {
        let words: Vec<String> = ["out", "of", "office", "reply"].map(str::to_owned).into();
        let (taken, stems) = lexicon().phrase(&words).unwrap();
        assert_eq!((taken, stems), (3, &[stem("vacation").into_owned()][..]));
        assert!(lexicon().phrase(&words[1..]).is_none());
    }
}
