//! SQLite stores: the conformance suites, what can go wrong with a file, and several processes.

mod conformance;
mod failures;
mod files;
mod leftovers;
mod processes;
mod support;
