//! Results in the size and shape that their caller asked for.
//! `fields` and `jq` take a part, `cut` brings it into a budget and marks what is missing, `read` reads on
//! from such a mark; `raw` walks the text that all of them work on.

mod cut;
mod fields;
#[cfg(feature = "jq")]
mod jq;
mod raw;
mod read;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use serde::Deserialize;
use tool_connect_core::{Budget, Error, ErrorKind, Projection, Result, Shape};

pub use self::cut::{Cut, CutUnit};
pub use self::read::ResultPart;
pub(crate) use self::read::read;

/// How results are shaped where neither call nor session says so.
///
/// ```
/// use tool_connect_core::Budget;
/// let settings = tool_connect_hub::HubSettings::from_toml("shape.budget = { tokens = 8000 }")?;
/// assert_eq!(settings.shape.budget, Some(Budget::Tokens(8_000)));
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ShapeSettings {
    /// The budget of calls by name; none by default.
    pub budget: Option<Budget>,
}

/// Counts the tokens that a text is for a model, for [`Budget::Tokens`]. A closure is one. It must not block, and is asked for
/// texts of about the budget's size. One that panics is not asked again for the same result, whose tokens are then estimated: the
/// tool has run, and what it gave is not lost.
///
/// ```
/// let hub = tool_connect_hub::Hub::builder().tokenizer(|text: &str| text.split(' ').count()).build()?;
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
pub trait Tokenizer: Send + Sync + 'static {
    /// How many tokens the text is.
    fn count(&self, text: &str) -> usize;
}

impl<F: Fn(&str) -> usize + Send + Sync + 'static> Tokenizer for F {
    fn count(&self, text: &str) -> usize {
        self(text)
    }
}

/// A larger text is worked on where a thread may be kept busy.
const AT_ONCE: usize = 1 << 20;
/// No text has more bytes for each of its tokens, as far as a budget is concerned.
const MOST_BYTES_PER_TOKEN: usize = 16;

/// A budget, and who counts.
#[derive(Clone)]
pub(crate) struct Measure {
    budget: Budget,
    tokenizer: Option<Arc<Asked>>,
}

/// The host's tokenizer, as far as one result is concerned.
struct Asked {
    tokenizer: Arc<dyn Tokenizer>,
    /// It panicked.
    failed: AtomicBool,
}

impl Asked {
    /// How many tokens a text is; estimated once the tokenizer has panicked.
    fn count(&self, text: &str) -> usize {
        if self.failed.load(Ordering::Relaxed) {
            return Budget::estimate(text);
        }
        match catch_unwind(AssertUnwindSafe(|| self.tokenizer.count(text))) {
            Ok(count) => count,
            Err(panic) => {
                drop(panic); // Its text may hold the result.
                self.failed.store(true, Ordering::Relaxed);
                tracing::warn!(
                    target: "tool_connect",
                    "the host's tokenizer panicked, which is a defect in it; the tokens of this result are estimated"
                );
                Budget::estimate(text)
            }
        }
    }
}

impl Measure {
    pub(crate) fn new(budget: Budget, tokenizer: Option<Arc<dyn Tokenizer>>) -> Self {
        let asked = |tokenizer| Arc::new(Asked { tokenizer, failed: AtomicBool::new(false) });
        Self { budget, tokenizer: tokenizer.map(asked) }
    }

    /// The tokens to count and who counts them, where it is not bytes that decide.
    fn counted(&self) -> Option<(usize, &Asked)> {
        match (self.budget, &self.tokenizer) {
            (Budget::Tokens(most), Some(tokenizer)) => Some((most, tokenizer)),
            _ => None,
        }
    }

    fn fits(&self, text: &str) -> bool {
        match self.counted() {
            Some((most, tokenizer)) => {
                text.len() <= most.saturating_mul(MOST_BYTES_PER_TOKEN) && tokenizer.count(text) <= most
            }
            None => text.len() <= self.budget.in_bytes(),
        }
    }

    /// Takes off what a text needs.
    pub(crate) fn spend(&mut self, text: &[u8]) {
        self.budget = match self.budget {
            Budget::Bytes(most) => Budget::Bytes(most.saturating_sub(text.len())),
            Budget::Tokens(most) => {
                let text = String::from_utf8_lossy(text);
                let count =
                    self.tokenizer.as_ref().map_or_else(|| Budget::estimate(&text), |t| t.count(&text));
                Budget::Tokens(most.saturating_sub(count))
            }
        };
    }

    /// The first room, in bytes, to try.
    fn room(&self) -> usize {
        match self.counted() {
            // Plain text; what is denser than that is tried again.
            Some((most, _)) => most.saturating_mul(4),
            None => self.budget.in_bytes(),
        }
    }

    /// Makes what fits; `None` where nothing does.
    fn fitting<T>(&self, make: impl Fn(usize) -> T, text: impl Fn(&T) -> &str) -> Option<T> {
        let mut room = self.room();
        while room >= cut::LEAST {
            let made = make(room);
            let Some((most, tokenizer)) = self.counted() else { return Some(made) };
            let count = tokenizer.count(text(&made));
            if count <= most {
                return Some(made);
            }
            // Smaller by as much as it is too large, and always by a tenth.
            room = (room / count).saturating_mul(most).min(room / 10 * 9);
        }
        None
    }
}

/// A projection that was read and found good.
pub(crate) struct Prepared(Form);

