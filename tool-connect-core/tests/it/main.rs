//! Core as its users meet it: what derived tools say of themselves, accept and refuse.

mod by_macro;
mod constraints;
mod definition;
mod function;
mod patterns;
mod places;
mod scope;
