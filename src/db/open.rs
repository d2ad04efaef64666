//! Opening, locking and migrating.

use super::{Db, SqliteDb, name_key};
use crate::{
    secrets::MasterKey,
    steps::{self, Step},
};
use sqlx::{
    Connection, PgConnection, SqlitePool,
    migrate::Migrator,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteOperation, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::Path, sync::Arc, time::Duration};

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
    #[error("bringing the database up to date: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("the data folder {0}: {1}")]
    Folder(String, std::io::Error),
    #[error("there is no Reachwire database in {0}; `serve` and `user add` make one")]
    Nothing(String),
    #[error("another Reachwire is running on {0}; stop it first (one process per SQLite file)")]
    InUse(String),
    #[error(
        "the master key does not fit this database: set REACHWIRE_SECRET to the key it was made with, or put the \
         file secret.key back beside it"
    )]
    WrongMasterKey,
    #[error("`backup` copies a SQLite file; for PostgreSQL use pg_dump")]
    BackupOfPostgres,
}

pub static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
pub static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// The file of a SQLite database, in its folder.
const FILE: &str = "reachwire.db";
const BUSY: Duration = Duration::from_secs(10);
const READERS: u32 = 8;

impl Db {
    /// The SQLite file `reachwire.db` in `folder`, which is made if it is not there. `exclusive` takes the lock that a
    /// running server holds.
    pub async fn open_sqlite(folder: &Path, exclusive: bool) -> Result<Self, OpenError> {
        let problem = |error| OpenError::Folder(folder.display().to_string(), error);
        std::fs::create_dir_all(folder).map_err(problem)?;
        let lock = if exclusive { Some(Arc::new(lock(folder)?)) } else { None };
        let options = SqliteConnectOptions::new()
            .filename(folder.join(FILE))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // The ledger survives a power cut; group commit pays for it.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .pragma("cache_size", "-16000")
            .optimize_on_close(true, Some(400));
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(60))
            // When the disk is full or fails, SQLite ends a transaction by itself. The connection still counts one as open
            // (sqlx 0.9) and would refuse every other: another takes its place. Asked after a ping, which waits for what
            // was to be rolled back.
            .test_before_acquire(true)
            .before_acquire(|connection, _| {
                let whole = !connection.is_in_transaction();
                Box::pin(async move { Ok(whole) })
            })
            .connect_with(options.clone())
            .await?;
        migrate_sqlite(&write).await?;
        let read = SqlitePoolOptions::new().max_connections(READERS).connect_with(options.read_only(true)).await?;
        Ok(Self::Sqlite(SqliteDb { write, read, _lock: lock }))
    }

    pub async fn open_postgres(url: &str, connections: u32) -> Result<Self, OpenError> {
        Self::open_pooled(url, url, connections).await
    }

    /// With `url` leading to a pooler perhaps, and `direct` to PostgreSQL itself: migrations hold a lock of a session.
    pub async fn open_pooled(url: &str, direct: &str, connections: u32) -> Result<Self, OpenError> {
        let mut connection = PgConnection::connect(direct).await?;
        POSTGRES.run(&mut connection).await?;
        connection.close().await?;
        Ok(Self::Postgres(PgPoolOptions::new().max_connections(connections).connect(url).await?))
    }
}

/// With the steps at which a test lets it die: inside the statements, and when the record of a migration is written.
async fn migrate_sqlite(pool: &SqlitePool) -> Result<(), OpenError> {
    /// Instructions of SQLite's machine between two looks: a few for each statement.
    const LOOK: i32 = 20;
    let mut connection = pool.acquire().await?;
    if cfg!(debug_assertions) {
        let mut handle = connection.lock_handle().await?;
        handle.set_progress_handler(LOOK, || {
            steps::at(Step::Migrating);
            true
        });
        handle.set_update_hook(|change| {
            if change.table == SQLITE.table_name && matches!(change.operation, SqliteOperation::Insert) {
                steps::at(Step::MigrationWritten);
            }
        });
    }
    SQLITE.run(&mut *connection).await?;
    if cfg!(debug_assertions) {
        let mut handle = connection.lock_handle().await?;
        handle.remove_progress_handler();
        handle.remove_update_hook();
    }
    Ok(())
}

