//! The last step of a call by name: its result in the shape that the caller asked for. What idempotency and cache
//! keep is unshaped, so a replay is shaped for whoever asks for it.

use bytes::Bytes;
use tool_connect_core::store::NewResult;
use tool_connect_core::{Body, Budget, Content, Effect, FileRef, Projection, Result, Shape, ToolOutput};

use super::{Call, Scope};
use crate::shape::{self, Measure, Prepared, View};

/// The name of a structured result that went to the store whole, for its size.
pub(super) const WHOLE: &str = "result.json";
/// Its media type.
pub(super) const JSON: &str = "application/json";

impl Scope {
    /// Whether anybody asked for another shape.
    #[inline]
    pub(super) fn shaped(&self) -> bool {
        (self.options().shape.is_some() || self.session.shape.is_some() || self.hub().shape.budget.is_some())
            && !self.typed
    }

    fn shape(&self) -> Shape {
        shape::merged(self.options().shape.as_deref(), self.session.shape.as_deref(), &self.hub().shape)
    }
}

impl Call {
    /// Refuses a shape that cannot be made before anything runs.
    #[cold]
    pub(super) fn check_shape(&self) -> Result<()> {
        match &self.scope.shape().projection {
            Some(projection) => Prepared::new(projection).map(drop),
            None => Ok(()),
        }
    }

    /// Shapes the output of a call that has ended well.
    #[cold]
    pub(super) async fn shape(&mut self) -> Result<()> {
        let Some(mut output) = self.output.take() else { return Ok(()) };
        let scope = &*self.scope;
        let Shape { budget, projection, .. } = scope.shape();
        // What went to the store for its size is shaped like everything else.
        let stored = stored(&output, scope.hub().max_result_bytes).cloned();
        if let Some(file) = &stored {
            let principal = &scope.session.caller.principal;
            let read = scope.hub().stores.results.read(
                &principal.tenant,
                &principal.user,
                &file.handle,
                0..file.size,
            );
            match scope.hub().patience.with("results", read).await {
                Ok(Some(text)) => output.body = Body::Json(text),
                // It has expired or cannot be read now: its handle is all there is.
                Ok(None) | Err(_) => {
                    self.output = Some(output);
                    return Ok(());
                }
            }
        }
        let was_stored = stored.is_some();
        let (mut kept, mut told) = (stored, Vec::new());
        if let Some(projection) = projection {
            kept = project(scope, &mut output, &projection, kept, &mut told).await?;
        }
        // A part of what was too large may be too large itself.
        let most = (was_stored && kept.is_none()).then_some(Budget::Bytes(scope.hub().max_result_bytes));
        if let Some(budget) = budget.or(most) {
            fit(scope, &mut output, budget, kept, &mut told).await?;
        } else if kept.is_some() {
            // Without a budget it stays where it is.
            output.body = Body::Empty;
        }
        output.content.append(&mut told);
        self.output = Some(output);
        Ok(())
    }
}

/// The file that stands for a structured value that was too large for its caller: ours, and no file of the tool's own that
/// happens to have that name.
fn stored(output: &ToolOutput, most: usize) -> Option<&FileRef> {
    let (Body::Empty, [.., Content::Text { text }, Content::File(file)]) = (&output.body, &*output.content)
    else {
        return None;
    };
    let named = file.name.as_deref() == Some(WHOLE) && file.media_type == JSON;
    (named && *text == by_handle(file, most)).then_some(file)
}

/// What is said where a structured value of more than `most` bytes went to the store.
pub(super) fn by_handle(file: &FileRef, most: usize) -> String {
    format!(
        "The result has {} bytes, more than the {most} that fit here. To read it, use read_result with the handle `{}` and `#0` as `from`.",
        file.size, file.handle
    )
}

