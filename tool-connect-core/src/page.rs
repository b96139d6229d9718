//! Lists that come in pages: what a tool returns, and a walk over all of it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::tool::Tool;

/// A page of a list, and where the next one begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Page<T> {
    /// What stands on the page.
    pub items: Vec<T>,
    /// What to pass as `cursor` to get the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page and the cursor of the next one, if there is one.
    #[must_use]
    pub fn new(items: Vec<T>, next_cursor: Option<String>) -> Self {
        Self { items, next_cursor }
    }
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { items: Vec::new(), next_cursor: None }
    }
}

/// A tool that lists in pages, so that all of them can be walked: [`items`].
///
/// ```
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
/// use tool_connect_core::{Page, Paged, Result, Run, Tool, ToolContext};
///
/// /// Lists the numbers, ten a page.
/// #[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
/// #[tool(read_only)]
/// #[serde(deny_unknown_fields)]
/// pub struct ListNumbers {
///     /// `next_cursor` of the page before.
///     #[serde(default)]
///     cursor: Option<String>,
/// }
///
/// impl Run for ListNumbers {
///     type Output = Page<u64>;
///     async fn run(self, cx: &ToolContext) -> Result<Page<u64>> {
///         cx.http().get("/numbers").query_opt("cursor", self.cursor).json().await
///     }
/// }
///
/// impl Paged for ListNumbers {
///     type Item = u64;
///     fn set_cursor(&mut self, cursor: String) {
///         self.cursor = Some(cursor);
///     }
/// }
/// ```
pub trait Paged: Tool<Output = Page<Self::Item>> {
    /// What the list holds.
    type Item: Send;

    /// Makes the call ask for the page that begins here.
    fn set_cursor(&mut self, cursor: String);
}

/// All items of a list, page after page, each page when it is needed; `run` makes one call: `|tool| session.run(tool)`.
///
/// An error is an item of the stream, too, and does not end it: who polls on gets the same page asked for again, so that a
/// walk which met a rate limit goes on where it stood once the time that [`Error::retry_advice`] names has passed. A service
/// that answers with a cursor it has just been given would be asked for ever; that ends the walk with
/// [`ErrorKind::Provider`].
///
/// `Session::items` of the Hub is this for a session.
pub fn items<T, F, Fut>(tool: T, run: F) -> Items<T, F, Fut>
where
    T: Paged,
    F: FnMut(T) -> Fut,
    Fut: Future<Output = Result<Page<T::Item>>>,
{
    Items { tool, cursor: None, run, here: Vec::new().into_iter(), running: None, ended: false, stuck: false }
}

/// A walk over all pages of a list: see [`items`].
#[must_use = "a stream does nothing until it is polled"]
pub struct Items<T: Paged, F, Fut> {
    /// The call for the page that is next.
    tool: T,
    cursor: Option<String>,
    run: F,
    here: std::vec::IntoIter<T::Item>,
    running: Option<Pin<Box<Fut>>>,
    ended: bool,
    /// Whether it ended because the service leads back to the same page.
    stuck: bool,
}

impl<T: Paged, F, Fut> std::fmt::Debug for Items<T, F, Fut> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Items").field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl<T: Paged, F, Fut> Items<T, F, Fut> {
    /// The cursor of the page that is asked for next, or of the one that an error is about; `None` before the second.
    #[must_use]
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }
}

// Nothing in it is pinned in place.
impl<T: Paged, F, Fut> Unpin for Items<T, F, Fut> {}

impl<T, F, Fut> Stream for Items<T, F, Fut>
where
    T: Paged,
    F: FnMut(T) -> Fut,
    Fut: Future<Output = Result<Page<T::Item>>>,
{
    type Item = Result<T::Item>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(item) = this.here.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            if std::mem::take(&mut this.stuck) {
                return Poll::Ready(Some(Err(Error::new(
                    ErrorKind::Provider,
                    "the service names the page that it has just sent as the next one; the walk ends here",
                ))));
            }
            if this.ended {
                return Poll::Ready(None);
            }
            let running = this.running.get_or_insert_with(|| Box::pin((this.run)(this.tool.clone())));
            let ended = ready!(running.as_mut().poll(cx));
            this.running = None;
            let page = match ended {
                Ok(page) => page,
                Err(error) => return Poll::Ready(Some(Err(error))),
            };
            this.here = page.items.into_iter();
            match page.next_cursor {
                None => this.ended = true,
                // Told after what the page holds.
                Some(next) if this.cursor.as_ref() == Some(&next) => (this.ended, this.stuck) = (true, true),
                Some(next) => {
                    this.tool.set_cursor(next.clone());
                    this.cursor = Some(next);
                }
            }
        }
    }
}
