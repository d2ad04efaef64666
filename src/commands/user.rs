//! `reachwire user add`.

use crate::{
    access::{
        model::{Attributes, Preset},
        password, store,
    },
    audit::{
        self, Actor, Change, Entry,
        model::{Action, ObjectKind},
    },
    clock::{Clock, Millis},
    config::{Config, Flags},
    db::Db,
    execute, fetch,
    members::model::{ATTRIBUTE_MAX, check_attributes, check_email},
    server,
};
use clap::Subcommand;
use serde_json::json;

#[derive(Subcommand)]
pub enum UserCommand {
    /// Add a person, or give an existing one a new password. The password is read from standard input. Of a person who
    /// is there already, only what is said here changes.
    Add {
        #[command(flatten)]
        person: Person,
        #[command(flatten)]
        flags: Flags,
    },
}

#[derive(clap::Args)]
pub struct Person {
    /// E-mail address to sign in with.
    email: String,
    /// Of a new person without it: what stands before the @.
    #[arg(long)]
    name: Option<String>,
    /// Made when it does not exist. Of a new person without it: "Workspace".
    #[arg(long)]
    workspace: Option<String>,
    /// administrator, marketer or analyst. Of a new person without it: administrator.
    #[arg(long, value_parser = role)]
    role: Option<Preset>,
    /// IANA time zone of a new workspace.
    #[arg(long, default_value = "UTC")]
    time_zone: String,
    /// A row-level permission in the workspace, such as region=East. May be given several times: the values that are
    /// given for a name take the place of those it had, and NAME= removes it.
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = attribute)]
    attributes: Vec<(String, String)>,
    /// Makes the person an organization administrator, who may do everything in all workspaces. The very first person
    /// is one without it.
    #[arg(long)]
    organization_administrator: bool,
}

fn attribute(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || !text.contains('=') {
        return Err("NAME=VALUE, such as region=East".into());
    }
    if [name, value].iter().any(|text| text.chars().count() > ATTRIBUTE_MAX || text.contains(char::is_control)) {
        return Err(format!("names and values have at most {ATTRIBUTE_MAX} characters"));
    }
    Ok((name.into(), value.into()))
}

/// `attributes` with what was given.
fn with_given(mut attributes: Attributes, given: &[(String, String)]) -> Result<Attributes, String> {
    for (name, _) in given {
        attributes.remove(name);
    }
    for (name, value) in given.iter().filter(|(_, value)| !value.is_empty()) {
        let values = attributes.entry(name.clone()).or_default();
        if !values.contains(value) {
            values.push(value.clone());
        }
    }
    check_attributes(&attributes)?;
    Ok(attributes)
}

fn role(code: &str) -> Result<Preset, String> {
    Preset::from_id(code).ok_or_else(|| "administrator, marketer or analyst".into())
}

pub async fn run(command: UserCommand) -> Result<(), String> {
    let UserCommand::Add { mut person, flags } = command;
    person.email = person.email.trim().to_lowercase();
    let email = &person.email;
    if let Some(problem) = check_email(email) {
        return Err(problem);
    }
    jiff::tz::TimeZone::get(&person.time_zone).map_err(|error| error.to_string())?;
    eprintln!("Password for {email} (one line on standard input):");
    let mut password = String::new();
    std::io::stdin().read_line(&mut password).map_err(|error| error.to_string())?;
    let password = password.trim_end_matches(['\r', '\n']).to_string();
    password::check(&password)?;
    let hash = password::hash(password).await?;
    // Not exclusive: people can be added while the server runs.
    let (db, _) = server::open(&Config::load(&flags)?, false).await?;
    let said = put(&db, &person, &hash, Clock::System.now()).await;
    db.close().await;
    println!("{}", said?);
    Ok(())
}

