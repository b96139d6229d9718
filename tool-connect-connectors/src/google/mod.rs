//! What the connectors for Google's services share: what errors mean, pages, fields that travel as text, names made of a
//! call's idempotency key, and uploads. Each service has its folder beside this one.

#![allow(dead_code, unused_imports, unused_macros, reason = "a connector takes of it what it needs")]

mod error;
mod fields;
mod key;
mod page;
mod upload;

pub(crate) use error::read as read_error;
pub(crate) use fields::{check_text, number};
pub(crate) use key::{derived, unique};
pub(crate) use page::{Listed, from, page};
pub(crate) use upload::Upload;

/// Defines a connector: its type, how its manifest is made, its tools.
macro_rules! connector {
    ($(#[$meta:meta])* $name:ident, $manifest:expr, [$($tool:ty),+ $(,)?]) => {
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name {
            manifest: tool_connect_core::ConnectorManifest,
        }

        impl $name {
            /// The connector for Google's own addresses.
            #[must_use]
            pub fn new() -> Self {
                Self { manifest: $manifest }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl tool_connect_core::Connector for $name {
            fn manifest(&self) -> &tool_connect_core::ConnectorManifest {
                &self.manifest
            }

            fn tools(&self, set: &mut tool_connect_core::ToolSet) {
                $(set.add::<$tool>();)+
            }

            fn classify(
                &self,
                parts: &http::response::Parts,
                body: &[u8],
            ) -> Option<tool_connect_core::Error> {
                crate::google::read_error(parts, body)
            }
        }
    };
}

pub(crate) use connector;
