//! Members in the database. Reading is here, changing in [`super::change`].

use super::model::{MEMBERS_PAGE, MemberOrder, MemberQuery, RoleChoice, State};
use crate::{
    access::model::{Attributes, Permissions, Preset},
    clock::Millis,
    db::{Db, Tx, from_json, like_pattern, name_key, to_json},
    fetch,
    members::rules::Target,
};
use sha2::{Digest, Sha256};
use sqlx::AssertSqlSafe;
use std::collections::{BTreeSet, HashMap};

/// Roles and groups of one workspace, so that lists of all of them stay bounded.
const CHOICES_MAX: i64 = 500;

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Row {
    pub id: String,
    pub name: String,
    pub email: String,
    pub state: String,
    pub disabled_here: bool,
    pub pending: bool,
    pub organization_admin: bool,
    pub last_sign_in_at: Option<Millis>,
    pub created_at: Millis,
    pub attributes: String,
    pub second_factor: bool,
    pub elsewhere: bool,
}

impl Row {
    pub fn state(&self) -> State {
        State::from_code(&self.state).unwrap_or(State::Disabled)
    }

    pub fn attributes(&self) -> sqlx::Result<Attributes> {
        from_json(&self.attributes)
    }

    /// As whom the rules know the member. `own` are the ids of the member's roles.
    pub fn target(&self, own: &[String], roles: &[RoleChoice]) -> Target {
        let held = roles.iter().filter(|role| own.contains(&role.id));
        let permissions = held.fold(Permissions::NONE, |sum, role| sum.and(role.permissions));
        Target {
            id: self.id.clone(),
            permissions: if self.organization_admin { Permissions::all() } else { permissions },
            administrator: own.iter().any(|id| id == Preset::Administrator.id()),
            organization_administrator: self.organization_admin,
            elsewhere: self.elsewhere,
        }
    }
}

const STATE: &str = "case when m.disabled_at is not null or u.disabled_at is not null then 'disabled'
    when u.password_hash = '' then 'invited' else 'active' end";

fn select() -> String {
    format!(
        "select u.id, u.name, u.email, {STATE} as state, m.disabled_at is not null as disabled_here,
                u.password_hash = '' as pending, u.organization_admin, u.last_sign_in_at, m.created_at, m.attributes,
                u.totp_cipher is not null as second_factor,
                exists (select 1 from members o where o.user_id = m.user_id and o.workspace_id <> $1) as elsewhere
         from members m join users u on u.id = m.user_id where m.workspace_id = $1"
    )
}

fn matches() -> String {
    format!(
        " and ($2 = '' or u.name_key like $2 escape '!' or u.email like $2 escape '!')
          and ($3 = '' or exists (select 1 from member_roles r
               where r.workspace_id = m.workspace_id and r.user_id = m.user_id and r.role_id = $3))
          and ($4 = '' or $4 = {STATE})"
    )
}

/// A page of what matches, and how many match in all.
pub async fn page(db: &Db, workspace: &str, query: &MemberQuery) -> sqlx::Result<(Vec<Row>, i64)> {
    let search = like_pattern(&name_key(&query.search));
    let state = query.state.map_or("", State::code);
    let column = match query.order {
        MemberOrder::Name => "u.name_key",
        MemberOrder::LastSignIn => "coalesce(u.last_sign_in_at, 0)",
    };
    let direction = if query.descending { "desc" } else { "asc" };
    let order = format!(" order by {column} {direction}, u.id {direction} limit {MEMBERS_PAGE} offset $5");
    let sql = format!("{}{}{order}", select(), matches());
    let offset = query.offset.max(0);
    let rows = fetch!(db, all, Row, AssertSqlSafe(sql), workspace, &search, &query.role, state, offset)?;
    let count = format!(
        "select count(*) from members m join users u on u.id = m.user_id where m.workspace_id = $1{}",
        matches()
    );
    let (total,) = fetch!(db, one, (i64,), AssertSqlSafe(count), workspace, &search, &query.role, state)?;
    Ok((rows, total))
}

