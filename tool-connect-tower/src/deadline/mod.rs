//! Time limits: of a whole call, or of one attempt.
//!
//! `future` is the combinator, `layer` puts it in front of a tower service.

mod future;
mod layer;

pub use future::{Deadline, Elapsed};
pub use layer::{DeadlineFuture, DeadlineLayer, DeadlineService, Within};
