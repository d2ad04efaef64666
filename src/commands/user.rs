//! `reachwire user add`.

use crate::{
    access::{model::Role, password, store},
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
    /// administrator or marketer. Of a new person without it: administrator.
    #[arg(long, value_parser = role)]
    role: Option<Role>,
    /// IANA time zone of a new workspace.
    #[arg(long, default_value = "UTC")]
    time_zone: String,
}

fn role(code: &str) -> Result<Role, String> {
    Role::from_code(code).ok_or_else(|| "administrator or marketer".into())
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
        None => Some((person.workspace.as_deref().unwrap_or("Workspace"), person.role.unwrap_or(Role::Administrator))),
        Some(_) => change(&own, person)?,
    };
    let user = store::put_user(db, &person.email, person.name.as_deref(), hash, now).await.map_err(text)?;
    let Some((workspace, role)) = membership else {
        return Ok(format!("{} has a new password and must sign in again.", person.email));
    };
    let id = store::put_workspace(db, workspace, &person.time_zone, now).await.map_err(text)?;
    store::put_member(db, &id, &user, role).await.map_err(text)?;
    Ok(format!("{} can sign in to “{workspace}” as {}.", person.email, role.label()))
}

/// The membership that is asked for, of a person who is in these workspaces.
fn change<'a>(own: &'a [(String, String)], person: &'a Person) -> Result<Option<(&'a str, Role)>, String> {
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
    use crate::{on_both_databases, server::testing::Harness};

    fn person() -> Person {
        let email = "ada@example.com".to_string();
        Person { email, name: None, workspace: None, role: None, time_zone: "UTC".into() }
    }

    on_both_databases!(a_new_password_changes_nothing_else_and_ends_the_sessions, |db| async move {
        let server = Harness::new(db.clone()).await;
        server.member("ada@example.com", "Shop", Role::Marketer).await;
        let cookie = server.sign_in("ada@example.com").await;
        let hash = password::hash("another long password".into()).await.unwrap();
        let said = put(&db, &person(), &hash, 5).await.unwrap();
        assert!(said.contains("new password"), "{said}");
        assert_eq!(server.page("/tasks", &cookie).await.status, 303, "the old session has ended");
        let user = store::user_by_email(&db, "ada@example.com").await.unwrap().unwrap();
        assert_eq!((user.name.as_str(), user.password_hash == hash), ("Somebody", true));
        assert_eq!(roles(&db, &user.id).await, [("Shop".to_string(), "marketer".to_string())]);

        let promoted = Person { role: Some(Role::Administrator), name: Some("Ada".into()), ..person() };
        put(&db, &promoted, &hash, 6).await.unwrap();
        assert_eq!(store::user_by_email(&db, "ada@example.com").await.unwrap().unwrap().name, "Ada");
        assert_eq!(roles(&db, &user.id).await, [("Shop".to_string(), "administrator".to_string())]);
        let vague = Person { workspace: Some("Elsewhere".into()), ..person() };
        assert!(put(&db, &vague, "x", 7).await.unwrap_err().contains("--role"));
        let moved = Person { role: Some(Role::Marketer), ..vague };
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
            "select w.name, m.role from members m join workspaces w on w.id = m.workspace_id where m.user_id = $1",
            user
        )
        .unwrap()
    }
}
