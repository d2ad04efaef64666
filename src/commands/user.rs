//! `reachwire user add`.

use crate::{
    access::{
        model::{Attributes, Preset},
        password,
        person::{check_email, check_name},
        store,
    },
    audit::{
        self, Actor, Change, Entry,
        model::{Action, ObjectKind},
    },
    clock::{Clock, Millis},
    config::{Config, Flags},
    db::Db,
    execute, fetch,
    members::model::{ATTRIBUTE_MAX, check_attributes},
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
    /// For who lost the phone: the password alone signs in until they turn it on again.
    #[arg(long)]
    turn_off_second_factor: bool,
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
    if let Some(problem) = person.name.as_deref().and_then(check_name) {
        return Err(problem.text());
    }
    jiff::tz::TimeZone::get(&person.time_zone).map_err(|error| error.to_string())?;
    eprintln!("Password for {email} (one line on standard input):");
    let mut password = String::new();
    std::io::stdin().read_line(&mut password).map_err(|error| error.to_string())?;
    let password = password.trim_end_matches(['\r', '\n']).to_string();
    let about = [email, person.name.as_deref().unwrap_or_default()];
    if let Some(weakness) = password::weakness(&password, &about).await? {
        return Err(weakness.text().into());
    }
    let hash = password::hash(password).await?;
    let config = Config::load(&flags)?;
    if person.turn_off_second_factor {
        // Who has one is there already; the folder is mistyped otherwise.
        server::open_known(&config).await?.0.close().await;
    }
    // Not exclusive: people can be added while the server runs. The first one may make the installation.
    let (db, _) = server::open(&config, false).await?;
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
        let turned_off = person.turn_off_second_factor && store::turn_off_second_factor(&mut tx, &user).await?;
        let (name,) = fetch!(tx, one, (String,), "select name from users where id = $1", &user)?;
        let action = if new { Action::Created } else { Action::PasswordSet };
        let mut after = json!({});
        if new {
            after["email"] = json!(person.email);
        }
        if promoted {
            after["organization_administrator"] = json!(true);
        }
        let mut told = vec![Entry::new(action, ObjectKind::Account, &user, &name).with(Change::to(&after))];
        if turned_off {
            told.push(Entry::new(Action::SecondFactorOff, ObjectKind::Account, &user, &name));
        }
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
            store::put_attributes(&mut tx, id, &user, attributes).await?;
            after["attributes"] = json!(attributes);
        }
        // Entries come last: whoever writes to the same log waits.
        let mut entries = Vec::new();
        for log in store::account_logs(&mut tx, &user).await? {
            entries.extend(told.iter().map(|entry| (log.clone(), entry.clone())));
        }
        if !made.is_empty() {
            let workspace = named.unwrap_or_default();
            entries
                .push((audit::ORGANIZATION.into(), Entry::new(Action::Created, ObjectKind::Workspace, id, workspace)));
        }
        let change = Change::between(before, after);
        entries.push((id.clone(), Entry::new(Action::Changed, ObjectKind::Member, &user, &name).with(change)));
        // Log by log, in the order that everybody writes in.
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
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
pub mod tests;
