//! Server functions of customers and imports.

use super::{
    mapping::ColumnInput,
    model::{Customer, IdType, Import, Reason, Tag},
};
use crate::error::AppError;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// A page of the customer list, or what a search found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomerList {
    pub tags: Vec<Tag>,
    pub customers: Vec<Customer>,
    /// Of the workspace.
    pub total: i64,
    /// The mark of the next page; searches have one page.
    pub next: Option<String>,
    /// A search stopped at the most it shows.
    pub more: bool,
}

#[server]
pub async fn list_customers(q: String, after: String) -> Result<CustomerList, AppError> {
    use super::{find, store};
    use crate::access::{
        Resource, caller,
        model::{Area, Permission},
        require,
    };
    const PAGE: i64 = 50;
    const FOUND: i64 = 100;
    let ctx = require(&caller()?, Permission::View(Area::Customers), Resource::Workspace).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let (tags, total) = (store::tags(db, workspace).await?, store::total(db, workspace).await?);
    if q.is_empty() {
        let mut customers = find::page(db, workspace, &after, PAGE + 1).await?;
        let further = customers.len() as i64 > PAGE;
        customers.truncate(PAGE as usize);
        let next = customers.last().filter(|_| further).map(|customer| customer.customer_id.clone());
        return Ok(CustomerList { tags, customers, total, next, more: false });
    }
    let customers = find::search(db, workspace, &q, FOUND).await?;
    let more = customers.len() as i64 == FOUND;
    Ok(CustomerList { tags, customers, total, next: None, more })
}

#[server]
pub async fn get_customer(id: String) -> Result<(Customer, Vec<Tag>), AppError> {
    use super::store;
    use crate::access::{
        Resource, caller,
        model::{Area, Permission},
        require,
    };
    let ctx = require(&caller()?, Permission::View(Area::Customers), Resource::Customer(&id)).await?;
    let customer = store::one(&ctx.state.db, ctx.workspace(), &id).await?;
    Ok((customer, store::tags(&ctx.state.db, ctx.workspace()).await?))
}

#[server]
pub async fn latest_imports() -> Result<(Vec<Import>, i64), AppError> {
    use super::import::store;
    use crate::access::{
        Resource, caller,
        model::{Area, Permission},
        require,
    };
    let ctx = require(&caller()?, Permission::View(Area::Customers), Resource::Workspace).await?;
    let (imports, now) = (store::latest(&ctx.state.db, ctx.workspace(), 20).await?, ctx.now());
    Ok((imports.into_iter().map(|import| import.at(now)).collect(), now))
}

/// An import and what its page needs in its state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImportView {
    pub import: Import,
    /// While the columns wait to be mapped.
    pub columns: Vec<ColumnView>,
    pub id_types: Vec<IdType>,
    /// The first 100 rows that were left out, once it is finished.
    pub bad: Vec<BadRowView>,
    pub now: i64,
}

/// A column of the file: what it probably means, and its first cells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnView {
    pub guess: ColumnInput,
    pub cells: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BadRowView {
    pub line: i64,
    pub reason: Reason,
    pub detail: String,
}

#[server]
pub async fn get_import(id: String) -> Result<ImportView, AppError> {
    use super::{import::store, model::ImportStatus, store as customers};
    use crate::access::{
        Resource, caller,
        model::{Area, Permission},
        require,
    };
    let ctx = require(&caller()?, Permission::View(Area::Customers), Resource::Import(&id)).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let import = store::get(db, workspace, &id).await?.at(ctx.now());
    let mut view = ImportView { import, columns: vec![], id_types: vec![], bad: vec![], now: ctx.now() };
    match view.import.status {
        ImportStatus::Uploaded => {
            view.id_types = customers::enabled_id_types(db, workspace).await?;
            view.columns = columns(&ctx, &id, &view.id_types).await?;
        }
        ImportStatus::Finished | ImportStatus::Failed | ImportStatus::Interrupted => {
            let rows = store::bad_rows(db, workspace, &id, 0, 100).await?;
            let shown =
                rows.into_iter().map(|row| BadRowView { line: row.line, reason: row.reason, detail: row.detail });
            view.bad = shown.collect();
        }
        ImportStatus::Running => {}
    }
    Ok(view)
}

