//! Rate limits: the arithmetic against a model, the table under threads, the layers.

mod layer;
mod model;
mod table;
mod threads;
