//! Words brought to their stems: Porter's algorithm of 1980, for lowercase ASCII.

use std::borrow::Cow;

/// The stem of a lowercase word. Words with other letters or with digits stay as they are, except for a plural's `s`.
pub(super) fn stem(word: &str) -> Cow<'_, str> {
    if word.len() < 3 {
        return Cow::Borrowed(word);
    }
    if !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        let plural = word.ends_with('s') && !word.ends_with("ss") && word.len() > 3;
        return Cow::Borrowed(if plural { &word[..word.len() - 1] } else { word });
    }
    let mut word = Stem(word.as_bytes().to_vec());
    word.plural();
    word.past();
    word.ending_y();
    word.replace(LONG);
    word.replace(LONGER);
    word.strip();
    word.ending_e();
    // Only ASCII came in, and only ASCII was put in.
    Cow::Owned(String::from_utf8(word.0).unwrap_or_default())
}

/// Endings that become others where a syllable stands before them (step 2).
const LONG: &[(&str, &str)] = &[
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("abli", "able"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
];

/// As [`LONG`], for what is left of them (step 3).
const LONGER: &[(&str, &str)] = &[
    ("icate", "ic"),
    ("ative", ""),
    ("alize", "al"),
    ("iciti", "ic"),
    ("ical", "ic"),
    ("ful", ""),
    ("ness", ""),
];

/// Endings that go where two syllables stand before them (step 4).
const GONE: &[&str] = &[
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism",
    "ate", "iti", "ous", "ive", "ize",
];

struct Stem(Vec<u8>);

impl Stem {
    fn ends(&self, end: &str) -> bool {
        self.0.ends_with(end.as_bytes())
    }

    fn cut(&mut self, letters: usize) {
        self.0.truncate(self.0.len().saturating_sub(letters));
    }

    fn is_consonant(&self, at: usize) -> bool {
        match self.0.get(at) {
            Some(b'a' | b'e' | b'i' | b'o' | b'u') | None => false,
            Some(b'y') => at == 0 || !self.is_consonant(at - 1),
            Some(_) => true,
        }
    }

    /// How many times vowels are followed by consonants before `end` letters of an ending.
    fn measure(&self, end: usize) -> usize {
        let length = self.0.len().saturating_sub(end);
        let steps = (1..length).filter(|at| self.is_consonant(*at) && !self.is_consonant(at - 1));
        steps.count()
    }

    fn has_vowel(&self, end: usize) -> bool {
        (0..self.0.len().saturating_sub(end)).any(|at| !self.is_consonant(at))
    }

    fn ends_double(&self) -> bool {
        let length = self.0.len();
        length > 1 && self.0[length - 1] == self.0[length - 2] && self.is_consonant(length - 1)
    }

    /// Consonant, vowel, consonant at the end, the last not w, x or y: `hop`.
    fn ends_short(&self) -> bool {
        let length = self.0.len();
        length > 2
            && self.is_consonant(length - 1)
            && !self.is_consonant(length - 2)
            && self.is_consonant(length - 3)
            && !matches!(self.0[length - 1], b'w' | b'x' | b'y')
    }

    fn plural(&mut self) {
        if self.ends("sses") || self.ends("ies") {
            self.cut(2);
        } else if self.ends("s") && !self.ends("ss") && !self.ends("us") {
            self.cut(1);
        }
    }

    fn past(&mut self) {
        if self.ends("eed") {
            if self.measure(3) > 0 {
                self.cut(1);
            }
            return;
        }
        let end = if self.ends("ed") && self.has_vowel(2) {
            2
        } else if self.ends("ing") && self.has_vowel(3) {
            3
        } else {
            return;
        };
        self.cut(end);
        if self.ends("at") || self.ends("bl") || self.ends("iz") {
            self.0.push(b'e');
        } else if self.ends_double() && !matches!(self.0.last(), Some(b'l' | b's' | b'z')) {
            self.cut(1);
        } else if self.measure(0) == 1 && self.ends_short() {
            self.0.push(b'e');
        }
    }

    fn ending_y(&mut self) {
        if self.ends("y") && self.has_vowel(1) {
            self.cut(1);
            self.0.push(b'i');
        }
    }

    fn replace(&mut self, endings: &[(&str, &str)]) {
        if let Some((end, other)) = endings.iter().find(|(end, _)| self.ends(end))
            && self.measure(end.len()) > 0
        {
            self.cut(end.len());
            self.0.extend_from_slice(other.as_bytes());
        }
    }

    fn strip(&mut self) {
        let longest = GONE.iter().filter(|end| self.ends(end)).max_by_key(|end| end.len());
        let Some(end) = longest else { return };
        if self.measure(end.len()) < 2 {
            return;
        }
        let before = self.0.len().checked_sub(end.len() + 1).and_then(|at| self.0.get(at));
        if *end != "ion" || matches!(before, Some(b's' | b't')) {
            self.cut(end.len());
        }
    }

    fn ending_e(&mut self) {
        if self.ends("e") {
            let measure = self.measure(1);
            let length = self.0.len();
            self.0.pop();
            if !(measure > 1 || (measure == 1 && !self.ends_short())) && length > 1 {
                self.0.push(b'e');
            }
        }
        if self.ends("ll") && self.measure(0) > 1 {
            self.cut(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::stem;

    #[test]
    fn forms_of_a_word_have_one_stem() {
        for forms in [
            &["message", "messages"][..],
            &["create", "creates", "created", "creating"],
            &["repository", "repositories"],
            &["deploy", "deploys", "deployed", "deploying"],
            &["translate", "translation", "translating"],
            &["issue", "issues"],
            &["status"],
        ] {
            let stems: Vec<_> = forms.iter().map(|form| stem(form)).collect();
            assert!(stems.windows(2).all(|pair| pair[0] == pair[1]), "{forms:?} became {stems:?}");
        }
    }

    #[test]
    fn words_that_differ_stay_apart() {
        for (one, other) in [("list", "listen"), ("user", "use"), ("card", "care"), ("status", "state")] {
            assert_ne!(stem(one), stem(other));
        }
    }

    #[test]
    fn short_words_numbers_and_other_letters_survive() {
        for (word, expected) in
            [("s3", "s3"), ("ec2", "ec2"), ("is", "is"), ("größe", "größe"), ("v2s", "v2s"), ("über", "über")]
        {
            assert_eq!(stem(word), expected);
        }
    }
}
