//! Many rows in one statement, on both databases.
//!
//! The rows travel as one JSON array of objects, which SQLite opens with `jsonb_each` and PostgreSQL with
//! `json_to_recordset`; the statement around them is the same text for both and knows them as `r`.

/// `bulk!(tx, execute, json, (seq bigint, name text), "insert into t select r.seq, r.name from ", " where true", ...)`:
/// the rows stand between the two texts; `json` is `$1`, binds begin at `$2`. `fetch Row` in place of `execute`
/// gives what `returning` returns. SQLite needs a `where` between the rows and `on conflict`.
#[macro_export]
macro_rules! bulk {
    ($on:expr, execute, $json:expr, $columns:tt, $before:expr, $after:expr $(, $bind:expr)* $(,)?) => {
        match $on.writing() {
            $crate::db::Target::Sqlite(on) => {
                sqlx::query::<sqlx::Sqlite>($crate::bulk!(@sqlite $columns, $before, $after))
                    .bind($json)$(.bind($bind))*.execute(on).await.map(|done| done.rows_affected())
            }
            $crate::db::Target::Postgres(on) => {
                sqlx::query::<sqlx::Postgres>($crate::bulk!(@postgres $columns, $before, $after))
                    .bind($json)$(.bind($bind))*.execute(on).await.map(|done| done.rows_affected())
            }
        }
    };
    ($on:expr, fetch $row:ty, $json:expr, $columns:tt, $before:expr, $after:expr $(, $bind:expr)* $(,)?) => {
        match $on.writing() {
            $crate::db::Target::Sqlite(on) => {
                sqlx::query_as::<sqlx::Sqlite, $row>($crate::bulk!(@sqlite $columns, $before, $after))
                    .bind($json)$(.bind($bind))*.fetch_all(on).await
            }
            $crate::db::Target::Postgres(on) => {
                sqlx::query_as::<sqlx::Postgres, $row>($crate::bulk!(@postgres $columns, $before, $after))
                    .bind($json)$(.bind($bind))*.fetch_all(on).await
            }
        }
    };
    (@sqlite ($($name:ident $kind:ident),+ $(,)?), $before:expr, $after:expr) => {
        concat!(
            $before, "(select key as row_no"
            $(, ", value ->> '$.", stringify!($name), "' as ", stringify!($name))+,
            " from jsonb_each($1)) as r", $after
        )
    };
    (@postgres ($($name:ident $kind:ident),+ $(,)?), $before:expr, $after:expr) => {
        concat!(
            $before, "json_to_recordset($1::json) as r(row_no bigint"
            $(, ", ", stringify!($name), " ", stringify!($kind))+,
            ")", $after
        )
    };
}

/// Rows as [`bulk!`](crate::bulk) takes them.
pub fn rows<T: serde::Serialize>(rows: &[T]) -> sqlx::Result<String> {
    serde_json::to_string(rows).map_err(|error| sqlx::Error::Encode(error.into()))
}

#[cfg(test)]
mod tests {
    use crate::on_both_databases;

    #[derive(serde::Serialize)]
    struct Setting<'a> {
        key: &'a str,
        value: Option<i64>,
    }

    on_both_databases!(rows_go_in_and_come_back, |db| async move {
        let rows = crate::db::bulk::rows(&[
            Setting { key: "a \"quoted\" 键", value: Some(i64::MAX) },
            Setting { key: "b", value: None },
        ])
        .unwrap();
        let mut tx = db.begin().await.unwrap();
        let mut keys: Vec<(String, String)> = crate::bulk!(
            tx,
            fetch (String, String),
            &rows,
            (key text, value bigint),
            "insert into settings (key, value) select r.key, coalesce(cast(r.value as text), $2) from ",
            " where true on conflict (key) do nothing returning key, value",
            "none",
        )
        .unwrap();
        tx.commit().await.unwrap();
        keys.sort();
        let expected = [("a \"quoted\" 键", "9223372036854775807"), ("b", "none")];
        assert_eq!(keys, expected.map(|(key, value)| (key.to_string(), value.to_string())));
    });
}
