//! Answers of providers that may serve again: kept per connection with their validators (RFC 9111), so that a repeated
//! read costs a 304, or nothing while it is fresh. Below policy, approval and limits of calls: it serves what the provider
//! would serve to this very connection.

use std::hash::{BuildHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{Equivalent, Weighter};
use serde::Deserialize;
use tool_connect_core::http::{ByteStream, Response};
use tool_connect_core::{Clock, ConnectionId, Connector, CredentialVersion, Result, TenantId, UserId};
use tool_connect_tower::hash_key;

use super::RequestScope;
use super::fresh::{self, CacheControl};
use super::send::Asked;

/// The cache of providers' answers.
///
/// ```
/// use tool_connect_hub::transport::{HttpCacheMode, HttpSettings};
/// let settings: HttpSettings = toml::from_str("cache = { mode = 'fresh', max_bytes = 33554432 }").unwrap();
/// assert_eq!(settings.cache.mode, HttpCacheMode::Fresh);
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HttpCacheSettings {
    /// When an answer is served again; `validate`.
    pub mode: HttpCacheMode,
    /// How many bytes of answers are kept; 16 MiB.
    pub max_bytes: u64,
    /// The largest body that is kept, in bytes; 1 MiB.
    pub max_body_bytes: usize,
}

impl Default for HttpCacheSettings {
    fn default() -> Self {
        Self { mode: HttpCacheMode::Validate, max_bytes: 16 << 20, max_body_bytes: 1 << 20 }
    }
}

/// When a provider's answer is served again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HttpCacheMode {
    /// Never.
    Off,
    /// When the provider says each time that it has not changed: `If-None-Match` or `If-Modified-Since`, and a 304.
    #[default]
    Validate,
    /// Also without asking, to tools that only read, for as long as the provider's `Cache-Control` or `Expires` says and until
    /// something is written through the same connection.
    Fresh,
}

/// Whose answers: what the provider sees of the caller.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Account<'a> {
    tenant: &'a TenantId,
    /// Tells instances apart; a kept answer holds the connector, so that the number is not used again.
    instance: usize,
    /// With its version, which changes when it is connected again; without one, the user.
    connection: Result<(&'a ConnectionId, u64), &'a UserId>,
}

/// An account that is remembered.
struct Owned {
    tenant: TenantId,
    instance: usize,
    connection: Result<(ConnectionId, u64), UserId>,
}

/// What was asked for, compared whole. All of the request's headers are in it, which answers every `Vary`.
pub(super) struct Key {
    account: Owned,
    url: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    anonymous: bool,
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let headers = sum(self.headers.iter().map(|(name, value)| (name, value)));
        (self.account.borrowed(), self.url.as_str(), headers).hash(state);
    }
}

/// Headers in a number, in whichever order they come: a tool may send another one each time.
fn sum<'a>(headers: impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)>) -> u64 {
    let hashes = headers.map(|(name, value)| hash_key((name.as_str(), value.as_bytes())));
    hashes.fold(0, u64::wrapping_add)
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.account.borrowed() == other.account.borrowed()
            && self.url == other.url
            && self.anonymous == other.anonymous
            && self.headers == other.headers
    }
}

impl Eq for Key {}

/// A key that is looked for: of most requests nothing is kept, and nothing is copied.
struct Wanted<'a>(&'a Asked<'a>);

impl Wanted<'_> {
    /// The headers, without the validators that the cache may have added: a request that had its own has no key.
    fn headers(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        let ours = |name: &HeaderName| *name == header::IF_NONE_MATCH || *name == header::IF_MODIFIED_SINCE;
        self.0.headers.iter().filter(move |(name, _)| !ours(name))
    }

    fn key(&self) -> Arc<Key> {
        let Self(asked) = self;
        let mut headers: Vec<_> = self.headers().map(|(name, value)| (name.clone(), value.clone())).collect();
        headers.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
        Arc::new(Key {
            account: Account::of(&asked.cx).owned(),
            url: asked.url.as_str().to_owned(),
            headers,
            anonymous: asked.options.anonymous,
        })
    }
}

impl Hash for Wanted<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (Account::of(&self.0.cx), self.0.url.as_str(), sum(self.headers())).hash(state);
    }
}

