//! What is on record about the users that receipts name, read for many at once.

use super::rank::Rank;
use crate::{
    clock::Millis,
    db::{Tx, bulk},
    delivery::{ids::SendKey, pages},
};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Users that lie no further apart are read in one go: to look for one takes as long as to read some that lie beside it.
const NEAR: i64 = 8;

/// About users of a send, by their numbers.
#[derive(Debug, Default)]
pub struct Known {
    pages: BTreeMap<i64, Page>,
    ranks: HashMap<i64, Rank<'static>>,
}

#[derive(Debug)]
struct Page {
    users: i64,
    skipped: HashSet<i64>,
}

impl Known {
    /// Of the users with these numbers, which are sorted, and of some that lie between them.
    pub async fn read(tx: &mut Tx, key: &SendKey, seqs: &[i64]) -> sqlx::Result<Self> {
        let mut near_by_page = runs(seqs, pages::USERS);
        // A page that begins earlier may hold them, too.
        near_by_page.iter_mut().for_each(|run| run.first -= pages::USERS - 1);
        let pages = pages_of(tx, key, &near_by_page).await?;
        Ok(Self { pages, ranks: ranks(tx, key, &runs(seqs, NEAR)).await? })
    }

    /// Whether the user is there and not skipped.
    pub fn is_sent_to(&self, seq: i64) -> bool {
        let page = self.pages.range(..=seq).next_back();
        page.is_some_and(|(first, page)| seq - first < page.users && !page.skipped.contains(&seq))
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

/// The pages that begin in these runs and have users who are sent to, by the numbers of their first. Databases begin an outer join with what it keeps;
/// else they might go through all pages, or all receipts, of the send and look for the run of each.
async fn pages_of(tx: &mut Tx, key: &SendKey, runs: &[Run]) -> sqlx::Result<BTreeMap<i64, Page>> {
    let found = crate::bulk!(
        tx,
        fetch (Option<i64>, Option<i64>, Option<String>),
        &bulk::rows(runs)?,
        (first bigint, last bigint),
        "select p.first_seq, p.users, p.skips from ",
        " left join send_pages p on p.workspace_id = $2 and p.send_id = $3 and p.first_seq between r.first and r.last \
         and p.first_batch is not null",
        &key.workspace_id,
        &key.send_id,
    )?;
    let skipped = |skips: String| skips.split(',').filter_map(|seq| seq.parse().ok()).collect();
    let page = |(first, users, skips): (Option<_>, _, Option<_>)| {
        Some((first?, Page { users: users?, skipped: skipped(skips?) }))
    };
    Ok(found.into_iter().filter_map(page).collect())
}

/// The first rank of each user who has receipts.
async fn ranks(tx: &mut Tx, key: &SendKey, runs: &[Run]) -> sqlx::Result<HashMap<i64, Rank<'static>>> {
    let found = crate::bulk!(
        tx,
        fetch (Option<i64>, Option<String>, Option<String>, Option<Millis>, Option<Millis>),
        &bulk::rows(runs)?,
        (first bigint, last bigint),
        "select x.seq, x.msg_id, x.status, x.sent_at, x.received_at from ",
        " left join receipts x on x.workspace_id = $2 and x.send_id = $3 and x.seq between r.first and r.last",
        &key.workspace_id,
        &key.send_id,
    )?;
    let mut ranks: HashMap<i64, Rank<'static>> = HashMap::new();
    for row in found {
        if let (Some(seq), Some(msg_id), Some(status), Some(sent_at), Some(received_at)) = row {
            Rank::new(sent_at, received_at, msg_id.into(), status.into()).keep_first(&mut ranks, seq);
        }
    }
    Ok(ranks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{execute, on_both_databases};
    use proptest::prelude::*;

    on_both_databases!(users_are_known_by_their_pages_and_receipts, |db| async move {
        let page = "insert into send_pages (workspace_id, send_id, first_seq, users, skips, first_batch, first_customer, \
                    last_customer, content) values ('w', 's', $1, $2, $3, $4, '', '', '')";
        for (first, users, skips, batch) in [(0, 3, ",1,", Some(0)), (3, 2, ",3,4,", None), (5_000, 10, "", Some(1))] {
            execute!(db, page, first, users, skips, batch).unwrap();
        }
        let receipt = "insert into receipts (workspace_id, send_id, seq, msg_id, status, sent_at, received_at) \
                       values ('w', 's', $1, 'm', $2, $3, 9)";
        for (seq, status, sent_at) in [(0, "200", 5), (5_003, "500", 5), (5_003, "200", 7), (5_003, "501", 6)] {
            execute!(db, receipt, seq, status, sent_at).unwrap();
        }
        let seqs = [0, 1, 2, 3, 4, 5, 4_999, 5_003, 5_009, 5_010, i64::MAX];
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
    }
}