/// `RowNotFound` when the workspace has no such member.
pub async fn get(db: &Db, workspace: &str, id: &str) -> sqlx::Result<Row> {
    fetch!(db, one, Row, AssertSqlSafe(format!("{} and u.id = $2", select())), workspace, id)
}

/// The same inside a change.
pub async fn get_in(tx: &mut Tx, workspace: &str, id: &str) -> sqlx::Result<Row> {
    fetch!(tx, one, Row, AssertSqlSafe(format!("{} and u.id = $2", select())), workspace, id)
}

/// Ids that belong to members, by the members' ids.
pub type Held = HashMap<String, Vec<String>>;

/// The ids of the roles and of the groups of these members.
pub async fn held(db: &Db, workspace: &str, ids: &[String]) -> sqlx::Result<(Held, Held)> {
    let json = to_json(ids)?;
    let among =
        if db.is_sqlite() { "select value from json_each($2)" } else { "select json_array_elements_text($2::json)" };
    let of = async |table: &str, column: &str| {
        let sql = format!(
            "select user_id, {column} from {table} where workspace_id = $1 and user_id in ({among}) order by {column}"
        );
        let mut held = Held::new();
        for (user, id) in fetch!(db, all, (String, String), AssertSqlSafe(sql), workspace, &json)? {
            held.entry(user).or_default().push(id);
        }
        Ok::<_, sqlx::Error>(held)
    };
    Ok((of("member_roles", "role_id").await?, of("member_group_members", "group_id").await?))
}

/// What stands of a membership, in short: another text after each change of roles, groups or attributes, wherever it was
/// made, such as on the page of a group.
pub fn fingerprint(roles: &[String], groups: &[String], attributes: &Attributes) -> String {
    let sorted = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<String>>();
    let said = serde_json::json!([sorted(roles), sorted(groups), attributes]);
    hex::encode(&Sha256::digest(said.to_string().as_bytes())[..16])
}

/// The program's roles, and those of the workspace by name.
pub async fn roles(db: &Db, workspace: &str) -> sqlx::Result<Vec<RoleChoice>> {
    let rows = fetch!(
        db,
        all,
        (String, String, String),
        "select id, name, permissions from roles where workspace_id = $1 order by name_key, id limit $2",
        workspace,
        CHOICES_MAX
    )?;
    let own = rows.into_iter().map(|(id, name, permissions)| {
        let codes: Vec<String> = from_json(&permissions)?;
        Ok(RoleChoice { id, name, permissions: Permissions::from_codes(codes.iter().map(String::as_str)) })
    });
    RoleChoice::presets().map(Ok).chain(own).collect()
}

/// Ids and names of the workspace's groups.
pub async fn groups(db: &Db, workspace: &str) -> sqlx::Result<Vec<(String, String)>> {
    fetch!(
        db,
        all,
        (String, String),
        "select id, name from member_groups where workspace_id = $1 order by name_key, id limit $2",
        workspace,
        CHOICES_MAX
    )
}

/// Until the transaction ends, no other that holds the workspace's members goes on: two administrators can't take the
/// role from each other at once. SQLite writes one by one anyway.
pub async fn hold(tx: &mut Tx, workspace: &str) -> sqlx::Result<()> {
    if let Tx::Postgres(tx) = tx {
        sqlx::query("select pg_advisory_xact_lock(hashtextextended('members ' || $1, 0))")
            .bind(workspace)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// Whether somebody but `user` administers the workspace, enabled and with a password.
pub async fn has_other_administrator(tx: &mut Tx, workspace: &str, user: &str) -> sqlx::Result<bool> {
    let found = fetch!(
        tx,
        optional,
        (i32,),
        "select 1 from member_roles r join members m on m.workspace_id = r.workspace_id and m.user_id = r.user_id
         join users u on u.id = m.user_id
         where r.workspace_id = $1 and r.role_id = $2 and r.user_id <> $3 and m.disabled_at is null
           and u.disabled_at is null and u.password_hash <> '' limit 1",
        workspace,
        Preset::Administrator.id(),
        user
    )?;
    Ok(found.is_some())
}