/// Puts the wanted part in the place of the structured value; returns the file that is still the whole of it.
async fn project(
    scope: &Scope,
    output: &mut ToolOutput,
    projection: &Projection,
    stored: Option<FileRef>,
    told: &mut Vec<Content>,
) -> Result<Option<FileRef>> {
    if matches!(output.body, Body::Empty) {
        told.push(note("The result has no structured value, so nothing could be chosen of it.".to_owned()));
        return Ok(stored);
    }
    let chosen = async { Prepared::new(projection)?.apply(output.to_json()?, projection).await };
    match chosen.await {
        Ok((text, missing)) => {
            if stored.is_some() {
                forget(output);
            }
            output.body = Body::Json(text);
            told.extend(missing.map(note));
            Ok(None)
        }
        Err(error) if scope.entry().tool.definition().annotations.read_only => {
            Err(error.effect(Effect::None))
        }
        // The tool has run and may have changed something: what it says must not be lost.
        Err(error) => {
            let why = error.public_message();
            told.push(note(format!("Nothing could be chosen of the result, so this is all of it: {why}")));
            Ok(stored)
        }
    }
}

/// Cuts the structured value first; the texts beside it get what it leaves.
async fn fit(
    scope: &Scope,
    output: &mut ToolOutput,
    budget: Budget,
    stored: Option<FileRef>,
    told: &mut Vec<Content>,
) -> Result<()> {
    let mut measure = Measure::new(budget, scope.hub().tokenizer.clone());
    if !matches!(output.body, Body::Empty) {
        let text = output.to_json()?;
        if stored.is_some() {
            forget(output);
        }
        let (whole, own) = (text.clone(), measure.clone());
        match shape::apart(text.len(), move || shape::view(&whole, &own)).await? {
            View::Whole => measure.spend(&text),
            View::NoJson => {
                output.body = Body::Empty;
                let size = text.len();
                tell(told, size, 0, keep(scope, text, "text/plain; charset=utf-8").await);
            }
            View::Cut(shown, cuts) => {
                measure.spend(shown.as_bytes());
                output.body = if shown.is_empty() { Body::Empty } else { Body::Json(shown.into()) };
                let size = text.len();
                let file = match stored {
                    Some(file) => Some(file),
                    None => keep(scope, text, JSON).await,
                };
                tell(told, size, cuts.len(), file);
            }
        }
    }
    for content in &mut output.content {
        let Content::Text { text } = content else { continue };
        let Some(shown) = shape::beginning(text, &measure) else {
            measure.spend(text.as_bytes());
            continue;
        };
        measure.spend(shown.as_bytes());
        let (at, size) = (shown.len(), text.len());
        let marked = format!("{shown}… {} more of {size} bytes; read on from #{at}", size - at);
        let whole = std::mem::replace(text, marked);
        tell(told, size, 1, keep(scope, whole.into(), "text/plain; charset=utf-8").await);
    }
    Ok(())
}

/// Keeps a whole for who wants to read on. Where the store cannot take it the beginning is still worth having.
async fn keep(scope: &Scope, text: Bytes, media_type: &str) -> Option<FileRef> {
    match store(scope, text, media_type, None).await {
        Ok(file) => Some(file),
        Err(error) => {
            tracing::warn!(target: "tool_connect", %error, "a result that was cut could not be kept");
            None
        }
    }
}

/// Puts a text into the result store.
pub(super) async fn store(
    scope: &Scope,
    text: Bytes,
    media_type: &str,
    name: Option<&str>,
) -> Result<FileRef> {
    let (hub, principal) = (scope.hub(), &scope.session.caller.principal);
    let new = NewResult {
        tenant: principal.tenant.clone(),
        user: principal.user.clone(),
        media_type: media_type.to_owned(),
        name: name.map(str::to_owned),
        keep: hub.result_keep,
        max_bytes: u64::try_from(text.len()).unwrap_or(u64::MAX),
    };
    let data = futures_util::stream::once(std::future::ready(Ok(text)));
    let meta = hub.patience.with("results", hub.stores.results.put(new, Box::pin(data))).await?;
    Ok(FileRef { handle: meta.handle, media_type: meta.media_type, size: meta.size, name: meta.name })
}

fn note(text: String) -> Content {
    Content::Text { text }
}

/// Says what was cut, and where the whole is.
fn tell(told: &mut Vec<Content>, size: usize, cuts: usize, file: Option<FileRef>) {
    let handle = file.as_ref().map(|file| file.handle.as_str());
    told.push(note(shape::notice(size, cuts, handle)));
    told.extend(file.map(Content::File));
}

/// Takes away what was said when the value went to the store: the sentence and the file.
fn forget(output: &mut ToolOutput) {
    output.content.truncate(output.content.len().saturating_sub(2));
}