/// What to tell whoever called.
async fn put(db: &Db, person: &Person, hash: &str, now: Millis) -> Result<String, String> {
    let text = |error: sqlx::Error| error.to_string();
    let known = store::user_by_email(db, &person.email).await.map_err(text)?;
    let own = match &known {
        Some(user) => store::workspaces_of(db, &user.id).await.map_err(text)?,
        None => vec![],
    };
    let membership = match &known {
        None => {
            Some((person.workspace.as_deref().unwrap_or("Workspace"), person.role.unwrap_or(Preset::Administrator)))
        }
        Some(_) => change(&own, person)?,
    };
    let named = membership.map(|(workspace, _)| workspace).or(person.workspace.as_deref());
    let place = match (named, own.as_slice()) {
        _ if person.attributes.is_empty() => None,
        (Some(workspace), _) => Some(workspace),
        (None, [(_, only)]) => Some(only.as_str()),
        (None, _) => return Err("say with --workspace where the attributes are changed".into()),
    };
    let mut attributes = Attributes::default();
    if let (Some(place), Some(user)) = (place, &known)
        && let Some((id, _)) = own.iter().find(|(_, name)| name == place)
    {
        attributes = store::attributes(db, id, &user.id).await.map_err(text)?;
    }
    let attributes = with_given(attributes, &person.attributes)?;
    let new = Writing { person, hash, membership, attributes: place.map(|place| (place, &attributes)), now };
    let promoted = new.write(db, known.is_none()).await.map_err(text)?;
    let mut said = match membership {
        None => format!("{} has a new password and must sign in again.", person.email),
        Some((workspace, role)) => format!("{} can sign in to “{workspace}” as {}.", person.email, role.name()),
    };
    if promoted {
        said.push_str(" As an organization administrator, also to all other workspaces.");
    }
    if place.is_some() {
        said.push_str(&format!(" Row-level permissions there: {}.", listed(&attributes)));
    }
    Ok(said)
}

/// What is written of a person, and recorded, in one transaction.
struct Writing<'a> {
    person: &'a Person,
    hash: &'a str,
    /// The workspace by name, and the only role there.
    membership: Option<(&'a str, Preset)>,
    /// The workspace by name.
    attributes: Option<(&'a str, &'a Attributes)>,
    now: Millis,
}

impl Writing<'_> {
    /// Whether the person became an organization administrator.
    async fn write(&self, db: &Db, new: bool) -> sqlx::Result<bool> {
        let (person, now, actor) = (self.person, self.now, Actor::command_line());
        let mut tx = db.begin().await?;
        let first = fetch!(tx, optional, (i32,), "select 1 from users limit 1")?.is_none();
        let user = store::put_user_in(&mut tx, &person.email, person.name.as_deref(), self.hash, now).await?;
        let mut promoted = false;
        if first || person.organization_administrator {
            let sql = "update users set organization_admin = $2 where id = $1 and not organization_admin";
            promoted = execute!(tx, sql, &user, true)? == 1;
        }
        let (name,) = fetch!(tx, one, (String,), "select name from users where id = $1", &user)?;
        // Entries come last: whoever writes to the same log waits.
        let mut entries = Vec::new();
        let action = if new { Action::Created } else { Action::PasswordSet };
        let mut after = json!({});
        if new {
            after["email"] = json!(person.email);
        }
        if promoted {
            after["organization_administrator"] = json!(true);
        }
        let account = Entry::new(action, ObjectKind::Account, &user, &name).with(Change::to(&after));
        entries.push((audit::ORGANIZATION.to_string(), account));
        let by_name = "select id from workspaces where name = $1";
        let mut made = String::new();
        let mut membership = (String::new(), json!({}), json!({}));
        let named = self.membership.map(|(workspace, _)| workspace).or(self.attributes.map(|(workspace, _)| workspace));
        if let Some(workspace) = named {
            membership.0 = match fetch!(tx, optional, (String,), by_name, workspace)? {
                Some((id,)) => id,
                None => {
                    made = store::put_workspace_in(&mut tx, workspace, &person.time_zone, now).await?;
                    made.clone()
                }
            };
        }
        let (id, before, after) = (&membership.0, &mut membership.1, &mut membership.2);
        if let Some((_, role)) = self.membership {
            let sql = "select role_id from member_roles where workspace_id = $1 and user_id = $2 order by role_id";
            let had = fetch!(tx, all, (String,), sql, id, &user)?;
            before["roles"] = json!(had.into_iter().map(|(id,)| id).collect::<Vec<_>>());
            store::put_member_in(&mut tx, id, &user, role, now).await?;
            after["roles"] = json!([role.id()]);
        }
        if let Some((_, attributes)) = self.attributes {
            let sql = "select attributes from members where workspace_id = $1 and user_id = $2";
            let (had,) = fetch!(tx, one, (String,), sql, id, &user)?;
            before["attributes"] = serde_json::from_str(&had).unwrap_or_default();
            store::put_attributes_in(&mut tx, id, &user, attributes).await?;
            after["attributes"] = json!(attributes);
        }
        if !made.is_empty() {
            let workspace = named.unwrap_or_default();
            entries
                .push((audit::ORGANIZATION.into(), Entry::new(Action::Created, ObjectKind::Workspace, id, workspace)));
        }
        let change = Change::between(before, after);
        if !change.is_empty() {
            let entry = Entry::new(Action::Changed, ObjectKind::Member, &user, &name).with(change);
            entries.push((id.clone(), entry));
        }
        for (log, entry) in &entries {
            audit::record(&mut tx, log, now, &actor, entry).await?;
        }
        tx.commit().await?;
        Ok(promoted)
    }
}

