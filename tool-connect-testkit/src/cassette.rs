//! Cassettes: HTTP traffic recorded once from the real service and replayed in tests.
//!
//! A [`Recorder`] stands before a real transport; what it saves holds no secret, or is not saved. A
//! [`Replayer`] answers from the file, strictly: a request that was not recorded is an error that
//! names the nearest one. [`replay`] runs a test over a cassette and fails where a registered secret
//! comes out in its logs, its errors, its output or the cassette.
//!
//! ```
//! # use std::sync::Arc;
//! # use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
//! # use tool_connect_core::Result;
//! # struct Service;
//! # #[async_trait::async_trait]
//! # impl Transport for Service {
//! #     async fn send(&self, _: http::Request<RequestBody>, _: &TransportLimits) -> Result<http::Response<ByteStream>> {
//! #         Ok(http::Response::new(Box::pin(futures_util::stream::empty())))
//! #     }
//! # }
//! use tool_connect_testkit::cassette::{Recorder, Redaction, Replayer};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<()> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let (service, path) = (Service, folder.path().join("list.json"));
//! let redaction = Redaction::default().query("key").secret("canary-5d0e71");
//! let request = || http::Request::get("https://api.example/items?key=canary-5d0e71").body(RequestBody::Empty).unwrap();
//!
//! let recorder = Recorder::new(Arc::new(service), redaction.clone());
//! recorder.send(request(), &TransportLimits::default()).await?;
//! recorder.save(&path)?;
//!
//! let replayer = Replayer::open(&path)?.with(redaction);
//! assert_eq!(replayer.send(request(), &TransportLimits::default()).await?.status(), 200);
//! assert!(replayer.unused().is_empty());
//! # Ok(())
//! # }
//! ```

mod format;
mod record;
mod redact;
mod replay;
#[cfg(test)]
mod tests;

pub use self::record::Recorder;
pub use self::redact::Redaction;
pub use self::replay::{Replayer, replay};
