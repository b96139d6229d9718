//! The breaker against a model, under threads, in sets and layers.

mod layer;
mod model;
mod set;
mod states;
