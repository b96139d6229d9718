//! Rules of [`ResultStore`].

use std::collections::HashSet;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tool_connect_core::http::ByteStream;
use tool_connect_core::store::{NewResult, ResultMeta, ResultStore};
use tool_connect_core::{Error, ErrorKind, Result, ResultHandle, UserId};

use super::{in_seconds, seconds, tenant, user};
use crate::ManualClock;

type Store = Arc<dyn ResultStore>;

const KEEP: Duration = seconds(600);
/// More than any store keeps in one piece.
const LARGE: usize = 700_000;

fn new() -> NewResult {
    NewResult {
        tenant: tenant("acme"),
        user: user("ada"),
        media_type: "application/pdf".to_owned(),
        name: Some("r\u{e9}sum\u{e9}.pdf".to_owned()),
        keep: KEEP,
        max_bytes: 1 << 20,
    }
}

fn pieces(pieces: Vec<Result<Bytes>>) -> ByteStream {
    Box::pin(stream::iter(pieces))
}

fn small() -> ByteStream {
    pieces(vec![Ok(Bytes::from_static(b"hello ")), Ok(Bytes::new()), Ok(Bytes::from_static(b"world"))])
}

/// Bytes that tell their place.
fn large() -> Bytes {
    (0..LARGE).map(|n| u8::try_from(n % 251).unwrap_or(0)).collect()
}

async fn put(store: &Store, data: ByteStream) -> ResultMeta {
    store.put(new(), data).await.expect("put")
}

async fn read_as(store: &Store, who: &UserId, handle: &ResultHandle, from: u64, to: u64) -> Option<Bytes> {
    store.read(&tenant("acme"), who, handle, from..to).await.expect("read")
}

async fn read(store: &Store, handle: &ResultHandle, from: u64, to: u64) -> Option<Bytes> {
    read_as(store, &user("ada"), handle, from, to).await
}

async fn meta(store: &Store, handle: &ResultHandle) -> Option<ResultMeta> {
    store.meta(&tenant("acme"), &user("ada"), handle).await.expect("meta")
}

/// Moves past the end of whatever may have been kept: a purge then finds nothing.
async fn nothing_was_kept(store: &Store, clock: &ManualClock) {
    clock.advance(KEEP * 2);
    assert_eq!(store.purge().await.expect("purge"), 0);
}

/// A long stream in uneven pieces reads back byte for byte, with what is known of it.
pub async fn an_entry_reads_back_whole(store: Store, clock: Arc<ManualClock>) {
    let whole = large();
    let uneven = [1, 65_536, 65_535, 300_000, 7];
    let mut rest = whole.clone();
    let mut cut = Vec::new();
    for size in uneven {
        cut.push(Ok(rest.split_to(size)));
    }
    cut.push(Ok(rest));
    let stored = put(&store, pieces(cut)).await;
    assert_eq!(stored.size, LARGE as u64);
    assert_eq!(stored.user, user("ada"));
    assert_eq!(stored.media_type, "application/pdf");
    assert_eq!(stored.name.as_deref(), Some("r\u{e9}sum\u{e9}.pdf"));
    assert_eq!(stored.expires, in_seconds(&clock, 600));
    assert_eq!(meta(&store, &stored.handle).await, Some(stored.clone()));
    assert!(read(&store, &stored.handle, 0, u64::MAX).await == Some(whole));

    let unnamed = NewResult { name: None, ..new() };
    let stored = store.put(unnamed, small()).await.expect("put");
    assert_eq!(meta(&store, &stored.handle).await, Some(stored));
}

/// Ranges over the borders of pieces, at the end, behind it and the wrong way round.
pub async fn ranges_are_cut_at_the_end(store: Store, _clock: Arc<ManualClock>) {
    let whole = large();
    let handle = put(&store, pieces(vec![Ok(whole.clone())])).await.handle;
    let size = LARGE as u64;
    let ranges = [
        (0, 1),
        (0, size),
        (65_535, 65_537),
        (131_071, 262_145),
        (1, 600_000),
        (size - 1, size),
        (size - 5, size + 5),
    ];
    for (from, to) in ranges {
        let expected =
            whole.slice(usize::try_from(from).unwrap_or(0)..usize::try_from(to).unwrap_or(0).min(LARGE));
        assert!(read(&store, &handle, from, to).await == Some(expected), "{from}..{to}");
    }
    for (from, to) in [(size, size + 1), (size + 9, u64::MAX), (5, 5), (9, 3), (u64::MAX, u64::MAX)] {
        assert_eq!(read(&store, &handle, from, to).await, Some(Bytes::new()), "{from}..{to}");
    }
}

/// Nothing is something: an empty entry can be read.
pub async fn an_empty_entry_exists(store: Store, _clock: Arc<ManualClock>) {
    let stored = put(&store, pieces(vec![])).await;
    assert_eq!(stored.size, 0);
    assert_eq!(read(&store, &stored.handle, 0, 10).await, Some(Bytes::new()));
}

/// Exactly the cap fits; one byte more is refused, and nothing of it kept.
pub async fn the_cap_is_kept(store: Store, clock: Arc<ManualClock>) {
    let capped = |max_bytes| NewResult { max_bytes, ..new() };
    assert_eq!(store.put(capped(11), small()).await.expect("put").size, 11);
    clock.advance(KEEP);
    assert_eq!(store.purge().await.expect("purge"), 1);
    let error = store.put(capped(10), small()).await.expect_err("over the cap");
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    let long = stream::repeat(()).map(|()| Ok(Bytes::from(vec![0; 65_536])));
    let error = store.put(capped(500_000), Box::pin(long)).await.expect_err("endless");
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    nothing_was_kept(&store, &clock).await;
}

