//! Parameters in the database. Reading is here, changing in [`save`], who uses them in [`users`].

mod calls;
mod save;
mod users;

pub use calls::{fill_calls, hold_called};
pub use save::{SaveError, create, delete, hold, update};
pub use users::users;

use super::model::{
    ConstantValue, Kind, OtherSetting, PARAMETERS_MAX, PARAMETERS_PAGE, Parameter, ParameterChoice, ParameterInput,
    ParameterOrder, ParameterQuery, ParameterRow, SystemSetting,
};
use crate::{
    clock::Millis,
    db::{Db, from_json, like_pattern, name_key},
    fetch,
    hidden::Hidden,
    secrets::MasterKey,
    webhooks::model::Authentication,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    kind: String,
    description: String,
    url: String,
    authentication: String,
    has_key: bool,
    associations: String,
    constants: String,
    version: i64,
    updated_at: Millis,
}

/// What the column `associations` holds. An empty list stands for "No".
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Associations {
    system: Vec<SystemSetting>,
    others: Vec<OtherSetting>,
    /// The parameter that a constant-based one is associated with.
    associated: String,
}

const SELECT: &str = "select p.id, p.name, p.kind, p.description, p.url, p.authentication,
        p.key_cipher is not null as has_key, p.associations, p.constants, p.version, p.updated_at
    from webhook_parameters p where p.workspace_id = $1";

/// The conditions of a [`ParameterQuery`]: `$2` a pattern in lower case or "", `$3` a kind or "".
const MATCHES: &str = " and ($2 = '' or p.name_key like $2 escape '!' or lower(p.description) like $2 escape '!'
        or lower(p.url) like $2 escape '!')
    and ($3 = '' or p.kind = $3)";

fn kind(code: &str) -> sqlx::Result<Kind> {
    Kind::from_code(code).ok_or_else(|| sqlx::Error::Decode(format!("parameter kind {code:?}").into()))
}

impl TryFrom<Row> for Parameter {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        let Associations { system, others, associated } = from_json(&row.associations)?;
        let input = ParameterInput {
            name: row.name,
            kind: kind(&row.kind)?,
            description: row.description,
            url: row.url,
            authentication: Authentication::from_code(&row.authentication)
                .ok_or_else(|| sqlx::Error::Decode(format!("authentication {:?}", row.authentication).into()))?,
            key: Hidden::default(),
            with_system: !system.is_empty(),
            system,
            with_others: !others.is_empty(),
            others,
            with_associated: !associated.is_empty(),
            associated,
            constants: from_json(&row.constants)?,
        };
        Ok(Self { id: row.id, version: row.version, has_key: row.has_key, input, updated_at: row.updated_at })
    }
}

/// `RowNotFound` when the workspace has no such parameter.
pub async fn get(db: &Db, workspace: &str, id: &str) -> sqlx::Result<Parameter> {
    fetch!(db, one, Row, AssertSqlSafe(format!("{SELECT} and p.id = $2")), workspace, id)?.try_into()
}

/// All parameters of the workspace by name; there are at most [`PARAMETERS_MAX`].
pub async fn choices(db: &Db, workspace: &str) -> sqlx::Result<Vec<ParameterChoice>> {
    let rows = fetch!(
        db,
        all,
        (String, String, String),
        "select id, name, kind from webhook_parameters where workspace_id = $1 order by name_key, id limit $2",
        workspace,
        PARAMETERS_MAX
    )?;
    rows.into_iter().map(|(id, name, code)| Ok(ParameterChoice { id, name, kind: kind(&code)? })).collect()
}

/// A page of what matches, and how many match in all.
pub async fn page(db: &Db, workspace: &str, query: &ParameterQuery) -> sqlx::Result<(Vec<ParameterRow>, i64)> {
    let search = like_pattern(&name_key(&query.search));
    let kind = query.kind.map_or("", Kind::code);
    let column = match query.order {
        ParameterOrder::Name => "p.name_key",
        ParameterOrder::Updated => "p.updated_at",
    };
    let direction = if query.descending { "desc" } else { "asc" };
    let sql =
        format!("{SELECT}{MATCHES} order by {column} {direction}, p.id {direction} limit {PARAMETERS_PAGE} offset $4");
    let offset = query.offset.clamp(0, PARAMETERS_MAX);
    let rows = fetch!(db, all, Row, AssertSqlSafe(sql), workspace, &search, kind, offset)?;
    let count = format!("select count(*) from webhook_parameters p where p.workspace_id = $1{MATCHES}");
    let (total,) = fetch!(db, one, (i64,), AssertSqlSafe(count), workspace, &search, kind)?;
    let used = users::counts(db, workspace).await?;
    let row = |row: Row| {
        let users = used.get(&row.id).copied().unwrap_or_default();
        let constants: Vec<ConstantValue> = from_json(&row.constants)?;
        Ok(ParameterRow {
            kind: self::kind(&row.kind)?,
            id: row.id,
            name: row.name,
            description: row.description,
            url: row.url,
            constants: i64::try_from(constants.len()).unwrap_or(i64::MAX),
            users,
            updated_at: row.updated_at,
        })
    };
    Ok((rows.into_iter().map(row).collect::<sqlx::Result<_>>()?, total))
}

/// The key that signs the requests; `None` without authentication. `RowNotFound` when the workspace has no such
/// parameter, a decoding error when the key was sealed under another master key.
pub async fn key(db: &Db, master_key: &MasterKey, workspace: &str, id: &str) -> sqlx::Result<Option<SecretString>> {
    let (sealed,) = fetch!(
        db,
        one,
        (Option<String>,),
        "select key_cipher from webhook_parameters where workspace_id = $1 and id = $2",
        workspace,
        id
    )?;
    let Some(sealed) = sealed else {
        return Ok(None);
    };
    let opened = master_key.open(&sealed).ok_or_else(|| {
        sqlx::Error::Decode(format!("the key of parameter {id} does not open with this master key").into())
    })?;
    Ok(Some(opened.into()))
}

#[cfg(test)]
mod tests;
