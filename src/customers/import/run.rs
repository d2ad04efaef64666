//! Running an import: a thread reads and checks rows, this task writes them chunk by chunk. Memory is bounded by the
//! chunks on their way, and a run that was interrupted goes on at the first row that is not in the database.

use super::{
    csv::Records,
    inspect::{self, Inspected, Refusal},
    row::{BadRow, Plan, Row},
    settle,
    store::{self, Position},
    upsert,
};
use crate::{clock::Clock, customers::mapping::Mapping, db::Db, fetch};
use std::{
    io,
    path::{Path, PathBuf},
};
use tokio::sync::mpsc;

const CHUNK_ROWS: usize = 2_000;
const CHUNK_BYTES: usize = 4 << 20;
/// Chunks that may wait for the database.
const AHEAD: usize = 2;

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
    #[error("{0}")]
    Refused(#[from] Refusal),
    #[error("reading the file: {0}")]
    Read(#[from] io::Error),
    #[error("the file has changed since its columns were mapped")]
    Changed,
    #[error("another run of this import is ahead")]
    Overtaken,
    #[error("it is not running")]
    NotRunning,
    #[error("reading stopped before the end of the file")]
    Cut,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub bytes: i64,
    pub good: i64,
    pub bad: i64,
}

#[derive(Debug, Default)]
struct Chunk {
    rows: Vec<Row>,
    bad: Vec<BadRow>,
    end: Position,
    last: bool,
}

/// What a run works on.
pub struct Run<'a> {
    pub db: &'a Db,
    pub clock: &'a Clock,
    pub workspace: &'a str,
    pub id: &'a str,
}

impl Run<'_> {
    /// Imports what is left of the file and records the end, good or bad. An import that another run is ahead with is
    /// left to it.
    pub async fn to_end(&self, path: &Path, progress: impl FnMut(Progress)) -> Result<(), RunError> {
        let ended = self.chunks(path, progress).await;
        let error = match &ended {
            Err(RunError::Overtaken | RunError::NotRunning) => return ended,
            Err(error) => Some(error.to_string()),
            Ok(()) => None,
        };
        store::finish(self.db, self.workspace, self.id, error.as_deref(), self.clock.now()).await?;
        ended
    }

    async fn chunks(&self, path: &Path, mut progress: impl FnMut(Progress)) -> Result<(), RunError> {
        let (mapping, mut at) =
            store::to_run(self.db, self.workspace, self.id, self.clock.now()).await?.ok_or(RunError::NotRunning)?;
        let mapping: Mapping = serde_json::from_str(&mapping).map_err(|_| RunError::Changed)?;
        let file = inspect::inspect(path)?;
        if !file.header.iter().eq(mapping.columns.iter().map(|column| &column.header)) {
            return Err(RunError::Changed);
        }
        let plan = Plan::new(&mapping).ok_or(RunError::Changed)?;
        let single = self.single(&plan.id_types).await?;
        let id_types = plan.id_types.clone();
        let start = if at.lines == 0 { Position { bytes: file.offset as i64, lines: file.lines } } else { at };
        let (send, mut chunks) = mpsc::channel(AHEAD);
        let reader = tokio::task::spawn_blocking({
            let path = path.to_path_buf();
            move || read(path, &file, &plan, start, &send)
        });
        let mut done = Progress::default();
        let mut complete = false;
        while let Some(chunk) = chunks.recv().await {
            let (end, last) = (chunk.end, chunk.last);
            let (good, bad) = self.write(chunk, at, &id_types, &single).await?;
            at = end;
            complete = last;
            done = Progress { bytes: end.bytes, good: done.good + good, bad: done.bad + bad };
            progress(done);
        }
        reader.await.map_err(io::Error::other)??;
        if complete { Ok(()) } else { Err(RunError::Cut) }
    }

    /// One transaction.
    async fn write(
        &self,
        chunk: Chunk,
        from: Position,
        id_types: &[String],
        single: &[bool],
    ) -> Result<(i64, i64), RunError> {
        let mut tx = self.db.begin().await?;
        if !store::advance(&mut tx, self.workspace, self.id, from, chunk.end, self.clock.now()).await? {
            return Err(RunError::Overtaken);
        }
        let owners = upsert::owners(&mut tx, self.workspace, &chunk.rows, id_types, single).await?;
        let mut settled = settle::settle(chunk.rows, owners, single, id_types);
        let mut bad = chunk.bad;
        bad.append(&mut settled.bad);
        let new = upsert::write(&mut tx, self.workspace, &settled, id_types, self.clock.now()).await?;
        if !bad.is_empty() {
            upsert::write_bad(&mut tx, self.workspace, self.id, &bad).await?;
        }
        store::count(&mut tx, self.workspace, self.id, settled.good, &bad, new).await?;
        tx.commit().await?;
        Ok((settled.good, bad.len() as i64))
    }

    /// Which ID types hold one value of a customer.
    async fn single(&self, id_types: &[String]) -> sqlx::Result<Vec<bool>> {
        let rows = fetch!(
            self.db,
            all,
            (String,),
            "select code from id_types where workspace_id = $1 and not multi_value",
            self.workspace
        )?;
        Ok(id_types.iter().map(|id_type| rows.iter().any(|(code,)| code == id_type)).collect())
    }
}

/// Reads and checks rows until the end of the file, or until nobody takes them any more.
fn read(path: PathBuf, file: &Inspected, plan: &Plan, start: Position, send: &mpsc::Sender<Chunk>) -> io::Result<()> {
    let input = inspect::open_at(&path, start.bytes as u64)?;
    let mut records = Records::new(input, file.separator, Some(file.header.len()), start.bytes as u64, start.lines);
    let mut chunk = Chunk { end: start, ..Chunk::default() };
    let mut bytes = 0;
    while let Some(record) = records.read()? {
        let line = record.line;
        let row = match record.cells {
            Ok(cells) => {
                bytes += cells.bytes();
                plan.read(line, &cells)
            }
            Err(fault) => Err(BadRow::new(line, fault)),
        };
        match row {
            Ok(row) => chunk.rows.push(row),
            Err(bad) => chunk.bad.push(bad),
        }
        chunk.end = Position { bytes: record.end as i64, lines: records.lines() };
        if chunk.rows.len() + chunk.bad.len() >= CHUNK_ROWS || bytes >= CHUNK_BYTES {
            let end = chunk.end;
            if send.blocking_send(std::mem::replace(&mut chunk, Chunk { end, ..Chunk::default() })).is_err() {
                return Ok(());
            }
            bytes = 0;
        }
    }
    chunk.last = true;
    chunk.end = Position { bytes: records.offset() as i64, lines: records.lines() };
    // Nobody takes it: then the task has said why already.
    let _ = send.blocking_send(chunk);
    Ok(())
}
