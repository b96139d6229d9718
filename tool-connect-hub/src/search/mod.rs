//! Tool search: which of ten thousand tools does what somebody asks, offline, and only among those that they may call.
//! `lexicon.toml` is what it knows of language; an instance is indexed once (`segment`), a registry's snapshot joins the
//! indexes of its instances (`view`); `meta` is the handful of tools that an agent sees instead of all.

mod catalog;
mod embed;
mod lexicon;
mod meta;
mod query;
mod rank;
mod request;
mod segment;
mod stem;
mod view;
mod words;

pub(crate) use catalog::{Indexed, Joined};
pub use embed::Embedder;
pub use meta::MetaTools;
pub use request::{SearchHit, SearchRequest};
pub(crate) use request::{prepare, search};
