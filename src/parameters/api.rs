//! What the pages of parameters ask the server for.

use super::model::{ParameterDetail, ParameterForm, ParameterInput, ParameterPage, ParameterQuery, Passed, Values};
use crate::error::AppResult;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::{load, model::LOADING, store};
#[cfg(feature = "ssr")]
use crate::{
    access::{
        Ctx, Resource, caller,
        model::{Area, Permission},
        require,
    },
    delivery::guard::Guard,
    error::{AppError, FieldError},
    webhooks::rules::callable,
};

#[server]
pub async fn list_parameters(query: ParameterQuery) -> AppResult<ParameterPage> {
    let ctx = require(&caller()?, Permission::View(Area::ParameterManagement), Resource::Workspace).await?;
    let (rows, total) = store::page(&ctx.state.db, ctx.workspace(), &query).await?;
    Ok(ParameterPage { rows, total, now: ctx.now() })
}

#[server]
pub async fn get_parameter(id: String) -> AppResult<ParameterDetail> {
    let ctx = require(&caller()?, Permission::View(Area::ParameterManagement), Resource::Parameter(&id)).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let parameter = store::get(db, workspace, &id).await?;
    let wanted = parameter.dependencies();
    let mut associated = store::choices(db, workspace).await?;
    associated.retain(|choice| wanted.iter().any(|one| one.parameter == choice.id));
    let users = store::users(db, workspace, &id).await?;
    Ok(ParameterDetail { parameter, associated, users, now: ctx.now() })
}

/// What the form starts from; without `id` a new parameter's.
#[server]
pub async fn get_parameter_form(id: Option<String>) -> AppResult<ParameterForm> {
    let ctx = require(
        &caller()?,
        Permission::Manage(Area::ParameterManagement),
        Resource::Parameter(id.as_deref().unwrap_or_default()).or_new(),
    )
    .await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let parameter = match id {
        Some(id) => Some(store::get(db, workspace, &id).await?),
        None => None,
    };
    let mut others = store::choices(db, workspace).await?;
    others.retain(|choice| parameter.as_ref().is_none_or(|own| own.id != choice.id));
    Ok(ParameterForm { parameter, others })
}

/// Creates a parameter (no `id`), or saves what was edited from `version` on, and leads to its page.
#[server]
pub async fn save_parameter(
    #[server(default)] id: String,
    #[server(default)] version: i64,
    input: ParameterInput,
) -> AppResult<()> {
    let ctx =
        require(&caller()?, Permission::Manage(Area::ParameterManagement), Resource::Parameter(&id).or_new()).await?;
    let (db, key, workspace) = (&ctx.state.db, &ctx.state.master_key, ctx.workspace());
    let before = if id.is_empty() { None } else { Some(store::get(db, workspace, &id).await?) };
    let input = input.tidy();
    let mut errors = input.check(before.as_ref().is_some_and(|parameter| parameter.has_key));
    if !input.url.is_empty()
        && errors.iter().all(|error| error.field != "url")
        && let Err(message) = callable(&Guard::new(&ctx.state.config.engine.allow_networks), &input.url)
    {
        errors.push(FieldError::new("url", message));
    }
    AppError::check(errors)?;
    let id = match before {
        None => store::create(db, key, workspace, &input, &ctx.by()).await?,
        Some(parameter) => {
            store::update(db, key, workspace, &parameter.id, version, &input, &ctx.by()).await?;
            parameter.id
        }
    };
    leptos_axum::redirect(&format!("/webhook-parameters/{id}"));
    Ok(())
}

/// Deletes a parameter that nobody uses, and leads to the list.
#[server]
pub async fn delete_parameter(id: String) -> AppResult<()> {
    let ctx = require(&caller()?, Permission::Manage(Area::ParameterManagement), Resource::Parameter(&id)).await?;
    store::delete(&ctx.state.db, ctx.workspace(), &id, &ctx.by()).await?;
    leptos_axum::redirect("/webhook-parameters");
    Ok(())
}

#[cfg(feature = "ssr")]
async fn may_load(id: &str) -> AppResult<Ctx> {
    let caller = caller()?;
    let permission = LOADING.of(|permission| caller.may(permission));
    require(&caller, permission, Resource::Parameter(id)).await
}

/// As [`load_values`], for a webhook's form: `given` are the values chosen so far, by the ids of their parameters.
#[server]
pub async fn load_call(
    parameter_id: String,
    #[server(default)] given: Vec<Passed>,
    #[server(default)] retry: bool,
) -> AppResult<Values> {
    let ctx = may_load(&parameter_id).await?;
    load::values_of_call(&ctx, &parameter_id, &load::passed(given), retry).await
}

/// The values of a parameter for whoever asks. `associated` are the values chosen for the parameters that it depends
/// on, by the settings' names; `retry` goes around the cache. `Conflict` says why an interface gave none.
#[server]
pub async fn load_values(
    parameter_id: String,
    #[server(default)] associated: Vec<Passed>,
    #[server(default)] retry: bool,
) -> AppResult<Values> {
    let ctx = may_load(&parameter_id).await?;
    load::values_of(&ctx, &parameter_id, &load::passed(associated), retry).await
}
