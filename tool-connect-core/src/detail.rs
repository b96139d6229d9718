//! One object of a service: the fields that matter, and all of it where that is asked for.

use std::ops::Deref;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Result;
use crate::http::{RequestBuilder, Response};

/// An object's fields that matter to a reader, and beside them, where the call asked for it, everything that the service sent.
///
/// Reads like the fields themselves: `issue.title`. Made by [`RequestBuilder::detail`].
///
/// ```
/// use tool_connect_core::Detail;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)]
/// # struct Issue { title: String }
/// let issue = Detail::of(Issue { title: "Rust".into() });
/// assert_eq!(issue.title, "Rust");
/// assert_eq!(serde_json::to_string(&issue).unwrap(), r#"{"title":"Rust"}"#);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Detail<T> {
    /// The fields that matter.
    #[serde(flatten)]
    pub fields: T,
    /// The whole object as the service sent it, where `whole` was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<Map<String, Value>>,
}

impl<T> Detail<T> {
    /// The fields alone.
    #[must_use]
    pub fn of(fields: T) -> Self {
        Self { fields, whole: None }
    }
}

impl<T> Deref for Detail<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.fields
    }
}

impl Response {
    /// The body decoded from JSON; with `whole` twice, into `T` and into all that it holds.
    ///
    /// # Errors
    /// As [`json`](Self::json).
    pub async fn detail<T: for<'de> Deserialize<'de>>(self, whole: bool) -> Result<Detail<T>> {
        if whole {
            // Boxed: no part of the future of the many that want the fields alone.
            return Box::pin(self.twice()).await;
        }
        self.json().await.map(Detail::of)
    }

    async fn twice<T: for<'de> Deserialize<'de>>(self) -> Result<Detail<T>> {
        let (head, body) = self.parts().await?;
        let again = || Self::from_bytes(head.clone(), body.clone());
        Ok(Detail { fields: again().json().await?, whole: Some(again().json().await?) })
    }
}

impl<'a> RequestBuilder<'a> {
    /// Sends the request and decodes a JSON answer into the fields that matter; with `whole` all of it is kept beside them.
    ///
    /// # Errors
    /// As [`json`](Self::json).
    pub fn detail<T: for<'de> Deserialize<'de>>(
        self,
        whole: bool,
    ) -> impl Future<Output = Result<Detail<T>>> + use<'a, T> {
        let begun = self.accept_json().begin();
        async move { begun?.await?.detail(whole).await }
    }
}