/// Refuses a folder without a database, without making anything.
pub fn known_sqlite(folder: &Path) -> Result<(), OpenError> {
    if folder.join(FILE).is_file() { Ok(()) } else { Err(OpenError::Nothing(folder.display().to_string())) }
}

/// Refuses a PostgreSQL database that no Reachwire has been started on.
pub async fn known_postgres(url: &str) -> Result<(), OpenError> {
    let mut connection = PgConnection::connect(url).await?;
    let sql = "select to_regclass('_sqlx_migrations') is not null";
    let (known,): (bool,) = sqlx::query_as(sql).fetch_one(&mut connection).await?;
    connection.close().await?;
    // Not its address, which may hold a password.
    if known { Ok(()) } else { Err(OpenError::Nothing("that PostgreSQL database".into())) }
}

fn lock(folder: &Path) -> Result<std::fs::File, OpenError> {
    let problem = |error| OpenError::Folder(folder.display().to_string(), error);
    let file = std::fs::OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(false)
        .open(folder.join("reachwire.lock"))
        .map_err(problem)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(OpenError::InUse(folder.display().to_string())),
        Err(std::fs::TryLockError::Error(error)) => Err(problem(error)),
    }
}

/// The first start seals a known text with the master key; every later one must be able to open it.
pub async fn check_master_key(db: &Db, key: &MasterKey) -> Result<(), OpenError> {
    const KNOWN: &str = "reachwire";
    let sealed = key.seal(KNOWN);
    crate::execute!(
        db,
        "insert into settings (key, value) values ('master_key_check', $1) on conflict (key) do nothing",
        &sealed
    )?;
    let (kept,) = crate::fetch!(db, one, (String,), "select value from settings where key = 'master_key_check'")?;
    match key.open(&kept) {
        Some(text) if text == KNOWN => {}
        _ => return Err(OpenError::WrongMasterKey),
    }
    name_organization(db).await?;
    Ok(())
}

/// Names of people from before `users.name_key` got it by SQL, whose `lower` knows less than [`name_key`] (SQLite's ASCII
/// alone), so that searches did not find them. Done once for each database.
pub async fn fill_name_keys(db: &Db) -> sqlx::Result<()> {
    const DONE: &str = "select 1 from settings where key = 'user_name_keys'";
    if crate::fetch!(db, optional, (i32,), DONE)?.is_some() {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    // Of two processes that begin at once, the second waits here, and has nothing to do then.
    let sql = "insert into settings (key, value) values ('user_name_keys', '1') on conflict (key) do nothing";
    if crate::execute!(tx, sql)? == 0 {
        return Ok(());
    }
    let all = crate::fetch!(tx, all, (String, String, String), "select id, name, name_key from users")?;
    for (id, name, key) in all {
        let right = name_key(&name);
        if right != key {
            let sql = "update users set name_key = $3 where id = $1 and name = $2";
            crate::execute!(tx, sql, id, name, right)?;
        }
    }
    tx.commit().await
}

/// The installation's own id, made at the first start: receivers of several can tell them apart.
async fn name_organization(db: &Db) -> sqlx::Result<()> {
    let id = crate::clock::new_id();
    crate::execute!(
        db,
        "insert into settings (key, value) values ('organization_id', $1) on conflict (key) do nothing",
        id
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{db::testing, execute, fetch};

    #[tokio::test]
    async fn a_transaction_that_a_full_disk_ended_is_not_the_last() {
        let (db, _folder) = testing::sqlite().await;
        let put = "insert into settings (key, value) values ($1, $2)";
        execute!(db, "pragma max_page_count = 1").unwrap(); // As many as there are.
        let mut tx = db.begin().await.unwrap();
        execute!(tx, put, "before", "it").unwrap();
        assert!(execute!(tx, put, "large", "x".repeat(1 << 20)).is_err());
        assert!(tx.commit().await.is_err(), "nothing of it counts");
        let mut tx = db.begin().await.unwrap();
        execute!(tx, put, "after", "it").unwrap();
        tx.commit().await.unwrap();
        let kept =
            fetch!(db, all, (String,), "select key from settings where key in ('before', 'large', 'after')").unwrap();
        assert_eq!(kept, [("after".to_string(),)]);
    }
}
