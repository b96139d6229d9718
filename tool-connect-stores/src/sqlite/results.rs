//! Large values and files on SQLite, in chunks. An entry becomes visible with its last chunk; one
//! that is dropped vanishes at once and is cleared away chunk by chunk, so that neither a long
//! stream nor its end keeps other writers waiting.

use std::future::poll_fn;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use rusqlite::{Connection, OptionalExtension, named_params};
use tool_connect_core::http::ByteStream;
use tool_connect_core::store::{NewResult, ResultMeta, ResultStore};
use tool_connect_core::{Error, ErrorKind, Result, ResultHandle, TenantId, UserId};

use super::db::Db;
use super::fault::Fault;
use super::values::{after, decoded, integer, natural, now, tenant_for_write, time};

/// [`ResultStore`] on SQLite.
pub(crate) struct SqliteResults(pub(crate) Arc<Db>);

const CHUNK: usize = 256 * 1024;
/// How long a writer may take from one chunk to the next before a purge gives it up for dead.
const PATIENCE: Duration = Duration::from_secs(3600);
/// How many chunks one piece of work clears away.
const CLEARED_AT_ONCE: i64 = 16;
/// How many expired entries and old chunks a `put` clears: more than a small one adds.
const CLEARED_PER_PUT: i64 = 2;

/// A visible entry of this user.
const VISIBLE: &str = "handle = :handle AND user = :user AND state = 1 AND expires > :now
    AND tenant = (SELECT no FROM tc_tenants WHERE id = :tenant)";