impl Equivalent<Arc<Key>> for Wanted<'_> {
    fn equivalent(&self, key: &Arc<Key>) -> bool {
        let Self(asked) = self;
        // Values of one name stand in the order in which they were added, in the key as well.
        let same = |values: &[(HeaderName, HeaderValue)]| {
            let name = values.first().map(|(name, _)| name);
            name.is_some_and(|name| {
                asked.headers.get_all(name).iter().eq(values.iter().map(|(_, value)| value))
            })
        };
        key.account.borrowed() == Account::of(&asked.cx)
            && key.url == asked.url.as_str()
            && key.anonymous == asked.options.anonymous
            && key.headers.len() == self.headers().count()
            && key.headers.chunk_by(|(a, _), (b, _)| a == b).all(same)
    }
}

/// A kept answer.
pub(super) struct Kept {
    headers: HeaderMap,
    body: Bytes,
    /// Which state of the credential it was given to.
    version: Option<CredentialVersion>,
    /// When it was asked for, and until when it is fresh; monotonic nanoseconds.
    asked: u64,
    fresh_until: u64,
    _connector: Arc<dyn Connector>,
}

impl Kept {
    /// Adds the validators; `false` where there are none.
    pub(super) fn validators(&self, headers: &mut HeaderMap) -> bool {
        let etag = self.headers.get(header::ETAG);
        let modified = self.headers.get(header::LAST_MODIFIED);
        if let Some(etag) = etag {
            headers.insert(header::IF_NONE_MATCH, etag.clone());
        }
        if let Some(modified) = modified {
            headers.insert(header::IF_MODIFIED_SINCE, modified.clone());
        }
        etag.or(modified).is_some()
    }

    /// Whether an answer in full has the very validator that the request said is kept.
    fn is_sent_again(&self, answer: &HeaderMap) -> bool {
        self.headers.get(header::ETAG).is_some_and(|etag| answer.get(header::ETAG) == Some(etag))
    }

    fn response(&self, cap: u64, age: Option<u64>) -> Response {
        let (mut parts, ()) = http::Response::new(()).into_parts();
        parts.headers = self.headers.clone();
        if let Some(age) = age {
            parts.headers.insert(header::AGE, age.into());
        }
        let body = futures_util::stream::once(std::future::ready(Ok(self.body.clone())));
        Response::new(parts, Box::pin(body), cap)
    }
}

type FastHash = foldhash::fast::RandomState;

#[derive(Clone)]
struct Size;

#[derive(Clone)]
pub(super) enum Entry {
    Answer(Arc<Kept>),
    /// The provider ignores validators: it was told what is kept, and sent that again. Until then, in monotonic nanoseconds;
    /// another of its servers may do better. Holds the connector, as an answer does.
    Ignored {
        until: u64,
        _connector: Arc<dyn Connector>,
    },
}

/// For how long a provider that ignored validators is believed to go on with it.
const IGNORES: u64 = 600_000_000_000;

impl Weighter<Arc<Key>, Entry> for Size {
    fn weight(&self, key: &Arc<Key>, kept: &Entry) -> u64 {
        let size = |headers: &mut dyn Iterator<Item = (&HeaderName, &HeaderValue)>| {
            headers.map(|(name, value)| name.as_str().len() + value.len() + 64).sum::<usize>()
        };
        let of_key = size(&mut key.headers.iter().map(|(name, value)| (name, value)));
        let answer = |kept: &Arc<Kept>| size(&mut kept.headers.iter()) + kept.body.len();
        let kept = match kept {
            Entry::Answer(kept) => answer(kept),
            Entry::Ignored { .. } => 0,
        };
        let all = 512 + key.url.len() + of_key + kept;
        u64::try_from(all).unwrap_or(u64::MAX)
    }
}

/// Accounts share places, which costs at most a question too many.
const PLACES: u64 = 1024;

/// One per Hub.
pub(super) struct HttpCache {
    kept: Cache<Arc<Key>, Entry, Size, FastHash>,
    serves_fresh: bool,
    max_body: usize,
    /// From when on what is asked for is newer than the last write, by account.
    written: Vec<AtomicU64>,
    hasher: FastHash,
}

impl HttpCache {
    pub(super) fn new(settings: &HttpCacheSettings) -> Option<Arc<Self>> {
        if settings.mode == HttpCacheMode::Off || settings.max_bytes == 0 {
            return None;
        }
        let items = usize::try_from(settings.max_bytes / 2048).unwrap_or(usize::MAX).clamp(16, 1 << 16);
        Some(Arc::new(Self {
            kept: Cache::with(
                items,
                settings.max_bytes,
                Size,
                FastHash::default(),
                DefaultLifecycle::default(),
            ),
            serves_fresh: settings.mode == HttpCacheMode::Fresh,
            max_body: settings.max_body_bytes,
            written: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
            hasher: FastHash::default(),
        }))
    }

