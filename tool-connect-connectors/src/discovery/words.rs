//! Descriptions within a budget.

/// A description of at most so many bytes: whole sentences where some fit, else words.
pub(super) fn cut(text: &str, budget: usize) -> String {
    let mut words = text.split_whitespace();
    let mut text = words.next().unwrap_or_default().to_owned();
    // What is beyond the budget is not read.
    while text.len() <= budget {
        let Some(word) = words.next() else { return text };
        text.push(' ');
        text.push_str(word);
    }
    let end = (0..=budget).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let head = text.get(..end).unwrap_or_default();
    if let Some(at) = head.rfind(". ").filter(|at| at * 3 > budget) {
        return head.get(..=at).unwrap_or(head).to_owned();
    }
    let room = head.len().saturating_sub(4);
    let head =
        head.get(..(0..=room).rev().find(|at| head.is_char_boundary(*at)).unwrap_or(0)).unwrap_or_default();
    let head = head.rsplit_once(' ').map_or(head, |(head, _)| head);
    format!("{} …", head.trim_end_matches([',', ';', ':']))
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn descriptions_end_with_a_sentence_or_a_word() {
        assert_eq!(cut("A  b.\nC", 100), "A b. C");
        assert_eq!(cut("Lists the files. Then much more is said.", 30), "Lists the files.");
        assert_eq!(cut("one two three four", 14), "one two …");
        for budget in 0..40 {
            assert!(
                cut("Größe über äöü, und so weiter und so fort", budget).len() <= budget.max(4),
                "{budget}"
            );
        }
    }
}
