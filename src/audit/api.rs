//! What the pages of the audit log ask the server for.

use super::model::{LogPage, LogQuery};
use crate::error::AppResult;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::{model::ROWS, object, store};
#[cfg(feature = "ssr")]
use crate::access::{
    Caller, Ctx, Resource, caller,
    model::{Area, Permission},
    require,
};

/// A page of the workspace's log, or of the organization's.
#[server]
pub async fn list_audit_log(query: LogQuery, #[server(default)] organization: bool) -> AppResult<LogPage> {
    let (ctx, chain) = chain(&caller()?, organization).await?;
    let (db, info) = (&ctx.state.db, ctx.info());
    let filter = object::filter(&query, &info.time_zone)?;
    let mut found = store::page(db, &chain, &filter, object::mark(&query.after), ROWS + 1).await?;
    let further = found.len() as i64 > ROWS;
    found.truncate(ROWS as usize);
    let next = found.last().filter(|_| further).map(|last| last.row.seq.to_string());
    let mut rows = Vec::with_capacity(found.len());
    for hashed in found {
        rows.push(object::entry(db, info, hashed.row).await?);
    }
    let head = store::head(db, &chain).await?.map(|(seq, hash)| format!("{seq}:{hash}")).unwrap_or_default();
    Ok(LogPage { rows, next, head })
}

/// Who a log can be filtered by: id and name.
#[server]
pub async fn list_audit_people(#[server(default)] organization: bool) -> AppResult<Vec<(String, String)>> {
    let (ctx, chain) = chain(&caller()?, organization).await?;
    Ok(store::people(&ctx.state.db, &chain).await?)
}

/// Whose log it is that may be read.
#[cfg(feature = "ssr")]
pub(super) async fn chain(caller: &Caller, organization: bool) -> AppResult<(Ctx, String)> {
    let permission = if organization { Permission::Organization } else { Permission::View(Area::AuditLog) };
    let ctx = require(caller, permission, Resource::Workspace).await?;
    let chain = if organization { store::ORGANIZATION.to_string() } else { ctx.workspace().to_string() };
    Ok((ctx, chain))
}
