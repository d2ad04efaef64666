//! Group commit: requests that come while one is being written are written together by the next.

use super::store::{self, Taken, ToTake};
use crate::{clock::Millis, db::Db};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

/// Receipts in one transaction, so that it stays short.
const MOST: usize = 20_000;

struct Job {
    receipts: Vec<ToTake>,
    now: Millis,
    answer: oneshot::Sender<Result<Vec<Taken>, Arc<sqlx::Error>>>,
}

#[derive(Clone, Default)]
pub struct Group(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    /// Somebody writes, and looks again when he is done.
    writing: bool,
}

impl Group {
    /// Writes the receipts of one request; they are on disk when this returns. What became of each, in their order.
    pub async fn write(&self, db: &Db, receipts: Vec<ToTake>, now: Millis) -> Result<Vec<Taken>, Arc<sqlx::Error>> {
        let (answer, answered) = oneshot::channel();
        let nobody_writes = {
            let mut waiting = self.waiting();
            waiting.jobs.push_back(Job { receipts, now, answer });
            !std::mem::replace(&mut waiting.writing, true)
        };
        if nobody_writes {
            // In a task of its own: a caller that goes away must not take the others' receipts along.
            tokio::spawn(Writer { group: self.clone(), ended: false }.write_all(db.clone()));
        }
        answered.await.unwrap_or_else(|_| Err(Arc::new(sqlx::Error::WorkerCrashed)))
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One at a time.
struct Writer {
    group: Group,
    ended: bool,
}

impl Writer {
    async fn write_all(mut self, db: Db) {
        while let Some(jobs) = self.next() {
            write(&db, jobs).await;
        }
    }

    /// What fits in one transaction, a request at the least. `None` when nobody waits: who comes next needs a writer.
    fn next(&mut self) -> Option<Vec<Job>> {
        let mut waiting = self.group.waiting();
        let mut sum = 0;
        let fits = |job: &&Job| {
            sum += job.receipts.len();
            sum <= MOST
        };
        let some = waiting.jobs.iter().take_while(fits).count().max(1).min(waiting.jobs.len());
        waiting.writing = some > 0;
        self.ended = some == 0;
        (some > 0).then(|| waiting.jobs.drain(..some).collect())
    }
}

/// One that did not come to its end leaves nobody waiting for ever: their requests fail and are posted again.
impl Drop for Writer {
    fn drop(&mut self) {
        if !self.ended {
            let mut waiting = self.group.waiting();
            waiting.writing = false;
            waiting.jobs.clear();
        }
    }
}

async fn write(db: &Db, jobs: Vec<Job>) {
    let now = jobs.iter().map(|job| job.now).max().unwrap_or_default();
    let (mut all, mut answers) = (Vec::new(), Vec::new());
    for job in jobs {
        answers.push((job.receipts.len(), job.answer));
        all.extend(job.receipts);
    }
    match store::take(db, &all, now).await {
        Ok(mut taken) => {
            for (count, answer) in answers {
                let rest = taken.split_off(count);
                // A caller that has gone away asks again, and nothing changes by it.
                let _ = answer.send(Ok(std::mem::replace(&mut taken, rest)));
            }
        }
        Err(error) => {
            let error = Arc::new(error);
            for (_, answer) in answers {
                let _ = answer.send(Err(error.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{db::testing, fetch};
    use futures::future::join_all;

    fn receipt(number: i64) -> Vec<ToTake> {
        let receipt = serde_json::from_value(serde_json::json!({"msg_id": number})).unwrap();
        let (workspace_id, send_id, problem) = ("w".into(), "s".into(), Some("odd".into()));
        vec![ToTake { workspace_id, problem, send_id, seq: number, sent_at: 0, receipt }]
    }

    async fn until(holds: impl Fn() -> bool) {
        while !holds() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn requests_that_come_meanwhile_wait_for_one_writer() {
        let (db, _folder) = testing::sqlite().await;
        let group = Group::default();
        let busy = db.begin().await.unwrap();
        let first = group.write(&db, receipt(0), 1);
        let others = async {
            until(|| group.waiting().writing && group.waiting().jobs.is_empty()).await;
            join_all((1..10).map(|number| group.write(&db, receipt(number), 1))).await
        };
        let look = async {
            until(|| group.waiting().jobs.len() == 9).await;
            assert_eq!(Arc::strong_count(&group.0), 2, "ours and the writer's");
            drop(busy);
        };
        let (first, others, ()) = tokio::join!(first, others, look);
        for taken in others.into_iter().chain([first]) {
            assert_eq!(taken.unwrap(), [Err("odd".to_string())]);
        }
        assert_eq!(fetch!(db, one, (i64,), "select count(*) from receipt_problems").unwrap().0, 10);
        until(|| Arc::strong_count(&group.0) == 1).await;
        assert!(!group.waiting().writing);
    }

    #[tokio::test]
    async fn a_writer_that_dies_leaves_nobody_waiting() {
        let (db, _folder) = testing::sqlite().await;
        let group = Group::default();
        group.waiting().writing = true;
        let die = async {
            until(|| group.waiting().jobs.len() == 1).await;
            drop(Writer { group: group.clone(), ended: false });
        };
        let (told, ()) = tokio::join!(group.write(&db, receipt(0), 1), die);
        assert!(told.is_err());
        assert!(group.write(&db, receipt(1), 1).await.is_ok());
    }
}
