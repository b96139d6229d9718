//! What the connectors for one service share: files that go out and come in, what a service's own words may say in an error,
//! lists in pages. Each connector has its folder beside this one and knows nothing of the others.

#![allow(dead_code, unused_imports, unused_macros, reason = "a connector takes of it what it needs")]

mod advice;
mod file;
mod paged;

pub(crate) use advice::advice;
pub use file::FileInput;
pub(crate) use file::{Content, File, IN_MEMORY};
pub(crate) use paged::paged;

/// An address that stands in the code.
pub(crate) fn fixed(address: &'static str) -> url::Url {
    url::Url::parse(address).expect("the connectors' addresses are parsed by their tests")
}
