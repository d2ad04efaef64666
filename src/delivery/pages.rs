//! The users of a send as they were planned, some thousand in a row: what is read and written of a million users are
//! five hundred rows.
//!
//! A page is a text of lines, one for each user in the order of their numbers and of their customer ids; each is a JSON
//! array of the customer id, the ID and the values of the variables, and of a skipped user the customer id, null and
//! the reason. A page is written once, in the transaction that plans it, and never changed.

use super::{Recipient, ids::SendKey};
use crate::{
    db::{Db, Tx},
    execute, fetch,
};
use serde::Deserialize;
use std::{
    borrow::Cow,
    collections::VecDeque,
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError},
};

/// Users of a page, at the most.
pub const USERS: i64 = 2_000;
/// Pages that are kept in memory, at some hundred kilobytes each, and the bytes of them all: values may be long.
const KEPT: usize = 32;
const KEPT_BYTES: usize = 32 << 20;

/// The ID, not yet encrypted, and the variables' values.
pub type Texts<'a> = (Cow<'a, str>, Vec<Cow<'a, str>>);

/// A user as he was planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User<'a> {
    pub customer_id: Cow<'a, str>,
    /// What he is sent, or why he is skipped.
    pub plan: Result<Texts<'a>, Cow<'a, str>>,
}

/// So that a text without escapes is not copied.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> User<'a> {
    fn read(line: &'a str) -> serde_json::Result<Self> {
        let missing = || serde::de::Error::custom("a user's line is too short");
        let mut texts = serde_json::from_str::<Vec<Option<Text>>>(line)?.into_iter();
        let mut next = || texts.next().map(|text| text.map(|text| text.0));
        let customer_id = next().flatten().ok_or_else(missing)?;
        let plan = match next().ok_or_else(missing)? {
            Some(target) => Ok((target, texts.flatten().map(|text| text.0).collect())),
            None => Err(next().flatten().ok_or_else(missing)?),
        };
        Ok(Self { customer_id, plan })
    }
}

/// A user's line, as [`User`] reads it.
pub fn line(recipient: &Recipient) -> serde_json::Result<String> {
    let customer_id = recipient.customer_id.as_str();
    let mut line = match &recipient.plan {
        Err(reason) => serde_json::to_string(&(customer_id, (), reason))?,
        Ok(planned) => {
            let mut texts = vec![customer_id, &planned.target];
            texts.extend(planned.values.iter().map(String::as_str));
            serde_json::to_string(&texts)?
        }
    };
    line.push('\n');
    Ok(line)
}

/// What only the line of this customer begins with, and stands nowhere within a line, where quotes are escaped.
pub fn line_start(customer_id: &str) -> String {
    format!("[{},", serde_json::Value::from(customer_id))
}

/// One row.
#[derive(Debug)]
pub struct Page {
    first_seq: i64,
    text: String,
    /// Where each line begins, and where the last one ends.
    bounds: Vec<usize>,
}

impl Page {
    pub fn new(first_seq: i64, text: String) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(place, _)| place + 1);
        let bounds = std::iter::once(0).chain(ends).collect();
        Self { first_seq, text, bounds }
    }

    /// The users' numbers.
    pub fn seqs(&self) -> RangeInclusive<i64> {
        self.first_seq..=self.first_seq + self.bounds.len() as i64 - 2
    }

    /// The number of a customer who is in this page.
    pub fn seq_of(&self, customer_id: &str) -> Option<i64> {
        let place = self.text.find(&line_start(customer_id))?;
        Some(self.first_seq + self.bounds.partition_point(|bound| *bound <= place) as i64 - 1)
    }

    /// `None` when the user's number is not in this page.
    pub fn user(&self, seq: i64) -> Option<serde_json::Result<User<'_>>> {
        let place = usize::try_from(seq - self.first_seq).ok()?;
        let (from, to) = (*self.bounds.get(place)?, *self.bounds.get(place + 1)?);
        Some(User::read(self.text.get(from..to)?))
    }
}

