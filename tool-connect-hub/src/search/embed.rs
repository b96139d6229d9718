//! Search by meaning, where a host has a model that turns texts into vectors: ranked beside the search by words.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use tool_connect_core::{Error, ErrorKind, Result};

use super::catalog::Joined;
use super::rank::{Found, order};
use crate::hub::HubInner;
use crate::registry::Snapshot;

/// Turns texts into vectors: a small model of the host's, or a service. The Hub has none.
///
/// With one, [`Session::search`](crate::Session::search) ranks by words and by meaning, and joins the two by reciprocal rank. Each tool is
/// embedded once, in a task of the Hub's, after its instance was registered and first searched; until then, and where embedding
/// fails, words alone count.
///
/// ```
/// use async_trait::async_trait;
/// use tool_connect_core::Result;
/// use tool_connect_hub::{Embedder, Hub};
///
/// struct Letters;
///
/// #[async_trait]
/// impl Embedder for Letters {
///     async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>> {
///         let count = |text: &String, letter| text.matches(letter).count() as f32;
///         Ok(texts.iter().map(|text| ('a'..='z').map(|letter| count(text, letter)).collect()).collect())
///     }
/// }
///
/// let hub = Hub::builder().embedder(Letters).build()?;
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[async_trait]
pub trait Embedder: Send + Sync + 'static {
    /// A vector for each text, in their order, all of one length. Their direction counts, not their length.
    ///
    /// # Errors
    /// Any; the search then goes by words alone.
    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>>;
}

/// So many texts are embedded at once.
const BATCH: usize = 64;
/// So much of a description is embedded, in characters.
const DESCRIPTION: usize = 600;
/// How slowly a rank loses weight: the constant of reciprocal rank fusion.
const RANKS: f32 = 20.0;
/// So many of the nearest are joined with those that words found.
const NEAREST: usize = 100;

/// Vectors of an instance's tools, each of length 1.
pub(super) struct Vectors {
    dimension: usize,
    data: Box<[f32]>,
}

impl Vectors {
    fn new(vectors: Vec<Vec<f32>>, tools: usize) -> Result<Self> {
        let wrong = |what: String| Error::new(ErrorKind::InvalidOutput, what);
        if vectors.len() != tools {
            return Err(wrong(format!("the embedder gave {} vectors for {tools} texts", vectors.len())));
        }
        let dimension = vectors.first().map_or(0, Vec::len);
        let mut data = Vec::with_capacity(dimension * tools);
        for vector in vectors {
            if vector.len() != dimension || dimension == 0 {
                return Err(wrong(
                    "the embedder gave vectors of different lengths, or empty ones".to_owned(),
                ));
            }
            data.extend(unit(vector));
        }
        Ok(Self { dimension, data: data.into() })
    }
}

/// The vector of length 1 that points the same way; one that points nowhere stays.
fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length.is_normal() {
        vector.iter_mut().for_each(|x| *x /= length);
    }
    vector
}

/// The query's vector; `None` without an embedder, or where it fails.
pub(super) async fn of_query(hub: &HubInner, query: &str) -> Option<Vec<f32>> {
    let embedder = hub.embedder.as_ref()?;
    match embedder.embed(vec![query.to_owned()]).await {
        Ok(vectors) => vectors.into_iter().next().map(unit),
        Err(error) => {
            tracing::warn!(target: "tool_connect", %error, "the query was not embedded; words alone count");
            None
        }
    }
}

/// Embeds the tools of instances that are not embedded yet. Each instance is embedded by one at a time; what somebody else does is
/// not waited for.
pub(super) async fn instances(hub: &HubInner, snapshot: &Snapshot, joined: &Joined) -> Result<()> {
    let Some(embedder) = &hub.embedder else { return Ok(()) };
    for (place, (instance, first)) in joined.instances.iter().enumerate() {
        let own = &instance.search;
        if own.vectors.get().is_some() || own.embedding.swap(true, Ordering::AcqRel) {
            continue;
        }
        // Whatever ends this, the next may try.
        let _release = Release(&own.embedding);
        let next = joined.instances.get(place + 1).map_or(snapshot.entries().len(), |(_, first)| *first);
        let tools = snapshot.entries().get(*first..next).unwrap_or_default();
        let provider = &instance.manifest().name;
        let texts: Vec<String> = tools
            .iter()
            .map(|tool| {
                let definition = tool.tool.definition();
                let description: String = definition.description.chars().take(DESCRIPTION).collect();
                format!("{provider}: {}. {description}", definition.title)
            })
            .collect();
        let mut vectors = Vec::with_capacity(texts.len());
        for batch in texts.chunks(BATCH) {
            vectors.extend(embedder.embed(batch.to_vec()).await?);
        }
        let _ = own.vectors.set(Arc::new(Vectors::new(vectors, tools.len())?));
    }
    Ok(())
}

struct Release<'a>(&'a std::sync::atomic::AtomicBool);

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// The tools nearest to the query, the nearest first. `counts`: how much each segment counts, 0 leaves it out.
pub(super) fn nearest(
    views: &[(&Joined, Vec<f32>)],
    query: &[f32],
    mut keep: impl FnMut(&Found) -> bool,
) -> Vec<Found> {
    let mut all = Vec::new();
    for (view, (joined, counts)) in views.iter().enumerate() {
        for (segment, ((instance, _), counts)) in joined.instances.iter().zip(counts).enumerate() {
            let Some(vectors) = instance.search.vectors.get() else { continue };
            if *counts == 0.0 || vectors.dimension != query.len() {
                continue;
            }
            for (tool, vector) in vectors.data.chunks_exact(vectors.dimension).enumerate() {
                let near: f32 = vector.iter().zip(query).map(|(a, b)| a * b).sum();
                all.push(Found { view, segment, tool, score: near * counts });
            }
        }
    }
    all.sort_unstable_by(order);
    all.into_iter().filter(|found| found.score > 0.0 && keep(found)).take(NEAREST).collect()
}

/// Joins two rankings: what stands high in both comes first.
pub(super) fn join(words: Vec<Found>, meaning: Vec<Found>) -> Vec<Found> {
    let mut joined: HashMap<(usize, usize, usize), Found> = HashMap::new();
    for ranking in [words, meaning] {
        for (rank, found) in ranking.into_iter().enumerate() {
            let place = joined
                .entry((found.view, found.segment, found.tool))
                .or_insert(Found { score: 0.0, ..found });
            place.score += 1.0 / (RANKS + rank as f32);
        }
    }
    let mut joined: Vec<Found> = joined.into_values().collect();
    joined.sort_unstable_by(order);
    joined
}
