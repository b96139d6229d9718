//! Metadata, registration and client documents, against servers that lie, change, and do not answer.

mod challenge;
mod clients;
mod document;
mod metadata;
mod network;
mod registration;
mod replay;
pub(crate) mod world;
