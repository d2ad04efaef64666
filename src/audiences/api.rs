//! Server functions of audiences.

use super::{
    model::{Audience, AudienceSummary},
    rules::Condition,
};
use crate::{
    customers::model::{IdType, Tag},
    error::AppError,
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A page of the list. `next` is the mark of the next one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AudienceList {
    pub audiences: Vec<AudienceSummary>,
    pub next: Option<String>,
    pub now: i64,
}

#[server]
pub async fn list_audiences(q: String, after: String) -> Result<AudienceList, AppError> {
    use super::store;
    use crate::access::{
        Resource, caller,
        model::{Area, Permission},
        require,
    };
    const PAGE: usize = 50;
    let ctx = require(&caller()?, Permission::View(Area::Audiences), Resource::Workspace).await?;
    let (q, after) = (q.replace('\0', ""), after.replace('\0', ""));
    let mut audiences = store::page(&ctx.state.db, ctx.workspace(), &q, &after, PAGE as i64 + 1).await?;
    let further = audiences.len() > PAGE;
    audiences.truncate(PAGE);
    let next = audiences.last().filter(|_| further).map(|audience| audience.name.clone());
    Ok(AudienceList { audiences, next, now: ctx.now() })
}

/// What the forms choose from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choices {
    pub tags: Vec<Tag>,
    pub id_types: Vec<IdType>,
    /// Customers of the workspace.
    pub customers: i64,
}

#[server]
pub async fn audience_choices() -> Result<Choices, AppError> {
    use crate::access::{
        Resource, caller,
        model::{Area, Permission},
        require,
    };
    use crate::customers::store;
    let ctx = require(&caller()?, Permission::View(Area::Audiences), Resource::Workspace).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    Ok(Choices {
        tags: store::tags(db, workspace).await?,
        id_types: store::enabled_id_types(db, workspace).await?,
        customers: store::total(db, workspace).await?,
    })
}

/// An audience, counted now, and its first customers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AudienceView {
    pub audience: Audience,
    pub tags: Vec<Tag>,
    pub members: Vec<Member>,
    /// Tasks that are not finished and send to it.
    pub used_by: Vec<String>,
    /// Why it cannot be counted: a rule that does not fit the tags any more.
    pub problem: Option<String>,
    pub now: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub customer_id: String,
    pub tags: Map<String, Value>,
}

#[server]
pub async fn get_audience(id: String) -> Result<AudienceView, AppError> {
    use super::store;
    use crate::access::{
        Resource, caller,
        model::{Area, Permission},
        require,
    };
    const SHOWN: i64 = 20;
    let ctx = require(&caller()?, Permission::View(Area::Audiences), Resource::Audience(&id)).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let mut audience = store::get(db, workspace, &id).await?;
    let tags = crate::customers::store::tags(db, workspace).await?;
    let used_by = store::used_by(db, workspace, &id).await?;
    let problem = store::problem(&audience, &tags);
    let mut members = vec![];
    if problem.is_none() {
        store::recount(db, workspace, &mut audience, ctx.now()).await?;
        let page = store::page_of(db, workspace, &audience, "", None, SHOWN).await?;
        members.extend(page.into_iter().map(|member| Member { customer_id: member.customer_id, tags: member.tags }));
    }
    Ok(AudienceView { audience, tags, members, used_by, problem, now: ctx.now() })
}

/// How many customers the conditions hold for.
#[server]
pub async fn count_conditions(#[server(default)] rules: Vec<Condition>) -> Result<i64, AppError> {
    use super::{model::Kind, rules::Rules, store};
    use crate::access::{
        Resource, caller,
        model::{Area, Permission},
        require,
    };
    let ctx = require(&caller()?, Permission::View(Area::Audiences), Resource::Workspace).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let audience = Audience::unsaved(Kind::Rules, Rules::of(rules).tidy());
    audience.rules.resolve(&crate::customers::store::tags(db, workspace).await?).map_err(AppError::Invalid)?;
    Ok(store::size_of(db, workspace, &audience).await?)
}

