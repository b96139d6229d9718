//! A service's own words within an error of ours.

/// So many characters of a service's message are passed on.
const MOST: usize = 300;

/// What a service says of an error, fit for a sentence of ours: one line, bounded, nothing but text. It may hold what the
/// caller sent and what others wrote, so it is to be quoted as the service's word: `GitHub says: ..`.
pub(crate) fn advice(message: &str) -> String {
    let mut line = String::new();
    for word in message.split_whitespace() {
        let word: String = word.chars().filter(|c| !c.is_control()).collect();
        if !line.is_empty() && !word.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}..", line[..end].trim_end()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_short_line() {
        assert_eq!(advice("  Validation\r\n\tFailed\u{7}\u{0}! "), "Validation Failed!");
        assert_eq!(advice("\u{1} a"), "a");
        assert_eq!(advice(""), "");
        let long = advice(&"ä".repeat(1000));
        assert_eq!(long.chars().count(), MOST + 2);
        assert!(long.ends_with("ä.."));
        assert_eq!(advice(&"x".repeat(MOST)), "x".repeat(MOST));
    }
}
