//! `reachwire user add`.

use crate::{
    access::{
        model::{Attributes, Preset},
        password, store,
    },
    audit::{
        Actor, Entry,
        model::{Action, ObjectKind},
    },
    clock::{Clock, Millis},
    config::{Config, Flags},
    db::Db,
    server,
};
use clap::Subcommand;

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
    /// For who lost the phone: the password alone signs in until they turn it on again.
    #[arg(long)]
    turn_off_second_factor: bool,
}

/// Of one member: names, and values of one name.
const ATTRIBUTES_MAX: usize = 100;
/// Characters of a name and of a value.
const ATTRIBUTE_MAX: usize = 256;

fn attribute(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || !text.contains('=') {
        return Err("NAME=VALUE, such as region=East".into());
    }
    if [name, value].iter().any(|text| text.chars().count() > ATTRIBUTE_MAX || text.contains('\0')) {
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
    if attributes.len() > ATTRIBUTES_MAX || attributes.values().any(|values| values.len() > ATTRIBUTES_MAX) {
        return Err(format!("at most {ATTRIBUTES_MAX} attributes with {ATTRIBUTES_MAX} values each"));
    }
    Ok(attributes)
}

fn role(code: &str) -> Result<Preset, String> {
    Preset::from_id(code).ok_or_else(|| "administrator, marketer or analyst".into())
}

pub async fn run(command: UserCommand) -> Result<(), String> {
    let UserCommand::Add { mut person, flags } = command;
    person.email = person.email.trim().to_lowercase();
    let email = &person.email;
    if !email.contains('@') || email.len() > 254 {
        return Err(format!("{email} is not an e-mail address"));
    }
    jiff::tz::TimeZone::get(&person.time_zone).map_err(|error| error.to_string())?;
    eprintln!("Password for {email} (one line on standard input):");
    let mut password = String::new();
    std::io::stdin().read_line(&mut password).map_err(|error| error.to_string())?;
    let password = password.trim_end_matches(['\r', '\n']).to_string();
    password::check(&password, &[email, person.name.as_deref().unwrap_or_default()])?;
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
    let user = store::put_user(db, &person.email, person.name.as_deref(), hash, now).await.map_err(text)?;
    if person.turn_off_second_factor {
        turn_off_second_factor(db, &user, &person.email, now).await.map_err(text)?;
    }
    let said = match membership {
        None => format!("{} has a new password and must sign in again.", person.email),
        Some((workspace, role)) => {
            let id = store::put_workspace(db, workspace, &person.time_zone, now).await.map_err(text)?;
            store::put_member(db, &id, &user, role, now).await.map_err(text)?;
            format!("{} can sign in to “{workspace}” as {}.", person.email, role.name())
        }
    };
    let Some(place) = place else { return Ok(said) };
    let id = store::workspace_by_name(db, place).await.map_err(text)?.ok_or("the workspace has gone")?;
    store::put_attributes(db, &id, &user, &attributes).await.map_err(text)?;
    Ok(format!("{said} Row-level permissions there: {}.", listed(&attributes)))
}

async fn turn_off_second_factor(db: &Db, user: &str, email: &str, now: Millis) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    if store::turn_off_second_factor(&mut tx, user).await? {
        let entry = Entry::new(Action::SecondFactorOff, ObjectKind::Account, user, email);
        store::tell(&mut tx, user, now, &Actor::command_line(), &entry).await?;
    }
    tx.commit().await
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
pub mod tests {
    use super::*;
    use crate::{on_both_databases, server::testing::Harness};

    /// As the command line does for a person who is there; the password stays.
    pub async fn add(db: &Db, email: &str, turn_off_second_factor: bool) {
        let hash = store::user_by_email(db, email).await.unwrap().unwrap().password_hash;
        put(db, &Person { email: email.into(), turn_off_second_factor, ..person() }, &hash, 5).await.unwrap();
    }

    fn person() -> Person {
        let email = "ada@example.com".to_string();
        let time_zone = "UTC".to_string();
        Person {
            email,
            name: None,
            workspace: None,
            role: None,
            time_zone,
            attributes: vec![],
            turn_off_second_factor: false,
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
    });

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
