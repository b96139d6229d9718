//! Patterns that can be matched from left to right without a second try, which most are.
//!
//! A general matcher costs several times what decoding the whole argument does. For a sequence of
//! character classes, each with its count, the code that accepts is written out instead. What it does
//! not accept goes to the general matcher, so it need only be right when it says yes.

use std::iter::Peekable;
use std::str::Chars;

use proc_macro2::TokenStream;
use quote::quote;

/// `^` and some pieces, with or without `$`.
pub(crate) struct Simple {
    pieces: Vec<Piece>,
    to_the_end: bool,
}

/// Characters of one class, so and so many of them.
struct Piece {
    class: Class,
    min: usize,
    max: Option<usize>,
}

#[derive(Clone)]
struct Class {
    /// Inclusive.
    ranges: Vec<(char, char)>,
    negated: bool,
}

impl Simple {
    /// `None` where the pattern is not of this kind.
    pub(crate) fn parse(pattern: &str) -> Option<Self> {
        let mut chars = pattern.strip_prefix('^')?.chars().peekable();
        let (mut pieces, mut to_the_end) = (Vec::new(), false);
        while let Some(c) = chars.next() {
            let class = match c {
                '$' if chars.peek().is_none() => {
                    to_the_end = true;
                    break;
                }
                '[' => bracketed(&mut chars)?,
                '\\' => escaped(chars.next()?)?,
                '.' => Class { ranges: vec![('\n', '\n')], negated: true },
                '$' | '^' | '(' | ')' | '|' | '*' | '+' | '?' | '{' | '}' | ']' => return None,
                literal => Class { ranges: vec![(literal, literal)], negated: false },
            };
            let (min, max) = count(&mut chars)?;
            pieces.push(Piece { class, min, max });
        }
        let simple = Self { pieces, to_the_end };
        simple.is_decided_at_once().then_some(simple)
    }

    /// Taking as many as there are is right where nothing that may follow could take them as well.
    fn is_decided_at_once(&self) -> bool {
        self.pieces.iter().enumerate().all(|(index, piece)| {
            if piece.max == Some(piece.min) {
                return true;
            }
            for next in self.pieces.iter().skip(index + 1) {
                if !piece.class.is_disjoint(&next.class) {
                    return false;
                }
                if next.min > 0 {
                    break;
                }
            }
            true
        })
    }

