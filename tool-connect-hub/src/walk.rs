//! Walks over lists that come in pages.

use tool_connect_core::{BoxFuture, Items, Page, Paged, Result, items};

use crate::session::{OnInstance, Session};

/// A walk's call for one page.
type Calling<'a, I> = BoxFuture<'a, Result<Page<I>>>;

/// A walk over all pages of a list: a stream of items, each page asked for when it is needed. See
/// [`items`](tool_connect_core::items) for what an error in the middle means.
pub type Walk<'a, T> = Items<
    T,
    Box<dyn FnMut(T) -> Calling<'a, <T as Paged>::Item> + Send + 'a>,
    Calling<'a, <T as Paged>::Item>,
>;

impl Session {
    /// All items of a list, whatever number of pages it has. Every page is a call of its own, through the whole stack.
    ///
    /// ```
    /// use futures_util::TryStreamExt as _;
    /// # use schemars::JsonSchema;
    /// # use serde::{Deserialize, Serialize};
    /// # use tool_connect_core::{Connector, ConnectorManifest, Page, Paged, Principal, Result, Run, Tool, ToolContext, ToolSet};
    /// # use tool_connect_hub::Hub;
    /// # /// Counts.
    /// # #[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
    /// # #[tool(read_only)]
    /// # #[serde(deny_unknown_fields)]
    /// # struct Count { cursor: Option<String> }
    /// # impl Run for Count {
    /// #     type Output = Page<u8>;
    /// #     async fn run(self, _: &ToolContext) -> Result<Page<u8>> {
    /// #         Ok(if self.cursor.is_none() { Page::new(vec![1, 2], Some("b".into())) } else { Page::new(vec![3], None) })
    /// #     }
    /// # }
    /// # impl Paged for Count {
    /// #     type Item = u8;
    /// #     fn set_cursor(&mut self, cursor: String) { self.cursor = Some(cursor); }
    /// # }
    /// # struct Counting(ConnectorManifest);
    /// # impl Connector for Counting {
    /// #     fn manifest(&self) -> &ConnectorManifest { &self.0 }
    /// #     fn tools(&self, set: &mut ToolSet) { set.add::<Count>(); }
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let counting = Counting(ConnectorManifest::new("counting", semver::Version::new(1, 0, 0), "Counting"));
    /// # let hub = Hub::builder().connector(counting).build()?;
    /// # let session = hub.session(Principal::user("acme", "ada")?);
    /// let all: Vec<u8> = session.items(Count { cursor: None }).try_collect().await?;
    /// assert_eq!(all, [1, 2, 3]);
    /// # Ok::<(), tool_connect_core::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn items<T: Paged>(&self, tool: T) -> Walk<'_, T> {
        items(tool, Box::new(|tool| Box::pin(self.run(tool))))
    }
}

impl<'a> OnInstance<'a> {
    /// All items of a list of this instance; see [`Session::items`].
    pub fn items<T: Paged>(&self, tool: T) -> Walk<'a, T> {
        let on = *self;
        items(tool, Box::new(move |tool| Box::pin(async move { on.run(tool).await })))
    }
}
