//! Text cut into words: at whatever is no letter or digit, and where case changes.

/// A word longer than this is cut off: it is data, not language.
const LONGEST: usize = 40;

/// Hands each word of the text over, in lowercase: `createPullRequest_v2` has four.
pub(super) fn each(text: &str, mut take: impl FnMut(&str)) {
    let mut word = String::with_capacity(LONGEST);
    let mut before = None;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        // Of `don't` and `Bob's` the part before counts.
        if matches!(letter, '\'' | '\u{2019}') {
            let mut rest = String::new();
            while let Some(next) = letters.next_if(|next| next.is_alphanumeric()) {
                rest.push(next);
            }
            // An O'Brien is one word all the same.
            if rest.len() > 2 {
                word.push_str(&rest.to_lowercase());
            }
            before = None;
            continue;
        }
        if !letter.is_alphanumeric() {
            end(&mut word, &mut take);
            before = None;
            continue;
        }
        let turns = match before {
            Some(last) => turns(last, letter, letters.peek().copied()),
            None => false,
        };
        if turns {
            end(&mut word, &mut take);
        }
        if word.len() < LONGEST {
            word.extend(letter.to_lowercase());
        }
        before = Some(letter);
    }
    end(&mut word, &mut take);
}

/// Whether a word begins at `letter`: `pullRequest` at R, `HTTPServer` at S.
fn turns(last: char, letter: char, next: Option<char>) -> bool {
    if !letter.is_uppercase() {
        return false;
    }
    last.is_lowercase() || last.is_numeric() || (last.is_uppercase() && next.is_some_and(char::is_lowercase))
}

fn end(word: &mut String, take: &mut impl FnMut(&str)) {
    if !word.is_empty() {
        take(word);
        word.clear();
    }
}

#[cfg(test)]
mod tests {
    fn of(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        super::each(text, |word| words.push(word.to_owned()));
        words
    }

    #[test]
    fn names_are_cut_at_case_and_underscore() {
        assert_eq!(of("pulls_createReview"), ["pulls", "create", "review"]);
        assert_eq!(of("GetHTTPServer-v2"), ["get", "http", "server", "v2"]);
        assert_eq!(of("listS3Buckets"), ["list", "s3", "buckets"]);
        assert_eq!(of("/repos/{owner}"), ["repos", "owner"]);
    }

    #[test]
    fn questions_are_cut_as_people_write_them() {
        assert_eq!(of("What's on Bob's calendar?"), ["what", "on", "bob", "calendar"]);
        assert_eq!(of("don't e-mail #general"), ["don", "e", "mail", "general"]);
        assert_eq!(of("größere Änderung"), ["größere", "änderung"]);
        assert_eq!(of(""), Vec::<String>::new());
        assert_eq!(of(&"x".repeat(500))[0].len(), 40);
    }
}
