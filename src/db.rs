//! The two databases behind one face.
//!
//! Portable SQL with `$1` placeholders runs on both through [`fetch!`](crate::fetch) and
//! [`execute!`](crate::execute); what really differs is written twice beside its caller, by a `match` on [`Db`] or
//! [`Tx`]. SQLite has one writing connection and a pool of reading ones; PostgreSQL has one pool.

pub mod bulk;
mod open;
#[cfg(test)]
pub mod testing;

pub use open::{OpenError, check_master_key, fill_name_keys, known_postgres, known_sqlite};

use crate::steps::{self, Step};
use sqlx::{PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction};

#[derive(Clone)]
pub enum Db {
    Sqlite(SqliteDb),
    Postgres(PgPool),
}

#[derive(Clone)]
pub struct SqliteDb {
    write: SqlitePool,
    read: SqlitePool,
    /// Held for as long as the process runs: one process per file.
    _lock: Option<std::sync::Arc<std::fs::File>>,
}

/// What a statement runs on: the macros match on it.
pub enum Target<S, P> {
    Sqlite(S),
    Postgres(P),
}

impl Db {
    pub fn reading(&self) -> Target<&SqlitePool, &PgPool> {
        match self {
            Self::Sqlite(db) => Target::Sqlite(&db.read),
            Self::Postgres(pool) => Target::Postgres(pool),
        }
    }

    pub fn writing(&self) -> Target<&SqlitePool, &PgPool> {
        match self {
            Self::Sqlite(db) => Target::Sqlite(&db.write),
            Self::Postgres(pool) => Target::Postgres(pool),
        }
    }

