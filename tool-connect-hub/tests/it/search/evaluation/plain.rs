//! The plain search that ours is measured beside.

use std::collections::HashMap;

/// Plain BM25 over one text per tool: words are cut at what is no letter, digit or underscore, and counted.
pub(super) struct Plain {
    words: HashMap<String, Vec<(usize, f32)>>,
    lengths: Vec<f32>,
}

fn plain_words(text: &str) -> impl Iterator<Item = String> {
    let text = text.to_lowercase();
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    words.into_iter()
}

impl Plain {
    pub(super) fn new(texts: impl Iterator<Item = String>) -> Self {
        let mut plain = Self { words: HashMap::new(), lengths: Vec::new() };
        for (tool, text) in texts.enumerate() {
            let mut counts: HashMap<String, f32> = HashMap::new();
            plain_words(&text).for_each(|word| *counts.entry(word).or_default() += 1.0);
            plain.lengths.push(counts.values().sum());
            counts
                .into_iter()
                .for_each(|(word, count)| plain.words.entry(word).or_default().push((tool, count)));
        }
        plain
    }

    pub(super) fn search(&self, query: &str) -> Vec<usize> {
        let all = self.lengths.len() as f32;
        let usual = self.lengths.iter().sum::<f32>() / all;
        let mut scores = vec![0.0_f32; self.lengths.len()];
        for tools in plain_words(query).filter_map(|word| self.words.get(&word)) {
            let with = tools.len() as f32;
            let rarity = (1.0 + (all - with + 0.5) / (with + 0.5)).ln();
            for (tool, count) in tools {
                let length = 0.25 + 0.75 * self.lengths[*tool] / usual;
                scores[*tool] += rarity * count * 2.2 / (count + 1.2 * length);
            }
        }
        let mut found: Vec<_> = scores.into_iter().enumerate().filter(|(_, score)| *score > 0.0).collect();
        let order = |a: &(usize, f32), b: &(usize, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if found.len() > 10 {
            found.select_nth_unstable_by(9, order);
            found.truncate(10);
        }
        found.sort_by(order);
        found.into_iter().map(|(tool, _)| tool).collect()
    }
}
