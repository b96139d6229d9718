//! Lists whose calls have a field `cursor: Option<String>`.

/// Says of each list tool what its pages hold, so that hosts can walk them: `paged! { ListIssues => Issue }`.
macro_rules! paged {
    ($($tool:ty => $item:ty),+ $(,)?) => {$(
        impl tool_connect_core::Paged for $tool {
            type Item = $item;

            fn set_cursor(&mut self, cursor: String) {
                self.cursor = Some(cursor);
            }
        }
    )+};
}

pub(crate) use paged;
