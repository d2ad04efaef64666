//! `reachwire import customers`.

use crate::{
    access,
    audit::By,
    clock::Clock,
    config::{Config, Flags},
    customers::{
        self,
        import::{guess::guess, inspect, inspect::Inspected, run::Run, store},
    },
    db::Db,
    server,
};
use clap::Subcommand;
use std::{path::PathBuf, time::Instant};

#[derive(Subcommand)]
pub enum ImportCommand {
    /// Import customers from a CSV file. Without --map, columns are guessed from their names and values.
    Customers {
        file: PathBuf,
        /// COLUMN=customer_id, COLUMN=id:ONEID, COLUMN=tag:number:spend (text, number, date, boolean) or COLUMN=ignore.
        /// Columns that are not named are ignored.
        #[arg(long, value_name = "COLUMN=TARGET")]
        map: Vec<String>,
        #[arg(long, default_value = "Workspace")]
        workspace: String,
        #[command(flatten)]
        flags: Flags,
    },
}

pub async fn run(command: ImportCommand) -> Result<(), String> {
    let ImportCommand::Customers { file, map, workspace, flags } = command;
    let inspected = inspect::inspect(&file).map_err(|refusal| format!("{}: {refusal}", file.display()))?;
    let (db, _) = server::open_known(&Config::load(&flags)?).await?;
    let ended = import(&db, &file, &inspected, &map, &workspace).await;
    db.close().await;
    ended
}

async fn import(db: &Db, file: &PathBuf, inspected: &Inspected, map: &[String], workspace: &str) -> Result<(), String> {
    let text = |error: sqlx::Error| error.to_string();
    let workspace = access::store::workspace_by_name(db, workspace)
        .await
        .map_err(text)?
        .ok_or_else(|| format!("there is no workspace “{workspace}”"))?;
    let (id_types, tags) = (
        customers::store::enabled_id_types(db, &workspace).await.map_err(text)?,
        customers::store::tags(db, &workspace).await.map_err(text)?,
    );
    let mapping = if map.is_empty() {
        guess(inspected, &id_types, &tags)
    } else {
        customers::mapping::from_maps(&inspected.header, map).map_err(|problem| format!("--map {problem}"))?
    };
    let problems = mapping.check(&id_types, &tags);
    if !problems.is_empty() {
        let said: Vec<String> = problems.into_iter().map(|problem| problem.message).collect();
        return Err(said.join(" "));
    }
    for column in &mapping.columns {
        println!("{} -> {}", column.header, column.target.text());
    }
    let bytes = std::fs::metadata(file).map_err(|error| error.to_string())?.len() as i64;
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let new = store::NewImport { source: store::Source::Command, file_name: &name, bytes, by: "command line" };
    let clock = Clock::System;
    let id = store::add(db, &workspace, &new, clock.now()).await.map_err(text)?;
    if !store::start(db, &workspace, &id, &mapping, &By::command_line(clock.now())).await.map_err(text)? {
        return Err("a tag of this name and another kind has just been made; try again".into());
    }
    let (began, mut shown) = (Instant::now(), Instant::now());
    let run = Run { db, clock: &clock, workspace: &workspace, id: &id };
    let ended = run.to_end(file, |progress| {
        if shown.elapsed().as_secs() >= 5 {
            shown = Instant::now();
            eprintln!("{} good, {} bad, {} of {bytes} bytes", progress.good, progress.bad, progress.bytes);
        }
    });
    ended.await.map_err(|error| error.to_string())?;
    let done = store::get(db, &workspace, &id).await.map_err(text)?;
    println!("{} rows good, {} bad, {:.1} s", done.rows_good, done.rows_bad, began.elapsed().as_secs_f64());
    for (reason, count) in &done.reasons {
        println!("  {}: {count}", reason.label());
    }
    for bad in store::bad_rows(db, &workspace, &id, 0, 10).await.map_err(text)? {
        println!("  line {}: {} {}", bad.line, bad.reason.label(), bad.detail);
    }
    Ok(())
}
