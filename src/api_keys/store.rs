//! Keys in the database, which holds their hashes alone.

use super::model::{ApiKey, KEYS_MAX, KeyQuery, ROWS, Scope};
use crate::{
    audit::{
        By, Change, Entry,
        model::{Action, ObjectKind},
    },
    clock::{Millis, new_id},
    db::{Db, from_json},
    error::{AppError, AppResult},
    execute, fetch,
    ui::time,
};
use sha2::{Digest, Sha256};

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    hint: String,
    scopes: String,
    created_by: Option<String>,
    created_at: Millis,
    expires_at: Option<Millis>,
    last_used_at: Option<Millis>,
    last_used_from: String,
    revoked_at: Option<Millis>,
}

/// Scopes of a later version open nothing here.
fn scopes_of(text: &str) -> sqlx::Result<Vec<Scope>> {
    let codes: Vec<String> = from_json(text)?;
    Ok(codes.iter().filter_map(|code| Scope::from_code(code)).collect())
}

impl TryFrom<Row> for ApiKey {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        Ok(Self {
            scopes: scopes_of(&row.scopes)?,
            id: row.id,
            name: row.name,
            hint: row.hint,
            created_by: row.created_by.unwrap_or_default(),
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            last_used_from: row.last_used_from,
            revoked_at: row.revoked_at,
        })
    }
}

/// A page of what matches, and how many match in all. A workspace has few keys, so names are compared here, in any
/// script.
pub async fn page(db: &Db, workspace: &str, query: &KeyQuery, now: Millis) -> sqlx::Result<(Vec<ApiKey>, i64)> {
    let rows = fetch!(
        db,
        all,
        Row,
        "select k.id, k.name, k.hint, k.scopes, u.name as created_by, k.created_at, k.expires_at, k.last_used_at,
                k.last_used_from, k.revoked_at
         from api_keys k left join users u on u.id = k.created_by where k.workspace_id = $1 order by k.id desc limit $2",
        workspace,
        KEYS_MAX
    )?;
    let mut keys = rows.into_iter().map(ApiKey::try_from).collect::<sqlx::Result<Vec<_>>>()?;
    let search = query.search.trim().to_lowercase();
    keys.retain(|key| {
        let found = key.name.to_lowercase().contains(&search) || key.hint.to_lowercase().contains(&search);
        found && (query.state.is_empty() || query.state == key.state(now).code())
    });
    let total = keys.len() as i64;
    let first = query.offset.clamp(0, KEYS_MAX) as usize;
    Ok((keys.into_iter().skip(first).take(ROWS as usize).collect(), total))
}

/// What is kept of a key.
pub fn hash(key: &str) -> String {
    hex::encode(Sha256::digest(key.as_bytes()))
}

/// A key that is to be made.
pub struct NewKey<'a> {
    pub name: &'a str,
    pub key: &'a str,
    pub scopes: &'a [Scope],
    pub expires_at: Option<Millis>,
}

/// Keeps a new key; its id. `Conflict` when the workspace has as many as it may.
pub async fn create(db: &Db, workspace: &str, new: &NewKey<'_>, by: &By) -> AppResult<String> {
    let mut tx = db.begin().await?;
    let (count,) = fetch!(tx, one, (i64,), "select count(*) from api_keys where workspace_id = $1", workspace)?;
    if count >= KEYS_MAX {
        return Err(AppError::conflict(format!("A workspace has at most {KEYS_MAX} API keys, revoked ones included.")));
    }
    let id = new_id();
    let codes: Vec<&str> = new.scopes.iter().map(|scope| scope.code()).collect();
    let hint: String = new.key.chars().skip(new.key.chars().count().saturating_sub(4)).collect();
    execute!(
        tx,
        "insert into api_keys (workspace_id, id, name, key_hash, hint, scopes, created_by, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        workspace,
        &id,
        new.name,
        hash(new.key),
        hint,
        serde_json::to_string(&codes)?,
        &by.actor.id,
        by.at,
        new.expires_at
    )?;
    let labels: Vec<&str> = new.scopes.iter().map(|scope| scope.label()).collect();
    let told = serde_json::json!({"scopes": labels, "expires": new.expires_at.map(time::iso)});
    let entry = Entry::new(Action::Created, ObjectKind::ApiKey, &id, new.name).with(Change::to(&told));
    by.record(&mut tx, workspace, &entry).await?;
    tx.commit().await?;
    Ok(id)
}

/// From now on the key opens nothing. `NotFound` when the workspace has no such key; one that is revoked stays as it is.
pub async fn revoke(db: &Db, workspace: &str, id: &str, by: &By) -> AppResult<()> {
    let mut tx = db.begin().await?;
    let revoked = fetch!(
        tx,
        optional,
        (String,),
        "update api_keys set revoked_at = $3 where workspace_id = $1 and id = $2 and revoked_at is null returning name",
        workspace,
        id,
        by.at
    )?;
    let Some((name,)) = revoked else {
        let sql = "select id from api_keys where workspace_id = $1 and id = $2";
        fetch!(tx, one, (String,), sql, workspace, id)?;
        return Ok(());
    };
    by.record(&mut tx, workspace, &Entry::new(Action::Revoked, ObjectKind::ApiKey, id, &name)).await?;
    Ok(tx.commit().await?)
}

/// A key that was shown, with its workspace.
#[derive(sqlx::FromRow)]
pub struct Shown {
    pub id: String,
    pub name: String,
    pub workspace_id: String,
    pub workspace_name: String,
    pub time_zone: String,
    scopes: String,
    pub expires_at: Option<Millis>,
    pub last_used_at: Option<Millis>,
    pub revoked_at: Option<Millis>,
}

impl Shown {
    pub fn scopes(&self) -> sqlx::Result<Vec<Scope>> {
        scopes_of(&self.scopes)
    }

    pub fn valid(&self, now: Millis) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|until| until > now)
    }
}

/// The key of a hash, also one that is no longer valid.
pub async fn by_hash(db: &Db, hash: &str) -> sqlx::Result<Option<Shown>> {
    fetch!(
        db,
        optional,
        Shown,
        "select k.id, k.name, k.workspace_id, w.name as workspace_name, w.time_zone, k.scopes, k.expires_at,
                k.last_used_at, k.revoked_at
         from api_keys k join workspaces w on w.id = k.workspace_id where k.key_hash = $1",
        hash
    )
}

pub async fn used(db: &Db, workspace: &str, id: &str, from: &str, now: Millis) -> sqlx::Result<()> {
    execute!(
        db,
        "update api_keys set last_used_at = $3, last_used_from = $4 where workspace_id = $1 and id = $2",
        workspace,
        id,
        now,
        from
    )?;
    Ok(())
}
