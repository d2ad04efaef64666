//! What is on record about the users that receipts name, read for many at once.

use super::rank::Rank;
use crate::{
    clock::Millis,
    db::{Tx, bulk},
    delivery::{ids::SendKey, pages},
};
use serde::Serialize;
use std::collections::HashMap;

/// Runs that are asked for at a time, so that what comes back for scattered users stays small: a page tells each user
/// that it skips.
const AT_ONCE: usize = 200;

/// About users of a send, by their numbers.
#[derive(Debug, Default)]
pub struct Known {
    /// In order.
    sent_to: Vec<i64>,
    ranks: HashMap<i64, Rank<'static>>,
}

impl Known {
    /// Of the users with these numbers, which are sorted.
    pub async fn read(tx: &mut Tx, key: &SendKey, seqs: &[i64]) -> sqlx::Result<Self> {
        let mut known = Self::default();
        let mut by_page = runs(seqs, pages::USERS);
        // A page that begins earlier may hold them, too.
        by_page.iter_mut().for_each(|run| run.first -= pages::USERS - 1);
        for runs in by_page.chunks(AT_ONCE) {
            for (first, users, skips) in pages(tx, key, runs).await? {
                known.sent_to.extend(sent_to(seqs, first, users, &skips));
            }
        }
        known.sent_to.sort_unstable();
        for runs in runs(seqs, 1).chunks(AT_ONCE) {
            for (seq, rank) in ranks(tx, key, runs).await? {
                rank.keep_first(&mut known.ranks, seq);
            }
        }
        Ok(known)
    }

    /// Whether the user is there and not skipped.
    pub fn is_sent_to(&self, seq: i64) -> bool {
        self.sent_to.binary_search(&seq).is_ok()
    }

    /// The first of his receipts, if he has any.
    pub fn rank(&self, seq: i64) -> Option<&Rank<'static>> {
        self.ranks.get(&seq)
    }
}

/// Numbers that follow each other.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Run {
    first: i64,
    last: i64,
}

/// Of sorted numbers, those that lie no further apart than `near`.
fn runs(seqs: &[i64], near: i64) -> Vec<Run> {
    let together = |one: &i64, next: &i64| next.saturating_sub(*one) <= near;
    let run = |run: &[i64]| Some(Run { first: *run.first()?, last: *run.last()? });
    seqs.chunk_by(together).filter_map(run).collect()
}

/// Of sorted numbers, those of a page that it does not skip: `,1,7,` in their order.
fn sent_to(seqs: &[i64], first: i64, users: i64, skips: &str) -> impl Iterator<Item = i64> {
    let from = seqs.partition_point(|seq| *seq < first);
    let to = seqs.partition_point(|seq| *seq < first.saturating_add(users));
    let mut skips = skips.split(',').filter_map(|seq| seq.parse::<i64>().ok()).peekable();
    seqs.get(from..to).unwrap_or_default().iter().copied().filter(move |seq| {
        while skips.next_if(|skipped| skipped < seq).is_some() {}
        skips.peek() != Some(seq)
    })
}

/// Reads what lies in runs. Databases begin an outer join with what it keeps; an inner one they may turn round, and then
/// they go through all pages, or all receipts, of the send and look for the run of each. The first text stands before
/// the statement, so that a test can have it explained.
macro_rules! by_runs {
    ($tx:expr, $found:ty, $key:expr, $runs:expr, $explain:literal, pages) => {
        by_runs!($tx, $found, $key, $runs, concat!($explain, "select p.first_seq, p.users, p.skips from "),
            " left join send_pages p on p.workspace_id = $2 and p.send_id = $3 and p.first_seq between r.first and r.last \
             and p.first_batch is not null")
    };
    ($tx:expr, $found:ty, $key:expr, $runs:expr, $explain:literal, receipts) => {
        by_runs!($tx, $found, $key, $runs, concat!($explain, "select x.seq, x.msg_id, x.status, x.sent_at, x.received_at from "),
            " left join receipts x on x.workspace_id = $2 and x.send_id = $3 and x.seq between r.first and r.last")
    };
    ($tx:expr, $found:ty, $key:expr, $runs:expr, $before:expr, $after:literal) => {
        $crate::bulk!(
            $tx,
            fetch $found,
            &bulk::rows($runs)?,
            (first bigint, last bigint),
            $before,
            $after,
            &$key.workspace_id,
            &$key.send_id,
        )
    };
}

