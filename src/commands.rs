//! The command line.

mod audit;
mod bench;
mod crm;
pub mod demo;
mod import;
pub mod user;

use crate::{
    clock::Clock,
    config::{Config, Flags, RoleFlags},
    server,
};
use clap::{Parser, Subcommand};
use std::path::PathBuf;

#[derive(Parser)]
#[command(name = "reachwire", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the console and send.
    Serve {
        #[command(flatten)]
        flags: Flags,
        #[command(flatten)]
        roles: RoleFlags,
    },
    /// Bring the database up to date and stop.
    Migrate {
        #[command(flatten)]
        flags: Flags,
    },
    /// Copy the SQLite database while the server runs.
    Backup {
        /// The file to write; it must not exist.
        file: PathBuf,
        #[command(flatten)]
        flags: Flags,
    },
    /// The product with made-up data and a simulator of a receiving system.
    Demo(demo::DemoArgs),
    /// Simulate a customer's system: verify, answer as told, post receipts.
    Crm(crm::CrmArgs),
    /// Measure how many users per second are sent, on this machine, against a simulator.
    Bench(bench::BenchArgs),
    /// People.
    User {
        #[command(subcommand)]
        command: user::UserCommand,
    },
    /// The audit log.
    Audit {
        #[command(subcommand)]
        command: audit::AuditCommand,
    },
    /// Bring data in.
    Import {
        #[command(subcommand)]
        command: import::ImportCommand,
    },
}

/// Runs the command; an error is for people and goes to the terminal.
pub async fn run() -> Result<(), String> {
    match Cli::parse().command {
        Command::Serve { flags, roles } => {
            let config = Config::load(&flags)?.serving(roles)?;
            server::init_logs(config.log_format);
            server::serve(server::start(config, Clock::System).await?).await
        }
        Command::Migrate { flags } => {
            let (db, _) = server::open(&Config::load(&flags)?, true).await?;
            db.close().await;
            println!("The database is up to date.");
            Ok(())
        }
        Command::Backup { file, flags } => {
            if file.exists() {
                return Err(format!("{} exists already", file.display()));
            }
            let (db, _) = server::open_known(&Config::load(&flags)?).await?;
            db.backup_to(&file).await.map_err(|error| error.to_string())?;
            println!("Copied to {}.", file.display());
            Ok(())
        }
        Command::Demo(args) => demo::run(args).await,
        Command::Crm(args) => crm::run(args).await,
        Command::Bench(args) => bench::run(args).await,
        Command::User { command } => user::run(command).await,
        Command::Audit { command } => audit::run(command).await,
        Command::Import { command } => import::run(command).await,
    }
}