    /// Whether the answer to a request without a body may be kept.
    pub(super) fn takes(asked: &Asked<'_>) -> bool {
        asked.method == Method::GET && !fresh::own_way(&asked.headers)
    }

    pub(super) fn get(&self, asked: &Asked<'_>) -> Option<Entry> {
        self.kept.get(&Wanted(asked))
    }

    pub(super) fn forget(&self, asked: &Asked<'_>) {
        self.kept.remove(&Wanted(asked));
    }

    /// Whether an answer may be served without asking, as far as its age is concerned: to a tool that writes never, for it
    /// may write back what it read.
    pub(super) fn is_fresh(&self, asked: &Asked<'_>, kept: &Kept, now: u64) -> bool {
        self.serves_fresh
            && asked.cx.reads
            && !fresh::wants_asking(&asked.headers)
            && now < kept.fresh_until
            && kept.asked >= self.place(Account::of(&asked.cx)).load(Ordering::Acquire)
    }

    /// Serves a kept answer, with its age, to whoever has the credential that it was given to.
    pub(super) fn serve(
        &self,
        kept: &Kept,
        version: Option<CredentialVersion>,
        now: u64,
        cap: u64,
    ) -> Option<Response> {
        if kept.version != version {
            return None;
        }
        // How old it is by now (RFC 9111 §4), so that what is made of it is not kept for as long once more.
        let here = Duration::from_nanos(now.saturating_sub(kept.asked)).as_millis().div_ceil(1000);
        let age = fresh::age(&kept.headers).as_secs().saturating_add(u64::try_from(here).unwrap_or(u64::MAX));
        Some(kept.response(cap, Some(age)))
    }

    /// A 304: the kept answer, with what the provider says of it now.
    pub(super) fn renewed(
        &self,
        asked: &Asked<'_>,
        version: Option<CredentialVersion>,
        parts: &Parts,
        clock: &dyn Clock,
        cap: u64,
    ) -> Option<Response> {
        let kept = asked.kept.as_ref()?;
        let tag = |headers: &HeaderMap| headers.get(header::ETAG).map(|tag| opaque(tag.as_bytes()).to_vec());
        let another = tag(&parts.headers).is_some_and(|new| Some(new) != tag(&kept.headers));
        if kept.version != version || another {
            return None;
        }
        let mut headers = kept.headers.clone();
        fresh::renew(&mut headers, &parts.headers);
        let headers = own(&headers);
        let control = CacheControl::of(&headers);
        let kept = Kept {
            fresh_until: until(asked, &headers, control, clock),
            headers,
            body: kept.body.clone(),
            version,
            asked: asked.began(),
            _connector: Arc::clone(&kept._connector),
        };
        let response = kept.response(cap, None);
        if fresh::storable(StatusCode::OK, &kept.headers, control) {
            self.kept.insert(Wanted(asked).key(), Entry::Answer(Arc::new(kept)));
        } else {
            self.forget(asked);
        }
        Some(response)
    }

    /// Keeps an answer's body while its reader reads it; only one that is read to its end is kept.
    pub(super) fn keeping(
        self: &Arc<Self>,
        asked: &Asked<'_>,
        version: Option<CredentialVersion>,
        parts: &Parts,
        body: ByteStream,
        clock: &dyn Clock,
    ) -> ByteStream {
        if !asked.may_be_kept {
            return body;
        }
        let control = CacheControl::of(&parts.headers);
        let until = until(asked, &parts.headers, control, clock);
        let validates =
            parts.headers.contains_key(header::ETAG) || parts.headers.contains_key(header::LAST_MODIFIED);
        let useful = validates || (self.serves_fresh && until > asked.began());
        let size =
            fresh::length(&parts.headers).map_or(0, |size| usize::try_from(size).unwrap_or(usize::MAX));
        if !useful || size > self.max_body || !fresh::storable(parts.status, &parts.headers, control) {
            // Whatever was there is older.
            self.forget(asked);
            return body;
        }
        if self.serves_fresh {
            // Nobody is served what was there while this one is read.
            self.forget(asked);
        } else if asked
            .kept
            .as_ref()
            .is_some_and(|kept| kept.version == version && kept.is_sent_again(&parts.headers))
        {
            let until = asked.began().saturating_add(IGNORES);
            let _connector = Arc::clone(&asked.cx.endpoint.connector);
            self.kept.insert(Wanted(asked).key(), Entry::Ignored { until, _connector });
            return body;
        }
        let kept = Kept {
            headers: own(&parts.headers),
            body: Bytes::new(),
            version,
            asked: asked.began(),
            fresh_until: until,
            _connector: Arc::clone(&asked.cx.endpoint.connector),
        };
        let (cache, kept) = (Arc::clone(self), Some((Wanted(asked).key(), kept)));
        Box::pin(Keeping { cache, body, read: Vec::with_capacity(size), kept })
    }

