//! Which user comes into which batch.

use crate::delivery::{
    Recipient,
    pages::{self, NewPage},
};
use serde::Serialize;
use std::{cmp::Ordering, collections::BTreeMap};

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("The audience is not in the order of its customers.")]
pub struct OutOfOrder;

/// Where the next user goes.
pub struct Layout {
    batch_size: i64,
    seq: i64,
    batches: i64,
    /// How many users the open batch, the last one, holds.
    open: Option<i64>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct BatchToPut {
    pub batch_no: i64,
    pub first_seq: i64,
    pub last_seq: i64,
    /// Users that this chunk adds to it.
    pub size: i64,
    pub state: &'static str,
}

/// A chunk as it is written.
#[derive(Debug, Default)]
pub struct Written {
    pub page: NewPage,
    pub batches: Vec<BatchToPut>,
    pub new_batches: i64,
    pub skipped: BTreeMap<String, i64>,
}

impl Layout {
    pub fn new(batch_size: i64, planned: i64, batches: i64, open: Option<i64>) -> Self {
        Self { batch_size, seq: planned, batches, open }
    }

    /// `before` is the last customer of the chunk before this one; one who comes twice in a row is planned once.
    pub fn cut(
        mut self,
        recipients: Vec<Recipient>,
        before: Option<String>,
        last: bool,
    ) -> serde_json::Result<Result<Written, OutOfOrder>> {
        let mut written = Written { page: NewPage { first_seq: self.seq, ..NewPage::default() }, ..Written::default() };
        if self.open.is_some() {
            let (batch_no, seq) = (self.batches - 1, self.seq);
            written.batches.push(BatchToPut { batch_no, first_seq: seq, last_seq: seq - 1, size: 0, state: "open" });
        }
        let mut before = before;
        for recipient in recipients {
            let line = pages::line(&recipient)?;
            let Recipient { customer_id, plan } = recipient;
            match before.as_ref().map(|before| customer_id.cmp(before)) {
                Some(Ordering::Less) => return Ok(Err(OutOfOrder)),
                Some(Ordering::Equal) => continue,
                _ => {}
            }
            let page = &mut written.page;
            page.content.push_str(&line);
            if page.users == 0 {
                page.first_customer.clone_from(&customer_id);
            }
            before = Some(customer_id);
            let seq = self.seq;
            self.seq += 1;
            page.users += 1;
            match plan {
                Err(reason) => {
                    if page.skips.is_empty() {
                        page.skips.push(',');
                    }
                    page.skips.push_str(&format!("{seq},"));
                    *written.skipped.entry(reason).or_default() += 1;
                }
                Ok(_) => {
                    let batch_no = self.take_place(seq, &mut written);
                    let first = written.page.batches.map_or(batch_no, |(first, _)| first);
                    written.page.batches = Some((first, batch_no));
                }
            }
        }
        written.page.last_customer = before.unwrap_or_default();
        if last && let Some(batch) = written.batches.last_mut() {
            batch.state = "pending";
        }
        Ok(Ok(written))
    }

    /// The batch of the next user that is sent to.
    fn take_place(&mut self, seq: i64, written: &mut Written) -> i64 {
        let size = self.open.map_or(1, |size| size + 1);
        if self.open.is_none() {
            self.batches += 1;
            written.new_batches += 1;
            let batch_no = self.batches - 1;
            written.batches.push(BatchToPut { batch_no, first_seq: seq, last_seq: seq, size: 0, state: "open" });
        }
        let full = size == self.batch_size;
        if let Some(batch) = written.batches.last_mut() {
            batch.last_seq = seq;
            batch.size += 1;
            batch.state = if full { "pending" } else { "open" };
        }
        self.open = (!full).then_some(size);
        self.batches - 1
    }
}
