//! A class of keys under one limit: all tenants, all tenants of a plan, all connections.

use std::sync::Arc;

use super::gcra::Rate;
use super::live::LiveLimit;
use super::settings::Limit;
use super::table::Table;

/// A class of one limiter, made by [`Limiter::define`](super::Limiter::define).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub(crate) u16);

/// A class could not be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot define the limit class `{name}`: the limiter holds {most} classes; build it with a higher `max_classes`"
)]
pub struct DefineError {
    pub(crate) name: String,
    pub(crate) most: usize,
}

/// A name, a limit and the keys that live under it.
#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) name: Arc<str>,
    pub(crate) table: Table,
    pub(crate) limit: LiveLimit,
}

impl Class {
    pub(crate) fn new(name: Arc<str>, limit: Limit, max_keys: usize, seed: u64) -> Self {
        Self { name, table: Table::new(max_keys, seed), limit: LiveLimit::new(limit) }
    }

    #[inline]
    pub(crate) fn rate(&self) -> Rate {
        self.limit.rate()
    }
}