enum Form {
    Fields(Arc<fields::Fields>),
    #[cfg(feature = "jq")]
    Jq(jq::Filter),
}

impl Prepared {
    /// Reads a projection.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArguments`] that names the place;
    /// [`ErrorKind::Unsupported`] for jq without the feature.
    pub(crate) fn new(projection: &Projection) -> Result<Self> {
        match projection {
            Projection::Fields(list) => Ok(Self(Form::Fields(Arc::new(fields::Fields::parse(list)?)))),
            #[cfg(feature = "jq")]
            Projection::Jq(filter) => Ok(Self(Form::Jq(jq::Filter::parse(filter)?))),
            #[cfg(not(feature = "jq"))]
            Projection::Jq(_) => Err(Error::new(
                ErrorKind::Unsupported,
                "jq is switched off here; name fields, or build tool-connect-hub with its feature `jq`",
            )
            .public("jq filters are not supported here; name fields instead.")),
            _ => Err(Error::new(ErrorKind::Unsupported, "this projection is not known here")),
        }
    }

    /// The wanted part, and a sentence about what was not found.
    pub(crate) async fn apply(
        &self,
        text: Bytes,
        projection: &Projection,
    ) -> Result<(Bytes, Option<String>)> {
        match (&self.0, projection) {
            (Form::Fields(fields), Projection::Fields(list)) => {
                let fields = Arc::clone(fields);
                let chosen = apart(text.len(), move || raw::json(&text).map(|raw| fields.apply(raw)));
                let Some((out, missing)) = chosen.await? else { return Err(not_json()) };
                let missing: Vec<_> =
                    missing.iter().filter_map(|&n| list.get(n)).map(|path| format!("`{path}`")).collect();
                let note =
                    (!missing.is_empty()).then(|| format!("Not in the result: {}.", missing.join(", ")));
                Ok((out.into(), note))
            }
            #[cfg(feature = "jq")]
            (Form::Jq(filter), _) => Ok((filter.run(text).await?, None)),
            #[cfg(feature = "jq")]
            (Form::Fields(_), _) => Err(not_json()),
            #[cfg(not(feature = "jq"))]
            _ => Err(not_json()),
        }
    }
}

/// Work on a text of so many bytes: on a thread that may be kept busy, where there is one and the text is large.
pub(crate) async fn apart<T: Send + 'static>(
    size: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    if size <= AT_ONCE {
        return Ok(work());
    }
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return Ok(work()) };
    runtime.spawn_blocking(work).await.map_err(|error| match error.is_panic() {
        true => panicked(),
        false => Error::new(ErrorKind::Canceled, "the runtime is shutting down"),
    })
}

#[cold]
pub(crate) fn panicked() -> Error {
    Error::new(
        ErrorKind::Panicked,
        "shaping the result panicked; this is a defect in the host's store of results, or in tool-connect",
    )
}

fn not_json() -> Error {
    Error::new(ErrorKind::InvalidOutput, "the result is no JSON value, so no part of it can be chosen")
}

/// What a budget leaves of a structured value.
pub(crate) enum View {
    /// All of it.
    Whole,
    /// As much as fits, and where it was cut; no text where nothing fits.
    Cut(String, Vec<Cut>),
    /// It is no JSON: nothing can be cut.
    NoJson,
}

/// Brings a structured value into a budget.
pub(crate) fn view(text: &[u8], measure: &Measure) -> View {
    if measure.counted().is_none() && text.len() <= measure.budget.in_bytes() {
        return View::Whole;
    }
    let Some(raw) = raw::json(text) else { return View::NoJson };
    if measure.fits(raw) {
        return View::Whole;
    }
    match measure.fitting(|room| cut::cut(raw, "", 0, room), |piece| &piece.text) {
        Some(piece) => View::Cut(piece.text, piece.cuts),
        None => View::Cut(String::new(), Vec::new()),
    }
}

/// The beginning of a text that a budget leaves; `None` for all of it.
pub(crate) fn beginning<'a>(text: &'a str, measure: &Measure) -> Option<&'a str> {
    if measure.fits(text) {
        return None;
    }
    let cut = |room| text.get(..cut::floor(text, room)).unwrap_or_default();
    Some(measure.fitting(cut, |text| text).unwrap_or_default())
}

/// What the model is told of a result that was cut.
pub(crate) fn notice(size: usize, cuts: usize, handle: Option<&str>) -> String {
    let mut text = format!("The result has {size} bytes and was cut to fit");
    let _ = match cuts {
        0 => write!(text, "; nothing of it fits."),
        1 => write!(text, " at one place, marked with `…` and the position to read on from."),
        n => write!(text, " at {n} places, each marked with `…` and the position to read on from."),
    };
    let _ = match handle {
        Some(handle) => write!(
            text,
            " To read on, use read_result with the handle `{handle}` and such a position as `from` (`#0` is the beginning)."
        ),
        None => write!(text, " The whole could not be kept; ask for less."),
    };
    text
}

/// A shape with what a session says where it says nothing itself.
pub(crate) fn merged(first: Option<&Shape>, then: Option<&Shape>, settings: &ShapeSettings) -> Shape {
    let mut shape = Shape::new();
    let both = || first.into_iter().chain(then);
    shape.budget = both().find_map(|shape| shape.budget).or(settings.budget);
    shape.projection = both().find_map(|shape| shape.projection.clone());
    shape
}
