//! The connectors on real input: files in temporary directories, answers of a scripted provider; most
//! through the tools alone, some through a whole Hub.

mod bench;
mod counterparty;
mod database;
mod declarative;
mod discovery;
mod filesystem;
mod http;
mod hub;
mod openapi;
mod operation;
