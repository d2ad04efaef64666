//! The log in the database.

use super::{Actor, Entry};
use crate::{clock::Millis, db::Tx, execute, fetch};
use sha2::{Digest, Sha256};

/// The chain of what belongs to no workspace.
pub const ORGANIZATION: &str = "";

/// A row of the log, but for its hash.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
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
            before
        ]);
        hex::encode(Sha256::digest(said.to_string().as_bytes()))
    }
}

/// Writes an entry, the last thing before the commit: others who write to the same log wait from here on.
pub async fn record(tx: &mut Tx, workspace: &str, now: Millis, actor: &Actor, entry: &Entry<'_>) -> sqlx::Result<()> {
    let (seq, before) = fetch!(
        tx,
        one,
        (i64, String),
        "insert into audit_heads (workspace_id, seq, hash) values ($1, 1, '')
         on conflict (workspace_id) do update set seq = audit_heads.seq + 1 returning seq, hash",
        workspace
    )?;
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
        change: serde_json::to_string(&entry.change).map_err(|error| sqlx::Error::Encode(Box::new(error)))?,
    };
    let hash = row.hash(workspace, &before);
    let search_key = [&row.actor, entry.action.label(), entry.kind.label(), &row.object].join(" ").to_lowercase();
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
        search_key,
        &hash
    )?;
    execute!(tx, "update audit_heads set hash = $2 where workspace_id = $1", workspace, &hash)?;
    Ok(())
}
