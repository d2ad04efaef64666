//! Group commit: requests that come while one is being written are written together by the next.

use super::store::{self, Taken, ToTake};
use crate::{clock::Millis, db::Db};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Receipts in one transaction, so that it stays short.
const MOST: usize = 20_000;

struct Job {
    receipts: Vec<ToTake>,
    answer: oneshot::Sender<Result<Vec<Taken>, Arc<sqlx::Error>>>,
}

#[derive(Clone, Default)]
pub struct Group(Arc<Waiting>);

#[derive(Default)]
struct Waiting {
    jobs: Mutex<Vec<Job>>,
    turn: tokio::sync::Mutex<()>,
}

impl Group {
    /// Writes the receipts of one request; they are on disk when this returns. What became of each, in their order.
    pub async fn write(&self, db: &Db, receipts: Vec<ToTake>, now: Millis) -> Result<Vec<Taken>, Arc<sqlx::Error>> {
        let (answer, answered) = oneshot::channel();
        self.jobs().push(Job { receipts, answer });
        let (group, db) = (self.clone(), db.clone());
        // In a task of its own: a caller that goes away must not take the others' receipts along.
        tokio::spawn(async move {
            let _turn = group.0.turn.lock().await;
            group.write_waiting(&db, now).await;
        });
        answered.await.unwrap_or_else(|_| Err(Arc::new(sqlx::Error::WorkerCrashed)))
    }

    fn jobs(&self) -> std::sync::MutexGuard<'_, Vec<Job>> {
        self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write_waiting(&self, db: &Db, now: Millis) {
        let jobs: Vec<Job> = {
            let mut waiting = self.jobs();
            let mut sum = 0;
            let fits = |job: &&Job| {
                sum += job.receipts.len();
                sum <= MOST
            };
            // Each request starts a turn, so what is left over has one coming.
            let some = waiting.iter().take_while(fits).count().max(1).min(waiting.len());
            waiting.drain(..some).collect()
        };
        if jobs.is_empty() {
            return;
        }
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
}
