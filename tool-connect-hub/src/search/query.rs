//! What somebody asks, taken apart: what is meant, by which words it may be said, what shall be done, and at which provider.

use super::lexicon::{effect, lexicon};
use super::segment::is_plural;
use super::stem::stem;
use super::words;

/// Words beyond these are not looked at.
const MOST_WORDS: usize = 32;

/// How well a word of the same meaning says it.
const SAME: f32 = 0.62;
/// How well two words in one, or one in two, say it.
const COMPOUND: f32 = 0.9;
/// How well a word that is written wrongly says it, at best.
const MISSPELT: f32 = 0.8;
/// How much a verb counts that so many tools have that it says little; what it does is looked at separately.
const GENERIC: f32 = 0.5;
/// How much the verb counts that says what shall be done.
const VERB: f32 = 0.85;
/// What a verb loses that only says again what was said.
const AGAIN: f32 = 0.6;
/// How much of a noun's weight the next has: what comes first is what it is about.
const LATER: f32 = 0.92;
/// What a word loses that names a provider: that counts separately.
const NAMES: f32 = 0.5;

/// Something that is meant, and the words that may stand for it.
pub(super) struct Concept {
    /// How much it counts beside the others.
    pub(super) weight: f32,
    /// Stems, and how well each says it; the best first.
    pub(super) stems: Vec<(String, f32)>,
    verb: bool,
}

/// A query, taken apart.
#[derive(Default)]
pub(super) struct Query {
    pub(super) concepts: Vec<Concept>,
    /// What shall be done, and whether to one thing or to many, as bits of [`effect`]; 0 where nothing says so.
    pub(super) effect: u8,
    /// Stems that may name a provider.
    pub(super) providers: Vec<String>,
    /// Stems of providers that one has in mind who says such things.
    pub(super) kinds: Vec<String>,
}

/// What a query needs to know of the words of the index.
pub(super) trait Vocabulary {
    /// Whether a tool has the stem, or a provider.
    fn knows(&self, stem: &str) -> bool;
    /// Whether few providers have the stem in their names.
    fn names(&self, stem: &str) -> bool;
    /// Stems like one that nothing has, and how alike they are, from 0 to 1.
    fn like(&self, stem: &str) -> Vec<(String, f32)>;
}

impl Query {
    /// Takes a text apart.
    pub(super) fn new(text: &str, vocabulary: &impl Vocabulary) -> Self {
        let lexicon = lexicon();
        let mut plain: Vec<String> = Vec::new();
        words::each(text, |word| {
            if plain.len() < MOST_WORDS {
                plain.push(word.to_owned());
            }
        });
        let mut query = Self::default();
        let how_many = |two: &[String]| matches!(two, [how, many] if how == "how" && matches!(many.as_str(), "many" | "much"));
        let asks = plain.first().is_some_and(|word| lexicon.asks(word)) || plain.windows(2).any(how_many);
        let mut at = 0;
        while let Some([word, ..]) = plain.get(at..) {
            let rest = plain.get(at..).unwrap_or_default();
            let named = lexicon.provider(rest);
            if let Some((_, providers)) = named {
                query.providers.extend(providers.iter().cloned());
            }
            if let Some((taken, meant)) = lexicon.phrase(rest) {
                for stem in meant {
                    query.add(stem.clone(), asks, true, vocabulary);
                }
                at += taken;
                continue;
            }
            at += 1;
            if lexicon.is_stop(word) {
                continue;
            }
            let own = stem(word).into_owned();
            query.providers.push(own.clone());
            query.add(own, asks, named.is_some(), vocabulary);
            // `data set` where tools say `dataset`.
            let both = rest.get(1).map(|next| stem(&format!("{word}{next}")).into_owned());
            if let (Some(both), Some(concept)) =
                (both.filter(|both| vocabulary.knows(both)), query.concepts.last_mut())
            {
                query.providers.push(both.clone());
                concept.stems.push((both, COMPOUND));
            }
        }
        if asks {
            query.effect = effect::READ;
        }
        query.effect |= number(&plain);
        for concept in &mut query.concepts {
            concept.stems.sort_by(|a, b| b.1.total_cmp(&a.1));
        }
        query
    }