/// Writes the row of a new entry; returns its number and handle.
fn insert(
    conn: &Connection,
    new: &NewResult,
    size: u64,
    expires: i64,
    state: i64,
) -> Result<(i64, String), Fault> {
    let row = conn
        .prepare_cached(
            "INSERT INTO tc_results (handle, tenant, user, media_type, name, size, chunk_size, expires, state)
             VALUES (lower(hex(randomblob(16))), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING no, handle",
        )?
        .query_row(
            (
                tenant_for_write(conn, &new.tenant)?,
                new.user.as_str(),
                &new.media_type,
                &new.name,
                integer(size),
                integer(CHUNK as u64),
                expires,
                state,
            ),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
    Ok(row)
}

fn insert_chunk(conn: &Connection, result: i64, chunk: i64, data: &[u8]) -> Result<(), Fault> {
    conn.prepare_cached("INSERT INTO tc_result_chunks (result, chunk, data) VALUES (?1, ?2, ?3)")?
        .execute((result, chunk, data))?;
    Ok(())
}

/// Hides what has expired, and what a writer that is gone left behind.
fn drop_expired(conn: &Connection, now: i64, state: i64, most: i64) -> Result<usize, Fault> {
    let dropped = conn
        .prepare_cached(
            "UPDATE tc_results SET state = 2, expires = 0 WHERE no IN
             (SELECT no FROM tc_results WHERE expires <= ?1 AND state = ?2 LIMIT ?3)",
        )?
        .execute((now, state, most))?;
    Ok(dropped)
}

/// Clears away up to so many chunks of a dropped entry, and the entry with its last one. False where
/// there is nothing left to clear.
fn clear_dropped(conn: &Connection, most: i64) -> Result<bool, Fault> {
    let dropped: Option<i64> = conn
        .prepare_cached("SELECT no FROM tc_results WHERE expires = 0 AND state = 2 LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let Some(no) = dropped else { return Ok(false) };
    let cleared = conn
        .prepare_cached(
            "DELETE FROM tc_result_chunks WHERE result = ?1 AND chunk IN
             (SELECT chunk FROM tc_result_chunks WHERE result = ?1 LIMIT ?2)",
        )?
        .execute((no, most))?;
    if i64::try_from(cleared).is_ok_and(|cleared| cleared < most) {
        conn.prepare_cached("DELETE FROM tc_results WHERE no = ?1")?.execute([no])?;
    }
    Ok(true)
}

/// An entry that is being written in several pieces; dropped unfinished, it is cleared away.
struct Draft {
    db: Arc<Db>,
    no: i64,
    handle: String,
    chunks: i64,
    finished: bool,
}

impl Draft {
    async fn begin(db: &Arc<Db>, new: &NewResult, first: Bytes) -> Result<Self> {
        let (clock, new) = (db.clock(), new.clone());
        let (no, handle) = db
            .write(move |conn| {
                let now = now(&*clock);
                let row = insert(conn, &new, 0, after(now, PATIENCE), 0)?;
                insert_chunk(conn, row.0, 0, &first)?;
                Ok(row)
            })
            .await?;
        Ok(Self { db: Arc::clone(db), no, handle, chunks: 1, finished: false })
    }

    async fn add(&mut self, data: Bytes) -> Result<()> {
        let (clock, no, chunk) = (self.db.clock(), self.no, self.chunks);
        self.db
            .write(move |conn| {
                let until = after(now(&*clock), PATIENCE);
                let waited_for = conn
                    .prepare_cached("UPDATE tc_results SET expires = ?2 WHERE no = ?1 AND state = 0")?
                    .execute((no, until))?;
                if waited_for == 0 {
                    return Err(given_up());
                }
                insert_chunk(conn, no, chunk, &data)
            })
            .await?;
        self.chunks += 1;
        Ok(())
    }

    async fn finish(mut self, last: Bytes, size: u64, keep: Duration) -> Result<(String, i64)> {
        let (clock, no, chunk) = (self.db.clock(), self.no, self.chunks);
        let expires = self
            .db
            .write(move |conn| {
                let expires = after(now(&*clock), keep);
                let waited_for = conn
                    .prepare_cached("UPDATE tc_results SET state = 1, size = ?2, expires = ?3 WHERE no = ?1 AND state = 0")?
                    .execute((no, integer(size), expires))?;
                if waited_for == 0 {
                    return Err(given_up());
                }
                insert_chunk(conn, no, chunk, &last)?;
                Ok(expires)
            })
            .await?;
        self.finished = true;
        Ok((std::mem::take(&mut self.handle), expires))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        let no = self.no;
        // Where the queue is full, a later purge finds it when its time is over.
        self.db.write_detached(move |conn| {
            conn.prepare_cached("UPDATE tc_results SET state = 2, expires = 0 WHERE no = ?1 AND state = 0")?
                .execute([no])?;
            clear_dropped(conn, CLEARED_AT_ONCE).map(drop)
        });
    }
}

fn given_up() -> Fault {
    Fault::Refused(Error::new(
        ErrorKind::Storage,
        "the stream took longer than an hour from one piece to the next, and its entry was purged; store it again",
    ))
}

fn too_large(most: u64) -> Error {
    Error::new(
        ErrorKind::TooLarge,
        format!("the data is longer than {most} bytes, which is the cap for a stored result"),
    )
}

impl SqliteResults {
    /// Stores what fits in one chunk with one commit.
    async fn put_small(&self, new: &NewResult, data: Bytes) -> Result<(String, i64)> {
        let (clock, new) = (self.0.clock(), new.clone());
        self.0
            .write(move |conn| {
                let now = now(&*clock);
                drop_expired(conn, now, 1, CLEARED_PER_PUT)?;
                clear_dropped(conn, CLEARED_PER_PUT)?;
                let expires = after(now, new.keep);
                let (no, handle) = insert(conn, &new, data.len() as u64, expires, 1)?;
                if !data.is_empty() {
                    insert_chunk(conn, no, 0, &data)?;
                }
                Ok((handle, expires))
            })
            .await
    }
}

#[async_trait]
impl ResultStore for SqliteResults {
    async fn put(&self, new: NewResult, mut data: ByteStream) -> Result<ResultMeta> {
        let mut size = 0_u64;
        let mut buffer = BytesMut::new();
        let mut draft: Option<Draft> = None;
        while let Some(piece) = poll_fn(|cx| data.as_mut().poll_next(cx)).await {
            let mut piece = piece?;
            size = size.saturating_add(piece.len() as u64);
            if size > new.max_bytes {
                return Err(too_large(new.max_bytes));
            }
            // At least one byte is held back, so that the last chunk and the end are one commit.
            while buffer.len() + piece.len() > CHUNK {
                let rest = piece.split_off(CHUNK.saturating_sub(buffer.len()));
                buffer.extend_from_slice(&piece);
                piece = rest;
                let chunk = buffer.split().freeze();
                match &mut draft {
                    None => draft = Some(Draft::begin(&self.0, &new, chunk).await?),
                    Some(draft) => draft.add(chunk).await?,
                }
            }
            buffer.extend_from_slice(&piece);
        }
        let last = buffer.freeze();
        let (handle, expires) = match draft {
            None => self.put_small(&new, last).await?,
            Some(draft) => draft.finish(last, size, new.keep).await?,
        };
        Ok(ResultMeta {
            handle: ResultHandle::new(handle)?,
            user: new.user,
            media_type: new.media_type,
            name: new.name,
            size,
            expires: time(expires),
        })
    }

    async fn meta(
        &self,
        tenant: &TenantId,
        user: &UserId,
        handle: &ResultHandle,
    ) -> Result<Option<ResultMeta>> {
        let clock = self.0.clock();
        let (tenant, user, handle) = (tenant.clone(), user.clone(), handle.clone());
        self.0
            .read(move |conn| {
                let sql = format!("SELECT media_type, name, size, expires FROM tc_results WHERE {VISIBLE}");
                let mut statement = conn.prepare_cached(&sql)?;
                let meta = statement
                    .query_row(
                        named_params! {
                            ":handle": handle.as_str(),
                            ":user": user.as_str(),
                            ":now": now(&*clock),
                            ":tenant": tenant.as_str(),
                        },
                        |row| {
                            Ok(ResultMeta {
                                handle: handle.clone(),
                                user: user.clone(),
                                media_type: row.get(0)?,
                                name: row.get(1)?,
                                size: natural(row.get(2)?),
                                expires: time(row.get(3)?),
                            })
                        },
                    )
                    .optional()?;
                Ok(meta)
            })
            .await
    }

    async fn read(
        &self,
        tenant: &TenantId,
        user: &UserId,
        handle: &ResultHandle,
        range: Range<u64>,
    ) -> Result<Option<Bytes>> {
        let clock = self.0.clock();
        let (tenant, user, handle) = (tenant.clone(), user.clone(), handle.clone());
        self.0
            .read(move |conn| {
                let sql = format!("SELECT no, size, chunk_size FROM tc_results WHERE {VISIBLE}");
                let entry: Option<(i64, i64, i64)> = conn
                    .prepare_cached(&sql)?
                    .query_row(
                        named_params! {
                            ":handle": handle.as_str(),
                            ":user": user.as_str(),
                            ":now": now(&*clock),
                            ":tenant": tenant.as_str(),
                        },
                        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                    )
                    .optional()?;
                let Some((no, size, chunk_size)) = entry else { return Ok(None) };
                let start = integer(range.start).min(size);
                let end = integer(range.end).min(size).max(start);
                read_range(conn, no, chunk_size.max(1), start..end).map(Some)
            })
            .await
    }

    async fn delete(&self, tenant: &TenantId, user: &UserId, handle: &ResultHandle) -> Result<bool> {
        let clock = self.0.clock();
        let (tenant, user, handle) = (tenant.clone(), user.clone(), handle.clone());
        self.0
            .write(move |conn| {
                let sql = format!("UPDATE tc_results SET state = 2, expires = 0 WHERE {VISIBLE}");
                let dropped = conn.prepare_cached(&sql)?.execute(named_params! {
                    ":handle": handle.as_str(),
                    ":user": user.as_str(),
                    ":now": now(&*clock),
                    ":tenant": tenant.as_str(),
                })?;
                clear_dropped(conn, CLEARED_AT_ONCE)?;
                Ok(dropped > 0)
            })
            .await
    }

    async fn purge(&self) -> Result<u64> {
        let clock = self.0.clock();
        let expired =
            self.0.write_in_slices(move |conn, most| drop_expired(conn, now(&*clock), 1, most)).await?;
        let clock = self.0.clock();
        self.0.write_in_slices(move |conn, most| drop_expired(conn, now(&*clock), 0, most)).await?;
        while self.0.write(|conn| clear_dropped(conn, CLEARED_AT_ONCE)).await? {}
        if expired > 0 {
            // The write-ahead log may still hold what the file no longer does.
            self.0.fold_log().await?;
        }
        Ok(expired)
    }
}

/// Reads a range that lies within the entry.
fn read_range(conn: &Connection, no: i64, chunk_size: i64, range: Range<i64>) -> Result<Bytes, Fault> {
    let length = usize::try_from(range.end - range.start).unwrap_or(0);
    if length == 0 {
        return Ok(Bytes::new());
    }
    let mut read = Vec::with_capacity(length);
    let mut statement = conn
        .prepare_cached("SELECT chunk, data FROM tc_result_chunks WHERE result = ?1 AND chunk BETWEEN ?2 AND ?3 ORDER BY chunk")?;
    let mut rows = statement.query((no, range.start / chunk_size, (range.end - 1) / chunk_size))?;
    while let Some(row) = rows.next()? {
        let begins = row.get::<_, i64>(0)?.saturating_mul(chunk_size);
        let data = decoded("data", row.get_ref(1)?.as_blob())?;
        let within = |offset: i64| usize::try_from(offset - begins).unwrap_or(0).min(data.len());
        read.extend_from_slice(data.get(within(range.start)..within(range.end)).unwrap_or_default());
    }
    decoded("data", if read.len() == length { Ok(Bytes::from(read)) } else { Err(()) })
}
