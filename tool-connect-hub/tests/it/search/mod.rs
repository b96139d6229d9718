//! Tests of the tool search and of the meta-tools, over a small house of our own words. `evaluation` counts over thousands of tools
//! that our importer makes of what others described, with the queries of `evaluation/queries.toml`.

mod embedder;
mod evaluation;
mod house;
mod meta;
mod ranking;
mod registry;
