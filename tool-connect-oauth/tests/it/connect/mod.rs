//! The connect flow over the emulator: browsers that are scripted, a clock that stands still.

mod consent;
mod direct;
mod disconnect;
mod guards;
mod hub;
mod keep;
mod owners;
pub(crate) mod support;
