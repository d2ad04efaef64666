//! The table `webhook_rates`.

use super::{super::breaker::round::Hook, Rate};
use crate::{
    clock::Millis,
    db::{Tx, bulk},
};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Row<'a> {
    workspace_id: &'a str,
    webhook_id: &'a str,
    per_second: i64,
    free_at: i64,
}

fn row<'a>(hook: &'a Hook, rate: Rate) -> Row<'a> {
    Row {
        workspace_id: &hook.workspace_id,
        webhook_id: &hook.webhook_id,
        per_second: rate.per_second,
        free_at: rate.free_at,
    }
}

/// Takes the rows of these webhooks, with the users per second that each may be sent now, until the transaction ends,
/// in order. One that is not there is made, for what is not there can't be held.
pub async fn take(tx: &mut Tx, hooks: &BTreeMap<Hook, i64>, now: Millis) -> sqlx::Result<BTreeMap<Hook, Rate>> {
    if hooks.is_empty() {
        return Ok(BTreeMap::new());
    }
    let new: Vec<_> = hooks.iter().map(|(hook, per_second)| row(hook, Rate::new(*per_second, now))).collect();
    let rows = crate::bulk!(
        tx,
        fetch (String, String, i64, i64),
        &bulk::rows(&new)?,
        (workspace_id text, webhook_id text, per_second bigint, free_at bigint),
        "insert into webhook_rates (workspace_id, webhook_id, per_second, free_at) \
         select r.workspace_id, r.webhook_id, r.per_second, r.free_at from ",
        " where true on conflict (workspace_id, webhook_id) do update set free_at = webhook_rates.free_at \
         returning workspace_id, webhook_id, per_second, free_at",
    )?;
    let kept = rows.into_iter().filter_map(|(workspace_id, webhook_id, per_second, free_at)| {
        let hook = Hook { workspace_id, webhook_id };
        let rate = Rate { per_second: per_second.max(1), free_at }.at(*hooks.get(&hook)?, now);
        Some((hook, rate))
    });
    Ok(kept.collect())
}

/// Writes what was taken.
pub async fn write(tx: &mut Tx, rates: &BTreeMap<Hook, Rate>) -> sqlx::Result<()> {
    if rates.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = rates.iter().map(|(hook, rate)| row(hook, *rate)).collect();
    crate::bulk!(
        tx,
        execute,
        &bulk::rows(&rows)?,
        (workspace_id text, webhook_id text, per_second bigint, free_at bigint),
        "update webhook_rates set per_second = r.per_second, free_at = r.free_at from ",
        " where webhook_rates.workspace_id = r.workspace_id and webhook_rates.webhook_id = r.webhook_id",
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{db::Db, on_both_databases};

    /// What the next one finds, and takes so many users of.
    async fn spend(db: &Db, per_second: i64, users: i64, now: Millis) -> Millis {
        let hook = Hook { workspace_id: "w".into(), webhook_id: "h".into() };
        let hooks = BTreeMap::from([(hook.clone(), per_second)]);
        let mut tx = db.begin().await.unwrap();
        let mut rates = take(&mut tx, &hooks, now).await.unwrap();
        let wait = rates[&hook].wait(now);
        rates.get_mut(&hook).unwrap().spend(users, now);
        write(&mut tx, &rates).await.unwrap();
        tx.commit().await.unwrap();
        wait
    }

    on_both_databases!(what_one_node_takes_the_next_one_waits_for, |db| async move {
        assert_eq!(spend(&db, 10, 20, 1_000).await, 0);
        assert_eq!(spend(&db, 10, 5, 1_500).await, 1_500);
        assert_eq!(spend(&db, 10, 5, 3_500).await, 0);
        assert_eq!(spend(&db, 5, 5, 3_600).await, 800, "the 5 users, 400 ms of them paid, at half the rate");
    });
}
