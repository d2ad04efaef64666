//! The table `nodes`.

use super::{
    super::wake::{self, News},
    DEAD_AFTER, Me,
};
use crate::{
    clock::{DAY, Millis},
    db::Db,
    execute, fetch,
};

/// A node, as Overview shows it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct NodeRow {
    pub id: String,
    pub name: String,
    pub roles: String,
    pub version: String,
    pub started_at: Millis,
    pub seen_at: Millis,
    /// Batches: the leases that it holds.
    pub in_hand: i64,
    /// POSTs that run.
    pub posts: i64,
}

/// A node that lives, to the others.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Living {
    pub id: String,
    pub worker: bool,
    pub joined_no: i64,
    pub knows: i64,
}

/// What a heartbeat says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Doing {
    pub in_hand: i64,
    pub posts: i64,
    pub knows: i64,
}

/// A node joins, or joins anew: its number, higher than any that somebody knows. Joins go one after the other, so that
/// whoever sees one has seen those before it.
pub async fn join(db: &Db, me: &Me, now: Millis) -> sqlx::Result<i64> {
    let mut tx = db.begin().await?;
    // A row that everybody takes: not all that speak PostgreSQL's language lock tables.
    let one_at_a_time = "insert into settings (key, value) values ('nodes', '') \
                         on conflict (key) do update set value = excluded.value";
    execute!(tx, one_at_a_time)?;
    execute!(tx, "delete from nodes where seen_at < $1", now - DAY)?;
    let newest = "select max(greatest) from (select coalesce(max(joined_no), 0) as greatest from nodes \
                  union all select coalesce(max(knows), 0) from nodes) as numbers";
    let (newest,) = fetch!(tx, one, (i64,), newest)?;
    execute!(
        tx,
        "insert into nodes (id, name, roles, version, started_at, seen_at, joined_no) values ($1, $2, $3, $4, $5, $6, $7) \
         on conflict (id) do update set seen_at = excluded.seen_at, joined_no = excluded.joined_no, knows = 0",
        &me.id,
        &me.name,
        me.roles.text(),
        env!("CARGO_PKG_VERSION"),
        me.started_at,
        now,
        newest + 1
    )?;
    wake::tell(&mut tx, News::Nodes).await?;
    tx.commit().await?;
    Ok(newest + 1)
}

/// Says that the node lives; when others wait for what it says, they are told. `false`: it has no row.
pub async fn beat(db: &Db, id: &str, doing: Doing, tell: bool, now: Millis) -> sqlx::Result<bool> {
    let sql = "update nodes set seen_at = $2, in_hand = $3, posts = $4, knows = $5 where id = $1";
    if !tell {
        return Ok(execute!(db, sql, id, now, doing.in_hand, doing.posts, doing.knows)? > 0);
    }
    let mut tx = db.begin().await?;
    let there = execute!(tx, sql, id, now, doing.in_hand, doing.posts, doing.knows)? > 0;
    wake::tell(&mut tx, News::Nodes).await?;
    tx.commit().await?;
    Ok(there)
}

/// Rows may be so far ahead of a clock that has just been set, in ms. What is further ahead was written before the
/// database's clock was turned back, and says nothing; who lives beats soon.
const AHEAD: Millis = 2_000;

/// Those that were heard of within [`DEAD_AFTER`]; and the database's time, in ms, where several nodes may be. The clock
/// was set by `step` ms of late: others may have been heard of by what it was.
pub async fn living(db: &Db, now: Millis, step: Millis) -> sqlx::Result<(Vec<Living>, Option<Millis>)> {
    let sql = "select id, roles like '%worker%' as worker, joined_no, knows from nodes \
               where seen_at > $1 and seen_at <= $2 order by id";
    let (since, until) = (now - DEAD_AFTER - step.max(0), now + AHEAD - step.min(0));
    let Db::Postgres(pool) = db else { return Ok((fetch!(db, all, Living, sql, since, until)?, None)) };
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(flatten)]
        living: Living,
        told: Millis,
    }
    let sql = "select id, roles like '%worker%' as worker, joined_no, knows, \
               cast(extract(epoch from clock_timestamp()) * 1000 as bigint) as told \
               from nodes where seen_at > $1 and seen_at <= $2 order by id";
    let rows: Vec<Row> = sqlx::query_as(sql).bind(since).bind(until).fetch_all(pool).await?;
    let told = rows.first().map(|row| row.told);
    Ok((rows.into_iter().map(|row| row.living).collect(), told))
}

/// The database's time, in ms; `None` where only one node may be.
pub async fn time(db: &Db) -> sqlx::Result<Option<Millis>> {
    let Db::Postgres(pool) = db else { return Ok(None) };
    let sql = "select cast(extract(epoch from clock_timestamp()) * 1000 as bigint)";
    let (told,) = sqlx::query_as(sql).fetch_one(pool).await?;
    Ok(Some(told))
}

/// The node is gone, in order.
pub async fn leave(db: &Db, id: &str) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    execute!(tx, "delete from nodes where id = $1", id)?;
    wake::tell(&mut tx, News::Nodes).await?;
    tx.commit().await
}

/// A process has taken the name, so whoever had it is dead; with SQLite it has taken the file, and everybody is.
pub async fn bury(db: &Db, name: &str) -> sqlx::Result<()> {
    execute!(db, "delete from nodes where name = $1 or $2", name, db.is_sqlite())?;
    Ok(())
}

/// At most `limit` nodes of the last day, those that live first.
pub async fn list(db: &Db, now: Millis, limit: i64) -> sqlx::Result<Vec<NodeRow>> {
    fetch!(
        db,
        all,
        NodeRow,
        "select id, name, roles, version, started_at, seen_at, in_hand, posts from nodes where seen_at > $1 \
         order by case when seen_at > $2 then 0 else 1 end, name, id limit $3",
        now - DAY,
        now - DEAD_AFTER,
        limit
    )
}

/// Whether another node than this one lives that serves pages.
pub async fn another_serves(db: &Db, id: &str, now: Millis) -> sqlx::Result<bool> {
    let sql = "select id from nodes where seen_at > $1 and roles like '%web%' and id <> $2 limit 1";
    Ok(fetch!(db, optional, (String,), sql, now - DEAD_AFTER, id)?.is_some())
}
