//! What somebody has looked up for a value, kept beside it.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A place beside a value for what was looked up for it, so that it need not be looked up for each use. Who comes first fills
/// it; the others look theirs up.
///
/// It is no part of the value: it is not stored, not compared and not printed. A clone has what its original has at that
/// moment, also if the clone is changed afterwards, so whoever reads it makes sure that it still belongs to the value.
///
/// ```
/// use std::sync::Arc;
/// use tool_connect_core::Memo;
///
/// let memo = Memo::default();
/// assert!(memo.keep(Arc::new(7_u32)));
/// assert!(!memo.keep(Arc::new("another")));
/// assert_eq!((memo.get::<u32>(), memo.get::<&str>()), (Some(&7), None));
/// ```
#[derive(Clone, Default)]
pub struct Memo(OnceLock<Arc<dyn Any + Send + Sync>>);

impl Memo {
    /// What is kept, if it is of this type.
    #[must_use]
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.get().and_then(|kept| (**kept).downcast_ref())
    }

    /// Keeps this; `false` where there is something already, which stays.
    pub fn keep(&self, what: Arc<dyn Any + Send + Sync>) -> bool {
        self.0.set(what).is_ok()
    }
}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memo").finish_non_exhaustive()
    }
}

impl PartialEq for Memo {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Memo {}
