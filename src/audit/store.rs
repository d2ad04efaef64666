//! The log in the database.

use super::{Actor, Entry};
use crate::{
    clock::Millis,
    db::{Db, Tx, like_pattern, to_json},
    execute, fetch,
};
use sha2::{Digest, Sha256};
use sqlx::AssertSqlSafe;

/// The chain of what belongs to no workspace.
pub const ORGANIZATION: &str = "";

/// A row of the log, but for its hash.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Row {
    pub seq: i64,
    pub at: Millis,
    pub actor_kind: String,
    pub actor_id: String,
    pub actor: String,
    pub action: String,
    pub object_kind: String,
    pub object_id: String,
    pub object: String,
    pub address: String,
    /// A [`Change`](super::Change) as JSON.
    pub change: String,
    /// What searches look in: it is kept, for labels may change.
    pub search_key: String,
}

impl Row {
    /// SHA-256, in hex, over everything that the row says, its workspace and the hash of the row before it ("" for the
    /// first), as a JSON array.
    pub fn hash(&self, workspace: &str, before: &str) -> String {
        let said = serde_json::json!([
            workspace,
            self.seq,
            self.at,
            self.actor_kind,
            self.actor_id,
            self.actor,
            self.action,
            self.object_kind,
            self.object_id,
            self.object,
            self.address,
            self.change,
            self.search_key,
            before
        ]);
        hex::encode(Sha256::digest(said.to_string().as_bytes()))
    }
}

/// Writes an entry, the last thing before the commit: others who write to the same log wait from here on. A form that
/// was saved as it stood leaves none.
pub async fn record(tx: &mut Tx, workspace: &str, now: Millis, actor: &Actor, entry: &Entry<'_>) -> sqlx::Result<()> {
    if entry.says_nothing() {
        return Ok(());
    }
    let (seq, before) = fetch!(
        tx,
        one,
        (i64, String),
        "insert into audit_heads (workspace_id, seq, hash) values ($1, 1, '')
         on conflict (workspace_id) do update set seq = audit_heads.seq + 1 returning seq, hash",
        workspace
    )?;
    let search_key = [&actor.name, entry.action.label(), entry.kind.label(), entry.name].join(" ").to_lowercase();
    let row = Row {
        seq,
        at: now,
        actor_kind: actor.kind.code().into(),
        actor_id: actor.id.clone(),
        actor: actor.name.clone(),
        action: entry.action.code().into(),
        object_kind: entry.kind.code().into(),
        object_id: entry.id.into(),
        object: entry.name.into(),
        address: actor.address.clone(),
        change: to_json(&entry.change)?,
        search_key,
    };
    let hash = row.hash(workspace, &before);
    execute!(
        tx,
        "insert into audit_log (workspace_id, seq, at, actor_kind, actor_id, actor, action, object_kind, object_id,
                                object, address, change, search_key, hash)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        workspace,
        row.seq,
        row.at,
        &row.actor_kind,
        &row.actor_id,
        &row.actor,
        &row.action,
        &row.object_kind,
        &row.object_id,
        &row.object,
        &row.address,
        &row.change,
        &row.search_key,
        &hash
    )?;
    execute!(tx, "update audit_heads set hash = $2 where workspace_id = $1", workspace, &hash)?;
    Ok(())
}

/// A row and its hash.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Hashed {
    #[sqlx(flatten)]
    pub row: Row,
    pub hash: String,
}

const COLUMNS: &str = "seq, at, actor_kind, actor_id, actor, action, object_kind, object_id, object, address, change,
        search_key, hash";

/// Which entries are wanted; what is "" or `None` filters nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub search: String,
    pub action: String,
    pub object_kind: String,
    pub actor_id: String,
    pub actor_kind: String,
    /// From this moment on, and before that one.
    pub from: Option<Millis>,
    pub before: Option<Millis>,
}

/// Entries that fit, the newest first, older than the one of the number `older_than`.
pub async fn page(db: &Db, workspace: &str, filter: &Filter, older_than: i64, limit: i64) -> sqlx::Result<Vec<Hashed>> {
    let sql = format!(
        "select {COLUMNS} from audit_log
         where workspace_id = $1 and seq < $2 and ($3 = '' or search_key like $3 escape '!')
           and ($4 = '' or action = $4) and ($5 = '' or object_kind = $5) and ($6 = '' or actor_id = $6)
           and ($7 = '' or actor_kind = $7) and at >= $8 and at < $9
         order by seq desc limit $10"
    );
    fetch!(
        db,
        all,
        Hashed,
        AssertSqlSafe(sql),
        workspace,
        older_than,
        like_pattern(&filter.search.trim().to_lowercase()),
        &filter.action,
        &filter.object_kind,
        &filter.actor_id,
        &filter.actor_kind,
        filter.from.unwrap_or(i64::MIN),
        filter.before.unwrap_or(i64::MAX),
        limit
    )
}

/// Entries after a number, in their order.
pub async fn following(db: &Db, workspace: &str, after: i64, limit: i64) -> sqlx::Result<Vec<Hashed>> {
    let sql = format!("select {COLUMNS} from audit_log where workspace_id = $1 and seq > $2 order by seq limit $3");
    fetch!(db, all, Hashed, AssertSqlSafe(sql), workspace, after, limit)
}

/// The number and the hash of the newest entry, as the log itself counts.
pub async fn head(db: &Db, workspace: &str) -> sqlx::Result<Option<(i64, String)>> {
    fetch!(db, optional, (i64, String), "select seq, hash from audit_heads where workspace_id = $1", workspace)
}

/// People and keys that a filter names.
const PEOPLE: i64 = 500;

/// Who may have done something in the workspace, by name: id and name. For the organization's log, everybody.
pub async fn people(db: &Db, workspace: &str) -> sqlx::Result<Vec<(String, String)>> {
    if workspace == ORGANIZATION {
        let sql = "select id, name from users order by name_key, id limit $1";
        return fetch!(db, all, (String, String), sql, PEOPLE);
    }
    let sql = "select u.id, u.name from members m join users u on u.id = m.user_id where m.workspace_id = $1
               order by u.name_key, u.id limit $2";
    let mut people = fetch!(db, all, (String, String), sql, workspace, PEOPLE)?;
    let sql = "select id, name from api_keys where workspace_id = $1 order by id desc limit $2";
    let keys = fetch!(db, all, (String, String), sql, workspace, PEOPLE)?;
    people.extend(keys.into_iter().map(|(id, name)| (id, format!("API key {name}"))));
    Ok(people)
}