    /// A write transaction. On SQLite it takes the write lock at once, so that it can't fail half way for it.
    pub async fn begin(&self) -> sqlx::Result<Tx> {
        Ok(match self {
            Self::Sqlite(db) => Tx::Sqlite(db.write.begin_with("begin immediate").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// Writes a copy of the SQLite file while the server runs.
    pub async fn backup_to(&self, file: &std::path::Path) -> Result<(), OpenError> {
        match self {
            Self::Sqlite(db) => {
                sqlx::query("vacuum into $1").bind(file.to_string_lossy().into_owned()).execute(&db.read).await?;
                Ok(())
            }
            Self::Postgres(_) => Err(OpenError::BackupOfPostgres),
        }
    }

    pub async fn close(&self) {
        match self {
            Self::Sqlite(db) => {
                db.read.close().await;
                db.write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// A write transaction; dropped without [`Tx::commit`] it rolls back.
pub enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    pub fn reading(&mut self) -> Target<&mut SqliteConnection, &mut PgConnection> {
        self.writing()
    }

    pub fn writing(&mut self) -> Target<&mut SqliteConnection, &mut PgConnection> {
        match self {
            Self::Sqlite(tx) => Target::Sqlite(&mut **tx),
            Self::Postgres(tx) => Target::Postgres(&mut **tx),
        }
    }

    /// For transactions that touch a few rows of big, fast growing tables by their keys: PostgreSQL keeps the plan that it
    /// made when the tables were small, and would read them, or all of one send, from end to end for each of those rows.
    /// What seems dear because nothing else is left to it is not to be compiled first. And one whose connection is gone
    /// without a word must not hold its rows for hours. SQLite takes the index anyway.
    pub async fn by_index(&mut self) -> sqlx::Result<()> {
        if let Self::Postgres(tx) = self {
            sqlx::query(
                "select set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), \
                 set_config('enable_mergejoin', 'off', true), set_config('enable_material', 'off', true), \
                 set_config('jit', 'off', true), set_config('idle_in_transaction_session_timeout', '30s', true)",
            )
            .execute(&mut **tx)
            .await?;
        }
        Ok(())
    }

    pub async fn commit(self) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        }
    }

    /// [`Tx::commit`] between two steps at which a test may let the process die.
    pub async fn commit_between(self, written: Step, committed: Step) -> sqlx::Result<()> {
        steps::at(written);
        self.commit().await?;
        steps::at(committed);
        Ok(())
    }
}

/// What a column `name_key` holds: SQLite's own `lower` knows ASCII alone.
pub fn name_key(name: &str) -> String {
    name.to_lowercase()
}

/// A `like` pattern (escape character `!`) that finds `text` anywhere; "" for "".
pub fn like_pattern(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    format!("%{}%", text.replace('!', "!!").replace('%', "!%").replace('_', "!_"))
}

/// What a column keeps as JSON.
pub fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> sqlx::Result<T> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// As a column keeps it, or a statement is given it.
pub fn to_json(value: &(impl serde::Serialize + ?Sized)) -> sqlx::Result<String> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

/// Whether a unique index refused: for saves that can meet only one, that of the name.
pub fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|cause| cause.is_unique_violation())
}

/// `fetch!(db, all, Webhook, "select ... where id = $1", id)`: rows of a `#[derive(FromRow)]` type or a tuple, from a
/// [`Db`] (its readers) or a [`Tx`]; `one`, `optional` or `all`.
#[macro_export]
macro_rules! fetch {
    ($on:expr, one, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => { $crate::fetch!(@ $on, fetch_one, $row, $sql $(, $bind)*) };
    ($on:expr, optional, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => { $crate::fetch!(@ $on, fetch_optional, $row, $sql $(, $bind)*) };
    ($on:expr, all, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => { $crate::fetch!(@ $on, fetch_all, $row, $sql $(, $bind)*) };
    (@ $on:expr, $how:ident, $row:ty, $sql:expr $(, $bind:expr)*) => {
        match $on.reading() {
            $crate::db::Target::Sqlite(on) => sqlx::query_as::<sqlx::Sqlite, $row>($sql)$(.bind($bind))*.$how(on).await,
            $crate::db::Target::Postgres(on) => sqlx::query_as::<sqlx::Postgres, $row>($sql)$(.bind($bind))*.$how(on).await,
        }
    };
}

/// `execute!(tx, "update ... where id = $1", id)`: how many rows it changed, on a [`Db`] (its writer) or a [`Tx`].
#[macro_export]
macro_rules! execute {
    ($on:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $on.writing() {
            $crate::db::Target::Sqlite(on) => sqlx::query::<sqlx::Sqlite>($sql)$(.bind($bind))*.execute(on).await.map(|done| done.rows_affected()),
            $crate::db::Target::Postgres(on) => sqlx::query::<sqlx::Postgres>($sql)$(.bind($bind))*.execute(on).await.map(|done| done.rows_affected()),
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_table_that_grew_since_it_was_counted_is_asked_by_its_whole_key() {
        let Some(url) = testing::empty_postgres().await else { return };
        let db = Db::open_postgres(&url, 2).await.unwrap();
        let put = "insert into receipts select 'w', 's', n, 'm', '200', 1, 1 from generate_series(1, 5000) as n";
        execute!(db, put).unwrap();
        let mut tx = db.begin().await.unwrap();
        tx.by_index().await.unwrap();
        let asked = "explain select x.seq from json_to_recordset('[]') as r(seq bigint) \
                     left join receipts x on x.workspace_id = 'w' and x.send_id = 's' and x.seq = r.seq";
        let plan = fetch!(tx, all, (String,), asked).unwrap();
        let plan = plan.into_iter().map(|(step,)| step).collect::<Vec<_>>().join("\n");
        assert!(plan.contains("AND (seq = r.seq)") && !plan.contains("Materialize"), "{plan}");
    }

    #[test]
    fn patterns_find_what_was_typed_and_no_more() {
        assert_eq!(like_pattern(""), "");
        assert_eq!(like_pattern("spring"), "%spring%");
        assert_eq!(like_pattern("50% a_b!"), "%50!% a!_b!!%");
    }
}