/// The stream's own error comes back, and nothing is kept.
pub async fn a_broken_stream_leaves_nothing(store: Store, clock: Arc<ManualClock>) {
    let broken = || Error::new(ErrorKind::Transport, "the peer went away");
    for before in [0, 6, 600_000] {
        let data =
            pieces(vec![Ok(Bytes::from(vec![1; before])), Err(broken()), Ok(Bytes::from_static(b"more"))]);
        let error = store.put(new(), data).await.expect_err("broken");
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    }
    nothing_was_kept(&store, &clock).await;
}

/// A caller that goes away half way leaves nothing that can be seen, and others can go on.
pub async fn a_dropped_put_leaves_nothing(store: Store, clock: Arc<ManualClock>) {
    let stuck = stream::iter(vec![Ok(Bytes::from(vec![1; 600_000]))]).chain(stream::pending());
    let mut put = store.put(new(), Box::pin(stuck));
    // Polled until it waits for more of the stream.
    for _ in 0..50 {
        assert!(poll_fn(|cx| Poll::Ready(put.as_mut().poll(cx))).await.is_pending());
        tokio::task::yield_now().await;
    }
    drop(put);
    assert_eq!(store.put(new(), small()).await.expect("put").size, 11);
    clock.advance(KEEP * 2);
    assert_eq!(store.purge().await.expect("purge"), 1, "only the second one was kept");
}

/// The handle alone opens nothing: it takes the tenant and the user too.
pub async fn only_its_user_can_reach_an_entry(store: Store, _clock: Arc<ManualClock>) {
    let handle = put(&store, small()).await.handle;
    for (at, who) in [("acme", "bob"), ("globex", "ada"), ("globex", "bob")] {
        let (at, who) = (tenant(at), user(who));
        assert_eq!(store.meta(&at, &who, &handle).await.expect("meta"), None);
        assert_eq!(store.read(&at, &who, &handle, 0..9).await.expect("read"), None);
        assert!(!store.delete(&at, &who, &handle).await.expect("delete"));
    }
    assert_eq!(read(&store, &handle, 0, 5).await.as_deref(), Some(&b"hello"[..]));
    let guessed = ResultHandle::new("guessed").expect("valid");
    assert_eq!(read(&store, &guessed, 0, 5).await, None);
}

/// From its end on an entry is gone, purged or not.
pub async fn an_expired_entry_is_gone_at_once(store: Store, clock: Arc<ManualClock>) {
    let handle = put(&store, small()).await.handle;
    clock.advance(KEEP - seconds(1));
    assert!(meta(&store, &handle).await.is_some());
    clock.advance(seconds(1));
    assert_eq!(meta(&store, &handle).await, None);
    assert_eq!(read(&store, &handle, 0, 9).await, None);
    assert!(!store.delete(&tenant("acme"), &user("ada"), &handle).await.expect("delete"));
    let forever = store.put(NewResult { keep: Duration::MAX, ..new() }, small()).await.expect("put");
    clock.advance(seconds(86_400 * 365 * 100));
    assert!(meta(&store, &forever.handle).await.is_some());
}

/// Deleting works once and at once.
pub async fn an_entry_is_deleted_once(store: Store, clock: Arc<ManualClock>) {
    let handle = put(&store, pieces(vec![Ok(large())])).await.handle;
    let delete = async || store.delete(&tenant("acme"), &user("ada"), &handle).await.expect("delete");
    assert!(delete().await);
    assert!(!delete().await);
    assert_eq!(read(&store, &handle, 0, 9).await, None);
    nothing_was_kept(&store, &clock).await;
}

/// A purge takes what has expired and nothing else.
pub async fn purge_drops_only_what_expired(store: Store, clock: Arc<ManualClock>) {
    let long = store.put(NewResult { keep: KEEP * 10, ..new() }, small()).await.expect("put");
    let brief = put(&store, small()).await;
    assert_eq!(store.purge().await.expect("purge"), 0);
    clock.advance(KEEP);
    assert_eq!(store.purge().await.expect("purge"), 1);
    assert_eq!(store.purge().await.expect("purge"), 0);
    assert_eq!(meta(&store, &brief.handle).await, None);
    assert_eq!(read(&store, &long.handle, 0, 5).await.as_deref(), Some(&b"hello"[..]));
}

/// A purge between two pieces of a stream takes nothing from it.
pub async fn purge_does_not_disturb_a_put_under_way(store: Store, _clock: Arc<ManualClock>) {
    let whole = large();
    let (first, second) = (whole.slice(..600_000), whole.slice(600_000..));
    let purger = Arc::clone(&store);
    let rest = stream::once(async move {
        assert_eq!(purger.purge().await.expect("purge"), 0);
        Ok(second)
    });
    let data: ByteStream = Box::pin(stream::iter(vec![Ok(first)]).chain(rest));
    let handle = put(&store, data).await.handle;
    assert!(read(&store, &handle, 0, u64::MAX).await == Some(whole));
}

/// No two entries share a handle, also if they hold the same.
pub async fn handles_differ(store: Store, _clock: Arc<ManualClock>) {
    let mut seen = HashSet::new();
    for _ in 0..50 {
        let handle = put(&store, small()).await.handle;
        assert!(handle.as_str().len() >= 22, "{handle} is too short to be unguessable");
        assert!(seen.insert(handle));
    }
}
