//! The values of a parameter for a task form, kept for a while.

mod cache;

use super::{
    interface::{self, LoadError, Patience, Told},
    model::{ASSOCIATED, Dependency, Kind, Parameter, Passed, ROWS_MAX, Source, SystemValue, Values},
    store,
};
use crate::{
    access::{Ctx, store as access},
    error::{AppError, AppResult, internal},
    wire::interface::VALUE_MAX,
};
use cache::Cache;
use serde_json::json;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Semaphore;

/// Interfaces that are asked at once, over all workspaces.
const AT_ONCE: usize = 16;
/// How long one waits for a turn.
const TURN: Duration = Duration::from_secs(10);

/// What loading shares within the process. Cheap to clone.
#[derive(Clone)]
pub struct Loads(Arc<Inner>);

struct Inner {
    cache: Mutex<Cache>,
    turns: Semaphore,
}

impl Default for Loads {
    fn default() -> Self {
        Self(Arc::new(Inner { cache: Mutex::default(), turns: Semaphore::new(AT_ONCE) }))
    }
}

impl Loads {
    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.0.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a form passes, by the settings' names; of two values under one name the last counts.
pub fn passed(values: Vec<Passed>) -> BTreeMap<String, String> {
    values.into_iter().map(|passed| (passed.name, passed.value)).collect()
}

/// The values of a parameter for the caller. `associated` are the values of its dependencies by the settings' names
/// ([`Parameter::dependencies`]); others are not passed on. `fresh` goes around the cache, as for the check when a task
/// is submitted. `NotFound` when the workspace has no such parameter, `Invalid` with the settings' names as fields when
/// a dependency has no value, `Conflict` with the reason when the interface gave no values.
pub async fn values_of(
    ctx: &Ctx,
    parameter_id: &str,
    associated: &BTreeMap<String, String>,
    fresh: bool,
) -> AppResult<Values> {
    let parameter = store::get(&ctx.state.db, ctx.workspace(), parameter_id).await?;
    values(ctx, &parameter, associated, fresh).await
}

async fn values(
    ctx: &Ctx,
    parameter: &Parameter,
    associated: &BTreeMap<String, String>,
    fresh: bool,
) -> AppResult<Values> {
    let associated = depended_on(parameter, associated)?;
    match parameter.input.kind {
        Kind::Constant => {
            let when = associated.get(ASSOCIATED).map_or("", String::as_str);
            let items = parameter.input.constants_when(when);
            Ok(Values { items, associated, system: BTreeMap::new(), loaded_at: ctx.now() })
        }
        Kind::Interface => interface_values(ctx, parameter, associated, fresh).await,
    }
}

/// As [`values_of`], for a webhook's form: `given` are the chosen values by the ids of the parameters that gave them.
pub async fn values_of_call(
    ctx: &Ctx,
    parameter_id: &str,
    given: &BTreeMap<String, String>,
    fresh: bool,
) -> AppResult<Values> {
    let parameter = store::get(&ctx.state.db, ctx.workspace(), parameter_id).await?;
    let of = |dependency: Dependency| Some((dependency.setting, given.get(&dependency.parameter)?.clone()));
    let associated = parameter.dependencies().into_iter().filter_map(of).collect();
    values(ctx, &parameter, &associated, fresh).await
}

/// The values of the dependencies; what is missing is told by the setting's name.
fn depended_on(parameter: &Parameter, passed: &BTreeMap<String, String>) -> AppResult<BTreeMap<String, String>> {
    let mut associated = BTreeMap::new();
    for dependency in parameter.dependencies() {
        let value = passed.get(&dependency.setting).map_or("", |value| value.trim());
        let shown =
            if dependency.display_name.is_empty() { "the associated parameter" } else { &dependency.display_name };
        if value.is_empty() {
            return Err(AppError::invalid(&dependency.setting, format!("Choose a value of {shown} first.")));
        }
        if value.chars().count() > VALUE_MAX {
            return Err(AppError::invalid(&dependency.setting, format!("At most {VALUE_MAX} characters.")));
        }
        associated.insert(dependency.setting, value.to_string());
    }
    Ok(associated)
}

async fn interface_values(
    ctx: &Ctx,
    parameter: &Parameter,
    mut associated: BTreeMap<String, String>,
    fresh: bool,
) -> AppResult<Values> {
    let manual = parameter.input.others.iter().filter(|setting| setting.source == Source::Manual);
    associated.extend(manual.map(|setting| (setting.name.clone(), setting.text.clone())));
    let system = system_values(ctx, parameter).await?;
    let loads = &ctx.state.loads;
    // The version too: an edited parameter has other values.
    let key =
        serde_json::to_string(&(ctx.workspace(), ctx.user(), &parameter.id, parameter.version, &associated, &system))?;
    if !fresh && let Some(known) = loads.cache().get(&key, ctx.now()) {
        return Ok(Values::clone(&known));
    }
    let sealed = store::key(&ctx.state.db, &ctx.state.master_key, ctx.workspace(), &parameter.id).await?;
    let turn = tokio::time::timeout(TURN, loads.0.turns.acquire()).await;
    let Ok(_turn) = turn.map_err(|_| AppError::conflict("Many interfaces are being asked right now. Try again."))?
    else {
        return Err(internal("nobody closes the turns of loading"));
    };
    let told = Told { associated: associated.clone(), system: system.clone() };
    let (poster, clock) = (ctx.state.engine.poster(), &ctx.state.clock);
    let loaded = interface::load(poster, clock, parameter, sealed.as_ref(), told, Patience::default()).await;
    let items = loaded.map_err(|error| match error {
        LoadError::Json(error) => error.into(),
        told => {
            tracing::info!(parameter = %parameter.id, reason = %told, "an interface gave no values");
            AppError::Conflict(told.to_string())
        }
    })?;
    let values = Values { items, associated, system, loaded_at: ctx.now() };
    loads.cache().put(key, Arc::new(values.clone()), ctx.now());
    Ok(values)
}

/// What the interface is told of whoever loads the values.
async fn system_values(ctx: &Ctx, parameter: &Parameter) -> AppResult<BTreeMap<String, serde_json::Value>> {
    let mut system = BTreeMap::new();
    for setting in parameter.input.system.iter().take(ROWS_MAX) {
        let value = match setting.value {
            SystemValue::LogonUser => {
                let info = ctx.info();
                json!({"id": ctx.user(), "name": info.user_name, "email": info.email})
            }
            SystemValue::RowPermissions => {
                match access::attributes(&ctx.state.db, ctx.workspace(), ctx.user()).await {
                    // An organization administrator who is no member has none.
                    Err(sqlx::Error::RowNotFound) => json!({}),
                    attributes => json!(attributes?),
                }
            }
        };
        system.insert(setting.name.clone(), value);
    }
    Ok(system)
}
