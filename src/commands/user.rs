//! `reachwire user add`.

use crate::{
    access::{model::Role, password, store},
    clock::Clock,
    config::{Config, Flags},
    server,
};
use clap::Subcommand;

#[derive(Subcommand)]
pub enum UserCommand {
    /// Add a person, or give an existing one a new password. The password is read from standard input.
    Add {
        /// E-mail address to sign in with.
        email: String,
        #[arg(long)]
        name: Option<String>,
        /// Made when it does not exist.
        #[arg(long, default_value = "Workspace")]
        workspace: String,
        /// administrator or marketer
        #[arg(long, default_value = "administrator", value_parser = role)]
        role: Role,
        /// IANA time zone of a new workspace.
        #[arg(long, default_value = "UTC")]
        time_zone: String,
        #[command(flatten)]
        flags: Flags,
    },
}

fn role(code: &str) -> Result<Role, String> {
    Role::from_code(code).ok_or_else(|| "administrator or marketer".into())
}

pub async fn run(command: UserCommand) -> Result<(), String> {
    let UserCommand::Add { email, name, workspace, role, time_zone, flags } = command;
    let email = email.trim().to_lowercase();
    if !email.contains('@') || email.len() > 254 {
        return Err(format!("{email} is not an e-mail address"));
    }
    jiff::tz::TimeZone::get(&time_zone).map_err(|error| error.to_string())?;
    eprintln!("Password for {email} (one line on standard input):");
    let mut password = String::new();
    std::io::stdin().read_line(&mut password).map_err(|error| error.to_string())?;
    let password = password.trim_end_matches(['\r', '\n']).to_string();
    password::check(&password)?;
    let hash = password::hash(password).await?;
    // Not exclusive: people can be added while the server runs.
    let (db, _) = server::open(&Config::load(&flags)?, false).await?;
    let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or(&email).to_string());
    let now = Clock::System.now();
    let added = async {
        let user = store::put_user(&db, &email, &name, &hash, now).await?;
        let workspace = store::put_workspace(&db, &workspace, &time_zone, now).await?;
        store::put_member(&db, &workspace, &user, role).await
    };
    added.await.map_err(|error: sqlx::Error| error.to_string())?;
    db.close().await;
    println!("{email} can sign in to “{workspace}” as {}.", role.label());
    Ok(())
}
