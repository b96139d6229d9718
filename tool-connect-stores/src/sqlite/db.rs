//! The threads behind a database file. One writes: it takes whatever has queued up, runs it in one
//! transaction with a savepoint for each piece, and answers after the commit, so that many callers
//! share one wait for the disk. A few read. Callers wait on channels and need no runtime.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};
use tool_connect_core::{Clock, Error, ErrorKind, Result, Retry};

use super::fault::{Fault, Place};
use super::options::SqliteOptions;
use super::{open, values};

/// How many pieces of work may wait; callers beyond wait for room.
const QUEUE: usize = 4096;
/// How many pieces share one commit at most.
const BATCH: usize = 512;

/// A database: its threads, and the clock that its stores go by.
pub(crate) struct Db {
    writer: Option<mpsc::Sender<Request>>,
    /// `None` for a database in memory, which has one connection for everything.
    readers: Option<mpsc::Sender<Read>>,
    threads: Vec<JoinHandle<()>>,
    clock: Arc<dyn Clock>,
    place: Place,
}

type Read = Box<dyn FnOnce(&Connection) + Send>;

/// What the writer is asked.
enum Request {
    Work(Box<dyn Write>),
    /// Fold the write-ahead log into the file and cut it to nothing, as far as readers let it.
    FoldLog(oneshot::Sender<()>),
}

/// A piece of work for the writer.
trait Write: Send {
    /// Whether nobody waits for it any more; then it need not begin.
    fn abandoned(&self) -> bool;
    /// Whether its commit waits for the disk even where the options say that others need not.
    fn durable(&self) -> bool;
    /// Does it; may be asked again if a transaction was lost. False where its effect must be undone.
    fn run(&mut self, conn: &Connection) -> bool;
    /// Tells its caller what came out, or why the commit failed.
    fn answer(self: Box<Self>, committed: Result<(), Error>);
}

struct Piece<T, F> {
    work: F,
    outcome: Option<Result<T, Fault>>,
    caller: Option<oneshot::Sender<Result<T>>>,
    durable: bool,
    place: Place,
}

impl<T, F> Write for Piece<T, F>
where
    T: Send,
    F: FnMut(&Connection) -> Result<T, Fault> + Send,
{
    fn abandoned(&self) -> bool {
        self.caller.as_ref().is_some_and(oneshot::Sender::is_closed)
    }

    fn durable(&self) -> bool {
        self.durable
    }

    fn run(&mut self, conn: &Connection) -> bool {
        let outcome =
            catch_unwind(AssertUnwindSafe(|| (self.work)(conn))).unwrap_or_else(|_| Err(panicked()));
        self.outcome.insert(outcome).is_ok()
    }

    fn answer(self: Box<Self>, committed: Result<(), Error>) {
        let Some(caller) = self.caller else { return };
        let answer = match (self.outcome, committed) {
            // Its own failure tells more than that of the commit.
            (Some(Err(fault)), _) => Err(self.place.explain(fault)),
            (_, Err(error)) => Err(error),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(stopped()),
        };
        // The caller may have gone away meanwhile; the effect stands.
        let _ = caller.send(answer);
    }
}

fn panicked() -> Fault {
    Fault::Refused(Error::new(ErrorKind::Internal, "a statement panicked; its effect was undone"))
}

fn stopped() -> Error {
    Error::new(ErrorKind::Storage, "the database's thread has stopped; open the database again")
        .retry(Retry::Never)
}

impl Db {
    pub(crate) fn file(path: &Path, options: &SqliteOptions, clock: Arc<dyn Clock>) -> Result<Self> {
        open::check_path(path)?;
        let path = std::path::absolute(path).map_err(|e| {
            Error::new(ErrorKind::Config, format!("`{}` is not a path to a file", path.display()))
                .caused_by(e)
        })?;
        let place = Place::file(&path, options.busy_timeout);
        let explain = |fault| place.explain(fault);
        let write = open::writer(&path, options, values::now(&*clock), &place).map_err(explain)?;
        let mut db = Self::with_writer(write, clock, place.clone())?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let receiver = Arc::new(Mutex::new(receiver));
        for number in 0..options.readers.clamp(1, 64) {
            let conn = open::reader(&path, options).map_err(explain)?;
            let receiver = Arc::clone(&receiver);
            db.spawn(&format!("tool-connect-read-{number}"), move || read_all(&conn, &receiver))?;
        }
        db.readers = Some(sender);
        Ok(db)
    }

    pub(crate) fn memory(clock: Arc<dyn Clock>) -> Result<Self> {
        let place = Place::memory();
        let conn = open::memory(values::now(&*clock), &place).map_err(|fault| place.explain(fault))?;
        Self::with_writer(conn, clock, place)
    }

