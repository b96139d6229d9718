//! Search by meaning beside the search by words, with an embedder that knows three meanings.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use tool_connect_core::{Error, ErrorKind, Result};
use tool_connect_hub::Embedder;

use super::house::{asked, builder};
use crate::calls::support::{Kit, acme};

/// Texts that speak of the same are near each other, whatever words they use.
#[derive(Clone, Default)]
struct Meanings {
    texts: Arc<AtomicUsize>,
    broken: Arc<AtomicBool>,
}

#[async_trait]
impl Embedder for Meanings {
    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Transport, "the model is away"));
        }
        self.texts.fetch_add(texts.len(), Ordering::SeqCst);
        let meanings: [&[&str]; 3] =
            [&["money back", "reimburse", "restitution"], &["branch", "sapling"], &["room"]];
        let of = |text: &String| -> Vec<f32> {
            let text = text.to_lowercase();
            meanings
                .iter()
                .map(|words| words.iter().filter(|word| text.contains(**word)).count() as f32)
                .collect()
        };
        Ok(texts.iter().map(of).collect())
    }
}

#[tokio::test]
async fn meaning_finds_what_words_do_not() {
    let meanings = Meanings::default();
    let hub = builder().embedder(meanings.clone()).build().unwrap();
    hub.prepare_search(&acme()).await.unwrap();
    assert_eq!(asked(&hub, "restitution").await.first().map(String::as_str), Some("purse.create_refund"));
    // Words count beside it.
    assert_eq!(asked(&hub, "delete a sapling branch").await[0], "forge.delete_branch");

    // What is embedded stays so: only the queries, and what is new, are embedded.
    let before = meanings.texts.load(Ordering::SeqCst);
    hub.prepare_search(&acme()).await.unwrap();
    asked(&hub, "restitution").await;
    assert_eq!(meanings.texts.load(Ordering::SeqCst), before + 1);
    let _ = hub.add(Kit::new("extra").dynamic(super::house::tool("ping", "Answers.", ""))).unwrap();
    hub.prepare_search(&acme()).await.unwrap();
    assert_eq!(meanings.texts.load(Ordering::SeqCst), before + 2);
}

#[tokio::test]
async fn an_embedder_that_fails_leaves_the_search_by_words() {
    let meanings = Meanings::default();
    meanings.broken.store(true, Ordering::SeqCst);
    let hub = builder().embedder(meanings.clone()).build().unwrap();
    assert_eq!(asked(&hub, "create a refund").await[0], "purse.create_refund");
    assert!(hub.prepare_search(&acme()).await.is_err());
    // It is asked again once it works.
    meanings.broken.store(false, Ordering::SeqCst);
    hub.prepare_search(&acme()).await.unwrap();
    assert_eq!(asked(&hub, "restitution").await[0], "purse.create_refund");
}

/// Gives what does not fit.
struct Wrong;

#[async_trait]
impl Embedder for Wrong {
    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>> {
        Ok((0..texts.len()).map(|n| vec![1.0; n % 3]).collect())
    }
}

#[tokio::test]
async fn vectors_that_do_not_fit_are_an_error_and_not_used() {
    let hub = builder().embedder(Wrong).build().unwrap();
    let error = hub.prepare_search(&acme()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOutput);
    assert_eq!(asked(&hub, "create a refund").await[0], "purse.create_refund");
}