/// The pages that begin in these runs and have users who are sent to: the first number, how many, and who is skipped.
async fn pages(tx: &mut Tx, key: &SendKey, runs: &[Run]) -> sqlx::Result<Vec<(i64, i64, String)>> {
    let found = by_runs!(tx, (Option<i64>, Option<i64>, Option<String>), key, runs, "", pages)?;
    Ok(found.into_iter().filter_map(|(first, users, skips)| Some((first?, users?, skips?))).collect())
}

type ReceiptRow = (Option<i64>, Option<String>, Option<String>, Option<Millis>, Option<Millis>);

/// The receipts of the users in these runs.
async fn ranks(tx: &mut Tx, key: &SendKey, runs: &[Run]) -> sqlx::Result<Vec<(i64, Rank<'static>)>> {
    let found = by_runs!(tx, ReceiptRow, key, runs, "", receipts)?;
    let rank = |(seq, msg_id, status, sent_at, received_at): ReceiptRow| {
        Some((seq?, Rank::new(sent_at?, received_at?, msg_id?.into(), status?.into())))
    };
    Ok(found.into_iter().filter_map(rank).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{db::Db, execute, on_both_databases};
    use proptest::prelude::*;

    async fn put_page(db: &Db, (first, users, skips, batch): (i64, i64, &str, Option<i64>)) {
        let page = "insert into send_pages (workspace_id, send_id, first_seq, users, skips, first_batch, first_customer, \
                    last_customer, content) values ('w', 's', $1, $2, $3, $4, '', '', '')";
        execute!(db, page, first, users, skips, batch).unwrap();
    }

    async fn put_receipt(db: &Db, (seq, status, sent_at): (i64, &str, i64)) {
        let receipt = "insert into receipts (workspace_id, send_id, seq, msg_id, status, sent_at, received_at) \
                       values ('w', 's', $1, 'm', $2, $3, 9)";
        execute!(db, receipt, seq, status, sent_at).unwrap();
    }

    on_both_databases!(users_are_known_by_their_pages_and_receipts, |db| async move {
        for page in [(0, 3, ",1,", Some(0)), (3, 2, ",3,4,", None), (5_000, 10, "", Some(1))] {
            put_page(&db, page).await;
        }
        for receipt in [(0, "200", 5), (5_003, "500", 5), (5_003, "200", 7), (5_003, "501", 6)] {
            put_receipt(&db, receipt).await;
        }
        let seqs = [0, 0, 1, 2, 3, 4, 5, 4_999, 5_003, 5_009, 5_010, i64::MAX];
        for some in seqs.chunks(seqs.len()).chain(seqs.chunks(1)).chain(seqs.chunks(3)) {
            let mut tx = db.begin().await.unwrap();
            let known = Known::read(&mut tx, &SendKey::new("w", "s"), some).await.unwrap();
            let another = Known::read(&mut tx, &SendKey::new("w", "another"), some).await.unwrap();
            for seq in some {
                assert_eq!(known.is_sent_to(*seq), [0, 2, 5_003, 5_009].contains(seq), "{seq}");
                let status = known.rank(*seq).map(|rank| rank.status.as_ref());
                assert_eq!(status, [0, 5_003].contains(seq).then_some("200"), "{seq}");
                assert!(!another.is_sent_to(*seq) && another.rank(*seq).is_none());
            }
        }
    });

    on_both_databases!(scattered_users_are_known_too, |db| async move {
        // Each in a page of its own, and more of them than are asked for at a time.
        let many = i64::try_from(AT_ONCE).unwrap() + 50;
        for page in 0..many {
            put_page(&db, (page * 5_000, 2, if page % 2 == 0 { "" } else { ",1," }, Some(page))).await;
            put_receipt(&db, (page * 5_000, "200", 1)).await;
        }
        let seqs: Vec<i64> = (0..many).map(|page| page * 5_000).collect();
        let mut tx = db.begin().await.unwrap();
        let known = Known::read(&mut tx, &SendKey::new("w", "s"), &seqs).await.unwrap();
        assert!(seqs.iter().all(|seq| known.is_sent_to(*seq) && known.rank(*seq).is_some()));
    });

    on_both_databases!(runs_are_looked_for_in_the_index_and_not_the_other_way_round, |db| async move {
        for page in 0..200 {
            put_page(&db, (page * 2_000, 2_000, "", Some(page))).await;
            put_receipt(&db, (page, "200", 1)).await;
        }
        let (key, runs) = (SendKey::new("w", "s"), [Run { first: 7, last: 9 }]);
        let mut tx = db.begin().await.unwrap();
        tx.by_index().await.unwrap();
        async fn explained(tx: &mut Tx, key: &SendKey, runs: &[Run]) -> sqlx::Result<[Vec<String>; 2]> {
            type Step = (i64, i64, i64, String);
            if matches!(tx, Tx::Sqlite(_)) {
                let pages = by_runs!(tx, Step, key, runs, "explain query plan ", pages)?;
                let receipts = by_runs!(tx, Step, key, runs, "explain query plan ", receipts)?;
                return Ok([pages, receipts].map(|steps| steps.into_iter().map(|step| step.3).collect()));
            }
            let pages = by_runs!(tx, (String,), key, runs, "explain ", pages)?;
            let receipts = by_runs!(tx, (String,), key, runs, "explain ", receipts)?;
            Ok([pages, receipts].map(|steps| steps.into_iter().map(|step| step.0).collect()))
        }
        let plans = explained(&mut tx, &key, &runs).await.unwrap();
        for (plan, column) in plans.iter().zip(["first_seq", "seq"]) {
            let bounds = if db.is_sqlite() {
                format!(" AND {column}>? AND {column}<?)")
            } else {
                format!(" AND ({column} >= r.first) AND ({column} <= r.last))")
            };
            let plan = plan.join("\n");
            assert!(plan.contains(&bounds), "{plan}");
        }
    });

    proptest! {
        #[test]
        fn runs_hold_every_number_and_no_gap_that_is_too_wide(
            mut seqs in prop::collection::vec(prop_oneof![0..200_i64, 0..1_000_000_i64, Just(i64::MAX)], 0..60),
            near in 0..50_i64,
        ) {
            seqs.sort_unstable();
            let runs = runs(&seqs, near);
            prop_assert!(seqs.iter().all(|seq| runs.iter().any(|run| (run.first..=run.last).contains(seq))));
            for pair in runs.windows(2) {
                prop_assert!(pair[1].first - pair[0].last > near);
            }
            for run in &runs {
                let inside: Vec<i64> = seqs.iter().copied().filter(|seq| (run.first..=run.last).contains(seq)).collect();
                prop_assert_eq!((inside[0], inside[inside.len() - 1]), (run.first, run.last));
                prop_assert!(inside.windows(2).all(|pair| pair[1] - pair[0] <= near));
            }
        }

        #[test]
        fn who_is_sent_to_is_in_the_page_and_not_skipped(
            mut seqs in prop::collection::vec(0..60_i64, 0..60),
            first in 0..30_i64,
            skipped in prop::collection::vec(any::<bool>(), 0..30),
        ) {
            seqs.sort_unstable();
            let users = skipped.len() as i64;
            let is_skipped = |seq: i64| skipped[usize::try_from(seq - first).unwrap()];
            let skips: String = (first..first + users).filter(|seq| is_skipped(*seq)).map(|seq| format!("{seq},")).collect();
            let skips = if skips.is_empty() { skips } else { format!(",{skips}") };
            let wanted: Vec<i64> =
                seqs.iter().copied().filter(|seq| (first..first + users).contains(seq) && !is_skipped(*seq)).collect();
            prop_assert_eq!(sent_to(&seqs, first, users, &skips).collect::<Vec<_>>(), wanted);
        }
    }
}