    /// Adds what a stem means. `certain`: it is written as it should be.
    fn add(&mut self, stem: String, asks: bool, certain: bool, vocabulary: &impl Vocabulary) {
        if self.concepts.iter().any(|known| known.stems.first().is_some_and(|(first, _)| *first == stem)) {
            return;
        }
        let lexicon = lexicon();
        self.kinds.extend(lexicon.kinds(&stem).iter().cloned());
        let does = lexicon.effect(&stem);
        // The first verb says what shall be done; one that comes later is as likely a noun.
        let verb = does != 0 && self.effect == 0 && !asks && self.concepts.len() < 2;
        if verb {
            self.effect = does;
        }
        let mut stems = vec![(stem.clone(), 1.0)];
        stems.extend(lexicon.same(&stem).iter().map(|same| (same.clone(), SAME)));
        if !vocabulary.knows(&stem) {
            if let Some((one, other)) = halves(&stem, vocabulary) {
                stems.extend([one, other].map(|half| (half.to_owned(), COMPOUND)));
            } else if does == 0 && !certain && !stems.iter().any(|(known, _)| vocabulary.knows(known)) {
                stems.extend(vocabulary.like(&stem).into_iter().map(|(like, how)| (like, how * MISSPELT)));
            }
        }
        let mut weight = if lexicon.is_generic(&stem) {
            GENERIC
        } else if verb {
            VERB
        } else {
            let before = self.concepts.iter().filter(|concept| !concept.verb).count();
            LATER.powi(i32::try_from(before.min(4)).unwrap_or(4))
        };
        if !verb && self.effect & does != 0 && self.concepts.iter().any(|concept| concept.verb) {
            weight *= AGAIN;
        }
        if vocabulary.names(&stem) {
            weight *= NAMES;
        }
        self.concepts.push(Concept { weight, stems, verb });
    }
}

/// Whether a query is about one thing or several, as its first noun and what stands before it say.
fn number(plain: &[String]) -> u8 {
    let lexicon = lexicon();
    let of = |word: &String| match word.as_str() {
        "a" | "an" | "single" | "specific" | "specified" | "particular" | "one" | "this" | "that" | "id" => {
            Some(effect::ONE)
        }
        "list" | "all" | "many" | "multiple" | "these" | "every" => Some(effect::MANY),
        word if lexicon.is_stop(word) || lexicon.effect(&stem(word)) != 0 => None,
        word => Some(if is_plural(word) { effect::MANY } else { effect::ONE }),
    };
    plain.iter().find_map(of).unwrap_or(0)
}

/// Two known words that one word is made of.
fn halves<'a>(stem: &'a str, vocabulary: &impl Vocabulary) -> Option<(&'a str, &'a str)> {
    (3..stem.len().saturating_sub(2)).find_map(|at| {
        let (one, other) = stem.split_at_checked(at)?;
        (vocabulary.knows(one) && vocabulary.knows(other)).then_some((one, other))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Known(&'static [&'static str]);

    impl Vocabulary for Known {
        fn knows(&self, stem: &str) -> bool {
            self.0.contains(&stem)
        }

        fn names(&self, _: &str) -> bool {
            false
        }

        fn like(&self, _: &str) -> Vec<(String, f32)> {
            vec![("channel".to_owned(), 0.9)]
        }
    }

    const KNOWN: Known = Known(&["messag", "dataset", "data", "set", "check", "channel", "issu", "delet"]);

    fn stems(text: &str) -> Vec<String> {
        let query = Query::new(text, &KNOWN);
        query.concepts.iter().flat_map(|concept| concept.stems.iter().map(|(stem, _)| stem.clone())).collect()
    }

    #[test]
    fn what_shall_be_done_is_said_by_the_first_verb_or_by_asking() {
        for (text, wanted) in [
            ("delete a message", effect::DELETE | effect::ONE),
            ("how do I delete channels", effect::DELETE | effect::MANY),
            ("can you please create an issue", effect::CREATE | effect::ONE),
            ("who deleted this message?", effect::READ | effect::ONE),
            ("how many issues are there", effect::READ | effect::MANY),
            ("channel", effect::ONE),
        ] {
            assert_eq!(Query::new(text, &KNOWN).effect, wanted, "{text}");
        }
    }

    #[test]
    fn words_are_found_in_one_in_two_and_misspelt() {
        assert!(stems("data set").contains(&"dataset".to_owned()));
        let halves = stems("messagchannel");
        assert!(halves.contains(&"messag".to_owned()) && halves.contains(&"channel".to_owned()));
        assert!(stems("chanel").contains(&"channel".to_owned()));
        // What the lexicon knows is no slip of the pen.
        assert!(!stems("destroy").contains(&"channel".to_owned()));
    }

    #[test]
    fn what_means_the_same_counts_less_than_the_word_itself() {
        let query = Query::new("repo", &KNOWN);
        let stems = &query.concepts[0].stems;
        assert_eq!(stems[0], ("repo".to_owned(), 1.0));
        assert!(stems[1..].iter().all(|(_, how)| *how < 1.0) && stems.len() > 1);
    }

    #[test]
    fn a_text_without_meaning_has_no_concepts() {
        for text in ["", "   ", "the of and", "?!", "\u{0}\u{1}"] {
            assert!(Query::new(text, &KNOWN).concepts.is_empty(), "{text:?}");
        }
        assert!(Query::new(&"word ".repeat(10_000), &KNOWN).concepts.len() <= MOST_WORDS);
    }
}
