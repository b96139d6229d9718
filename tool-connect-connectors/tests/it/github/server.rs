//! A server that answers from a function, for tests in which several origins or a state matter.

use std::sync::Mutex;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;
use http::{HeaderName, HeaderValue, Request, Response};
use serde_json::Value;
use tool_connect_core::Result;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use url::Url;

/// A request, its body read.
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) url: Url,
    pub(super) headers: http::HeaderMap,
    pub(super) body: Bytes,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What is answered: status, headers, body.
pub(super) struct Said(pub(super) u16, pub(super) Vec<(&'static str, String)>, pub(super) Vec<u8>);

impl Said {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self(status, vec![("content-type", "application/json".to_owned())], body.to_string().into_bytes())
    }

    pub(super) fn text(text: &str) -> Self {
        Self(200, vec![("content-type", "text/plain".to_owned())], text.as_bytes().to_vec())
    }

    pub(super) fn into_response(self) -> Response<ByteStream> {
        let mut response =
            Response::new(Box::pin(futures_util::stream::iter([Ok(Bytes::from(self.2))])) as ByteStream);
        *response.status_mut() = self.0.try_into().unwrap();
        for (name, value) in self.1 {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), HeaderValue::try_from(value).unwrap());
        }
        response
    }
}

pub(super) async fn read(request: Request<RequestBody>) -> Result<Asked> {
    let (parts, body) = request.into_parts();
    let body = match body {
        RequestBody::Bytes(bytes) => bytes,
        RequestBody::Stream(stream, length) => {
            let all = stream.try_fold(BytesMut::new(), |mut all, chunk| async move {
                all.extend_from_slice(&chunk);
                Ok(all)
            });
            let all = all.await?.freeze();
            assert_eq!(length, Some(all.len() as u64), "the announced length");
            all
        }
        _ => Bytes::new(),
    };
    let url = parts.uri.to_string().parse().unwrap();
    Ok(Asked { method: parts.method.to_string(), url, headers: parts.headers, body })
}

pub(super) struct Server<F>(Mutex<F>);

impl<F: FnMut(&Asked) -> Said + Send + 'static> Server<F> {
    pub(super) fn new(answer: F) -> Self {
        Self(Mutex::new(answer))
    }
}

#[async_trait]
impl<F: FnMut(&Asked) -> Said + Send + 'static> Transport for Server<F> {
    async fn send(&self, request: Request<RequestBody>, _: &TransportLimits) -> Result<Response<ByteStream>> {
        let asked = read(request).await?;
        Ok((self.0.lock().unwrap())(&asked).into_response())
    }
}