    fn with_writer(conn: Connection, clock: Arc<dyn Clock>, place: Place) -> Result<Self> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let mut db =
            Self { writer: Some(sender), readers: None, threads: Vec::new(), clock, place: place.clone() };
        db.spawn("tool-connect-write", move || write_all(&conn, receiver, &place))?;
        Ok(db)
    }

    fn spawn(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work).map_err(|e| {
            Error::new(ErrorKind::Storage, "the system refused a thread for the database; raise its limit")
                .caused_by(e)
        })?;
        self.threads.push(thread);
        Ok(())
    }

    pub(crate) fn name(&self) -> String {
        self.place.name()
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Runs a piece of work in a transaction and returns once it is as durable as the options say. It
    /// is done whole or not at all; dropped before it began, it is not done.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        self.write_piece(work, false).await
    }

    /// [`write`](Self::write) that returns once the disk has it, whatever the options say.
    pub(crate) async fn write_durably<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        self.write_piece(work, true).await
    }

    async fn write_piece<T, F>(&self, work: F, durable: bool) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let piece = Piece { work, outcome: None, caller: Some(caller), durable, place: self.place.clone() };
        let writer = self.writer.as_ref().ok_or_else(stopped)?;
        writer.send(Request::Work(Box::new(piece))).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// Repeats a piece of work that does at most so many rows at a time and says how many it did,
    /// until it finds fewer; returns their sum. Others write in between.
    pub(crate) async fn write_in_slices<F>(&self, work: F) -> Result<u64>
    where
        F: Fn(&Connection, i64) -> Result<usize, Fault> + Send + Sync + 'static,
    {
        const SLICE: i64 = 500;
        let work = Arc::new(work);
        let mut sum = 0_u64;
        loop {
            let work = Arc::clone(&work);
            let done = self.write(move |conn| work(conn, SLICE)).await?;
            sum = sum.saturating_add(u64::try_from(done).unwrap_or(u64::MAX));
            if i64::try_from(done).is_ok_and(|done| done < SLICE) {
                return Ok(sum);
            }
        }
    }

    /// Queues a piece of work that nobody waits for. False where the queue is full: it is not done.
    pub(crate) fn write_detached(
        &self,
        work: impl FnMut(&Connection) -> Result<(), Fault> + Send + 'static,
    ) -> bool {
        let piece = Piece { work, outcome: None, caller: None, durable: false, place: self.place.clone() };
        self.writer.as_ref().is_some_and(|writer| writer.try_send(Request::Work(Box::new(piece))).is_ok())
    }

    /// Cuts the write-ahead log, so that nothing that was overwritten is left in it. Gives up, and
    /// leaves it to the next regular time, where a reader is in the way.
    pub(crate) async fn fold_log(&self) -> Result<()> {
        let (caller, done) = oneshot::channel();
        self.writer
            .as_ref()
            .ok_or_else(stopped)?
            .send(Request::FoldLog(caller))
            .await
            .map_err(|_| stopped())?;
        done.await.map_err(|_| stopped())
    }

    /// Reads; everything that the work sees is of one moment.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        let Some(readers) = &self.readers else { return self.write(work).await };
        let (caller, answer) = oneshot::channel();
        let place = self.place.clone();
        let read = move |conn: &Connection| {
            if caller.is_closed() {
                return;
            }
            let outcome = catch_unwind(AssertUnwindSafe(|| at_one_moment(conn, &work)));
            let outcome = outcome.unwrap_or_else(|_| Err(panicked()));
            let _ = caller.send(outcome.map_err(|fault| place.explain(fault)));
        };
        readers.send(Box::new(read)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

impl Drop for Db {
    /// Lets the threads finish what is queued and waits for them; the writer ends last, so that it
    /// is the one that folds the write-ahead log into the file.
    fn drop(&mut self) {
        self.readers = None;
        let mut threads = std::mem::take(&mut self.threads);
        let mut join = |thread: JoinHandle<()>| {
            // A thread that panicked has nothing left to say.
            let _ = thread.join();
        };
        threads.drain(1.min(threads.len())..).for_each(&mut join);
        self.writer = None;
        threads.drain(..).for_each(join);
    }
}

fn at_one_moment<T>(conn: &Connection, work: impl Fn(&Connection) -> Result<T, Fault>) -> Result<T, Fault> {
    let transaction = conn.unchecked_transaction()?;
    work(&transaction)
}

fn read_all(conn: &Connection, queue: &Mutex<mpsc::Receiver<Read>>) {
    loop {
        // One reader waits at the queue, the others wait for their turn to.
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        match next {
            Some(read) => read(conn),
            None => return,
        }
    }
}

fn write_all(conn: &Connection, mut queue: mpsc::Receiver<Request>, place: &Place) {
    let mut batch = Vec::new();
    while let Some(first) = queue.blocking_recv() {
        let mut next = Some(first);
        let mut fold = None;
        while let Some(request) = next {
            match request {
                Request::Work(piece) if !piece.abandoned() => batch.push(piece),
                Request::Work(_) => {}
                Request::FoldLog(caller) => fold = Some(caller),
            }
            let more = batch.len() < BATCH && fold.is_none();
            next = if more { queue.try_recv().ok() } else { None };
        }
        settle(conn, &mut batch, place);
        if let Some(caller) = fold {
            fold_log(conn, place);
            let _ = caller.send(());
        }
    }
}

fn fold_log(conn: &Connection, place: &Place) {
    // Other writers wait meanwhile, so the patience with readers is short.
    const PATIENCE: Duration = Duration::from_millis(250);
    let folded = conn
        .busy_timeout(PATIENCE.min(place.busy_timeout()))
        .and_then(|()| conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
    let restored = conn.busy_timeout(place.busy_timeout());
    // Either failing leaves the file whole and the log to be folded later.
    let _ = (folded, restored);
}

/// Why a transaction with its pieces did not come to its end.
enum Failed {
    /// It could not begin or be committed.
    Whole(rusqlite::Error),
    /// SQLite gave the transaction up because of one piece, and what the others did with it.
    Lost,
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Whole(error)
    }
}

/// Commits the pieces together. Where that fails, each is tried by itself: what one was refused for
/// (no room, say) need not concern the others.
fn settle(conn: &Connection, batch: &mut Vec<Box<dyn Write>>, place: &Place) {
    match together(conn, batch) {
        Ok(()) => batch.drain(..).for_each(|piece| piece.answer(Ok(()))),
        Err(Failed::Whole(error)) if batch.len() == 1 || is_busy(&error) => {
            for piece in batch.drain(..) {
                piece.answer(Err(place.explain_sqlite(&error)));
            }
        }
        Err(Failed::Lost) if batch.len() == 1 => {
            batch.drain(..).for_each(|piece| piece.answer(Err(stopped())))
        }
        Err(_) => {
            for piece in batch.drain(..) {
                settle(conn, &mut vec![piece], place);
            }
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseBusy))
}

fn together(conn: &Connection, batch: &mut [Box<dyn Write>]) -> Result<(), Failed> {
    if batch.is_empty() {
        return Ok(());
    }
    if !conn.is_autocommit() {
        // An earlier rollback failed too.
        execute(conn, "ROLLBACK")?;
    }
    // It can only be changed between transactions. A commit that waits takes along what earlier ones left to be written.
    let wait = batch.iter().any(|piece| piece.durable()) && synchronous(conn)? < FULL;
    if wait {
        conn.pragma_update(None, "synchronous", "FULL")?;
    }
    let outcome = begin_and_end(conn, batch);
    if wait {
        // Where this fails, later commits wait too, which is safe; what was committed stays committed.
        let _ = conn.pragma_update(None, "synchronous", "NORMAL");
    }
    outcome
}

/// SQLite's number of the mode in which each commit waits for the disk.
const FULL: i64 = 2;

fn synchronous(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached("PRAGMA synchronous")?.query_row([], |row| row.get(0))
}

fn begin_and_end(conn: &Connection, batch: &mut [Box<dyn Write>]) -> Result<(), Failed> {
    execute(conn, "BEGIN IMMEDIATE")?;
    let outcome = run_and_commit(conn, batch);
    if !conn.is_autocommit() {
        // After a failed commit, or where the only piece was refused.
        execute(conn, "ROLLBACK")?;
    }
    outcome
}

fn run_and_commit(conn: &Connection, batch: &mut [Box<dyn Write>]) -> Result<(), Failed> {
    if let [only] = batch {
        // Its own answer says why it was refused.
        return if only.run(conn) { Ok(execute(conn, "COMMIT")?) } else { Ok(()) };
    }
    for piece in batch {
        execute(conn, "SAVEPOINT piece")?;
        if !piece.run(conn) {
            if conn.is_autocommit() {
                return Err(Failed::Lost);
            }
            execute(conn, "ROLLBACK TO piece")?;
        }
        execute(conn, "RELEASE piece")?;
    }
    Ok(execute(conn, "COMMIT")?)
}

fn execute(conn: &Connection, sql: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(sql)?.execute([]).map(drop)
}

#[cfg(test)]
mod tests;
