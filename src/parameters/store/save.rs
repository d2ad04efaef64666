//! Creating, changing and deleting.

use super::{
    Associations,
    users::{PARAMETERS, Reference, associated, users_in},
};
use crate::{
    audit::{
        By, Change, Entry,
        model::{Action, ObjectKind},
    },
    clock::new_id,
    db::{Db, Tx, is_taken, name_key},
    error::{AppError, FieldError},
    execute, fetch,
    parameters::model::{Kind, PARAMETERS_MAX, ParameterInput, User, cycle},
    secrets::MasterKey,
    ui::format::first_few,
    webhooks::model::Authentication,
};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Why a parameter was not saved or deleted.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error("Another parameter of this workspace has this name.")]
    NameTaken,
    #[error(
        "Somebody else has changed this parameter since you opened it. Nothing of yours was saved: open it again in \
         another tab and repeat your change on what stands now."
    )]
    ChangedMeanwhile,
    #[error("A workspace has at most {PARAMETERS_MAX} parameters.")]
    TooMany,
    #[error("associations")]
    Associations(Vec<FieldError>),
    #[error("“{0}” is used by {1}. Take it off them first.")]
    Used(String, String),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl From<SaveError> for AppError {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::NameTaken => Self::invalid("name", error.to_string()),
            SaveError::Associations(fields) => Self::Invalid(fields),
            SaveError::Database(error) => error.into(),
            SaveError::Json(error) => error.into(),
            SaveError::ChangedMeanwhile | SaveError::TooMany | SaveError::Used(..) => Self::Conflict(error.to_string()),
        }
    }
}

/// The unique index on the name is the only one that a save can meet.
fn name_taken(error: sqlx::Error) -> SaveError {
    if is_taken(&error) { SaveError::NameTaken } else { error.into() }
}