/// Some pages of a send that follow each other.
#[derive(Clone, Debug, Default)]
pub struct Pages(Vec<Arc<Page>>);

impl Pages {
    /// `None` when no page has the number.
    pub fn user(&self, seq: i64) -> Option<serde_json::Result<User<'_>>> {
        let place = self.0.partition_point(|page| *page.seqs().end() < seq);
        self.0.get(place)?.user(seq)
    }
}

/// Those read last. Batches that are claimed one after the other share their pages.
#[derive(Default)]
pub struct Shelf(Mutex<VecDeque<(SendKey, Arc<Page>)>>);

impl Shelf {
    /// The pages of the users from one number to another.
    pub async fn read(&self, db: &Db, key: &SendKey, first_seq: i64, last_seq: i64) -> sqlx::Result<Pages> {
        if let Some(pages) = self.kept(key, first_seq, last_seq) {
            return Ok(pages);
        }
        let pages = read(db, key, first_seq, last_seq).await?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for page in &pages.0 {
            kept.retain(|(of, known)| of != key || known.first_seq != page.first_seq);
            kept.push_back((key.clone(), page.clone()));
        }
        let bytes = |kept: &VecDeque<(SendKey, Arc<Page>)>| kept.iter().map(|(_, page)| page.text.len()).sum::<usize>();
        while kept.len() > KEPT || (kept.len() > 1 && bytes(&kept) > KEPT_BYTES) {
            kept.pop_front();
        }
        Ok(pages)
    }

    fn kept(&self, key: &SendKey, first_seq: i64, last_seq: i64) -> Option<Pages> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut pages, mut next) = (Vec::new(), first_seq);
        while next <= last_seq {
            let (_, page) = kept.iter().find(|(of, page)| of == key && page.seqs().contains(&next))?;
            next = page.seqs().end() + 1;
            pages.push(page.clone());
        }
        Some(Pages(pages))
    }
}

/// The pages of the users from one number to another.
pub async fn read(db: &Db, key: &SendKey, first_seq: i64, last_seq: i64) -> sqlx::Result<Pages> {
    let rows = fetch!(
        db,
        all,
        (i64, String),
        "select first_seq, content from send_pages where workspace_id = $1 and send_id = $2 and first_seq <= $4 \
         and first_seq >= coalesce((select max(first_seq) from send_pages \
         where workspace_id = $1 and send_id = $2 and first_seq <= $3), 0) order by first_seq",
        &key.workspace_id,
        &key.send_id,
        first_seq,
        last_seq
    )?;
    Ok(Pages(rows.into_iter().map(|(first_seq, content)| Arc::new(Page::new(first_seq, content))).collect()))
}

/// What is written of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewPage {
    pub first_seq: i64,
    pub users: i64,
    /// The numbers of those who are skipped, with a comma before and after each; "" for none.
    pub skips: String,
    /// The batches of the others.
    pub batches: Option<(i64, i64)>,
    pub first_customer: String,
    pub last_customer: String,
    pub content: String,
}

