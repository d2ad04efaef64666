//! Walking a chain from its first entry to its last, in pieces, and comparing what stands with what was written.

use super::store::{self, Hashed, ORGANIZATION};
use crate::{db::Db, fetch};

/// Entries in memory at a time.
const PIECE: i64 = 1_000;

/// A chain of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The workspace's id.
    pub workspace: String,
    /// As people know it.
    pub name: String,
}

/// What is wrong with a chain: the first entry at which it is broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("entry {0} was changed, or another one was put in its place")]
    Changed(i64),
    #[error("entry {0} is missing")]
    Missing(i64),
    #[error("entry {0} was added: the log did not write it")]
    Added(i64),
    #[error("it has entries, but the record of the last one is missing")]
    NoHead,
}

/// A whole chain: how many entries, and the hash of the last ("" for none).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    pub entries: i64,
    pub hash: String,
}

/// An entry that was noted elsewhere, and whether a chain has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    pub seq: i64,
    pub hash: String,
    pub found: bool,
}

/// All chains, also of workspaces that are no more and those whose last entry is not recorded.
pub async fn chains(db: &Db) -> sqlx::Result<Vec<Chain>> {
    let sql = "select workspace_id from audit_heads order by workspace_id";
    let mut ids: Vec<String> = fetch!(db, all, (String,), sql)?.into_iter().map(|(id,)| id).collect();
    // One seek for each chain: the log may be long.
    let first = "select min(workspace_id) from audit_log";
    let (mut next,) = fetch!(db, one, (Option<String>,), first)?;
    while let Some(id) = next {
        let sql = "select min(workspace_id) from audit_log where workspace_id > $1";
        (next,) = fetch!(db, one, (Option<String>,), sql, &id)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let mut chains = Vec::with_capacity(ids.len());
    for workspace in ids {
        let sql = "select name from workspaces where id = $1";
        let name = match fetch!(db, optional, (String,), sql, &workspace)? {
            _ if workspace == ORGANIZATION => "Organization".to_string(),
            Some((name,)) => format!("Workspace “{name}”"),
            None => format!("Workspace {workspace}, which is no more"),
        };
        chains.push(Chain { workspace, name });
    }
    Ok(chains)
}

/// Walks a chain as it stood when this began; what is written meanwhile is the next walk's. Entries that were `noted` and
/// are met are marked.
pub async fn verify(db: &Db, workspace: &str, noted: &mut [Noted]) -> sqlx::Result<Result<Whole, Fault>> {
    let head = store::head(db, workspace).await?;
    let (last, last_hash) = head.clone().unwrap_or_default();
    let (mut after, mut entries, mut before) = (i64::MIN, 0, String::new());
    'walk: loop {
        let piece = store::following(db, workspace, after, PIECE).await?;
        let Some(end) = piece.last() else { break };
        after = end.row.seq;
        for Hashed { row, hash } in &piece {
            if row.seq > last {
                break 'walk;
            }
            match row.seq - entries {
                1 => {}
                ..1 => return Ok(Err(Fault::Added(row.seq))),
                _ => return Ok(Err(Fault::Missing(entries + 1))),
            }
            if row.hash(workspace, &before) != *hash {
                return Ok(Err(Fault::Changed(row.seq)));
            }
            for one in noted.iter_mut().filter(|one| one.seq == row.seq && one.hash == *hash) {
                one.found = true;
            }
            (entries, before) = (row.seq, hash.clone());
        }
    }
    if entries < last {
        return Ok(Err(Fault::Missing(entries + 1)));
    }
    // The last one's hash is what the next would have been chained to.
    if before != last_hash {
        return Ok(Err(Fault::Changed(last)));
    }
    // In one statement: what is written meanwhile moves both.
    let sql = "select min(seq) from audit_log where workspace_id = $1
               and seq > coalesce((select seq from audit_heads where workspace_id = $1), 0)";
    match fetch!(db, one, (Option<i64>,), sql, workspace)? {
        (Some(_),) if head.is_none() => Ok(Err(Fault::NoHead)),
        (Some(added),) => Ok(Err(Fault::Added(added))),
        (None,) => Ok(Ok(Whole { entries, hash: before })),
    }
}