/// Until the transaction ends, no other that holds the workspace's parameters goes on: what refers to a parameter and
/// what deletes one see each other. SQLite writes one by one anyway.
pub async fn hold(tx: &mut Tx, workspace: &str) -> sqlx::Result<()> {
    if let Tx::Postgres(tx) = tx {
        sqlx::query("select pg_advisory_xact_lock(hashtextextended('parameters ' || $1, 0))")
            .bind(workspace)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// The columns of an input that are not kept as they are typed.
fn columns(input: &ParameterInput) -> serde_json::Result<(String, String)> {
    let associations = Associations {
        system: input.system.clone(),
        others: input.others.clone(),
        associated: input.associated.clone(),
    };
    Ok((serde_json::to_string(&associations)?, serde_json::to_string(&input.constants)?))
}

/// Refuses associations with what is not there, with the parameter itself and in a cycle. `id` is "" for a new one.
async fn check_associations(tx: &mut Tx, workspace: &str, id: &str, input: &ParameterInput) -> Result<(), SaveError> {
    let wanted: Vec<(String, &str)> = match input.kind {
        Kind::Constant => vec![("associated".to_string(), input.associated.as_str())],
        Kind::Interface => {
            let all = input.others.iter().enumerate();
            all.map(|(place, other)| (format!("others[{place}][parameter]"), other.parameter.as_str())).collect()
        }
    };
    let wanted: Vec<_> = wanted.into_iter().filter(|(_, parameter)| !parameter.is_empty()).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let all = fetch!(tx, all, Reference, PARAMETERS, workspace)?;
    let mut edges: HashMap<&str, Vec<String>> = HashMap::new();
    for (own, _, text) in &all {
        edges.insert(own, associated(text)?);
    }
    let name_of = |id: &str| all.iter().find(|(own, ..)| own == id).map_or("", |(_, name, _)| name.as_str());
    let mut wrong = Vec::new();
    for (field, parameter) in wanted {
        if !edges.contains_key(parameter) {
            wrong.push(FieldError::new(field, "There is no such parameter any more; choose another."));
        } else if parameter == id {
            wrong.push(FieldError::new(field, "A parameter can't be associated with itself."));
        } else {
            // As it would be with this association alone: each field names its own cycle.
            let of = |from: &str| {
                if from == id {
                    vec![parameter]
                } else {
                    edges.get(from).into_iter().flatten().map(String::as_str).collect()
                }
            };
            if let Some(way) = cycle::through(id, of) {
                let way: Vec<_> =
                    way.iter().map(|step| if *step == id { &input.name } else { name_of(step) }).collect();
                let message = format!("This closes a cycle, in which none could be chosen first: {}.", way.join(" → "));
                wrong.push(FieldError::new(field, message));
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(SaveError::Associations(wrong)) }
}

/// A new parameter; its id. `input` has passed [`ParameterInput::tidy`] and [`ParameterInput::check`].
pub async fn create(
    db: &Db,
    master_key: &MasterKey,
    workspace: &str,
    input: &ParameterInput,
    by: &By,
) -> Result<String, SaveError> {
    let id = new_id();
    let key = (input.authentication == Authentication::Key).then(|| master_key.seal(&input.key));
    let (associations, constants) = columns(input)?;
    let mut tx = db.begin().await?;
    hold(&mut tx, workspace).await?;
    let sql = "select count(*) from webhook_parameters where workspace_id = $1";
    let (count,) = fetch!(tx, one, (i64,), sql, workspace)?;
    if count >= PARAMETERS_MAX {
        return Err(SaveError::TooMany);
    }
    check_associations(&mut tx, workspace, "", input).await?;
    execute!(
        tx,
        "insert into webhook_parameters (workspace_id, id, name, name_key, kind, description, url, authentication,
                                         key_cipher, associations, constants, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $12)",
        workspace,
        &id,
        &input.name,
        name_key(&input.name),
        input.kind.code(),
        &input.description,
        &input.url,
        input.authentication.code(),
        key,
        associations,
        constants,
        by.at
    )
    .map_err(name_taken)?;
    let entry = Entry::new(Action::Created, ObjectKind::Parameter, &id, &input.name);
    by.record(&mut tx, workspace, &entry.with(Change::to(&told(input)))).await?;
    tx.commit().await?;
    Ok(id)
}

/// Saves what was edited from `version` on; an empty key keeps the one that is there. Without a change the version
/// stays. `input` has passed [`ParameterInput::tidy`] and [`ParameterInput::check`]. `RowNotFound` when the workspace has no such parameter.
pub async fn update(
    db: &Db,
    master_key: &MasterKey,
    workspace: &str,
    id: &str,
    version: i64,
    input: &ParameterInput,
    by: &By,
) -> Result<(), SaveError> {
    let keyed = input.authentication == Authentication::Key;
    let key = (keyed && !input.key.is_empty()).then(|| master_key.seal(&input.key));
    let (associations, constants) = columns(input)?;
    let before = super::get(db, workspace, id).await?;
    let mut tx = db.begin().await?;
    hold(&mut tx, workspace).await?;
    let sql = "select version from webhook_parameters where workspace_id = $1 and id = $2";
    let (stands,) = fetch!(tx, one, (i64,), sql, workspace, id)?;
    if stands != version || before.version != version {
        return Err(SaveError::ChangedMeanwhile);
    }
    let (was, mut is) = (told(&before.input), told(input));
    if keyed && !input.key.is_empty() {
        is.insert("key".into(), if before.has_key { "Replaced" } else { "Set" }.into());
    }
    let change = Change::between(&was, &is);
    if change.is_empty() {
        return Ok(());
    }
    check_associations(&mut tx, workspace, id, input).await?;
    execute!(
        tx,
        "update webhook_parameters set name = $3, name_key = $4, kind = $5, description = $6, url = $7,
                authentication = $8, key_cipher = case when $9 then coalesce($10, key_cipher) end,
                associations = $11, constants = $12, version = version + 1, updated_at = $13
         where workspace_id = $1 and id = $2",
        workspace,
        id,
        &input.name,
        name_key(&input.name),
        input.kind.code(),
        &input.description,
        &input.url,
        input.authentication.code(),
        keyed,
        key,
        associations,
        constants,
        by.at
    )
    .map_err(name_taken)?;
    let entry = Entry::new(Action::Changed, ObjectKind::Parameter, id, &input.name);
    by.record(&mut tx, workspace, &entry.with(change)).await?;
    tx.commit().await?;
    Ok(())
}

/// What the audit log says of the settings: everything but the key.
fn told(input: &ParameterInput) -> Map<String, Value> {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(input) else { return Map::new() };
    fields.remove("key");
    fields
}

/// Deletes a parameter that nobody uses; the refusal names the users. `RowNotFound` when the workspace has no such
/// parameter.
pub async fn delete(db: &Db, workspace: &str, id: &str, by: &By) -> Result<(), SaveError> {
    let before = super::get(db, workspace, id).await?;
    let mut tx = db.begin().await?;
    hold(&mut tx, workspace).await?;
    let sql = "select name from webhook_parameters where workspace_id = $1 and id = $2";
    let (name,) = fetch!(tx, one, (String,), sql, workspace, id)?;
    let users = users_in(&mut tx, workspace, id).await?;
    if !users.is_empty() {
        return Err(SaveError::Used(name, first_few(users.iter().map(User::text))));
    }
    execute!(tx, "delete from webhook_parameters where workspace_id = $1 and id = $2", workspace, id)?;
    let entry = Entry::new(Action::Deleted, ObjectKind::Parameter, id, &before.input.name);
    by.record(&mut tx, workspace, &entry.with(Change::from(&told(&before.input)))).await?;
    tx.commit().await?;
    Ok(())
}