fn listed(attributes: &Attributes) -> String {
    let one = |(name, values): (&String, &Vec<String>)| format!("{name} {}", values.join(", "));
    let all: Vec<String> = attributes.iter().map(one).collect();
    if all.is_empty() { "none".into() } else { all.join("; ") }
}

/// The membership that is asked for, of a person who is in these workspaces.
fn change<'a>(own: &'a [(String, String)], person: &'a Person) -> Result<Option<(&'a str, Preset)>, String> {
    match (person.workspace.as_deref(), person.role, own) {
        (Some(workspace), Some(role), _) => Ok(Some((workspace, role))),
        (None, Some(role), [(_, only)]) => Ok(Some((only, role))),
        (None, Some(_), _) => Err("say with --workspace where the role is changed".into()),
        (Some(workspace), None, own) if !own.iter().any(|(_, name)| name == workspace) => {
            Err(format!("say with --role what {} may do in “{workspace}”", person.email))
        }
        (_, None, _) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{members::model::ATTRIBUTES_MAX, on_both_databases, server::testing::Harness};

    fn person() -> Person {
        let email = "ada@example.com".to_string();
        Person {
            email,
            name: None,
            workspace: None,
            role: None,
            time_zone: "UTC".into(),
            attributes: vec![],
            organization_administrator: false,
        }
    }

    fn given(attributes: &[&str]) -> Vec<(String, String)> {
        attributes.iter().map(|text| attribute(text).unwrap()).collect()
    }

    #[test]
    fn an_attribute_is_a_name_and_a_value() {
        assert_eq!(
            given(&["region=East=1", " a = b "]),
            [("region".into(), "East=1".into()), ("a".into(), "b".into())]
        );
        for wrong in ["", "region", "=East", &"a".repeat(300)] {
            assert!(attribute(wrong).is_err(), "{wrong}");
        }
        let many: Vec<_> = (0..=ATTRIBUTES_MAX).map(|number| ("a".to_string(), number.to_string())).collect();
        assert!(with_given(Attributes::default(), &many).is_err());
        assert!(with_given(Attributes::default(), &many[1..]).is_ok());
    }

    on_both_databases!(attributes_are_given_to_new_and_known_members, |db| async move {
        let east = Person { attributes: given(&["region=East", "region=North", "team=a"]), ..person() };
        let said = put(&db, &east, "hash", 5).await.unwrap();
        assert!(said.ends_with("region East, North; team a."), "{said}");
        let user = store::user_by_email(&db, "ada@example.com").await.unwrap().unwrap().id;
        let here = store::workspace_by_name(&db, "Workspace").await.unwrap().unwrap();
        let of = async |workspace: &str| {
            serde_json::to_string(&store::attributes(&db, workspace, &user).await.unwrap()).unwrap()
        };
        assert_eq!(of(&here).await, r#"{"region":["East","North"],"team":["a"]}"#);
        // A new password alone leaves them; a name that is given is replaced; an empty value removes it.
        put(&db, &person(), "hash", 6).await.unwrap();
        put(&db, &Person { attributes: given(&["region=South", "team="]), ..person() }, "hash", 7).await.unwrap();
        assert_eq!(of(&here).await, r#"{"region":["South"]}"#);

        let elsewhere = Person {
            workspace: Some("Elsewhere".into()),
            role: Some(Preset::Marketer),
            attributes: given(&["region=West"]),
            ..person()
        };
        put(&db, &elsewhere, "hash", 8).await.unwrap();
        let there = store::workspace_by_name(&db, "Elsewhere").await.unwrap().unwrap();
        assert_eq!(
            (of(&there).await.as_str(), of(&here).await.as_str()),
            (r#"{"region":["West"]}"#, r#"{"region":["South"]}"#)
        );
        let vague = Person { attributes: given(&["region=East"]), ..person() };
        assert!(put(&db, &vague, "hash", 9).await.unwrap_err().contains("--workspace"));
        let known = Person { workspace: Some("Elsewhere".into()), attributes: given(&["region="]), ..person() };
        assert!(put(&db, &known, "hash", 9).await.unwrap().ends_with("none."));
        assert_eq!(of(&there).await, "{}");
    });

    on_both_databases!(a_new_password_changes_nothing_else_and_ends_the_sessions, |db| async move {
        let server = Harness::new(db.clone()).await;
        server.member("ada@example.com", "Shop", Preset::Marketer).await;
        let cookie = server.sign_in("ada@example.com").await;
        let hash = password::hash("another long password".into()).await.unwrap();
        let said = put(&db, &person(), &hash, 5).await.unwrap();
        assert!(said.contains("new password"), "{said}");
        assert_eq!(server.page("/tasks", &cookie).await.status, 303, "the old session has ended");
        let user = store::user_by_email(&db, "ada@example.com").await.unwrap().unwrap();
        assert_eq!((user.name.as_str(), user.password_hash == hash), ("Somebody", true));
        assert_eq!(roles(&db, &user.id).await, [("Shop".to_string(), "marketer".to_string())]);

        let promoted = Person { role: Some(Preset::Administrator), name: Some("Ada".into()), ..person() };
        put(&db, &promoted, &hash, 6).await.unwrap();
        assert_eq!(store::user_by_email(&db, "ada@example.com").await.unwrap().unwrap().name, "Ada");
        assert_eq!(roles(&db, &user.id).await, [("Shop".to_string(), "administrator".to_string())]);
        let vague = Person { workspace: Some("Elsewhere".into()), ..person() };
        assert!(put(&db, &vague, "x", 7).await.unwrap_err().contains("--role"));
        let moved = Person { role: Some(Preset::Marketer), ..vague };
        put(&db, &moved, &hash, 8).await.unwrap();
        assert_eq!(roles(&db, &user.id).await.len(), 2);
        assert!(put(&db, &promoted, "x", 9).await.unwrap_err().contains("--workspace"));
        let user = store::user_by_email(&db, "ada@example.com").await.unwrap().unwrap();
        assert_eq!(user.password_hash, hash, "what is refused changes nothing");
    });

    on_both_databases!(the_first_person_is_the_administrator_of_a_new_workspace, |db| async move {
        put(&db, &person(), "hash", 5).await.unwrap();
        let user = store::user_by_email(&db, "ada@example.com").await.unwrap().unwrap();
        assert_eq!(user.name, "ada");
        assert_eq!(roles(&db, &user.id).await, [("Workspace".to_string(), "administrator".to_string())]);
        assert_eq!(organization(&db).await, ["ada@example.com"]);
        // The second is not, unless it is said.
        let bob = Person { email: "bob@example.com".into(), ..person() };
        put(&db, &bob, "hash", 6).await.unwrap();
        assert_eq!(organization(&db).await, ["ada@example.com"]);
        let said = put(&db, &Person { organization_administrator: true, ..bob }, "hash", 7).await.unwrap();
        assert!(said.contains("organization administrator"), "{said}");
        assert_eq!(organization(&db).await, ["ada@example.com", "bob@example.com"]);
    });

    on_both_databases!(the_command_line_stands_in_the_audit_log, |db| async move {
        put(&db, &Person { attributes: given(&["region=East"]), ..person() }, "secret-hash", 5).await.unwrap();
        put(&db, &person(), "secret-hash", 6).await.unwrap();
        let logged = |workspace: String| {
            let db = &db;
            async move {
                let sql = "select actor_kind, action, object_kind, change from audit_log where workspace_id = $1 order by seq";
                let rows = crate::fetch!(db, all, (String, String, String, String), sql, workspace).unwrap();
                rows.into_iter()
                    .map(|(who, what, whom, change)| format!("{who} {what} {whom} {change}"))
                    .collect::<Vec<_>>()
            }
        };
        let organization = logged(String::new()).await;
        let starts =
            ["command_line created account", "command_line created workspace", "command_line password_set account"];
        assert_eq!(organization.len(), starts.len(), "{organization:?}");
        assert!(organization.iter().zip(starts).all(|(line, start)| line.starts_with(start)), "{organization:?}");
        let here = store::workspace_by_name(&db, "Workspace").await.unwrap().unwrap();
        let workspace = logged(here).await;
        assert_eq!(workspace.len(), 1, "{workspace:?}");
        assert!(workspace[0].contains("administrator") && workspace[0].contains("East"), "{workspace:?}");
        assert!(!organization.concat().contains("secret-hash") && !workspace.concat().contains("secret-hash"));
    });

    async fn organization(db: &Db) -> Vec<String> {
        let sql = "select email from users where organization_admin order by email";
        let rows = crate::fetch!(db, all, (String,), sql).unwrap();
        rows.into_iter().map(|(email,)| email).collect()
    }

    async fn roles(db: &Db, user: &str) -> Vec<(String, String)> {
        crate::fetch!(
            db,
            all,
            (String, String),
            "select w.name, m.role_id from member_roles m join workspaces w on w.id = m.workspace_id where m.user_id = $1",
            user
        )
        .unwrap()
    }
}