    /// An expression of type `bool`, over an expression of type `&str`.
    pub(crate) fn accepts(&self, text: &TokenStream) -> TokenStream {
        // Bytes will do where no class holds anything but ASCII: a longer character is then in none.
        let ascii = self.pieces.iter().all(|piece| piece.class.is_ascii());
        let steps = self.pieces.iter().map(|piece| piece.step(ascii));
        let rest = if ascii { quote!(#text.as_bytes()) } else { quote!(#text) };
        let end = if self.to_the_end { quote!(__rest.is_empty()) } else { quote!(true) };
        quote! {
            'accepts: {
                let __rest = #rest;
                #(#steps)*
                #end
            }
        }
    }
}

impl Piece {
    /// Takes what the piece matches from `__rest`, or breaks out of `'accepts`.
    fn step(&self, ascii: bool) -> TokenStream {
        let Self { class, min, max } = self;
        if (*min, *max) == (1, Some(1)) {
            let pattern = class.pattern(ascii);
            return if ascii {
                quote! {
                    let ::core::option::Option::Some((#pattern, __rest)) = __rest.split_first() else {
                        break 'accepts false;
                    };
                }
            } else {
                let strip = class.test(ascii, &quote!(__c));
                quote! {
                    let ::core::option::Option::Some(__rest) = __rest.strip_prefix(|__c: char| #strip) else {
                        break 'accepts false;
                    };
                }
            };
        }
        let enough = (*min > 0).then(|| quote!(if __count < #min { break 'accepts false; }));
        if ascii {
            let test = class.test(ascii, &quote!(__b));
            let most = max.map(|max| quote!(.min(#max)));
            quote! {
                let __count = __rest.iter().position(|__b| !(#test)).unwrap_or(__rest.len()) #most;
                #enough
                let (_, __rest) = __rest.split_at(__count);
            }
        } else {
            let test = class.test(ascii, &quote!(__c));
            let most = max.unwrap_or(usize::MAX);
            quote! {
                let (mut __count, mut __after) = (0_usize, __rest.chars());
                let mut __left = __after.as_str();
                while __count < #most && __after.next().is_some_and(|__c| #test) {
                    __count += 1;
                    __left = __after.as_str();
                }
                #enough
                let __rest = __left;
            }
        }
    }
}

impl Class {
    /// A Rust pattern of the ranges, of bytes or of characters.
    fn pattern(&self, ascii: bool) -> TokenStream {
        let ranges = self.ranges.iter().map(|(low, high)| {
            if ascii {
                let bound =
                    |c: char| proc_macro2::Literal::byte_character(u8::try_from(c).unwrap_or(u8::MAX));
                let (low, high) = (bound(*low), bound(*high));
                quote!(#low..=#high)
            } else {
                quote!(#low..=#high)
            }
        });
        quote!(#(#ranges)|*)
    }

    fn test(&self, ascii: bool, value: &TokenStream) -> TokenStream {
        let pattern = self.pattern(ascii);
        let not = self.negated.then(|| quote!(!));
        quote!(#not ::core::matches!(#value, #pattern))
    }

    fn is_ascii(&self) -> bool {
        !self.negated && self.ranges.iter().all(|(_, high)| high.is_ascii())
    }

    /// Where it is not plain to see, the answer is no.
    fn is_disjoint(&self, other: &Self) -> bool {
        match (self.negated, other.negated) {
            (false, false) => self
                .ranges
                .iter()
                .all(|(low, high)| other.ranges.iter().all(|(from, to)| high < from || to < low)),
            (true, false) => other.is_within(self),
            (false, true) => self.is_within(other),
            (true, true) => false,
        }
    }

    /// Whether each range is inside one range of the other.
    fn is_within(&self, other: &Self) -> bool {
        self.ranges.iter().all(|(low, high)| other.ranges.iter().any(|(from, to)| from <= low && high <= to))
    }
}

/// `[a-z_]`, after the bracket; classes inside a class must not be negated.
fn bracketed(chars: &mut Peekable<Chars<'_>>) -> Option<Class> {
    let negated = chars.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        let low = match chars.next()? {
            ']' => break,
            '[' => return None,
            '\\' => {
                let class = escaped(chars.next()?)?;
                match *class.ranges.as_slice() {
                    [(low, high)] if low == high && !class.negated => low,
                    _ if class.negated || chars.peek() == Some(&'-') => return None,
                    _ => {
                        ranges.extend(class.ranges);
                        continue;
                    }
                }
            }
            literal => literal,
        };
        let mut ahead = chars.clone();
        let high = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(']')) => low,
            (Some('-'), Some('\\')) => {
                let class = escaped(ahead.next()?)?;
                let [(high, same)] = *class.ranges.as_slice() else { return None };
                if class.negated || high != same {
                    return None;
                }
                *chars = ahead;
                high
            }
            (Some('-'), Some('[' | '-')) => return None,
            (Some('-'), Some(high)) => {
                *chars = ahead;
                high
            }
            _ => low,
        };
        if high < low {
            return None;
        }
        ranges.push((low, high));
    }
    (!ranges.is_empty()).then_some(Class { ranges, negated })
}

/// What stands after a backslash.
fn escaped(c: char) -> Option<Class> {
    let digits = vec![('0', '9')];
    let words = vec![('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
    let spaces = vec![('\t', '\r'), (' ', ' ')];
    let (ranges, negated) = match c {
        'd' | 'D' => (digits, c == 'D'),
        'w' | 'W' => (words, c == 'W'),
        's' | 'S' => (spaces, c == 'S'),
        't' => (vec![('\t', '\t')], false),
        'n' => (vec![('\n', '\n')], false),
        'r' => (vec![('\r', '\r')], false),
        _ if c.is_ascii_punctuation() && c != '<' && c != '>' => (vec![(c, c)], false),
        _ => return None,
    };
    Some(Class { ranges, negated })
}

/// What stands after a class: how many.
fn count(chars: &mut Peekable<Chars<'_>>) -> Option<(usize, Option<usize>)> {
    let count = match chars.peek() {
        Some('?') => (0, Some(1)),
        Some('*') => (0, None),
        Some('+') => (1, None),
        Some('{') => {
            let text: String = chars.by_ref().skip(1).take_while(|c| *c != '}').collect();
            let count = match text.split_once(',') {
                None => text.parse().ok().map(|exact| (exact, Some(exact)))?,
                Some((min, "")) => (min.parse().ok()?, None),
                Some((min, max)) => (min.parse().ok()?, Some(max.parse().ok()?)),
            };
            // A lazy or doubled count is left to the general matcher.
            return (!matches!(chars.peek(), Some('?' | '*' | '+' | '{'))).then_some(count);
        }
        _ => return Some((1, Some(1))),
    };
    chars.next();
    (!matches!(chars.peek(), Some('?' | '*' | '+' | '{'))).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the generated code does, done here.
    fn accepts(simple: &Simple, text: &str) -> bool {
        let mut rest = text;
        for piece in &simple.pieces {
            let fits = |c: char| {
                piece.class.ranges.iter().any(|(low, high)| (*low..=*high).contains(&c))
                    != piece.class.negated
            };
            let run = rest.chars().take(piece.max.unwrap_or(usize::MAX)).take_while(|c| fits(*c)).count();
            if run < piece.min {
                return false;
            }
            rest = rest.char_indices().nth(run).map_or("", |(at, _)| &rest[at..]);
        }
        !simple.to_the_end || rest.is_empty()
    }

    const SIMPLE: &[&str] = &[
        "^[a-z]+$",
        "^[A-Za-z0-9-]+$",
        "^[a-c_-]{2,3}$",
        r"^\d{2}-\d$",
        "^a-[0-9]*$",
        "^a?-?0?$",
        r"^[\w.]+-[a-z]$",
        "^a",
        "^[a-z]{2}",
        "^$",
        "^",
        r"^[^a-c]+$",
        r"^[^\n-]*-$",
        "^.-.$",
        "^ä+0$",
        r"^\.\-\\$",
        r"^[\]\-a]+$",
        r"^[\--0]+$",
        "^a{0}-$",
        "^[a-z]{2,}$",
        r"^\s*a$",
        r"^\S+$",
        r"^\S+ a$",
    ];

    #[test]
    fn it_agrees_with_the_general_matcher() {
        let alphabet = ['a', 'c', 'z', 'A', '0', '9', '-', '_', '.', ']', '\\', '\n', ' ', 'ä', '語'];
        let mut texts = vec![String::new()];
        for length in 0..4 {
            let longest: Vec<String> =
                texts.iter().filter(|text| text.chars().count() == length).cloned().collect();
            texts.extend(longest.iter().flat_map(|text| alphabet.iter().map(move |c| format!("{text}{c}"))));
        }
        assert!(texts.len() > 50_000);
        for pattern in SIMPLE {
            let simple = Simple::parse(pattern).unwrap_or_else(|| panic!("{pattern} is simple"));
            let general = regex_lite::Regex::new(pattern).unwrap();
            for text in texts.iter().filter(|text| text.len() < 5 || !text.contains('語')) {
                assert_eq!(accepts(&simple, text), general.is_match(text), "{pattern} on {text:?}");
            }
        }
    }

    #[test]
    fn what_needs_a_second_try_is_not_simple() {
        for pattern in [
            "[a-z]+",
            "^[a-z]+a$",
            "^a*b*a$",
            "^(?:a|b)$",
            "^a|b$",
            "^a+?$",
            "^.*$x",
            "^.+a$",
            "^[^a]+[^b]$",
            r"^\bfoo$",
            r"^\x41$",
            "^[a-z&&[a]]$",
            r"^[\D]$",
            "^a$b",
        ] {
            assert!(Simple::parse(pattern).is_none(), "{pattern}");
        }
    }
}