/// Of everybody, or of conditions; lists are uploaded.
#[server]
pub async fn create_audience(
    name: String,
    kind: String,
    #[server(default)] rules: Vec<Condition>,
) -> Result<(), AppError> {
    use super::{model::Kind, rules::Rules, store};
    use crate::access::{
        Resource, caller,
        model::{Area, Permission},
        require,
    };
    let ctx = require(&caller()?, Permission::Manage(Area::Audiences), Resource::Workspace).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let kind = Kind::from_code(&kind)
        .filter(|kind| *kind != Kind::List)
        .ok_or_else(|| AppError::invalid("kind", "Choose what the audience is made of."))?;
    let rules = if kind == Kind::Rules { Rules::of(rules) } else { Rules::default() };
    let mut audience = Audience::unsaved(kind, rules);
    audience.name = name.trim().to_string();
    check(&ctx, &audience).await?;
    audience.rules = audience.rules.tidy();
    audience.size = store::size_of(db, workspace, &audience).await?;
    let id = store::add(db, workspace, &audience, &ctx.by()).await.map_err(name_taken)?;
    leptos_axum::redirect(&format!("/audiences/{id}"));
    Ok(())
}

/// Gives it another name, and one of conditions other conditions.
#[server]
pub async fn update_audience(
    id: String,
    name: String,
    #[server(default)] rules: Vec<Condition>,
) -> Result<(), AppError> {
    use super::{model::Kind, rules::Rules, store};
    use crate::access::{
        Resource, caller,
        model::{Area, Permission},
        require,
    };
    let ctx = require(&caller()?, Permission::Manage(Area::Audiences), Resource::Audience(&id)).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let mut audience = store::get(db, workspace, &id).await?;
    audience.name = name.trim().to_string();
    if audience.kind == Kind::Rules {
        audience.rules = Rules::of(rules);
    }
    check(&ctx, &audience).await?;
    audience.rules = audience.rules.tidy();
    audience.size = store::size_of(db, workspace, &audience).await?;
    store::update(db, workspace, &audience, &ctx.by()).await.map_err(name_taken)?;
    leptos_axum::redirect(&format!("/audiences/{id}"));
    Ok(())
}

#[server]
pub async fn delete_audience(id: String) -> Result<(), AppError> {
    use super::store;
    use crate::access::{
        Resource, caller,
        model::{Area, Permission},
        require,
    };
    let ctx = require(&caller()?, Permission::Manage(Area::Audiences), Resource::Audience(&id)).await?;
    let audience = store::get(&ctx.state.db, ctx.workspace(), &id).await?;
    let tasks = store::used_by(&ctx.state.db, ctx.workspace(), &id).await?;
    if !tasks.is_empty() {
        let message = format!("“{}” is used by tasks that are not finished: {}.", audience.name, tasks.join(", "));
        return Err(AppError::conflict(message));
    }
    store::delete(&ctx.state.db, ctx.workspace(), &id, &ctx.by()).await?;
    leptos_axum::redirect("/audiences");
    Ok(())
}

/// All that is wrong with a name and rules, at once.
#[cfg(feature = "ssr")]
async fn check(ctx: &crate::access::Ctx, audience: &Audience) -> Result<(), AppError> {
    use super::{model::Kind, store};
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let mut errors = store::name_errors(db, workspace, &audience.name, &audience.id).await?;
    if audience.kind == Kind::Rules {
        let tags = crate::customers::store::tags(db, workspace).await?;
        errors.extend(audience.rules.resolve(&tags).err().unwrap_or_default());
    }
    AppError::check(errors)
}

/// The name was free when it was checked.
#[cfg(feature = "ssr")]
pub(super) fn name_taken(error: sqlx::Error) -> AppError {
    if crate::db::is_taken(&error) { AppError::invalid("name", super::store::NAME_TAKEN) } else { error.into() }
}