pub async fn insert(tx: &mut Tx, key: &SendKey, page: &NewPage) -> sqlx::Result<()> {
    execute!(
        tx,
        "insert into send_pages (workspace_id, send_id, first_seq, users, skips, first_batch, last_batch, \
         first_customer, last_customer, content) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &key.workspace_id,
        &key.send_id,
        page.first_seq,
        page.users,
        &page.skips,
        page.batches.map(|(first, _)| first),
        page.batches.map(|(_, last)| last),
        &page.first_customer,
        &page.last_customer,
        &page.content,
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::{Planned, report};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_user_is_read_as_he_was_written(
            customer_id in ".*",
            target in ".*",
            values in prop::collection::vec(".*", 0..4),
            reason in prop::option::of(".*"),
        ) {
            let plan = match &reason {
                Some(reason) => Err(reason.clone()),
                None => Ok(Planned { target: target.clone(), values: values.clone() }),
            };
            let one = line(&Recipient { customer_id: customer_id.clone(), plan }).unwrap();
            prop_assert_eq!(one.matches('\n').count(), 1);
            let page = Page::new(7, format!("[\"first\",\"t\"]\n{one}"));
            prop_assert_eq!(page.seqs(), 7..=8);
            prop_assert!(page.user(6).is_none() && page.user(9).is_none());
            prop_assert_eq!(page.seq_of(&customer_id), Some(if customer_id == "first" { 7 } else { 8 }));
            let user = page.user(8).unwrap().unwrap();
            prop_assert_eq!(&*user.customer_id, &customer_id);
            match (user.plan, reason) {
                (Err(told), Some(reason)) => prop_assert_eq!(&*told, &reason),
                (Ok((read, texts)), None) => prop_assert!(read == target && texts == values),
                (read, _) => prop_assert!(false, "{:?}", read),
            }
        }
    }

    /// What version 4 recorded: two that are sent to, one of them with values, one who is skipped, and a receipt.
    const BEFORE: [&str; 4] = [
        "insert into sends (workspace_id, id, source, webhook_id, id_type, encryption, template, batch_size, state, due_at,
             planned, planning_done, batches, accepted, skipped, created_at)
         values ('w', 's', 'task', 'h', 'EMAIL', 'none', '{}', 100, 'finished', 0, 3, true, 1, 2, 1, 0)",
        "insert into send_batches (workspace_id, send_id, batch_no, first_seq, last_seq, size, state, run_at, sent_at)
         values ('w', 's', 0, 0, 2, 2, 'accepted', 0, 7)",
        "insert into send_actions (workspace_id, send_id, seq, customer_id, target, variables, batch_no, skip_reason)
         values ('w', 's', 0, 'a \"q\"', 'ä', '[\"x\",\"\\n\"]', 0, null), ('w', 's', 1, 'b', null, null, null, 'no EMAIL'),
                ('w', 's', 2, 'c', 't', '[]', 0, null)",
        "insert into receipts (workspace_id, send_id, seq, msg_id, status, sent_at, received_at)
         values ('w', 's', 2, 'm', '500', 8, 9), ('w', 's', 2, 'm', '200', 9, 10)",
    ];

    async fn is_what_it_was(db: &Db) {
        let rows = report::actions(db, "w", "s", &report::ActionFilter::default(), -1, 10).await.unwrap();
        let told: Vec<_> = rows
            .iter()
            .map(|row| {
                let (target, reason) = (row.target.as_deref(), row.reason.as_deref());
                (row.customer_id.as_str(), target, row.result.as_str(), reason, row.receipt_status.as_deref())
            })
            .collect();
        assert_eq!(
            told,
            [
                ("a \"q\"", Some("ä"), "accepted", None, None),
                ("b", None, "skipped", Some("no EMAIL"), None),
                ("c", Some("t"), "accepted", None, Some("200")),
            ]
        );
        let pages = read(db, &SendKey::new("w", "s"), 0, 2).await.unwrap();
        let values = |seq| pages.user(seq).unwrap().unwrap().plan.unwrap().1;
        assert!(values(0) == ["x", "\n"] && values(2).is_empty());
        assert_eq!(report::messages_of_customer(db, "w", "a \"q\"", 5).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn users_of_before_are_in_pages_sqlite() {
        let (db, _folder) = crate::db::testing::sqlite_since(4, &BEFORE).await;
        is_what_it_was(&db).await;
    }

    #[tokio::test]
    async fn users_of_before_are_in_pages_postgres() {
        if let Some(db) = crate::db::testing::postgres_since(4, &BEFORE).await {
            is_what_it_was(&db).await;
        }
    }

    #[test]
    fn a_line_that_is_none_of_ours_is_an_error() {
        for wrong in ["", "[]", "[\"c\"]", "[null,\"t\"]", "[\"c\",null]", "{}", "[\"c\",1]"] {
            assert!(User::read(wrong).is_err(), "{wrong}");
        }
    }
}