    /// Nothing that was asked for before this ends is fresh afterwards.
    pub(super) fn writing<'a>(&'a self, cx: &RequestScope<'_>, clock: &'a dyn Clock) -> Writing<'a> {
        Writing { place: self.place(Account::of(cx)), clock }
    }

    fn place(&self, account: Account<'_>) -> &AtomicU64 {
        let hash = usize::try_from(self.hasher.hash_one(account) % PLACES).unwrap_or(0);
        // `hash` is below `PLACES`, which is how many there are.
        &self.written[hash]
    }
}

impl<'a> Account<'a> {
    fn of(cx: &RequestScope<'a>) -> Self {
        Self {
            tenant: cx.tenant,
            instance: cx.endpoint.identity(),
            connection: match cx.connection {
                Some(connection) => Ok((&connection.id, connection.version)),
                None => Err(cx.user),
            },
        }
    }

    fn owned(self) -> Owned {
        Owned {
            tenant: self.tenant.clone(),
            instance: self.instance,
            connection: self.connection.map(|(id, version)| (id.clone(), version)).map_err(UserId::clone),
        }
    }
}

impl Owned {
    fn borrowed(&self) -> Account<'_> {
        Account {
            tenant: &self.tenant,
            instance: self.instance,
            connection: self.connection.as_ref().map(|(id, version)| (id, *version)),
        }
    }
}

/// The fields, copied into one block of memory: as they came they are parts of the connection's buffer, and would keep all
/// of it.
fn own(headers: &HeaderMap) -> HeaderMap {
    let mut block = BytesMut::with_capacity(headers.values().map(HeaderValue::len).sum());
    let mut owned = HeaderMap::with_capacity(headers.keys_len());
    for (name, value) in headers {
        block.extend_from_slice(value.as_bytes());
        let copy = HeaderValue::from_maybe_shared(block.split().freeze());
        // What is a value stays one.
        owned.append(name, copy.unwrap_or_else(|_| value.clone()));
    }
    owned
}

/// A validator without the mark of a weak one.
fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

fn until(asked: &Asked<'_>, headers: &HeaderMap, control: CacheControl, clock: &dyn Clock) -> u64 {
    let lifetime = fresh::lifetime(headers, control, || clock.now());
    let lifetime = u64::try_from(lifetime.as_nanos()).unwrap_or(u64::MAX);
    asked.began().saturating_add(lifetime)
}

/// A request that may change something, until it has ended one way or another.
pub(super) struct Writing<'a> {
    place: &'a AtomicU64,
    clock: &'a dyn Clock,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        // What was asked for at this very moment came too early.
        self.place.fetch_max(self.clock.monotonic().saturating_add(1), Ordering::AcqRel);
    }
}

struct Keeping {
    cache: Arc<HttpCache>,
    body: ByteStream,
    read: Vec<u8>,
    kept: Option<(Arc<Key>, Kept)>,
}

impl Stream for Keeping {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.body.as_mut().poll_next(cx));
        match &item {
            Some(Ok(chunk)) if self.kept.is_some() => {
                if self.read.len().saturating_add(chunk.len()) <= self.cache.max_body {
                    self.read.extend_from_slice(chunk);
                } else {
                    self.give_up();
                }
            }
            Some(Ok(_)) => {}
            Some(Err(_)) => self.give_up(),
            None => {
                if let Some((key, mut kept)) = self.kept.take() {
                    // Without the room that it grew into.
                    kept.body = std::mem::take(&mut self.read).into_boxed_slice().into();
                    self.cache.kept.insert(key, Entry::Answer(Arc::new(kept)));
                }
            }
        }
        Poll::Ready(item)
    }
}

impl Keeping {
    fn give_up(&mut self) {
        self.read = Vec::new();
        if let Some((key, _)) = self.kept.take() {
            self.cache.kept.remove(&key);
        }
    }
}
