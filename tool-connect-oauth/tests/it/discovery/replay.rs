//! The fuzz targets' functions over their committed corpus, and over that corpus damaged in simple ways.

use std::path::Path;

// Public in the crate of the fuzz targets.
#[allow(unreachable_pub)]
#[path = "../../../../fuzz/src/targets.rs"]
mod targets;

/// Every input, whole, cut, and with single bytes changed: small steps into what a fuzzer would find first.
#[test]
fn replay_of_the_fuzz_corpus_breaks_no_promise() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for (name, target) in targets::TARGETS {
        let mut inputs: Vec<_> =
            std::fs::read_dir(corpus.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        inputs.sort();
        assert!(inputs.len() >= 8, "{name} has a corpus");
        for input in inputs {
            let bytes = std::fs::read(&input).unwrap();
            target(&bytes);
            // Large ones are there for their size.
            if bytes.len() > 1024 {
                continue;
            }
            let step = bytes.len() / 40 + 1;
            for at in (0..bytes.len()).step_by(step) {
                target(&bytes[..at]);
                let mut changed = bytes.clone();
                changed[at] ^= 1 << (at % 8);
                target(&changed);
            }
        }
    }
}
