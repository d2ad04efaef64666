//! Databases for tests: a test that takes a `Db` runs on SQLite and, when `TEST_POSTGRES_URL` says where, on
//! PostgreSQL. Use [`crate::on_both_databases!`].

use super::{Db, open};
use sqlx::sqlite::SqliteConnectOptions;

/// A new SQLite database in a folder that goes with it.
pub async fn sqlite() -> (Db, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Db::open_sqlite(folder.path(), true).await.unwrap(), folder)
}

/// A new schema on the test server, so that tests do not see each other's rows. scripts/test.sh always sets the
/// variable; a bare `cargo test` without a PostgreSQL at hand says so and goes on.
pub async fn postgres() -> Option<Db> {
    Some(Db::open_postgres(&empty_postgres().await?, 5).await.unwrap())
}

/// The address of a new schema without tables.
pub async fn empty_postgres() -> Option<String> {
    let Ok(url) = std::env::var("TEST_POSTGRES_URL") else {
        assert!(std::env::var("CI").is_err(), "CI must set TEST_POSTGRES_URL");
        eprintln!("TEST_POSTGRES_URL is not set: only SQLite is tested");
        return None;
    };
    let schema = format!("t{}", crate::clock::new_id());
    let admin = sqlx::PgPool::connect(&url).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("create schema {schema}"))).execute(&admin).await.unwrap();
    admin.close().await;
    let mark = if url.contains('?') { '&' } else { '?' };
    Some(format!("{url}{mark}options=-csearch_path%3D{schema}"))
}

/// A database as a version of the program left it, brought up to date: made by the migrations up to `version`, and
/// then `statements`.
pub async fn sqlite_since(version: i64, statements: &[&'static str]) -> (Db, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = SqliteConnectOptions::new().filename(folder.path().join("reachwire.db")).create_if_missing(true);
    let pool = sqlx::SqlitePool::connect_with(file).await.unwrap();
    open::SQLITE.run_to(version, &pool).await.unwrap();
    for sql in statements {
        sqlx::query(*sql).execute(&pool).await.unwrap();
    }
    pool.close().await;
    (Db::open_sqlite(folder.path(), true).await.unwrap(), folder)
}

/// The same on PostgreSQL; `None` as of [`postgres`].
pub async fn postgres_since(version: i64, statements: &[&'static str]) -> Option<Db> {
    let url = empty_postgres().await?;
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    open::POSTGRES.run_to(version, &pool).await.unwrap();
    for sql in statements {
        sqlx::query(*sql).execute(&pool).await.unwrap();
    }
    pool.close().await;
    Some(Db::open_postgres(&url, 5).await.unwrap())
}

/// `on_both_databases!(a_test, |db| async move { ... })`: two tests, `a_test::sqlite` and `a_test::postgres`.
#[macro_export]
macro_rules! on_both_databases {
    ($name:ident, |$db:ident| $body:expr) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn run($db: $crate::db::Db) {
                $body.await
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                let (db, _folder) = $crate::db::testing::sqlite().await;
                run(db).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                if let Some(db) = $crate::db::testing::postgres().await {
                    run(db).await;
                }
            }
        }
    };
}