/// The guess, from the stored file.
#[cfg(feature = "ssr")]
async fn columns(ctx: &crate::access::Ctx, id: &str, id_types: &[IdType]) -> Result<Vec<ColumnView>, AppError> {
    use super::import::{guess::guess, inspect::inspect};
    const SHOWN: usize = 5;
    let path = file_here(ctx, id)?;
    let file = tokio::task::spawn_blocking(move || inspect(&path)).await.map_err(crate::error::internal)?;
    let file = file.map_err(|refusal| AppError::conflict(refusal.to_string()))?;
    let tags = super::store::tags(&ctx.state.db, ctx.workspace()).await?;
    let mapping = guess(&file, id_types, &tags);
    let cells = |place: usize| {
        let short = |cell: &String| cell.chars().take(60).collect();
        file.rows.iter().take(SHOWN).filter_map(|row| row.get(place)).map(short).collect()
    };
    let view = |(place, column)| ColumnView { guess: ColumnInput::new(column), cells: cells(place) };
    Ok(mapping.columns.iter().enumerate().map(view).collect())
}

/// Checks the mapping and starts the import.
#[server]
pub async fn start_import(id: String, columns: Vec<ColumnInput>) -> Result<(), AppError> {
    use super::{import, mapping, store};
    use crate::access::{
        Resource, caller,
        model::{Area, Permission},
        require,
    };
    let ctx = require(&caller()?, Permission::Manage(Area::Customers), Resource::Import(&id)).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    import::store::get(db, workspace, &id).await?;
    file_here(&ctx, &id)?;
    let mapping = mapping::from_inputs(columns).map_err(AppError::Invalid)?;
    let (id_types, tags) = (store::enabled_id_types(db, workspace).await?, store::tags(db, workspace).await?);
    AppError::check(mapping.check(&id_types, &tags))?;
    if !import::store::start(db, workspace, &id, &mapping, &ctx.by()).await? {
        return Err(AppError::conflict(
            "This import has been started already, or its tags have changed. Load the page again.",
        ));
    }
    import::spawn(&ctx.state, workspace.to_string(), id);
    Ok(())
}

/// The stored upload, if it is on this server.
#[cfg(feature = "ssr")]
fn file_here(ctx: &crate::access::Ctx, id: &str) -> Result<std::path::PathBuf, AppError> {
    let path = super::import::file_of(&ctx.state, id);
    if path.exists() {
        Ok(path)
    } else {
        Err(AppError::conflict(
            "The file is not on this server any more. Discard this import and upload the file again.",
        ))
    }
}

/// Goes on with an import that failed or was interrupted.
#[server]
pub async fn run_import_again(id: String) -> Result<(), AppError> {
    use super::import;
    use crate::access::{
        Resource, caller,
        model::{Area, Permission},
        require,
    };
    let ctx = require(&caller()?, Permission::Manage(Area::Customers), Resource::Import(&id)).await?;
    import::store::get(&ctx.state.db, ctx.workspace(), &id).await?;
    file_here(&ctx, &id)?;
    if !import::store::start_again(&ctx.state.db, ctx.workspace(), &id, &ctx.by()).await? {
        return Err(AppError::conflict("Only an import of an uploaded file that has stopped can be run again."));
    }
    import::spawn(&ctx.state, ctx.workspace().to_string(), id);
    Ok(())
}

/// Forgets an import that was not started or has stopped.
#[server]
pub async fn discard_import(id: String) -> Result<(), AppError> {
    use super::import;
    use crate::access::{
        Resource, caller,
        model::{Area, Permission},
        require,
    };
    let ctx = require(&caller()?, Permission::Manage(Area::Customers), Resource::Import(&id)).await?;
    let import = import::store::get(&ctx.state.db, ctx.workspace(), &id).await?;
    if !import::store::discard(&ctx.state.db, ctx.workspace(), &id, &ctx.by()).await? {
        return Err(AppError::conflict("This import runs, or has finished."));
    }
    if import.uploaded
        && let Err(error) = tokio::fs::remove_file(import::file_of(&ctx.state, &id)).await
    {
        tracing::warn!(%error, import = id, "a discarded upload could not be removed");
    }
    leptos_axum::redirect("/customers/import");
    Ok(())
}
